//! Every request has one name: for its client, for the API, in its event; a client's word for it counts
//! for nothing.

use token::restriction::{Effect, Selector};
use token::term::AddressField;

use super::support::upstream::{Recording, Reply};
use super::support::{House, body, field, local_proxies, settings, status};

/// The name in the answer, which is in the body of a refusal too.
#[track_caller]
fn name(answer: &str) -> String {
    let name = field(answer, "x-request-id").expect("a name").to_owned();
    if status(answer) >= 400 {
        let problem: serde_json::Value = serde_json::from_str(body(answer)).expect("JSON");
        assert_eq!(problem["request_id"], name.as_str());
        let kind = problem["type"].as_str().expect("type");
        assert_eq!(
            Some(kind),
            problem["reason"].as_str().map(|r| format!("urn:tokenward:problem:{r}")).as_deref()
        );
    }
    name
}

#[tokio::test]
async fn a_clients_own_name_for_its_request_is_not_taken() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let fields = "X-Request-Id: spoofed\r\nX-Request-Id: again\r\n";
    let answer = house.ask_as(&token, "GET /orders/7", fields).await;
    let own = name(&answer);
    assert_eq!(own.len(), 36);
    let arrived = upstream.only();
    assert!(arrived.contains(&format!("x-request-id: {own}\r\n")), "{arrived}");
    assert!(!arrived.contains("spoofed") && !arrived.contains("again"), "{arrived}");
    let (_, request) = house.events.next().await;
    assert_eq!(request.request, Some(own.clone()));
    let refused = name(&house.ask("GET /orders/7", fields).await);
    assert_ne!(refused, own);
    assert_eq!(house.events.next().await.1.request, Some(refused));
}

#[tokio::test]
async fn a_trusted_proxy_names_requests() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    let house = House::with(settings).await;
    let told = house.ask("GET /open/1", "X-Request-Id: lb-1.2:3\r\n").await;
    assert_eq!(name(&told), "lb-1.2:3");
    assert!(upstream.only().contains("x-request-id: lb-1.2:3\r\n"));
    for odd in ["X-Request-Id: a b\r\n", "X-Request-Id: a\r\nX-Request-Id: b\r\n", ""] {
        let answer = house.ask("GET /nothing", odd).await;
        assert_eq!(name(&answer).len(), 36, "{odd}");
    }
}

#[tokio::test]
async fn the_field_can_have_another_name_or_none() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.answers.request_id_field = Some("correlation-id".parse().expect("name"));
    let house = House::with(settings.clone()).await;
    let answer = house.ask("GET /open/1", "").await;
    let own = field(&answer, "correlation-id").expect("a name");
    assert_eq!(field(&answer, "x-request-id"), None);
    assert!(upstream.only().contains(&format!("correlation-id: {own}\r\n")));
    settings.answers.request_id_field = None;
    let house = House::with(settings).await;
    // What is nobody's field here goes through, as any other of the client's.
    let answer = house.ask("GET /open/1", "X-Request-Id: mine\r\n").await;
    assert_eq!(field(&answer, "x-request-id"), None);
    let event = house.events.next().await.1;
    assert_eq!(event.request.map(|id| id.len()), Some(36));
}

#[tokio::test]
async fn failures_of_the_api_are_named_too() {
    let upstream = Recording::scripted(|_, _| Reply::SendAndClose(String::new())).await;
    let house = House::new(upstream.address).await;
    let answer = house.ask("GET /open/1", "").await;
    assert_eq!(status(&answer), 502);
    assert_eq!(house.events.next().await.1.request, Some(name(&answer)));
}

#[tokio::test]
async fn bait_reads_like_a_revoked_token_in_every_member() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let mut said = Vec::new();
    for jti in ["bait", "revoked"] {
        let token = house.token_with("jti", jti.into());
        if jti == "bait" {
            house.honeytokens.add(jti.into());
        } else {
            house.restrict(Selector::Token(jti.into()), Effect::Revoke);
        }
        let answer = house.ask_as(&token, "GET /orders/7", "").await;
        said.push(answer.replace(&name(&answer), ""));
    }
    let without_date = |answer: &str| {
        answer.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_date(&said[0]), without_date(&said[1]));
}
