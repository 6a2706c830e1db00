//! What an entry of the restriction log means to others who know the same people.

use serde_json::{Value, json};
use store::StoreError;
use token::id::{SubjectId, TokenId};
use token::personal::Owner;
use token::restriction::{Effect, LogEntry, Restriction, Selector};

use super::event::EventType;
use super::happened::{Act, Happened};
use crate::credential;
use crate::leak;
use crate::state::Authority;

/// The events of an entry. Most have none: others know nothing of our grants and networks.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub(super) async fn of(
    authority: &Authority,
    entry: &LogEntry,
) -> Result<Vec<Happened>, StoreError> {
    let row = match entry {
        LogEntry::Lift { seq, lifts } => {
            return Ok(lifted(authority, *seq, *lifts).await?.into_iter().collect());
        }
        LogEntry::Restrict(row) => row,
    };
    let act = act(row);
    if leak::is_report(&row.actor) {
        return Ok(leaked(authority, row, &act).await?.into_iter().collect());
    }
    Ok(match (&row.selector, &row.effect) {
        (Selector::Session(session), Effect::Revoke) => vec![act.to_session(session)],
        (Selector::Subject(subject), Effect::Revoke | Effect::Suspend) => {
            let first = first(row, &act);
            let ended = (EventType::SessionRevoked, act.caep("Every session was ended."));
            let all = first.into_iter().chain([ended]);
            all.filter_map(|(event, body)| act.to_person(authority, subject, event, body)).collect()
        }
        _ => Vec::new(),
    })
}

fn act(row: &Restriction) -> Act<'_> {
    Act { cause: format!("restriction-{}", row.seq), actor: &row.actor, at: row.at }
}

/// Why all sessions of a person have ended, where that is an event of its own.
fn first(row: &Restriction, act: &Act<'_>) -> Option<(EventType, Value)> {
    match row.effect {
        // One that ends by itself is none: nobody would say when it does.
        Effect::Suspend if row.until.is_none() => Some((EventType::AccountDisabled, json!({}))),
        Effect::Revoke if row.reason == store::USER_DELETED => {
            Some((EventType::AccountPurged, json!({})))
        }
        Effect::Revoke if row.reason == credential::PASSWORD_SET => {
            let body = act.credential("password", "update", "The password was changed.");
            Some((EventType::CredentialChange, body))
        }
        _ => None,
    }
}

/// The end of a suspension by somebody's hand.
async fn lifted(
    authority: &Authority,
    seq: u64,
    lifts: u64,
) -> Result<Option<Happened>, StoreError> {
    let Some(row) = authority.store().restriction(lifts).await? else { return Ok(None) };
    let held = &row.restriction;
    let (Selector::Subject(subject), Effect::Suspend, None) =
        (&held.selector, &held.effect, held.until)
    else {
        return Ok(None);
    };
    let (Some(at), Some(actor)) = (row.lifted_at, &row.lifted_by) else { return Ok(None) };
    let act = Act { cause: format!("restriction-{seq}"), actor, at };
    Ok(act.to_person(authority, subject, EventType::AccountEnabled, json!({})))
}

async fn leaked(
    authority: &Authority,
    row: &Restriction,
    act: &Act<'_>,
) -> Result<Option<Happened>, StoreError> {
    let found = match &row.selector {
        Selector::Grant(id) => {
            let grant = authority.store().grant(id).await?;
            grant.map(|grant| (grant.subject, "refresh_token"))
        }
        Selector::Token(id) => owner(authority, id).await?,
        _ => None,
    };
    let Some((subject, kind)) = found else { return Ok(None) };
    let body = json!({ "credential_type": kind, "event_timestamp": act.at.as_secs() });
    Ok(act.to_person(authority, &subject, EventType::CredentialCompromise, body))
}

/// Whose a token is, where it is a person's, and of which kind.
async fn owner(
    authority: &Authority,
    token: &TokenId,
) -> Result<Option<(SubjectId, &'static str)>, StoreError> {
    let store = authority.store();
    if let Some(personal) = store.personal_token(token).await? {
        return Ok(match personal.terms.owner {
            Owner::Person(subject) => Some((subject, "personal_token")),
            Owner::Service(_) => None,
        });
    }
    let Some(issued) = store.issued_token(token).await? else { return Ok(None) };
    // A client's own token speaks for no person.
    let is_person = issued.subject.as_str() != issued.client.as_str();
    Ok(is_person.then_some((issued.subject, "access_token")))
}
