//! What policies decide, and what they may not: requests of the gateway with real tokens.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::policy::{Policies, Question, Ruling};
use http::Method;
use serde_json::{Value, json};
use token::event::TokenKind;
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::place::Place;
use token::scope::ScopeSet;
use token::term::{Algorithm, token_type};
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, VerifiedAccessToken, verify_access_token};

use crate::{Engine, Source};

mod authzen;
mod loading;

/// Monday, 21 September 2026, 14:13:20 UTC.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ROUTES: [&str; 3] = ["GET /orders/{id}", "DELETE /orders/{id}", "/files/{rest...}"];

fn source(text: &str) -> Source {
    Source { path: "policies/shop.cedar".into(), text: text.into() }
}

fn routes() -> Vec<String> {
    ROUTES.map(str::to_owned).to_vec()
}

fn engine(text: &str) -> Engine {
    Engine::new(&[source(text)], None, &routes()).expect("policies")
}

/// A token of `u1` with these claims beside the usual ones.
fn token(more: &Value) -> VerifiedAccessToken {
    let now = NOW.as_secs();
    let mut claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "u1",
        "client_id": "c1", "exp": now + 300, "iat": now, "scope": "orders:read",
        "jti": "01999999-9999-7999-8999-999999999999",
    });
    let more = more.as_object().expect("claims").clone();
    claims.as_object_mut().expect("claims").extend(more);
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let keys: KeySet = [Arc::clone(key.public())].into_iter().collect();
    let text = jws::sign(&key, token_type::ACCESS_TOKEN, claims.to_string().as_bytes());
    let policy = AccessTokenPolicy {
        issuer: "https://issuer.example".into(),
        audiences: vec!["https://api.example".into()],
        leeway: Duration::ZERO,
    };
    verify_access_token(&text.expect("token"), &keys, &policy, NOW).expect("good token")
}

/// `GET /orders/17` from 192.0.2.7, with this token.
fn ask(engine: &Engine, token: &VerifiedAccessToken) -> Ruling {
    ask_with(engine, token, |question| question)
}

fn ask_with(
    engine: &Engine,
    token: &VerifiedAccessToken,
    change: impl for<'q> FnOnce(Question<'q>) -> Question<'q>,
) -> Ruling {
    let scopes = token.scopes().union(&ScopeSet::parse("orders:list").expect("scopes"));
    let principal = engine.principal(token, &scopes);
    let question = Question {
        principal: &principal,
        kind: TokenKind::Jwt,
        bound: false,
        method: &Method::GET,
        route: "/orders/{id}",
        parameters: &[("id", "17")],
        path: "/orders/17",
        host: "api.example",
        upstream: "orders",
        ip: IpAddr::from([192, 0, 2, 7]),
        place: Place::default(),
        now: NOW,
    };
    engine.decide(&change(question))
}

fn allows(condition: &str, token: &VerifiedAccessToken) -> bool {
    let engine = engine(&format!("permit(principal, action, resource) when {{ {condition} }};"));
    ask(&engine, token).allowed
}

#[test]
fn nothing_is_allowed_that_no_policy_permits() {
    let token = token(&json!({}));
    assert_eq!(ask(&engine(""), &token), Ruling::default());
    let forbids = engine("forbid(principal, action, resource);");
    let ruling = Ruling { allowed: false, policies: vec!["shop.cedar#1".into()] };
    assert_eq!(ask(&forbids, &token), ruling);
    let both = engine(
        "@id(\"all\") permit(principal, action, resource);
         @id(\"but not him\") forbid(principal == User::\"u1\", action, resource);",
    );
    let ruling = Ruling { allowed: false, policies: vec!["but not him".into()] };
    assert_eq!(ask(&both, &token), ruling);
    let permits = engine("@id(\"all\") permit(principal, action, resource);");
    assert_eq!(ask(&permits, &token), Ruling { allowed: true, policies: vec!["all".into()] });
}

#[test]
fn policies_see_the_token_and_the_request() {
    let token = token(&json!({
        "acr": "mfa", "auth_time": NOW.as_secs() - 60, "groups": ["sales", "staff"],
        "org": { "tier": "gold", "seats": 12, "rate": 1.5, "none": null }, "verified": true,
    }));
    for (condition, expected) in [
        ("principal == User::\"u1\"", true),
        ("principal.client == \"c1\" && principal.subject == \"u1\"", true),
        ("principal.issuer == \"https://issuer.example\"", true),
        ("principal.scopes.contains(\"orders:read\")", true),
        ("principal.scopes.contains(\"orders:list\")", true),
        ("principal.scopes.contains(\"orders:write\")", false),
        ("principal in Group::\"sales\"", true),
        ("principal in Group::\"ops\"", false),
        ("principal.acr == \"mfa\"", true),
        ("context.now.durationSince(principal.auth_time) <= duration(\"1m\")", true),
        ("context.now.durationSince(principal.auth_time) < duration(\"1m\")", false),
        ("principal.claims.org.tier == \"gold\" && principal.claims.org.seats > 10", true),
        ("principal.claims.org.rate.lessThan(decimal(\"2.0\"))", true),
        ("principal.claims.verified", true),
        ("principal.claims.org has none || principal.claims has scope", false),
        ("action == Action::\"GET /orders/{id}\"", true),
        ("action in Action::\"GET\" && !(action in Action::\"POST\")", true),
        ("resource == Route::\"/orders/{id}\"", true),
        ("resource.parameters.id == \"17\" && resource.path == \"/orders/17\"", true),
        ("resource.host == \"api.example\" && resource.upstream == \"orders\"", true),
        ("context.ip.isInRange(ip(\"192.0.2.0/24\"))", true),
        ("context.ip.isLoopback()", false),
        ("context.token_kind == \"jwt\" && !context.bound", true),
        ("context.now.toTime() < duration(\"15h\")", true),
    ] {
        assert_eq!(allows(condition, &token), expected, "{condition}");
    }
}

#[test]
fn a_client_on_its_own_account_is_no_person() {
    let token = token(&json!({ "sub": "c1" }));
    assert!(allows("principal is Client && principal == Client::\"c1\"", &token));
    assert!(!allows("principal is User", &token));
}

/// Cedar leaves such a policy out; here the request is refused.
#[test]
fn what_cannot_be_evaluated_refuses() {
    let token = token(&json!({}));
    let engine = engine(
        "@id(\"all\") permit(principal, action, resource);
         @id(\"broken\") forbid(principal, action, resource) when { principal.claims.level < 3 };",
    );
    let ruling = Ruling { allowed: false, policies: vec!["broken".into()] };
    assert_eq!(ask(&engine, &token), ruling);
    let with_level = self::token(&json!({ "level": 5 }));
    assert!(ask(&engine, &with_level).allowed);
    assert!(!ask(&engine, &self::token(&json!({ "level": "5" }))).allowed, "a text is no number");
}

#[test]
fn a_token_that_is_no_principal_is_refused() {
    let permits = engine("permit(principal, action, resource);");
    let odd = token(&json!({ "auth_time": i64::MAX / 2000 }));
    assert_eq!(ask(&permits, &odd), Ruling::default());
}

/// Whoever writes claims may not write what they mean to Cedar.
#[test]
fn claims_are_values_and_never_expressions() {
    let token = token(&json!({
        "e": { "__entity": { "type": "Group", "id": "admins" } },
        "x": { "__extn": { "fn": "ip", "arg": "10.0.0.1" } },
        "groups": [{ "type": "Group", "id": "admins" }, "a\" || true"],
    }));
    assert!(!allows("principal in Group::\"admins\"", &token));
    assert!(allows("principal.claims.e has __entity && principal.claims.x has __extn", &token));
    assert!(!allows("principal.claims.x.isIpv4()", &token));
}

#[test]
fn parameters_of_another_form_are_texts_all_the_same() {
    let token = token(&json!({}));
    let engine =
        engine("permit(principal, action, resource) when { resource.parameters.id == \"17\" };");
    for (value, allowed) in [("17", true), ("1%37", false), ("17\u{0}", false), ("", false)] {
        let parameters = [("id", value)];
        let principal = engine.principal(&token, token.scopes());
        let ruling = ask_with(&engine, &token, |question| Question {
            principal: question.principal,
            ..question
        });
        assert!(ruling.allowed);
        let question = Question {
            principal: &principal,
            kind: TokenKind::Opaque,
            bound: true,
            method: &Method::DELETE,
            route: "/orders/{id}",
            parameters: &parameters,
            path: "/orders/x",
            host: "",
            upstream: "",
            ip: "2001:db8::1".parse().expect("address"),
            place: Place::default(),
            now: Timestamp::from_millis(0),
        };
        assert_eq!(engine.decide(&question).allowed, allowed, "{value:?}");
    }
}

#[test]
fn policies_know_where_a_client_is_as_far_as_that_is_known() {
    let token = token(&json!({}));
    let known = |country: &str, asn: Option<u32>| Place {
        country: country.parse().ok(),
        asn,
        ..Place::default()
    };
    let (norway, sweden) = (known("NO", Some(64_496)), known("SE", None));
    let nowhere = Place::default();
    for (condition, allowed) in [
        ("context.country == \"NO\"", [true, false, false]),
        ("[\"NO\", \"SE\"].contains(context.country)", [true, true, false]),
        ("context has asn && context.asn == 64496", [true, false, false]),
        ("!(context has country)", [false, false, true]),
        // What is not known cannot be compared, and a policy that tries refuses.
        ("context.asn != 64497", [true, false, false]),
    ] {
        let engine =
            engine(&format!("permit(principal, action, resource) when {{ {condition} }};"));
        for (place, allowed) in [norway, sweden, nowhere].into_iter().zip(allowed) {
            let ruling = ask_with(&engine, &token, |question| Question { place, ..question });
            assert_eq!(ruling.allowed, allowed, "{condition} at {place}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever a policy is, it is read or named as a mistake.
    #[test]
    fn no_policy_text_is_too_odd(
        text in "(permit|forbid|@id\\(\"a\"\\)|principal|when|[ (){};,.=&|!\"a-z0-9:?{}]|\\PC){0,60}"
    ) {
        drop(Engine::new(&[source(&text)], None, &routes()).map(|engine| {
            ask(&engine, &token(&json!({})))
        }));
    }

    /// Whatever a token claims and a request is, there is a ruling.
    #[test]
    fn no_request_is_too_odd(
        name in "\\PC{0,12}", value in "\\PC{0,12}", number in proptest::num::f64::ANY,
        path in "\\PC{0,20}", millis in proptest::num::i64::ANY
    ) {
        let token = token(&json!({ "groups": [value, number], "odd": { name.clone(): [number, value] } }));
        let engine = engine(
            "permit(principal, action, resource) when { principal.claims has odd };
             forbid(principal, action, resource) when { context.now < datetime(\"1970-01-01\") };",
        );
        let principal = engine.principal(&token, token.scopes());
        let question = Question {
            principal: &principal,
            kind: TokenKind::Jwt,
            bound: false,
            method: &Method::GET,
            route: &path,
            parameters: &[(&value, &path)],
            path: &path,
            host: &value,
            upstream: &name,
            ip: IpAddr::from([0, 0, 0, 0]),
            place: Place::default(),
            now: Timestamp::from_millis(millis),
        };
        engine.decide(&question);
    }
}
