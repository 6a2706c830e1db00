//! Personal tokens and tokens of services: what each allows, whose it is, and how it is used.

mod row;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use token::id::TokenId;
use token::opaque::OpaqueHash;
use token::personal::{Owner, Personal, PersonalTokens, Terms, Use, Uses};
use token::reason::Reason;
use token::reference::Unavailable;
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;
use token::secret::Secret;
use token::time::Timestamp;

use crate::background::Record;
use crate::error::StoreError;
use crate::open::Store;
use crate::restriction::NewRestriction;
use crate::sql;
use crate::writer::{Act, AfterCommit};

pub(crate) use row::{keep_use, revoke_all_of};

/// A personal token or one of a service; the token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPersonal {
    /// What it allows.
    pub terms: Terms,
    /// What it is for, in its owner's words.
    pub name: String,
    /// Who made it.
    pub created_by: String,
    /// When, where and on which route it was used last; coarse, at most a minute old.
    pub last_use: Option<LastUse>,
    /// The scopes that were demanded of it so far.
    pub used_scopes: ScopeSet,
    /// The token that it took over from.
    pub rotated_from: Option<TokenId>,
    /// The token that has taken over from it.
    pub rotated_to: Option<TokenId>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The last use that was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub ip: Option<IpAddr>,
    /// On which route.
    pub route: Option<String>,
}

/// How a token is taken over by another.
#[derive(Clone, Debug)]
pub struct Succession {
    /// The new token's name.
    pub token: TokenId,
    /// When the new one ends.
    pub expires_at: Timestamp,
    /// When the old one ends, unless it ended earlier anyway.
    pub old_until: Timestamp,
    /// Who rotates it.
    pub created_by: String,
}

/// What came of rotating a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// This one has taken over.
    By(Box<StoredPersonal>),
    /// It has ended, was taken back, or was rotated before.
    NotInForce,
    /// It was taken back in part, which would not hold for its successor.
    Restrained,
    /// There is no such token.
    Unknown,
}

impl Store {
    /// Keeps a new token. It and the record of its issue are on disk, the token as its hash, when this
    /// returns.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn create_personal(
        &self,
        secret: &Secret,
        new: &StoredPersonal,
    ) -> Result<(), StoreError> {
        let (hash, new) = (OpaqueHash::of(secret.expose()), new.clone());
        self.write(move |act| row::insert(act, &hash, &new)).await
    }

    /// The token of this name, until a week after its end.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn personal_token(
        &self,
        token: &TokenId,
    ) -> Result<Option<StoredPersonal>, StoreError> {
        self.read(|db| row::of(db, token))
    }

    /// Tokens in order of their name, which is that of their making, those behind `after`; of one owner
    /// or of all.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn personal_tokens(
        &self,
        owner: Option<&Owner>,
        after: Option<&TokenId>,
        limit: usize,
    ) -> Result<Vec<StoredPersonal>, StoreError> {
        self.read(|db| row::list(db, owner, after, limit))
    }

    /// The token whose text has this hash.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn personal_by_hash(
        &self,
        hash: &OpaqueHash,
    ) -> Result<Option<StoredPersonal>, StoreError> {
        self.read(|db| row::by_hash(db, hash))
    }

    /// Makes a successor with the terms of a token, which itself ends soon.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn rotate_personal(
        &self,
        old: &TokenId,
        secret: &Secret,
        succession: Succession,
        now: Timestamp,
    ) -> Result<Rotated, StoreError> {
        let (old, hash) = (old.clone(), OpaqueHash::of(secret.expose()));
        self.write(move |act| rotate(act, &old, &hash, succession, now)).await
    }

    /// Tokens of people that end within this time, and whose owners were not told so before: now they count
    /// as told. Not those that were revoked or rotated, and none whose whole life is not much longer.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written; then nobody counts as told.
    pub async fn personal_ending(
        &self,
        within: Duration,
        now: Timestamp,
    ) -> Result<Vec<StoredPersonal>, StoreError> {
        self.write(move |act| row::ending(act.db, within, now)).await
    }

    /// Gives a token these scopes and no others; `false` when there is no such token.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn narrow_personal(
        &self,
        token: &TokenId,
        scopes: &ScopeSet,
    ) -> Result<bool, StoreError> {
        let (token, scopes) = (token.clone(), scopes.to_string());
        self.write(move |act| {
            let sql = "UPDATE personal_tokens SET scopes = ?2 WHERE token = ?1";
            let changed = sql::execute(act.db, sql, params![token.as_str(), scopes])? > 0;
            act.after_commit(AfterCommit::Personal);
            Ok(changed)
        })
        .await
    }

    /// Revokes a token for good; the token as it was before, `None` when there is none of this name.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written; then it is good still.
    pub async fn revoke_personal(
        &self,
        token: &TokenId,
        reason: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<StoredPersonal>, StoreError> {
        let (token, reason, actor) = (token.clone(), reason.to_owned(), actor.to_owned());
        self.write(move |act| revoke(act, &token, reason, actor, now)).await
    }

    /// How it stands with a token: with what its owner may do, and how it was used until just now.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn standing_of(&self, stored: StoredPersonal) -> Result<Personal, StoreError> {
        let mine = |db: &rusqlite::Connection| row::owner(db, &stored.terms.owner);
        let (bound, fault) = self.read(mine)?;
        let ended = stored.revoked_at.map(|_| Reason::Revoked).or(fault);
        let uses = self.shared().uses.get_or_insert_with(&stored.terms.token, || {
            let last = stored.last_use.as_ref().map_or(stored.terms.created_at, |last| last.at);
            Ok::<_, StoreError>(Arc::new(Uses::new(last, stored.used_scopes.clone())))
        })?;
        Ok(Personal { terms: stored.terms, bound, ended, uses })
    }
}

impl PersonalTokens for Store {
    fn find(&self, text: &str) -> Result<Option<Arc<Personal>>, Unavailable> {
        let found = self.personal_by_hash(&OpaqueHash::of(text));
        let standing = found.and_then(|found| found.map(|one| self.standing_of(one)).transpose());
        standing.map(|personal| personal.map(Arc::new)).map_err(|error| {
            tracing::error!(%error, "a personal token could not be looked up");
            Unavailable
        })
    }

    fn version(&self) -> u64 {
        self.shared().personal_version()
    }

    fn keep_use(&self, used: Use) {
        self.leave(Record::PersonalUse(used));
    }
}

fn rotate(
    act: &mut Act<'_>,
    old: &TokenId,
    hash: &OpaqueHash,
    succession: Succession,
    now: Timestamp,
) -> Result<Rotated, StoreError> {
    let Some(held) = row::of(act.db, old)? else { return Ok(Rotated::Unknown) };
    let (index, facts) = (&act.shared.index, held.terms.facts());
    let over = held.terms.expires_at <= now || index.on_token(&facts, now).is_some();
    if over || held.revoked_at.is_some() || held.rotated_to.is_some() {
        return Ok(Rotated::NotInForce);
    }
    // What is about its owner fits the successor as well.
    let own = |selector: &Selector| match selector {
        Selector::Token(_) => true,
        Selector::Client(id) => id.as_str() == old.as_str(),
        _ => false,
    };
    if index.partial_on(&facts, now).iter().any(|row| own(&row.selector)) {
        return Ok(Rotated::Restrained);
    }
    let Succession { token, expires_at, old_until, created_by } = succession;
    let sql = "UPDATE personal_tokens SET rotated_to = ?2, expires_at = ?3 WHERE token = ?1";
    let end = held.terms.expires_at.min(old_until);
    sql::execute(act.db, sql, params![old.as_str(), token.as_str(), end.as_millis()])?;
    let terms = Terms { token, created_at: now, expires_at, ..held.terms };
    let new = StoredPersonal {
        terms,
        name: held.name,
        created_by,
        last_use: None,
        used_scopes: held.used_scopes,
        rotated_from: Some(old.clone()),
        rotated_to: None,
        revoked_at: None,
    };
    row::insert(act, hash, &new)?;
    act.after_commit(AfterCommit::Personal);
    Ok(Rotated::By(Box::new(new)))
}

fn revoke(
    act: &mut Act<'_>,
    token: &TokenId,
    reason: String,
    actor: String,
    now: Timestamp,
) -> Result<Option<StoredPersonal>, StoreError> {
    let Some(held) = row::of(act.db, token)? else { return Ok(None) };
    if held.revoked_at.is_some() {
        return Ok(Some(held));
    }
    let sql = "UPDATE personal_tokens SET revoked_at = ?2 WHERE token = ?1";
    sql::execute(act.db, sql, params![token.as_str(), now.as_millis()])?;
    // The log too: followers elsewhere and open streams learn by it.
    let (selector, effect) = (Selector::Token(token.clone()), Effect::Revoke);
    let until = Some(held.terms.expires_at.max(now.plus(crate::restriction::LEEWAY)));
    act.restrict(NewRestriction { selector, effect, from: now, until, reason, actor }, now)?;
    act.after_commit(AfterCommit::Personal);
    Ok(Some(held))
}
