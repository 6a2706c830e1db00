//! Proof Key for Code Exchange, S256 only (RFC 7636).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use store::Client;
use token::base64url;
use token::scope::ScopeSet;
use token::term::{ClientAuthMethod, scope};

use crate::rule::profile;
use crate::settings::Settings;

/// The one method: `plain` protects nothing that leaks (OAuth 2.1 §4.1.1).
pub const METHOD: &str = "S256";

/// Which rule a challenge or verifier breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceRefused {
    /// Not the base64url form of a SHA-256.
    #[error("`code_challenge` must be 43 base64url characters, the SHA-256 of the verifier")]
    ChallengeForm,
    /// Every client proves that the code came back to where it started.
    #[error("`code_challenge` is missing; this server requires PKCE of every client")]
    ChallengeMissing,
    /// `plain`, which is also what an absent method means (RFC 7636 §4.3).
    #[error("`code_challenge_method` must be `S256`")]
    Method,
    /// The verifier does not hash to the challenge.
    #[error("`code_verifier` does not fit the `code_challenge` of the authorization request")]
    VerifierDiffers,
    /// RFC 7636 §4.1.
    #[error("`code_verifier` must be 43 to 128 letters, digits or any of `-._~`")]
    VerifierForm,
    /// The code has a challenge, the request no verifier.
    #[error("`code_verifier` is missing; the authorization request had a `code_challenge`")]
    VerifierMissing,
    /// A verifier for a code without challenge: somebody took the challenge off on its way.
    #[error("`code_verifier` was sent, but the authorization request had no `code_challenge`")]
    VerifierUnexpected,
}

/// Whether a request may come without a challenge (OAuth 2.1 §7.5.1): only where an administrator
/// lets it, of a client that authenticates to redeem its code, and that asks for an ID token, whose
/// nonce holds the code to the browser.
pub fn may_be_omitted(settings: &Settings, client: &Client, scopes: &ScopeSet) -> bool {
    (client.options.pkce_optional || !settings.require_pkce)
        && client.auth_method != ClientAuthMethod::None
        && scopes.contains(scope::OPENID)
        && !profile::is_fapi2(settings, &client.options)
}

/// Checks the challenge of an authorization request; gives it back as it is to be stored. One that is
/// there counts also where it could have been left out.
///
/// # Errors
/// [`PkceRefused`] when it is missing or malformed, or when the method is not `S256`.
pub fn check_challenge(
    challenge: Option<&str>,
    method: Option<&str>,
    optional: bool,
) -> Result<Option<String>, PkceRefused> {
    let Some(challenge) = challenge else {
        let nothing = optional && method.is_none();
        return if nothing { Ok(None) } else { Err(PkceRefused::ChallengeMissing) };
    };
    if method != Some(METHOD) {
        return Err(PkceRefused::Method);
    }
    match base64url::decode(challenge) {
        Some(hash) if hash.len() == 32 => Ok(Some(challenge.to_owned())),
        _ => Err(PkceRefused::ChallengeForm),
    }
}

/// Checks the verifier of a token request against the challenge that its code has (§4.6).
///
/// # Errors
/// [`PkceRefused`] when they do not fit, in time that does not depend on where they differ.
pub fn verify(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), PkceRefused> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(PkceRefused::VerifierUnexpected),
        (Some(_), None) => return Err(PkceRefused::VerifierMissing),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
        return Err(PkceRefused::VerifierForm);
    }
    let hash = base64url::encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    verify_slices_are_equal(hash.as_bytes(), challenge.as_bytes())
        .map_err(|_| PkceRefused::VerifierDiffers)
}

#[cfg(test)]
mod tests {
    use super::{PkceRefused, check_challenge, verify};

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_challenge_is_a_hash_by_s256() {
        let good = Ok(Some(CHALLENGE.to_owned()));
        assert_eq!(check_challenge(Some(CHALLENGE), Some("S256"), false), good);
        let missing = check_challenge(None, Some("S256"), false);
        assert_eq!(missing, Err(PkceRefused::ChallengeMissing));
        for method in [None, Some("plain"), Some("s256"), Some("S512")] {
            for optional in [false, true] {
                let refused = check_challenge(Some(CHALLENGE), method, optional);
                assert_eq!(refused, Err(PkceRefused::Method), "{method:?}");
            }
        }
        for challenge in [
            "short",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        ] {
            let refused = check_challenge(Some(challenge), Some("S256"), false);
            assert_eq!(refused, Err(PkceRefused::ChallengeForm), "{challenge}");
        }
    }

    #[test]
    fn where_it_may_be_left_out_nothing_of_it_may_be_there() {
        assert_eq!(check_challenge(None, None, true), Ok(None));
        let half = check_challenge(None, Some("S256"), true);
        assert_eq!(half, Err(PkceRefused::ChallengeMissing));
        let whole = check_challenge(Some(CHALLENGE), Some("S256"), true);
        assert_eq!(whole, Ok(Some(CHALLENGE.to_owned())));
    }

    #[test]
    fn the_verifier_must_fit_the_challenge() {
        assert_eq!(verify(Some(CHALLENGE), Some(VERIFIER)), Ok(()));
        let other = VERIFIER.replace('d', "e");
        assert_eq!(verify(Some(CHALLENGE), Some(&other)), Err(PkceRefused::VerifierDiffers));
        // As with `plain`, the challenge itself would do.
        assert_eq!(verify(Some(CHALLENGE), Some(CHALLENGE)), Err(PkceRefused::VerifierDiffers));
    }

    #[test]
    fn neither_can_be_left_out_alone() {
        assert_eq!(verify(Some(CHALLENGE), None), Err(PkceRefused::VerifierMissing));
        assert_eq!(verify(None, Some(VERIFIER)), Err(PkceRefused::VerifierUnexpected));
        assert_eq!(verify(None, None), Ok(()));
    }

    #[test]
    fn a_verifier_has_its_form() {
        let (short, long) = ("a".repeat(42), "a".repeat(129));
        let odd = format!("{}+", "a".repeat(42));
        for verifier in [short.as_str(), long.as_str(), odd.as_str(), &"é".repeat(43)] {
            let refused = verify(Some(CHALLENGE), Some(verifier));
            assert_eq!(refused, Err(PkceRefused::VerifierForm), "{verifier}");
        }
        for length in [43, 128] {
            let refused = verify(Some(CHALLENGE), Some(&"a".repeat(length)));
            assert_eq!(refused, Err(PkceRefused::VerifierDiffers), "{length}");
        }
    }
}
