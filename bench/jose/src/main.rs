//! What it costs to sign and to validate an access token, beside the bare operation of the
//! cryptographic library, beside `jsonwebtoken` on the same library, and beside `josekit` on OpenSSL.
//!
//! Alternating rounds on one thread; prints medians and ratios; asserts only that answers are right.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use josekit::jwk::Jwk;
use josekit::jws::{JwsHeader, JwsSigner, JwsVerifier};
use josekit::jwt::{self, JwtPayload, JwtPayloadValidator};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use token::claims::AccessTokenClaims;
use token::jws::{self, Jws};
use token::key::{KeySet, PrivateKey};
use token::term::Algorithm;
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, verify_access_token};

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(150);
const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example";

fn main() {
    println!(
        "{:<30} {:>9} {:>9} {:>13} {:>7} {:>9} {:>7}",
        "µs", "bare", "ours", "jsonwebtoken", "ratio", "josekit", "ratio"
    );
    for algorithm in
        [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256]
    {
        validation(algorithm);
    }
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        signing(algorithm);
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_secs(i64::try_from(since.expect("after 1970").as_secs()).expect("time"))
}

/// An access token's claims, some 500 bytes: about 800 in a token.
fn claims() -> AccessTokenClaims {
    let value = serde_json::json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "C36jWNtXpIJhaBinveXZUk", "iat": now().as_secs(),
        "exp": now().as_secs() + 3600, "jti": "01a20bb1-cdd3-739c-b418-698d22ee95c6",
        "client_id": "SDHJL6bLq8l7P1gM6GlwZo", "auth_time": now().as_secs(),
        "scope": "invoices:read invoices:write openid orders:read orders:write profile users:read",
        "sid": "VdgxqhUlSlefQ3fB7BG7MK", "grant_id": "IeDKFHLxtTnHcVNZvCucgp",
    });
    serde_json::from_value(value).expect("claims")
}

/// Parse, signature, type, issuer, audience, times, claims.
fn validation(algorithm: Algorithm) {
    let key = PrivateKey::generate(algorithm).expect("key");
    let token = claims().sign(&key).expect("token");
    let keys: KeySet = [Arc::clone(key.public())].into_iter().collect();
    let policy = AccessTokenPolicy {
        issuer: ISSUER.to_owned(),
        audiences: vec![AUDIENCE.to_owned()],
        leeway: Duration::ZERO,
    };
    let jws = Jws::parse(&token).expect("JWS");
    let jwk = serde_json::to_value(key.public().jwk()).expect("JSON");
    let theirs =
        DecodingKey::from_jwk(&serde_json::from_value(jwk).expect("JWK")).expect("their key");
    let (_, verifier) = josekit_pair(algorithm, &key);
    let mut rules = Validation::new(algorithm.as_str().parse().expect("algorithm"));
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    row(
        &format!("validate {algorithm}, {} bytes", token.len()),
        &mut [
            &mut || assert!(key.public().verifies(jws.signing_input(), jws.signature())),
            &mut || {
                black_box(verify_access_token(&token, &keys, &policy, now()).expect("valid"));
            },
            &mut || {
                let data =
                    jsonwebtoken::decode::<AccessTokenClaims>(token.as_bytes(), &theirs, &rules);
                black_box(data.expect("valid"));
            },
            &mut || {
                let (payload, _) = jwt::decode_with_verifier(&token, &*verifier).expect("valid");
                let mut rules = JwtPayloadValidator::new();
                rules.set_issuer(ISSUER);
                rules.set_audience(AUDIENCE);
                rules.set_base_time(SystemTime::now());
                rules.validate(&payload).expect("valid");
                let claims: Result<AccessTokenClaims, _> =
                    serde_json::from_value(payload.claims_set().clone().into());
                black_box(claims.expect("claims"));
            },
        ],
    );
}

/// Claims → token.
fn signing(algorithm: Algorithm) {
    let key = PrivateKey::generate(algorithm).expect("key");
    let theirs = match algorithm {
        Algorithm::EdDsa => EncodingKey::from_ed_der(key.expose_pkcs8()),
        _ => EncodingKey::from_ec_der(key.expose_pkcs8()),
    };
    let (signer, _) = josekit_pair(algorithm, &key);
    let mut their_header = JwsHeader::new();
    their_header.set_token_type("at+jwt");
    let mut header = Header::new(algorithm.as_str().parse().expect("algorithm"));
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.public().kid().to_string());
    let claims = claims();
    let input = jws::sign(&key, "at+jwt", &serde_json::to_vec(&claims).expect("JSON"));
    let input = input.expect("token");
    row(
        &format!("sign {algorithm}"),
        &mut [
            &mut || drop(black_box(key.sign(input.as_bytes()).expect("signature"))),
            &mut || drop(black_box(claims.sign(&key).expect("token"))),
            &mut || {
                drop(black_box(jsonwebtoken::encode(&header, &claims, &theirs).expect("token")))
            },
            &mut || {
                let Ok(serde_json::Value::Object(members)) = serde_json::to_value(&claims) else {
                    panic!("claims are an object")
                };
                let payload = JwtPayload::from_map(members).expect("payload");
                let token = jwt::encode_with_signer(&payload, &their_header, &*signer);
                black_box(token.expect("token"));
            },
        ],
    );
}

fn josekit_pair(
    algorithm: Algorithm,
    key: &PrivateKey,
) -> (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) {
    let text = key.expose_jwk().expect("JWK");
    let jwk = Jwk::from_bytes(text.expose()).expect("their JWK");
    macro_rules! pair {
        ($known:expr) => {
            (
                Box::new($known.signer_from_jwk(&jwk).expect("signer")),
                Box::new($known.verifier_from_jwk(&jwk).expect("verifier")),
            )
        };
    }
    match algorithm {
        Algorithm::Es256 => pair!(josekit::jws::ES256),
        Algorithm::Es384 => pair!(josekit::jws::ES384),
        Algorithm::EdDsa => pair!(josekit::jws::EdDSA),
        Algorithm::Rs256 => pair!(josekit::jws::RS256),
        Algorithm::Ps256 => pair!(josekit::jws::PS256),
        other => panic!("{other} is not compared"),
    }
}

/// One line: the bare operation, ours, theirs, and theirs over ours.
fn row(name: &str, subjects: &mut [&mut dyn FnMut(); 4]) {
    let mut micros = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        for (subject, micros) in subjects.iter_mut().zip(&mut micros) {
            let (started, mut done) = (Instant::now(), 0u32);
            while started.elapsed() < ROUND {
                for _ in 0..16 {
                    subject();
                }
                done += 16;
            }
            // The first round warms up.
            if round > 0 {
                micros.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(done));
            }
        }
    }
    let [bare, ours, first, second] = micros.map(|mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    });
    println!(
        "{name:<30} {bare:>9.2} {ours:>9.2} {first:>13.2} {:>7.2} {second:>9.2} {:>7.2}",
        first / ours,
        second / ours
    );
}
