//! What an entry of the audit log means to others: accounts that are opened and shut, and second factors.

use serde_json::json;
use store::AuditRow;
use token::id::SubjectId;

use super::event::EventType;
use super::happened::{Act, Happened};
use crate::state::Authority;

/// The audit log's word for shutting an account.
pub const DISABLE: &str = "user.disable";
/// The audit log's word for opening it again.
pub const ENABLE: &str = "user.enable";

/// In place of what kind of factor it was: a factor that is removed cannot be asked any more.
const SECOND_FACTOR: &str = "second_factor";

/// The event of an entry. Most have none.
pub(super) fn of(authority: &Authority, row: &AuditRow) -> Option<Happened> {
    let entry = &row.entry;
    let act = Act { cause: format!("audit-{}", row.seq), actor: &entry.actor, at: entry.at };
    let target = || SubjectId::from(entry.target.as_str());
    let changed = |change, words| act.credential(SECOND_FACTOR, change, words);
    let own = || entry.actor.strip_prefix("subject:").map(SubjectId::from);
    let (subject, event, body) = match entry.action.as_str() {
        DISABLE => (target(), EventType::AccountDisabled, json!({})),
        ENABLE => (target(), EventType::AccountEnabled, json!({})),
        "factor.add" => {
            let body = changed("create", "A second factor was added.");
            (own()?, EventType::CredentialChange, body)
        }
        "factor.remove" => {
            let body = changed("delete", "A second factor was removed.");
            (own()?, EventType::CredentialChange, body)
        }
        "factor.codes" => {
            let body = changed("update", "The recovery codes were replaced.");
            (own()?, EventType::CredentialChange, body)
        }
        "user.factor.remove" => {
            let body = changed("delete", "A second factor was removed.");
            (target(), EventType::CredentialChange, body)
        }
        "user.factors.remove" => {
            let body = changed("delete", "Every second factor was removed.");
            (target(), EventType::CredentialChange, body)
        }
        _ => return None,
    };
    act.to_person(authority, &subject, event, body)
}
