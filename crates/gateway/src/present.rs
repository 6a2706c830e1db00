//! Step 1, present: exactly one credential, and only where RFC 6750 §2.1 puts it.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use token::term::parameter;

use crate::refusal::{Fault, Refusal};
use crate::target::{Target, hex_byte};

const SCHEME: &[u8] = b"bearer";

/// The one credential of a request; nobody has looked into it yet.
#[derive(Debug)]
pub struct Presented<'r>(&'r str);

/// Takes the access token out of `Authorization: Bearer`.
///
/// # Errors
/// [`Refusal`] when there is none, more than one, or something that is none.
pub(crate) fn present<'r>(
    headers: &'r HeaderMap,
    target: &Target,
) -> Result<Presented<'r>, Refusal> {
    let bearer = header(headers)?;
    match (bearer, in_query(target)) {
        (Some(_), true) => Err(Fault::TwoTokens.into()),
        (None, true) => Err(Fault::QueryToken.into()),
        (None, false) => Err(Fault::NoToken.into()),
        (Some(token), false) => Ok(Presented(token)),
    }
}

/// For a public route, where no credential is needed: one in the query is refused all the same,
/// as it would end up in the upstream's logs.
///
/// # Errors
/// [`Refusal`] when the query has an access token.
pub(crate) fn present_nothing(target: &Target) -> Result<(), Refusal> {
    if in_query(target) { Err(Fault::QueryToken.into()) } else { Ok(()) }
}

// === impl Presented ===

impl Presented<'_> {
    /// The token's text.
    pub(crate) fn text(&self) -> &str {
        self.0
    }
}

fn header(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(Fault::TwoTokens.into());
    }
    let bytes = field.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(end);
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        // `Authorization: Basic …, Bearer …`: which of the two counts is anybody's guess.
        let joined = bytes.contains(&b',');
        return if joined { Err(Fault::TwoTokens.into()) } else { Ok(None) };
    }
    if rest.contains(&b',') {
        return Err(Fault::TwoTokens.into());
    }
    let text = std::str::from_utf8(rest).unwrap_or_default().trim_start_matches(' ');
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if text.is_empty() || !text.bytes().all(token) {
        return Err(Fault::Credential.into());
    }
    Ok(Some(text))
}

/// Whether a query parameter is named `access_token` (RFC 6750 §2.3), however it is written.
fn in_query(target: &Target) -> bool {
    let Some(query) = target.query() else { return false };
    query.split(['&', ';']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        is_percent_encoding_of(name.as_bytes(), parameter::ACCESS_TOKEN.as_bytes())
    })
}

fn is_percent_encoding_of(mut text: &[u8], plain: &[u8]) -> bool {
    for wanted in plain {
        let (byte, rest) = match text {
            [b'%', rest @ ..] => match rest.get(..2).and_then(hex_byte) {
                Some(byte) => (byte, &rest[2..]),
                None => return false,
            },
            [byte, rest @ ..] => (*byte, rest),
            [] => return false,
        };
        if !byte.eq_ignore_ascii_case(wanted) {
            return false;
        }
        text = rest;
    }
    text.is_empty()
}

#[cfg(test)]
mod tests;
