//! How answers look: JSON that no cache may keep, lists in pages.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A value as JSON.
pub(crate) struct Answer<T>(pub(crate) T);

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is on the page.
    items: Vec<T>,
    /// What to ask for next, with the parameter `after` or `before`; `null` on the last page.
    next: Option<String>,
}

// === impl Answer ===

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }
}

/// A value as JSON that no cache may keep.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = match serde_json::to_vec(value) {
        Ok(body) => body,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

// === impl Page ===

impl<T> Page<T> {
    /// The page of what was read with this limit. A full page has a next one, which may be empty.
    pub(crate) fn of<R>(
        rows: Vec<R>,
        limit: usize,
        cursor: impl Fn(&R) -> String,
        show: impl FnMut(R) -> T,
    ) -> Self {
        let next = rows.last().filter(|_| rows.len() >= limit).map(cursor);
        Self { items: rows.into_iter().map(show).collect(), next }
    }
}
