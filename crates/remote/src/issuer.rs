//! What an issuer says of itself: its metadata (RFC 8414 §3, OpenID Connect Discovery 1.0 §4).

use serde::Deserialize;
use token::json;
use url::Url;

use crate::fetch::{FetchError, Fetcher};

/// What is read of an issuer's metadata.
#[derive(Clone, Debug, Deserialize)]
pub struct IssuerMetadata {
    /// The issuer; equal to the one that was asked for.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where people are sent to sign in.
    pub authorization_endpoint: Option<Url>,
    /// Where tokens are had.
    pub token_endpoint: Option<Url>,
    /// What clients may show there (RFC 8414 §2); without it, HTTP Basic.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Where claims about a person are had.
    pub userinfo_endpoint: Option<Url>,
    /// Whether every answer to an authorization request names the issuer (RFC 9207 §3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Where tokens are asked about (RFC 7662).
    pub introspection_endpoint: Option<Url>,
    /// Where the restriction log is read (Tokenward's own).
    pub restrictions_endpoint: Option<Url>,
}

/// Why an issuer's metadata cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The issuer is no URL that metadata can be fetched for.
    #[error("issuer `{0}` is not an http or https URL without query and fragment")]
    Issuer(String),
    /// It cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is no JSON object with `issuer` and `jwks_uri`.
    #[error("`{0}` is not the metadata of an issuer: a JSON object with `issuer` and `jwks_uri`")]
    Metadata(String),
    /// It is another issuer's (RFC 8414 §3.3).
    #[error("`{url}` is the metadata of `{named}`, not of `{asked}`; use the exact text")]
    Mismatch {
        /// Where it was found.
        url: String,
        /// The issuer in it.
        named: String,
        /// The issuer that was asked for.
        asked: String,
    },
}

/// Finds an issuer's metadata: by OpenID Connect's place first, then by RFC 8414's.
///
/// # Errors
/// [`DiscoveryError`] of the last place tried; a mismatch is final.
pub async fn discover(fetcher: &Fetcher, issuer: &str) -> Result<IssuerMetadata, DiscoveryError> {
    let base = Url::parse(issuer).map_err(|_| DiscoveryError::Issuer(issuer.to_owned()))?;
    if base.query().is_some() || base.fragment().is_some() || base.cannot_be_a_base() {
        return Err(DiscoveryError::Issuer(issuer.to_owned()));
    }
    let path = base.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut url = base.clone();
        url.set_path(&path);
        url
    };
    let openid = at(format!("{path}/.well-known/openid-configuration"));
    match read(fetcher, &openid, issuer).await {
        Err(DiscoveryError::Fetch(FetchError::Status { .. })) => {}
        read => return read,
    }
    let oauth = at(format!("/.well-known/oauth-authorization-server{path}"));
    read(fetcher, &oauth, issuer).await
}

async fn read(
    fetcher: &Fetcher,
    url: &Url,
    issuer: &str,
) -> Result<IssuerMetadata, DiscoveryError> {
    let answer = fetcher.get(url, "application/json").await?;
    let metadata: IssuerMetadata =
        json::parse(&answer.body).map_err(|_| DiscoveryError::Metadata(url.to_string()))?;
    if metadata.issuer != issuer {
        let (url, asked) = (url.to_string(), issuer.to_owned());
        return Err(DiscoveryError::Mismatch { url, named: metadata.issuer, asked });
    }
    Ok(metadata)
}
