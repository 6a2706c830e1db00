//! Which client is asking: credentials → [`AuthenticatedClient`] (RFC 6749 §2.3).

pub(crate) mod assertion;
pub(crate) mod attestation;
pub mod certificate;

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use store::{Client, Store, StoreError};
use token::client_certificate::ClientCertificate;
use token::event::Who;
use token::id::{ClientId, KeyId};
use token::opaque::OpaqueHash;
use token::restriction::Selector;
use token::secret::Secret;
use token::term::{ClientAuthMethod, OAuthErrorCode, parameter};
use token::time::Timestamp;
use token::verify::Refusal;

use crate::client_auth::attestation::AttestationRefused;
use crate::foreign::{self, ForeignRefused};
use crate::login::throttle::Throttled;
use crate::metadata_document::{self, DocumentRefused, FindRefused};
use crate::oauth_error::OAuthError;
use crate::parameters::{Parameters, form_decode};
use crate::rule::profile;
use crate::state::Authority;

/// Credentials as they came: nothing about them is known to be true.
#[derive(Clone, Debug)]
pub struct PresentedClient {
    /// The client that it says it is.
    pub claimed: ClientId,
    /// How it says so.
    pub method: ClientAuthMethod,
    secret: Option<Secret>,
    assertion: Option<Secret>,
    /// The assertion is another issuer's.
    is_foreign: bool,
    attestation: Option<attestation::Shown>,
    certificate: Option<ClientCertificate>,
}

/// A client that has shown to be who it says. There is no other way to make one than
/// [`authenticate`], or to be this process. A public client has shown nothing: see [`AuthenticatedClient::is_public`].
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    method: ClientAuthMethod,
    instance: Option<KeyId>,
}

/// Why a client is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthRefused {
    /// The assertion is not good.
    #[error("the client assertion is refused: {0}")]
    Assertion(Refusal),
    /// FAPI 2.0 takes one audience only, not a list of one.
    #[error("the client assertion's `aud` must be a string, the issuer identifier, under FAPI 2.0")]
    AssertionAudience,
    /// The assertion cannot be read, or speaks of another client.
    #[error("`client_assertion` is not a JWT whose subject is the client")]
    AssertionForm,
    /// The assertion was used before.
    #[error("the client assertion was used before; make a new one, with a new `jti`, every time")]
    AssertionReplayed,
    /// The assertion is good for more than an hour.
    #[error("the client assertion is good for more than an hour; let `exp` be sooner")]
    AssertionTooLong,
    /// Another kind of assertion.
    #[error("`client_assertion_type` must be `{TYPE}`", TYPE = assertion::TYPE)]
    AssertionType,
    /// Its instance is not believed.
    #[error(transparent)]
    Attestation(#[from] AttestationRefused),
    /// The secret is not the client's.
    #[error("client authentication failed")]
    BadSecret,
    /// The `Authorization` field is not what RFC 6749 §2.3.1 says.
    #[error(
        "the field `Authorization` must be `Basic` with the base64 of the form-encoded client id, \
         a colon and the form-encoded secret"
    )]
    BasicForm,
    /// Not the client's certificate.
    #[error("the client certificate is not the one that this client registered, or not good now")]
    Certificate,
    /// None was shown.
    #[error("this client must show its certificate")]
    CertificateMissing,
    /// Disabled or suspended, said only to who knows the secret.
    #[error("the client is disabled")]
    Disabled,
    /// The document that its id leads to does not describe it well.
    #[error(transparent)]
    Document(#[from] DocumentRefused),
    /// A token of another issuer that is not taken.
    #[error(transparent)]
    Foreign(#[from] ForeignRefused),
    /// Not in the way that was registered.
    #[error("this client is registered for `{0}`; authenticate so")]
    Method(ClientAuthMethod),
    /// There are none.
    #[error("the request names no client; send `client_id`, or HTTP Basic authentication")]
    NoCredentials,
    /// FAPI 2.0 has no secrets.
    #[error("FAPI 2.0 wants clients to authenticate with `private_key_jwt`; register a key")]
    Profile,
    /// A confidential client sent no secret.
    #[error("this client must authenticate with its secret")]
    SecretMissing,
    /// The client has no secret to send.
    #[error("this client is public and must send no secret")]
    SecretUnexpected,
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many wrong ones before.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// RFC 6749 §2.3: one method per request.
    #[error("the client authenticates in two ways at once; use one")]
    TwoMethods,
    /// Nobody has registered it.
    #[error("client authentication failed")]
    UnknownClient,
}

/// Finds the credentials in a request.
///
/// # Errors
/// [`ClientAuthRefused`] when there are none, more than one kind, or malformed ones.
pub fn present(
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<PresentedClient, ClientAuthRefused> {
    if let Some(shown) = attestation::present(headers)? {
        return by_attestation(headers, parameters, shown);
    }
    if parameters.value(parameter::CLIENT_ASSERTION).is_some() {
        return by_assertion(headers, parameters);
    }
    let id = parameters.value(parameter::CLIENT_ID);
    let secret = parameters.secret(parameter::CLIENT_SECRET);
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    if let Some(field) = fields.next() {
        let text = field.to_str().map_err(|_| ClientAuthRefused::BasicForm)?;
        let presented = basic(text).ok_or(ClientAuthRefused::BasicForm)?;
        let other_id = id.is_some_and(|id| id != presented.claimed.as_str());
        if fields.next().is_some() || secret.is_some() || other_id {
            return Err(ClientAuthRefused::TwoMethods);
        }
        return Ok(presented);
    }
    let method = match secret {
        Some(_) => ClientAuthMethod::ClientSecretPost,
        None => ClientAuthMethod::None,
    };
    let claimed = id.ok_or(ClientAuthRefused::NoCredentials)?.into();
    Ok(PresentedClient { secret, ..PresentedClient::named(claimed, method) })
}

/// draft-ietf-oauth-attestation-based-client-auth-10 §7.5: `client_id` is not needed, but has to be the
/// attestation's subject when it is there.
fn by_attestation(
    headers: &HeaderMap,
    parameters: &Parameters,
    shown: attestation::Shown,
) -> Result<PresentedClient, ClientAuthRefused> {
    let others = [parameter::CLIENT_SECRET, parameter::CLIENT_ASSERTION];
    let other = others.iter().any(|name| parameters.value(name).is_some());
    if other || headers.contains_key(header::AUTHORIZATION) {
        return Err(ClientAuthRefused::TwoMethods);
    }
    let claimed = match parameters.value(parameter::CLIENT_ID) {
        Some(id) => id.into(),
        None => shown.claimed().ok_or(AttestationRefused::Form)?,
    };
    let method = ClientAuthMethod::AttestJwtClientAuth;
    let attestation = Some(shown);
    Ok(PresentedClient { attestation, ..PresentedClient::named(claimed, method) })
}

/// RFC 7521 §4.2: `client_id` is not needed, but has to be the assertion's subject when it is there.
fn by_assertion(
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<PresentedClient, ClientAuthRefused> {
    let secret = parameters.value(parameter::CLIENT_SECRET).is_some();
    if secret || headers.contains_key(header::AUTHORIZATION) {
        return Err(ClientAuthRefused::TwoMethods);
    }
    let is_svid = match parameters.value(parameter::CLIENT_ASSERTION_TYPE) {
        Some(assertion::TYPE) => false,
        Some(assertion::SPIFFE) => true,
        _ => return Err(ClientAuthRefused::AssertionType),
    };
    let text = parameters.secret(parameter::CLIENT_ASSERTION);
    let text = text.ok_or(ClientAuthRefused::AssertionForm)?;
    let (issuer, claimed) =
        assertion::claimed(text.expose()).ok_or(ClientAuthRefused::AssertionForm)?;
    let method = ClientAuthMethod::PrivateKeyJwt;
    if is_svid || issuer != claimed.as_str() {
        // Not by the client itself: whose workload it is has to be said, and is for rules to judge.
        let claimed = parameters.value(parameter::CLIENT_ID);
        let claimed = claimed.ok_or(ClientAuthRefused::AssertionForm)?.into();
        let assertion = Some(text);
        let named = PresentedClient::named(claimed, method);
        return Ok(PresentedClient { assertion, is_foreign: true, ..named });
    }
    if parameters.value(parameter::CLIENT_ID).is_some_and(|id| id != claimed.as_str()) {
        return Err(ClientAuthRefused::AssertionForm);
    }
    Ok(PresentedClient { assertion: Some(text), ..PresentedClient::named(claimed, method) })
}

fn basic(field: &str) -> Option<PresentedClient> {
    let (scheme, value) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let (id, secret) = (form_decode(id)?, form_decode(secret)?);
    if id.is_empty() {
        return None;
    }
    let named = PresentedClient::named(id.into(), ClientAuthMethod::ClientSecretBasic);
    Some(PresentedClient { secret: Some(Secret::new(secret)), ..named })
}

/// Checks the credentials. A client with a secret may send it either way of RFC 6749 §2.3.1;
/// an unknown client costs the same work as a known one.
///
/// # Errors
/// [`ClientAuthRefused`] names the rule broken; an unknown client and a bad secret read the same.
pub async fn authenticate(
    authority: &Authority,
    presented: &PresentedClient,
    now: Timestamp,
) -> Result<AuthenticatedClient, ClientAuthRefused> {
    let store = authority.store();
    let client = metadata_document::find(authority, &presented.claimed, now).await?;
    let expected = client.as_ref().and_then(|client| client.secret_hash);
    let shown = presented.secret.as_ref().map(|secret| OpaqueHash::of(secret.expose()));
    let fits = hashes_agree(expected.as_ref(), shown.as_ref());
    let client = client.ok_or(ClientAuthRefused::UnknownClient)?;
    if let Some(assertion) = &presented.assertion {
        if client.auth_method != ClientAuthMethod::PrivateKeyJwt {
            return Err(ClientAuthRefused::Method(client.auth_method));
        }
        if presented.is_foreign {
            let workload = foreign::workload(authority, assertion.expose(), now).await?;
            if workload.id != client.id {
                return Err(ClientAuthRefused::Foreign(ForeignRefused::NoRule));
            }
        } else {
            assertion::check(authority, &client, assertion.expose(), now).await?;
        }
    } else if client.auth_method == ClientAuthMethod::PrivateKeyJwt {
        return Err(ClientAuthRefused::Method(client.auth_method));
    }
    let attested = client.auth_method == ClientAuthMethod::AttestJwtClientAuth;
    let instance = match &presented.attestation {
        Some(shown) if attested => Some(attestation::check(authority, &client, shown, now).await?),
        Some(_) => return Err(ClientAuthRefused::Method(client.auth_method)),
        None if attested => return Err(AttestationRefused::Missing.into()),
        None => None,
    };
    if let ClientAuthMethod::TlsClientAuth | ClientAuthMethod::SelfSignedTlsClientAuth =
        client.auth_method
    {
        certificate::check(authority, &client, presented.certificate.as_ref(), now)?;
    }
    match (expected.is_some(), shown.is_some()) {
        (true, true) if !fits => return Err(ClientAuthRefused::BadSecret),
        (true, false) => return Err(ClientAuthRefused::SecretMissing),
        (false, true) => return Err(ClientAuthRefused::SecretUnexpected),
        (true, true) | (false, false) => {}
    }
    let fapi2 = profile::is_fapi2(authority.settings(), &client.options);
    if fapi2 && !profile::authenticates(client.auth_method) {
        return Err(ClientAuthRefused::Profile);
    }
    if client.disabled || is_suspended(store, &client.id, now) {
        return Err(ClientAuthRefused::Disabled);
    }
    let by_certificate = client.auth_method == ClientAuthMethod::TlsClientAuth
        || client.auth_method == ClientAuthMethod::SelfSignedTlsClientAuth;
    let method = if by_certificate { client.auth_method } else { presented.method };
    Ok(AuthenticatedClient { client, method, instance })
}

/// The client that a workload is, which shows a token of a trusted issuer and nothing else.
///
/// # Errors
/// [`ClientAuthRefused`] when the token is not taken, or the client is turned away.
pub(crate) async fn by_workload(
    authority: &Authority,
    assertion: &str,
    now: Timestamp,
) -> Result<AuthenticatedClient, ClientAuthRefused> {
    let client = foreign::workload(authority, assertion, now).await?;
    if client.disabled || is_suspended(authority.store(), &client.id, now) {
        return Err(ClientAuthRefused::Disabled);
    }
    let method = client.auth_method;
    Ok(AuthenticatedClient { client, method, instance: None })
}

/// Whether a client is suspended, so that nothing may be issued to it.
pub(crate) fn is_suspended(store: &Store, client: &ClientId, now: Timestamp) -> bool {
    let index = store.index();
    index.suspension_on(&Selector::Client(client.clone()), now).is_some()
        || index.suspension_on(&Selector::Issuer, now).is_some()
}

fn hashes_agree(expected: Option<&OpaqueHash>, shown: Option<&OpaqueHash>) -> bool {
    const NOBODY: [u8; 32] = [0; 32];
    let expected_bytes = expected.map_or(&NOBODY, OpaqueHash::as_bytes);
    let shown_bytes = shown.map_or(&NOBODY, OpaqueHash::as_bytes);
    let equal = verify_slices_are_equal(expected_bytes, shown_bytes).is_ok();
    equal && expected.is_some() && shown.is_some()
}

// === impl PresentedClient ===

impl PresentedClient {
    /// The client secret that came.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// One that says its name, and nothing else yet.
    fn named(claimed: ClientId, method: ClientAuthMethod) -> Self {
        Self {
            claimed,
            method,
            secret: None,
            assertion: None,
            is_foreign: false,
            attestation: None,
            certificate: None,
        }
    }

    /// With the certificate that came with the connection.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<ClientCertificate>) -> Self {
        Self { certificate, ..self }
    }
}

// === impl AuthenticatedClient ===

impl AuthenticatedClient {
    /// A client that is this very process: there is nobody else who could act for it, and nothing to
    /// show.
    ///
    /// # Errors
    /// [`ClientAuthRefused`] when there is no such client, or it is turned away.
    pub(crate) async fn of_this_process(
        authority: &Authority,
        id: &ClientId,
        now: Timestamp,
    ) -> Result<Self, ClientAuthRefused> {
        let client = authority.store().client(id).await?;
        let client = client.ok_or(ClientAuthRefused::UnknownClient)?;
        if client.disabled || is_suspended(authority.store(), &client.id, now) {
            return Err(ClientAuthRefused::Disabled);
        }
        let method = client.auth_method;
        Ok(Self { client, method, instance: None })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client, to be kept.
    pub(crate) fn shared(&self) -> &Arc<Client> {
        &self.client
    }

    /// Its name.
    pub fn id(&self) -> &ClientId {
        &self.client.id
    }

    /// It alone, for events.
    pub(crate) fn who(&self) -> Who {
        Who { client: Some(self.client.id.clone()), ..Who::default() }
    }

    /// How it authenticated.
    pub fn method(&self) -> ClientAuthMethod {
        self.method
    }

    /// The attested key of the instance that asks, where its client is attested
    /// (draft-ietf-oauth-attestation-based-client-auth-10).
    pub fn instance(&self) -> Option<&KeyId> {
        self.instance.as_ref()
    }

    /// Whether it has nothing to show: anybody can name themselves so, PKCE and the redirect URI are
    /// what protects it.
    pub fn is_public(&self) -> bool {
        self.client.auth_method == ClientAuthMethod::None
    }
}

// === impl ClientAuthRefused ===

impl ClientAuthRefused {
    /// The word for it in `client_auth` events; `None` when nothing was tried.
    pub fn event_result(&self) -> Option<&'static str> {
        match self {
            Self::BadSecret
            | Self::Certificate
            | Self::CertificateMissing
            | Self::Disabled
            | Self::Method(_)
            | Self::Profile
            | Self::SecretMissing
            | Self::SecretUnexpected => Some("bad_secret"),
            Self::Foreign(ForeignRefused::Store(_)) => None,
            Self::Attestation(refused) => refused.is_guess().then_some("bad_assertion"),
            Self::Foreign(_)
            | Self::Assertion(_)
            | Self::AssertionAudience
            | Self::AssertionReplayed
            | Self::AssertionTooLong => Some("bad_assertion"),
            Self::Document(_) | Self::UnknownClient => Some("unknown_client"),
            Self::AssertionForm
            | Self::AssertionType
            | Self::BasicForm
            | Self::NoCredentials
            | Self::Store(_)
            | Self::Throttled(_)
            | Self::TwoMethods => None,
        }
    }
}

impl From<FindRefused> for ClientAuthRefused {
    fn from(refused: FindRefused) -> Self {
        match refused {
            FindRefused::Document(refused) => Self::Document(refused),
            FindRefused::Store(error) => Self::Store(error),
        }
    }
}

impl From<ClientAuthRefused> for OAuthError {
    fn from(refused: ClientAuthRefused) -> Self {
        match refused {
            ClientAuthRefused::Store(error)
            | ClientAuthRefused::Foreign(ForeignRefused::Store(error)) => error.into(),
            ClientAuthRefused::Throttled(throttled) => Self::throttled(&throttled),
            ClientAuthRefused::TwoMethods => Self::invalid_request(refused.to_string()),
            ClientAuthRefused::Attestation(refused) => refused.into(),
            ClientAuthRefused::Assertion(_)
            | ClientAuthRefused::AssertionAudience
            | ClientAuthRefused::AssertionForm
            | ClientAuthRefused::AssertionReplayed
            | ClientAuthRefused::AssertionTooLong
            | ClientAuthRefused::AssertionType
            | ClientAuthRefused::BadSecret
            | ClientAuthRefused::BasicForm
            | ClientAuthRefused::Certificate
            | ClientAuthRefused::CertificateMissing
            | ClientAuthRefused::Disabled
            | ClientAuthRefused::Document(_)
            | ClientAuthRefused::Foreign(_)
            | ClientAuthRefused::Method(_)
            | ClientAuthRefused::NoCredentials
            | ClientAuthRefused::Profile
            | ClientAuthRefused::SecretMissing
            | ClientAuthRefused::SecretUnexpected
            | ClientAuthRefused::UnknownClient => {
                Self::new(OAuthErrorCode::InvalidClient, refused.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests;
