//! Typed identifiers: one type for each kind of thing, so that none can be taken for another.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::base62;
use crate::random::Random;
use crate::time::Timestamp;

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an identifier as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The identifier's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_str(Text).map(Self)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    )*};
}

identifier! {
    /// An OAuth client (`client_id`, RFC 6749 §2.2).
    ClientId;
    /// Something that is told to others.
    DeliveryId;
    /// One finding of a detector.
    FindingId;
    /// A grant: what one person or client was given at one time; every token made from it,
    /// directly or by refresh, belongs to it (the "token family").
    GrantId;
    /// A signing key (`kid`, RFC 7515 §4.1.4): the RFC 7638 thumbprint for our own keys.
    KeyId;
    /// A sign-in session of a person (`sid`).
    SessionId;
    /// A list in which the statuses of tokens are published.
    StatusListId;
    /// Whom a token speaks for (`sub`): a person, or the client itself.
    SubjectId;
    /// One token (`jti`, RFC 7519 §4.1.7): UUID version 7 for the tokens that we issue.
    TokenId;
}

impl From<&ClientId> for SubjectId {
    /// The client speaks for itself (RFC 9068 §2.2); the text is shared.
    fn from(client: &ClientId) -> Self {
        Self(Arc::clone(&client.0))
    }
}

macro_rules! random_identifier {
    ($($name:ident)*) => {$(
        impl $name {
            /// A new identifier of 131 random bits.
            pub fn generate(random: &dyn Random) -> Self {
                Self::new(base62::random(22, random))
            }
        }
    )*};
}

random_identifier!(ClientId DeliveryId FindingId GrantId SessionId StatusListId SubjectId);

/// Reads a text into its place at once: every request reads five of them.
struct Text;

impl Visitor<'_> for Text {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Arc<str>, E> {
        Ok(Arc::from(text))
    }
}

// === impl TokenId ===

impl TokenId {
    /// A new identifier that carries its time in milliseconds (UUID version 7, RFC 9562 §5.7):
    /// `iat` counts only seconds, too coarse to tell a token from before a revocation
    /// from its successor of the same second.
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        let mut bytes = [0u8; 16];
        random.fill(&mut bytes);
        let millis = u64::try_from(now.as_millis()).unwrap_or(0).to_be_bytes();
        bytes[..6].copy_from_slice(&millis[2..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let mut text = String::with_capacity(36);
        for (position, byte) in bytes.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 0x0f] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        Self::new(text)
    }

    /// The time inside the identifier, when it is a UUID version 7.
    pub fn issued_at(&self) -> Option<Timestamp> {
        let text = self.as_str();
        if text.len() != 36 || text.as_bytes().get(14) != Some(&b'7') {
            return None;
        }
        let high = text.get(0..8)?;
        let low = text.get(9..13)?;
        let millis =
            (i64::from_str_radix(high, 16).ok()? << 16) | i64::from_str_radix(low, 16).ok()?;
        Some(Timestamp::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::TokenId;
    use crate::random::OsRandom;
    use crate::time::Timestamp;

    #[test]
    fn a_token_id_carries_its_millisecond() {
        let now = Timestamp::from_millis(1_790_000_000_123);
        let id = TokenId::generate(now, &OsRandom::new());
        assert_eq!(id.as_str().len(), 36);
        assert_eq!(id.issued_at(), Some(now));
    }

    #[test]
    fn a_foreign_token_id_has_no_time() {
        for text in [
            "",
            "abc",
            "zzzzzzzz-zzzz-7zzz-8zzz-zzzzzzzzzzzz",
            "0190b2f0-0000-4000-8000-000000000000",
        ] {
            assert_eq!(TokenId::from(text).issued_at(), None, "{text}");
        }
    }
}
