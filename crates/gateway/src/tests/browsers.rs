//! What answers say to browsers: CORS where it is configured, and fields by which they do less.

use std::time::Duration;

use token::term::AddressField;

use super::support::upstream::{Recording, Reply};
use super::support::{House, body, field, local_proxies, settings, status};
use crate::cors::{CorsRule, RouteCors};

const PAGE: &str = "Origin: https://app.example\r\n";
const OTHER: &str = "Origin: https://evil.example\r\n";
const ASKS: &str =
    "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n";

fn rule() -> CorsRule {
    CorsRule {
        origins: vec!["https://app.example".into(), "https://*.apps.example".into()],
        methods: vec!["GET".into(), "PUT".into()],
        headers: vec!["Authorization".into()],
        expose: vec!["ETag".into()],
        credentials: true,
        max_age: Duration::from_secs(600),
    }
}

/// Before an API that speaks of CORS itself.
async fn house(cors: Option<CorsRule>) -> (House, Recording) {
    let upstream = Recording::scripted(|_, _| {
        let fields = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n\
            Vary: Accept\r\nServer: api/1.0\r\nX-Powered-By: php\r\n";
        Reply::Send(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"))
    })
    .await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.answers.cors = cors;
    (House::with(settings).await, upstream)
}

fn all<'m>(message: &'m str, name: &str) -> Vec<&'m str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn a_browser_that_asks_for_leave_gets_it_without_a_token() {
    let (house, upstream) = house(Some(rule())).await;
    let answer = house.ask("OPTIONS /orders/7", &format!("{PAGE}{ASKS}")).await;
    assert_eq!(status(&answer), 204);
    assert_eq!(field(&answer, "access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(field(&answer, "access-control-allow-methods"), Some("GET, PUT"));
    assert_eq!(field(&answer, "access-control-allow-headers"), Some("Authorization"));
    assert_eq!(field(&answer, "access-control-allow-credentials"), Some("true"));
    assert_eq!(field(&answer, "access-control-max-age"), Some("600"));
    assert_eq!(field(&answer, "vary"), Some("Origin"));
    assert!(field(&answer, "x-request-id").is_some());
    let (_, request) = house.events.next().await;
    assert_eq!((request.status, request.refused), (204, None));
    // Nobody learns by it which routes there are.
    let nowhere = house.ask("OPTIONS /nothing", &format!("{PAGE}{ASKS}")).await;
    assert_eq!(status(&nowhere), 204);
    assert!(upstream.requests().is_empty());
    for (fields, wanted) in [(format!("{OTHER}{ASKS}"), 401), (PAGE.to_owned(), 401)] {
        let answer = house.ask("OPTIONS /orders/7", &fields).await;
        assert_eq!(status(&answer), wanted, "{fields}");
        assert_eq!(field(&answer, "access-control-allow-methods"), None, "{fields}");
    }
}

#[tokio::test]
async fn a_page_reads_answers_and_refusals_and_another_page_does_not() {
    let (house, _upstream) = house(Some(rule())).await;
    let token = house.token("orders:read");
    for line in ["GET /orders/7", "PUT /orders/7", "GET /nothing"] {
        let answer = house.ask_as(&token, line, "Origin: https://a.apps.example\r\n").await;
        assert_eq!(
            all(&answer, "access-control-allow-origin"),
            ["https://a.apps.example"],
            "{line}"
        );
        assert_eq!(all(&answer, "access-control-allow-credentials"), ["true"]);
        let exposed = field(&answer, "access-control-expose-headers").expect("exposed");
        for name in ["WWW-Authenticate", "RateLimit", "Retry-After", "x-request-id", "ETag"] {
            assert!(exposed.split(", ").any(|one| one == name), "{name} in {exposed}");
        }
        let other = house.ask_as(&token, line, OTHER).await;
        assert!(!other.to_lowercase().contains("access-control-"), "{other}");
        assert!(all(&other, "vary").contains(&"Origin"), "{other}");
    }
    let refused = house.ask("GET /orders/7", PAGE).await;
    assert_eq!(
        (status(&refused), field(&refused, "access-control-allow-origin")),
        (401, Some("https://app.example"))
    );
}

#[tokio::test]
async fn without_a_rule_the_apis_own_words_go_through() {
    let (house, upstream) = house(None).await;
    let answer = house.ask("GET /open/1", PAGE).await;
    assert_eq!(all(&answer, "access-control-allow-origin"), ["*"]);
    assert_eq!(all(&answer, "vary"), ["Accept"]);
    assert_eq!(all(&answer, "server"), ["api/1.0"]);
    let answer = house.ask("OPTIONS /open/1", &format!("{PAGE}{ASKS}")).await;
    assert_eq!((status(&answer), upstream.requests().len()), (200, 2));
}

#[tokio::test]
async fn browsers_do_less_with_an_answer_unless_the_api_says_more() {
    let upstream = Recording::scripted(|_, request| {
        let own = "X-Content-Type-Options: own\r\nCache-Control: private\r\n";
        let fields = if request.contains("/orders/own") { own } else { "" };
        Reply::Send(format!(
            "HTTP/1.1 200 OK\r\n{fields}Server: x\r\nX-Powered-By: y\r\nContent-Length: 2\r\n\r\nok"
        ))
    })
    .await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    settings.answers.hide_software = true;
    settings.credentials.api_key = Some(http::HeaderName::from_static("x-key"));
    let house = House::with(settings.clone()).await;
    let token = house.token("orders:read");
    let by_tls = "X-Forwarded-Proto: https\r\n";
    let answer = house.ask_as(&token, "GET /orders/7", by_tls).await;
    assert_eq!((status(&answer), body(&answer)), (200, "ok"));
    assert_eq!(all(&answer, "x-content-type-options"), ["nosniff"]);
    assert_eq!(all(&answer, "strict-transport-security"), ["max-age=31536000"]);
    assert_eq!(all(&answer, "cache-control"), ["no-store"]);
    assert_eq!(field(&answer, "content-security-policy"), None, "the API knows its pages");
    assert_eq!((field(&answer, "server"), field(&answer, "x-powered-by")), (None, None));
    // A key is a credential too, and no cache of the world knows its field.
    let answer = house.ask("GET /open/1", "X-Key: whatever\r\n").await;
    assert_eq!(all(&answer, "cache-control"), ["no-store"]);
    let answer = house.ask_as(&token, "GET /orders/own", by_tls).await;
    assert_eq!(all(&answer, "x-content-type-options"), ["own"]);
    assert_eq!(all(&answer, "cache-control"), ["private"]);
    // In the clear nothing is promised, and what is for everybody may be kept.
    let answer = house.ask("GET /open/1", "").await;
    assert_eq!(field(&answer, "strict-transport-security"), None);
    assert_eq!(field(&answer, "cache-control"), None);
    let refused = house.ask("GET /orders/7", "").await;
    let policy = "default-src 'none'; frame-ancestors 'none'";
    assert_eq!(field(&refused, "content-security-policy"), Some(policy));
    assert_eq!(field(&refused, "referrer-policy"), Some("no-referrer"));
    settings.answers.security_headers = false;
    settings.answers.hide_software = false;
    let house = House::with(settings).await;
    let answer = house.ask("GET /open/1", by_tls).await;
    assert_eq!(field(&answer, "x-content-type-options"), None);
    assert_eq!(field(&answer, "strict-transport-security"), None);
    assert_eq!(field(&answer, "server"), Some("x"));
}

#[tokio::test]
async fn a_route_says_which_pages_may_call_it() {
    let upstream = Recording::scripted(|_, _| {
        let fields = "Access-Control-Allow-Origin: *\r\n";
        Reply::Send(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"))
    })
    .await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.answers.cors = Some(rule());
    let partner = "https://partner.example";
    let own = CorsRule { origins: vec![partner.into()], methods: vec!["PUT".into()], ..rule() };
    for route in &mut settings.routes {
        route.cors = match route.path.as_str() {
            "/orders/{id}" => RouteCors::Own(own.clone()),
            "/open/{id}" => RouteCors::LeftToApi,
            _ => RouteCors::AsGateway,
        };
    }
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    let (from_partner, app) = (format!("Origin: {partner}\r\n"), "https://app.example");
    for (line, origin, allowed) in [
        ("GET /orders/7", &*from_partner, Some(partner)),
        ("GET /orders/7", PAGE, None),
        ("GET /orders", &from_partner, None),
        ("GET /orders", PAGE, Some(app)),
        ("PUT /orders/7", &from_partner, Some(partner)),
        ("GET /nothing", PAGE, Some(app)),
        ("GET /nothing", &from_partner, None),
    ] {
        let answer = house.ask_as(&token, line, origin).await;
        assert_eq!(field(&answer, "access-control-allow-origin"), allowed, "{line} {origin}");
        assert!(all(&answer, "vary").contains(&"Origin"), "{line} {origin}");
    }
    // A refusal for want of a token can be read by the same pages.
    let answer = house.ask("GET /orders/7", &from_partner).await;
    assert_eq!(
        (status(&answer), field(&answer, "access-control-allow-origin")),
        (401, Some(partner))
    );
    // Leave is given by the rule of the method that is to come.
    for (line, fields, wanted) in [
        ("OPTIONS /orders/7", format!("{from_partner}{ASKS}"), 204),
        ("OPTIONS /orders/7", format!("{PAGE}{ASKS}"), 401),
        ("OPTIONS /orders", format!("{PAGE}{ASKS}"), 204),
        ("OPTIONS /orders", format!("{from_partner}{ASKS}"), 401),
    ] {
        let answer = house.ask(line, &fields).await;
        assert_eq!(status(&answer), wanted, "{line} {fields}");
    }
    let answer = house.ask("OPTIONS /orders/7", &format!("{from_partner}{ASKS}")).await;
    assert_eq!(field(&answer, "access-control-allow-methods"), Some("PUT"));
    assert!(!upstream.requests().iter().any(|request| request.starts_with("OPTIONS")));
    // Where it is left to the API, the API is asked, and its word stands.
    let answer = house.ask("OPTIONS /open/1", &format!("{PAGE}{ASKS}")).await;
    assert_eq!((status(&answer), field(&answer, "access-control-allow-origin")), (200, Some("*")));
    assert!(!all(&answer, "vary").contains(&"Origin"), "{answer}");
}
