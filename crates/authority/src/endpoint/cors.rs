//! Which endpoints scripts of other origins may call: those that need no cookie.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::endpoint::answer;

/// Answers a preflight request (Fetch standard, "CORS-preflight request").
pub(crate) async fn preflight() -> Response {
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    let allow = |text| HeaderValue::from_static(text);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow("GET, POST"));
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allow("Authorization, Content-Type, DPoP"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, allow("3600"));
    response
}

/// Lets scripts of any origin read the answer. Never with credentials: browsers send no cookie
/// then, so nobody's session can be used.
pub(crate) async fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
}
