//! Sign-in sessions: begun with a new secret every time, believed only while nothing forbids it.

use std::time::Duration;

use store::{Session, Store, StoreError, User};
use token::id::{ClientId, KeyId, SessionId, TokenId};
use token::opaque::{Family, OpaqueHash};
use token::random::Random;
use token::restriction::TokenFacts;
use token::secret::Secret;
use token::time::Timestamp;

use crate::approve;

/// RFC 8176 §2: a password.
const PASSWORD_METHOD: &str = "pwd";

/// Somebody who is signed in. Only [`recognise`] and [`start`] make one.
#[derive(Clone, Debug)]
pub struct SignedIn {
    session: Session,
    user: User,
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
    life: Duration,
    random: &dyn Random,
    now: Timestamp,
) -> Result<(Secret, SignedIn), StoreError> {
    let cookie = Family::SignIn.generate(random);
    let session = Session {
        id: SessionId::generate(random),
        cookie: OpaqueHash::of(cookie.expose()),
        subject: user.id.clone(),
        auth_time: now,
        amr: vec![PASSWORD_METHOD.to_owned()],
        created_at: now,
        expires_at: now.plus(life),
    };
    store.start_session(&session).await?;
    Ok((cookie, SignedIn { session, user }))
}

/// A restriction on the session, its person or the whole issuer ends sessions begun before it,
/// as it ends tokens issued before it.
fn is_taken_back(store: &Store, session: &Session, now: Timestamp) -> bool {
    let facts = TokenFacts {
        token: TokenId::from(""),
        grant: None,
        session: Some(session.id.clone()),
        subject: session.subject.clone(),
        client: ClientId::from(""),
        key: KeyId::from(""),
        issued_at: session.created_at,
        foreign: None,
    };
    store.index().on_token(&facts, now).is_some()
}
