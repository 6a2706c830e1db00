//! Leak reports: somebody who searches public places found a token of ours, and proves who they are.
//!
//! The programme is GitHub's secret scanning for partners: keys by name, ECDSA with P-256 and SHA-256 over
//! the body as it came.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use store::{AuditEntry, NewRestriction, StoreError};
use token::event::{EventKind, Who};
use token::opaque::{Family, OpaqueHash};
use token::restriction::{Effect, Selector};
use token::time::Timestamp;

use crate::caller::Caller;
use crate::letters::Occasion;
use crate::presented_token::{self, LEEWAY};
use crate::state::Authority;

/// What comes before the point in a P-256 key's SubjectPublicKeyInfo (RFC 5480 §2).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point.
const POINT_BYTES: usize = 65;

const REASON: &str = "found in a public place";
/// Before the name of whoever reports.
const ACTOR: &str = "leak:";
const MAX_SOURCE_CHARS: usize = 100;

/// The keys of whoever reports, by their names: as points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeakKeys(BTreeMap<String, Vec<u8>>);

/// Why a file has no such keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLeakKeys {
    /// Not the programme's form.
    #[error("this is not JSON with `public_keys`, each with `key_identifier` and `key`: {0}")]
    Form(String),
    /// One of them is no such key.
    #[error("the key `{0}` is not a P-256 public key in PEM")]
    Key(String),
    /// There is none.
    #[error("there is no key in it")]
    None,
}

/// Why a report is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotBelieved {
    #[error("the signature does not fit the body")]
    Signature,
    #[error("the key is not one of the reporter's: the keys here may be out of date")]
    UnknownKey,
}

/// What was found, and is taken back now.
struct Found {
    selector: Selector,
    who: Who,
    /// What its person is told; `None` when it was taken back before.
    news: Option<String>,
}

/// One token of a report.
#[derive(Deserialize)]
pub(crate) struct Reported {
    pub(crate) token: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) source: String,
}

// === impl LeakKeys ===

impl LeakKeys {
    /// From the answer of the programme's list of keys, as it is kept in a file.
    ///
    /// # Errors
    /// [`BadLeakKeys`] says what is wrong with it.
    pub fn from_json(text: &[u8]) -> Result<Self, BadLeakKeys> {
        #[derive(Deserialize)]
        struct File {
            public_keys: Vec<Key>,
        }
        #[derive(Deserialize)]
        struct Key {
            key_identifier: String,
            key: String,
        }
        let file: File =
            serde_json::from_slice(text).map_err(|error| BadLeakKeys::Form(error.to_string()))?;
        if file.public_keys.is_empty() {
            return Err(BadLeakKeys::None);
        }
        let keys = file.public_keys.into_iter().map(|Key { key_identifier, key }| {
            let point = point(&key).ok_or_else(|| BadLeakKeys::Key(key_identifier.clone()))?;
            Ok((key_identifier, point))
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody may report.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks who has sent a report.
    ///
    /// # Errors
    /// [`NotBelieved`] when nobody we know has.
    pub(crate) fn check(
        &self,
        name: &str,
        signature: &str,
        body: &[u8],
    ) -> Result<(), NotBelieved> {
        let point = self.0.get(name).ok_or(NotBelieved::UnknownKey)?;
        let signature = STANDARD.decode(signature).map_err(|_| NotBelieved::Signature)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(body, &signature).map_err(|_| NotBelieved::Signature)
    }
}

fn point(pem: &str) -> Option<Vec<u8>> {
    let lines = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).ok()?;
    let point = der.strip_prefix(&P256_PREFIX)?;
    (point.len() == POINT_BYTES && point.first() == Some(&4)).then(|| point.to_vec())
}

/// Whether a restriction was made for a report of a leak.
pub(crate) fn is_report(actor: &str) -> bool {
    actor.starts_with(ACTOR)
}

// === impl Authority ===

impl Authority {
    /// Takes back what was found; whether it is, or was, a token of ours. A report that comes again changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read or written; the reporter has to come again.
    pub(crate) async fn leaked(
        &self,
        reported: &Reported,
        by: &str,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let actor = format!("{ACTOR}{by}");
        let taken = self.take_back_leaked(&reported.token, &actor, now).await?;
        let Some(Found { selector, who, news }) = taken else { return Ok(false) };
        if let (Some(token), Some(subject)) = (news, &who.subject)
            && let Some(user) = self.store().user(subject).await?
        {
            let (username, token) = (user.username.as_str(), token.as_str());
            let language = self.settings().catalogue.usual();
            self.write(&user, &Occasion::TokenLeaked { username, token }, language, now);
        }
        let target = selector.to_string();
        let (action, ip) = ("leak.revoke".to_owned(), caller.ip);
        let entry =
            AuditEntry { at: now, actor: actor.clone(), action, target: target.clone(), ip };
        self.store().append_audit(&entry).await?;
        let source = format!("{by}:{}", reported.source);
        let kind = EventKind::LeakReport {
            source: source.chars().filter(|c| !c.is_control()).take(MAX_SOURCE_CHARS).collect(),
            url_hash: self.hashed_name(&reported.url),
        };
        // The sender is not the one who leaked it.
        let nowhere = Caller { ip: None, ja4: None, user_agent: None, certificate: None };
        self.emit(&nowhere, who.clone(), kind, now);
        let (result, reason) = ("ok".to_owned(), Some(REASON.to_owned()));
        let selector = Some(target);
        let kind = EventKind::Revoke { result, selector, actor: Some(actor), reason };
        self.emit(&nowhere, who, kind, now);
        Ok(true)
    }

    async fn take_back_leaked(
        &self,
        text: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<Found>, StoreError> {
        let (store, hash) = (self.store(), OpaqueHash::of(text));
        match Family::of(text) {
            Ok(Family::Personal) => {
                let Some(held) = store.personal_by_hash(&hash)? else { return Ok(None) };
                let facts = held.terms.facts();
                store.revoke_personal(&facts.token, REASON, actor, now).await?;
                let news = held.revoked_at.is_none();
                Ok(Some(Found {
                    selector: Selector::Token(facts.token.clone()),
                    who: Who::verified(&facts),
                    news: news.then(|| format!("The personal token “{}”", held.name)),
                }))
            }
            Ok(Family::Refresh) => {
                let name = self.refresh_mint().read(text);
                let Some(state) = store.refresh(&name).await? else { return Ok(None) };
                let grant = state.grant;
                let news = store.end_grant(&grant.id, REASON, actor, now).await?;
                let who = Who {
                    subject: Some(grant.subject),
                    client: Some(grant.client),
                    grant: Some(grant.id.clone()),
                    ..Who::default()
                };
                let news = news.then(|| "A refresh token".to_owned());
                Ok(Some(Found { selector: Selector::Grant(grant.id), who, news }))
            }
            Ok(Family::ClientSecret) => {
                let Some(client) = store.client_of_secret(&hash)? else { return Ok(None) };
                // Until it has a new secret, whoever shows the old one may be anybody.
                let selector = Selector::Client(client.clone());
                self.restrict_leaked(selector.clone(), Effect::Suspend, None, actor, now).await?;
                let who = Who { client: Some(client), ..Who::default() };
                Ok(Some(Found { selector, who, news: None }))
            }
            // An access token, as a reference or as it is.
            _ => {
                let Some(token) = presented_token::ours(self, text, now)? else { return Ok(None) };
                let (facts, until) = (token.facts(), token.expires_at().plus(LEEWAY));
                let selector = Selector::Token(facts.token.clone());
                let effect = Effect::Revoke;
                let until = Some(until);
                let news =
                    self.restrict_leaked(selector.clone(), effect, until, actor, now).await?;
                let news = news.then(|| "An access token".to_owned());
                Ok(Some(Found { selector, who: Who::verified(facts), news }))
            }
        }
    }

    async fn restrict_leaked(
        &self,
        selector: Selector,
        effect: Effect,
        until: Option<Timestamp>,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (reason, actor) = (REASON.to_owned(), actor.to_owned());
        let new = NewRestriction { selector, effect, from: now, until, reason, actor };
        self.store().restrict_once(new, now).await.map(|(_, is_new)| is_new)
    }
}
