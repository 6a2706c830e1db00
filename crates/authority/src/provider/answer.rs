//! What a provider's token endpoint answers, and the list of addresses as GitHub has it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use token::json;
use token::secret::Secret;
use token::time::Timestamp;

use super::exchange::ProviderFailed;

/// RFC 6749 §5.1. GitHub answers 200 to a refusal, too.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    expires_in: Option<serde_json::Value>,
    scope: Option<String>,
    error: Option<String>,
}

/// Tokens of a provider.
pub(crate) struct Tokens {
    pub(super) access: Secret,
    pub(super) id: Option<Secret>,
    refresh: Option<Secret>,
    expires_at: Option<i64>,
    scope: Option<String>,
}

/// One address (GitHub REST API, "List email addresses for the authenticated user").
#[derive(Deserialize)]
struct Address {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

// === impl TokenAnswer ===

impl TokenAnswer {
    /// Reads it.
    ///
    /// # Errors
    /// [`ProviderFailed`] when it is no token answer, or a refusal.
    pub(super) fn read(body: &Bytes, now: Timestamp) -> Result<Tokens, ProviderFailed> {
        let answer: Self = json::parse(body).map_err(|_| ProviderFailed::Answer("tokens"))?;
        if let Some(code) = answer.error {
            return Err(ProviderFailed::refused(&code));
        }
        let life = answer.expires_in.as_ref().and_then(|life| {
            life.as_i64().or_else(|| life.as_str().and_then(|text| text.parse().ok()))
        });
        Ok(Tokens {
            access: answer.access_token.ok_or(ProviderFailed::Answer("access_token"))?,
            id: answer.id_token,
            refresh: answer.refresh_token,
            expires_at: life.map(|life| now.as_secs().saturating_add(life)),
            scope: answer.scope,
        })
    }
}

// === impl Tokens ===

impl Tokens {
    /// What is kept of them, where they are.
    pub(super) fn kept(&self) -> String {
        let refresh = self.refresh.as_ref().map(Secret::expose);
        let kept = json!({
            "access_token": self.access.expose(),
            "refresh_token": refresh,
            "expires_at": self.expires_at,
            "scope": self.scope,
        });
        kept.to_string()
    }
}

/// The primary address of a list, and whether it is shown to be its person's.
///
/// # Errors
/// [`ProviderFailed`] when it is no such list.
pub(super) fn primary_address(body: &Bytes) -> Result<Option<(String, bool)>, ProviderFailed> {
    let list: Vec<Address> =
        serde_json::from_slice(body).map_err(|_| ProviderFailed::Answer("email addresses"))?;
    let primary = list.into_iter().find(|address| address.primary);
    Ok(primary.map(|address| (address.email, address.verified)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use token::time::Timestamp;

    use super::{ProviderFailed, TokenAnswer, primary_address};

    fn read(text: &'static str) -> Result<String, ProviderFailed> {
        let tokens = TokenAnswer::read(&Bytes::from(text), Timestamp::from_secs(100));
        tokens.map(|tokens| tokens.kept())
    }

    #[test]
    fn tokens_are_read_and_kept() {
        let kept = read(r#"{"access_token":"a","refresh_token":"r","expires_in":"60"}"#);
        let kept: serde_json::Value = serde_json::from_str(&kept.expect("tokens")).expect("JSON");
        assert_eq!((&kept["access_token"], &kept["expires_at"]), (&"a".into(), &160.into()));
        assert!(matches!(read("{}"), Err(ProviderFailed::Answer("access_token"))));
        assert!(matches!(read("access_token=a"), Err(ProviderFailed::Answer("tokens"))));
        let refused = read(r#"{"error":"bad_verification_code"}"#);
        assert!(
            matches!(refused, Err(ProviderFailed::Refused(code)) if code == "bad_verification_code")
        );
    }

    #[test]
    fn only_the_primary_address_counts() {
        let of = |text: &'static str| primary_address(&Bytes::from(text));
        let two = r#"[{"email":"x@a.example","verified":true},
            {"email":"y@a.example","primary":true,"verified":false,"visibility":null}]"#;
        assert_eq!(of(two).expect("list"), Some(("y@a.example".to_owned(), false)));
        assert_eq!(of("[]").expect("list"), None);
        assert!(of("{}").is_err());
    }
}
