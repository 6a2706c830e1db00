//! What pages are made of beside themselves: the style sheet, the scripts, the icon and an operator's pictures.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::endpoint::discovery::unknown_path;
use crate::page::asset;
use crate::state::Authority;

/// The name of an asset changes with its content, so a copy is good for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A picture that is opened by itself is a document: nothing in it runs, and it loads nothing.
const ALONE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// `GET /assets/{name}`
pub(crate) async fn asset(
    State(authority): State<Authority>,
    Path(name): Path<String>,
) -> Response {
    let Some(asset) = asset::find(authority.settings(), &name) else {
        return unknown_path().await.into_response();
    };
    let mut response = Response::new(Body::from(asset.content.clone()));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    fields.insert(header::CACHE_CONTROL, FOR_EVER);
    fields.insert(header::CONTENT_SECURITY_POLICY, ALONE);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
