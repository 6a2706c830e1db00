//! What a route demands beside scopes and audience: ways and times of signing in, clients, networks,
//! bindings.

use std::time::Duration;

use serde_json::{Value, json};
use token::cnf::Confirmation;
use token::event::TokenKind;
use token::term::AddressField;

use super::support::upstream::Recording;
use super::support::{House, error, field, local_proxies, settings, status};
use crate::settings::{Access, Binding, ClaimRule, Further, RouteRule, Settings};

/// A house whose `GET /orders` demands this as well.
async fn house(further: Further, change: impl FnOnce(&mut Settings)) -> (House, Recording) {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    let Access::Token { further: place, .. } = &mut settings.routes[0].access else {
        panic!("a token is demanded")
    };
    *place = further;
    change(&mut settings);
    (House::with(settings).await, upstream)
}

/// `status reason` of a request with these claims, and the answer.
async fn verdict(house: &House, claims: Value) -> (String, String) {
    let mut all = house.claims();
    all.as_object_mut().expect("claims").extend(claims.as_object().expect("claims").clone());
    let answer = house.ask_as(&house.sign(&all), "GET /orders", "").await;
    let (_, request) = house.events.next().await;
    let reason = request.refused.map(|refused| format!(" {refused}")).unwrap_or_default();
    (format!("{}{reason}", status(&answer)), answer)
}

#[tokio::test]
async fn one_of_several_scopes_is_enough() {
    let any_scopes = vec![vec!["orders:audit".into()], vec!["orders:write".into()]];
    let (house, _upstream) = house(Further { any_scopes, ..Further::default() }, |_| ()).await;
    for (scope, expected) in [
        ("orders:read orders:write", "200"),
        ("orders:audit orders:read", "200"),
        ("orders:read", "403 insufficient_scope"),
        ("orders:audit", "403 insufficient_scope"),
    ] {
        let (said, answer) = verdict(&house, json!({ "scope": scope })).await;
        assert_eq!(said, expected, "{scope}");
        if scope == "orders:read" {
            let challenge = field(&answer, "www-authenticate").expect("challenge");
            assert!(challenge.contains("scope=\"orders:audit orders:write\""), "{challenge}");
        }
    }
}

/// RFC 9470 section 3.
#[tokio::test]
async fn who_signed_in_too_long_ago_or_not_surely_enough_is_told_to_step_up() {
    let further = Further {
        acr: vec!["mfa".into(), "phr".into()],
        max_age: Some(Duration::from_secs(300)),
        ..Further::default()
    };
    let (house, upstream) = house(further, |_| ()).await;
    let now = house.clock_secs();
    for (claims, expected) in [
        (json!({ "acr": "mfa", "auth_time": now - 200 }), "200"),
        (json!({ "acr": "phr", "auth_time": now - 200 }), "200"),
        (json!({ "acr": "pwd", "auth_time": now - 200 }), "401 step_up"),
        (json!({ "acr": "mfa", "auth_time": now - 301 }), "401 step_up"),
        (json!({ "acr": "mfa", "auth_time": now + 600 }), "401 step_up"),
        (json!({ "auth_time": now }), "401 step_up"),
        (json!({ "acr": "mfa" }), "401 step_up"),
    ] {
        let (said, answer) = verdict(&house, claims.clone()).await;
        assert_eq!(said, expected, "{claims}");
        if said != "200" {
            assert_eq!(error(&answer), "insufficient_user_authentication");
            let challenge = field(&answer, "www-authenticate").expect("challenge");
            assert!(
                challenge.ends_with(", acr_values=\"mfa phr\", max_age=\"300\""),
                "{challenge}"
            );
        }
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_route_can_be_for_some_clients() {
    let further = Further { clients: vec!["c1".into(), "c3".into()], ..Further::default() };
    let (house, _upstream) = house(further, |_| ()).await;
    assert_eq!(verdict(&house, json!({ "client_id": "c3" })).await.0, "200");
    let (said, answer) = verdict(&house, json!({ "client_id": "c2" })).await;
    assert_eq!((said.as_str(), error(&answer).as_str()), ("403 policy", "access_denied"));
    assert_eq!(field(&answer, "www-authenticate"), None, "no other token of this client would do");
}

#[tokio::test]
async fn a_route_can_want_bound_tokens() {
    let (house, _upstream) =
        house(Further { bound: Binding::Any, ..Further::default() }, |_| ()).await;
    let (said, answer) = verdict(&house, json!({})).await;
    assert_eq!(said, "401 dpop:missing");
    assert!(field(&answer, "www-authenticate").expect("challenge").starts_with("DPoP "));
    // Of a token that never was more than it is.
    assert!(!answer.contains("any more") && answer.contains("client certificate"), "{answer}");
}

#[tokio::test]
async fn a_route_can_want_tokens_that_are_bound_to_a_certificate() {
    let further = Further { bound: Binding::Certificate, ..Further::default() };
    let (house, _upstream) = house(further, |_| ()).await;
    let (said, answer) = verdict(&house, json!({})).await;
    assert_eq!(said, "401 mtls:missing");
    assert!(field(&answer, "www-authenticate").expect("challenge").starts_with("Bearer "));
    assert!(answer.contains("bound to a client certificate"), "{answer}");
    let certificate = Confirmation::x5t_s256("x");
    for (bound, cnf) in [
        (true, certificate.clone()),
        (true, Confirmation { jkt: Some("y".into()), ..certificate }),
        (false, Confirmation::jkt("y".into())),
    ] {
        assert_eq!(Binding::Certificate.is_met_by(Some(&cnf)), bound, "{cnf:?}");
        assert!(Binding::Any.is_met_by(Some(&cnf)), "{cnf:?}");
    }
}

#[tokio::test]
async fn a_route_can_be_for_some_networks_with_a_token_or_without() {
    let networks: Vec<ipnet::IpNet> =
        ["192.0.2.0/24", "2001:db8::/32"].iter().map(|net| net.parse().expect("net")).collect();
    let (house, upstream) = house(Further::default(), |settings| {
        let for_them =
            |rule: &&mut RouteRule| ["/orders", "/open/{id}"].contains(&rule.path.as_str());
        settings
            .routes
            .iter_mut()
            .filter(for_them)
            .for_each(|rule| rule.networks.clone_from(&networks));
    })
    .await;
    let token = house.token("orders:read");
    for (address, expected) in
        [("192.0.2.9", 200), ("::ffff:192.0.2.9", 200), ("2001:db8::1", 200), ("192.0.3.9", 403)]
    {
        let from = format!("X-Forwarded-For: {address}\r\n");
        assert_eq!(status(&house.ask_as(&token, "GET /orders", &from).await), expected);
        assert_eq!(status(&house.ask("GET /open/7", &from).await), expected, "{address}");
        assert_eq!(
            status(&house.ask_as(&token, "GET /orders/7", &from).await),
            200,
            "another route"
        );
    }
    assert_eq!(upstream.requests().len(), 10);
    house.events.next().await;
}

/// `status reason` as with [`verdict`], and the words for the client.
async fn told(house: &House, claims: Value) -> (String, String) {
    let (said, answer) = verdict(house, claims).await;
    let body: Value = serde_json::from_str(super::support::body(&answer)).unwrap_or_default();
    (said, body["error_description"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_route_can_demand_claims() {
    let claims = vec![
        ClaimRule::new("groups", ["sales-*", "support"]).expect("rule"),
        ClaimRule::new("/org/tier", ["gold"]).expect("rule"),
    ];
    let (house, upstream) = house(Further { claims, ..Further::default() }, |_| ()).await;
    let gold = json!({ "tier": "gold" });
    for (claims, status) in [
        (json!({ "groups": ["staff", "sales-emea"], "org": gold }), "200"),
        (json!({ "groups": "support", "org": gold }), "200"),
        (json!({ "groups": ["support2"], "org": gold }), "403 policy"),
        (json!({ "groups": ["support"], "org": { "tier": "silver" } }), "403 policy"),
        (json!({ "groups": ["support"], "org": "gold" }), "403 policy"),
        (json!({ "org": gold }), "403 policy"),
    ] {
        let (said, words) = told(&house, claims.clone()).await;
        assert_eq!(said, status, "{claims}");
        assert!(!words.contains("gold") && !words.contains("sales"), "{words}");
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn claims_that_no_rule_can_hold_are_refused() {
    for (claim, values, words) in [
        ("scope", vec!["orders:read"], "any_scopes"),
        ("/scp", vec!["orders:read"], "any_scopes"),
        ("groups", vec![], "no value"),
        ("groups", vec!["*"], "everybody"),
        ("", vec!["x"], "empty"),
    ] {
        let refused = ClaimRule::new(claim, values).expect_err(claim).to_string();
        assert!(refused.contains(words), "{refused}");
    }
}

#[tokio::test]
async fn a_route_can_be_for_some_kinds_of_tokens() {
    let further = Further { kinds: vec![TokenKind::Opaque], ..Further::default() };
    let (house, _upstream) = house(further, |_| ()).await;
    let (said, words) = told(&house, json!({})).await;
    assert_eq!(
        (said.as_str(), words.as_str()),
        ("403 policy", "this is not for tokens of this kind")
    );
    let opaque = house.shelf.keep(&house.token("orders:read"));
    assert_eq!(status(&house.ask_as(&opaque, "GET /orders", "").await), 200);
}

/// The clock of these tests begins on Monday, 21 September 2026, 14:13:20 UTC.
#[tokio::test]
async fn a_route_can_have_hours_with_a_token_or_without() {
    let (house, upstream) = house(Further::default(), |settings| {
        let hours = |text: &str| vec![text.parse().expect("hours")];
        for rule in &mut settings.routes {
            match rule.path.as_str() {
                "/orders" => rule.hours = hours("Mon-Fri 16:00-17:00 Europe/Berlin"),
                "/open/{id}" => rule.hours = hours("Mon 14:00-15:00 UTC"),
                _ => {}
            }
        }
    })
    .await;
    let token = house.token("orders:read");
    assert_eq!(status(&house.ask_as(&token, "GET /orders", "").await), 200);
    assert_eq!(status(&house.ask("GET /open/7", "").await), 200);
    house.clock.advance(Duration::from_secs(3600));
    let token = house.token("orders:read");
    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!((status(&answer), error(&answer)), (403, "access_denied".to_owned()));
    assert_eq!(status(&house.ask("GET /open/7", "").await), 403);
    assert_eq!(upstream.requests().len(), 2);
}
