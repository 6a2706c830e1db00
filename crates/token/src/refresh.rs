//! Refresh tokens: which family one belongs to can be read from it, and that we made it.
//!
//! A family is every refresh token of one grant. A token's 256 bits are the family (80), a secret (128)
//! and a tag (48) that only our key yields. So one row for each family is enough: a token of a family that
//! is not the one to be used now was used before, and nobody can invent such a token to have the family
//! of somebody else ended.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use crate::base62;
use crate::opaque::{self, Family, OpaqueHash};
use crate::random::Random;
use crate::secret::Secret;

/// What the key is derived from the master key by.
pub const KEY_LABEL: &str = "refresh token families";

const FAMILY: usize = 10;
const SECRET: usize = 16;
const TAGGED: usize = FAMILY + SECRET;

/// Which refresh tokens are successors of one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefreshFamily([u8; FAMILY]);

/// What a refresh token is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefreshName {
    /// The family that it belongs to.
    pub family: RefreshFamily,
    /// The hash of the token.
    pub hash: OpaqueHash,
}

/// Makes refresh tokens and reads them.
pub struct RefreshMint(hmac::Key);

// === impl RefreshFamily ===

impl RefreshFamily {
    /// From its stored bytes; `None` unless there are 10.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 10 bytes.
    pub fn as_bytes(&self) -> &[u8; FAMILY] {
        &self.0
    }
}

impl fmt::Debug for RefreshFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "family:{:02x}{:02x}{:02x}…", self.0[0], self.0[1], self.0[2])
    }
}

// === impl RefreshName ===

impl RefreshName {
    /// Of a token that tells no family: one of its own.
    fn alone(hash: OpaqueHash) -> Self {
        let mut family = [0; FAMILY];
        family.copy_from_slice(&hash.as_bytes()[..FAMILY]);
        Self { family: RefreshFamily(family), hash }
    }
}

// === impl RefreshMint ===

impl RefreshMint {
    /// With the key that is derived by [`KEY_LABEL`].
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The first token of a new family.
    pub fn first(&self, random: &dyn Random) -> Secret {
        let mut family = [0; FAMILY];
        random.fill(&mut family);
        self.next(&RefreshFamily(family), random)
    }

    /// Another token of this family.
    pub fn next(&self, family: &RefreshFamily, random: &dyn Random) -> Secret {
        let mut bytes = [0; 32];
        bytes[..FAMILY].copy_from_slice(&family.0);
        random.fill(&mut bytes[FAMILY..TAGGED]);
        let tag = hmac::sign(&self.0, &bytes[..TAGGED]);
        bytes[TAGGED..].copy_from_slice(&tag.as_ref()[..32 - TAGGED]);
        Family::Refresh.of_bytes(&bytes)
    }

    /// What this text is looked up by, whatever it is. One that we did not make tells no family, so that
    /// it finds nothing; nor does one from before there were families, which is alone in its own.
    pub fn read(&self, text: &str) -> RefreshName {
        let hash = OpaqueHash::of(text);
        match self.family(text) {
            Some(family) => RefreshName { family, hash },
            None => RefreshName::alone(hash),
        }
    }

    fn family(&self, text: &str) -> Option<RefreshFamily> {
        let body = text.strip_prefix(Family::Refresh.prefix())?.get(..opaque::BODY)?;
        let bytes: [u8; 32] = base62::decode(body)?;
        let tag = hmac::sign(&self.0, &bytes[..TAGGED]);
        // The whole of the token is held against a hash besides; the tag alone opens nothing.
        let (tag, own) = (&bytes[TAGGED..], &tag.as_ref()[..32 - TAGGED]);
        let ours = verify_slices_are_equal(tag, own);
        ours.ok()?;
        RefreshFamily::from_slice(&bytes[..FAMILY])
    }
}

#[cfg(test)]
mod tests {
    use super::RefreshMint;
    use crate::opaque::{Family, OpaqueHash};
    use crate::random::OsRandom;

    #[test]
    fn a_successor_is_of_the_same_family_and_nothing_else_is() {
        let (mint, random) = (RefreshMint::new(&[1; 32]), OsRandom::new());
        let first = mint.first(&random);
        let name = mint.read(first.expose());
        assert_eq!(name.hash, OpaqueHash::of(first.expose()));
        let next = mint.next(&name.family, &random);
        assert_ne!(next.expose(), first.expose());
        assert_eq!(mint.read(next.expose()).family, name.family);
        for token in [&first, &next] {
            assert_eq!(Family::of(token.expose()), Ok(Family::Refresh));
            assert_eq!(token.expose().len(), Family::Refresh.generate(&random).expose().len());
        }
        assert_ne!(mint.read(mint.first(&random).expose()).family, name.family);
        let elsewhere = RefreshMint::new(&[2; 32]);
        assert_ne!(elsewhere.read(first.expose()).family, name.family);
    }

    #[test]
    fn what_we_did_not_make_is_alone_in_its_family() {
        let (mint, random) = (RefreshMint::new(&[1; 32]), OsRandom::new());
        let first = mint.first(&random);
        let (begin, end) = first.expose().split_at(40);
        let altered: String =
            end.chars().map(|digit| if digit == 'a' { 'b' } else { 'a' }).collect();
        let texts = [
            Family::Refresh.generate(&random).expose().to_owned(),
            format!("{begin}{altered}"),
            format!("twr_{}", "z".repeat(49)),
            "twr_é".to_owned(),
            String::new(),
        ];
        for text in texts {
            let name = mint.read(&text);
            assert_eq!(name.hash, OpaqueHash::of(&text));
            assert_eq!(name.family.as_bytes(), &name.hash.as_bytes()[..10], "{text}");
        }
    }
}
