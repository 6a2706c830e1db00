//! The name of one request: told to its client, to the API, in its event and to whoever asks why.

use std::cell::RefCell;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use token::random::{OsRandom, Random as _};
use token::time::Timestamp;

/// The field that names a request, where nothing else is configured.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A longer name of somebody else's is not taken over.
const LONGEST: usize = 64;
/// Random bytes of one id.
const RANDOM: usize = 10;
/// The generator is asked once for so many ids: a call costs more than all the rest of an id.
const IDS_AT_ONCE: usize = 64;

/// A request's name: a UUID version 7 (RFC 9562 §5.7), or what a trusted proxy calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

/// Random bytes that are not used yet.
struct Supply {
    bytes: [u8; RANDOM * IDS_AT_ONCE],
    used: usize,
}

thread_local! {
    static SUPPLY: RefCell<Supply> =
        const { RefCell::new(Supply { bytes: [0; RANDOM * IDS_AT_ONCE], used: RANDOM * IDS_AT_ONCE }) };
}

// === impl RequestId ===

impl RequestId {
    /// A new one, of this moment and 74 random bits.
    pub fn new(now: Timestamp) -> Self {
        let mut bytes = [0u8; 16];
        let millis = u64::try_from(now.as_millis()).unwrap_or(0).to_be_bytes();
        bytes[..6].copy_from_slice(&millis[2..]);
        SUPPLY.with_borrow_mut(|supply| bytes[6..].copy_from_slice(&supply.next()));
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&written(&bytes)));
        // Digits and hyphens: always a field's value.
        Self(value.unwrap_or_else(|_| HeaderValue::from_static("-")))
    }

    /// What somebody else calls the request, if it is said once and is of a form that can do no harm in a log
    /// or a body: at most 64 letters, digits and `-_.:=+/@`.
    pub(crate) fn from_field(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut fields = headers.get_all(name).iter();
        let only = fields.next().filter(|_| fields.next().is_none())?;
        let bytes = only.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/@".contains(byte);
        let sane = !bytes.is_empty() && bytes.len() <= LONGEST && bytes.iter().all(plain);
        sane.then(|| Self(only.clone()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As a field's value.
    pub fn value(&self) -> &HeaderValue {
        &self.0
    }
}

fn written(bytes: &[u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 0x0f)];
        at += 2;
    }
    text
}

// === impl Supply ===

impl Supply {
    fn next(&mut self) -> [u8; RANDOM] {
        if self.used + RANDOM > self.bytes.len() {
            OsRandom::new().fill(&mut self.bytes);
            self.used = 0;
        }
        let mut taken = [0; RANDOM];
        taken.copy_from_slice(&self.bytes[self.used..self.used + RANDOM]);
        self.used += RANDOM;
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use http::HeaderMap;
    use token::id::TokenId;
    use token::time::Timestamp;

    use super::{REQUEST_ID, RequestId};

    #[test]
    fn a_uuid_of_its_time_and_never_the_same() {
        let now = Timestamp::from_secs(1_790_000_000);
        let ids: HashSet<String> =
            (0..1000).map(|_| RequestId::new(now).as_str().to_owned()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert_eq!(TokenId::from(id.as_str()).issued_at(), Some(now), "{id}");
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
    }

    #[test]
    fn only_a_sane_name_said_once_is_taken_over() {
        let taken = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(REQUEST_ID, value.parse().expect("value"));
            }
            RequestId::from_field(&headers, &REQUEST_ID).map(|id| id.as_str().to_owned())
        };
        assert_eq!(
            taken(&["Root=1-67891233-abc@x/y+z"]).as_deref(),
            Some("Root=1-67891233-abc@x/y+z")
        );
        assert_eq!(taken(&[&"a".repeat(64)]).map(|id| id.len()), Some(64));
        let long = "a".repeat(65);
        for bad in [&[][..], &["a", "a"], &[""], &["a b"], &["a\"b"], &["a,b"], &["é"], &[&long]] {
            assert_eq!(taken(bad), None, "{bad:?}");
        }
    }
}
