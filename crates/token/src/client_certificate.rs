//! The certificate that a client has shown by TLS, here or at a proxy in front (RFC 8705, RFC 9440).

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base64url;

/// Longer ones are not taken: certificates have one or two kilobytes.
const MAX_BYTES: usize = 16 * 1024;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A certificate whose key the client has proven to hold. Whoever makes one vouches for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    der: Arc<[u8]>,
    thumbprint: Arc<str>,
}

// === impl ClientCertificate ===

impl ClientCertificate {
    /// The certificate of a TLS connection.
    pub fn new(der: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, der);
        Self { der: der.into(), thumbprint: base64url::encode(hash.as_ref()).into() }
    }

    /// What a proxy says in a field of the request: as RFC 9440 §2.2 has it (`:base64:`), as base64, or
    /// as percent-encoded PEM. `None` when it is none of these.
    pub fn from_field(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let text = text.trim();
        let der = match text.strip_prefix(':').and_then(|text| text.strip_suffix(':')) {
            Some(base64) => STANDARD.decode(base64).ok()?,
            None if text.starts_with("-----BEGIN") => {
                let decoded = percent_decode(text)?;
                let inside = decoded.split_once(BEGIN)?.1.split_once(END)?.0;
                let base64: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
                STANDARD.decode(base64).ok()?
            }
            None => STANDARD.decode(text).ok()?,
        };
        // A certificate is one ASN.1 sequence of more than 127 bytes.
        (der.len() > 128 && der.first() == Some(&0x30)).then(|| Self::new(&der))
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its SHA-256, base64url: `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::ClientCertificate;

    #[test]
    fn a_proxy_says_it_in_one_of_three_ways() {
        let mut der = vec![0x30, 0x82, 0x01, 0x00];
        der.resize(260, 7);
        let base64 = STANDARD.encode(&der);
        let expected = Some(ClientCertificate::new(&der));
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        let escaped = pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B");
        for text in [format!(":{base64}:"), base64.clone(), format!(" {base64} "), escaped] {
            assert_eq!(ClientCertificate::from_field(&text), expected, "{text}");
        }
        let big = "A".repeat(20_000);
        for text in ["", ":", "::", ":x:", "x", ":AAAA:", "-----BEGIN CERTIFICATE-----%", &big] {
            assert_eq!(ClientCertificate::from_field(text), None, "{text}");
        }
    }
}
