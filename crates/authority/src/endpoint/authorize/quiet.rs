//! `prompt=none`: what needs a page is refused (OpenID Connect Core 1.0 §3.1.2.6).

use super::person::Standing;
use super::refusal::AuthorizeRefused;
use crate::rule::prompt::Prompt;

/// Checks that no page is needed where none may be shown.
pub(super) fn check(prompt: Prompt, standing: &Standing) -> Result<(), AuthorizeRefused> {
    match standing {
        Standing::Unproven(_) | Standing::Partial(..) if prompt.none => {
            Err(AuthorizeRefused::LoginNeeded)
        }
        Standing::Unasked(_) if prompt.none => Err(AuthorizeRefused::ConsentNeeded),
        _ => Ok(()),
    }
}
