//! JWE compact serialisation (RFC 7516 §7.1): a text that only its recipient reads, as a token is encrypted.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base64url;
use crate::encryption_key::{DecryptionKey, EncryptionKey, Holder};
use crate::json;
use crate::jwk::BadKey;
use crate::term::{ContentEncryption, KeyManagement};

mod content;
mod management;

use content::Sealed;

/// The longest encrypted text that is looked at, in bytes.
pub const MAX_ENCRYPTED_BYTES: usize = 64 * 1024;
/// The longest content that is encrypted: what comes out can be read here.
pub const MAX_CONTENT_BYTES: usize = 40 * 1024;
/// The longest protected header, in base64url characters.
const MAX_HEADER_CHARS: usize = 4 * 1024;

/// A parsed JWE, not yet decrypted.
#[derive(Debug)]
pub struct Jwe<'a> {
    header: Header,
    /// The header as it was sent: what the tag is also over.
    aad: &'a str,
    encrypted_key: Vec<u8>,
    sealed: Sealed,
}

/// What the protected header says.
#[derive(Debug)]
struct Header {
    algorithm: KeyManagement,
    content: ContentEncryption,
    members: Map<String, Value>,
}

/// What a key and a tag have vouched for: nobody without the key has written it, but with a public
/// key everybody can. Only a signature inside says who.
#[derive(Debug)]
pub struct Decrypted {
    /// `typ`, as it was sent.
    pub typ: Option<String>,
    /// `cty`, as it was sent: `JWT` when there is a token inside (RFC 7519 §5.2).
    pub cty: Option<String>,
    /// The content.
    pub content: Zeroizing<Vec<u8>>,
}

/// Why a text could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDecrypted {
    /// `alg` is not the key's, or is none that is known here.
    #[error("the algorithm `alg` is not the key's, or is not accepted here")]
    Algorithm,
    /// A part is not canonical base64url.
    #[error("the {0} is not canonical base64url")]
    Base64(&'static str),
    /// `zip`: what is compressed tells its content by its length, and may unpack to anything.
    #[error("the content is compressed (`zip`), which is not accepted here")]
    Compressed,
    /// `crit` demands an extension.
    #[error("the header demands an extension (`crit`)")]
    Critical,
    /// `enc` is none that is known here.
    #[error("the content encryption `enc` is not accepted here")]
    Encryption,
    /// The header is no strict JSON object.
    #[error("the header is not a strict JSON object")]
    Header,
    /// Key, tag or padding: which one is nobody's business.
    #[error("the text cannot be decrypted with this key, or was altered")]
    Key,
    /// A member is missing or wrong.
    #[error("the header's `{0}` is missing, or is not what it must be")]
    Member(&'static str),
    /// Not five parts.
    #[error("the text does not have the five parts of a JWE")]
    Parts,
    /// Longer than [`MAX_ENCRYPTED_BYTES`].
    #[error("the text is longer than 64 KiB")]
    TooLong,
}

/// Why nothing was encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEncrypted {
    /// The library would not use the key.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// Longer than [`MAX_CONTENT_BYTES`].
    #[error("the content is longer than 40 KiB")]
    TooLong,
}

/// The header of a text that is to be encrypted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Description<'a> {
    /// What the whole is.
    pub typ: Option<&'a str>,
    /// What the content is: `JWT` for a token inside.
    pub cty: Option<&'a str>,
}

// === impl Jwe ===

impl<'a> Jwe<'a> {
    /// Splits and decodes.
    ///
    /// # Errors
    /// [`NotDecrypted`] names the part that is wrong.
    pub fn parse(text: &'a str) -> Result<Self, NotDecrypted> {
        if text.len() > MAX_ENCRYPTED_BYTES {
            return Err(NotDecrypted::TooLong);
        }
        let mut parts = text.splitn(6, '.');
        let mut part = || parts.next().ok_or(NotDecrypted::Parts);
        let (aad, key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(NotDecrypted::Parts);
        }
        let decode = |name, text| base64url::decode(text).ok_or(NotDecrypted::Base64(name));
        Ok(Self {
            header: Header::parse(aad)?,
            aad,
            encrypted_key: decode("encrypted key", key)?,
            sealed: Sealed {
                iv: decode("initialization vector", iv)?,
                ciphertext: decode("ciphertext", ciphertext)?,
                tag: decode("authentication tag", tag)?,
            },
        })
    }

    /// The name of the key that it is encrypted to, unverified.
    pub fn kid(&self) -> Option<&str> {
        self.header.text("kid")
    }

    /// Opens it with `key`, whose algorithm has to be the header's.
    ///
    /// # Errors
    /// [`NotDecrypted::Algorithm`], [`NotDecrypted::Member`] for what the algorithm's own members
    /// break, and [`NotDecrypted::Key`] for everything that the key decides.
    pub fn decrypt(&self, key: &DecryptionKey) -> Result<Decrypted, NotDecrypted> {
        let header = &self.header;
        if header.algorithm != key.algorithm() {
            return Err(NotDecrypted::Algorithm);
        }
        let content_key = management::recover(header, key, &self.encrypted_key)?;
        let aad = self.aad.as_bytes();
        let content = content::open(header.content, &content_key, aad, &self.sealed)
            .ok_or(NotDecrypted::Key)?;
        let text = |name| header.text(name).map(str::to_owned);
        Ok(Decrypted { typ: text("typ"), cty: text("cty"), content })
    }
}

// === impl NotDecrypted ===

impl NotDecrypted {
    /// The rule that was broken, as one word.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Algorithm => "alg",
            Self::Compressed => "zip",
            Self::Critical => "crit",
            Self::Encryption => "enc",
            Self::Key => "undecryptable",
            Self::TooLong => "too_large",
            Self::Base64(_) | Self::Header | Self::Member(_) | Self::Parts => "malformed",
        }
    }
}

// === impl Header ===

impl Header {
    fn parse(text: &str) -> Result<Self, NotDecrypted> {
        if text.len() > MAX_HEADER_CHARS {
            return Err(NotDecrypted::TooLong);
        }
        let bytes = base64url::decode(text).ok_or(NotDecrypted::Base64("header"))?;
        let members = json::parse_object(&bytes).map_err(|_| NotDecrypted::Header)?;
        if members.contains_key("crit") {
            return Err(NotDecrypted::Critical);
        }
        if members.contains_key("zip") {
            return Err(NotDecrypted::Compressed);
        }
        for name in ["typ", "cty", "kid"] {
            if members.get(name).is_some_and(|value| !value.is_string()) {
                return Err(NotDecrypted::Member(name));
            }
        }
        let name = |member| members.get(member).and_then(Value::as_str);
        let algorithm = name("alg").ok_or(NotDecrypted::Member("alg"))?.parse();
        let content = name("enc").ok_or(NotDecrypted::Member("enc"))?.parse();
        Ok(Self {
            algorithm: algorithm.map_err(|_| NotDecrypted::Algorithm)?,
            content: content.map_err(|_| NotDecrypted::Encryption)?,
            members,
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The bytes of a member that may be missing.
    fn bytes(&self, name: &'static str) -> Result<Option<Vec<u8>>, NotDecrypted> {
        let wrong = NotDecrypted::Member(name);
        match self.members.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().and_then(base64url::decode).map(Some).ok_or(wrong),
        }
    }
}

/// Encrypts `content` to a public key, by AES-256-GCM.
///
/// # Errors
/// [`NotEncrypted`] when the content is too long or the library fails.
pub fn encrypt(
    key: &EncryptionKey,
    content: &[u8],
    description: Description<'_>,
) -> Result<String, NotEncrypted> {
    let (algorithm, kid) = (key.algorithm(), key.kid().map(|kid| kid.as_str()));
    seal(algorithm, kid, content, description, |members| {
        management::encapsulate(algorithm, key.recipient(), members)
    })
}

/// Encrypts `content` with a shared secret, by AES-256-GCM; with a private key, to its public half.
///
/// # Errors
/// [`NotEncrypted`] as [`encrypt`].
pub fn encrypt_with_secret(
    key: &DecryptionKey,
    content: &[u8],
    description: Description<'_>,
) -> Result<String, NotEncrypted> {
    let (algorithm, kid) = (key.algorithm(), key.kid().map(|kid| kid.as_str()));
    seal(algorithm, kid, content, description, |members| match &key.holder {
        Holder::Secret(secret) => management::wrap(algorithm, secret, members),
        Holder::Agreement { public, .. } | Holder::Rsa { public, .. } => {
            management::encapsulate(algorithm, public, members)
        }
    })
}

fn seal(
    algorithm: KeyManagement,
    kid: Option<&str>,
    content: &[u8],
    description: Description<'_>,
    encapsulate: impl FnOnce(&mut Map<String, Value>) -> Result<management::Encapsulated, BadKey>,
) -> Result<String, NotEncrypted> {
    if content.len() > MAX_CONTENT_BYTES {
        return Err(NotEncrypted::TooLong);
    }
    let mut members = Map::new();
    members.insert("alg".to_owned(), algorithm.as_str().into());
    members.insert("enc".to_owned(), ContentEncryption::A256Gcm.as_str().into());
    for (name, value) in [("kid", kid), ("typ", description.typ), ("cty", description.cty)] {
        if let Some(value) = value {
            members.insert(name.to_owned(), value.into());
        }
    }
    let management::Encapsulated { content_key, encrypted_key } = encapsulate(&mut members)?;
    let mut text = base64url::encode(Value::Object(members).to_string());
    let sealed = content::seal(&content_key, text.as_bytes(), content)?;
    for part in [&encrypted_key, &sealed.iv, &sealed.ciphertext, &sealed.tag] {
        text.push('.');
        text.push_str(&base64url::encode(part));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
