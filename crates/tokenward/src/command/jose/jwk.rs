//! `tokenward jose jwk`: make a key, publish its public half, name it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use token::encryption_key::{DecryptionKey, EncryptionKey};
use token::id::KeyId;
use token::jwk::{PublicJwk, thumbprint_uri};
use token::key::{MacKey, PrivateKey};
use token::secret::Secret;
use token::term::{Algorithm, KeyManagement, MacAlgorithm};

use super::key_file::KeyFile;
use crate::command::{Failure, say};

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Make a private key or a shared secret; prints it as a JWK
    Generate(Generate),
    /// Print the public half of a private key
    Public(Public),
    /// Print the SHA-256 thumbprint of a key (RFC 7638)
    Thumbprint(Thumbprint),
}

#[derive(Debug, Args)]
pub(in crate::command) struct Generate {
    /// What the key is for: ES256, ES384, Ed25519, EdDSA, RS256 to RS512, PS256 to PS512,
    /// ML-DSA-44, ML-DSA-65, HS256 to HS512; or for encryption: dir, A256GCMKW, ECDH-ES,
    /// ECDH-ES+A256KW, RSA-OAEP-256
    #[arg(long)]
    alg: String,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Public {
    /// A file with a JWK
    file: PathBuf,
    /// What the key is for, where the JWK does not say
    #[arg(long)]
    alg: Option<String>,
    /// Print it as a key set
    #[arg(long)]
    set: bool,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Thumbprint {
    /// A file with a JWK, public or private
    file: PathBuf,
    /// Print it as a URI (RFC 9278)
    #[arg(long)]
    uri: bool,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Generate(arguments) => {
            say(generate(&arguments.alg)?.expose());
            Ok(())
        }
        Command::Public(arguments) => {
            let key = KeyFile::read(&arguments.file, arguments.alg.as_deref())?;
            let public = public(&key)?;
            say(if arguments.set { json!({ "keys": [public] }) } else { public });
            Ok(())
        }
        Command::Thumbprint(arguments) => {
            let name = thumbprint(&KeyFile::read(&arguments.file, None)?)?;
            say(if arguments.uri { thumbprint_uri(&name) } else { name.to_string() });
            Ok(())
        }
    }
}

fn generate(alg: &str) -> Result<Secret, Failure> {
    let key = if let Ok(algorithm) = alg.parse::<Algorithm>() {
        PrivateKey::generate(algorithm).and_then(|key| key.expose_jwk())
    } else if let Ok(algorithm) = alg.parse::<MacAlgorithm>() {
        MacKey::generate(algorithm).map(|key| key.expose_jwk())
    } else if let Ok(algorithm) = alg.parse::<KeyManagement>() {
        DecryptionKey::generate(algorithm).and_then(|key| key.expose_jwk())
    } else {
        let known = Algorithm::ALL.iter().map(|one| one.as_str());
        let known = known.chain(MacAlgorithm::ALL.iter().map(|one| one.as_str()));
        let known: Vec<&str> =
            known.chain(KeyManagement::ALL.iter().map(|one| one.as_str())).collect();
        let words = format!("unknown --alg, expected one of: {}", known.join(", "));
        return Err(Failure::usage(words));
    };
    key.map_err(Failure::new)
}

/// The public half, of a key for signatures or for encryption.
fn public(key: &KeyFile<'_>) -> Result<Value, Failure> {
    if key.is_shared() {
        return Err(Failure::usage("a shared secret has no public half"));
    }
    if !key.is_private() {
        return Err(Failure::usage("this is a public key already"));
    }
    let public = if key.encrypts() {
        let key = key.parse(|text| DecryptionKey::from_jwk(text, None))?;
        serde_json::to_value(key.public())
    } else {
        serde_json::to_value(key.parse(PrivateKey::from_jwk)?.public().jwk())
    };
    public.map_err(Failure::new)
}

/// It depends on the key alone, so that what the key is for need not be said.
fn thumbprint(key: &KeyFile<'_>) -> Result<KeyId, Failure> {
    if key.is_shared() {
        let words = "the thumbprint of a shared secret is a hash of it, and would help to guess it";
        return Err(Failure::usage(words));
    }
    key.parse(|text| {
        let first = if key.is_private() {
            PrivateKey::from_jwk(text).map(|key| key.public().jwk().thumbprint())
        } else {
            PublicJwk::parse(text).map(|key| key.thumbprint())
        };
        let Err(error) = first else { return first };
        let guesses = [None, Some(KeyManagement::EcdhEs), Some(KeyManagement::RsaOaep256)];
        let other = guesses.into_iter().find_map(|algorithm| {
            if key.is_private() {
                let key = DecryptionKey::from_jwk(text, algorithm).ok()?;
                return key.public().map(|public| public.thumbprint());
            }
            EncryptionKey::from_jwk(text, algorithm).ok().map(|key| key.thumbprint())
        });
        other.ok_or(error)
    })
}
