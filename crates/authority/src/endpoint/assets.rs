//! What pages are made of beside themselves: the style sheet, the icon and the script.

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::endpoint::discovery::unknown_path;
use crate::page::asset;

/// The name of an asset changes with its content, so a copy is good for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /assets/{name}`
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = asset::find(&name) else {
        return unknown_path().await.into_response();
    };
    let mut response = Response::new(Body::from(asset.content));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    fields.insert(header::CACHE_CONTROL, FOR_EVER);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
