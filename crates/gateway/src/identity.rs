//! Who a request comes from, as upstreams are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use token::id::ClientId;
use token::scope::ScopeSet;
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

/// Puts in what the upstream of an admitted request is told of who asks, nothing on a public route; the client's
/// own fields were removed before.
///
/// # Errors
/// [`Fault`] when the gateway's own token cannot be made.
pub(crate) fn identify(
    fields: &mut HeaderMap,
    core: &Core,
    admitted: &Admitted,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(known) = admitted.known() else { return Ok(()) };
    let upstream = &admitted.rule().upstream;
    if upstream.identity().has_headers() {
        known.identity.write(&known.token, fields);
    }
    if let Some(inside) = core.inside.as_ref().filter(|_| upstream.identity().has_token()) {
        let written = inside.write(fields, known, upstream, now);
        written.map_err(|_| Fault::NoInternalKey)?;
    }
    Ok(())
}

/// The identity fields that all tokens of a client with the same scopes have alike.
pub(crate) struct Identity {
    client: HeaderValue,
    scope: HeaderValue,
}

/// Those of many tokens, each once. When it is full it starts anew.
pub(crate) struct Identities {
    known: Mutex<HashMap<(ClientId, ScopeSet), Arc<Identity>>>,
    most: usize,
}

// === impl Identity ===

impl Identity {
    /// Of a verified token. What is not visible ASCII in a name is percent-encoded (so is `%`):
    /// a claim can never end the field or begin another.
    pub(crate) fn of(token: &VerifiedAccessToken) -> Self {
        Self {
            client: field(token.facts().client.as_str()),
            // Scope tokens are visible ASCII by their grammar (RFC 6749 §3.3).
            scope: HeaderValue::from_str(&token.scopes().to_string())
                .unwrap_or_else(|_| HeaderValue::from_static("")),
        }
    }

    /// Puts the fields in, with those that are of this token alone.
    fn write(&self, token: &VerifiedAccessToken, headers: &mut HeaderMap) {
        let facts = token.facts();
        let is_client = facts.subject.as_str() == facts.client.as_str();
        let subject = if is_client { self.client.clone() } else { field(facts.subject.as_str()) };
        headers.insert(SUBJECT, subject);
        headers.insert(CLIENT, self.client.clone());
        headers.insert(SCOPE, self.scope.clone());
        headers.insert(TOKEN_ID, field(facts.token.as_str()));
    }
}

// === impl Identities ===

impl Identities {
    pub(crate) fn new(most: usize) -> Self {
        Self { known: Mutex::default(), most: most.max(1) }
    }

    /// The fields for a token.
    pub(crate) fn of(&self, token: &VerifiedAccessToken) -> Arc<Identity> {
        let alike = (token.facts().client.clone(), token.scopes().clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = known.get(&alike) {
            return Arc::clone(identity);
        }
        if known.len() >= self.most {
            known.clear();
        }
        let identity = Arc::new(Identity::of(token));
        known.insert(alike, Arc::clone(&identity));
        identity
    }
}

fn field(text: &str) -> HeaderValue {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') {
        return HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    }
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
