//! The opaque family: secrets that we make, which a scanner can recognise offline.
//!
//! `twa_` + 43 base-62 digits (256 random bits; of a refresh token, [`crate::refresh`]) + 6 base-62 digits of CRC-32 over all before.
//! Stored only as SHA-256: a value of 256 random bits needs no slow hash.

use std::fmt;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use crate::base62;
use crate::random::Random;
use crate::secret::Secret;

pub(crate) const BODY: usize = 43;
const CHECK: usize = 6;

/// A regular expression that every value matches, for scanners of leaked secrets; what matches it is
/// then held against its checksum by [`Family::of`].
pub const PATTERN: &str = r"\btw[abcdgiprs]_[0-9A-Za-z]{49}\b";

/// What an opaque value is for; its prefix says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `twa_`: an access token.
    Access,
    /// `twb_`: the cookie of an application in a browser whose tokens the server keeps.
    Browser,
    /// `twc_`: an authorization code.
    Code,
    /// `twd_`: what a client polls with while a person decides elsewhere (RFC 8628, CIBA).
    Device,
    /// `twg_`: what a client manages its registration with (RFC 7592 §3).
    Registration,
    /// `twi_`: the cookie of a sign-in session.
    SignIn,
    /// `twp_`: a personal token.
    Personal,
    /// `twr_`: a refresh token.
    Refresh,
    /// `tws_`: a client secret.
    ClientSecret,
}

/// The SHA-256 of an opaque value: what is stored, and what is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpaqueHash([u8; 32]);

/// Why a text is not an opaque value of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpaque {
    /// The checksum does not fit: a typing error, or not made by us.
    #[error("the checksum is wrong: part of the value is missing or altered")]
    Checksum,
    /// Wrong length or a character outside base 62.
    #[error("the value does not have the form of this kind of token")]
    Form,
    /// No prefix of ours.
    #[error("the value has none of the known prefixes")]
    Prefix,
}

// === impl Family ===

impl Family {
    /// All families.
    pub const ALL: [Self; 9] = [
        Self::Access,
        Self::Browser,
        Self::Code,
        Self::Device,
        Self::Registration,
        Self::SignIn,
        Self::Personal,
        Self::Refresh,
        Self::ClientSecret,
    ];

    /// The first four characters.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "twa_",
            Self::Browser => "twb_",
            Self::Code => "twc_",
            Self::Device => "twd_",
            Self::Registration => "twg_",
            Self::SignIn => "twi_",
            Self::Personal => "twp_",
            Self::Refresh => "twr_",
            Self::ClientSecret => "tws_",
        }
    }

    /// A new value.
    pub fn generate(self, random: &dyn Random) -> Secret {
        let mut bytes = Zeroizing::new([0u8; 32]);
        random.fill(bytes.as_mut_slice());
        self.of_bytes(&bytes)
    }

    /// The value that stands for these bytes.
    pub(crate) fn of_bytes(self, bytes: &[u8; 32]) -> Secret {
        let mut text = String::with_capacity(4 + BODY + CHECK);
        text.push_str(self.prefix());
        text.push_str(&base62::encode(bytes, BODY));
        text.push_str(&checksum(&text));
        Secret::new(text)
    }

    /// The family of a well-formed value. This says nothing about whether we issued it.
    ///
    /// # Errors
    /// [`NotOpaque`] names what is wrong with the text.
    pub fn of(text: &str) -> Result<Self, NotOpaque> {
        let family = Self::ALL
            .into_iter()
            .find(|family| text.starts_with(family.prefix()))
            .ok_or(NotOpaque::Prefix)?;
        let body = text.get(4..).unwrap_or_default();
        if body.len() != BODY + CHECK || !base62::is_base62(body) {
            return Err(NotOpaque::Form);
        }
        let (value, check) = text.split_at(4 + BODY);
        if checksum(value) == check { Ok(family) } else { Err(NotOpaque::Checksum) }
    }
}

// === impl OpaqueHash ===

impl OpaqueHash {
    /// The hash of a presented value.
    pub fn of(text: &str) -> Self {
        let mut hash = [0u8; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
        Self(hash)
    }

    /// From its stored bytes; `None` unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for OpaqueHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{:02x}{:02x}{:02x}…", self.0[0], self.0[1], self.0[2])
    }
}

fn checksum(text: &str) -> String {
    base62::encode(&crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECK)
}

#[cfg(test)]
mod tests {
    use super::{BODY, CHECK, Family, NotOpaque, OpaqueHash, PATTERN};
    use crate::random::OsRandom;

    #[test]
    fn a_generated_value_names_its_family() {
        for family in Family::ALL {
            let value = family.generate(&OsRandom::new());
            assert_eq!(value.expose().len(), 53);
            assert_eq!(Family::of(value.expose()), Ok(family));
        }
    }

    #[test]
    fn the_published_expression_is_that_of_the_families() {
        let mut letters = Family::ALL.map(|family| &family.prefix()[2..3]);
        letters.sort_unstable();
        let length = BODY + CHECK;
        let expected = format!(r"\btw[{}]_[0-9A-Za-z]{{{length}}}\b", letters.concat());
        assert_eq!(PATTERN, expected);
        let page = include_str!("../../../docs/secret-scanning.md");
        assert!(page.contains(PATTERN));
        for family in Family::ALL {
            assert!(page.contains(&format!("| `{}` |", family.prefix())));
        }
    }

    #[test]
    fn one_altered_character_is_noticed() {
        let value = Family::Refresh.generate(&OsRandom::new());
        for position in 4..53 {
            let mut altered = value.expose().as_bytes().to_vec();
            altered[position] = if altered[position] == b'x' { b'y' } else { b'x' };
            let altered = String::from_utf8(altered).unwrap_or_default();
            assert_eq!(Family::of(&altered), Err(NotOpaque::Checksum), "position {position}");
        }
    }

    #[test]
    fn foreign_texts_are_refused_by_form() {
        assert_eq!(Family::of(""), Err(NotOpaque::Prefix));
        assert_eq!(Family::of("ghp_abc"), Err(NotOpaque::Prefix));
        assert_eq!(Family::of("twr_abc"), Err(NotOpaque::Form));
        assert_eq!(Family::of(&format!("twr_{}", "é".repeat(24))), Err(NotOpaque::Form));
    }

    #[test]
    fn the_hash_does_not_print_the_value() {
        let value = Family::Access.generate(&OsRandom::new());
        let hash = OpaqueHash::of(value.expose());
        assert_eq!(OpaqueHash::from_slice(hash.as_bytes()), Some(hash));
        assert!(!format!("{hash:?}").contains(value.expose()));
    }
}
