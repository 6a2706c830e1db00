//! The names by which a row of the table means detectors: one, a family, or all.

use std::fmt;
use std::str::FromStr;

/// Detectors that a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detectors {
    /// Every one.
    All,
    /// Those of a family.
    Family(Family),
    /// This one.
    Named(&'static str),
}

/// Detectors that look at the same kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Signing in, consent, registration, and where tokens are used.
    SignIn,
    /// What tokens themselves give away: forged, stolen, replayed, leaked.
    Tokens,
    /// Use of the API.
    Traffic,
}

/// A text that names no detector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a detector: use a name that findings have, a family (`sign_in`, `tokens` or `traffic`), or `*`"
)]
pub struct NotDetectors(String);

const SIGN_IN: [&str; 17] = [
    "client_secret_guessing",
    "client_secret_sharing",
    "consent_phishing",
    "copied_passkey",
    "credential_stuffing",
    "device_code_guessing",
    "device_phishing",
    "impossible_travel",
    "mfa_fatigue",
    "new_place",
    "password_guessing",
    "password_spraying",
    "pkce_failures",
    "redirect_probing",
    "registration_surge",
    "scope_creep",
    "token_sharing",
];
const TOKENS: [&str; 9] = [
    "assertion_replay",
    "code_replay",
    "disabled_account_token",
    "dpop_replay",
    "forged_token",
    "honeytoken",
    "leak_report",
    "refresh_reuse",
    "revoked_token_hammering",
];
const TRAFFIC: [&str; 13] = [
    "anomaly",
    "automation",
    "bola_ownership",
    "enumeration",
    "exfiltration",
    "function_probing",
    "injection_probing",
    "least_privilege",
    "scanning",
    "sequence",
    "throttle_evasion",
    "token_guessing",
    "volume",
];

// === impl Detectors ===

impl Detectors {
    /// Whether this detector is among them.
    pub fn include(self, detector: &str) -> bool {
        match self {
            Self::All => true,
            Self::Family(family) => family.detectors().contains(&detector),
            Self::Named(name) => name == detector,
        }
    }
}

impl FromStr for Detectors {
    type Err = NotDetectors;

    fn from_str(text: &str) -> Result<Self, NotDetectors> {
        match text {
            "*" => return Ok(Self::All),
            "sign_in" => return Ok(Self::Family(Family::SignIn)),
            "tokens" => return Ok(Self::Family(Family::Tokens)),
            "traffic" => return Ok(Self::Family(Family::Traffic)),
            _ => {}
        }
        let known = SIGN_IN.iter().chain(&TOKENS).chain(&TRAFFIC).find(|name| **name == text);
        known
            .map(|name| Self::Named(name))
            .ok_or_else(|| NotDetectors(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Detectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "*",
            Self::Family(Family::SignIn) => "sign_in",
            Self::Family(Family::Tokens) => "tokens",
            Self::Family(Family::Traffic) => "traffic",
            Self::Named(name) => name,
        })
    }
}

// === impl Family ===

impl Family {
    /// The names of its detectors.
    pub const fn detectors(self) -> &'static [&'static str] {
        match self {
            Self::SignIn => &SIGN_IN,
            Self::Tokens => &TOKENS,
            Self::Traffic => &TRAFFIC,
        }
    }
}
