//! `tokenward jose`: signatures and encryption by hand, offline.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use ::token::base64url;
use ::token::json::parse_object;
use ::token::jwe::{self, Description, Jwe, MAX_CONTENT_BYTES};
use ::token::jws::{self, Jws, MAX_TOKEN_BYTES};
use ::token::signature::{self, Broken};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::command::token::{given, verify::key_set};
use crate::command::{Failure, say};

mod jwk;
mod key_file;

use key_file::{Checker, Decrypter, Encrypter, Signer};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign standard input; prints the compact JWS
    Sign(Sign),
    /// Check the signature of a compact JWS; prints its payload
    Verify(Verify),
    /// Encrypt standard input by AES-256-GCM; prints the compact JWE
    Encrypt(Encrypt),
    /// Decrypt a compact JWE; prints its content
    Decrypt(Decrypt),
    /// Make and look at keys
    #[command(subcommand)]
    Jwk(jwk::Command),
}

#[derive(Debug, Args)]
pub(super) struct Sign {
    /// Private key or shared secret: a file with a JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the key is for, where the JWK does not say
    #[arg(long)]
    alg: Option<String>,
    /// The header's `typ`
    #[arg(long, default_value = "JWT")]
    typ: String,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The token; read from standard input when it is left out
    token: Option<String>,
    /// Public key, or shared secret: a file with a JWK
    #[arg(long, value_name = "FILE", conflicts_with = "jwks", required_unless_present = "jwks")]
    key: Option<PathBuf>,
    /// Key set, in which the header's `kid` names the key: a file, or an https URL
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// What the key is for, where the JWK does not say
    #[arg(long, conflicts_with = "jwks")]
    alg: Option<String>,
    /// Require this `typ` in the header
    #[arg(long)]
    typ: Option<String>,
    /// Print one JSON object, also of a refusal
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Encrypt {
    /// Public key, or shared secret: a file with a JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the key is for, where the JWK does not say
    #[arg(long)]
    alg: Option<String>,
    /// The header's `typ`
    #[arg(long)]
    typ: Option<String>,
    /// The header's `cty`: `JWT` when the content is a token
    #[arg(long)]
    cty: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Decrypt {
    /// The text; read from standard input when it is left out
    token: Option<String>,
    /// Private key or shared secret: a file with a JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the key is for, where the JWK does not say
    #[arg(long)]
    alg: Option<String>,
    /// Print one JSON object, also of a refusal
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Sign(arguments) => sign(&arguments),
        Command::Verify(arguments) => verify(&arguments),
        Command::Encrypt(arguments) => encrypt(&arguments),
        Command::Decrypt(arguments) => decrypt(&arguments),
        Command::Jwk(command) => jwk::run(command),
    }
}

fn sign(arguments: &Sign) -> Result<(), Failure> {
    if !is_type(&arguments.typ) {
        return Err(Failure::usage("--typ takes a media type, such as `JWT` or `at+jwt`"));
    }
    let key = Signer::read(&arguments.key, arguments.alg.as_deref())?;
    let payload = input(MAX_TOKEN_BYTES)?;
    let token = match &key {
        Signer::Private(key) => jws::sign(key, &arguments.typ, &payload).map_err(Failure::new)?,
        Signer::Secret(key) => jws::sign_with_secret(key, &arguments.typ, &payload),
    };
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Failure::usage("the token would be longer than 16 KiB, which nobody takes"));
    }
    say(token);
    Ok(())
}

fn verify(arguments: &Verify) -> Result<(), Failure> {
    let token = given(arguments.token.as_deref())?;
    let checker = match (&arguments.key, &arguments.jwks) {
        (Some(file), _) => Checker::read(file, arguments.alg.as_deref())?,
        (None, Some(place)) => Checker::Set(key_set(place)?),
        (None, None) => return Err(Failure::usage("give --key or --jwks")),
    };
    match verified(token.expose(), &checker, arguments.typ.as_deref()) {
        Ok(jws) => show(arguments.json, token.expose(), "payload", jws.unverified_payload()),
        Err((rule, detail)) => refuse(arguments.json, &rule, &detail),
    }
}

/// The token, when its signature is good and its type the one that is asked for.
fn verified<'a>(
    token: &'a str,
    checker: &Checker,
    typ: Option<&str>,
) -> Result<Jws<'a>, (String, String)> {
    let broken = |(rule, detail): Broken| (rule.to_string(), detail.to_owned());
    let malformed = |error: jws::NotJws| ("malformed".to_owned(), error.to_string());
    let jws = Jws::parse(token).map_err(malformed)?;
    match checker {
        Checker::Set(keys) => signature::verify(&jws, keys).map(|_| ()),
        Checker::Public(key) => signature::verify_with_key(&jws, key),
        Checker::Secret(key) => signature::verify_with_secret(&jws, key),
    }
    .map_err(broken)?;
    let wanted = typ.map(jws::normal_type);
    if wanted.is_some() && jws.header().typ != wanted {
        return Err(("wrong_type".to_owned(), "the token's `typ` is another".to_owned()));
    }
    Ok(jws)
}

fn encrypt(arguments: &Encrypt) -> Result<(), Failure> {
    let key = Encrypter::read(&arguments.key, arguments.alg.as_deref())?;
    let content = input(MAX_CONTENT_BYTES)?;
    let description = Description { typ: arguments.typ.as_deref(), cty: arguments.cty.as_deref() };
    let text = match &key {
        Encrypter::Public(key) => jwe::encrypt(key, &content, description),
        Encrypter::Private(key) => jwe::encrypt_with_secret(key, &content, description),
    };
    say(text.map_err(Failure::new)?);
    Ok(())
}

fn decrypt(arguments: &Decrypt) -> Result<(), Failure> {
    let text = given(arguments.token.as_deref())?;
    let Decrypter(key) = Decrypter::read(&arguments.key, arguments.alg.as_deref())?;
    match Jwe::parse(text.expose()).and_then(|jwe| jwe.decrypt(&key)) {
        Ok(decrypted) => show(arguments.json, text.expose(), "content", &decrypted.content),
        Err(refused) => refuse(arguments.json, refused.rule(), &refused.to_string()),
    }
}

/// Standard input, whole.
fn input(limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(Failure::new)?;
    if bytes.len() > limit {
        return Err(Failure::usage(format_args!("the input is longer than {limit} bytes")));
    }
    Ok(bytes)
}

/// The bytes as they are, or with the header as one JSON object.
fn show(json: bool, text: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    if !json {
        return std::io::stdout().lock().write_all(bytes).map_err(Failure::new);
    }
    let header = text.split('.').next().and_then(base64url::decode).unwrap_or_default();
    let header = parse_object(&header).map_err(Failure::new)?;
    let mut answer = json!({ "valid": true, "header": header });
    match (parse_object(bytes), std::str::from_utf8(bytes)) {
        (Ok(members), _) => answer[name] = Value::Object(members),
        (Err(_), Ok(text)) => answer[format!("{name}_text")] = text.into(),
        _ => answer[format!("{name}_base64url")] = base64url::encode(bytes).into(),
    }
    say(answer);
    Ok(())
}

fn refuse(json: bool, rule: &str, detail: &str) -> Result<(), Failure> {
    if json {
        say(json!({ "valid": false, "rule": rule, "detail": detail }));
    }
    Err(Failure::new(format_args!("refused: {detail} ({rule})")))
}

/// A media type's characters (RFC 6838 §4.2): it goes into a header as it is.
fn is_type(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&b);
    (1..=127).contains(&text.len()) && text.bytes().all(allowed)
}
