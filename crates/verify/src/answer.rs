//! Answers of this crate itself.

use gateway::problem::{Kind, Problem};
use gateway::request_id::RequestId;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};

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
