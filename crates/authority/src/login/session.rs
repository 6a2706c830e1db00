//! Sign-in sessions: begun with a new secret every time, believed only while nothing forbids it.

use std::net::IpAddr;
use std::time::Duration;

use store::{Session, Store, StoreError, Upstream, User};
use token::id::{ClientId, KeyId, SessionId, SubjectId, TokenId};
use token::opaque::{Family, OpaqueHash};
use token::random::Random;
use token::restriction::TokenFacts;
use token::secret::Secret;
use token::time::Timestamp;

use crate::approve;
use crate::login::name_key;
use crate::rule::acr;

/// What protects an account is changed by whoever signed in within this time.
pub(crate) const RECENT: Duration = Duration::from_secs(10 * 60);

/// How somebody has proven who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A passkey, whose authenticator has checked who holds it.
    Passkey {
        /// Whether it may be copied between devices, so that no hardware alone holds it.
        is_synced: bool,
    },
    /// A password.
    Password,
    /// What an identity provider has asked for.
    Provider {
        /// Whether that was two factors, as far as the provider is trusted about it.
        is_sure: bool,
    },
    /// A recovery code, in place of what was lost.
    Recovery,
    /// A code of an application (RFC 6238).
    Totp,
}

/// What somebody has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// When they proved the first of it.
    pub at: Timestamp,
    /// The first of it.
    pub first: Method,
    /// What they proved beside it.
    pub second: Option<Method>,
}

/// Where a session begins, and for how long.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// How long it lasts.
    pub life: Duration,
    /// The address behind trusted proxies.
    pub ip: Option<IpAddr>,
    /// The browser, in words for its person.
    pub browser: Option<String>,
    /// On whose word it stands, when that is another's.
    pub upstream: Option<Upstream>,
    /// The application that somebody signs in for; `None` for a page of the account.
    pub client: Option<ClientId>,
    /// The session that there is in this browser.
    pub held: Option<Session>,
}

/// Somebody who is signed in. Only [`recognise`], [`start`] and [`raise`] make one.
#[derive(Clone, Debug)]
pub struct SignedIn {
    session: Session,
    user: User,
}

// === impl Method ===

impl Method {
    /// The names of RFC 8176 §2; there is none for a code that is good once by itself.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Passkey { is_synced: false } => &["hwk", "user"],
            Self::Passkey { is_synced: true } => &["swk", "user"],
            Self::Password => &["pwd"],
            // Not among those of RFC 8176; Microsoft Entra writes the same.
            Self::Provider { .. } => &["fed"],
            Self::Recovery => &[],
            Self::Totp => &["otp"],
        }
    }
}

// === impl Proven ===

impl Proven {
    /// What `amr` says of it. A passkey is something somebody has and something they know or are.
    fn amr(&self) -> Vec<String> {
        let several = self.second.is_some()
            || matches!(self.first, Method::Passkey { .. } | Method::Provider { is_sure: true });
        let methods = [Some(self.first), self.second].into_iter().flatten();
        let names = methods.flat_map(Method::names).copied();
        names.chain(several.then_some(acr::SEVERAL_FACTORS)).map(str::to_owned).collect()
    }
}

/// What `amr` says after something more was proven.
fn raised(amr: &[String], second: Method) -> Vec<String> {
    let names = second.names().iter().copied().chain([acr::SEVERAL_FACTORS]);
    let new = names.filter(|name| !amr.iter().any(|held| held == name));
    amr.iter().cloned().chain(new.map(str::to_owned)).collect()
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

    /// Whether this is their name or their confirmed address, as it was typed.
    pub(crate) fn is_named(&self, typed: &str) -> bool {
        let address = self.user.email.as_ref().filter(|_| self.user.email_verified);
        let names = [Some(&self.user.username), address];
        names.into_iter().flatten().any(|name| name_key(name) == name_key(typed))
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

/// Who is signed in with this cookie, unless the session is over, was not used for so long, was taken back,
/// or its person is gone, disabled or suspended. That it is used is written down.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub async fn recognise(
    store: &Store,
    cookie: Option<&str>,
    idle: Duration,
    now: Timestamp,
) -> Result<Option<SignedIn>, StoreError> {
    let Some(cookie) = cookie.filter(|text| Family::of(text) == Ok(Family::SignIn)) else {
        return Ok(None);
    };
    let session = store.session_by_cookie(&OpaqueHash::of(cookie), now).await?;
    let is_good = |session: &Session| {
        now.since(session.last_used_at) < idle && !is_taken_back(store, session, now)
    };
    let Some(session) = session.filter(is_good) else { return Ok(None) };
    let Some(user) = approve::active_person(store, &session.subject, now).await? else {
        return Ok(None);
    };
    store.note_session_use(&session, now).await?;
    Ok(Some(SignedIn { session, user }))
}

/// Begins a session for a person who has just proven who they are; the secret is the cookie's value. Who is signed
/// in here already goes on with that session, or to sign out would leave applications behind in the one before. The
/// cookie is another one always: one that was planted or copied before is worth nothing.
///
/// # Errors
/// [`StoreError`] when state cannot be written.
pub async fn start(
    store: &Store,
    user: User,
    proven: &Proven,
    beginning: Beginning,
    random: &dyn Random,
    now: Timestamp,
) -> Result<(Secret, SignedIn), StoreError> {
    let cookie = Family::SignIn.generate(random);
    let (client, held) = (beginning.client, beginning.held);
    let session = Session {
        id: SessionId::generate(random),
        cookie: OpaqueHash::of(cookie.expose()),
        subject: user.id.clone(),
        auth_time: proven.at,
        amr: proven.amr(),
        created_at: now,
        expires_at: now.plus(beginning.life),
        last_used_at: now,
        ip: beginning.ip,
        browser: beginning.browser,
        upstream: beginning.upstream,
    };
    if let Some(held) = held.filter(|held| goes_on(held, &session)) {
        let upstream = session.upstream.clone().or(held.upstream);
        let (id, created_at) = (held.id, held.created_at);
        let renewed = Session { id, created_at, upstream, ..session.clone() };
        if store.renew_session(&held.cookie, &renewed, client.as_ref()).await? {
            return Ok((cookie, SignedIn { session: renewed, user }));
        }
    }
    store.start_session(&session, client.as_ref()).await?;
    Ok((cookie, SignedIn { session, user }))
}

/// Whether a sign-in goes on with the session that there is: it is the same person's, and no second word of a
/// provider would take the place of a first one, whose end must be obeyed.
fn goes_on(held: &Session, new: &Session) -> bool {
    let is_other = |word: &Upstream| new.upstream.as_ref().is_some_and(|other| other != word);
    held.subject == new.subject && !held.upstream.as_ref().is_some_and(is_other)
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
    let (hash, amr) = (OpaqueHash::of(cookie.expose()), raised(&person.session.amr, second));
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

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::{Method, Proven, raised};

    #[test]
    fn amr_says_what_was_proven() {
        let of = |first, second| Proven { at: Timestamp::from_secs(0), first, second }.amr();
        let synced = Method::Passkey { is_synced: true };
        let bound = Method::Passkey { is_synced: false };
        assert_eq!(of(Method::Password, None), ["pwd"]);
        assert_eq!(of(Method::Password, Some(Method::Totp)), ["pwd", "otp", "mfa"]);
        assert_eq!(of(Method::Password, Some(Method::Recovery)), ["pwd", "mfa"]);
        assert_eq!(of(Method::Password, Some(bound)), ["pwd", "hwk", "user", "mfa"]);
        assert_eq!(of(synced, None), ["swk", "user", "mfa"]);
        assert_eq!(of(Method::Provider { is_sure: false }, None), ["fed"]);
        assert_eq!(of(Method::Provider { is_sure: true }, None), ["fed", "mfa"]);
        let later = raised(&of(Method::Password, None), synced);
        assert_eq!(later, ["pwd", "swk", "user", "mfa"]);
        assert_eq!(raised(&later, synced), later);
    }
}
