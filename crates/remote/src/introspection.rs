//! What a token is, asked of the server that made it (RFC 7662): one question, one answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue, StatusCode};
use token::secret::Secret;
use token::term::parameter;
use url::{Url, form_urlencoded};

use crate::fetch::{FetchError, Fetcher};

/// Asks one server, as one client.
pub struct Introspector {
    fetcher: Fetcher,
    url: Url,
    authorization: HeaderValue,
}

// === impl Introspector ===

impl Introspector {
    /// Asks at `url`; the client shows itself by HTTP Basic (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// [`InvalidHeaderValue`] never, as what is encoded is visible ASCII.
    pub fn new(
        fetcher: Fetcher,
        url: Url,
        client_id: &str,
        client_secret: &Secret,
    ) -> Result<Self, InvalidHeaderValue> {
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(client_id), encode(client_secret.expose()));
        let mut authorization = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))?;
        authorization.set_sensitive(true);
        Ok(Self { fetcher, url, authorization })
    }

    /// The body of the answer about an access token.
    ///
    /// # Errors
    /// [`FetchError`] when no whole answer comes, or one with another status than 200.
    pub async fn ask(&self, token: &str) -> Result<Bytes, FetchError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair(parameter::TOKEN, token)
            .append_pair(parameter::TOKEN_TYPE_HINT, "access_token")
            .finish();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.fetcher.post_form(&self.url, form, headers).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            status => Err(FetchError::Status { url: self.url.to_string(), status }),
        }
    }
}
