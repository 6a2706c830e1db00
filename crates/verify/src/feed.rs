//! Following the restriction log of a Tokenward authority.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use remote::Fetcher;
use serde::Deserialize;
use token::index::RestrictionIndex;
use token::json;
use token::restriction::{Effect, LogEntry, Restriction, Selector};
use token::secret::Secret;
use token::time::{Clock, Timestamp};
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

/// How long the authority may keep a question before it answers that there is nothing new.
pub(crate) const WAIT: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who asks.
pub(crate) struct Subscriber {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

/// A copy of the log, and when it was last known to be whole.
pub(crate) struct Feed {
    subscriber: Subscriber,
    fetcher: Fetcher,
    index: Arc<RestrictionIndex>,
    clock: Arc<dyn Clock>,
    /// How often something has to be heard.
    every: Duration,
    heard: Mutex<Option<Instant>>,
}

#[derive(Deserialize)]
struct Page {
    restrictions: Vec<Told>,
    lifted: Vec<u64>,
    upto: u64,
    more: bool,
}

#[derive(Deserialize)]
struct Told {
    seq: u64,
    selector: Selector,
    effect: Effect,
    from: Timestamp,
    until: Option<Timestamp>,
}

// === impl Feed ===

impl Feed {
    pub(crate) fn new(
        subscriber: Subscriber,
        fetcher: Fetcher,
        index: Arc<RestrictionIndex>,
        clock: Arc<dyn Clock>,
        most_silence: Option<Duration>,
    ) -> Self {
        let every = most_silence.map_or(WAIT, |most| WAIT.min(most / 3));
        Self { subscriber, fetcher, index, clock, every, heard: Mutex::default() }
    }

    /// How long ago the copy was whole; `None` when it never was.
    pub(crate) fn silence(&self) -> Option<Duration> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).map(|heard| heard.elapsed())
    }

    /// Follows the log until nobody else holds it.
    pub(crate) async fn follow(self: Arc<Self>, endpoint: Url) {
        let (mut at, mut pause) = (0, FIRST_PAUSE);
        // After a silence the first answer is wanted now, whether or not there is anything in it.
        let mut wait = 0;
        while Arc::strong_count(&self) > 1 {
            match self.ask(&endpoint, at, wait).await {
                Ok(page) => {
                    (pause, wait) = (FIRST_PAUSE, self.every.as_secs());
                    let more = page.more;
                    at = self.take(page, at);
                    if wait == 0 && !more {
                        tokio::time::sleep(self.every).await;
                    }
                }
                Err(error) => {
                    wait = 0;
                    tracing::warn!(%error, "the restriction log cannot be followed");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn ask(&self, endpoint: &Url, after: u64, wait: u64) -> Result<Page, String> {
        let form = Serializer::new(String::new())
            .append_pair("client_id", &self.subscriber.client_id)
            .append_pair("client_secret", self.subscriber.client_secret.expose())
            .append_pair("after", &after.to_string())
            .append_pair("wait", &wait.to_string())
            .finish();
        let answer = self.fetcher.post_form(endpoint, form, HeaderMap::new()).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            let text = String::from_utf8_lossy(&answer.body);
            let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
            return Err(format!("status {}: {text}", answer.status));
        }
        json::parse(&answer.body).map_err(|error| error.to_string())
    }

    fn take(&self, page: Page, at: u64) -> u64 {
        let now = self.clock.now();
        if page.upto < at {
            tracing::error!("the restriction log begins anew: it is read again from its start");
            (1..=at).for_each(|seq| self.index.forget(seq));
            return 0;
        }
        for told in page.restrictions {
            self.index.apply(&LogEntry::Restrict(Restriction {
                seq: told.seq,
                selector: told.selector,
                effect: told.effect,
                from: told.from,
                until: told.until,
                reason: String::new(),
                actor: String::new(),
                at: now,
            }));
        }
        for lifts in page.lifted {
            self.index.apply(&LogEntry::Lift { seq: page.upto, lifts });
        }
        self.index.forget_ended(now);
        if !page.more {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            *heard = Some(Instant::now());
        }
        page.upto
    }
}
