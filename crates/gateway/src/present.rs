//! Step 1, present: exactly one credential, and only where RFC 6750 §2.1 and RFC 9449 §7.1 put it.

mod credential;

use http::{HeaderMap, HeaderValue};
use token::client_certificate::ClientCertificate;
use token::event::TokenKind;
use token::opaque::Family;
use token::secret::Secret;
use token::term::parameter;

use self::credential::{Credential, Text, credential};
use crate::headers::DPOP;
use crate::refusal::{Fault, Refusal};
use crate::target::{Target, hex_byte};

pub use self::credential::{Basic, Credentials};

/// The one credential of a request; nobody has looked into it yet.
#[derive(Debug)]
pub struct Presented<'r> {
    text: Text<'r>,
    scheme: Scheme,
    proof: Proof<'r>,
    certificate: Option<&'r str>,
    kind: TokenKind,
}

/// How the token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Whoever bears it (RFC 6750).
    Bearer,
    /// With a proof of possession (RFC 9449).
    Dpop,
}

/// The `DPoP` fields of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof<'r> {
    /// None.
    Absent,
    /// One.
    One(&'r str),
    /// Several, or one that is no text: none of them counts (RFC 9449 §4.3).
    Odd,
}

/// Takes the access token out of `Authorization: Bearer` or `Authorization: DPoP`, and personal tokens out
/// of wherever else they are taken.
///
/// # Errors
/// [`Refusal`] when there is none, more than one, or something that is none.
pub(crate) fn present<'r>(
    headers: &'r HeaderMap,
    certificate: Option<&'r ClientCertificate>,
    target: &Target,
    taken: &Credentials,
) -> Result<Presented<'r>, Refusal> {
    match (credential(headers, taken)?, in_query(target)) {
        (Some(_), true) => Err(Fault::TwoTokens.into()),
        (None, true) => Err(Fault::QueryToken.into()),
        (None, false) => Err(Fault::NoToken { scope: None }.into()),
        (Some(Credential { text, scheme, is_api_key }), false) => {
            let certificate = certificate.map(ClientCertificate::thumbprint);
            let is = |family: Family| text.as_str().starts_with(family.prefix());
            let kind = match () {
                () if is_api_key => TokenKind::ApiKey,
                () if is(Family::Personal) => TokenKind::Pat,
                () if is(Family::Access) => TokenKind::Opaque,
                () => TokenKind::Jwt,
            };
            Ok(Presented { text, scheme, proof: proof(headers), certificate, kind })
        }
    }
}

/// Checks that the session's cookie is the only credential.
///
/// # Errors
/// [`Refusal`] when there is another.
pub(crate) fn present_cookie_alone(
    headers: &HeaderMap,
    target: &Target,
    taken: &Credentials,
) -> Result<(), Refusal> {
    let two = credential::has_field(headers, taken) || in_query(target);
    if two { Err(Fault::TwoTokens.into()) } else { Ok(()) }
}

/// The access token that is kept for a session, which whoever has its cookie may use.
pub(crate) fn present_session<'r>(
    token: &'r Secret,
    certificate: Option<&'r ClientCertificate>,
) -> Presented<'r> {
    Presented {
        text: Text::Sent(token.expose()),
        scheme: Scheme::Bearer,
        proof: Proof::Absent,
        certificate: certificate.map(ClientCertificate::thumbprint),
        kind: TokenKind::Session,
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

impl<'r> Presented<'r> {
    /// The token's text.
    pub(crate) fn text(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What it looks like.
    pub(crate) fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The thumbprint of the client's certificate.
    pub(crate) fn certificate(&self) -> Option<&'r str> {
        self.certificate
    }

    pub(crate) fn proof(&self) -> Proof<'r> {
        self.proof
    }
}

fn proof(headers: &HeaderMap) -> Proof<'_> {
    let mut fields = headers.get_all(DPOP).iter();
    match (fields.next().map(HeaderValue::to_str), fields.next()) {
        (None, _) => Proof::Absent,
        // Proxies join fields of one name by commas, and a JWT has none.
        (Some(Ok(proof)), None) if !proof.contains(',') => Proof::One(proof),
        _ => Proof::Odd,
    }
}

/// Whether a query parameter is named `access_token` (RFC 6750 §2.3), however it is written.
fn in_query(target: &Target) -> bool {
    target.query().is_some_and(|query| has_token_parameter(query.as_bytes()))
}

/// Whether one of these parameters, of a query or a form, is named `access_token`. Some readers part them by `;` too;
/// PHP takes spaces, dots and brackets for `_`, drops spaces before a name, and ends it at a bracket or a zero.
pub(crate) fn has_token_parameter(parameters: &[u8]) -> bool {
    token_parameters(parameters).next().is_some()
}

/// The values of those that are.
pub(crate) fn token_parameters(parameters: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    parameters.split(|byte| matches!(byte, b'&' | b';')).filter_map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default();
        is_read_as(name, parameter::ACCESS_TOKEN.as_bytes()).then(|| {
            let (mut value, mut rest) = (Vec::new(), parts.next().unwrap_or_default());
            while let Some((byte, more)) = decoded(rest) {
                value.push(byte);
                rest = more;
            }
            value
        })
    })
}

fn is_read_as(mut text: &[u8], plain: &[u8]) -> bool {
    while let Some((b' ', rest)) = decoded(text) {
        text = rest;
    }
    for wanted in plain {
        match decoded(text) {
            Some((byte, rest)) if is_like(byte, *wanted) => text = rest,
            _ => return false,
        }
    }
    matches!(decoded(text), None | Some((0 | b'[', _)))
}

fn is_like(byte: u8, wanted: u8) -> bool {
    byte.eq_ignore_ascii_case(&wanted) || (wanted == b'_' && matches!(byte, b' ' | b'.' | b'['))
}

/// The first byte of a name, as forms encode it, and what follows.
fn decoded(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'+', rest @ ..] => Some((b' ', rest)),
        [b'%', high, low, rest @ ..] => {
            Some(hex_byte(&[*high, *low]).map_or((b'%', &text[1..]), |byte| (byte, rest)))
        }
        [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

#[cfg(test)]
mod tests;
