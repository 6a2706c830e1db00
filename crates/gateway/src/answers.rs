//! What answers get beside what they say: the request's id, CORS, and what browsers are to leave alone.

use std::sync::Arc;

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use token::time::Timestamp;

use crate::core::Core;
use crate::cors::{BadCors, Cors, CorsRule, RouteCors};
use crate::request_id::{REQUEST_ID, RequestId};
use crate::security::{Asker, hide_software};

/// What answers get beside what they say.
#[derive(Clone, Debug)]
pub struct AnswerRules {
    /// The field by which API and client are told what a request is called; `None`: they are not.
    pub request_id_field: Option<HeaderName>,
    /// Whether proxies that ask, and whatever is in front of a layer, set that field in every request, so
    /// that it can be believed.
    pub callers_name_requests: bool,
    /// Pages of which other origins may call the API; `None`: the gateway does not speak of it. A route can
    /// have it otherwise.
    pub cors: Option<CorsRule>,
    /// Whether fields are added by which browsers do less with an answer, where the API says nothing.
    pub security_headers: bool,
    /// Whether fields are taken out that name the API's software.
    pub hide_software: bool,
}

/// The same, ready.
pub(crate) struct Answers {
    rules: AnswerRules,
    cors: Option<Arc<Cors>>,
}

/// What of a request its answer depends on beside the decision.
pub(crate) struct Reader {
    cors: Option<Arc<Cors>>,
    origin: Option<HeaderValue>,
    asker: Asker,
}

impl Default for AnswerRules {
    fn default() -> Self {
        Self {
            request_id_field: Some(REQUEST_ID),
            callers_name_requests: false,
            cors: None,
            security_headers: true,
            hide_software: false,
        }
    }
}

// === impl Answers ===

impl Answers {
    /// # Errors
    /// [`BadCors`] for a rule that cannot be had.
    pub(crate) fn new(rules: AnswerRules) -> Result<Self, BadCors> {
        let cors = rules.cors.as_ref().map(|rule| ready(rule, &rules)).transpose()?.map(Arc::new);
        Ok(Self { rules, cors })
    }

    /// What the gateway says of CORS where a route says nothing else.
    pub(crate) fn cors(&self) -> Option<&Arc<Cors>> {
        self.cors.as_ref()
    }

    /// What is said of CORS on a route.
    ///
    /// # Errors
    /// [`BadCors`] for a rule that cannot be had.
    pub(crate) fn cors_of(&self, route: &RouteCors) -> Result<Option<Arc<Cors>>, BadCors> {
        match route {
            RouteCors::AsGateway => Ok(self.cors.clone()),
            RouteCors::LeftToApi => Ok(None),
            RouteCors::Own(rule) => ready(rule, &self.rules).map(|cors| Some(Arc::new(cors))),
        }
    }

    /// Takes out of an API's answer what is for the gateway to say, or for nobody.
    pub(crate) fn clean(&self, headers: &mut HeaderMap, cors: Option<&Arc<Cors>>) {
        if cors.is_some() {
            Cors::clean(headers);
        }
        if self.rules.hide_software {
            hide_software(headers);
        }
    }

    /// Adds to an answer what this reader needs, whoever made it.
    pub(crate) fn finish<B>(&self, response: &mut Response<B>, reader: Reader, id: &RequestId) {
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        self.write_name(headers, id);
        if switched {
            return;
        }
        if let Some(cors) = &reader.cors {
            // The metadata is for everybody, as it is.
            let origin =
                reader.origin.filter(|_| !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            cors.write(headers, origin);
        }
        if self.rules.security_headers {
            reader.asker.write(headers);
        }
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

// === impl Reader ===

impl Reader {
    /// Who will read the answer to this request.
    pub(crate) fn new(core: &Core, head: &Parts, https: bool) -> Self {
        let cors = core.cors(head);
        let origin = cors.and_then(|cors| cors.origin(&head.headers));
        Self {
            cors: cors.cloned(),
            origin,
            asker: Asker::of(head, https, core.credentials.api_key.as_ref()),
        }
    }

    /// The answer to a browser that asks for leave.
    pub(crate) fn leave<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(cors) = &self.cors {
            cors.write_leave(response.headers_mut());
        }
        response
    }
}

fn ready(rule: &CorsRule, rules: &AnswerRules) -> Result<Cors, BadCors> {
    Cors::new(rule, rules.request_id_field.as_ref().map(HeaderName::as_str))
}
