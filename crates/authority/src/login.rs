//! Who the person is: passwords, sign-in sessions, throttling. No HTTP.

pub mod browser;
pub mod csrf;
pub(crate) mod factor;
pub(crate) mod half;
pub(crate) mod link;
pub(crate) mod passkey;
pub mod password;
pub(crate) mod puzzle;
pub mod session;
pub mod throttle;
pub mod toll;
pub(crate) mod user_agent;

use std::net::IpAddr;

use store::{Store, StoreError, User};
use token::id::SubjectId;
use token::secret::Secret;
use token::time::Timestamp;

use self::browser::Browser;
use self::csrf::Proofs;
use self::passkey::RelyingParty;
use self::password::{Asker, PasswordError, Passwords};
use self::throttle::growing::Guesses;
use self::throttle::pressure::{Counted, Pressure};
use self::throttle::{Place, Throttle, Throttled, Try};
use self::toll::{Owed, Toll};
use crate::approve;
use crate::settings::Settings;

/// People with one address who are looked at.
const MOST_WITH_ADDRESS: usize = 100;

/// What sign-in works with beside the store.
pub struct Desk {
    /// Failed tries.
    pub throttle: Throttle,
    /// How much guessing goes on.
    pub(crate) pressure: Pressure,
    /// Failed tries of what is proven after a password.
    pub(crate) guesses: Guesses,
    /// What browsers bring back.
    pub proofs: Proofs,
    /// Whose passkeys are taken; `None` where the issuer has no name.
    pub(crate) passkeys: Option<RelyingParty>,
}

/// One try to sign in.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The name as it was typed, which is what is counted.
    pub username: &'a str,
    /// The user name that it stands for, as [`account_of`] has found it.
    pub account: &'a str,
    /// The password as it was typed.
    pub password: Secret,
    /// The address behind trusted proxies.
    pub ip: Option<IpAddr>,
    /// The browser that it comes from.
    pub browser: &'a Browser,
    /// That the password may be looked at.
    pub toll: Toll,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// The password is right, but the account is switched off.
    #[error("the account is disabled")]
    Disabled,
    /// A puzzle has to be solved first.
    #[error(transparent)]
    Owed(#[from] Owed),
    /// The password could not be checked.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many failures before this try.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// Nobody of this name. Must look like [`SignInRefused::WrongPassword`] from outside.
    #[error("there is nobody of this name")]
    UnknownUser,
    /// Another password, of this person.
    #[error("the password is wrong")]
    WrongPassword(SubjectId),
}

/// The user name of the account that a typed name stands for: of whoever has it as a confirmed address, when that is
/// one person; else the name itself. A user name in the form of somebody else's address is a mere claim, so that
/// addresses come first. Whether there is such an account makes no difference to the work.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub async fn account_of(store: &Store, typed: &str) -> Result<String, StoreError> {
    if !typed.contains('@') {
        return Ok(typed.to_owned());
    }
    let found = people_with(store, typed.trim(), MOST_WITH_ADDRESS).await?;
    let mut confirmed = found.into_iter().filter(|user| user.email_verified);
    match (confirmed.next(), confirmed.next()) {
        (Some(user), None) => Ok(user.username),
        _ => Ok(typed.to_owned()),
    }
}

/// People who have an address, with its domain as it is written or in ASCII: browsers send that where they are asked
/// for an address, and what is typed where they are asked for a name.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub(crate) async fn people_with(
    store: &Store,
    address: &str,
    most: usize,
) -> Result<Vec<User>, StoreError> {
    let mut found = store.users_by_email(address, most).await?;
    let parts = address.rsplit_once('@').filter(|_| !address.is_ascii());
    if let Some((local, domain)) = parts {
        let ascii = format!("{local}@{}", mail::domain(domain));
        found.extend(store.users_by_email(&ascii, most).await?);
    }
    Ok(found)
}

/// A typed name as it is compared and counted: in whatever case and with whatever space around it.
pub(crate) fn name_key(username: &str) -> String {
    username.trim().to_lowercase()
}

// === impl Desk ===

impl Desk {
    /// With no failures yet.
    pub fn new(store: &Store, settings: &Settings) -> Self {
        Self {
            throttle: Throttle::default(),
            pressure: Pressure::new(settings.puzzle_after),
            guesses: Guesses::default(),
            proofs: Proofs::new(store),
            passkeys: RelyingParty::of(&settings.issuer),
        }
    }

    /// Checks a name and a password. Whether there is somebody of that name makes no difference
    /// to the work done or to what is counted.
    ///
    /// # Errors
    /// [`SignInRefused`] says why it is not believed.
    pub async fn sign_in(
        &self,
        store: &Store,
        passwords: &Passwords,
        attempt: Attempt<'_>,
        now: Timestamp,
    ) -> Result<User, SignInRefused> {
        let known_browser = attempt.browser.known_as(attempt.account, &self.proofs);
        let place = Place { ip: attempt.ip, known_browser };
        let (tried, counted) = self.begin(attempt.username, place, now)?;
        let asker =
            Asker { ip: attempt.ip, account: attempt.account, is_known: known_browser.is_some() };
        let checked = check(store, passwords, asker, attempt.password, now).await;
        match &checked {
            Err(SignInRefused::UnknownUser | SignInRefused::WrongPassword(_)) => return checked,
            Ok(_) | Err(SignInRefused::Disabled) => self.throttle.succeeded(tried),
            Err(_) => self.throttle.withdrawn(tried),
        }
        if let Some(counted) = counted {
            self.pressure.given_back(counted);
        }
        checked
    }

    /// Counts one try of a password as a failure, until it is known to be none.
    pub(crate) fn begin(
        &self,
        username: &str,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<(Try, Option<Counted>), Throttled> {
        let tried = self.throttle.begin(username, place, now)?;
        let counted = match place.known_browser {
            None => Some(self.pressure.begin(username, place.ip, now)),
            Some(_) => None,
        };
        Ok((tried, counted))
    }
}

async fn check(
    store: &Store,
    passwords: &Passwords,
    asker: Asker<'_>,
    password: Secret,
    now: Timestamp,
) -> Result<User, SignInRefused> {
    let user = store.user_by_name(asker.account).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let fits = passwords.verify(asker, stored, password).await?;
    let user = user.ok_or(SignInRefused::UnknownUser)?;
    if !fits {
        return Err(SignInRefused::WrongPassword(user.id));
    }
    match approve::active_person(store, &user.id, now).await? {
        Some(user) => Ok(user),
        None => Err(SignInRefused::Disabled),
    }
}

// === impl SignInRefused ===

impl SignInRefused {
    /// The word that events carry.
    pub fn event_result(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Password(_) | Self::Store(_) => "error",
            Self::Owed(_) | Self::Throttled(_) => "throttled",
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword(_) => "bad_password",
        }
    }
}
