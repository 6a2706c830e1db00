//! Numbers for operators: handles are made once, counting is one atomic addition.

use metrics::{Counter, Gauge, counter, gauge};
use token::reason::{Forgery, Reason, Refused};

const REQUESTS: &str = "tokenward_gateway_requests_total";
const CACHE: &str = "tokenward_gateway_token_cache_total";
const STREAMS: &str = "tokenward_gateway_open_streams";
const CUT: &str = "tokenward_gateway_streams_cut_total";

const SERVER_UP: &str = "tokenward_gateway_upstream_up";
const SERVER_REQUESTS: &str = "tokenward_gateway_upstream_requests_total";
const SERVER_FAILURES: &str = "tokenward_gateway_upstream_failures_total";
const SERVER_RETRIES: &str = "tokenward_gateway_upstream_retries_total";
const SERVER_IN_FLIGHT: &str = "tokenward_gateway_upstream_requests_in_flight";

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The gateway itself answered.
    Answered,
    /// The client went away before the answer.
    Abandoned,
    /// The upstream answered.
    Forwarded,
    /// The upstream failed.
    UpstreamFailed,
}

/// Counters of requests, by how they ended.
pub(crate) struct RequestMeters {
    answered: Counter,
    abandoned: Counter,
    forwarded: Counter,
    upstream_failed: Counter,
    plain: Box<[Counter]>,
    forged: Box<[Counter]>,
    injection: Counter,
}

/// Counters of the token cache.
pub(crate) struct CacheMeters {
    pub(crate) hit: Counter,
    pub(crate) miss: Counter,
}

/// Numbers of the open streams.
pub(crate) struct StreamMeters {
    pub(crate) open: Gauge,
    pub(crate) expired: Counter,
    pub(crate) restricted: Counter,
}

/// Numbers of one server of an upstream.
#[derive(Clone)]
pub(crate) struct ServerMeters {
    pub(crate) up: Gauge,
    pub(crate) requests: Counter,
    pub(crate) failures: Counter,
    pub(crate) retries: Counter,
    pub(crate) in_flight: Gauge,
}

// === impl RequestMeters ===

impl RequestMeters {
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(REQUESTS, "API requests, by outcome and reason of refusal");
        let outcome = |name: &'static str| counter!(REQUESTS, "outcome" => name, "reason" => "");
        let refused =
            |code: &'static str| counter!(REQUESTS, "outcome" => "refused", "reason" => code);
        Self {
            answered: outcome("answered"),
            abandoned: outcome("abandoned"),
            forwarded: outcome("forwarded"),
            upstream_failed: outcome("upstream_failed"),
            plain: Reason::ALL.iter().map(|reason| refused(reason.code())).collect(),
            forged: Forgery::ALL.iter().map(|forgery| refused(forgery.code())).collect(),
            injection: refused("injection"),
        }
    }

    pub(crate) fn outcome(&self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => self.answered.increment(1),
            Outcome::Abandoned => self.abandoned.increment(1),
            Outcome::Forwarded => self.forwarded.increment(1),
            Outcome::UpstreamFailed => self.upstream_failed.increment(1),
        }
    }

    pub(crate) fn refused(&self, refused: &Refused) {
        let counter = match refused {
            Refused::Forged(forgery) => self.forged.get(*forgery as usize),
            Refused::Injection(_) => Some(&self.injection),
            Refused::Plain(reason) => self.plain.get(*reason as usize),
            // Only recordings have these.
            Refused::Unknown(_) => None,
        };
        if let Some(counter) = counter {
            counter.increment(1);
        }
    }
}

// === impl CacheMeters ===

impl CacheMeters {
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(CACHE, "Look-ups of presented tokens among those verified");
        let result = |name: &'static str| counter!(CACHE, "result" => name);
        Self { hit: result("hit"), miss: result("miss") }
    }
}

// === impl StreamMeters ===

impl StreamMeters {
    pub(crate) fn new() -> Self {
        metrics::describe_gauge!(STREAMS, "Streams that wait for more, watched for their token");
        metrics::describe_counter!(CUT, "Streams closed because their token ended");
        let cut = |name: &'static str| counter!(CUT, "cause" => name);
        Self { open: gauge!(STREAMS), expired: cut("expired"), restricted: cut("restricted") }
    }
}

// === impl ServerMeters ===

impl ServerMeters {
    pub(crate) fn new(upstream: &str, server: &str) -> Self {
        metrics::describe_gauge!(SERVER_UP, "Whether a server of an upstream gets requests");
        metrics::describe_counter!(SERVER_REQUESTS, "Requests sent to a server of an upstream");
        metrics::describe_counter!(
            SERVER_FAILURES,
            "Requests that a server did not answer, or with 502, 503 or 504"
        );
        metrics::describe_counter!(
            SERVER_RETRIES,
            "Requests sent to a server because another one had failed"
        );
        metrics::describe_gauge!(SERVER_IN_FLIGHT, "Requests that a server has not yet answered");
        let labels = [("upstream", upstream.to_owned()), ("server", server.to_owned())];
        let meters = Self {
            up: gauge!(SERVER_UP, &labels),
            requests: counter!(SERVER_REQUESTS, &labels),
            failures: counter!(SERVER_FAILURES, &labels),
            retries: counter!(SERVER_RETRIES, &labels),
            in_flight: gauge!(SERVER_IN_FLIGHT, &labels),
        };
        meters.up.set(1.0);
        meters
    }
}

#[cfg(test)]
mod tests {
    use token::reason::{Forgery, Reason};

    #[test]
    fn reasons_are_numbered_as_listed() {
        for (number, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, number);
        }
        for (number, forgery) in Forgery::ALL.iter().enumerate() {
            assert_eq!(*forgery as usize, number);
        }
    }
}
