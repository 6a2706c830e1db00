//! Pushed authorization requests (RFC 9126): kept in the store, so that nobody on the way can read or change
//! them, and whoever was told that one is kept can rely on it.

use std::time::Duration;

use store::{PushedRequest, Store, StoreError};
use token::base62;
use token::id::ClientId;
use token::opaque::OpaqueHash;
use token::random::Random;
use token::time::Timestamp;

/// What every `request_uri` of ours begins with (RFC 9126 §2.2).
pub(crate) const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a request may lie before its person arrives (FAPI 2.0 Security Profile §5.3.2.2: less
/// than 600 seconds).
pub(crate) const LIFE: Duration = Duration::from_mins(1);
/// How long its person may take from there.
const OPEN_LIFE: Duration = Duration::from_mins(30);
/// Requests that are kept at the same time; each is at most 16 KiB.
const MOST: usize = 20_000;

/// Keeps a request; its name, or `None` when too many are kept already.
///
/// # Errors
/// [`StoreError`] when it could not be kept.
pub(crate) async fn push(
    store: &Store,
    client: &ClientId,
    request: String,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Option<String>, StoreError> {
    let uri = format!("{PREFIX}{}", base62::random(43, random));
    let (client, expires_at) = (client.clone(), now.plus(LIFE));
    let pushed = PushedRequest { name: name(&uri), client, request, expires_at };
    Ok(store.push_request(&pushed, MOST, now).await?.then_some(uri))
}

/// The request of this name, for the client that pushed it.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub(crate) async fn open(
    store: &Store,
    uri: &str,
    client: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    store.open_pushed_request(&name(uri), client, now.plus(OPEN_LIFE), now).await
}

/// Under what a request is kept: who reads the store cannot open one in its client's place.
pub(crate) fn name(uri: &str) -> OpaqueHash {
    OpaqueHash::of(uri)
}
