//! `tokenward openapi`: the admin API's description, made from the code.

use crate::command::{Failure, say};

/// Prints the document as JSON.
pub(super) fn run() -> Result<(), Failure> {
    say(console::openapi_json());
    Ok(())
}
