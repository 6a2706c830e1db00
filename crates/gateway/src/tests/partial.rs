//! Tokens that are taken back in part: what they are still good for, at once and for those that come later.

use std::time::Duration;

use serde_json::json;
use token::restriction::{Effect, LogEntry, Selector};
use token::term::AddressField;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::support::upstream::{Recording, Reply};
use super::support::{
    House, error, field, local_proxies, read_to_close, read_until, settings, status,
};

async fn house() -> (House, Recording) {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    (House::with(settings).await, upstream)
}

fn effect(text: &str) -> Effect {
    text.parse().expect("effect")
}

/// What is answered, and the reason in the event.
async fn verdict(house: &House, token: &str, line: &str, fields: &str) -> (String, String) {
    let answer = house.ask_as(token, line, fields).await;
    let (_, request) = house.events.next().await;
    let reason = request.refused.map(|refused| refused.to_string()).unwrap_or_default();
    (answer, reason)
}

#[tokio::test]
async fn a_token_without_some_scopes_reads_on_but_writes_no_more() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read orders:write");
    assert_eq!(status(&verdict(&house, &token, "PUT /orders/7", "").await.0), 200);
    let seq = house.restrict(Selector::Subject("u1".into()), effect("drop_scopes:orders:write"));

    let (answer, reason) = verdict(&house, &token, "PUT /orders/7", "").await;
    assert_eq!((status(&answer), reason.as_str()), (403, "insufficient_scope"));
    assert_eq!(status(&verdict(&house, &token, "GET /orders/7", "").await.0), 200);
    let seen = upstream.requests().pop().expect("a request");
    assert_eq!(field(&seen, "tokenward-scope"), Some("orders:read"), "the API is told no more");
    // A token that is made later is no way out; another person is not touched.
    house.clock.advance(Duration::from_secs(60));
    let later = house.token("orders:read orders:write");
    assert_eq!(status(&verdict(&house, &later, "PUT /orders/7", "").await.0), 403);
    let other = house.token_with("sub", json!("u2"));
    assert_eq!(status(&verdict(&house, &other, "PUT /orders/7", "").await.0), 200);
    // And back again.
    house.index.apply(&LogEntry::Lift { seq: seq + 1, lifts: seq });
    assert_eq!(status(&verdict(&house, &token, "PUT /orders/7", "").await.0), 200);
}

/// RFC 9470 section 3.
#[tokio::test]
async fn who_has_to_step_up_is_told_how_and_goes_on_afterwards() {
    let (house, _upstream) = house().await;
    let now = house.clock_secs();
    let signed_in = house.token_with("auth_time", json!(now - 100));
    house.restrict(Selector::Subject("u1".into()), effect("require:step_up"));
    house.clock.advance(Duration::from_secs(30));
    let (answer, reason) = verdict(&house, &signed_in, "GET /orders", "").await;
    assert_eq!((status(&answer), reason.as_str()), (401, "step_up"));
    assert_eq!(error(&answer), "insufficient_user_authentication");
    let challenge = field(&answer, "www-authenticate").expect("challenge");
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.contains("max_age=\"30\""), "{challenge}");
    // A refreshed token is of the same sign-in.
    let refreshed = house.token_with("auth_time", json!(now - 100));
    assert_eq!(status(&verdict(&house, &refreshed, "GET /orders", "").await.0), 401);
    let machine = house.token("orders:read");
    assert_eq!(
        status(&verdict(&house, &machine, "GET /orders", "").await.0),
        401,
        "nobody signed in"
    );
    let again = house.token_with("auth_time", json!(house.clock_secs()));
    assert_eq!(status(&verdict(&house, &again, "GET /orders", "").await.0), 200);
}

#[tokio::test]
async fn a_token_that_has_to_be_bound_is_refused_until_it_is() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read");
    house.restrict(Selector::Grant("g1".into()), effect("require:dpop"));
    let (answer, reason) = verdict(&house, &token, "GET /orders", "").await;
    assert_eq!((status(&answer), reason.as_str()), (401, "dpop:missing"));
    let challenge = field(&answer, "www-authenticate").expect("challenge");
    assert!(challenge.starts_with("DPoP ") && challenge.contains("invalid_token"), "{challenge}");
    house.restrict(Selector::Client("c2".into()), effect("require:mtls"));
    let mut claims = house.claims();
    claims["client_id"] = json!("c2");
    claims["grant_id"] = json!("g2");
    let (answer, reason) = verdict(&house, &house.sign(&claims), "GET /orders", "").await;
    assert_eq!((status(&answer), reason.as_str()), (401, "mtls:missing"));
    // A token that is bound is asked for its proof, as ever.
    claims["client_id"] = json!("c1");
    claims["grant_id"] = json!("g1");
    claims["cnf"] = json!({ "jkt": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" });
    let (answer, reason) = verdict(&house, &house.sign(&claims), "GET /orders", "").await;
    assert_eq!((status(&answer), reason.as_str()), (401, "dpop:missing"));
    assert!(answer.contains("send it as `DPoP`"), "{answer}");
}

#[tokio::test]
async fn a_throttled_family_shares_what_is_left() {
    let (house, _upstream) = house().await;
    let (one, two) = (house.token("orders:read"), house.token("orders:read"));
    house.restrict(Selector::Session("s1".into()), effect("limit:2/m"));
    assert_eq!(status(&verdict(&house, &one, "GET /orders", "").await.0), 200);
    assert_eq!(status(&verdict(&house, &two, "GET /orders", "").await.0), 200);
    let (answer, reason) = verdict(&house, &one, "GET /orders", "").await;
    assert_eq!((status(&answer), reason.as_str()), (429, "throttled"));
    assert!(field(&answer, "retry-after").is_some());
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(status(&verdict(&house, &one, "GET /orders", "").await.0), 200);
}

#[tokio::test]
async fn a_token_can_be_tied_to_networks() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read");
    house.restrict(Selector::Client("c1".into()), effect("networks:192.0.2.0/24,2001:db8::/32"));
    for (address, expected) in [
        ("192.0.2.9", 200),
        ("2001:db8::9", 200),
        ("::ffff:192.0.2.9", 200),
        ("198.51.100.1", 403),
        ("127.0.0.1", 403),
    ] {
        let fields = format!("X-Forwarded-For: {address}\r\n");
        let (answer, reason) = verdict(&house, &token, "GET /orders", &fields).await;
        assert_eq!(status(&answer), expected, "{address}");
        assert_eq!(reason, if expected == 200 { "" } else { "network" });
    }
}

#[tokio::test]
async fn several_hold_together_and_a_revocation_goes_before_them_all() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read orders:write");
    house.restrict(Selector::Subject("u1".into()), effect("drop_scopes:orders:write"));
    house.restrict(Selector::Client("c1".into()), effect("drop_scopes:orders:read"));
    house.restrict(Selector::Grant("g1".into()), effect("limit:100/s"));
    assert_eq!(status(&verdict(&house, &token, "GET /orders", "").await.0), 403);
    assert_eq!(
        status(&verdict(&house, &token, "GET /files/x", "").await.0),
        200,
        "no scope needed"
    );
    house.restrict(Selector::Grant("g1".into()), Effect::Revoke);
    let (answer, reason) = verdict(&house, &token, "GET /files/x", "").await;
    assert_eq!((status(&answer), reason.as_str()), (401, "revoked"));
}

#[tokio::test]
async fn an_open_stream_ends_with_what_its_token_loses_but_not_with_a_slower_pace() {
    for (text, ends) in
        [("drop_scopes:orders:write", true), ("require:dpop", true), ("limit:1/h", false)]
    {
        let (feed, rest) = mpsc::channel(4);
        let rest = std::sync::Mutex::new(Some(rest));
        let upstream = Recording::scripted(move |_, _| {
            let rest = rest.lock().expect("lock").take();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            rest.map_or(Reply::Hang, |rest| Reply::Feed(head.into(), rest))
        })
        .await;
        let house = House::new(upstream.address).await;
        let token = house.token("orders:read orders:write");
        let mut stream = TcpStream::connect(house.address).await.expect("connect");
        let request = format!(
            "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("write");
        feed.send(b"first".to_vec()).await.expect("fed");
        read_until(&mut stream, "first").await;
        house.restrict(Selector::Token("another".into()), effect("require:dpop"));
        house.restrict(Selector::Subject("u1".into()), effect(text));
        if ends {
            read_to_close(&mut stream).await;
        } else {
            feed.send(b"second".to_vec()).await.expect("fed");
            read_until(&mut stream, "second").await;
        }
    }
}
