//! Where a provider is spoken to: by its metadata, which is kept for a while, or as configured.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remote::Fetcher;
use remote::issuer::{IssuerMetadata, discover};
use token::time::Timestamp;
use url::Url;

use super::exchange::ProviderFailed;
use super::{OAuth, Protocol, Provider};

/// How long metadata is believed.
const KEPT: Duration = Duration::from_mins(10);

/// The places of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) userinfo: Option<Url>,
    pub(crate) emails: Option<Url>,
    pub(crate) jwks: Option<Url>,
    /// Whether every answer names the issuer (RFC 9207 §2.4).
    pub(crate) names_issuer: bool,
    /// Whether our secret goes into the form, not into a field (RFC 6749 §2.3.1).
    pub(crate) secret_in_form: bool,
}

/// Those that were found.
#[derive(Default)]
pub(crate) struct KnownPlaces(Mutex<HashMap<String, (Arc<Places>, Timestamp)>>);

// === impl KnownPlaces ===

impl KnownPlaces {
    /// The places of a provider.
    ///
    /// # Errors
    /// [`ProviderFailed`] when its metadata cannot be had, or lacks a place.
    pub(crate) async fn of(
        &self,
        provider: &Provider,
        fetcher: &Fetcher,
        now: Timestamp,
    ) -> Result<Arc<Places>, ProviderFailed> {
        let issuer = match &provider.protocol {
            Protocol::OAuth(places) => return Ok(Arc::new(Places::from(&**places))),
            Protocol::OpenId { issuer } => issuer,
        };
        if let Some((places, _)) = self.lock().get(issuer).filter(|(_, until)| now < *until) {
            return Ok(Arc::clone(places));
        }
        match discover(fetcher, issuer).await {
            Ok(metadata) => {
                let places = Arc::new(Places::of_metadata(metadata)?);
                self.lock().insert(issuer.clone(), (Arc::clone(&places), now.plus(KEPT)));
                Ok(places)
            }
            // A provider whose metadata is down for a moment is where it was.
            Err(error) => match self.lock().get(issuer) {
                Some((places, _)) => {
                    tracing::warn!(%issuer, %error, "a provider's metadata cannot be had; the last holds");
                    Ok(Arc::clone(places))
                }
                None => Err(error.into()),
            },
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Arc<Places>, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Places ===

impl Places {
    fn of_metadata(metadata: IssuerMetadata) -> Result<Self, ProviderFailed> {
        let missing = ProviderFailed::NoPlace;
        let methods = metadata.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|known| known == method);
        Ok(Self {
            authorization: metadata
                .authorization_endpoint
                .ok_or(missing("authorization_endpoint"))?,
            token: metadata.token_endpoint.ok_or(ProviderFailed::NoPlace("token_endpoint"))?,
            userinfo: metadata.userinfo_endpoint,
            emails: None,
            jwks: Some(metadata.jwks_uri),
            names_issuer: metadata.authorization_response_iss_parameter_supported,
            secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
        })
    }
}

impl From<&OAuth> for Places {
    fn from(places: &OAuth) -> Self {
        Self {
            authorization: places.authorization_endpoint.clone(),
            token: places.token_endpoint.clone(),
            userinfo: Some(places.userinfo_endpoint.clone()),
            emails: places.emails_endpoint.clone(),
            jwks: None,
            names_issuer: false,
            secret_in_form: true,
        }
    }
}
