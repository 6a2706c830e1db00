//! Sign-in sessions: begun with a new secret every time, believed only while nothing forbids it.

use std::time::Duration;

use store::{Session, Store, StoreError, User};
use token::id::{ClientId, KeyId, SessionId, SubjectId, TokenId};
use token::opaque::{Family, OpaqueHash};
use token::random::Random;
use token::restriction::TokenFacts;
use token::secret::Secret;
use token::time::Timestamp;

use crate::approve;
use crate::rule::acr;

/// What protects an account is changed by whoever signed in within this time.
const RECENT: Duration = Duration::from_secs(10 * 60);

/// How somebody has proven who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A password.
    Password,
    /// A recovery code, in place of what was lost.
    Recovery,
    /// A code of an application (RFC 6238).
    Totp,
}

/// What somebody has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// When they showed their password.
    pub password_at: Timestamp,
    /// What they proved beside it.
    pub second: Option<Method>,
}

/// Somebody who is signed in. Only [`recognise`], [`start`] and [`raise`] make one.
#[derive(Clone, Debug)]
pub struct SignedIn {
    session: Session,
    user: User,
}

// === impl Method ===

impl Method {
    /// The name of RFC 8176 §2; there is none for a code that is good once by itself.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Password => Some("pwd"),
            Self::Recovery => None,
            Self::Totp => Some("otp"),
        }
    }
}

/// What `amr` says of a password with something beside it, or of a password alone.
fn amr(second: Option<Method>) -> Vec<String> {
    let several = second.map(|_| acr::SEVERAL_FACTORS);
    let methods = [Some(Method::Password), second].into_iter().flatten();
    methods.filter_map(Method::name).chain(several).map(str::to_owned).collect()
}

// === impl SignedIn ===

impl SignedIn {
    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Who it is.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether they have proven more than a password.
    pub fn has_two_factors(&self) -> bool {
        acr::of(&self.session.amr) == Some(acr::TWO_FACTORS)
    }

    /// Whether they signed in just now, so that what protects the account may be changed.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now.since(self.session.auth_time) < RECENT
    }
}

/// Who is signed in with this cookie, unless the session is over, was taken back, or its person
/// is gone, disabled or suspended.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub async fn recognise(
    store: &Store,
    cookie: Option<&str>,
    now: Timestamp,
) -> Result<Option<SignedIn>, StoreError> {
    let Some(cookie) = cookie.filter(|text| Family::of(text) == Ok(Family::SignIn)) else {
        return Ok(None);
    };
    let session = store.session_by_cookie(&OpaqueHash::of(cookie), now).await?;
    let Some(session) = session.filter(|session| !is_taken_back(store, session, now)) else {
        return Ok(None);
    };
    let user = approve::active_person(store, &session.subject, now).await?;
    Ok(user.map(|user| SignedIn { session, user }))
}

/// Begins a session for a person who has just proven who they are; the secret is the cookie's
/// value. Never continues an earlier one: a cookie that was planted before is worth nothing.
///
/// # Errors
/// [`StoreError`] when state cannot be written.
pub async fn start(
    store: &Store,
    user: User,
    proven: &Proven,
    life: Duration,
    random: &dyn Random,
    now: Timestamp,
) -> Result<(Secret, SignedIn), StoreError> {
    let cookie = Family::SignIn.generate(random);
    let session = Session {
        id: SessionId::generate(random),
        cookie: OpaqueHash::of(cookie.expose()),
        subject: user.id.clone(),
        auth_time: proven.password_at,
        amr: amr(proven.second),
        created_at: now,
        expires_at: now.plus(life),
    };
    store.start_session(&session).await?;
    Ok((cookie, SignedIn { session, user }))
}

/// Writes down that the person of a session has proven more, and gives it another cookie, so that one that
/// was planted or copied before is worth nothing. When they showed their password stays as it was.
///
/// # Errors
/// [`StoreError`] when state cannot be written. `None`: the session ended meanwhile.
pub async fn raise(
    store: &Store,
    person: &SignedIn,
    second: Method,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Option<(Secret, SignedIn)>, StoreError> {
    let cookie = Family::SignIn.generate(random);
    let (hash, amr) = (OpaqueHash::of(cookie.expose()), amr(Some(second)));
    if !store.raise_session(&person.session, &hash, &amr, now).await? {
        return Ok(None);
    }
    let session = Session { cookie: hash, amr, ..person.session.clone() };
    Ok(Some((cookie, SignedIn { session, user: person.user.clone() })))
}

/// Who showed their password at that time and has not gone on yet, unless they are gone, disabled or
/// suspended, or something has ended their sessions since.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub async fn recognise_half(
    store: &Store,
    subject: &SubjectId,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<User>, StoreError> {
    if is_ended(store, subject, None, at, now) {
        return Ok(None);
    }
    approve::active_person(store, subject, now).await
}

/// A restriction on the session, its person or the whole issuer ends sessions begun before it,
/// as it ends tokens issued before it.
fn is_taken_back(store: &Store, session: &Session, now: Timestamp) -> bool {
    is_ended(store, &session.subject, Some(&session.id), session.created_at, now)
}

fn is_ended(
    store: &Store,
    subject: &SubjectId,
    session: Option<&SessionId>,
    begun: Timestamp,
    now: Timestamp,
) -> bool {
    let facts = TokenFacts {
        token: TokenId::from(""),
        grant: None,
        session: session.cloned(),
        subject: subject.clone(),
        client: ClientId::from(""),
        key: KeyId::from(""),
        issued_at: begun,
        foreign: None,
    };
    store.index().on_token(&facts, now).is_some()
}
