//! The databases of places, opened.

use std::sync::Arc;

use geo::Geo;

use crate::command::Failure;
use crate::config;

/// What is configured; `None` where there is nothing.
///
/// # Errors
/// [`Failure`] names the file that cannot be used, and why.
pub(crate) fn open(part: &config::Geo) -> Result<Option<Arc<Geo>>, Failure> {
    if part.files.is_empty() {
        return Ok(None);
    }
    let opened = Geo::open(&part.files);
    opened
        .map(|geo| Some(Arc::new(geo)))
        .map_err(|bad| Failure::new(format_args!("geo.files: {bad}")))
}
