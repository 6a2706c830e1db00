//! What an authority is told at its start, checked once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use token::client_address::TrustedProxies;
use token::encryption_key::EncryptionKey;
use token::ladder::Ladder;
use token::scope::{ScopeSet, is_scope_token};
use token::term::{Algorithm, Profile, TokenFormat, scope};
use url::{Host, Url};

use crate::branding::Branding;
use crate::foreign::{KeySource, TrustedIssuer};
use crate::known_places::KnownPlaces;
use crate::language::{Catalogue, Language};
use crate::leak::LeakKeys;
use crate::login::password::policy::Rules;
use crate::person_claims;
use crate::personal;
use crate::provider::{self, Provider};
use crate::register::policy::{self, PolicyRefused, Registration};
use crate::rule::authorization_details::DetailDefinition;
use crate::rule::mfa::MfaPolicy;
use crate::sign_up::SignUp;
use crate::signals::Stream;
use crate::signals::received::Transmitter;

/// What an authority is told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer identifier (RFC 8414 §2): an https URL without query, fragment or final `/`;
    /// http only for a loopback host.
    pub issuer: String,
    /// Audience of tokens for the admin API and for registration, usually the issuer.
    pub admin_resource: String,
    /// What tokens can be for (RFC 8707); the first is the default.
    pub resources: Vec<ResourceDefinition>,
    /// The scopes of the APIs, with the words that the consent page shows.
    pub scopes: Vec<ScopeDefinition>,
    /// Which of them include which.
    pub ladder: Ladder,
    /// A profile that every client keeps.
    pub profile: Option<Profile>,
    /// Whether every client has to prove with PKCE that a code came back to where it started; `false`
    /// lets confidential OpenID Connect clients leave it out.
    pub require_pkce: bool,
    /// Types of `authorization_details` that clients can ask for (RFC 9396).
    pub authorization_details: Vec<DetailDefinition>,
    /// Life of an access token.
    pub access_token_life: Duration,
    /// Life of an ID token.
    pub id_token_life: Duration,
    /// Life of an authorization code; RFC 6749 §4.1.2 recommends at most ten minutes.
    pub code_life: Duration,
    /// How long a device waits for its person (RFC 8628 §3.2).
    pub device_code_life: Duration,
    /// How long a refresh token may lie unused.
    pub refresh_idle_life: Duration,
    /// How long a grant lives, however often it is refreshed.
    pub refresh_absolute_life: Duration,
    /// How long the same party may repeat a refresh and gets the same answer.
    pub refresh_retry_window: Duration,
    /// How long a person stays signed in.
    pub session_life: Duration,
    /// How long a person stays signed in where nothing is seen of them.
    pub session_idle: Duration,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// Who may register clients, and what those may have (RFC 7591).
    pub registration: Registration,
    /// What personal tokens and tokens of services may be.
    pub personal_tokens: personal::Policy,
    /// Who may report leaked tokens; nobody without keys.
    pub leak_keys: LeakKeys,
    /// Whether a client's id may be the URL of a document that describes it.
    pub client_id_metadata_documents: bool,
    /// What tokens can be signed with; access tokens are with the first.
    pub signing_algs: Vec<Algorithm>,
    /// Whether clients can show certificates, here or at a trusted proxy.
    pub mutual_tls: bool,
    /// Other issuers whose tokens are taken.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Publishers whose software statements are taken (RFC 7591 §2.3).
    pub software_publishers: Vec<KeySource>,
    /// Whose attestations of clients' instances are taken.
    pub attesters: Vec<KeySource>,
    /// Whether proofs of attested keys have to have a challenge.
    pub attestation_challenge: bool,
    /// How many passwords are checked at the same time.
    pub password_threads: usize,
    /// Failed tries at one name, of all browsers that are not known, after which sign-in asks those for work
    /// first; half as many again from one network. 0: it never does.
    pub puzzle_after: u32,
    /// Where addresses are that pages show.
    pub places: KnownPlaces,
    /// What new passwords have to be.
    pub passwords: Rules,
    /// Who has to prove more than a password.
    pub mfa: MfaPolicy,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// What people are told by letters.
    pub notices: Notices,
    /// What pages and letters say.
    pub catalogue: Catalogue,
    /// Whose they are.
    pub branding: Branding,
    /// Identity providers that people sign in with, in the order in which they are offered.
    pub providers: Vec<Provider>,
    /// Who gets security events.
    pub streams: Vec<Stream>,
    /// Whose security events are followed.
    pub transmitters: Vec<Transmitter>,
}

/// What people are told by letters, besides changes of what protects their account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// How long before its end the owner of a personal token is told, the longest first.
    pub token_ends: Vec<Duration>,
    /// Whether people are told of a sign-in with a browser in which they never did.
    pub new_browser: bool,
}

/// An API that tokens can be for.
#[derive(Clone, Debug)]
pub struct ResourceDefinition {
    /// Its identifier: an absolute URI without a fragment.
    pub identifier: String,
    /// Life of its access tokens, where it is another than usual.
    pub access_token_life: Option<Duration>,
    /// What its access tokens are signed with, where it is another than usual.
    pub signing_alg: Option<Algorithm>,
    /// The key to which its access tokens are encrypted.
    pub encrypt_to: Option<Arc<EncryptionKey>>,
    /// Whether its access tokens are JWTs, or opaque and looked up here.
    pub token_format: TokenFormat,
    /// Whether the status of its access tokens is published.
    pub status_list: bool,
}

/// How access tokens for certain resources are made.
#[derive(Clone, Debug)]
pub(crate) struct TokenForm {
    pub(crate) life: Duration,
    pub(crate) signing_alg: Option<Algorithm>,
    pub(crate) encrypt_to: Option<Arc<EncryptionKey>>,
    pub(crate) format: TokenFormat,
    pub(crate) status_list: bool,
}

/// A scope that clients can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeDefinition {
    /// The scope token.
    pub name: String,
    /// What it allows, in words for the person who consents.
    pub description: String,
    /// The same in other languages.
    pub translations: BTreeMap<Language, String>,
    /// The resources that it belongs to; none: it belongs to nobody in particular, and applies at all.
    pub resources: Vec<String>,
    /// The claims about a person that it brings at UserInfo.
    pub claims: Vec<String>,
    /// Whether people have to prove more than a password to grant it.
    pub mfa: bool,
}

/// Which setting is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The issuer is not an absolute URL of the form that RFC 8414 §2 wants.
    #[error(
        "the issuer `{0}` must be a URL with a host and without credentials, query, fragment \
         or final `/`, its path made of letters, digits and `-._~`"
    )]
    IssuerForm(String),
    /// Plain http is for loopback hosts.
    #[error("the issuer `{0}` must use https; http is accepted for a loopback host only")]
    IssuerInsecure(String),
    /// A life of zero.
    #[error("`{0}` must be at least one second")]
    LifeTooShort(&'static str),
    /// There is no resource that tokens could be for.
    #[error("at least one resource is needed: tokens must be for somebody")]
    NoResource,
    /// Nothing to sign with.
    #[error("`signing_algs` must name at least one algorithm")]
    NoSigningAlgorithm,
    /// Clients could register what nobody may.
    #[error("registration: {0}")]
    Registration(#[from] PolicyRefused),
    /// An opaque token has no content that could be encrypted.
    #[error(
        "the resource `{0}` has opaque tokens, which cannot be encrypted; remove one of the two"
    )]
    ResourceOpaqueEncrypted(String),
    /// A resource wants what nobody can sign with.
    #[error("the resource `{0}` has a `signing_alg` that is not among `signing_algs`")]
    ResourceSigning(String),
    /// A provider's name is part of addresses, and of one provider.
    #[error("the identity provider `{0}` needs a name of its own: 1 to 32 of a-z, 0-9 and `-`")]
    ProviderName(String),
    /// No thread to check passwords on.
    #[error("`password_threads` must be at least 1")]
    NoPasswordThread,
    /// RFC 8707 §2: an absolute URI without a fragment.
    #[error("the resource `{0}` must be an absolute URI without a fragment")]
    ResourceForm(String),
    /// A scope would bring what is not about a person.
    #[error("the scope `{scope}` cannot bring `{claim}`: {refused}")]
    ScopeClaim {
        /// The scope.
        scope: String,
        /// The claim.
        claim: String,
        /// What is wrong with it.
        refused: person_claims::BadClaim,
    },
    /// A scope belongs to what is not there.
    #[error("the scope `{scope}` belongs to `{resource}`, which is no resource here")]
    ScopeResource {
        /// The scope.
        scope: String,
        /// The unknown resource.
        resource: String,
    },
    /// RFC 6749 §3.3 excludes the name.
    #[error("the scope `{0}` has a character that scopes cannot have")]
    ScopeName(String),
    /// The name is defined by us.
    #[error("the scope `{0}` is built in and cannot be defined again")]
    ScopeReserved(String),
}

// === impl ResourceDefinition ===

impl ResourceDefinition {
    /// A resource whose tokens are as usual.
    pub fn new(identifier: impl Into<String>) -> Self {
        let identifier = identifier.into();
        Self {
            identifier,
            access_token_life: None,
            signing_alg: None,
            encrypt_to: None,
            token_format: TokenFormat::Jwt,
            status_list: false,
        }
    }
}

// === impl ScopeDefinition ===

impl ScopeDefinition {
    /// A scope that belongs to nobody in particular and brings no claims.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        let (name, description) = (name.into(), description.into());
        Self {
            name,
            description,
            translations: BTreeMap::new(),
            resources: Vec::new(),
            claims: Vec::new(),
            mfa: false,
        }
    }

    fn check(&self, audiences: &[String]) -> Result<(), SettingsError> {
        let name = || self.name.clone();
        if !is_scope_token(&self.name) {
            return Err(SettingsError::ScopeName(name()));
        }
        if Settings::BUILT_IN_SCOPES.contains(&self.name.as_str()) {
            return Err(SettingsError::ScopeReserved(name()));
        }
        if let Some(resource) = self.resources.iter().find(|one| !audiences.contains(one)) {
            return Err(SettingsError::ScopeResource { scope: name(), resource: resource.clone() });
        }
        for claim in &self.claims {
            person_claims::check_name(claim).map_err(|refused| SettingsError::ScopeClaim {
                scope: name(),
                claim: claim.clone(),
                refused,
            })?;
        }
        Ok(())
    }
}

// === impl Settings ===

impl Settings {
    /// Scopes that every authority knows; pages have words for them in every language.
    pub const BUILT_IN_SCOPES: &'static [&'static str] = &[
        scope::OPENID,
        scope::PROFILE,
        scope::EMAIL,
        scope::ADDRESS,
        scope::PHONE,
        scope::OFFLINE_ACCESS,
        scope::ADMIN,
        scope::ADMIN_READ,
        scope::REGISTER,
        scope::RESTRICTIONS,
    ];

    /// Checks what can be checked without looking at anything else.
    ///
    /// # Errors
    /// [`SettingsError`] names the first setting that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        check_issuer(&self.issuer)?;
        if self.resources.is_empty() {
            return Err(SettingsError::NoResource);
        }
        let identifiers = self.resources.iter().map(|resource| &resource.identifier);
        for identifier in identifiers.chain([&self.admin_resource]) {
            if !is_resource(identifier) {
                return Err(SettingsError::ResourceForm(identifier.clone()));
            }
        }
        self.check_signing()?;
        policy::check_grant_types(self.registration.policy, &self.registration.grant_types)?;
        let audiences = self.audiences();
        self.scopes.iter().try_for_each(|scope| scope.check(&audiences))?;
        self.check_providers()?;
        if self.password_threads == 0 {
            return Err(SettingsError::NoPasswordThread);
        }
        self.check_lives()
    }

    fn shortest_resource_life(&self) -> Duration {
        let lives = self.resources.iter().filter_map(|resource| resource.access_token_life);
        lives.fold(self.access_token_life, Duration::min)
    }

    fn check_signing(&self) -> Result<(), SettingsError> {
        if self.signing_algs.is_empty() {
            return Err(SettingsError::NoSigningAlgorithm);
        }
        let unknown = |resource: &&ResourceDefinition| {
            resource.signing_alg.is_some_and(|algorithm| !self.signing_algs.contains(&algorithm))
        };
        if let Some(resource) = self.resources.iter().find(unknown) {
            return Err(SettingsError::ResourceSigning(resource.identifier.clone()));
        }
        let both = |resource: &&ResourceDefinition| {
            resource.token_format == TokenFormat::Opaque && resource.encrypt_to.is_some()
        };
        match self.resources.iter().find(both) {
            Some(resource) => {
                Err(SettingsError::ResourceOpaqueEncrypted(resource.identifier.clone()))
            }
            None => Ok(()),
        }
    }

    fn check_providers(&self) -> Result<(), SettingsError> {
        let mut seen = Vec::new();
        for provider in &self.providers {
            if !provider::is_name(&provider.name) || seen.contains(&&provider.name) {
                return Err(SettingsError::ProviderName(provider.name.clone()));
            }
            seen.push(&provider.name);
        }
        Ok(())
    }

    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    fn check_lives(&self) -> Result<(), SettingsError> {
        let lives = [
            ("access_token_life", self.access_token_life),
            ("resource.access_token_life", self.shortest_resource_life()),
            ("id_token_life", self.id_token_life),
            ("code_life", self.code_life),
            ("device_code_life", self.device_code_life),
            ("refresh_idle_life", self.refresh_idle_life),
            ("refresh_absolute_life", self.refresh_absolute_life),
            ("session_life", self.session_life),
            ("session_idle", self.session_idle),
        ];
        match lives.iter().find(|(_, life)| *life < Duration::from_secs(1)) {
            Some((name, _)) => Err(SettingsError::LifeTooShort(name)),
            None => Ok(()),
        }
    }

    /// Whether browsers reach the authority by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// The path of the issuer: empty, or `/tenant` without a final `/`.
    pub fn issuer_path(&self) -> &str {
        let after_scheme = self.issuer.split_once("://").map_or("", |(_, rest)| rest);
        after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or_default()
    }

    /// The full URL of one of our paths, such as `/token`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The path of one of our paths as browsers see it, such as `/tenant/login`.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.issuer_path())
    }

    /// Whether there is this scope.
    pub(crate) fn knows_scope(&self, name: &str) -> bool {
        Self::BUILT_IN_SCOPES.contains(&name) || self.defined_scope(name).is_some()
    }

    /// The issuer without its scheme, as people read it.
    pub(crate) fn host(&self) -> &str {
        self.issuer.split_once("://").map_or("", |(_, rest)| rest)
    }

    /// Who pages and letters are of, to people: the operator's name, else the host.
    pub(crate) fn shown_name(&self) -> &str {
        self.branding.name.as_deref().unwrap_or(self.host())
    }

    /// Whether one of these scopes, or what it includes, may only be granted with more than a password.
    pub(crate) fn demand_mfa(&self, scopes: &ScopeSet) -> bool {
        let reached = self.ladder.reach(scopes);
        self.scopes.iter().any(|scope| scope.mfa && reached.contains(&scope.name))
    }

    /// The resources that a scope belongs to; none when it belongs to nobody in particular.
    pub(crate) fn resources_of(&self, name: &str) -> &[String] {
        self.defined_scope(name).map_or(&[], |scope| &scope.resources)
    }

    fn defined_scope(&self, name: &str) -> Option<&ScopeDefinition> {
        self.scopes.iter().find(|scope| scope.name == name)
    }

    /// The identifiers of the resources.
    pub fn resource_identifiers(&self) -> Vec<String> {
        self.resources.iter().map(|resource| resource.identifier.clone()).collect()
    }

    /// Everything that a token of ours can be for.
    pub fn audiences(&self) -> Vec<String> {
        self.audience_names().map(str::to_owned).collect()
    }

    /// The same, one by one.
    pub(crate) fn audience_names(&self) -> impl Iterator<Item = &str> + Clone {
        let is_resource = |name| self.resources.iter().any(|known| known.identifier == name);
        let own = Some(self.admin_resource.as_str()).filter(|name| !is_resource(*name));
        self.resources.iter().map(|resource| resource.identifier.as_str()).chain(own)
    }

    /// How access tokens for these audiences are made: as long as the shortest life of them all.
    pub(crate) fn token_form(&self, audiences: &[String]) -> TokenForm {
        let mut form = TokenForm {
            life: self.access_token_life,
            signing_alg: None,
            encrypt_to: None,
            format: self.token_format(audiences),
            status_list: false,
        };
        let named = |resource: &&ResourceDefinition| audiences.contains(&resource.identifier);
        for resource in self.resources.iter().filter(named) {
            let life = resource.access_token_life.unwrap_or(self.access_token_life);
            form.life = if audiences.len() == 1 { life } else { form.life.min(life) };
            form.signing_alg = form.signing_alg.or(resource.signing_alg);
            form.encrypt_to = form.encrypt_to.or_else(|| resource.encrypt_to.clone());
            form.status_list |= resource.status_list;
        }
        form
    }

    /// Opaque where every audience wants it so; `rule::resource::together` refuses a mixture.
    fn token_format(&self, audiences: &[String]) -> TokenFormat {
        let opaque = |audience: &String| self.has_opaque_tokens(audience);
        if !audiences.is_empty() && audiences.iter().all(opaque) {
            TokenFormat::Opaque
        } else {
            TokenFormat::Jwt
        }
    }

    /// Whether tokens for this audience are opaque.
    pub(crate) fn has_opaque_tokens(&self, audience: &str) -> bool {
        let mut named = self.resources.iter().filter(|resource| resource.identifier == audience);
        named.any(|resource| resource.token_format == TokenFormat::Opaque)
    }

    /// Whether the status of any token is published.
    pub fn publishes_status(&self) -> bool {
        self.resources.iter().any(|resource| resource.status_list)
    }

    /// How long an access token can live.
    pub fn longest_access_token_life(&self) -> Duration {
        let lives = self.resources.iter().filter_map(|resource| resource.access_token_life);
        lives.fold(self.access_token_life, Duration::max)
    }

    /// How long after its issue the last token of a grant can still be alive: restrictions must
    /// be remembered at least that long.
    pub fn longest_token_life(&self) -> Duration {
        self.refresh_absolute_life + self.longest_access_token_life().max(self.id_token_life)
    }
}

fn check_issuer(issuer: &str) -> Result<(), SettingsError> {
    let wrong = || SettingsError::IssuerForm(issuer.to_owned());
    let url = Url::parse(issuer).map_err(|_| wrong())?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !issuer.ends_with('/')
        && url.path().split('/').skip(1).all(is_plain_segment);
    // The parser mends much in silence (upper case, default ports, tabs); clients compare
    // issuers as texts, so only a text that needs no mending will do.
    let unmended = url.as_str().strip_suffix('/').unwrap_or(url.as_str()) == issuer;
    if !plain || !unmended || !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    if url.scheme() == "http" && !is_loopback(url.host()) {
        return Err(SettingsError::IssuerInsecure(issuer.to_owned()));
    }
    Ok(())
}

fn is_plain_segment(segment: &str) -> bool {
    segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn is_loopback(host: Option<Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn is_resource(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

#[cfg(test)]
mod tests;
