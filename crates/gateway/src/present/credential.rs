//! Where a credential may be in a request, and in which form: what the settings allow, and finding it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use token::opaque::Family;
use token::secret::Secret;
use zeroize::Zeroizing;

use super::Scheme;
use crate::refusal::{Fault, Refusal};

/// Clients differ in whether they pad.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where personal tokens and tokens of services are taken beside `Authorization: Bearer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// As the password of `Authorization: Basic`.
    pub basic: Basic,
    /// As the whole value of this field; nowhere when it is `None`.
    pub api_key: Option<HeaderName>,
}

/// What is done with `Authorization: Basic` (RFC 7617), for tools that know nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basic {
    /// A password that is a personal token counts as that token, whatever the user name.
    #[default]
    Accept,
    /// The same, and whoever brings no token is told so: some tools send a password only then, and
    /// browsers show a window to type one into.
    Challenge,
    /// It is no credential.
    Off,
}

/// The text of a token: as it was sent, or taken out of something else.
#[derive(Debug)]
pub(super) enum Text<'r> {
    Sent(&'r str),
    Unpacked(Secret),
}

/// What was found.
pub(super) struct Credential<'r> {
    pub(super) text: Text<'r>,
    pub(super) scheme: Scheme,
    /// Whether it was in the field for API keys.
    pub(super) is_api_key: bool,
}

/// Finds the one credential of a request's fields.
///
/// # Errors
/// [`Refusal`] when there are two, or something that is none.
pub(super) fn credential<'r>(
    headers: &'r HeaderMap,
    taken: &Credentials,
) -> Result<Option<Credential<'r>>, Refusal> {
    let Some(key) = api_key(headers, taken)? else { return header(headers, taken.basic) };
    if headers.contains_key(AUTHORIZATION) {
        return Err(Fault::TwoTokens.into());
    }
    let (text, scheme) = (Text::Sent(key), Scheme::Bearer);
    Ok(Some(Credential { text, scheme, is_api_key: true }))
}

/// Whether there is any field that is for credentials, whatever is in it.
pub(super) fn has_field(headers: &HeaderMap, taken: &Credentials) -> bool {
    let api_key = taken.api_key.as_ref().is_some_and(|name| headers.contains_key(name));
    api_key || headers.contains_key(AUTHORIZATION)
}

fn api_key<'r>(headers: &'r HeaderMap, taken: &Credentials) -> Result<Option<&'r str>, Refusal> {
    let Some(name) = &taken.api_key else { return Ok(None) };
    let mut fields = headers.get_all(name).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(Fault::TwoTokens.into());
    }
    match field.to_str() {
        // Joined by a proxy.
        Ok(text) if text.contains(',') => Err(Fault::TwoTokens.into()),
        // An access token would lose its proof of possession and its challenge here.
        Ok(text) if text.starts_with(Family::Personal.prefix()) => Ok(Some(text)),
        _ => Err(Fault::ApiKey.into()),
    }
}

fn header(headers: &HeaderMap, basic: Basic) -> Result<Option<Credential<'_>>, Refusal> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(Fault::TwoTokens.into());
    }
    let bytes = field.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (scheme, rest) = bytes.split_at(end);
    // `Authorization: Basic …, Bearer …`: which of the two counts is anybody's guess.
    let joined = |bytes: &[u8]| bytes.contains(&b',');
    let scheme = if scheme.eq_ignore_ascii_case(b"bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case(b"dpop") {
        Scheme::Dpop
    } else if joined(bytes) {
        return Err(Fault::TwoTokens.into());
    } else if basic != Basic::Off && scheme.eq_ignore_ascii_case(b"basic") {
        let password = password(rest);
        let scheme = Scheme::Bearer;
        return Ok(password.map(|password| {
            let text = Text::Unpacked(password);
            Credential { text, scheme, is_api_key: false }
        }));
    } else {
        return Ok(None);
    };
    let text = std::str::from_utf8(rest).unwrap_or_default().trim_start_matches(' ');
    if text.is_empty() || !is_token68(text.as_bytes()) {
        let fault = if joined(rest) { Fault::TwoTokens } else { Fault::Credential };
        return Err(fault.into());
    }
    Ok(Some(Credential { text: Text::Sent(text), scheme, is_api_key: false }))
}

/// RFC 9110 §11.2, but for `=` anywhere. Every request pays for every byte of its token: without a branch in
/// the inner loop the compiler looks at many at once.
fn is_token68(text: &[u8]) -> bool {
    let within = |byte: u8, first: u8, count: u8| byte.wrapping_sub(first) < count;
    let is_fit = |byte: u8| {
        within(byte | 0x20, b'a', 26)
            | within(byte, b'-', 13)
            | (byte == b'_')
            | (byte == b'~')
            | (byte == b'+')
            | (byte == b'=')
    };
    text.chunks(64).all(|chunk| chunk.iter().fold(true, |fit, byte| fit & is_fit(*byte)))
}

/// The password, if it begins like a personal token; any other is for somebody else.
fn password(encoded: &[u8]) -> Option<Secret> {
    let pair = Zeroizing::new(BASIC.decode(encoded.trim_ascii()).ok()?);
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let password = std::str::from_utf8(pair.get(colon + 1..)?).ok()?;
    password.starts_with(Family::Personal.prefix()).then(|| Secret::new(password))
}

// === impl Text ===

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Sent(text) => text,
            Self::Unpacked(secret) => secret.expose(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_token68;

    #[test]
    fn each_byte_of_a_token_is_looked_at() {
        for byte in 0..=u8::MAX {
            let fits = byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
            assert_eq!(is_token68(&[byte]), fits, "{byte}");
            for place in [0, 63, 64, 200] {
                let mut text = [b'a'; 201];
                text[place] = byte;
                assert_eq!(is_token68(&text), fits, "{byte} at {place}");
            }
        }
    }
}
