//! Why a request was refused: one word for one refusal, on the wire, in logs, metrics and detectors.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as events carry it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }

        impl FromStr for $name {
            type Err = UnknownReason;

            fn from_str(text: &str) -> Result<Self, UnknownReason> {
                Self::ALL.iter().copied().find(|value| value.code() == text).ok_or(UnknownReason)
            }
        }
    };
}

/// A reason code that is not in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason code")]
pub struct UnknownReason;

codes! {
    /// What gives a token away as made by somebody else.
    Forgery {
        /// The header says that there is no signature.
        AlgNone = "forged:alg_none",
        /// The signature does not fit the key.
        BadSignature = "forged:bad_signature",
        /// `crit` names an extension (RFC 7515 §4.1.11).
        Crit = "forged:crit",
        /// A URL for the key, `jku` or `x5u`, is in the header.
        Jku = "forged:jku",
        /// The key itself, `jwk` or `x5c`, is in the header.
        Jwk = "forged:jwk",
        /// The algorithm is not the key's own, such as HMAC with a public key.
        KeyConfusion = "forged:key_confusion",
        /// `kid` is no opaque name: a path, a query, an object.
        Kid = "forged:kid",
        /// Our issuer is claimed with a key that we do not have.
        UnknownKey = "forged:unknown_key",
    }
}

codes! {
    /// Why a request was refused at a door (the reason codes of the event format).
    Reason {
        /// Network, client or subject is blocked for now.
        Blocked = "blocked",
        /// A request with a cookie that is not the application's own.
        CrossSite = "cross_site",
        /// The token's subject or client is disabled.
        Disabled = "disabled",
        /// No proof of possession came with the request.
        DpopMissing = "dpop:missing",
        /// The proof is for another request, token or key.
        DpopMismatch = "dpop:mismatch",
        /// The proof was used before.
        DpopReplayed = "dpop:replayed",
        /// The proof is too old.
        DpopStale = "dpop:stale",
        /// The token has expired.
        Expired = "expired",
        /// The token was made as bait; nobody has a reason to use it.
        Honeytoken = "honeytoken",
        /// The token lacks a scope that the route needs.
        InsufficientScope = "insufficient_scope",
        /// The credential or the request is not well formed.
        Malformed = "malformed",
        /// No client certificate came with the request.
        MtlsMissing = "mtls:missing",
        /// The client certificate is not the token's.
        MtlsMismatch = "mtls:mismatch",
        /// The token may not come from this network.
        Network = "network",
        /// No credential was presented.
        NoToken = "no_token",
        /// The token is not valid yet.
        NotYetValid = "not_yet_valid",
        /// A rule of the route refuses it.
        Policy = "policy",
        /// The token was taken back.
        Revoked = "revoked",
        /// The body does not fit the route's schema.
        Schema = "schema",
        /// The person has to prove again who they are.
        StepUp = "step_up",
        /// Too many requests.
        Throttled = "throttled",
        /// The request or the credential is too large.
        TooLarge = "too_large",
        /// More than one credential was presented.
        TwoTokens = "two_tokens",
        /// What has to be asked to decide cannot be asked now.
        Unavailable = "unavailable",
        /// No rule knows this path and method.
        UnknownRoute = "unknown_route",
        /// Well formed, but not issued by us.
        UnknownToken = "unknown_token",
        /// The token is for another audience.
        WrongAudience = "wrong_audience",
        /// The token names another issuer.
        WrongIssuer = "wrong_issuer",
        /// A token of another kind, such as an ID token.
        WrongType = "wrong_type",
    }
}

/// The member `refused` of a request event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// The token is a forgery.
    Forged(Forgery),
    /// The request carries an injection of this class.
    Injection(Box<str>),
    /// One of the plain reasons.
    Plain(Reason),
    /// A code of another version, only ever read from a recording.
    Unknown(Box<str>),
}

// === impl Refused ===

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::Plain(reason)
    }
}

impl From<Forgery> for Refused {
    fn from(forgery: Forgery) -> Self {
        Self::Forged(forgery)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forged(forgery) => f.write_str(forgery.code()),
            Self::Injection(class) => write!(f, "injection:{class}"),
            Self::Plain(reason) => f.write_str(reason.code()),
            Self::Unknown(code) => f.write_str(code),
        }
    }
}

impl From<&str> for Refused {
    fn from(text: &str) -> Self {
        if let Some(class) = text.strip_prefix("injection:") {
            return Self::Injection(class.into());
        }
        if let Ok(forgery) = text.parse() {
            return Self::Forged(forgery);
        }
        text.parse().map_or_else(|_| Self::Unknown(text.into()), Self::Plain)
    }
}

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Forgery, Reason, Refused};

    #[test]
    fn every_code_reads_back() {
        let forged = Forgery::ALL.iter().copied().map(Refused::Forged);
        let plain = Reason::ALL.iter().copied().map(Refused::Plain);
        for refused in forged.chain(plain).chain([Refused::Injection("sqli".into())]) {
            assert_eq!(Refused::from(refused.to_string().as_str()), refused);
            assert!(!matches!(refused, Refused::Unknown(_)));
        }
        assert_eq!(Refused::from("forged").to_string(), "forged");
    }
}
