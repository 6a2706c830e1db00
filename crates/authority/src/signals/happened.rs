//! Something that has happened to somebody whom others know too.

use serde_json::{Value, json};
use token::foreign::SEPARATOR;
use token::id::{SessionId, SubjectId};
use token::time::Timestamp;

use super::event::EventType;
use crate::state::Authority;

/// Something that has happened.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) event: EventType,
    /// The entry of a log that says so.
    pub(super) cause: String,
    /// To whom, or to what, for whoever looks at deliveries.
    pub(super) whose: String,
    /// The same as a subject identifier (RFC 9493).
    pub(super) subject: Value,
    pub(super) at: Timestamp,
    /// What the event says besides.
    pub(super) body: Value,
}

/// Which act it was.
pub(super) struct Act<'a> {
    pub(super) cause: String,
    pub(super) actor: &'a str,
    pub(super) at: Timestamp,
}

// === impl Act ===

impl Act<'_> {
    /// What it did to one of our people; to those of other issuers nothing, since that is for these to say.
    pub(super) fn to_person(
        &self,
        authority: &Authority,
        subject: &SubjectId,
        event: EventType,
        body: Value,
    ) -> Option<Happened> {
        let iss = &authority.settings().issuer;
        let named = json!({ "format": "iss_sub", "iss": iss, "sub": subject });
        let is_ours = !subject.as_str().contains(SEPARATOR);
        is_ours.then(|| self.happened(event, subject.to_string(), named, body))
    }

    /// The end of one sign-in: whoever got an ID token of it knows it by its `sid`.
    pub(super) fn to_session(&self, session: &SessionId) -> Happened {
        let named = json!({
            "format": "complex",
            "session": { "format": "opaque", "id": session },
        });
        let body = self.caep("The session was ended.");
        self.happened(EventType::SessionRevoked, session.to_string(), named, body)
    }

    /// What every event of CAEP says (CAEP 1.0 §2); the interoperability profile (§3) wants words. The
    /// reasons that people wrote are nobody's business elsewhere.
    pub(super) fn caep(&self, words: &str) -> Value {
        let by = match self.actor.split_once(':').map(|(kind, _)| kind) {
            Some("admin" | "token") => "admin",
            Some("subject" | "user") => "user",
            Some("detector") => "policy",
            _ => "system",
        };
        json!({
            "event_timestamp": self.at.as_secs(),
            "initiating_entity": by,
            "reason_admin": { "en": words },
        })
    }

    /// A change of what somebody shows to prove who they are (CAEP 1.0 §3.3.1).
    pub(super) fn credential(&self, credential: &str, change: &str, words: &str) -> Value {
        let mut body = self.caep(words);
        body["credential_type"] = credential.into();
        body["change_type"] = change.into();
        body
    }

    fn happened(&self, event: EventType, whose: String, subject: Value, body: Value) -> Happened {
        Happened { event, cause: self.cause.clone(), whose, subject, at: self.at, body }
    }
}
