//! `tokenward openapi`: the descriptions of the APIs, made from the code.

use clap::ValueEnum;

use crate::command::{Failure, say};

/// Where `dev` has its authority.
const USUAL_ISSUER: &str = "http://127.0.0.1:8080";

/// What is described.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Api {
    /// The admin API
    Admin,
    /// The OAuth and OpenID Connect endpoints
    Oauth,
}

/// Prints the document as JSON.
pub(super) fn run(api: Api) -> Result<(), Failure> {
    say(match api {
        Api::Admin => console::openapi_json(),
        Api::Oauth => authority::description::openapi_json(USUAL_ISSUER),
    });
    Ok(())
}
