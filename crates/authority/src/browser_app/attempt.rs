//! A sign-in that is under way: what the browser brings back, sealed so that only we can read it.

use std::time::Duration;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use store::seal::Sealer;
use token::base64url;
use token::random::Random;
use token::secret::Secret;
use token::term::parameter;
use token::time::Timestamp;
use url::Url;

use crate::browser_app::BrowserApp;
use crate::browser_app::refused::AppRefused;
use crate::rule::pkce;

/// How long a person may take.
pub(super) const LIFE: Duration = Duration::from_mins(10);
/// What it is sealed for.
const SEAL: &str = "sign-in of a browser application at ";

/// A sign-in that is under way.
#[derive(Deserialize, Serialize)]
pub(super) struct Attempt {
    /// What the answer has to bring back (RFC 6749 §10.12).
    state: String,
    /// What the ID token has to have (OpenID Connect Core 1.0 §3.1.2.1).
    nonce: String,
    /// What the code is redeemed with (RFC 7636 §4.1).
    verifier: String,
    /// Where the person wanted to go.
    return_to: String,
    /// When it is too late, in milliseconds.
    until: i64,
}

/// A path of the application itself, whatever it is written like: nobody is sent anywhere else.
///
/// # Errors
/// [`AppRefused::ReturnTo`] for anything that a browser could take for another origin.
pub(super) fn return_to(origin: &str, asked: Option<&str>) -> Result<String, AppRefused> {
    let path = asked.unwrap_or("/");
    // Browsers drop some characters and read `\` as `/`: what needs mending is refused.
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_path = path.starts_with('/') && !path.starts_with("//");
    let joined = Url::parse(origin).and_then(|base| base.join(path));
    let stays = joined.is_ok_and(|url| url.origin().ascii_serialization() == origin);
    if plain && is_path && stays { Ok(path.to_owned()) } else { Err(AppRefused::ReturnTo) }
}

// === impl Attempt ===

impl Attempt {
    pub(super) fn begin(return_to: String, now: Timestamp, random: &dyn Random) -> Self {
        let text = || {
            let mut bytes = [0; 32];
            random.fill(&mut bytes);
            base64url::encode(bytes)
        };
        let until = now.plus(LIFE).as_millis();
        Self { state: text(), nonce: text(), verifier: text(), return_to, until }
    }

    /// Where the person signs in (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2).
    pub(super) fn authorize_url(&self, app: &BrowserApp) -> String {
        let (settings, issuer) = (app.settings(), app.authority().settings());
        let challenge = digest::digest(&digest::SHA256, self.verifier.as_bytes());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair(parameter::RESPONSE_TYPE, parameter::CODE)
            .append_pair(parameter::CLIENT_ID, settings.client.as_str())
            .append_pair(parameter::REDIRECT_URI, &app.redirect_uri())
            .append_pair(parameter::SCOPE, &settings.scopes.to_string())
            .append_pair(parameter::RESOURCE, &settings.resource)
            .append_pair(parameter::STATE, &self.state)
            .append_pair(parameter::NONCE, &self.nonce)
            .append_pair(parameter::CODE_CHALLENGE, &base64url::encode(challenge))
            .append_pair(parameter::CODE_CHALLENGE_METHOD, pkce::METHOD)
            .finish();
        format!("{}?{query}", issuer.url("/authorize"))
    }

    /// As its cookie carries it.
    pub(super) fn sealed(&self, sealer: &Sealer, origin: &str) -> Result<String, AppRefused> {
        let text = serde_json::to_vec(self).map_err(|_| AppRefused::Unreadable)?;
        Ok(base64url::encode(sealer.seal(&format!("{SEAL}{origin}"), &text)?))
    }

    /// What a cookie carries, if we made it for this application and it is not too late.
    pub(super) fn open(
        cookie: &str,
        sealer: &Sealer,
        origin: &str,
        now: Timestamp,
    ) -> Result<Self, AppRefused> {
        let sealed = base64url::decode(cookie).ok_or(AppRefused::NoAttempt)?;
        let text = sealer.open(&format!("{SEAL}{origin}"), &sealed);
        let text = text.map_err(|_| AppRefused::NoAttempt)?;
        let attempt: Self = serde_json::from_slice(&text).map_err(|_| AppRefused::NoAttempt)?;
        if now.as_millis() < attempt.until { Ok(attempt) } else { Err(AppRefused::NoAttempt) }
    }

    /// Whether the answer is to this very request.
    pub(super) fn began(&self, state: &str) -> bool {
        Secret::new(self.state.as_str()).matches(state)
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    pub(super) fn return_to(&self) -> &str {
        &self.return_to
    }
}

#[cfg(test)]
mod tests {
    use super::return_to;

    const ORIGIN: &str = "https://app.example";

    #[test]
    fn nobody_is_sent_to_another_origin() {
        for path in ["/", "/orders?page=2#top", "/a/../b", "/%2F%2Fevil.example"] {
            assert_eq!(return_to(ORIGIN, Some(path)).ok().as_deref(), Some(path));
        }
        assert_eq!(return_to(ORIGIN, None).ok().as_deref(), Some("/"));
        let elsewhere = [
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "orders",
            "javascript:alert(1)",
            "/\u{2028}",
            "",
        ];
        for path in elsewhere {
            assert!(return_to(ORIGIN, Some(path)).is_err(), "{path:?}");
        }
    }
}
