//! The keys of trusted issuers: given, or fetched from where they or their metadata say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remote::Fetcher;
use remote::issuer::discover;
use remote::keys::{Freshness, RemoteKeys};
use token::key::KeySet;

use super::TrustedIssuer;

/// Finds the keys of trusted issuers; there are as many as are configured.
pub(crate) struct IssuerKeys {
    fetcher: Option<Fetcher>,
    remote: Mutex<HashMap<String, Arc<RemoteKeys>>>,
}

// === impl IssuerKeys ===

impl IssuerKeys {
    pub(crate) fn new(fetcher: Option<Fetcher>) -> Self {
        Self { fetcher, remote: Mutex::default() }
    }

    /// The keys that check what the issuer signs; `kid` is the one that is wanted. Empty when none can
    /// be had.
    pub(crate) async fn of(&self, trusted: &TrustedIssuer, kid: Option<&str>) -> Arc<KeySet> {
        if let Some(keys) = &trusted.keys {
            return Arc::clone(keys);
        }
        let Some(keys) = self.remote(trusted).await else { return Arc::default() };
        if let Err(error) = keys.refresh().await {
            tracing::warn!(issuer = %trusted.issuer, %error, "an issuer's keys cannot be fetched");
        }
        if let Some(kid) = kid {
            keys.look_for(kid).await;
        }
        keys.keyring().current()
    }

    async fn remote(&self, trusted: &TrustedIssuer) -> Option<Arc<RemoteKeys>> {
        let known = self.lock().get(&trusted.issuer).cloned();
        if known.is_some() {
            return known;
        }
        let fetcher = self.fetcher.as_ref()?;
        let url = match &trusted.jwks_uri {
            Some(url) => url.clone(),
            None => {
                let found = discover(fetcher, &trusted.issuer).await;
                let found = found.inspect_err(|error| {
                    tracing::warn!(issuer = %trusted.issuer, %error, "an issuer's metadata cannot be had");
                });
                found.ok()?.jwks_uri
            }
        };
        let keys = Arc::new(RemoteKeys::new(fetcher.clone(), url, Freshness::default()));
        let mut remote = self.lock();
        Some(Arc::clone(remote.entry(trusted.issuer.clone()).or_insert(keys)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<RemoteKeys>>> {
        self.remote.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
