//! Numbers for operators: handles are made once, counting is one atomic addition.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use token::reason::{Forgery, Reason, Refused};

const REQUESTS: &str = "tokenward_gateway_requests_total";
const CACHE: &str = "tokenward_gateway_token_cache_total";
const SECONDS: &str = "tokenward_gateway_request_duration_seconds";
const STREAMS: &str = "tokenward_gateway_open_streams";
const CUT: &str = "tokenward_gateway_streams_cut_total";

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
    seconds: Histogram,
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

// === impl RequestMeters ===

impl RequestMeters {
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(REQUESTS, "API requests, by outcome and reason of refusal");
        metrics::describe_histogram!(
            SECONDS,
            metrics::Unit::Seconds,
            "Time from a request's head to the end of its answer"
        );
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
            seconds: histogram!(SECONDS),
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

    pub(crate) fn seconds(&self, seconds: f64) {
        self.seconds.record(seconds);
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
