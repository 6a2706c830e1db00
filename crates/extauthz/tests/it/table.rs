//! The table: requests, and what each of them comes to by every door.

use serde_json::json;
use token::base64url;
use token::id::TokenId;
use token::restriction::{Effect, Selector};

use crate::door::{Asked, Door, OTHERS};
use crate::house::House;

type Fields = Vec<(&'static str, String)>;

struct Case {
    name: &'static str,
    line: &'static str,
    /// The client's fields; made anew for each door, as a proof is good once.
    fields: fn(&House) -> Fields,
    /// Status and reason.
    comes_to: &'static str,
    /// The scopes that a place of a service would demand; none where the route is what the case is about.
    place: Option<&'static [&'static str]>,
}

const READ: Option<&[&str]> = Some(&["orders:read"]);

fn bearer(token: &str) -> Fields {
    vec![("authorization", format!("Bearer {token}"))]
}

fn good(house: &House) -> Fields {
    bearer(&house.token("scope", json!("orders:read")))
}

fn nothing(_: &House) -> Fields {
    Vec::new()
}

fn unsigned(house: &House) -> Fields {
    let header = base64url::encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let claims = base64url::encode(house.claims("sub", json!("u1")).to_string());
    bearer(&format!("{header}.{claims}."))
}

fn revoked(house: &House) -> Fields {
    let id = TokenId::from("to-be-revoked");
    let token = house.token("jti", json!("to-be-revoked"));
    house.restrict(Selector::Token(id), Effect::Revoke);
    bearer(&token)
}

fn proven(house: &House) -> Fields {
    let token = house.bound_token();
    let proof = house.proof(&token);
    vec![("authorization", format!("DPoP {token}")), ("dpop", proof)]
}

fn blocked(house: &House) -> Fields {
    house.restrict(Selector::Network("127.0.0.0/8".parse().expect("net")), Effect::Suspend);
    good(house)
}

/// A good token that was taken back in part.
fn restrained(house: &House, effect: &str) -> Fields {
    house.restrict(Selector::Subject("u1".into()), effect.parse().expect("effect"));
    good(house)
}

#[rustfmt::skip]
const TABLE: &[Case] = &[
    Case { name: "good", line: "GET /orders/7", fields: good, comes_to: "200", place: READ },
    Case { name: "good, with a query", line: "GET /orders/7?a=b%20c", fields: good, comes_to: "200", place: READ },
    Case { name: "public route", line: "DELETE /open/a/b", fields: nothing, comes_to: "200", place: None },
    Case { name: "public route, bad token", line: "GET /open/a", fields: unsigned, comes_to: "200", place: None },
    Case { name: "no token", line: "GET /orders/7", fields: nothing, comes_to: "401 no_token", place: READ },
    Case { name: "no token, unknown route", line: "GET /nothing", fields: nothing, comes_to: "401 no_token", place: None },
    Case { name: "no token form", line: "GET /orders/7", fields: |_| bearer("a b"), comes_to: "400 malformed", place: READ },
    Case { name: "another scheme", line: "GET /nothing", fields: |_| vec![("authorization", "Basic dTpw".into())], comes_to: "401 no_token", place: None },
    Case { name: "two tokens", line: "GET /orders/7", fields: |house| [good(house), good(house)].concat(), comes_to: "400 two_tokens", place: READ },
    Case { name: "two tokens in one field", line: "GET /orders/7", fields: |_| bearer("a, Bearer b"), comes_to: "400 two_tokens", place: READ },
    Case { name: "token in the query", line: "GET /orders/7?access_token=x", fields: nothing, comes_to: "400 malformed", place: READ },
    Case { name: "token in the query too", line: "GET /orders/7?access_token=x", fields: good, comes_to: "400 two_tokens", place: READ },
    Case { name: "token in the query of a public route", line: "GET /open/a?access%5Ftoken=x", fields: nothing, comes_to: "400 malformed", place: None },
    Case { name: "no JWT", line: "GET /orders/7", fields: |_| bearer("abc"), comes_to: "401 malformed", place: READ },
    Case { name: "alg none", line: "GET /orders/7", fields: unsigned, comes_to: "401 forged:alg_none", place: READ },
    Case { name: "expired", line: "GET /orders/7", fields: |house| bearer(&house.token("exp", json!(house.now() - 1))), comes_to: "401 expired", place: READ },
    Case { name: "wrong audience", line: "GET /orders/7", fields: |house| bearer(&house.token("aud", json!("https://other.example"))), comes_to: "401 wrong_audience", place: READ },
    Case { name: "wrong issuer", line: "GET /orders/7", fields: |house| bearer(&house.token("iss", json!("https://other.example"))), comes_to: "401 wrong_issuer", place: READ },
    Case { name: "missing scope", line: "PUT /orders/7", fields: good, comes_to: "403 insufficient_scope", place: Some(&["orders:read", "orders:write"]) },
    Case { name: "revoked", line: "GET /orders/7", fields: revoked, comes_to: "401 revoked", place: READ },
    Case { name: "bound, with proof", line: "GET /orders/7", fields: proven, comes_to: "200", place: READ },
    Case { name: "bound, without proof", line: "GET /orders/7", fields: |house| vec![("authorization", format!("DPoP {}", house.bound_token()))], comes_to: "401 dpop:missing", place: READ },
    Case { name: "bound, as if it were not", line: "GET /orders/7", fields: |house| bearer(&house.bound_token()), comes_to: "401 dpop:missing", place: READ },
    Case { name: "bound, proof for another place", line: "PUT /orders/7", fields: proven, comes_to: "401 dpop:mismatch", place: READ },
    Case { name: "bound, two proofs", line: "GET /orders/7", fields: |house| [proven(house), vec![("dpop", "x".into())]].concat(), comes_to: "401 dpop:mismatch", place: READ },
    Case { name: "bound to a certificate, without", line: "GET /orders/7", fields: |house| bearer(&house.token("cnf", json!({ "x5t#S256": "A".repeat(43) }))), comes_to: "401 mtls:missing", place: READ },
    Case { name: "scope dropped", line: "GET /orders/7", fields: |house| restrained(house, "drop_scopes:orders:read"), comes_to: "403 insufficient_scope", place: READ },
    Case { name: "step up", line: "GET /orders/7", fields: |house| restrained(house, "require:step_up"), comes_to: "401 step_up", place: READ },
    Case { name: "to be bound", line: "GET /orders/7", fields: |house| restrained(house, "require:dpop"), comes_to: "401 dpop:missing", place: READ },
    Case { name: "from elsewhere", line: "GET /orders/7", fields: |house| restrained(house, "networks:192.0.2.0/24"), comes_to: "403 network", place: READ },
    Case { name: "from another country", line: "GET /orders/7", fields: |house| restrained(house, "countries:SE"), comes_to: "403 network", place: READ },
    Case { name: "from one of the countries", line: "GET /orders/7", fields: |house| restrained(house, "countries:SE,NO"), comes_to: "200", place: READ },
    Case { name: "from a country that is kept out", line: "GET /orders/7", fields: |house| restrained(house, "not_countries:NO"), comes_to: "403 network", place: READ },
    Case { name: "from another system", line: "GET /orders/7", fields: |house| restrained(house, "asns:64511"), comes_to: "403 network", place: READ },
    Case { name: "from a system that is kept out", line: "GET /orders/7", fields: |house| restrained(house, "not_asns:64496"), comes_to: "403 network", place: READ },
    Case { name: "a route for another country", line: "GET /sweden", fields: good, comes_to: "403 network", place: None },
    Case { name: "a pace that is not reached", line: "GET /orders/7", fields: |house| restrained(house, "limit:100/s"), comes_to: "200", place: READ },
    Case { name: "an injection", line: "GET /orders/7?q=1%27%20OR%20%271%27%3D%271", fields: good, comes_to: "403 injection:sqli", place: READ },
    Case { name: "words that inject nothing", line: "GET /orders/7?note=union%20select", fields: good, comes_to: "200", place: READ },
    Case { name: "a route for another network", line: "GET /inside", fields: good, comes_to: "403 network", place: None },
    Case { name: "a route for another client", line: "GET /theirs", fields: good, comes_to: "403 policy", place: None },
    Case { name: "a route for another kind of token", line: "GET /opaque", fields: good, comes_to: "403 policy", place: None },
    Case { name: "a route for other claims", line: "GET /staff", fields: good, comes_to: "403 policy", place: None },
    Case { name: "the claims that a route demands", line: "GET /staff", fields: |house| bearer(&house.token("groups", json!(["staff"]))), comes_to: "200", place: None },
    Case { name: "a route for a stronger sign-in", line: "GET /strong", fields: good, comes_to: "401 step_up", place: None },
    Case { name: "unknown route", line: "GET /nothing", fields: good, comes_to: "404 unknown_route", place: None },
    Case { name: "wrong method", line: "POST /orders/7", fields: good, comes_to: "405 unknown_route", place: None },
    Case { name: "odd method", line: "TRACE /open/a", fields: good, comes_to: "405 unknown_route", place: None },
    Case { name: "//", line: "GET //orders/7", fields: good, comes_to: "400 malformed", place: READ },
    Case { name: "%2f", line: "GET /orders%2f7", fields: good, comes_to: "400 malformed", place: READ },
    Case { name: "..", line: "GET /open/../orders/7", fields: nothing, comes_to: "400 malformed", place: READ },
    Case { name: "%2e%2e", line: "GET /open/%2e%2e/orders/7", fields: nothing, comes_to: "400 malformed", place: READ },
    Case { name: "..;", line: "GET /open/..;/orders/7", fields: nothing, comes_to: "400 malformed", place: READ },
    Case { name: "%252e", line: "GET /open/%252e%252e/orders/7", fields: nothing, comes_to: "400 malformed", place: READ },
    Case { name: "unreserved, encoded", line: "GET /%6Frders/7", fields: good, comes_to: "200", place: READ },
    Case { name: "blocked network", line: "GET /orders/7", fields: blocked, comes_to: "403 blocked", place: READ },
    Case { name: "blocked network, public route", line: "GET /open/a", fields: blocked, comes_to: "403 blocked", place: READ },
];

#[tokio::test]
async fn every_door_says_the_same() {
    for case in TABLE {
        let house = House::start().await;
        let (method, target) = case.line.split_once(' ').expect("line");
        let others = OTHERS.into_iter().chain([Door::Layer]).chain(case.place.map(Door::Place));
        let mut own = None;
        for door in std::iter::once(Door::Proxy).chain(others) {
            let at = format!("{}: {door:?}", case.name);
            let asked = Asked { method, target, fields: (case.fields)(&house) };
            let mut said = door.ask(&house, &asked).await;
            let (event, request) = house.event().await;
            let reason = request.refused.as_ref().map(|refused| format!(" {refused}"));
            let comes_to = format!("{}{}", said.status, reason.unwrap_or_default());
            assert_eq!(comes_to, case.comes_to, "{at}");
            assert_eq!(request.status, said.status, "{at}");
            let named = std::mem::take(&mut said.named);
            // Who lets a request through is not the one who answers.
            if said.status >= 400 || door == Door::Proxy {
                assert_eq!(request.request, Some(named), "{at}");
            }
            assert_eq!((request.method.as_str(), event.ip), (method, "127.0.0.1".parse().ok()));
            // At a place no route is found; what it is seen to ask about is the same.
            let seen = (request.path, request.host, request.token_kind, event.who.claimed_subject);
            let (said, seen, _) = match &own {
                None => own.insert((said, seen, request.route)),
                Some((wanted, wanted_seen, route)) => {
                    assert_eq!(said, *wanted, "{at}");
                    assert_eq!(seen, *wanted_seen, "{at}");
                    if !matches!(door, Door::Place(_)) {
                        assert_eq!(request.route, *route, "{at}");
                    }
                    continue;
                }
            };
            assert!(!said.challenge.is_empty() || said.status != 401, "{at}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn a_proof_is_good_at_one_door_only() {
    let house = House::start().await;
    let asked = Asked { method: "GET", target: "/orders/7", fields: proven(&house) };
    assert_eq!(Door::Forwarded.ask(&house, &asked).await.status, 200);
    house.event().await;
    for door in OTHERS.into_iter().chain([Door::Proxy, Door::Layer, Door::Place(&["orders:read"])])
    {
        assert_eq!(door.ask(&house, &asked).await.status, 401, "{door:?}");
        let (_, request) = house.event().await;
        assert_eq!(request.refused.expect("refused").to_string(), "dpop:replayed", "{door:?}");
    }
}

#[tokio::test]
async fn every_door_counts() {
    let house = House::start().await;
    for (number, door) in OTHERS.into_iter().chain([Door::Proxy, Door::Layer]).enumerate() {
        let fields = bearer(&house.token("sub", json!(format!("u{number}"))));
        let asked = Asked { method: "GET", target: "/paced/7", fields };
        assert_eq!(door.ask(&house, &asked).await.status, 200, "{door:?}");
        house.event().await;
        let said = door.ask(&house, &asked).await;
        assert_eq!((said.status, said.policies.as_str()), (429, r#""hourly";q=1;w=3600"#));
        assert!((3500..=3600).contains(&said.retry_after), "{door:?}: {said:?}");
        let (_, request) = house.event().await;
        assert_eq!(request.refused.expect("refused").to_string(), "throttled", "{door:?}");
    }
}
