//! What a decision costs: microseconds for a request at the gateway, by how many policies there are.
//!
//! `cargo bench -p policy`; prints the best of several rounds, asserts nothing.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::policy::{Policies as _, Question};
use http::{HeaderMap, Method};
use policy::{Engine, Source, authzen};
use serde_json::json;
use token::event::TokenKind;
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::term::{Algorithm, token_type};
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, VerifiedAccessToken, verify_access_token};

const ROUNDS: usize = 30;
const TIMES: u32 = 500;
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn main() {
    let token = token();
    for count in [1, 10, 100] {
        let engine = engine(count);
        let principal = engine.principal(&token, token.scopes());
        let question = Question {
            principal: &principal,
            kind: TokenKind::Jwt,
            bound: true,
            method: &Method::GET,
            route: "/orders/{id}",
            parameters: &[("id", "17")],
            path: "/orders/17",
            host: "api.example",
            upstream: "orders",
            ip: IpAddr::from([192, 0, 2, 7]),
            place: token::place::Place::default(),
            now: NOW,
        };
        assert!(engine.decide(&question).allowed);
        timed(&format!("request, {count} policies"), || engine.decide(black_box(&question)));
        timed(&format!("token made ready, {count} policies"), || {
            engine.principal(black_box(&token), token.scopes())
        });
        let body = json!({
            "subject": { "type": "user", "id": "alice", "properties": { "groups": ["editors"] } },
            "action": { "name": "can_read" }, "resource": { "type": "document", "id": "7" },
        })
        .to_string();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().expect("field"));
        timed(&format!("AuthZEN evaluation, {count} policies"), || {
            let (path, body) = (authzen::EVALUATION, body.as_bytes());
            engine.answer("https://pdp.example", &Method::POST, path, &headers, black_box(body))
        });
    }
}

/// One policy for this route, others for other routes, as an installation has them.
fn engine(count: usize) -> Engine {
    let mut text = String::from(
        "permit(principal is User, action in Action::\"GET\", resource == Route::\"/orders/{id}\")
            when { principal.scopes.contains(\"orders:read\") && principal.claims.tier == \"gold\"
                && context.ip.isInRange(ip(\"192.0.2.0/24\")) };\n",
    );
    for number in 1..count {
        let _ = writeln!(
            text,
            "permit(principal in Group::\"g{number}\", action, resource == Route::\"/r{number}\")
                when {{ principal.claims.tier == \"gold\" && context.bound }};"
        );
    }
    let routes: Vec<String> = (1..count).map(|number| format!("/r{number}")).collect();
    let routes: Vec<String> = routes.into_iter().chain(["GET /orders/{id}".to_owned()]).collect();
    Engine::new(&[Source { path: "bench.cedar".into(), text }], None, &routes).expect("policies")
}

fn token() -> VerifiedAccessToken {
    let now = NOW.as_secs();
    let claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "u1",
        "client_id": "c1", "exp": now + 300, "iat": now, "scope": "orders:read orders:write openid",
        "jti": "01999999-9999-7999-8999-999999999999", "tier": "gold", "acr": "mfa",
        "auth_time": now - 60, "groups": ["staff", "sales", "sales-emea"],
    });
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

fn timed<T>(what: &str, mut act: impl FnMut() -> T) {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..TIMES {
            black_box(act());
        }
        best = best.min(began.elapsed().as_secs_f64() / f64::from(TIMES));
    }
    println!("{what}: {:.1} us", best * 1e6);
}
