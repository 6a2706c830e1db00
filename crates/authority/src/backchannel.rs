//! Questions by the back channel (CIBA Core 1.0): kept until their person decides, and the client told.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Client, StoreError, Waiting};
use token::term::parameter;
use url::Url;

use crate::state::Authority;

const LABEL: &str = "backchannel notification";

/// How a client is told of a decision (§10.2): kept sealed, since both are secrets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Notification {
    pub(crate) auth_req_id: String,
    pub(crate) token: String,
}

// === impl Notification ===

impl Notification {
    /// As it is kept.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be sealed.
    pub(crate) fn seal(&self, authority: &Authority) -> Result<Vec<u8>, StoreError> {
        let text = serde_json::to_vec(self).map_err(|_| StoreError::Corrupt { what: LABEL })?;
        authority.store().sealer().seal(LABEL, &text)
    }
}

/// Tells the client that there is a decision, without waiting for it: it asks for the rest.
pub(crate) fn tell(authority: &Authority, client: &Client, request: &Waiting) {
    let (Some(sealed), Some(fetcher)) = (&request.notify, authority.fetcher().cloned()) else {
        return;
    };
    let place = client.options.backchannel_client_notification_endpoint.as_deref();
    let Some(url) = place.and_then(|place| Url::parse(place).ok()) else { return };
    let opened = authority.store().sealer().open(LABEL, sealed).ok();
    let opened = opened.and_then(|text| serde_json::from_slice::<Notification>(&text).ok());
    let Some(Notification { auth_req_id, token }) = opened else {
        tracing::error!(client = %client.id, "a notification cannot be opened");
        return;
    };
    let Ok(mut field) = HeaderValue::from_str(&format!("Bearer {token}")) else { return };
    field.set_sensitive(true);
    let body = json!({ parameter::AUTH_REQ_ID: auth_req_id }).to_string();
    let client = client.id.clone();
    tokio::spawn(async move {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, field)]);
        match fetcher.post_json(&url, body, headers).await {
            Ok(answer) if answer.status.is_success() => {}
            Ok(answer) => {
                tracing::warn!(%client, status = %answer.status, "a notification is not taken");
            }
            Err(error) => tracing::warn!(%client, %error, "a client cannot be notified"),
        }
    });
}
