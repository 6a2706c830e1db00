//! The keys of a client and how it wants its answers: read from a registration, and checked (RFC 7591 §2).

use serde_json::{Map, Value};
use store::{CertificateSubject, ClientOptions};
use token::jwk::BadKey;
use token::key::KeySet;
use token::term::scope;
use token::term::{
    Algorithm, ClientAuthMethod, ContentEncryption, DeliveryMode, GrantType, KeyManagement,
};
use url::Url;

use crate::client_auth::certificate::{SUBJECTS, distinguished_name};
use crate::client_keys;
use crate::register::member::{flag, owned, scopes, seconds, texts, word, wrong};
use crate::register::{ClientDraft, RegistrationRefused};
use crate::rule::{profile, redirect_uri};
use crate::settings::Settings;

/// How answers can be encrypted to a client's key.
pub(crate) const ENCRYPTION_ALGS: [KeyManagement; 3] =
    [KeyManagement::EcdhEs, KeyManagement::EcdhEsA256Kw, KeyManagement::RsaOaep256];

/// Each is a box on a page, and a field of its form.
const MOST_OPTIONAL: usize = 40;

/// The names of all that [`parse`] reads.
pub const NAMES: [&str; 42] = [
    "access_token_life",
    "authorization_details_types",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "authorization_signed_response_alg",
    "backchannel_client_notification_endpoint",
    "backchannel_logout_session_required",
    "backchannel_logout_uri",
    "backchannel_token_delivery_mode",
    "client_attester",
    "default_max_age",
    "dpop_bound_access_tokens",
    "exchange_audiences",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "id_token_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "introspection_signed_response_alg",
    "jwks",
    "jwks_uri",
    "may_act",
    "optional_scopes",
    "pkce_optional",
    "post_logout_redirect_uris",
    "profile",
    "refresh_absolute_life",
    "refresh_idle_life",
    "request_object_signing_alg",
    "require_mfa",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_email",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_uri",
    "tls_client_auth_subject_dn",
    "tls_client_certificate_bound_access_tokens",
    "token_endpoint_auth_signing_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "userinfo_signed_response_alg",
];

/// Reads them among the members of a registration; other members are not looked at.
///
/// # Errors
/// [`RegistrationRefused`] names the member that is wrong.
pub fn parse(members: &Map<String, Value>) -> Result<ClientOptions, RegistrationRefused> {
    let jwks = match members.get("jwks") {
        None | Some(Value::Null) => None,
        Some(jwks @ Value::Object(_)) => Some(jwks.clone()),
        Some(_) => return Err(wrong("jwks", "must be a JSON Web Key Set (RFC 7517 section 5)")),
    };
    let requires_push = flag(members, "require_pushed_authorization_requests")?;
    Ok(ClientOptions {
        jwks,
        jwks_uri: owned(members, "jwks_uri")?,
        token_endpoint_auth_signing_alg: word(members, "token_endpoint_auth_signing_alg")?,
        client_attester: owned(members, "client_attester")?,
        dpop_bound_access_tokens: flag(members, "dpop_bound_access_tokens")?,
        require_pushed_authorization_requests: requires_push,
        pkce_optional: flag(members, "pkce_optional")?,
        id_token_signed_response_alg: word(members, "id_token_signed_response_alg")?,
        id_token_encrypted_response_alg: word(members, "id_token_encrypted_response_alg")?,
        id_token_encrypted_response_enc: word(members, "id_token_encrypted_response_enc")?,
        authorization_signed_response_alg: word(members, "authorization_signed_response_alg")?,
        authorization_encrypted_response_alg: word(
            members,
            "authorization_encrypted_response_alg",
        )?,
        authorization_encrypted_response_enc: word(
            members,
            "authorization_encrypted_response_enc",
        )?,
        userinfo_signed_response_alg: word(members, "userinfo_signed_response_alg")?,
        userinfo_encrypted_response_alg: word(members, "userinfo_encrypted_response_alg")?,
        userinfo_encrypted_response_enc: word(members, "userinfo_encrypted_response_enc")?,
        introspection_signed_response_alg: word(members, "introspection_signed_response_alg")?,
        introspection_encrypted_response_alg: word(
            members,
            "introspection_encrypted_response_alg",
        )?,
        introspection_encrypted_response_enc: word(
            members,
            "introspection_encrypted_response_enc",
        )?,
        request_object_signing_alg: word(members, "request_object_signing_alg")?,
        require_signed_request_object: flag(members, "require_signed_request_object")?,
        post_logout_redirect_uris: texts(members, "post_logout_redirect_uris")?.unwrap_or_default(),
        backchannel_logout_uri: owned(members, "backchannel_logout_uri")?,
        backchannel_logout_session_required: flag(members, "backchannel_logout_session_required")?,
        optional_scopes: scopes(members, "optional_scopes")?.unwrap_or_default(),
        authorization_details_types: texts(members, "authorization_details_types")?
            .unwrap_or_default(),
        may_act: texts(members, "may_act")?.unwrap_or_default(),
        exchange_audiences: texts(members, "exchange_audiences")?.unwrap_or_default(),
        tls_client_auth: CertificateSubject {
            tls_client_auth_subject_dn: owned(members, "tls_client_auth_subject_dn")?,
            tls_client_auth_san_dns: owned(members, "tls_client_auth_san_dns")?,
            tls_client_auth_san_uri: owned(members, "tls_client_auth_san_uri")?,
            tls_client_auth_san_ip: owned(members, "tls_client_auth_san_ip")?,
            tls_client_auth_san_email: owned(members, "tls_client_auth_san_email")?,
        },
        tls_client_certificate_bound_access_tokens: flag(
            members,
            "tls_client_certificate_bound_access_tokens",
        )?,
        backchannel_token_delivery_mode: word(members, "backchannel_token_delivery_mode")?,
        backchannel_client_notification_endpoint: owned(
            members,
            "backchannel_client_notification_endpoint",
        )?,
        profile: word(members, "profile")?,
        access_token_life: seconds(members, "access_token_life")?,
        refresh_idle_life: seconds(members, "refresh_idle_life")?,
        refresh_absolute_life: seconds(members, "refresh_absolute_life")?,
        require_mfa: flag(members, "require_mfa")?,
        default_max_age: seconds(members, "default_max_age")?,
    })
}

/// What [`parse`] reads these options from.
pub fn members(options: &ClientOptions) -> Map<String, Value> {
    match serde_json::to_value(options) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// Checks the options of a draft.
pub(super) fn check(draft: &ClientDraft, settings: &Settings) -> Result<(), RegistrationRefused> {
    let options = &draft.options;
    check_keys(options)?;
    let keyless = options.jwks.is_none() && options.jwks_uri.is_none();
    // A workload shows a token of its platform: it needs no key of its own.
    let workload = draft.grant_types.contains(&GrantType::JwtBearer);
    if draft.auth_method == ClientAuthMethod::PrivateKeyJwt && keyless && !workload {
        return Err(wrong("token_endpoint_auth_method", "private_key_jwt needs jwks or jwks_uri"));
    }
    if options.require_signed_request_object && keyless {
        return Err(wrong("require_signed_request_object", "needs jwks or jwks_uri"));
    }
    let place = options.backchannel_client_notification_endpoint.as_deref();
    if place.is_some_and(|uri| !is_fetchable(uri)) {
        let rule = "must be an https URL without user and fragment";
        return Err(wrong("backchannel_client_notification_endpoint", rule));
    }
    let ping = options.backchannel_token_delivery_mode == Some(DeliveryMode::Ping);
    if ping && place.is_none() {
        let rule = "ping needs backchannel_client_notification_endpoint";
        return Err(wrong("backchannel_token_delivery_mode", rule));
    }
    if options.backchannel_logout_uri.as_deref().is_some_and(|uri| !is_fetchable(uri)) {
        return Err(wrong(
            "backchannel_logout_uri",
            "must be an https URL without user and fragment",
        ));
    }
    for uri in &options.post_logout_redirect_uris {
        redirect_uri::check_registration(uri)
            .map_err(|_| wrong("post_logout_redirect_uris", "must be as redirect URIs are"))?;
    }
    check_certificate(draft, settings)?;
    check_attester(draft, settings)?;
    check_lives(options, settings)?;
    if profile::is_fapi2(settings, options) {
        profile::check_fapi2(draft, settings)?;
    }
    if options.optional_scopes.contains(scope::OPENID) {
        return Err(wrong("optional_scopes", "cannot have openid: it is the sign-in itself"));
    }
    if options.optional_scopes.iter().count() > MOST_OPTIONAL {
        return Err(wrong("optional_scopes", "can have 40 scopes at most"));
    }
    let defined = |kind: &String| settings.authorization_details.iter().any(|d| d.kind == *kind);
    if !options.authorization_details_types.iter().all(defined) {
        return Err(wrong("authorization_details_types", "must be of those in the metadata"));
    }
    let audiences = settings.audiences();
    if !options.exchange_audiences.iter().all(|audience| audiences.contains(audience)) {
        return Err(wrong("exchange_audiences", "must be resources of this server"));
    }
    if options.may_act.iter().any(String::is_empty) {
        return Err(wrong("may_act", "must be ids of clients"));
    }
    let unsigned = options.userinfo_signed_response_alg.is_none();
    if options.userinfo_encrypted_response_alg.is_some() && unsigned {
        return Err(wrong("userinfo_encrypted_response_alg", "needs userinfo_signed_response_alg"));
    }
    for answer in Answer::all(options) {
        answer.check(options, settings)?;
    }
    Ok(())
}

/// RFC 8705 §2.1.2, §2.2.2 and §3.4.
fn check_certificate(draft: &ClientDraft, settings: &Settings) -> Result<(), RegistrationRefused> {
    const METHOD: &str = "token_endpoint_auth_method";
    const BOUND: &str = "tls_client_certificate_bound_access_tokens";
    let options = &draft.options;
    let by_certificate = matches!(
        draft.auth_method,
        ClientAuthMethod::TlsClientAuth | ClientAuthMethod::SelfSignedTlsClientAuth
    );
    if by_certificate && !settings.mutual_tls {
        return Err(wrong(METHOD, "is not to be had here: no client certificates are asked for"));
    }
    let bound = options.tls_client_certificate_bound_access_tokens;
    if bound && !settings.mutual_tls {
        return Err(wrong(BOUND, "is not to be had here: no client certificates are asked for"));
    }
    if bound && draft.auth_method == ClientAuthMethod::None {
        return Err(wrong(BOUND, "needs a client that authenticates"));
    }
    let subject = members(options);
    let named = SUBJECTS.iter().filter(|name| subject.contains_key(**name)).count();
    match draft.auth_method {
        ClientAuthMethod::TlsClientAuth if named != 1 => {
            return Err(wrong(METHOD, "tls_client_auth needs one of the tls_client_auth_ members"));
        }
        ClientAuthMethod::SelfSignedTlsClientAuth if !has_certificate(options) => {
            let rule = "self_signed_tls_client_auth needs jwks with a certificate in `x5c`";
            return Err(wrong(METHOD, rule));
        }
        _ => {}
    }
    let name = options.tls_client_auth.tls_client_auth_subject_dn.as_deref();
    if name.is_some_and(|name| distinguished_name(name).is_none()) {
        return Err(wrong("tls_client_auth_subject_dn", "must be as in RFC 4514: CN=a, O=b"));
    }
    let ip = options.tls_client_auth.tls_client_auth_san_ip.as_deref();
    if ip.is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        return Err(wrong("tls_client_auth_san_ip", "must be an IP address"));
    }
    Ok(())
}

/// An instance that nobody here would believe is of no use.
fn check_attester(draft: &ClientDraft, settings: &Settings) -> Result<(), RegistrationRefused> {
    let attested = draft.auth_method == ClientAuthMethod::AttestJwtClientAuth;
    if attested && settings.attesters.is_empty() {
        const RULE: &str = "is not to be had here: no attester is trusted";
        return Err(wrong("token_endpoint_auth_method", RULE));
    }
    let trusted = |named: &str| settings.attesters.iter().any(|known| known.issuer == named);
    if draft.options.client_attester.as_deref().is_some_and(|named| !trusted(named)) {
        return Err(wrong("client_attester", "must be one of those that are trusted here"));
    }
    Ok(())
}

fn has_certificate(options: &ClientOptions) -> bool {
    let keys = options.jwks.as_ref().and_then(|jwks| jwks.get("keys")).and_then(Value::as_array);
    keys.is_some_and(|keys| keys.iter().any(|key| key.get("x5c").is_some()))
}

/// Revocations are remembered as long as the usual lives: no client's tokens may outlive them.
fn check_lives(options: &ClientOptions, settings: &Settings) -> Result<(), RegistrationRefused> {
    for (name, life, most) in [
        ("access_token_life", options.access_token_life, settings.access_token_life),
        ("refresh_idle_life", options.refresh_idle_life, settings.refresh_idle_life),
        ("refresh_absolute_life", options.refresh_absolute_life, settings.refresh_absolute_life),
    ] {
        if life.is_some_and(|life| life == 0 || life > most.as_secs()) {
            return Err(wrong(name, "must be at least a second, and not more than is configured"));
        }
    }
    Ok(())
}

fn check_keys(options: &ClientOptions) -> Result<(), RegistrationRefused> {
    if options.jwks.is_some() && options.jwks_uri.is_some() {
        return Err(RegistrationRefused::KeysTwice);
    }
    if let Some(jwks) = &options.jwks
        && let Err(fault) = KeySet::from_jwks(jwks.to_string().as_bytes())
    {
        return Err(match fault {
            BadKey::Private => wrong("jwks", "has a private key; send the public half alone"),
            _ => wrong("jwks", "must be a JSON Web Key Set (RFC 7517 section 5)"),
        });
    }
    if options.jwks_uri.as_deref().is_some_and(|uri| !is_fetchable(uri)) {
        return Err(wrong("jwks_uri", "must be an https URL without user and fragment"));
    }
    Ok(())
}

/// How one kind of answer is wanted.
struct Answer {
    name: &'static str,
    signed: Option<Algorithm>,
    encrypted: Option<KeyManagement>,
    content: Option<ContentEncryption>,
}

impl Answer {
    fn all(options: &ClientOptions) -> [Self; 4] {
        [
            Self {
                name: "id_token",
                signed: options.id_token_signed_response_alg,
                encrypted: options.id_token_encrypted_response_alg,
                content: options.id_token_encrypted_response_enc,
            },
            Self {
                name: "authorization",
                signed: options.authorization_signed_response_alg,
                encrypted: options.authorization_encrypted_response_alg,
                content: options.authorization_encrypted_response_enc,
            },
            Self {
                name: "userinfo",
                signed: options.userinfo_signed_response_alg,
                encrypted: options.userinfo_encrypted_response_alg,
                content: options.userinfo_encrypted_response_enc,
            },
            Self {
                name: "introspection",
                signed: options.introspection_signed_response_alg,
                encrypted: options.introspection_encrypted_response_alg,
                content: options.introspection_encrypted_response_enc,
            },
        ]
    }

    fn check(
        &self,
        options: &ClientOptions,
        settings: &Settings,
    ) -> Result<(), RegistrationRefused> {
        const KNOWN: &str = "must be one of those in the metadata";
        let member = |part: &str| format!("{}_{part}", self.name);
        if self.signed.is_some_and(|algorithm| !settings.signing_algs.contains(&algorithm)) {
            return Err(wrong(&member("signed_response_alg"), KNOWN));
        }
        let enc = member("encrypted_response_enc");
        let Some(how) = self.encrypted else {
            return match self.content {
                Some(_) => Err(wrong(&enc, "needs its `_alg`")),
                None => Ok(()),
            };
        };
        let alg = member("encrypted_response_alg");
        if !ENCRYPTION_ALGS.contains(&how) {
            return Err(wrong(&alg, KNOWN));
        }
        // Absent, it would mean A128CBC-HS256 (OpenID Connect Dynamic Client Registration 1.0 §2).
        if self.content != Some(ContentEncryption::A256Gcm) {
            return Err(wrong(&enc, "must be A256GCM"));
        }
        let key = options.jwks.as_ref().and_then(|jwks| client_keys::encryption_key(jwks, how));
        key.map(drop).ok_or(RegistrationRefused::NoEncryptionKey(alg))
    }
}

/// As the fetcher will have it: by TLS, or on this machine.
fn is_fetchable(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| {
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        (url.scheme() == "https" || (url.scheme() == "http" && here))
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    })
}
