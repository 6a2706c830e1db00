//! How pages and redirects leave: what browsers may do with them, and that nobody keeps them.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::page::fields::Notice;
use crate::page::{Rendered, qr};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const DENY: HeaderValue = HeaderValue::from_static("DENY");
const ACCEPT_LANGUAGE: HeaderValue = HeaderValue::from_static("accept-language");
const NO_FEATURES: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");

/// A page.
pub(crate) fn page(status: StatusCode, rendered: Rendered) -> Response {
    let Ok(rendered) = rendered else {
        tracing::error!("a page could not be rendered");
        return with_status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(Body::from(rendered.html));
    *response.status_mut() = status;
    let policy = HeaderValue::from_str(&rendered.policy);
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let language = HeaderValue::from_static(rendered.language.tag());
    let fields = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_LANGUAGE, language),
        (header::VARY, ACCEPT_LANGUAGE),
        (header::CACHE_CONTROL, NO_STORE),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, NO_REFERRER),
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::X_FRAME_OPTIONS, DENY),
        (HeaderName::from_static("permissions-policy"), NO_FEATURES),
    ] {
        fields.insert(name, value);
    }
    response
}

/// A page with a short form.
pub(crate) fn fields(notice: &Notice, rendered: Rendered) -> Response {
    let response = page(notice.status, rendered);
    match notice.wait {
        Some(secs) => retry_after(response, secs),
        None => response,
    }
}

/// An image that leads to an address.
pub(crate) fn qr(url: &str) -> Response {
    let Ok(image) = qr::image(url) else {
        tracing::error!("an address is too long for an image");
        return with_status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(Body::from(image));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    fields.insert(header::CACHE_CONTROL, NO_STORE);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    response
}

/// On to another address, always by GET: a 307 would hand a password on (RFC 9700 §4.12).
pub(crate) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        tracing::error!("a redirect leads to an address that no header can carry");
        return with_status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = with_status(StatusCode::SEE_OTHER);
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::REFERRER_POLICY, NO_REFERRER);
    response
}

/// When to try again.
pub(crate) fn retry_after(mut response: Response, secs: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    response
}

/// That only a form may be sent here.
pub(crate) fn allow_post(mut response: Response) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// A failure of ours where no page can be shown.
pub(crate) fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(cause = %error, "request failed");
    with_status(StatusCode::INTERNAL_SERVER_ERROR)
}

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}
