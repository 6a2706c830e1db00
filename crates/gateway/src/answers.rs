//! What answers get beside what they say: the request's id.

use http::{HeaderMap, HeaderName, HeaderValue};
use token::time::Timestamp;

use crate::request_id::{REQUEST_ID, RequestId};

/// What answers get beside what they say.
#[derive(Clone, Debug)]
pub struct AnswerRules {
    /// The field by which API and client are told what a request is called; `None`: they are not.
    pub request_id_field: Option<HeaderName>,
    /// Whether proxies that ask, and whatever is in front of a layer, set that field in every request, so
    /// that it can be believed.
    pub callers_name_requests: bool,
}

/// The same, ready.
pub(crate) struct Answers {
    rules: AnswerRules,
}

impl Default for AnswerRules {
    fn default() -> Self {
        Self { request_id_field: Some(REQUEST_ID), callers_name_requests: false }
    }
}

// === impl Answers ===

impl Answers {
    pub(crate) fn new(rules: AnswerRules) -> Self {
        Self { rules }
    }

    /// What a request is called; by whoever sends it, if that is `believed`.
    pub(crate) fn name(&self, headers: &HeaderMap, believed: bool, now: Timestamp) -> RequestId {
        let told = || RequestId::from_field(headers, self.field()?);
        let told = if believed { told() } else { None };
        told.unwrap_or_else(|| RequestId::new(now))
    }

    /// Whether proxies that ask are believed what they call a request.
    pub(crate) fn names_of_callers(&self) -> bool {
        self.rules.callers_name_requests
    }

    /// The field that says what a request is called.
    pub(crate) fn field(&self) -> Option<&HeaderName> {
        self.rules.request_id_field.as_ref()
    }

    /// The same with its value.
    pub(crate) fn named(&self, id: &RequestId) -> Option<(HeaderName, HeaderValue)> {
        self.field().map(|name| (name.clone(), id.value().clone()))
    }

    /// Says what the request is called, in place of whatever stands there.
    pub(crate) fn write_name(&self, headers: &mut HeaderMap, id: &RequestId) {
        if let Some(name) = self.field() {
            headers.insert(name, id.value().clone());
        }
    }
}
