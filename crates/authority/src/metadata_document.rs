//! Clients that nobody registered: their id is the URL of a document that describes them
//! (draft-ietf-oauth-client-id-metadata-document).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remote::{FetchError, Fetcher};
use serde_json::{Map, Value, json};
use store::{Client, StoreError};
use token::foreign;
use token::id::ClientId;
use token::json;
use token::scope::ScopeSet;
use token::term::{ClientAuthMethod, GrantType, parameter};
use token::time::Timestamp;
use url::Url;

use crate::register::policy::Registration;
use crate::register::{self, RegistrationRefused, metadata, statement};
use crate::state::Authority;

/// Who wrote such a client down.
pub(crate) const CREATED_BY: &str = "document:";
/// Documents that are kept; more are fetched again.
const MOST: usize = 5_000;
/// However long its host allows.
const SHORTEST: Duration = Duration::from_mins(1);
const USUAL: Duration = Duration::from_hours(1);
const LONGEST: Duration = Duration::from_hours(24);
/// How long a document that could not be had is not asked for again.
const AFTER_FAILURE: Duration = Duration::from_secs(30);
/// Symmetric secrets cannot be agreed on in public (§4.1).
const SECRETS: [&str; 2] = ["client_secret", "client_secret_expires_at"];
/// The document is for every server: what this one does not do is not its fault.
const NOT_FOR_US: [&str; 6] = [
    "authorization_details_types",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "sector_identifier_uri",
    // What its host says is said already.
    statement::MEMBER,
    "subject_type",
];

/// Why a document does not make a client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DocumentRefused {
    /// It cannot be fetched.
    #[error("the client's metadata document cannot be had: {0}")]
    Fetch(String),
    /// It is no JSON object.
    #[error("the client's metadata document is no JSON object")]
    Form,
    /// It describes another client.
    #[error("the client's metadata document names another `client_id` than its own URL")]
    Mismatch,
    /// A member is wrong.
    #[error("the client's metadata document: {0}")]
    Member(String),
    /// It wants a secret.
    #[error("the client's metadata document must not have a secret, or a method that needs one")]
    Secret,
}

/// Why no client is found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindRefused {
    /// Its document is not good.
    #[error(transparent)]
    Document(#[from] DocumentRefused),
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Documents that were fetched.
#[derive(Default)]
pub(crate) struct MetadataDocuments(Mutex<HashMap<ClientId, Kept>>);

#[derive(Clone)]
struct Kept {
    found: Result<Arc<Client>, DocumentRefused>,
    until: Timestamp,
}

/// The client of this id: registered, or described by the document that its id leads to.
///
/// # Errors
/// [`FindRefused`] when its document is not good, or state cannot be read.
pub(crate) async fn find(
    authority: &Authority,
    id: &ClientId,
    now: Timestamp,
) -> Result<Option<Arc<Client>>, FindRefused> {
    if let Some(client) = authority.store().client(id).await? {
        return Ok(Some(client));
    }
    let (Some(url), Some(fetcher)) = (document_url(id.as_str()), authority.fetcher()) else {
        return Ok(None);
    };
    if !authority.settings().client_id_metadata_documents {
        return Ok(None);
    }
    if let Some(found) = authority.documents().kept(id, now) {
        return Ok(Some(found?));
    }
    let (found, life) = match fetch(authority, fetcher, id, &url, now).await {
        Ok((client, life)) => (Ok(client), life),
        Err(refused) => {
            tracing::info!(client = %id, %refused, "a client's metadata document is not taken");
            (Err(refused), AFTER_FAILURE)
        }
    };
    authority.documents().keep(id, Kept { found: found.clone(), until: now.plus(life) }, now);
    Ok(Some(found?))
}

/// §3: the URLs that can be a client's id, in their normal form. None has the character that stands
/// between another issuer and its names at the gateway.
fn document_url(id: &str) -> Option<Url> {
    let url = Url::parse(id).ok()?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let good = (url.scheme() == "https" || (url.scheme() == "http" && here))
        && url.as_str() == id
        && !id.contains(foreign::SEPARATOR)
        && url.path() != "/"
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    good.then_some(url)
}

async fn fetch(
    authority: &Authority,
    fetcher: &Fetcher,
    id: &ClientId,
    url: &Url,
    now: Timestamp,
) -> Result<(Arc<Client>, Duration), DocumentRefused> {
    let answer = fetcher.get(url, "application/json").await;
    let answer = answer.map_err(|error: FetchError| DocumentRefused::Fetch(error.to_string()))?;
    let members = json::parse_object(&answer.body).map_err(|_| DocumentRefused::Form)?;
    let client = read(authority, id, url, members, now)?;
    let life = answer.max_age().unwrap_or(USUAL).clamp(SHORTEST, LONGEST);
    Ok((Arc::new(client), life))
}

/// A document's members as a client, by the rules of registration (RFC 7591 §2).
fn read(
    authority: &Authority,
    id: &ClientId,
    url: &Url,
    mut members: Map<String, Value>,
    now: Timestamp,
) -> Result<Client, DocumentRefused> {
    if members.get(parameter::CLIENT_ID).and_then(Value::as_str) != Some(id.as_str()) {
        return Err(DocumentRefused::Mismatch);
    }
    if SECRETS.iter().any(|name| members.contains_key(*name)) {
        return Err(DocumentRefused::Secret);
    }
    let settings = authority.settings();
    adapt(&mut members, &settings.registration);
    let wrong = |refused: RegistrationRefused| DocumentRefused::Member(refused.to_string());
    let draft = metadata::parse(&members, &settings.registration).map_err(wrong)?;
    if register::has_secret(draft.auth_method) {
        return Err(DocumentRefused::Secret);
    }
    register::check(&draft, settings).map_err(wrong)?;
    let host = url.host_str().unwrap_or_default();
    Ok(Client {
        id: id.clone(),
        name: draft.name,
        secret_hash: None,
        auth_method: draft.auth_method,
        grant_types: draft.grant_types,
        redirect_uris: draft.redirect_uris,
        scopes: draft.scopes,
        default_scopes: draft.default_scopes,
        created_by: format!("{CREATED_BY}{host}"),
        created_at: now,
        disabled: false,
        options: draft.options,
        registration_token: None,
        metadata: draft.metadata,
    })
}

/// Leaves out what this server does not do: the document was written for every server.
fn adapt(members: &mut Map<String, Value>, registration: &Registration) {
    members.retain(|name, _| !NOT_FOR_US.contains(&name.as_str()));
    let method = members.entry("token_endpoint_auth_method").or_insert(Value::Null);
    if method.is_null() {
        *method = json!(ClientAuthMethod::None);
    }
    let can = |text: &str| {
        text.parse().is_ok_and(|grant_type| {
            grant_type != GrantType::ClientCredentials
                && registration.grant_types.contains(&grant_type)
        })
    };
    keep(members, "grant_types", can);
    keep(members, "response_types", |text| text == "code");
    let asked = members.get(parameter::SCOPE).and_then(Value::as_str).map(ScopeSet::parse);
    if let Some(Ok(asked)) = asked {
        members
            .insert(parameter::SCOPE.to_owned(), json!(asked.intersection(&registration.scopes)));
    }
}

fn keep(members: &mut Map<String, Value>, name: &str, wanted: impl Fn(&str) -> bool) {
    if let Some(Value::Array(list)) = members.get_mut(name) {
        list.retain(|value| value.as_str().is_none_or(&wanted));
    }
}

// === impl MetadataDocuments ===

impl MetadataDocuments {
    fn kept(&self, id: &ClientId, now: Timestamp) -> Option<Result<Arc<Client>, DocumentRefused>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).filter(|kept| now < kept.until).map(|kept| kept.found.clone())
    }

    fn keep(&self, id: &ClientId, new: Kept, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, kept| now < kept.until);
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id.clone(), new);
    }
}

#[cfg(test)]
mod tests {
    use super::document_url;

    #[test]
    fn an_id_is_a_url_in_its_normal_form() {
        for id in [
            "https://app.example/client.json",
            "https://app.example:8443/a/b",
            "http://127.0.0.1:9/c",
        ] {
            assert!(document_url(id).is_some(), "{id}");
        }
        for id in [
            "",
            "app",
            "https://app.example",
            "https://app.example/",
            "http://app.example/client.json",
            "https://app.example/a/../client.json",
            "https://app.example/./client.json",
            "https://u:p@app.example/client.json",
            "https://app.example/client.json#x",
            "https://APP.example/client.json",
            "https://app.example:443/client.json",
            "https://idp.example/realm|client",
            "ftp://app.example/client.json",
        ] {
            assert!(document_url(id).is_none(), "{id}");
        }
    }
}
