//! The public keys of clients: registered with them, or fetched from where they say (RFC 7591 §2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remote::Fetcher;
use remote::keys::{Freshness, RemoteKeys};
use serde_json::Value;
use store::Client;
use token::encryption_key::EncryptionKey;
use token::id::ClientId;
use token::key::KeySet;
use token::term::KeyManagement;
use url::Url;

/// Clients whose keys are kept ready; others are read again.
const MOST_KEPT: usize = 10_000;

/// A client as it was when its keys were read.
struct Read {
    client: Arc<Client>,
    keys: Arc<KeySet>,
}

/// Finds the keys of clients.
pub(crate) struct ClientKeys {
    fetcher: Option<Fetcher>,
    /// Read once for each version of a client.
    read: Mutex<HashMap<ClientId, Read>>,
    remote: Mutex<HashMap<String, Arc<RemoteKeys>>>,
}

// === impl ClientKeys ===

impl ClientKeys {
    pub(crate) fn new(fetcher: Option<Fetcher>) -> Self {
        Self { fetcher, read: Mutex::default(), remote: Mutex::default() }
    }

    /// The keys that check what the client signs; `kid` is the one that is wanted. Empty when it has
    /// none, or when none can be had.
    pub(crate) async fn of(&self, client: &Arc<Client>, kid: Option<&str>) -> Arc<KeySet> {
        if let Some(jwks) = &client.options.jwks {
            return self.read(client, jwks);
        }
        let Some(keys) = client.options.jwks_uri.as_deref().and_then(|uri| self.remote(uri)) else {
            return Arc::default();
        };
        if let Err(error) = keys.refresh().await {
            tracing::warn!(client = %client.id, %error, "a client's keys cannot be fetched");
        }
        if let Some(kid) = kid {
            keys.look_for(kid).await;
        }
        keys.keyring().current()
    }

    fn read(&self, client: &Arc<Client>, jwks: &Value) -> Arc<KeySet> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(&client.id)
            && Arc::ptr_eq(&known.client, client)
        {
            return Arc::clone(&known.keys);
        }
        if read.len() >= MOST_KEPT {
            read.clear();
        }
        let keys = Arc::new(KeySet::from_jwks(jwks.to_string().as_bytes()).unwrap_or_default());
        let client = Arc::clone(client);
        read.insert(client.id.clone(), Read { client, keys: Arc::clone(&keys) });
        keys
    }

    fn remote(&self, uri: &str) -> Option<Arc<RemoteKeys>> {
        let fetcher = self.fetcher.as_ref()?;
        let mut remote = self.remote.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = remote.get(uri) {
            return Some(Arc::clone(keys));
        }
        if remote.len() >= MOST_KEPT {
            remote.clear();
        }
        let url: Url = uri.parse().ok()?;
        let keys = Arc::new(RemoteKeys::new(fetcher.clone(), url, Freshness::default()));
        remote.insert(uri.to_owned(), Arc::clone(&keys));
        Some(keys)
    }
}

/// The first key of a set that one can encrypt to in this way.
pub(crate) fn encryption_key(jwks: &Value, how: KeyManagement) -> Option<EncryptionKey> {
    let keys = jwks.get("keys")?.as_array()?;
    let usable = |key: &&Value| key.get("use").is_none_or(|usage| usage == "enc");
    keys.iter()
        .filter(usable)
        .find_map(|key| EncryptionKey::from_jwk(key.to_string().as_bytes(), Some(how)).ok())
}
