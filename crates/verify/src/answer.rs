//! Answers of this crate itself, as the client's protocol has them.

use bytes::Bytes;
use gateway::problem::{Kind, Problem};
use gateway::request_id::RequestId;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// Codes of gRPC that stand for refusals.
const GRPC_INVALID_ARGUMENT: HeaderValue = HeaderValue::from_static("3");
const GRPC_PERMISSION_DENIED: HeaderValue = HeaderValue::from_static("7");
const GRPC_RESOURCE_EXHAUSTED: HeaderValue = HeaderValue::from_static("8");
const GRPC_UNIMPLEMENTED: HeaderValue = HeaderValue::from_static("12");
const GRPC_UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
const GRPC_UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");

/// `503`: nothing can be checked just now.
pub(crate) fn unavailable(why: &str, request: &RequestId) -> Response<String> {
    let (status, kind) = (StatusCode::SERVICE_UNAVAILABLE, Kind::Unavailable);
    let problem = Problem { status, error: "temporarily_unavailable", kind, detail: why };
    let mut response = problem.answer(request);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// `401 invalid_token` for what only this crate looks at.
pub(crate) fn invalid_token(kind: Kind, why: &str, request: &RequestId) -> Response<String> {
    let problem =
        Problem { status: StatusCode::UNAUTHORIZED, error: "invalid_token", kind, detail: why };
    let mut response = problem.answer(request);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// In which form the client of a request reads answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Its status in a field, and `200` above it.
    Grpc,
    /// As HTTP has it.
    Http,
}

// === impl Form ===

impl Form {
    /// That of a request with these fields.
    pub(crate) fn of(request: &HeaderMap) -> Self {
        let kind = request.get(CONTENT_TYPE);
        let is_grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        if is_grpc { Self::Grpc } else { Self::Http }
    }

    /// The answer in this form.
    pub(crate) fn answer(self, answer: Response<String>) -> Response<Full<Bytes>> {
        match self {
            Self::Grpc => grpc(answer),
            Self::Http => answer.map(|text| Full::new(text.into())),
        }
    }
}

fn grpc(answer: Response<String>) -> Response<Full<Bytes>> {
    let status = match answer.status() {
        StatusCode::UNAUTHORIZED => GRPC_UNAUTHENTICATED,
        StatusCode::FORBIDDEN => GRPC_PERMISSION_DENIED,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => GRPC_UNIMPLEMENTED,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => GRPC_RESOURCE_EXHAUSTED,
        StatusCode::SERVICE_UNAVAILABLE => GRPC_UNAVAILABLE,
        _ => GRPC_INVALID_ARGUMENT,
    };
    let (mut head, text) = answer.into_parts();
    let message = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
    let message = message["detail"].as_str().unwrap_or("refused").replace('%', "%25");
    head.status = StatusCode::OK;
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    head.headers.insert("grpc-status", status);
    if let Ok(message) = HeaderValue::from_str(&message) {
        head.headers.insert("grpc-message", message);
    }
    Response::from_parts(head, Full::default())
}
