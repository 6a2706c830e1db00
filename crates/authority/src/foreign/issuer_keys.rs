//! The keys of other issuers: given, or fetched from where they or their metadata say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remote::Fetcher;
use remote::issuer::discover;
use remote::keys::{Freshness, RemoteKeys};
use token::key::KeySet;
use url::Url;

use super::KeySource;

/// An issuer and the place of its keys: two roles of one issuer may have keys of their own.
type Place = (String, Option<Url>);

/// Finds the keys of other issuers; there are as many as are configured.
pub(crate) struct IssuerKeys {
    fetcher: Option<Fetcher>,
    remote: Mutex<HashMap<Place, Arc<RemoteKeys>>>,
}

// === impl IssuerKeys ===

impl IssuerKeys {
    pub(crate) fn new(fetcher: Option<Fetcher>) -> Self {
        Self { fetcher, remote: Mutex::default() }
    }

    /// The keys that check what the issuer signs; `kid` is the one that is wanted. Empty when none can
    /// be had.
    pub(crate) async fn of(&self, source: &KeySource, kid: Option<&str>) -> Arc<KeySet> {
        if let Some(keys) = &source.keys {
            return Arc::clone(keys);
        }
        let Some(keys) = self.remote(source).await else { return Arc::default() };
        if let Err(error) = keys.refresh().await {
            tracing::warn!(issuer = %source.issuer, %error, "an issuer's keys cannot be fetched");
        }
        if let Some(kid) = kid {
            keys.look_for(kid).await;
        }
        keys.keyring().current()
    }

    async fn remote(&self, source: &KeySource) -> Option<Arc<RemoteKeys>> {
        let place = (source.issuer.clone(), source.jwks_uri.clone());
        let known = self.lock().get(&place).cloned();
        if known.is_some() {
            return known;
        }
        let fetcher = self.fetcher.as_ref()?;
        let url = match &source.jwks_uri {
            Some(url) => url.clone(),
            None => {
                let found = discover(fetcher, &source.issuer).await;
                let found = found.inspect_err(|error| {
                    tracing::warn!(issuer = %source.issuer, %error, "an issuer's metadata cannot be had");
                });
                found.ok()?.jwks_uri
            }
        };
        let keys = Arc::new(RemoteKeys::new(fetcher.clone(), url, Freshness::default()));
        let mut remote = self.lock();
        Some(Arc::clone(remote.entry(place).or_insert(keys)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Arc<RemoteKeys>>> {
        self.remote.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
