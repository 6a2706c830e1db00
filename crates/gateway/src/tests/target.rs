//! What was authorised is what is forwarded, over the wire.

use super::support::upstream::Recording;
use super::support::{House, status};

#[tokio::test]
async fn odd_targets_go_nowhere_and_are_seen() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let targets = [
        "//orders/7",
        "/files//7",
        "/files/./7",
        "/files/../orders/7",
        "/files/%2e%2e/orders/7",
        "/files/%2E./orders/7",
        "/files/..%2forders",
        "/files/%252e%252e/orders",
        "/files/%25%32%65%25%32%65/orders",
        "/files/%2Forders",
        "/files/%5corders",
        "/files/a\\b",
        "/files/a;b=c",
        "/files/..;/orders",
        "/files/a%3Bb",
        "/files/a%00b",
        "/files/a%0d%0ab",
        "/files/a%",
        "/files/a%4",
        "/files/a%zz",
        "/files/%c0%ae%c0%ae/orders",
        "/files/%ff",
        "/files/a|b",
        "/files/a<b",
        "/files/a\"b",
        "*",
        "orders/7",
        "api.example:80",
        "ftp://api.example/orders/7",
        "http://other.example/orders/7",
        "http://user@api.example/orders/7",
    ];
    for target in targets {
        let answer = house.ask_as(&token, &format!("GET {target}"), "").await;
        assert_eq!(status(&answer), 400, "{target}");
    }
    let long = format!("/files/{}", "a".repeat(9000));
    assert_eq!(status(&house.ask_as(&token, &format!("GET {long}"), "").await), 414);
    let (event, request) = house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "malformed");
    assert_eq!((request.path.as_str(), request.route), ("//orders/7", None));
    assert_eq!(event.ip.expect("ip").to_string(), "127.0.0.1");
    assert!(upstream.requests().is_empty(), "{:?}", upstream.requests());
}

#[tokio::test]
async fn what_is_good_is_forwarded_in_its_normal_form() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let cases = [
        ("/orders/%37", "/orders/7"),
        ("/%6Frders/7", "/orders/7"),
        ("/files/%c3%a9%20%23", "/files/%C3%A9%20%23"),
        ("/files/", "/files/"),
        ("/files/a/...", "/files/a/..."),
        ("/files/100%25", "/files/100%25"),
        ("/files/a:b@c,d=e+f!$&'()*", "/files/a:b@c,d=e+f!$&'()*"),
        ("/orders?", "/orders?"),
        ("/orders?../%2e%2e;\\|//", "/orders?../%2e%2e;\\|//"),
        ("http://api.example/orders/7?x", "/orders/7?x"),
        ("http://API.example/orders", "/orders"),
    ];
    for (target, expected) in cases {
        let answer = house.ask_as(&token, &format!("GET {target}"), "").await;
        assert_eq!(status(&answer), 200, "{target}");
        let arrived = upstream.requests().pop().expect("arrived");
        assert_eq!(arrived.split(' ').nth(1), Some(expected), "{target}");
        let (_, request) = house.events.next().await;
        assert_eq!(Some(request.path.as_str()), expected.split('?').next());
    }
}
