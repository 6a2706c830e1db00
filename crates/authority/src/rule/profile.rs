//! Profiles that a client, or every client, keeps as a whole: FAPI 2.0 Security Profile.

use std::time::Duration;

use store::ClientOptions;
use token::term::{Algorithm, ClientAuthMethod, Profile};

use crate::register::{ClientDraft, RegistrationRefused};
use crate::settings::Settings;

/// What clients may sign with (FAPI 2.0 Security Profile §5.4.1).
pub const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Ps256, Algorithm::Es256, Algorithm::Ed25519, Algorithm::EdDsa];

/// Whether FAPI 2.0 holds for this client.
pub fn is_fapi2(settings: &Settings, options: &ClientOptions) -> bool {
    let fapi2 = Some(Profile::Fapi2);
    settings.profile == fapi2 || options.profile == fapi2
}

/// How a client may authenticate (§5.3.2.1).
pub fn authenticates(method: ClientAuthMethod) -> bool {
    matches!(
        method,
        ClientAuthMethod::PrivateKeyJwt
            | ClientAuthMethod::SelfSignedTlsClientAuth
            | ClientAuthMethod::TlsClientAuth
    )
}

/// Checks what a client registers under FAPI 2.0 (§5.3.2.1, §5.4.1).
///
/// # Errors
/// [`RegistrationRefused`] names the member that breaks it.
pub(crate) fn check_fapi2(
    draft: &ClientDraft,
    settings: &Settings,
) -> Result<(), RegistrationRefused> {
    let options = &draft.options;
    let wrong =
        |member: &str, rule| Err(RegistrationRefused::Member { member: member.to_owned(), rule });
    if !authenticates(draft.auth_method) {
        return wrong("token_endpoint_auth_method", "must be private_key_jwt or mTLS (FAPI 2.0)");
    }
    if draft.redirect_uris.iter().any(|uri| !uri.starts_with("https://")) {
        return wrong("redirect_uris", "must be https URLs under FAPI 2.0");
    }
    let usual = settings.signing_algs.first().copied();
    for (member, algorithm) in [
        ("token_endpoint_auth_signing_alg", options.token_endpoint_auth_signing_alg),
        ("request_object_signing_alg", options.request_object_signing_alg),
        ("id_token_signed_response_alg", options.id_token_signed_response_alg.or(usual)),
        ("authorization_signed_response_alg", options.authorization_signed_response_alg.or(usual)),
        ("userinfo_signed_response_alg", options.userinfo_signed_response_alg),
        ("introspection_signed_response_alg", options.introspection_signed_response_alg),
    ] {
        if algorithm.is_some_and(|algorithm| !ALGORITHMS.contains(&algorithm)) {
            return wrong(member, "must be PS256, ES256 or Ed25519 under FAPI 2.0");
        }
    }
    Ok(())
}

/// The shorter of what is usual and what a client has.
pub fn shorter(usual: Duration, own: Option<u64>) -> Duration {
    own.map_or(usual, |own| usual.min(Duration::from_secs(own)))
}
