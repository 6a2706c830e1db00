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
use url::Url;

use super::event::{EventType, VERIFICATION};
use super::receipts::Seen;
use crate::caller::Caller;
use crate::foreign::{self, KeySource, LEEWAY};
use crate::logout;
use crate::state::Authority;

/// How old an event may be that is pushed: senders try for a day …
const OLDEST_PUSHED: Duration = Duration::from_hours(25);
/// … and one that is fetched: it waits there while we are down.
const OLDEST_FETCHED: Duration = Duration::from_hours(8 * 24);
/// How long the name of an event has to be remembered.
pub(crate) const REMEMBERED: Duration = OLDEST_FETCHED.saturating_add(LEEWAY);

/// Somebody whose security events are followed.
#[derive(Clone, Debug)]
pub struct Transmitter {
    /// Its name here: what it does is done by `transmitter:NAME`.
    pub name: String,
    /// Who it is, and where its keys are.
    pub source: KeySource,
    /// Whom its events have to be for; without it, for us.
    pub audience: Option<String>,
    /// Where its events are fetched; without it, it pushes them.
    pub fetched_at: Option<Url>,
    /// What it shows who pushes, and what is shown to it where its events are fetched.
    pub token: Secret,
    /// Of whom it may speak by their address: of those with a confirmed one in these domains.
    pub email_domains: Vec<String>,
}

/// What has become of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It had been taken before, and nothing is done.
    Before,
    /// It is followed.
    Now,
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
    #[error("the same event is being followed right now")]
    UnderWay,
}

// === impl Authority ===

impl Authority {
    /// Whose event somebody brings, by the token that they show.
    pub(crate) fn transmitter(&self, token: &str) -> Option<&Transmitter> {
        let mut pushing =
            self.settings().transmitters.iter().filter(|one| one.fetched_at.is_none());
        pushing.find(|one| one.token.matches(token))
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
    ) -> Result<Taken, NotTaken> {
        let keys = foreign::keys(self, &transmitter.source, text).await;
        if keys.is_empty() {
            return Err(NotTaken::NoKeys);
        }
        let ours = self.settings().issuer.as_str();
        let audience = transmitter.audience.as_deref().unwrap_or(ours);
        let policy = Policy::new(&transmitter.source.issuer, audience);
        let policy = policy.leeway(LEEWAY).max_age(transmitter.oldest());
        let token = verify::<SecurityEvent>(text, &keys, &policy, now)?;
        let event = token.claims();
        let name = UsedName::of([&event.iss, &event.jti]);
        let receipt = match self.received().begin(&name, now) {
            Ok(receipt) => receipt,
            Err(Seen::Taken) => return Ok(Taken::Before),
            Err(Seen::UnderWay) => return Err(NotTaken::UnderWay),
        };
        self.follow(transmitter, event, &name, caller, now).await?;
        receipt.done();
        Ok(Taken::Now)
    }

    async fn follow(
        &self,
        transmitter: &Transmitter,
        event: &SecurityEvent,
        name: &UsedName,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let kinds: Vec<EventType> =
            event.events.keys().filter_map(|uri| EventType::of_uri(uri)).collect();
        let person = self.meant(transmitter, &event.sub_id).await?;
        let mut entries = Vec::new();
        for kind in kinds {
            let Some(person) = &person else { continue };
            entries.extend(self.apply(transmitter, kind, &person.id, caller, now).await?);
        }
        // On disk with what comes next: once the audit log has the event, a restart knows it.
        self.store().record_used(UsedKind::Event, name.clone(), now.plus(REMEMBERED));
        for entry in &entries {
            self.store().append_audit(entry).await?;
        }
        let (transmitter, jti) = (transmitter.name.as_str(), event.jti.as_str());
        if event.events.contains_key(VERIFICATION) {
            tracing::info!(transmitter, jti, "a transmitter of security events reaches us");
        } else if person.is_none() {
            // Whoever sends them is not told who is here.
            tracing::info!(transmitter, jti, "an event is of nobody here");
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
            (Some("iss_sub"), Some(iss), Some(sub), _) if iss == transmitter.source.issuer => {
                self.connected(iss, sub).await
            }
            (Some("email"), _, _, Some(email)) if transmitter.speaks_of(email) => {
                let mut found = self.store().users_by_email(email, 2).await?;
                let only = if found.len() == 1 { found.pop() } else { None };
                Ok(only.filter(|user| user.email_verified))
            }
            _ => Ok(None),
        }
    }

    /// Whose account at an identity provider this is.
    async fn connected(&self, issuer: &str, sub: &str) -> Result<Option<User>, StoreError> {
        for provider in self.settings().providers.iter().filter(|one| one.identifier() == issuer) {
            if let Some(found) = self.store().identity(&provider.name, issuer, sub).await? {
                return self.store().user(&found.subject).await;
            }
        }
        Ok(None)
    }

    /// Does what an event says, and returns what is to be written of it.
    async fn apply(
        &self,
        transmitter: &Transmitter,
        kind: EventType,
        subject: &SubjectId,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Option<AuditEntry>, StoreError> {
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
            EventType::CredentialChange => return Ok(None),
        }
        let (action, target) = (format!("signal.{kind}"), subject.to_string());
        Ok(Some(AuditEntry { at: now, actor, action, target, ip: caller.ip }))
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

/// Where none of the keys has signed an event.
pub(crate) const INVALID_KEY: &str = "invalid_key";

/// Before the name of a transmitter.
const ACTOR: &str = "transmitter:";

// === impl NotTaken ===

impl NotTaken {
    /// The code of a refusal for good (RFC 8935 §2.4); `None` where the event is to come again.
    pub(crate) fn code(&self) -> Option<&'static str> {
        let Self::Refused(refusal) = self else { return None };
        Some(match refusal {
            Refusal::Claim { claim: "iss", .. } => "invalid_issuer",
            Refusal::Claim { claim: "aud", .. } => "invalid_audience",
            Refusal::Algorithm | Refusal::Signature { .. } => INVALID_KEY,
            _ => "invalid_request",
        })
    }
}

// === impl Transmitter ===

impl Transmitter {
    fn oldest(&self) -> Duration {
        if self.fetched_at.is_some() { OLDEST_FETCHED } else { OLDEST_PUSHED }
    }

    fn speaks_of(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| {
            self.email_domains.iter().any(|one| one.eq_ignore_ascii_case(domain))
        })
    }
}
