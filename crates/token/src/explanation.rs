//! Why one request was answered as it was: what passes from a door to whoever asks for it.

use std::net::IpAddr;

use serde::Serialize;

use crate::event::{TokenKind, Who};
use crate::reason::Refused;
use crate::time::Timestamp;

/// One request, step by step. Without any credential, and without its query.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What it is called.
    pub request: String,
    /// When it came.
    pub at: Timestamp,
    /// By which door: `gateway`, `auth` or `layer`.
    pub door: &'static str,
    /// The client's address, where it is known.
    pub ip: Option<IpAddr>,
    /// HTTP method.
    pub method: String,
    /// The beginning of its path, without query.
    pub path: String,
    /// The template of its route; absent when no rule knows it.
    pub route: Option<String>,
    /// What kind of credential came.
    pub token_kind: TokenKind,
    /// Whose it was, or what a bad credential claims.
    #[serde(flatten)]
    pub who: Who,
    /// Status sent to the client.
    pub status: u16,
    /// Why it was refused; absent when it was let through.
    pub refused: Option<Refused>,
    /// Why a rule that only observes would have refused it.
    pub would_refuse: Option<Refused>,
    /// The API that it went to, and which server of it.
    pub upstream: Option<String>,
    /// Microseconds until the API's answer began.
    pub upstream_us: Option<u64>,
    /// Microseconds from the request's head to the end of the answer.
    pub latency_us: u64,
    /// The steps, in their order.
    pub steps: Vec<Step>,
}

/// One step of a request's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name, such as `permit`.
    pub step: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// What was checked, or what was demanded and what was there instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The request ended here.
    Failed,
    /// The request has no need of it.
    NotNeeded,
    /// The request ended before it.
    NotReached,
    /// It let the request through.
    Passed,
}

/// Whoever remembers requests for a while.
pub trait Explainer: Send + Sync + 'static {
    /// The request of this name, if it is still remembered.
    fn explain(&self, request: &str) -> Option<Explanation>;
}
