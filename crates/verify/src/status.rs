//! Token Status Lists: fetched once for everybody, kept for as long as they say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use remote::Fetcher;
use token::keyring::Keyring;
use token::status_list::{Status, StatusList, StatusListToken, StatusReference};
use token::time::{Clock, Timestamp};
use token::verify::{Policy, verify};
use url::Url;

/// Lists that are kept at the same time; an issuer has few that are alive.
const MOST_LISTS: usize = 256;
/// How long a list is used that does not say so itself, and the bounds of what it may say.
const USUAL_LIFE: Duration = Duration::from_secs(30);
const SHORTEST_LIFE: Duration = Duration::from_secs(1);
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// How much longer while no newer one can be had, but never beyond its own end.
const WHILE_DOWN: Duration = Duration::from_mins(5);

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The list says so; a place outside of it counts as invalid.
    Status(Status),
    /// No list is to be had.
    Unavailable,
}

/// The lists of one issuer.
pub(crate) struct StatusLists {
    fetcher: Fetcher,
    issuer: String,
    keyring: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    lists: Mutex<HashMap<String, Arc<Place>>>,
}

#[derive(Default)]
struct Place {
    held: ArcSwapOption<Held>,
    flight: tokio::sync::Mutex<()>,
}

struct Held {
    list: StatusList,
    fresh_until: Timestamp,
    good_until: Timestamp,
}

// === impl StatusLists ===

impl StatusLists {
    pub(crate) fn new(
        fetcher: Fetcher,
        issuer: String,
        keyring: Arc<Keyring>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { fetcher, issuer, keyring, clock, lists: Mutex::default() }
    }

    /// What the list says of a token.
    pub(crate) async fn status(&self, reference: &StatusReference) -> Found {
        let place = self.place(&reference.uri);
        let now = self.clock.now();
        let fresh = |held: &Held| now < held.fresh_until;
        let held = place.held.load_full();
        let held = match held.filter(|held| fresh(held)) {
            Some(held) => Some(held),
            None => self.renew(&place, &reference.uri).await,
        };
        match held {
            Some(held) => Found::Status(held.list.status(reference.idx).unwrap_or(Status::Invalid)),
            None => Found::Unavailable,
        }
    }

    async fn renew(&self, place: &Place, uri: &str) -> Option<Arc<Held>> {
        let _flight = place.flight.lock().await;
        let now = self.clock.now();
        let held = place.held.load_full();
        if held.as_ref().is_some_and(|held| now < held.fresh_until) {
            return held;
        }
        match self.fetch(uri, now).await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                place.held.store(Some(Arc::clone(&fetched)));
                Some(fetched)
            }
            Err(error) => {
                tracing::warn!(%uri, %error, "a status list cannot be had");
                held.filter(|held| now < held.good_until)
            }
        }
    }

    async fn fetch(&self, uri: &str, now: Timestamp) -> Result<Held, String> {
        let url: Url = uri.parse().map_err(|_| "the reference is no URL".to_owned())?;
        let answer = self.fetcher.get(&url, "application/statuslist+jwt").await;
        let answer = answer.map_err(|error| error.to_string())?;
        let text = str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
        let policy = Policy::new(self.issuer.as_str(), "").subject(uri);
        let token = verify::<StatusListToken>(text.trim(), &self.keyring.current(), &policy, now)
            .map_err(|refusal| refusal.to_string())?;
        let claims = token.claims();
        let list = StatusList::unpack(&claims.status_list).map_err(|error| error.to_string())?;
        let life = claims.ttl.map_or(USUAL_LIFE, Duration::from_secs);
        let end = claims.exp.map(Timestamp::from_secs);
        let within = |time: Timestamp| end.map_or(time, |end| time.min(end));
        let fresh_until = within(now.plus(life.clamp(SHORTEST_LIFE, LONGEST_LIFE)));
        Ok(Held { list, fresh_until, good_until: within(fresh_until.plus(WHILE_DOWN)) })
    }

    fn place(&self, uri: &str) -> Arc<Place> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = lists.get(uri) {
            return Arc::clone(place);
        }
        if lists.len() >= MOST_LISTS {
            let now = self.clock.now();
            lists.retain(|_, place| {
                place.held.load().as_ref().is_some_and(|held| now < held.fresh_until)
            });
        }
        Arc::clone(lists.entry(uri.to_owned()).or_default())
    }
}
