//! Token Status List (draft-ietf-oauth-status-list-21): one compressed array that says of every token whether it still holds.

use std::io::Read as _;

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use serde::{Deserialize, Serialize};

use crate::base64url;
use crate::json::Names;
use crate::jwk::BadKey;
use crate::jws;
use crate::key::PrivateKey;
use crate::kind::Kind;
use crate::numeric_date;
use crate::term::token_type;
use crate::verify::{Common, Policy, Refusal, Rule};

/// What a list may be unpacked to: eight million tokens of two bits.
const MAX_LIST_BYTES: usize = 2 * 1024 * 1024;

/// Where a token's status stands: its `status` claim (§6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusClaim {
    /// The place in a list; other ways to say a status are not known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_list: Option<StatusReference>,
}

/// A place in a list (§6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReference {
    /// Position, from zero.
    pub idx: u64,
    /// The list's own URI.
    pub uri: String,
}

/// A status (§7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The token holds.
    Valid,
    /// It does not, and never will again.
    Invalid,
    /// It does not now.
    Suspended,
    /// Anything else, whose meaning is the application's.
    Other(u8),
}

/// The unpacked list (§4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    bits: u8,
    bytes: Vec<u8>,
}

/// A signed list (§5.1). The policy's subject is the URI that the token's reference gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusListToken {
    /// The list's own URI.
    pub sub: String,
    /// Who signed it; the issuer of the tokens when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// When it was made, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// When it must not be believed any more, seconds since the epoch.
    #[serde(
        default,
        deserialize_with = "numeric_date::maybe",
        skip_serializing_if = "Option::is_none"
    )]
    pub exp: Option<i64>,
    /// For how many seconds it need not be fetched again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// The list, packed.
    pub status_list: PackedList,
}

/// A list as it is sent (§4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedList {
    /// Bits of one status: 1, 2, 4 or 8.
    pub bits: u8,
    /// The array, compressed with ZLIB, in base64url.
    pub lst: String,
}

/// Why a list cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadList {
    /// Not 1, 2, 4 or 8.
    #[error("`bits` is none of 1, 2, 4 and 8")]
    Bits,
    /// Not what ZLIB makes, or not base64url.
    #[error("`lst` is no base64url of ZLIB data")]
    Packed,
    /// Too long.
    #[error("the list is longer than 2 MiB")]
    TooLong,
}

// === impl StatusList ===

impl StatusList {
    /// A list of `entries` tokens that all hold; one status takes `bits`.
    ///
    /// # Errors
    /// [`BadList`] for a width or a length that no list may have.
    pub fn new(bits: u8, entries: usize) -> Result<Self, BadList> {
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return Err(BadList::Bits);
        }
        let bytes = entries.div_ceil(usize::from(8 / bits));
        if bytes > MAX_LIST_BYTES {
            return Err(BadList::TooLong);
        }
        Ok(Self { bits, bytes: vec![0; bytes] })
    }

    /// Unpacks a list, never more than it may hold.
    ///
    /// # Errors
    /// [`BadList`] says what is wrong with it.
    pub fn unpack(packed: &PackedList) -> Result<Self, BadList> {
        let mut list = Self::new(packed.bits, 0)?;
        let compressed = base64url::decode(&packed.lst).ok_or(BadList::Packed)?;
        let most = u64::try_from(MAX_LIST_BYTES).unwrap_or(u64::MAX);
        let mut bounded = ZlibDecoder::new(compressed.as_slice()).take(most + 1);
        bounded.read_to_end(&mut list.bytes).map_err(|_| BadList::Packed)?;
        if list.bytes.len() > MAX_LIST_BYTES { Err(BadList::TooLong) } else { Ok(list) }
    }

    /// Packs the list as it is sent.
    pub fn pack(&self) -> PackedList {
        let mut compressed = Vec::new();
        // Reading from memory into memory does not fail.
        let _ = ZlibEncoder::new(self.bytes.as_slice(), Compression::best())
            .read_to_end(&mut compressed);
        PackedList { bits: self.bits, lst: base64url::encode(compressed) }
    }

    /// The status at a place; `None` when the list is shorter (§8.3: the token is then refused).
    pub fn status(&self, idx: u64) -> Option<Status> {
        let (byte, shift) = self.place(idx)?;
        let value = self.bytes.get(byte)? >> shift & self.mask();
        Some(match value {
            0 => Status::Valid,
            1 => Status::Invalid,
            2 => Status::Suspended,
            other => Status::Other(other),
        })
    }

    /// Writes a status, cut to the list's width; a place outside the list is left alone.
    pub fn set(&mut self, idx: u64, status: Status) {
        let value = match status {
            Status::Valid => 0,
            // A list of one bit knows no difference (§7.1).
            Status::Suspended if self.bits == 1 => 1,
            Status::Invalid => 1,
            Status::Suspended => 2,
            Status::Other(other) => other & self.mask(),
        };
        let mask = self.mask();
        if let Some((byte, shift)) = self.place(idx)
            && let Some(byte) = self.bytes.get_mut(byte)
        {
            *byte = *byte & !(mask << shift) | value << shift;
        }
    }

    /// §4.1: the lowest bits of a byte come first.
    fn place(&self, idx: u64) -> Option<(usize, u32)> {
        let in_byte = u64::from(8 / self.bits);
        let shift = u32::try_from(idx % in_byte).ok()? * u32::from(self.bits);
        Some((usize::try_from(idx / in_byte).ok()?, shift))
    }

    fn mask(&self) -> u8 {
        u8::MAX >> (8 - self.bits)
    }
}

// === impl StatusListToken ===

impl StatusListToken {
    /// Signs it (`typ: statuslist+jwt`, §5.1).
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails to sign.
    pub fn sign(&self, key: &PrivateKey) -> Result<String, BadKey> {
        let payload = serde_json::to_vec(self).map_err(|_| BadKey::Library)?;
        jws::sign(key, token_type::STATUS_LIST, &payload)
    }
}

impl Kind for StatusListToken {
    const TYPES: &'static [&'static str] = &[token_type::STATUS_LIST];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] = &["sub", "iat", "status_list"];

    fn common(&self) -> Common<'_> {
        let iss = self.iss.as_deref();
        Common { iss, aud: None, exp: self.exp, nbf: None, iat: Some(self.iat) }
    }

    fn check(&self, policy: &Policy, _: &Names<'_>) -> Result<(), Refusal> {
        // §8.3: the list is the one that the token names.
        match policy.subject.as_ref() {
            Some(subject) if *subject == self.sub => Ok(()),
            _ => Err(Refusal::Claim { claim: "sub", rule: Rule::Mismatch }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadList, MAX_LIST_BYTES, PackedList, Status, StatusList};

    fn packed(bits: u8, lst: &str) -> PackedList {
        PackedList { bits, lst: lst.to_owned() }
    }

    #[test]
    fn the_examples_of_the_specification() {
        // §4.1 and §4.2: one bit, then two.
        let one = StatusList::unpack(&packed(1, "eNrbuRgAAhcBXQ")).expect("list");
        assert_eq!(one.bytes, [0xb9, 0xa3]);
        let set = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
        for (idx, bit) in (0u64..).zip(set) {
            let status = if bit == 1 { Status::Invalid } else { Status::Valid };
            assert_eq!(one.status(idx), Some(status), "{idx}");
        }
        assert_eq!(one.status(16), None);

        let two = StatusList::unpack(&packed(2, "eNo76fITAAPfAgc")).expect("list");
        assert_eq!(two.bytes, [0xc9, 0x44, 0xf9]);
        let known = |value| match value {
            0 => Status::Valid,
            1 => Status::Invalid,
            2 => Status::Suspended,
            other => Status::Other(other),
        };
        for (idx, value) in (0u64..).zip([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]) {
            assert_eq!(two.status(idx), Some(known(value)), "{idx}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for bits in [1, 2, 4, 8] {
            let mut list = StatusList::new(bits, 1000).expect("list");
            list.set(0, Status::Invalid);
            list.set(999, Status::Suspended);
            list.set(998, Status::Invalid);
            list.set(998, Status::Valid);
            list.set(1_000_000, Status::Invalid);
            let list = StatusList::unpack(&list.pack()).expect("list");
            let suspended = if bits == 1 { Status::Invalid } else { Status::Suspended };
            assert_eq!(list.status(0), Some(Status::Invalid));
            assert_eq!(list.status(1), Some(Status::Valid));
            assert_eq!(list.status(998), Some(Status::Valid));
            assert_eq!(list.status(999), Some(suspended), "{bits} bits");
            assert_eq!(list.status(u64::MAX), None);
        }
    }

    #[test]
    fn a_list_that_is_none_is_refused_and_a_bomb_does_not_go_off() {
        assert_eq!(StatusList::unpack(&packed(3, "eNrbuRgAAhcBXQ")), Err(BadList::Bits));
        assert_eq!(StatusList::unpack(&packed(0, "eNrbuRgAAhcBXQ")), Err(BadList::Bits));
        for lst in ["", "!", "AAAA", "eNrbuRgAAhcBXQ=="] {
            assert_eq!(StatusList::unpack(&packed(1, lst)), Err(BadList::Packed), "{lst}");
        }
        let bomb = StatusList { bits: 8, bytes: vec![0; MAX_LIST_BYTES + 1] }.pack();
        assert!(bomb.lst.len() < 4096);
        assert_eq!(StatusList::unpack(&bomb), Err(BadList::TooLong));
    }
}
