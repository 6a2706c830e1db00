//! Security events of others: believed by their signature, and followed where they speak of somebody whom their sender
//! may speak of.

use std::time::Duration;

use serde_json::{Map, Value};
use store::{AuditEntry, NewRestriction, StoreError, UsedKind, User};
use token::id::SubjectId;
use token::kind::security_event::SecurityEvent;
use token::replay::UsedName;
use token::restriction::{Effect, Selector};
use token::secret::Secret;
use token::time::Timestamp;
use token::verify::{Policy, Refusal, verify};

use super::event::EventType;
use crate::caller::Caller;
use crate::foreign::{self, KeySource, LEEWAY};
use crate::logout;
use crate::state::Authority;

/// How old an event may be: senders try for a day.
const OLDEST: Duration = Duration::from_hours(25);
/// How long the name of an event has to be remembered.
pub(crate) const REMEMBERED: Duration = OLDEST.saturating_add(LEEWAY);

/// Somebody whose security events are followed.
#[derive(Clone, Debug)]
pub struct Transmitter {
    /// Its name here: what it does is done by `transmitter:NAME`.
    pub name: String,
    /// Who it is, and where its keys are.
    pub source: KeySource,
    /// Whom its events have to be for; without it, for us.
    pub audience: Option<String>,
    /// What it shows.
    pub token: Secret,
    /// Of whom it may speak by their address: of those with a confirmed one in these domains.
    pub email_domains: Vec<String>,
}

/// Why an event is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("the keys of the issuer cannot be had now")]
    NoKeys,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Authority ===

impl Authority {
    /// Whose event somebody brings, by the token that they show.
    pub(crate) fn transmitter(&self, token: &str) -> Option<&Transmitter> {
        self.settings().transmitters.iter().find(|one| one.token.matches(token))
    }

    /// Checks an event and does what it says. One that comes again changes nothing.
    ///
    /// # Errors
    /// [`NotTaken`] with the first rule broken, or with what has to be tried again.
    pub(crate) async fn receive(
        &self,
        transmitter: &Transmitter,
        text: &str,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        let keys = foreign::keys(self, &transmitter.source, text).await;
        if keys.is_empty() {
            return Err(NotTaken::NoKeys);
        }
        let ours = self.settings().issuer.as_str();
        let audience = transmitter.audience.as_deref().unwrap_or(ours);
        let policy = Policy::new(&transmitter.source.issuer, audience);
        let policy = policy.leeway(LEEWAY).max_age(OLDEST);
        let token = verify::<SecurityEvent>(text, &keys, &policy, now)?;
        let event = token.claims();
        let name = UsedName::of([&event.iss, &event.jti]);
        if !self.received().first_use(&name, now) {
            return Ok(());
        }
        if let Err(error) = self.follow(transmitter, event, caller, now).await {
            // Its sender tries again, and then it must not count as done.
            self.received().forget(&name);
            return Err(error.into());
        }
        self.store().record_used(UsedKind::Event, name, now.plus(REMEMBERED));
        Ok(())
    }

    async fn follow(
        &self,
        transmitter: &Transmitter,
        event: &SecurityEvent,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let kinds: Vec<EventType> =
            event.events.keys().filter_map(|uri| EventType::of_uri(uri)).collect();
        let Some(person) = self.meant(transmitter, &event.sub_id).await? else {
            // Whoever sends them is not told who is here.
            tracing::info!(
                transmitter = transmitter.name,
                jti = event.jti,
                "an event is of nobody here"
            );
            return Ok(());
        };
        for kind in kinds {
            self.apply(transmitter, kind, &person.id, caller, now).await?;
        }
        Ok(())
    }

    /// Whom a subject identifier means, if its sender may speak of them. Of a complex one only the member
    /// `user`: sessions elsewhere are none of ours.
    async fn meant(
        &self,
        transmitter: &Transmitter,
        sub_id: &Map<String, Value>,
    ) -> Result<Option<User>, StoreError> {
        let sub_id = match (sub_id.get("format").and_then(Value::as_str), sub_id.get("user")) {
            (Some("complex"), Some(Value::Object(user))) => user,
            _ => sub_id,
        };
        let text = |member: &str| sub_id.get(member).and_then(Value::as_str);
        match (text("format"), text("iss"), text("sub"), text("email")) {
            (Some("iss_sub"), Some(iss), Some(sub), _) if iss == self.settings().issuer => {
                self.store().user(&sub.into()).await
            }
            (Some("email"), _, _, Some(email)) if transmitter.speaks_of(email) => {
                let mut found = self.store().users_by_email(email, 2).await?;
                let only = if found.len() == 1 { found.pop() } else { None };
                Ok(only.filter(|user| user.email_verified))
            }
            _ => Ok(None),
        }
    }

    async fn apply(
        &self,
        transmitter: &Transmitter,
        kind: EventType,
        subject: &SubjectId,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let actor = format!("{ACTOR}{}", transmitter.name);
        let reason = format!("{kind} at {}", transmitter.source.issuer);
        match kind {
            EventType::AccountDisabled | EventType::AccountPurged => {
                let new = NewRestriction {
                    selector: Selector::Subject(subject.clone()),
                    effect: Effect::Suspend,
                    from: now,
                    until: None,
                    reason: reason.clone(),
                    actor: actor.clone(),
                };
                self.store().restrict_once(new, now).await?;
                logout::everywhere(self, caller, subject, &actor, &reason, now).await?;
            }
            EventType::AccountEnabled => self.lift_own(subject, &actor, now).await?,
            EventType::CredentialCompromise | EventType::SessionRevoked => {
                logout::everywhere(self, caller, subject, &actor, &reason, now).await?;
            }
            // Their credentials are none of ours.
            EventType::CredentialChange => return Ok(()),
        }
        let (action, target) = (format!("signal.{kind}"), subject.to_string());
        let entry = AuditEntry { at: now, actor, action, target, ip: caller.ip };
        self.store().append_audit(&entry).await
    }

    /// Ends the suspensions that the same sender has made, and no others.
    async fn lift_own(
        &self,
        subject: &SubjectId,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let selector = Selector::Subject(subject.clone());
        for held in self.store().restrictions_on(&selector, now).await? {
            if held.effect == Effect::Suspend && held.actor == actor {
                self.store().lift(held.seq, actor, now).await?;
            }
        }
        Ok(())
    }
}

/// Before the name of a transmitter.
const ACTOR: &str = "transmitter:";

// === impl Transmitter ===

impl Transmitter {
    fn speaks_of(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| {
            self.email_domains.iter().any(|one| one.eq_ignore_ascii_case(domain))
        })
    }
}
