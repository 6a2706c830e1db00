//! JWS compact serialisation (RFC 7515 §7.1): text ⇄ parts. What is parsed here is not verified.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::base64url;
use crate::id::KeyId;
use crate::json;
use crate::jwk::BadKey;
use crate::key::{KeySet, MacKey, PrivateKey, PublicKey};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest protected header, in base64url characters.
const MAX_HEADER_CHARS: usize = 4 * 1024;

/// A parsed, **unverified** token: nothing in it is known to be true.
#[derive(Debug)]
pub struct Jws<'a> {
    header: Arc<Header>,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What the protected header says, as far as choosing and refusing needs it.
#[derive(Debug)]
pub struct Header {
    /// `alg` as it stands there.
    pub alg: String,
    /// `typ`, without a leading `application/` and in lower case (RFC 7515 §4.1.9).
    pub typ: Option<String>,
    /// `kid`.
    pub kid: Kid,
    /// The header brings its own key: `jwk` or `x5c`.
    pub brings_key: bool,
    /// The key in `jwk` when there is no `x5c` beside it, which only a proof of possession may bring (RFC 9449 §4.2).
    pub(crate) jwk: Option<Value>,
    /// The header says where a key can be fetched: `jku` or `x5u`.
    pub names_key_url: bool,
    /// `crit` or `b64` is there; we understand no extension (RFC 7515 §4.1.11, RFC 7797).
    pub critical: bool,
}

/// The `kid` member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kid {
    /// There is none.
    Absent,
    /// A name of 1 to 128 characters from `A–Z a–z 0–9 . _ ~ : @ + = -`.
    Named(String),
    /// Anything else: a path, a query, an object.
    Odd,
}

/// Why a text is not a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJws {
    /// `alg` is missing or no text.
    #[error("the header has no `alg` text")]
    Alg,
    /// A part is not canonical base64url.
    #[error("the {0} is not canonical base64url")]
    Base64(&'static str),
    /// Five parts: an encrypted token.
    #[error("the token is encrypted (JWE), which is not accepted here")]
    Encrypted,
    /// The header is no strict JSON object.
    #[error("the header is not a strict JSON object")]
    Header,
    /// Not three parts.
    #[error("the token does not have three parts")]
    Parts,
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// `typ` is no text.
    #[error("the header's `typ` is not a text")]
    Typ,
}

// === impl Jws ===

impl<'a> Jws<'a> {
    /// Splits and decodes a token. A missing last part (`a.b`) is an empty signature, so that
    /// an unsigned token is seen as one.
    ///
    /// # Errors
    /// [`NotJws`] names the part that is wrong.
    pub fn parse(text: &'a str) -> Result<Self, NotJws> {
        Self::parse_for(text, &KeySet::default())
    }

    /// The same, faster for tokens of the owner of `keys`.
    pub(crate) fn parse_for(text: &'a str, keys: &KeySet) -> Result<Self, NotJws> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(NotJws::TooLong);
        }
        let mut parts = text.splitn(6, '.');
        let (header, payload) = (parts.next().unwrap_or_default(), parts.next());
        let (Some(payload), signature) = (payload, parts.next().unwrap_or_default()) else {
            return Err(NotJws::Parts);
        };
        match parts.count() {
            0 => {}
            2 => return Err(NotJws::Encrypted),
            _ => return Err(NotJws::Parts),
        }
        let signing_input = text.get(..header.len() + 1 + payload.len()).ok_or(NotJws::Parts)?;
        Ok(Self {
            header: match keys.header(header) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Header::parse(header)?),
            },
            signing_input,
            payload: base64url::decode(payload).ok_or(NotJws::Base64("payload"))?,
            signature: base64url::decode(signature).ok_or(NotJws::Base64("signature"))?,
        })
    }

    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the signature is over: header and payload as they were sent.
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The signature's bytes.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The payload, which nobody has vouched for yet.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }
}

// === impl Header ===

impl Header {
    pub(crate) fn parse(text: &str) -> Result<Self, NotJws> {
        if text.len() > MAX_HEADER_CHARS {
            return Err(NotJws::TooLong);
        }
        let bytes = base64url::decode(text).ok_or(NotJws::Base64("header"))?;
        let (wire, names): (Wire<'_>, _) =
            json::parse_with_names(&bytes).map_err(|_| NotJws::Header)?;
        let Member::Text(alg) = wire.alg else { return Err(NotJws::Alg) };
        let typ = match wire.typ {
            Member::Absent => None,
            Member::Text(typ) => Some(normal_type(&typ)),
            Member::Other => return Err(NotJws::Typ),
        };
        let has = |name: &str| names.has(name);
        Ok(Self {
            alg: alg.into_owned(),
            typ,
            kid: Kid::of(wire.kid),
            brings_key: has("jwk") || has("x5c"),
            names_key_url: has("jku") || has("x5u"),
            critical: has("crit") || has("b64"),
            jwk: wire.jwk.filter(|_| !has("x5c")),
        })
    }
}

/// The members of a header that are looked into; of the others the names are enough.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    alg: Member<'a>,
    #[serde(borrow, default)]
    typ: Member<'a>,
    #[serde(borrow, default)]
    kid: Member<'a>,
    jwk: Option<Value>,
}

/// A member that ought to be a text.
#[derive(Default)]
enum Member<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Other,
}

// === impl Member ===

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrOther)
    }
}

struct TextOrOther;

impl<'de> Visitor<'de> for TextOrOther {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E>(self) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Member<'de>, A::Error> {
        IgnoredAny.visit_seq(sequence).map(|_| Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Member<'de>, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Member::Other)
    }
}

/// A media type as types are compared: in lower case, without a leading `application/`
/// (RFC 7515 §4.1.9).
pub fn normal_type(typ: &str) -> String {
    let mut text = typ.to_ascii_lowercase();
    if text.starts_with("application/") {
        text.drain(.."application/".len());
    }
    text
}

// === impl Kid ===

impl Kid {
    /// The name, if it is one.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Absent | Self::Odd => None,
        }
    }

    fn of(member: Member<'_>) -> Self {
        match member {
            Member::Absent => Self::Absent,
            Member::Text(name) if is_opaque_name(&name) => Self::Named(name.into_owned()),
            Member::Text(_) | Member::Other => Self::Odd,
        }
    }
}

fn is_opaque_name(name: &str) -> bool {
    let opaque = |b: u8| b.is_ascii_alphanumeric() || b"._~:@+=-".contains(&b);
    !name.is_empty() && name.len() <= 128 && name.bytes().all(opaque) && !name.contains("..")
}

/// Signs `payload` (JSON bytes) with `key` under the type `typ`; returns the compact token.
///
/// # Errors
/// [`BadKey::Library`] when the library fails to sign.
pub fn sign(key: &PrivateKey, typ: &str, payload: &[u8]) -> Result<String, BadKey> {
    let mut token = signing_input(header_of(key.public(), typ), payload);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    base64url::push(&mut token, signature);
    Ok(token)
}

/// The same with a shared secret.
pub fn sign_with_secret(key: &MacKey, typ: &str, payload: &[u8]) -> String {
    let mut token = signing_input(header(key.algorithm().as_str(), typ, key.kid()), payload);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    base64url::push(&mut token, signature);
    token
}

/// The header that a key's owner writes, as base64url.
pub(crate) fn header_of(key: &PublicKey, typ: &str) -> String {
    header(key.algorithm().as_str(), typ, Some(key.kid()))
}

fn header(alg: &str, typ: &str, kid: Option<&KeyId>) -> String {
    let mut text = String::with_capacity(128);
    for part in [r#"{"alg":""#, alg, r#"","typ":""#, typ, "\""] {
        text.push_str(part);
    }
    if let Some(kid) = kid {
        text.push_str(r#","kid":"#);
        // A name from elsewhere may need escaping.
        text.push_str(&Value::from(kid.as_str()).to_string());
    }
    text.push('}');
    base64url::encode(text)
}

fn signing_input(mut header: String, payload: &[u8]) -> String {
    // Room for a signature too, so that the text is never moved.
    header.reserve(payload.len() * 4 / 3 + 128);
    header.push('.');
    base64url::push(&mut header, payload);
    header
}
