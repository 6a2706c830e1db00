//! Keys in files: a JWK each, read as what the command needs it for.

use std::path::Path;

use serde_json::Value;
use token::encryption_key::{DecryptionKey, EncryptionKey};
use token::json::parse_object;
use token::jwk::{BadKey, PublicJwk};
use token::key::{KeySet, MacKey, PrivateKey, PublicKey};
use token::term::KeyManagement;
use zeroize::Zeroizing;

use crate::command::Failure;

/// What signs.
pub(super) enum Signer {
    Private(PrivateKey),
    Secret(Box<MacKey>),
}

/// What checks.
pub(super) enum Checker {
    Public(PublicKey),
    Secret(Box<MacKey>),
    Set(KeySet),
}

/// What encrypts.
pub(super) enum Encrypter {
    Public(EncryptionKey),
    Private(DecryptionKey),
}

/// What decrypts.
pub(super) struct Decrypter(pub(super) DecryptionKey);

/// The text of a key, and what kind of key it says that it is.
pub(super) struct KeyFile<'a> {
    file: &'a Path,
    text: Zeroizing<String>,
    shared: bool,
    private: bool,
    encrypts: bool,
}

// === impl KeyFile ===

impl<'a> KeyFile<'a> {
    /// Reads a JWK; `alg` is put in where it does not say what it is for.
    pub(super) fn read(file: &'a Path, alg: Option<&str>) -> Result<Self, Failure> {
        let bytes = std::fs::read(file).map(Zeroizing::new);
        let bytes = bytes.map_err(|error| wrong(file, error))?;
        let mut members = parse_object(&bytes)
            .map_err(|error| wrong(file, format_args!("the key is {error}")))?;
        if members.contains_key("keys") {
            return Err(wrong(file, "this is a key set: one key is needed (or --jwks)"));
        }
        if let Some(alg) = alg {
            let named = members.entry("alg").or_insert_with(|| alg.into());
            if named != alg {
                return Err(wrong(file, "the key's `alg` is not the one of --alg"));
            }
        }
        let shared = members.get("kty").and_then(Value::as_str) == Some("oct");
        let private = ["d", "k", "priv"].iter().any(|name| members.contains_key(*name));
        let member = |name| members.get(name).and_then(Value::as_str);
        let encrypts = member("use") == Some("enc")
            || member("alg").is_some_and(|alg| alg.parse::<KeyManagement>().is_ok());
        let text = Zeroizing::new(Value::Object(members).to_string());
        Ok(Self { file, text, shared, private, encrypts })
    }

    /// Whether it is a shared secret.
    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether it says that it is for encryption.
    pub(super) fn encrypts(&self) -> bool {
        self.encrypts
    }

    /// Whether it has a private or secret half.
    pub(super) fn is_private(&self) -> bool {
        self.private
    }

    /// Reads it as one kind of key.
    pub(super) fn parse<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, BadKey>,
    ) -> Result<T, Failure> {
        read(self.text.as_bytes()).map_err(|error| match error {
            BadKey::Member("alg") => {
                wrong(self.file, "the key does not say what it is for: add --alg")
            }
            BadKey::Algorithm => wrong(
                self.file,
                "the key's `alg` is unknown, or is not for this: see `tokenward jose jwk generate --help`",
            ),
            error => wrong(self.file, error),
        })
    }
}

fn wrong(file: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::usage(format_args!("{}: {error}", file.display()))
}

// === impl Signer ===

impl Signer {
    pub(super) fn read(file: &Path, alg: Option<&str>) -> Result<Self, Failure> {
        let key = KeyFile::read(file, alg)?;
        if key.is_shared() {
            return key.parse(MacKey::from_jwk).map(|key| Self::Secret(Box::new(key)));
        }
        if !key.is_private() {
            return Err(wrong(file, "this is a public key: signing needs the private one"));
        }
        key.parse(PrivateKey::from_jwk).map(Self::Private)
    }
}

// === impl Checker ===

impl Checker {
    pub(super) fn read(file: &Path, alg: Option<&str>) -> Result<Self, Failure> {
        let key = KeyFile::read(file, alg)?;
        if key.is_shared() {
            return key.parse(MacKey::from_jwk).map(|key| Self::Secret(Box::new(key)));
        }
        if key.is_private() {
            let private = key.parse(PrivateKey::from_jwk)?;
            let public = PublicKey::from_jwk(private.public().jwk().clone());
            return public.map(Self::Public).map_err(|error| wrong(file, error));
        }
        key.parse(|text| PublicJwk::parse(text).and_then(PublicKey::from_jwk)).map(Self::Public)
    }
}

// === impl Encrypter ===

impl Encrypter {
    pub(super) fn read(file: &Path, alg: Option<&str>) -> Result<Self, Failure> {
        let key = KeyFile::read(file, alg)?;
        if key.is_private() {
            return key.parse(|text| DecryptionKey::from_jwk(text, None)).map(Self::Private);
        }
        key.parse(|text| EncryptionKey::from_jwk(text, None)).map(Self::Public)
    }
}

// === impl Decrypter ===

impl Decrypter {
    pub(super) fn read(file: &Path, alg: Option<&str>) -> Result<Self, Failure> {
        let key = KeyFile::read(file, alg)?;
        if !key.is_private() {
            return Err(wrong(file, "this is a public key: decrypting needs the private one"));
        }
        key.parse(|text| DecryptionKey::from_jwk(text, None)).map(Self)
    }
}
