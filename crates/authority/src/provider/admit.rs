//! Who it is here that a provider vouches for: by what was connected, by a proven address, or somebody new.
//! No protocol is known here, so that every one of them ends in the same rules.

use mail::Address;
use store::{AuditEntry, Identity, NewIdentity, StoreError, User};
use token::base62;
use token::id::SubjectId;
use token::time::Timestamp;
use zeroize::Zeroizing;

use super::{Creation, Linking, Provider, Vouched};
use crate::language::Language;
use crate::letters::{FactorChange, Occasion};
use crate::state::Authority;
use crate::{approve, person, person_claims};

const ID_CHARS: usize = 16;
/// Names that are tried before one gets letters that nobody chose.
const TRIES: u32 = 5;
const SUFFIX_CHARS: usize = 6;
/// People with one address who are looked at; more than one of them who has confirmed it is too many.
const MOST_WITH_ADDRESS: usize = 100;

/// Why somebody whom a provider vouches for is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdmitRefused {
    /// There is an account with their address, which they have shown to be theirs.
    #[error("an account has this address; its person has to connect the two")]
    AddressKnown,
    /// Their account is switched off.
    #[error("the account is disabled or suspended")]
    Disabled,
    /// Nobody here is connected with them, and no rule makes or finds an account.
    #[error("the provider's account belongs to nobody here, and no rule gives it an account")]
    Unknown,
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds or makes the account; its person is told of changes in this language.
///
/// # Errors
/// [`AdmitRefused`] when there is none, or it is switched off.
pub(crate) async fn admit(
    authority: &Authority,
    provider: &Provider,
    vouched: &Vouched,
    language: Language,
    now: Timestamp,
) -> Result<User, AdmitRefused> {
    let store = authority.store();
    let Vouched { provider: name, issuer, subject, .. } = vouched;
    if let Some(identity) = store.identity(name, issuer, subject).await? {
        return known(authority, &identity, vouched, now).await;
    }
    if let Some(user) = by_address(authority, provider, vouched).await? {
        return connected(authority, &user, vouched, language, now).await;
    }
    if !provider.makes_accounts_for(vouched) {
        return Err(AdmitRefused::Unknown);
    }
    match new_person(authority, provider, vouched, now).await? {
        Some(user) => Ok(user),
        // The same person, in another tab.
        None => match store.identity(name, issuer, subject).await? {
            Some(identity) => known(authority, &identity, vouched, now).await,
            None => Err(AdmitRefused::Unknown),
        },
    }
}

/// What is kept of an identity that is to be somebody's.
pub(crate) fn new_identity(
    authority: &Authority,
    vouched: &Vouched,
    now: Timestamp,
) -> NewIdentity {
    NewIdentity {
        id: base62::random(ID_CHARS, authority.random()),
        provider: vouched.provider.clone(),
        issuer: vouched.issuer.clone(),
        provider_subject: vouched.subject.clone(),
        label: label(vouched),
        tokens: tokens(vouched),
        at: now,
    }
}

async fn known(
    authority: &Authority,
    identity: &Identity,
    vouched: &Vouched,
    now: Timestamp,
) -> Result<User, AdmitRefused> {
    let store = authority.store();
    let user = approve::active_person(store, &identity.subject, now).await?;
    let user = user.ok_or(AdmitRefused::Disabled)?;
    let tokens = tokens(vouched);
    store.note_identity_use(&identity.id, &label(vouched), tokens.as_ref(), now).await?;
    refreshed(authority, user, vouched).await
}

/// Whose address it is that the provider has seen to be theirs, as we have. Somebody who has made an account with
/// the address of another before they came never gets in so.
async fn by_address(
    authority: &Authority,
    provider: &Provider,
    vouched: &Vouched,
) -> Result<Option<User>, AdmitRefused> {
    let Some(address) = vouched.email.as_deref().filter(|_| vouched.email_verified) else {
        return Ok(None);
    };
    let found = authority.store().users_by_email(address, MOST_WITH_ADDRESS).await?;
    let mut confirmed = found.into_iter().filter(|user| user.email_verified);
    let (first, second) = (confirmed.next(), confirmed.next());
    match (first, second) {
        (None, _) => Ok(None),
        (Some(user), None)
            if provider.link == Linking::VerifiedEmail && provider.answers_for(address) =>
        {
            Ok(Some(user))
        }
        _ => Err(AdmitRefused::AddressKnown),
    }
}

async fn connected(
    authority: &Authority,
    user: &User,
    vouched: &Vouched,
    language: Language,
    now: Timestamp,
) -> Result<User, AdmitRefused> {
    let store = authority.store();
    let user = approve::active_person(store, &user.id, now).await?;
    let user = user.ok_or(AdmitRefused::Disabled)?;
    let identity = new_identity(authority, vouched, now);
    // Another account of the provider came by this address before: only its person decides.
    if !store.add_identity(&user.id, &identity, true).await? {
        return Err(AdmitRefused::AddressKnown);
    }
    record(authority, &user.id, "identity.link", &identity.id, now).await?;
    let (username, what) = (&user.username, FactorChange::Connected);
    authority.write(&user, &Occasion::FactorsChanged { username, what }, language, now);
    refreshed(authority, user, vouched).await
}

/// Makes an account; `None` when the identity became somebody's meanwhile.
async fn new_person(
    authority: &Authority,
    provider: &Provider,
    vouched: &Vouched,
    now: Timestamp,
) -> Result<Option<User>, AdmitRefused> {
    let random = authority.random();
    let identity = new_identity(authority, vouched, now);
    let base = username(vouched)
        .unwrap_or_else(|| format!("{}-{}", provider.name, base62::random(SUFFIX_CHARS, random)));
    for number in 1..=TRIES + 1 {
        let username = match number {
            1 => base.clone(),
            2..=TRIES => format!("{base}-{number}"),
            _ => format!("{base}-{}", base62::random(SUFFIX_CHARS, random)),
        };
        let user = User {
            id: SubjectId::generate(random),
            username,
            password_hash: None,
            name: vouched.name.clone(),
            email: vouched.email.clone(),
            email_verified: vouched.email_verified,
            claims: vouched.claims.clone(),
            disabled: false,
            require_mfa: false,
            created_at: now,
        };
        match authority.store().create_user_with_identity(&user, &identity).await {
            Ok(()) => {
                record(authority, &user.id, "user.create", user.id.as_str(), now).await?;
                return Ok(Some(user));
            }
            Err(StoreError::NameTaken { what: "identity" }) => return Ok(None),
            Err(StoreError::NameTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::NameTaken { what: "user name" }.into())
}

/// The name of a new account: what the provider calls them, short enough for a number behind it.
fn username(vouched: &Vouched) -> Option<String> {
    let candidates = [&vouched.username, &vouched.email, &vouched.name];
    let short =
        |name: &String| person::normalised(name.trim()).chars().take(110).collect::<String>();
    let mut good = candidates.into_iter().flatten().map(short).map(|name| name.trim().to_owned());
    good.find(|name| person::check_username(name).is_ok())
}

/// The person with the claims that the provider has of them now.
async fn refreshed(
    authority: &Authority,
    user: User,
    vouched: &Vouched,
) -> Result<User, AdmitRefused> {
    let mut claims = user.claims.clone();
    claims.extend(vouched.claims.clone());
    if claims == user.claims {
        return Ok(user);
    }
    if let Err(refused) = person_claims::check(&claims) {
        tracing::warn!(provider = vouched.provider, %refused, "claims of a provider are left out");
        return Ok(user);
    }
    let user = User { claims, ..user };
    authority.store().update_user(&user).await?;
    Ok(user)
}

/// What happens at sign-in is in the log of the person's account, too.
pub(crate) async fn record(
    authority: &Authority,
    subject: &SubjectId,
    action: &str,
    target: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        at: now,
        actor: format!("subject:{subject}"),
        action: action.to_owned(),
        target: target.to_owned(),
        ip: None,
    };
    authority.store().append_audit(&entry).await
}

fn tokens(vouched: &Vouched) -> Option<Zeroizing<Vec<u8>>> {
    vouched.tokens.as_ref().map(|tokens| Zeroizing::new(tokens.clone().into_bytes()))
}

/// Bounded and visible: it is shown on pages and by the admin API.
fn label(vouched: &Vouched) -> String {
    vouched.label().chars().filter(|c| !c.is_control()).take(254).collect()
}

// === impl Provider ===

impl Provider {
    /// Whether an address is one that the provider's word counts for.
    fn answers_for(&self, address: &str) -> bool {
        let domain = Address::parse(address).map(|address| address.domain());
        self.domains.is_empty() || domain.is_ok_and(|domain| self.has_domain(&domain))
    }

    fn makes_accounts_for(&self, vouched: &Vouched) -> bool {
        match self.create {
            Creation::Always => true,
            Creation::Domains => {
                let address = vouched.email.as_deref().filter(|_| vouched.email_verified);
                !self.domains.is_empty() && address.is_some_and(|one| self.answers_for(one))
            }
            Creation::Never => false,
        }
    }
}

// === impl AdmitRefused ===

impl AdmitRefused {
    /// What events call it.
    pub(crate) fn event_result(&self) -> &'static str {
        match self {
            Self::AddressKnown | Self::Unknown => "not_connected",
            Self::Disabled => "disabled",
            Self::Store(_) => "error",
        }
    }
}
