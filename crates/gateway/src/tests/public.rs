//! Routes that need no token.

use token::restriction::{Effect, Selector};

use super::support::upstream::Recording;
use super::support::{House, field, status};

#[tokio::test]
async fn a_public_route_has_no_identity_and_passes_no_credential() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let fields = [
        String::new(),
        "Authorization: Basic dTpw\r\nTokenward-Subject: root\r\n".to_owned(),
        format!("Authorization: Bearer {token}\r\n"),
    ];
    for fields in &fields {
        let answer = house.ask("GET /open/7", fields).await;
        assert_eq!(status(&answer), 200);
        let (event, request) = house.events.next().await;
        assert_eq!((request.refused, event.who.subject), (None, None));
        assert_eq!(request.route.as_deref(), Some("/open/{id}"));
    }
    for arrived in upstream.requests() {
        assert_eq!(field(&arrived, "authorization"), None);
        assert!(!arrived.contains("tokenward-"), "{arrived}");
    }
}

#[tokio::test]
async fn connect_and_trace_are_not_public() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    assert_eq!(status(&house.ask("TRACE /open/7", "").await), 401);
    assert_eq!(status(&house.ask("CONNECT api.example:443", "").await), 405);
    house.restrict(Selector::Network("127.0.0.1/32".parse().expect("net")), Effect::Suspend);
    assert_eq!(status(&house.ask("GET /open/7", "").await), 403);
    assert!(upstream.requests().is_empty());
}
