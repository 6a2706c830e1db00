//! The `cnf` claim: whose key has to be shown beside a token (RFC 7800 §3.1).

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::base64url;
use crate::id::KeyId;

/// A sender constraint. A token that has one is good only beside a proof of every method in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// Thumbprint of the DPoP key (RFC 9449 §6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<KeyId>,
    /// SHA-256 of the client's certificate, base64url (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
    /// There is a method that is not known here, so that nobody can show it.
    #[serde(skip)]
    pub unknown: bool,
}

// === impl Confirmation ===

impl Confirmation {
    /// Bound to a DPoP key.
    pub fn jkt(thumbprint: KeyId) -> Self {
        Self { jkt: Some(thumbprint), x5t_s256: None, unknown: false }
    }

    /// Bound to a certificate.
    pub fn x5t_s256(thumbprint: impl Into<String>) -> Self {
        Self { jkt: None, x5t_s256: Some(thumbprint.into()), unknown: false }
    }
}

impl<'de> Deserialize<'de> for Confirmation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Methods)
    }
}

struct Methods;

impl<'de> Visitor<'de> for Methods {
    type Value = Confirmation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a confirmation method")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Confirmation, A::Error> {
        let mut read = Confirmation { jkt: None, x5t_s256: None, unknown: false };
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "jkt" => read.jkt = Some(KeyId::from(sha256(map.next_value()?)?)),
                "x5t#S256" => read.x5t_s256 = Some(sha256(map.next_value()?)?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    read.unknown = true;
                }
            }
        }
        // An empty object binds to nothing, and must not be taken for a bearer token's.
        read.unknown |= read.jkt.is_none() && read.x5t_s256.is_none();
        Ok(read)
    }
}

fn sha256<E: de::Error>(text: String) -> Result<String, E> {
    match base64url::decode(&text) {
        Some(bytes) if bytes.len() == 32 => Ok(text),
        _ => Err(E::custom("a thumbprint is 32 bytes in base64url")),
    }
}

#[cfg(test)]
mod tests {
    use super::Confirmation;

    const SUM: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn read(text: &str) -> Option<Confirmation> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn the_two_methods_are_read_and_written() {
        // RFC 9449 §6.1 and RFC 8705 §3.1.
        let dpop = format!(r#"{{"jkt":"{SUM}"}}"#);
        let mtls = format!(r##"{{"x5t#S256":"{SUM}"}}"##);
        assert_eq!(read(&dpop), Some(Confirmation::jkt(SUM.into())));
        assert_eq!(read(&mtls), Some(Confirmation::x5t_s256(SUM)));
        for text in [dpop, mtls] {
            assert_eq!(serde_json::to_string(&read(&text)).ok(), Some(text));
        }
    }

    #[test]
    fn a_method_that_nobody_can_show_is_never_forgotten() {
        for text in [r#"{}"#, r#"{"jwk":{}}"#, r#"{"kid":"a"}"#, r#"{"x5t":"a"}"#] {
            assert!(read(text).is_some_and(|cnf| cnf.unknown), "{text}");
        }
        let both = format!(r#"{{"jkt":"{SUM}","kid":"a"}}"#);
        assert!(read(&both).is_some_and(|cnf| cnf.unknown && cnf.jkt.is_some()));
    }

    #[test]
    fn what_is_no_thumbprint_is_refused() {
        for text in
            [r#"{"jkt":""}"#, r#"{"jkt":1}"#, r#"{"jkt":null}"#, r##"{"x5t#S256":"AA"}"##, "[]"]
        {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
