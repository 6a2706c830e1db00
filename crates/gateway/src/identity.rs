//! Who a request comes from, as upstreams are told: made once for a token, not for each request.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::admit::Admitted;
use crate::core::Core;
use crate::refusal::Fault;

/// Whom the token speaks for.
const SUBJECT: HeaderName = HeaderName::from_static("tokenward-subject");
/// Which client it was issued to.
const CLIENT: HeaderName = HeaderName::from_static("tokenward-client");
/// What it allows, separated by spaces.
const SCOPE: HeaderName = HeaderName::from_static("tokenward-scope");
/// Its `jti`.
const TOKEN_ID: HeaderName = HeaderName::from_static("tokenward-token-id");

/// What the upstream of an admitted request is told of who asks: nothing on a public route.
///
/// # Errors
/// [`Fault`] when the gateway's own token cannot be made.
pub(crate) fn identity(
    core: &Core,
    admitted: &Admitted,
    now: Timestamp,
) -> Result<HeaderMap, Fault> {
    let mut fields = HeaderMap::new();
    let Some(known) = admitted.known() else { return Ok(fields) };
    let upstream = &admitted.rule().upstream;
    if upstream.identity().has_headers() {
        known.identity.write(&mut fields);
    }
    if let Some(inside) = core.inside.as_ref().filter(|_| upstream.identity().has_token()) {
        let written = inside.write(&mut fields, known, upstream, now);
        written.map_err(|_| Fault::NoInternalKey)?;
    }
    Ok(fields)
}

/// The identity fields of one token.
pub(crate) struct Identity {
    subject: HeaderValue,
    client: HeaderValue,
    scope: HeaderValue,
    token: HeaderValue,
}

// === impl Identity ===

impl Identity {
    /// Of a verified token. What is not visible ASCII in a name is percent-encoded (so is `%`):
    /// a claim can never end the field or begin another.
    pub(crate) fn of(token: &VerifiedAccessToken) -> Self {
        let facts = token.facts();
        Self {
            subject: field(facts.subject.as_str()),
            client: field(facts.client.as_str()),
            // Scope tokens are visible ASCII by their grammar (RFC 6749 §3.3).
            scope: HeaderValue::from_str(&token.scopes().to_string())
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            token: field(facts.token.as_str()),
        }
    }

    /// Puts the fields in; the client's own were removed before.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in self.fields() {
            headers.insert(name, value.clone());
        }
    }

    /// The fields.
    fn fields(&self) -> [(HeaderName, &HeaderValue); 4] {
        [
            (SUBJECT, &self.subject),
            (CLIENT, &self.client),
            (SCOPE, &self.scope),
            (TOKEN_ID, &self.token),
        ]
    }
}

fn field(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 0x0f] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    HeaderValue::from_str(&encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_name_cannot_leave_its_field() {
        assert_eq!(field("u1|x@example.com"), "u1|x@example.com");
        assert_eq!(field("a\r\nTokenward-Scope: admin"), "a%0D%0ATokenward-Scope:%20admin");
        assert_eq!(field("100%"), "100%25");
        assert_eq!(field("é"), "%C3%A9");
        assert_eq!(field(""), "");
    }
}
