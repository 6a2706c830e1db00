//! Rules passed + consent → [`ApprovedGrant`]: what tokens may be made from.

use store::{Grant, Store, StoreError, User};
use token::authorization_details::AuthorizationDetail;
use token::id::{KeyId, SubjectId, TokenId};
use token::restriction::{Selector, TokenFacts};
use token::scope::ScopeSet;
use token::term::GrantType;
use token::time::Timestamp;

use crate::client_auth::AuthenticatedClient;
use crate::grant::GrantRefused;

/// What a client may be given tokens for. Only the functions of this module make one, and only
/// after the client, the person and the grant were all found to be good.
#[derive(Debug)]
pub struct ApprovedGrant {
    subject: SubjectId,
    scopes: ScopeSet,
    audiences: Vec<String>,
    consented: Option<Grant>,
    nonce: Option<String>,
    details: Vec<AuthorizationDetail>,
    user: Option<User>,
}

/// What one token request wants of a grant.
#[derive(Debug)]
pub struct Wanted {
    /// Scopes, already checked.
    pub scopes: ScopeSet,
    /// Audiences, already checked.
    pub audiences: Vec<String>,
    /// Details, already checked.
    pub details: Vec<AuthorizationDetail>,
    /// The authorization request's nonce, for the first ID token only.
    pub nonce: Option<String>,
}

// === impl ApprovedGrant ===

impl ApprovedGrant {
    /// Whom the tokens speak for.
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// What they allow.
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Whom they are for.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// What a person consented to; `None` for a client that acts for itself.
    pub fn consented(&self) -> Option<&Grant> {
        self.consented.as_ref()
    }

    /// What exactly they allow.
    pub fn details(&self) -> &[AuthorizationDetail] {
        &self.details
    }

    /// The person who consented.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The authorization request's nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

/// Approves tokens for a client that acts for itself (RFC 6749 §4.4).
///
/// # Errors
/// [`GrantRefused`] when the client is public, or suspended as the subject of its own tokens.
pub fn machine(
    store: &Store,
    client: &AuthenticatedClient,
    wanted: Wanted,
    now: Timestamp,
) -> Result<ApprovedGrant, GrantRefused> {
    if client.is_public() {
        return Err(GrantRefused::PublicClient);
    }
    let subject = SubjectId::from(client.id().as_str());
    if is_suspended(store, &subject, now) {
        return Err(GrantRefused::ServiceSuspended);
    }
    Ok(ApprovedGrant {
        subject,
        scopes: wanted.scopes,
        audiences: wanted.audiences,
        consented: None,
        nonce: None,
        details: wanted.details,
        user: None,
    })
}

/// Approves tokens from what a person consented to.
///
/// # Errors
/// [`GrantRefused`] when the grant is another client's or was taken back, or when the person is
/// gone, disabled or suspended.
pub async fn person(
    store: &Store,
    client: &AuthenticatedClient,
    grant: &Grant,
    wanted: Wanted,
    now: Timestamp,
) -> Result<ApprovedGrant, GrantRefused> {
    if grant.client != *client.id() {
        return Err(GrantRefused::WrongClient(grant.id.clone()));
    }
    if is_taken_back(store, grant, now) {
        return Err(GrantRefused::TakenBack);
    }
    let user = active_person(store, &grant.subject, now).await?;
    let user = user.ok_or(GrantRefused::PersonDisabled)?;
    let dropped = store.index().dropped_scopes(&facts(grant), now);
    Ok(ApprovedGrant {
        subject: grant.subject.clone(),
        // Who reads tokens without asking anybody is not told of what counts no more.
        scopes: wanted.scopes.difference(&dropped),
        audiences: wanted.audiences,
        consented: Some(grant.clone()),
        nonce: wanted.nonce,
        details: wanted.details,
        user: Some(user),
    })
}

/// Checks that a client may use a grant type.
///
/// # Errors
/// [`GrantRefused::ClientMayNot`] when it was not registered for it.
pub fn grant_type(client: &AuthenticatedClient, wanted: GrantType) -> Result<(), GrantRefused> {
    if client.client().grant_types.contains(&wanted) {
        return Ok(());
    }
    Err(GrantRefused::ClientMayNot(wanted))
}

/// The person, unless gone, disabled or suspended: to nobody else is anything issued.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub async fn active_person(
    store: &Store,
    subject: &SubjectId,
    now: Timestamp,
) -> Result<Option<User>, StoreError> {
    if is_suspended(store, subject, now) {
        return Ok(None);
    }
    Ok(store.user(subject).await?.filter(|user| !user.disabled))
}

/// Whether a person or a service is suspended, so that nothing may be issued for them.
pub fn is_suspended(store: &Store, subject: &SubjectId, now: Timestamp) -> bool {
    store.index().suspension_on(&Selector::Subject(subject.clone()), now).is_some()
}

/// Whether a restriction covers the grant. Asked with the time when the grant was made, not with
/// that of the token to come: what ended a person's sessions must end their refreshes too.
pub(crate) fn is_taken_back(store: &Store, grant: &Grant, now: Timestamp) -> bool {
    store.index().on_token(&facts(grant), now).is_some()
}

/// What is known of a token of this grant before there is one.
fn facts(grant: &Grant) -> TokenFacts {
    TokenFacts {
        token: TokenId::from(""),
        grant: Some(grant.id.clone()),
        session: grant.session.clone(),
        subject: grant.subject.clone(),
        client: grant.client.clone(),
        key: KeyId::from(""),
        issued_at: grant.created_at,
        foreign: None,
    }
}
