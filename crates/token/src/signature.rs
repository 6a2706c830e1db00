//! Whether a signature is one that a key of ours may have made: the header's rules, then the mathematics.

use std::sync::Arc;

use crate::jws::{Header, Jws, Kid};
use crate::key::{KeySet, MacKey, PublicKey};
use crate::reason::{Forgery, Refused};

/// The rule that a signature broke, and words for a person who made it.
pub type Broken = (Refused, &'static str);

/// Refuses a token that says of itself that it is not signed.
pub(crate) fn is_claimed(header: &Header) -> Result<(), Broken> {
    if header.alg.trim().eq_ignore_ascii_case("none") {
        return Err((Forgery::AlgNone.into(), "the token is not signed"));
    }
    Ok(())
}

/// Checks a token with the key of a set that its header names.
///
/// # Errors
/// The first rule that is broken.
pub fn verify<'k>(jws: &Jws<'_>, keys: &'k KeySet) -> Result<&'k Arc<PublicKey>, Broken> {
    let header = jws.header();
    check_header(header)?;
    let kid = match &header.kid {
        Kid::Odd => return Err((Forgery::Kid.into(), "the key's name is not opaque")),
        Kid::Absent => return Err(unknown(header, "the header names no key")),
        Kid::Named(kid) => kid,
    };
    let Some(key) = keys.key(kid) else {
        return Err(unknown(header, "no key of this name signs tokens here"));
    };
    fits(jws, key)?;
    Ok(key)
}

/// The same; a header that names no key means the one key of the set that is for its algorithm, if
/// there is just one (RFC 7515 §4.1.4: the name is optional).
///
/// # Errors
/// The first rule that is broken.
pub fn verify_by_any_name<'k>(
    jws: &Jws<'_>,
    keys: &'k KeySet,
) -> Result<&'k Arc<PublicKey>, Broken> {
    if jws.header().kid != Kid::Absent {
        return verify(jws, keys);
    }
    check_header(jws.header())?;
    let mut fitting = keys.iter().filter(|key| key.algorithm().is_named(&jws.header().alg));
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => fits(jws, key).map(|()| key),
        _ => Err(unknown(
            jws.header(),
            "the header names no key, and it is not clear which is meant",
        )),
    }
}

/// Checks a token with one key, whatever name its header gives it.
///
/// # Errors
/// The first rule that is broken.
pub fn verify_with_key(jws: &Jws<'_>, key: &PublicKey) -> Result<(), Broken> {
    check_header(jws.header())?;
    fits(jws, key)
}

/// Checks a proof of possession, which alone brings its own key (RFC 9449 §4.2).
pub(crate) fn verify_proof_of(jws: &Jws<'_>, key: &PublicKey) -> Result<(), Broken> {
    let header = jws.header();
    is_claimed(header)?;
    asks_for_more(header)?;
    fits(jws, key)
}

/// Checks a token with a shared secret.
///
/// # Errors
/// The first rule that is broken.
pub fn verify_with_secret(jws: &Jws<'_>, key: &MacKey) -> Result<(), Broken> {
    check_header(jws.header())?;
    if jws.header().alg != key.algorithm().as_str() {
        return Err(confused());
    }
    if key.verifies(jws.signing_input(), jws.signature()) { Ok(()) } else { Err(bad()) }
}

fn check_header(header: &Header) -> Result<(), Broken> {
    is_claimed(header)?;
    asks_for_more(header)?;
    if header.brings_key {
        return Err((Forgery::Jwk.into(), "the header brings its own key"));
    }
    Ok(())
}

fn asks_for_more(header: &Header) -> Result<(), Broken> {
    if header.critical {
        return Err((Forgery::Crit.into(), "the header demands an extension"));
    }
    if header.names_key_url {
        return Err((Forgery::Jku.into(), "the header names a place for its key"));
    }
    Ok(())
}

fn fits(jws: &Jws<'_>, key: &PublicKey) -> Result<(), Broken> {
    if !key.algorithm().is_named(&jws.header().alg) {
        return Err(confused());
    }
    if key.verifies(jws.signing_input(), jws.signature()) { Ok(()) } else { Err(bad()) }
}

/// A shared-secret algorithm without a key that we know is the old confusion, tried blindly.
fn unknown(header: &Header, words: &'static str) -> Broken {
    if header.alg.starts_with("HS") { confused() } else { (Forgery::UnknownKey.into(), words) }
}

fn confused() -> Broken {
    (Forgery::KeyConfusion.into(), "the algorithm is not the key's")
}

fn bad() -> Broken {
    (Forgery::BadSignature.into(), "the signature does not fit")
}
