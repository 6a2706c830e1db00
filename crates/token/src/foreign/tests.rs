//! Every rule for tokens of other issuers, each with the case that breaks it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{
    AcceptedAudience, AcceptedType, ForeignRules, ScopeSource, Unusable, claimed_issuer, is_jwt,
    read_introspection, verify_foreign,
};
use crate::base64url;
use crate::jws;
use crate::key::{KeySet, MacKey, PrivateKey};
use crate::opaque::OpaqueHash;
use crate::term::{Algorithm, MacAlgorithm};
use crate::time::Timestamp;
use crate::validate::{TokenRefused, VerifiedAccessToken};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ISSUER: &str = "https://idp.example/realms/shop";

fn rules() -> ForeignRules {
    let path = |text: &str| text.parse().expect("path");
    ForeignRules {
        issuer: Arc::new(ISSUER.to_owned()),
        audiences: vec![AcceptedAudience {
            named: "api://orders".into(),
            stands_for: "https://api.example".into(),
        }],
        algorithms: Vec::new(),
        types: vec![AcceptedType::Named("at+jwt".into())],
        scopes: vec![
            ScopeSource { claim: path("scope"), prefix: String::new() },
            ScopeSource { claim: path("scp"), prefix: String::new() },
            ScopeSource { claim: path("realm_access.roles"), prefix: "role:".into() },
        ],
        subject: path("sub"),
        client: vec![path("client_id"), path("azp")],
        required: Vec::new(),
        longest_life: Duration::from_secs(86_400),
        leeway: Duration::from_secs(5),
    }
}

fn any_type() -> ForeignRules {
    let types = vec![AcceptedType::Named("jwt".into()), AcceptedType::Absent];
    ForeignRules { types, ..rules() }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ["api://orders", "https://elsewhere.example"], "sub": "alice",
        "exp": NOW.as_secs() + 300, "iat": NOW.as_secs(), "jti": "t1", "azp": "web",
        "scope": "orders:read", "sid": "s1",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("object").remove(name);
    claims
}

struct Bench {
    key: PrivateKey,
    keys: KeySet,
}

// === impl Bench ===

impl Bench {
    fn new() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        let keys = [Arc::clone(key.public())].into_iter().collect();
        Self { key, keys }
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        jws::sign(&self.key, typ, claims.to_string().as_bytes()).expect("token")
    }

    fn sign_header(&self, header: &Value) -> String {
        let encode = |value: &Value| base64url::encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(&claims()));
        let signature = self.key.sign(input.as_bytes()).expect("signature");
        format!("{input}.{}", base64url::encode(signature))
    }

    fn verify(
        &self,
        token: &str,
        rules: &ForeignRules,
    ) -> Result<VerifiedAccessToken, TokenRefused> {
        verify_foreign(token, &self.keys, rules, NOW)
    }

    fn refused(&self, claims: &Value, rules: &ForeignRules) -> String {
        said(self.verify(&self.sign("at+jwt", claims), rules))
    }
}

fn said(verified: Result<VerifiedAccessToken, TokenRefused>) -> String {
    verified.map_or_else(|refused| refused.refused.to_string(), |_| "accepted".to_owned())
}

#[test]
fn a_good_token_has_names_that_no_token_of_ours_has() {
    let bench = Bench::new();
    let token = bench.verify(&bench.sign("at+jwt", &claims()), &rules()).expect("good");
    let facts = token.facts();
    assert_eq!(facts.subject.as_str(), "https://idp.example/realms/shop|alice");
    assert_eq!(facts.client.as_str(), "https://idp.example/realms/shop|web");
    assert_eq!(facts.token.as_str(), "https://idp.example/realms/shop|t1");
    let session = facts.session.as_ref().map(|session| session.as_str());
    assert_eq!(session, Some("https://idp.example/realms/shop|s1"));
    assert_eq!(facts.key.as_str(), format!("{ISSUER}|{}", bench.key.public().kid()));
    assert_eq!(
        (facts.grant.as_ref(), facts.foreign.as_ref().map(|it| it.as_str())),
        (None, Some(ISSUER))
    );
    assert_eq!(token.claims().sub, facts.subject);
    // Only what is accepted is left, under the name that it has here.
    assert_eq!(token.claims().aud.iter().collect::<Vec<_>>(), ["https://api.example"]);
    assert_eq!(token.scopes().to_string(), "orders:read");
}

#[test]
fn scopes_are_found_wherever_they_are() {
    let bench = Bench::new();
    let scopes = |claims: Value| {
        let token = bench.verify(&bench.sign("at+jwt", &claims), &rules()).expect("good");
        token.scopes().to_string()
    };
    assert_eq!(scopes(with("scp", json!(["b", "a"]))), "a b orders:read");
    assert_eq!(scopes(with("scp", json!("b a"))), "a b orders:read");
    let roles = json!({ "roles": ["admin", "two words", "", 7, "a\"b"] });
    assert_eq!(scopes(with("realm_access", roles)), "orders:read role:admin");
    assert_eq!(scopes(with("scope", json!(7))), "");
    let many = json!(vec!["x".repeat(100); 41]);
    assert_eq!(bench.refused(&with("scp", many), &rules()), "too_large");
}

#[test]
fn who_it_is_can_be_elsewhere() {
    let bench = Bench::new();
    let path = |text: &str| text.parse().expect("path");
    let rules = ForeignRules { subject: path("oid"), client: vec![path("appid")], ..rules() };
    let mut claims = with("oid", json!("o1"));
    claims["appid"] = json!("app");
    let token = bench.verify(&bench.sign("at+jwt", &claims), &rules).expect("good");
    assert!(token.facts().subject.as_str().ends_with("|o1"));
    assert!(token.facts().client.as_str().ends_with("|app"));
    // A client on its own account.
    claims.as_object_mut().expect("claims").remove("oid");
    let token = bench.verify(&bench.sign("at+jwt", &claims), &rules).expect("good");
    assert!(token.facts().subject.as_str().ends_with("|app"));
    assert_eq!(bench.refused(&self::claims(), &rules), "malformed", "no client");
}

#[test]
fn a_token_without_a_name_is_called_by_its_hash() {
    let bench = Bench::new();
    let text = bench.sign("at+jwt", &without("jti"));
    let token = bench.verify(&text, &rules()).expect("good");
    let hash = base64url::encode(OpaqueHash::of(&text).as_bytes());
    assert_eq!(token.facts().token.as_str(), format!("{ISSUER}|sha256:{hash}"));
}

#[test]
fn a_name_is_never_too_long_to_be_taken_back_by() {
    let bench = Bench::new();
    let mut claims = with("sub", json!("s".repeat(224)));
    claims["jti"] = json!("t".repeat(225));
    let token = bench.verify(&bench.sign("at+jwt", &claims), &rules()).expect("good");
    let (subject, name) = (&token.facts().subject, &token.facts().token);
    assert_eq!(subject.as_str(), format!("{ISSUER}|{}", "s".repeat(224)));
    let hash = base64url::encode(OpaqueHash::of(&"t".repeat(225)).as_bytes());
    assert_eq!(name.as_str(), format!("{ISSUER}|sha256:{hash}"));
    let longest = super::name(&"i".repeat(super::LONGEST_ISSUER), &"x".repeat(10_000));
    assert!(longest.len() <= super::LONGEST_NAME);
}

#[test]
fn each_rule_is_held() {
    let bench = Bench::new();
    let at = |seconds: i64| json!(NOW.as_secs() + seconds);
    for (claims, refused) in [
        (with("aud", json!("https://elsewhere.example")), "wrong_audience"),
        (with("aud", json!(["API://orders", "api://orders/"])), "wrong_audience"),
        (without("aud"), "wrong_audience"),
        (with("aud", json!(7)), "malformed"),
        (with("iss", json!("https://idp.example/realms/shop/")), "wrong_issuer"),
        (with("iss", json!("HTTPS://idp.example/realms/shop")), "wrong_issuer"),
        (without("iss"), "wrong_issuer"),
        (with("exp", at(-6)), "expired"),
        (without("exp"), "malformed"),
        (with("exp", json!("9999999999")), "malformed"),
        (with("exp", json!(1e300)), "malformed"),
        (without("iat"), "malformed"),
        (with("iat", at(6)), "not_yet_valid"),
        (with("nbf", at(6)), "not_yet_valid"),
        (with("exp", at(86_401)), "policy"),
        (with("cnf", Value::Null), "malformed"),
        (without("azp"), "malformed"),
        (with("sub", json!(5)), "malformed"),
        (with("sub", Value::Null), "malformed"),
        (with("sub", json!(["alice"])), "malformed"),
        (with("sub", json!("")), "malformed"),
        (without("sub"), "accepted"),
        (with("exp", json!(NOW.as_secs() as f64 + 0.5)), "accepted"),
        (with("scope", Value::Null), "accepted"),
        (claims(), "accepted"),
    ] {
        assert_eq!(bench.refused(&claims, &rules()), refused, "{claims}");
    }
}

#[test]
fn what_limits_a_token_is_kept() {
    let bench = Bench::new();
    let bound = with("cnf", json!({ "x5t#S256": base64url::encode([7; 32]) }));
    let token = bench.verify(&bench.sign("at+jwt", &bound), &rules()).expect("good");
    assert!(token.confirmation().is_some_and(|cnf| cnf.x5t_s256.is_some()));
}

#[test]
fn required_claims_have_to_be_there() {
    let bench = Bench::new();
    let required = vec![("tid".parse().expect("path"), json!("tenant"))];
    let rules = ForeignRules { required, ..rules() };
    assert_eq!(bench.refused(&with("tid", json!("tenant")), &rules), "accepted");
    assert_eq!(bench.refused(&with("tid", json!(["other", "tenant"])), &rules), "accepted");
    for tid in [json!("Tenant"), json!(["other"]), json!({ "tenant": "tenant" }), Value::Null] {
        assert_eq!(bench.refused(&with("tid", tid), &rules), "policy");
    }
    assert_eq!(bench.refused(&claims(), &rules), "policy");
}

#[test]
fn other_types_are_taken_only_where_that_is_said() {
    let bench = Bench::new();
    let by =
        |typ: &str, rules: &ForeignRules| said(bench.verify(&bench.sign(typ, &claims()), rules));
    assert_eq!(by("application/AT+JWT", &rules()), "accepted");
    for typ in ["JWT", "logout+jwt", "dpop+jwt", ""] {
        assert_eq!(by(typ, &rules()), "wrong_type", "{typ:?}");
    }
    assert_eq!(by("JWT", &any_type()), "accepted");
    for typ in ["at+jwt", "logout+jwt", "secevent+jwt"] {
        assert_eq!(by(typ, &any_type()), "wrong_type", "{typ:?}");
    }
    let kid = bench.key.public().kid().as_str();
    let bare = bench.sign_header(&json!({ "alg": "ES256", "kid": kid }));
    assert_eq!(said(bench.verify(&bare, &any_type())), "accepted");
    assert_eq!(said(bench.verify(&bare, &rules())), "wrong_type");
}

#[test]
fn an_id_token_is_no_access_token_even_where_any_type_will_do() {
    let bench = Bench::new();
    for claim in ["at_hash", "c_hash", "s_hash", "events"] {
        let token = bench.sign("JWT", &with(claim, json!("x")));
        assert_eq!(said(bench.verify(&token, &any_type())), "wrong_type", "{claim}");
    }
    let id_token = bench.sign("JWT", &with("aud", json!("web")));
    assert_eq!(said(bench.verify(&id_token, &any_type())), "wrong_audience");
}

#[test]
fn only_its_own_keys_with_their_own_algorithm_sign() {
    let (bench, other) = (Bench::new(), Bench::new());
    let token = other.sign("at+jwt", &claims());
    assert_eq!(said(bench.verify(&token, &rules())), "forged:unknown_key");
    let good = bench.sign("at+jwt", &claims());
    let broken = format!("{}AAAA", &good[..good.len() - 4]);
    assert_eq!(said(bench.verify(&broken, &rules())), "forged:bad_signature");
    let kid = bench.key.public().kid().as_str();
    let header = |more: Value| {
        let mut header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
        header.as_object_mut().expect("header").extend(more.as_object().cloned().expect("more"));
        said(bench.verify(&bench.sign_header(&header), &rules()))
    };
    assert_eq!(header(json!({ "alg": "none" })), "forged:alg_none");
    assert_eq!(header(json!({ "alg": "NonE" })), "forged:alg_none");
    assert_eq!(header(json!({ "alg": "ES384" })), "forged:key_confusion");
    assert_eq!(header(json!({ "jwk": {} })), "forged:jwk");
    assert_eq!(header(json!({ "jku": "https://x.example" })), "forged:jku");
    assert_eq!(header(json!({ "crit": ["x"] })), "forged:crit");
    assert_eq!(header(json!({ "kid": "../../k" })), "forged:kid");
    // With the public key's text for a secret.
    let public = serde_json::to_string(bench.key.public().jwk()).expect("jwk");
    let secret = MacKey::new(MacAlgorithm::Hs256, "k".into(), public.as_bytes()).expect("secret");
    let forged = jws::sign_with_secret(&secret, "at+jwt", claims().to_string().as_bytes());
    assert_eq!(said(bench.verify(&forged, &rules())), "forged:key_confusion");
}

#[test]
fn the_list_of_algorithms_narrows_and_a_lone_key_needs_no_name() {
    let bench = Bench::new();
    let only = |algorithm| ForeignRules { algorithms: vec![algorithm], ..rules() };
    assert_eq!(bench.refused(&claims(), &only(Algorithm::Es256)), "accepted");
    assert_eq!(bench.refused(&claims(), &only(Algorithm::Ed25519)), "policy");
    let nameless = bench.sign_header(&json!({ "alg": "ES256", "typ": "at+jwt" }));
    assert_eq!(said(bench.verify(&nameless, &rules())), "accepted");
}

#[test]
fn what_a_refused_token_claims_is_told_under_its_issuers_name() {
    let bench = Bench::new();
    let refused = bench.verify(&bench.sign("JWT", &claims()), &rules()).expect_err("refused");
    let subject = refused.claimed.subject.expect("subject");
    assert_eq!(subject, "https://idp.example/realms/shop|alice");
}

#[test]
fn a_jwt_names_its_issuer_and_an_opaque_token_does_not() {
    let bench = Bench::new();
    let token = bench.sign("at+jwt", &claims());
    assert_eq!(claimed_issuer(&token).as_deref(), Some(ISSUER));
    assert_eq!(claimed_issuer(&bench.sign("at+jwt", &without("iss"))), None);
    for text in ["", ".", "a.b.c", "eyJ.eyJ.x"] {
        assert_eq!(claimed_issuer(text), None, "{text}");
    }
    assert!(is_jwt(&token) && is_jwt("eyJ.eyJ.") && is_jwt("eyJ.a.b.c.d"));
    for text in ["", "2YotnFZFEjr1zCsicMWpAA", "eyABC", "v2.local.abc", "gho_abc.def"] {
        assert!(!is_jwt(text), "{text}");
    }
}

fn introspected(answer: &Value) -> String {
    match read_introspection(answer.to_string().as_bytes(), &OpaqueHash::of("o"), &rules(), NOW) {
        Ok(token) => {
            assert_eq!(token.facts().key.as_str(), format!("{ISSUER}|"));
            "accepted".to_owned()
        }
        Err(Unusable::Answer) => "no answer".to_owned(),
        Err(Unusable::Token(refused)) => refused.refused.to_string(),
    }
}

#[test]
fn an_answer_about_a_token_is_held_to_the_same_rules() {
    let active = |mut claims: Value| {
        claims["active"] = json!(true);
        claims
    };
    let mut bound = with("token_type", json!("DPoP"));
    bound["cnf"] = json!({ "jkt": base64url::encode([7; 32]) });
    for (answer, expected) in [
        (active(claims()), "accepted"),
        (active(without("iss")), "accepted"),
        (active(bound), "accepted"),
        (active(with("token_type", json!("DPoP"))), "malformed"),
        (active(with("token_type", json!("dpop"))), "malformed"),
        (claims(), "no answer"),
        (json!({ "active": false }), "unknown_token"),
        (json!({ "active": "true" }), "no answer"),
        (json!([]), "no answer"),
        (active(with("iss", json!("https://idp.example"))), "wrong_issuer"),
        (active(without("aud")), "wrong_audience"),
        (active(without("exp")), "malformed"),
        (active(with("exp", json!(1))), "expired"),
        (active(with("token_type", json!("refresh_token"))), "wrong_type"),
        (active(with("token_type", json!(1))), "wrong_type"),
    ] {
        assert_eq!(introspected(&answer), expected, "{answer}");
    }
}
