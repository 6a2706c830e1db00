//! How surely somebody signed in (OpenID Connect Core 1.0 §2 `acr`, RFC 9470 §4).

/// By one factor: a password.
pub const ONE_FACTOR: &str = "urn:tokenward:acr:one-factor";

/// What can be reached here, the surest last.
pub const KNOWN: [&str; 1] = [ONE_FACTOR];

/// What the methods of a sign-in (RFC 8176) amount to; nothing where there are none.
pub fn of(amr: &[String]) -> Option<&'static str> {
    (!amr.is_empty()).then_some(ONE_FACTOR)
}
