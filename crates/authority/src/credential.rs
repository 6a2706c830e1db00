//! A person's password: the one way to make it, and the one way to replace it.

use std::net::IpAddr;

use store::{NewRestriction, StoreError, User};
use token::event::{EventKind, Who};
use token::opaque::OpaqueHash;
use token::restriction::{Effect, Selector};
use token::secret::Secret;

use crate::caller::Caller;
use crate::language::Language;
use crate::letters::Occasion;
use crate::login::password::{Asker, PasswordError};
use crate::state::Authority;

/// The reason of the restriction that comes with a new password.
pub(crate) const PASSWORD_SET: &str = "password set";

/// Who replaces a password, and by what right.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Who, as logs name them.
    pub actor: &'a str,
    /// Where from.
    pub caller: &'a Caller,
    /// The link that lets them, which is used up.
    pub link: Option<&'a OpaqueHash>,
    /// What the letter about it is written in, for who has no `locale`.
    pub language: Language,
}

/// Why a password is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceRefused {
    /// There is nobody of this id any more, or the link is over.
    #[error("the person or the link is gone")]
    Gone,
    /// The new password cannot be hashed, or breaks a rule.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// State cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Authority ===

impl Authority {
    /// Hashes a new password for a person, when it keeps the rules; `ip` is where somebody set it who may.
    ///
    /// # Errors
    /// [`PasswordError`] names the rule, or says what failed.
    pub async fn hash_password(
        &self,
        password: Secret,
        user: &User,
        ip: Option<IpAddr>,
    ) -> Result<Secret, PasswordError> {
        self.passwords().hash(setting(user, ip), password, self.names_of(user)).await
    }

    /// Whether a new password for a person keeps the rules.
    ///
    /// # Errors
    /// [`PasswordError`] names the rule, or says what failed.
    pub(crate) async fn check_password(
        &self,
        password: &Secret,
        user: &User,
        ip: Option<IpAddr>,
    ) -> Result<(), PasswordError> {
        self.passwords().check(setting(user, ip), password.clone(), self.names_of(user)).await
    }

    /// What nobody's password may be made of: their own names, and ours.
    fn names_of(&self, user: &User) -> Vec<String> {
        let host = Some(self.settings().host().to_owned());
        let own = [Some(&user.username), user.name.as_ref(), user.email.as_ref()];
        own.into_iter().flatten().cloned().chain(host).collect()
    }

    /// Replaces a person's password. Ends their sessions, remembered browsers and links, revokes every token
    /// issued until now, and tells them by a letter.
    ///
    /// # Errors
    /// [`ReplaceRefused`] says why nothing was changed.
    pub async fn replace_password(
        &self,
        user: &User,
        password: Secret,
        by: By<'_>,
    ) -> Result<(), ReplaceRefused> {
        let hash = self.hash_password(password, user, by.caller.ip).await?;
        let store = self.store();
        if !store.set_password(&user.id, &hash, by.link, self.now()).await? {
            return Err(ReplaceRefused::Gone);
        }
        // Read again: a token that was signed while the change was written must be covered.
        let now = self.now();
        let new = NewRestriction {
            selector: Selector::Subject(user.id.clone()),
            effect: Effect::Revoke,
            from: now,
            until: None,
            reason: PASSWORD_SET.to_owned(),
            actor: by.actor.to_owned(),
        };
        let made = store.restrict(new, now).await?;
        let kind = EventKind::Revoke {
            result: "ok".to_owned(),
            selector: Some(made.selector.to_string()),
            actor: Some(made.actor.clone()),
            reason: Some(made.reason.clone()),
        };
        self.emit(by.caller, Who::default(), kind, now);
        let occasion = Occasion::PasswordChanged { username: &user.username };
        self.write(user, &occasion, by.language, now);
        Ok(())
    }
}

/// Whoever may set a password has shown more than a name.
fn setting(user: &User, ip: Option<IpAddr>) -> Asker<'_> {
    Asker { ip, account: &user.username, is_known: true }
}
