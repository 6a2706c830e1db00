//! Security events of others that are fetched (RFC 8936): asked for again and again, and acknowledged once they were
//! followed, so that none is lost while one side is down.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LANGUAGE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use remote::{FetchError, Fetched, Fetcher, Limits};
use serde::Deserialize as _;
use serde_json::Value;
use token::json;
use token::jws::Jws;
use token::numeric_date::NumericDate;
use token::time::Timestamp;
use tokio::time::Instant;
use url::Url;

use super::message::{EventError, ForeignAnswer, PollRequest};
use super::received::{INVALID_KEY, NotTaken, Taken, Transmitter};
use crate::caller::Caller;
use crate::state::Authority;

/// Events of one answer.
const MOST_EVENTS: u32 = 50;
/// The largest answer, in bytes.
const LARGEST: usize = 1024 * 1024;
/// An answer may wait for an event; no answer within this time is none.
const LONGEST_WAIT: Duration = Duration::from_secs(90);
/// An answer that does not wait has this long.
const LONGEST_ANSWER: Duration = Duration::from_secs(20);
/// A transmitter that does not wait for events is asked so often; and so soon again after a failure …
const EVERY: Duration = Duration::from_secs(5);
/// … which doubles with every further one up to this.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// What a transmitter may ask for with `Retry-After`.
const LONGEST_RESPITE: Duration = Duration::from_hours(1);
/// So long a key may be unknown before what it has signed is refused: key sets are remembered for a while.
const KEY_AWAITED: Duration = Duration::from_mins(1);

/// Goes for the events of one transmitter.
pub struct Follower {
    transmitter: Transmitter,
    url: Url,
    fetcher: Fetcher,
    /// What it is told with the next request.
    settled: Settled,
    /// Events whose key is unknown, and since when.
    awaiting_key: BTreeMap<String, Timestamp>,
    /// Requests in a row that came to nothing.
    failures: u32,
    /// Whether the next answer may wait for an event …
    waits: bool,
    /// … and for how long.
    pub(crate) longest_wait: Duration,
    most: u32,
}

/// What has become of events, by their `jti`.
#[derive(Default)]
struct Settled {
    taken: Vec<String>,
    refused: BTreeMap<String, EventError>,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("it answers with what is no answer of RFC 8936: {0}")]
    Answer(String),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    #[error("it answers with status {0}")]
    Status(StatusCode, Option<Duration>),
    #[error("the token has characters that no field has")]
    Token,
}

// === impl Authority ===

impl Authority {
    /// One for every transmitter whose events are fetched.
    pub fn followers(&self) -> Vec<Follower> {
        let one = |transmitter: &Transmitter| {
            let url = transmitter.fetched_at.clone()?;
            let Some(fetcher) = self.fetcher() else {
                let transmitter = transmitter.name.as_str();
                tracing::error!(
                    transmitter,
                    "security events are not fetched: nobody is trusted here"
                );
                return None;
            };
            Some(Follower {
                transmitter: transmitter.clone(),
                url,
                fetcher: fetcher.clone(),
                settled: Settled::default(),
                awaiting_key: BTreeMap::new(),
                failures: 0,
                waits: true,
                longest_wait: LONGEST_WAIT,
                most: MOST_EVENTS,
            })
        };
        self.settings().transmitters.iter().filter_map(one).collect()
    }
}

// === impl Follower ===

impl Follower {
    /// Fetches events once and follows them. Returns how long to wait before the next time.
    pub async fn turn(&mut self, authority: &Authority) -> Duration {
        let began = Instant::now();
        match self.fetch(authority).await {
            Ok(new) => {
                if self.failures > 0 {
                    let transmitter = self.transmitter.name.as_str();
                    tracing::info!(transmitter, "security events can be fetched again");
                }
                (self.failures, self.waits) = (0, true);
                self.most = self.most.saturating_mul(2).min(MOST_EVENTS);
                // Without anything new it is asked at a pace, whatever it says: it may not know how to wait.
                if new { Duration::ZERO } else { EVERY.saturating_sub(began.elapsed()) }
            }
            // It waits for longer than we do: now it is asked whether it is there at all.
            Err(Problem::Fetch(FetchError::TooSlow(_))) if self.waits => {
                self.waits = false;
                Duration::ZERO
            }
            Err(problem) => self.failed(authority, &problem),
        }
    }

    fn failed(&mut self, authority: &Authority, problem: &Problem) -> Duration {
        let transmitter = self.transmitter.name.as_str();
        tracing::warn!(transmitter, %problem, "security events cannot be fetched");
        if matches!(problem, Problem::Fetch(FetchError::TooLong { .. })) {
            self.most = (self.most / 2).max(1);
        }
        let doubled = EVERY.saturating_mul(2_u32.saturating_pow(self.failures));
        (self.failures, self.waits) = (self.failures.saturating_add(1), false);
        let mut chance = [0];
        authority.random().fill(&mut chance);
        // Up to a fifth more, so that those who were turned away together do not come back together.
        let pause = doubled.min(LONGEST_PAUSE).mul_f64(1.0 + f64::from(chance[0]) / 1275.0);
        match problem {
            Problem::Status(_, Some(respite)) => pause.max(*respite),
            _ => pause,
        }
    }

    /// One request, and what it brings. Returns whether there was something new.
    async fn fetch(&mut self, authority: &Authority) -> Result<bool, Problem> {
        let answer = self.ask().await?;
        // What was told has arrived.
        self.settled = Settled::default();
        let answer: ForeignAnswer =
            json::parse(&answer.body).map_err(|error| Problem::Answer(error.to_string()))?;
        let now = authority.now();
        let mut sets: Vec<(String, Value)> = answer.sets.into_iter().collect();
        // Members of an object have no order, events have.
        sets.sort_by_key(|(_, set)| issued_at(set));
        self.awaiting_key.retain(|jti, _| sets.iter().any(|(one, _)| one == jti));
        let mut new = false;
        for (jti, set) in sets {
            new |= self.settle(authority, jti, &set, now).await?;
        }
        Ok(new)
    }

    async fn ask(&self) -> Result<Fetched, Problem> {
        let asked = PollRequest {
            max_events: Some(self.most),
            return_immediately: !self.waits,
            ack: self.settled.taken.clone(),
            set_errs: self.settled.refused.clone(),
        };
        let field = format!("Bearer {}", self.transmitter.token.expose());
        let mut field = HeaderValue::from_str(&field).map_err(|_| Problem::Token)?;
        field.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, field);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !asked.set_errs.is_empty() {
            // §2.6 demands it.
            headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
        }
        let asked =
            serde_json::to_string(&asked).map_err(|error| Problem::Answer(error.to_string()))?;
        let time = if self.waits { self.longest_wait } else { LONGEST_ANSWER };
        let fetcher = self.fetcher.within(Limits { body: LARGEST, time });
        let answer = fetcher.post_json(&self.url, asked, headers).await?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            status => Err(Problem::Status(status, respite(&answer.headers))),
        }
    }

    /// Follows one event. What it cannot be decided about yet comes again; the others do not wait for it.
    async fn settle(
        &mut self,
        authority: &Authority,
        jti: String,
        set: &Value,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let Some(text) = set.as_str() else {
            self.refuse(jti, "invalid_request", "the event is no string".to_owned());
            return Ok(false);
        };
        let taken = authority.receive(&self.transmitter, text, &Caller::default(), now).await;
        let cause = match taken {
            Ok(taken) => {
                self.settled.taken.push(jti);
                return Ok(taken == Taken::Now);
            }
            Err(cause) => cause,
        };
        let Some(err) = cause.code() else { return Err(cause.into()) };
        if err != INVALID_KEY || self.awaited_key(&jti, now) {
            self.refuse(jti, err, cause.to_string());
        }
        Ok(false)
    }

    /// Whether the key of an event was looked for long enough: it may be newer than the keys that are known.
    fn awaited_key(&mut self, jti: &str, now: Timestamp) -> bool {
        let since = *self.awaiting_key.entry(jti.to_owned()).or_insert(now);
        now.since(since) >= KEY_AWAITED
    }

    fn refuse(&mut self, jti: String, err: &str, description: String) {
        let transmitter = self.transmitter.name.as_str();
        tracing::warn!(transmitter, jti, err, description, "a security event is not taken");
        self.awaiting_key.remove(&jti);
        self.settled.refused.insert(jti, EventError { err: err.to_owned(), description });
    }
}

/// What an event says of its time, before anybody believes it; of the same second they stay as they came.
fn issued_at(set: &Value) -> i64 {
    let jws = set.as_str().and_then(|text| Jws::parse(text).ok());
    let members = jws.and_then(|jws| json::parse_object(jws.unverified_payload()).ok());
    let iat = members.and_then(|members| NumericDate::deserialize(members.get("iat")?).ok());
    iat.map_or(i64::MAX, NumericDate::as_secs)
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3).
fn respite(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RESPITE))
}
