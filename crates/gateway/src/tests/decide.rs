//! Who is let through, who is not, and what they are told.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use token::base64url;
use token::id::{ClientId, GrantId, SubjectId, TokenId};
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::ladder::Ladder;
use token::restriction::{Effect, Selector};

use super::support::upstream::Recording;
use super::support::{House, error, field, settings, status};

const BARE: &str =
    r#"Bearer resource_metadata="https://api.example/.well-known/oauth-protected-resource""#;

async fn house() -> (House, Recording) {
    let upstream = Recording::new().await;
    (House::new(upstream.address).await, upstream)
}

/// Asks with a token for `GET /orders/7`; `status reason`.
async fn verdict(house: &House, token: &str) -> String {
    let answer = house.ask_as(token, "GET /orders/7", "").await;
    let (_, request) = house.events.next().await;
    assert_eq!(request.status, status(&answer));
    match request.refused {
        Some(refused) => format!("{} {refused}", request.status),
        None => request.status.to_string(),
    }
}

#[tokio::test]
async fn a_good_token_is_let_through() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read");
    assert_eq!(verdict(&house, &token).await, "200");
    assert_eq!(verdict(&house, &token).await, "200", "and from the cache");
    assert_eq!(upstream.requests().len(), 2);
    let lower = house.ask("GET /orders", &format!("authorization: bEaReR  {token}\r\n")).await;
    assert_eq!(status(&lower), 200);
}

/// RFC 6750 §3: `scope`, where the gateway is told to name it.
#[tokio::test]
async fn without_a_token_the_challenge_can_name_the_scopes_of_the_route() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.challenge_scopes = true;
    let house = House::with(settings).await;
    let scoped = format!("{BARE}, scope=\"orders:read\"");
    let answer = house.ask("GET /orders/7", "").await;
    assert_eq!(field(&answer, "www-authenticate"), Some(scoped.as_str()));
    let by_key = answer.lines().find(|line| line.contains("DPoP algs=")).expect("DPoP");
    assert!(by_key.trim_end().ends_with(", scope=\"orders:read\""), "{by_key}");
    for line in ["GET /nothing/here", "PATCH /orders"] {
        let answer = house.ask(line, "").await;
        assert_eq!(field(&answer, "www-authenticate"), Some(BARE), "{line}");
    }
}

#[tokio::test]
async fn a_scope_opens_what_it_includes_and_the_challenge_names_what_is_demanded() {
    let upstream = Recording::new().await;
    let steps: [(&str, &[&str]); 3] = [
        ("orders:read", &[]),
        ("orders:write", &["orders:read"]),
        ("orders:admin", &["orders:write"]),
    ];
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.ladder = Ladder::new(steps).expect("ladder");
    let house = House::with(settings).await;
    for scope in ["orders:read", "orders:write", "orders:admin", "mail orders:admin"] {
        assert_eq!(verdict(&house, &house.token(scope)).await, "200", "{scope}");
    }
    assert_eq!(verdict(&house, &house.token("mail")).await, "403 insufficient_scope");
    let both = house.ask_as(&house.token("orders:write"), "DELETE /orders/7", "").await;
    assert_eq!(status(&both), 200);
    // Down is not up.
    let refused = house.ask_as(&house.token("orders:read"), "DELETE /orders/7", "").await;
    assert_eq!(status(&refused), 403);
    let challenge = field(&refused, "www-authenticate").expect("challenge");
    assert!(challenge.contains(r#"scope="orders:read orders:write""#), "{challenge}");
}

#[tokio::test]
async fn without_a_token_the_challenge_names_no_error() {
    let (house, upstream) = house().await;
    let fields = ["", "Authorization: Basic dTpw\r\n", "Authorization: Digest abc\r\n"];
    for fields in fields {
        for line in ["GET /orders/7", "GET /nothing/here", "PATCH /orders"] {
            let answer = house.ask(line, fields).await;
            assert_eq!(status(&answer), 401, "{line}");
            assert_eq!(field(&answer, "www-authenticate"), Some(BARE));
            assert!(answer.contains("www-authenticate: DPoP algs=\"ES256 "), "{answer}");
            assert_eq!(error(&answer), "unauthenticated");
            let (_, event) = house.events.next().await;
            assert_eq!(event.refused.expect("refused").to_string(), "no_token");
        }
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn two_credentials_are_none() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read");
    let cases = [
        (format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"), ""),
        (format!("Authorization: Basic dTpw\r\nAuthorization: Bearer {token}\r\n"), ""),
        (format!("Authorization: Bearer {token}, Bearer {token}\r\n"), ""),
        (format!("Authorization: Basic dTpw, Bearer {token}\r\n"), ""),
        (format!("Authorization: Bearer {token}\r\n"), "?access_token=x"),
    ];
    for (fields, query) in &cases {
        let answer = house.ask(&format!("GET /orders/7{query}"), fields).await;
        assert_eq!(status(&answer), 400, "{fields}");
        assert_eq!(error(&answer), "invalid_request");
        let (_, event) = house.events.next().await;
        assert_eq!(event.refused.expect("refused").to_string(), "two_tokens", "{fields}");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_token_in_the_query_is_never_forwarded() {
    let (house, upstream) = house().await;
    for query in [
        "access_token=x",
        "a=b&access_token=x",
        "a;access_token=x",
        "access%5Ftoken=x",
        "%61ccess_token=x",
        "Access_Token=x",
        "access_token",
    ] {
        for path in ["/orders/7", "/open/7"] {
            let answer = house.ask(&format!("GET {path}?{query}"), "").await;
            assert_eq!(status(&answer), 400, "{query}");
            house.events.next().await;
        }
    }
    assert!(upstream.requests().is_empty());
    let answer = house.ask("GET /open/7?my_access_token=x&access_token2=y", "").await;
    assert_eq!(status(&answer), 200);
}

#[tokio::test]
async fn a_credential_without_form_is_a_bad_request() {
    let (house, _upstream) = house().await;
    for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer \"x\"", "Bearer a\tb", "Bearer é"] {
        let answer = house.ask("GET /orders/7", &format!("Authorization: {value}\r\n")).await;
        assert_eq!(status(&answer), 400, "{value}");
        assert_eq!(error(&answer), "invalid_request");
    }
}

#[tokio::test]
async fn a_bad_token_is_told_so() {
    let (house, upstream) = house().await;
    let now = 1_790_000_000;
    let claims = house.claims();
    let good = house.sign(&claims);
    let mut altered = good.clone().into_bytes();
    let last = altered.len() - 10;
    altered[last] = if altered[last] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).expect("text");
    let none = format!(
        "{}.{}.",
        base64url::encode(r#"{"alg":"none","typ":"at+jwt"}"#),
        base64url::encode(claims.to_string())
    );
    let id_token = jws::sign(&house.key, "JWT", claims.to_string().as_bytes()).expect("token");
    let cases = [
        ("abc".to_owned(), "401 malformed"),
        (altered.clone(), "401 forged:bad_signature"),
        (altered, "401 forged:bad_signature"),
        (none, "401 forged:alg_none"),
        (id_token, "401 wrong_type"),
        (house.token_with("iss", json!("https://other.example")), "401 wrong_issuer"),
        (house.token_with("aud", json!("https://other.example")), "401 wrong_audience"),
        (house.token_with("aud", json!(["https://api.example/"])), "401 wrong_audience"),
        (house.token_with("exp", json!(now - 1)), "401 expired"),
        (house.token_with("iat", json!(now + 600)), "401 not_yet_valid"),
        (house.token_with("cnf", json!({"jkt": "A".repeat(43)})), "401 dpop:missing"),
        (house.token_with("cnf", json!({"jkt": "x"})), "401 malformed"),
        (house.token_with("scope", json!("orders:read\torders:write")), "401 malformed"),
        ("x".repeat(20_000), "401 too_large"),
    ];
    for (token, expected) in cases {
        assert_eq!(verdict(&house, &token).await, expected);
    }
    assert!(upstream.requests().is_empty());
    let answer = house.ask_as("abc", "GET /orders/7", "").await;
    let challenge = field(&answer, "www-authenticate").expect("challenge");
    assert!(challenge.starts_with(BARE) && challenge.contains(r#", error="invalid_token", "#));
    assert_eq!(error(&answer), "invalid_token");
}

#[tokio::test]
async fn a_cached_token_still_expires() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read");
    assert_eq!(verdict(&house, &token).await, "200");
    house.clock.advance(Duration::from_secs(301));
    assert_eq!(verdict(&house, &token).await, "401 expired");
}

#[tokio::test]
async fn a_key_that_is_gone_takes_its_cached_tokens_along() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read");
    assert_eq!(verdict(&house, &token).await, "200");
    let other = PrivateKey::generate(token::term::Algorithm::Es256).expect("key");
    house.keyring.replace([Arc::clone(other.public())].into_iter().collect());
    assert_eq!(verdict(&house, &token).await, "401 forged:unknown_key");
    let both: KeySet = [other.public(), house.key.public()].into_iter().cloned().collect();
    house.keyring.replace(both);
    assert_eq!(verdict(&house, &token).await, "200", "a refusal does not outlive its keys");
}

#[tokio::test]
async fn scopes_are_all_needed_and_told() {
    let (house, upstream) = house().await;
    let reader = house.token("orders:read");
    let answer = house.ask_as(&reader, "PUT /orders/7", "Content-Length: 0\r\n").await;
    assert_eq!(status(&answer), 403);
    assert_eq!(error(&answer), "insufficient_scope");
    let challenge = field(&answer, "www-authenticate").expect("challenge");
    assert!(challenge.contains(r#"error="insufficient_scope""#));
    assert!(challenge.ends_with(r#"scope="orders:read orders:write""#), "{challenge}");
    for scope in ["Orders:read", "orders", "orders:*", ""] {
        let token = house.token(scope);
        let answer = house.ask_as(&token, "GET /orders/7", "").await;
        assert_eq!(status(&answer), 403, "{scope}");
    }
    assert!(upstream.requests().is_empty());
    let writer = house.token("orders:write orders:read");
    let answer = house.ask_as(&writer, "PUT /orders/7", "Content-Length: 0\r\n").await;
    assert_eq!(status(&answer), 200);
}

#[tokio::test]
async fn a_route_can_be_for_another_audience() {
    let (house, _upstream) = house().await;
    let ledger = house.token_with("aud", json!("https://ledger.example"));
    let both = house.token_with("aud", json!(["https://ledger.example", "https://api.example"]));
    let ours = house.token("orders:read");
    for (token, path, expected) in [
        (&ledger, "/ledger", 200),
        (&ledger, "/orders", 401),
        (&both, "/ledger", 200),
        (&both, "/orders", 200),
        (&ours, "/ledger", 401),
    ] {
        let answer = house.ask_as(token, &format!("GET {path}"), "").await;
        assert_eq!(status(&answer), expected, "{path}");
    }
}

#[tokio::test]
async fn only_a_good_token_learns_of_routes() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read");
    for path in ["/nothing", "/orders/", "/orders/7/", "/orders/7/lines", "/Orders", "/"] {
        let answer = house.ask_as(&token, &format!("GET {path}"), "").await;
        assert_eq!(status(&answer), 404, "{path}");
        assert_eq!(error(&answer), "not_found");
    }
    let answer = house.ask_as(&token, "PATCH /orders", "").await;
    assert_eq!(status(&answer), 405);
    assert_eq!(field(&answer, "allow"), Some("GET, HEAD, POST"));
    for method in ["get", "OPTIONS", "TRACE", "PROPFIND"] {
        let answer = house.ask_as(&token, &format!("{method} /orders"), "").await;
        assert_eq!(status(&answer), 405, "{method}");
    }
    let answer = house.ask_as(&token, "TRACE /files/x", "").await;
    assert_eq!(status(&answer), 405, "a rule for every method has none for TRACE");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn what_is_taken_back_is_refused_at_once() {
    let (house, _upstream) = house().await;
    let selectors = [
        Selector::Client(ClientId::from("c1")),
        Selector::Grant(GrantId::from("g1")),
        Selector::Key(house.key.public().kid().clone()),
        Selector::Session("s1".into()),
        Selector::Subject(SubjectId::from("u1")),
    ];
    for selector in selectors {
        for (effect, reason) in [(Effect::Suspend, "blocked"), (Effect::Revoke, "revoked")] {
            let token = house.token("orders:read");
            assert_eq!(verdict(&house, &token).await, "200");
            tokio::time::sleep(Duration::from_millis(2)).await;
            house.restrict(selector.clone(), effect);
            assert_eq!(verdict(&house, &token).await, format!("401 {reason}"), "{selector}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let claims = house.claims();
    let token = house.sign(&claims);
    let id = TokenId::from(claims["jti"].as_str().expect("jti"));
    house.restrict(Selector::Token(id), Effect::Revoke);
    assert_eq!(verdict(&house, &token).await, "401 revoked");
}

#[tokio::test]
async fn a_lifted_suspension_is_over() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read");
    tokio::time::sleep(Duration::from_millis(2)).await;
    let seq = house.restrict(Selector::Issuer, Effect::Suspend);
    assert_eq!(verdict(&house, &token).await, "401 blocked");
    house.index.apply(&token::restriction::LogEntry::Lift { seq: seq + 1, lifts: seq });
    assert_eq!(verdict(&house, &token).await, "200");
}

#[tokio::test]
async fn a_blocked_network_comes_first() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read");
    house.restrict(Selector::Network("127.0.0.0/8".parse().expect("net")), Effect::Suspend);
    for line in ["GET /orders/7", "GET /open/7", "GET /../x", "GET /nothing"] {
        let answer = house.ask_as(&token, line, "").await;
        assert_eq!(status(&answer), 403, "{line}");
        assert_eq!(error(&answer), "access_denied");
        assert_eq!(field(&answer, "www-authenticate"), None);
        let (event, request) = house.events.next().await;
        assert_eq!(request.refused.expect("refused").to_string(), "blocked");
        assert_eq!(event.who.subject, None, "nobody looked at the token");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn bait_is_noticed_wherever_it_is_tried_and_does_not_say_so() {
    let (house, upstream) = house().await;
    let claims = house.claims();
    let token = house.sign(&claims);
    house.honeytokens.add(TokenId::from(claims["jti"].as_str().expect("jti")));
    for line in ["GET /orders/7", "GET /nothing", "PATCH /orders"] {
        let answer = house.ask_as(&token, line, "").await;
        assert_eq!(status(&answer), 401);
        assert!(answer.contains("the token was revoked") && !answer.contains("honey"));
        let (event, request) = house.events.next().await;
        assert_eq!(request.refused.expect("refused").to_string(), "honeytoken");
        assert_eq!(event.who.token.expect("verified").as_str(), claims["jti"].as_str().unwrap());
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn bait_that_verifies_no_longer_is_bait_all_the_same() {
    let (house, upstream) = house().await;
    let mut claims = house.claims();
    let name = claims["jti"].as_str().expect("jti").to_owned();
    house.honeytokens.add(TokenId::from(name.as_str()));
    let good = house.sign(&claims);
    claims["exp"] = json!(house.clock_secs() - 3600);
    let expired = house.sign(&claims);
    let tampered = format!("{}AAAA", &good[..good.len() - 4]);
    for token in [&expired, &tampered] {
        let answer = house.ask_as(token, "GET /orders/7", "").await;
        assert_eq!(status(&answer), 401);
        assert!(!answer.contains("honey") && !answer.contains("bait"), "{answer}");
        let (event, request) = house.events.next().await;
        assert_eq!(request.refused.expect("refused").to_string(), "honeytoken");
        assert_eq!(event.who.claimed_token.as_deref(), Some(name.as_str()));
        assert_eq!(event.who.token, None, "it was not verified");
    }
    // Verified once, remembered, and expired since.
    assert_eq!(status(&house.ask_as(&good, "GET /orders/7", "").await), 401);
    house.events.next().await;
    house.clock.advance(Duration::from_secs(7200));
    house.ask_as(&good, "GET /orders/7", "").await;
    let (_, request) = house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "honeytoken");
    assert!(upstream.requests().is_empty());
}
