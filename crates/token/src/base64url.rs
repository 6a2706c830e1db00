//! Base64url without padding, canonical form only (RFC 4648 §5 and §3.5; RFC 7515 §2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text of `bytes`.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Writes the text of `bytes` at the end of `text`.
pub(crate) fn push(text: &mut String, bytes: impl AsRef<[u8]>) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// The bytes of `text`; `None` for padding, a foreign character, white space, or trailing
/// bits that are not zero, so that no two texts mean the same bytes.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn only_the_canonical_text_decodes() {
        assert_eq!(encode([0xff, 0xee]), "_-4");
        assert_eq!(decode("_-4"), Some(vec![0xff, 0xee]));
        for text in ["_-5", "_-4=", "/+4", "_-4\n", " _-4", "_", "_-4A="] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
