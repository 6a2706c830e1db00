//! The page at the end of something that leads to no application.

use axum::response::Response;
use http::StatusCode;

use crate::endpoint::document;
use crate::endpoint::visit::Visit;
use crate::page::done::{Done, DonePage};

/// Says that it is done.
pub(crate) fn answer(visit: &Visit, done: Done) -> Response {
    let page = DonePage::new(&visit.reader(), done);
    let status = match done {
        Done::LinkOver => StatusCode::BAD_REQUEST,
        Done::NotHere => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    };
    document::page(status, page.finish())
}
