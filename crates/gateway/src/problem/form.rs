//! In which form the client of a request reads what a door itself answers.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// Codes of gRPC that stand for refusals and failures.
const DEADLINE_EXCEEDED: HeaderValue = HeaderValue::from_static("4");
const INVALID_ARGUMENT: HeaderValue = HeaderValue::from_static("3");
const PERMISSION_DENIED: HeaderValue = HeaderValue::from_static("7");
const RESOURCE_EXHAUSTED: HeaderValue = HeaderValue::from_static("8");
const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
const UNIMPLEMENTED: HeaderValue = HeaderValue::from_static("12");

/// The form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Its status in a field, `200` above it, and no body (`Trailers-Only` of gRPC over HTTP/2).
    Grpc,
    /// As HTTP has it.
    Http,
}

// === impl Form ===

impl Form {
    /// That of a request with these fields. Calls of gRPC-Web are requests of browsers, and answered as such.
    pub fn of(request: &HeaderMap) -> Self {
        let kind = request.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        match kind.strip_prefix(b"application/grpc") {
            Some([] | [b'+' | b';', ..]) => Self::Grpc,
            _ => Self::Http,
        }
    }

    /// The answer in this form.
    pub fn answer(self, answer: Response<String>) -> Response<String> {
        match self {
            Self::Grpc => grpc(answer),
            Self::Http => answer,
        }
    }
}

fn grpc(answer: Response<String>) -> Response<String> {
    let status = match answer.status() {
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => UNIMPLEMENTED,
        StatusCode::REQUEST_TIMEOUT => DEADLINE_EXCEEDED,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => RESOURCE_EXHAUSTED,
        status if status.is_server_error() => UNAVAILABLE,
        _ => INVALID_ARGUMENT,
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
    Response::from_parts(head, String::new())
}
