//! Rules by country and autonomous system: of routes, and of tokens that were taken back in part.

use std::net::IpAddr;

use serde_json::json;
use token::place::{Place, PlaceTest};
use token::restriction::Selector;
use token::term::AddressField;

use super::support::upstream::Recording;
use super::support::{House, body, field, local_proxies, settings, status};
use crate::settings::Settings;

fn atlas(address: IpAddr) -> Place {
    let (country, asn) = match address.to_string().as_str() {
        "192.0.2.1" => ("NO", Some(64_496)),
        "192.0.2.2" => ("SE", Some(64_497)),
        "192.0.2.3" => ("NO", None),
        _ => return Place::default(),
    };
    Place { country: country.parse().ok(), asn, ..Place::default() }
}

fn test(text: &str) -> PlaceTest {
    let (word, list) = text.split_once(':').expect("a word");
    PlaceTest::parse(word, list).expect("a test").expect("a good one")
}

fn settings_of(upstream: &Recording, tests: &[&str]) -> Settings {
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    for rule in &mut settings.routes {
        if ["/orders", "/open/{id}"].contains(&rule.path.as_str()) {
            rule.places = tests.iter().map(|text| test(text)).collect();
        }
    }
    settings
}

/// `200`, or `403 network`, from this address; with a token, and without where the route is public.
async fn verdict(house: &House, line: &str, address: &str) -> String {
    let from = format!("X-Forwarded-For: {address}\r\n");
    let answer = match line.contains("/open/") {
        true => house.ask(line, &from).await,
        false => house.ask_as(&house.token("orders:read"), line, &from).await,
    };
    let (_, request) = house.events.next().await;
    let reason = request.refused.map(|refused| format!(" {refused}")).unwrap_or_default();
    format!("{}{reason}", status(&answer))
}

#[tokio::test]
async fn a_route_can_be_for_some_countries_and_systems() {
    const ADDRESSES: [&str; 4] = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    for (tests, let_through) in [
        (&["countries:NO"] as &[&str], [true, false, true, false]),
        (&["countries:NO,ZZ"], [true, false, true, true]),
        (&["not_countries:SE"], [true, false, true, true]),
        (&["not_countries:SE,ZZ"], [true, false, true, false]),
        (&["asns:64496"], [true, false, false, false]),
        (&["not_asns:64497"], [true, false, true, true]),
        (&["countries:NO", "not_asns:0"], [true, false, false, false]),
    ] {
        let upstream = Recording::new().await;
        let house = House::with_places(settings_of(&upstream, tests), atlas).await;
        for (address, through) in ADDRESSES.iter().zip(let_through) {
            let expected = if through { "200" } else { "403 network" };
            for line in ["GET /orders", "GET /open/7"] {
                assert_eq!(verdict(&house, line, address).await, expected, "{tests:?} {address}");
            }
            assert_eq!(verdict(&house, "GET /orders/7", address).await, "200", "another route");
        }
    }
}

#[tokio::test]
async fn without_a_database_every_place_is_unknown() {
    let upstream = Recording::new().await;
    let house = House::with(settings_of(&upstream, &["countries:NO"])).await;
    assert_eq!(verdict(&house, "GET /orders", "192.0.2.1").await, "403 network");
    house.restrict(Selector::Client("c1".into()), "not_countries:NO".parse().expect("effect"));
    assert_eq!(verdict(&house, "GET /orders/7", "192.0.2.1").await, "200");
}

#[tokio::test]
async fn a_token_can_be_tied_to_places_and_it_is_explained() {
    let upstream = Recording::new().await;
    let house = House::with_places(settings_of(&upstream, &["not_countries:SE"]), atlas).await;
    for selector in [Selector::Client("c1".into()), Selector::Subject("u1".into())] {
        house.restrict(selector, "countries:NO,SE".parse().expect("effect"));
    }
    house.restrict(Selector::Grant("g1".into()), "not_asns:64496".parse().expect("effect"));
    for (address, expected, words) in [
        ("192.0.2.1", "403 network", "the client is at NO, AS64496; "),
        (
            "192.0.2.2",
            "403 network",
            "the route is for not_countries:SE; the client is at SE, AS64497",
        ),
        ("192.0.2.3", "200", "demands `orders:read`, which the token has; for not_countries:SE"),
        ("192.0.2.4", "403 network", "the client is at an unknown place; "),
    ] {
        let token = house.token_with("grant_id", json!("g1"));
        let from = format!("X-Forwarded-For: {address}\r\n");
        let answer = house.ask_as(&token, "GET /orders", &from).await;
        let (_, request) = house.events.next().await;
        let reason = request.refused.map(|refused| format!(" {refused}")).unwrap_or_default();
        assert_eq!(format!("{}{reason}", status(&answer)), expected, "{address}");
        assert!(!body(&answer).contains("AS644"), "who is refused does not learn what is known");
        let id = field(&answer, "x-request-id").expect("a name");
        let told = serde_json::to_string(&house.explainer.explain(id)).expect("JSON");
        assert!(told.contains(words), "{told}");
        assert!(told.contains(&format!(
            "{address} ({}) is not blocked",
            atlas(address.parse().expect("ip"))
        )));
    }
}
