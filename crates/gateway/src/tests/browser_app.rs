//! A cookie as the credential (draft-ietf-oauth-browser-based-apps §6.1.3): of its own application, alone,
//! and only in requests that are the application's own.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use token::event::TokenKind;
use token::reference::Unavailable;
use token::secret::Secret;

use super::support::upstream::Recording;
use super::support::{House, body, error, field, settings, status};
use crate::browser_app::{Answering, AppServer, BrowserApp};

const SESSION: &str = "Cookie: a=1; __Host-app=good; b=2\r\n";
const OWN: &str = "Origin: https://api.example\r\n";

/// Knows one session, `good`.
#[derive(Default)]
struct Keeper {
    token: Mutex<String>,
    broken: Mutex<bool>,
}

impl AppServer for Keeper {
    fn answer<'a>(
        &'a self,
        request: &'a Request<()>,
        _ip: IpAddr,
    ) -> Answering<'a, Response<String>> {
        let text = format!("{} {}", request.method(), request.uri());
        Box::pin(async { Response::new(text) })
    }

    fn access_token<'a>(
        &'a self,
        cookie: &'a str,
    ) -> Answering<'a, Result<Option<Secret>, Unavailable>> {
        let token = self.token.lock().expect("token").clone();
        let broken = *self.broken.lock().expect("broken");
        let found = (cookie == "good").then(|| Secret::new(token));
        Box::pin(async move { if broken { Err(Unavailable) } else { Ok(found) } })
    }
}

async fn house(forward_token: bool) -> (House, Recording, Arc<Keeper>) {
    let upstream = Recording::new().await;
    let keeper = Arc::new(Keeper::default());
    let app = BrowserApp {
        origin: "https://api.example".to_owned(),
        prefix: "/bff/".to_owned(),
        session_cookie: "__Host-app".to_owned(),
        other_cookies: vec!["__Host-sign-in".to_owned()],
        server: Arc::clone(&keeper) as Arc<dyn AppServer>,
    };
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.forward_token = forward_token;
    let house = House::with_apps(settings, vec![app]).await;
    *keeper.token.lock().expect("token") = house.token("orders:read orders:write");
    (house, upstream, keeper)
}

/// `status reason` of a request.
async fn verdict(house: &House, line: &str, fields: &str) -> String {
    let answer = house.ask(line, fields).await;
    let (_, request) = house.events.next().await;
    match request.refused {
        Some(refused) => format!("{} {refused}", status(&answer)),
        None => status(&answer).to_string(),
    }
}

#[tokio::test]
async fn the_cookie_opens_what_its_token_opens_and_ends_here() {
    let (house, upstream, _keeper) = house(false).await;
    let cookies = "Cookie: a=1; __Host-app=good; __Host-sign-in=x; b=2\r\n";
    assert_eq!(status(&house.ask("GET /orders/7", cookies).await), 200);
    let (event, request) = house.events.next().await;
    assert_eq!(request.token_kind, TokenKind::Session);
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
    // A public route needs no credential, and gets none.
    assert_eq!(verdict(&house, "GET /open/7", "Cookie: __Host-app=good\r\n").await, "200");
    let requests = upstream.requests();
    assert_eq!(field(&requests[0], "cookie"), Some("a=1; b=2"));
    assert_eq!(field(&requests[1], "cookie"), None);
    for request in requests {
        assert_eq!(field(&request, "authorization"), None);
        assert!(!request.contains("eyJhb") && !request.contains("__Host-"), "{request}");
    }
}

#[tokio::test]
async fn an_upstream_that_wants_the_token_gets_the_one_that_is_kept() {
    let (house, upstream, keeper) = house(true).await;
    assert_eq!(verdict(&house, "GET /orders/7", SESSION).await, "200");
    let token = keeper.token.lock().expect("token").clone();
    let request = upstream.only();
    assert_eq!(field(&request, "authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(field(&request, "cookie"), Some("a=1; b=2"));
}

#[tokio::test]
async fn what_changes_something_has_to_be_the_applications_own() {
    let (house, upstream, _keeper) = house(false).await;
    let same = "Sec-Fetch-Site: same-origin\r\n";
    for fields in [OWN, same, &format!("{OWN}{same}")] {
        let fields = format!("{SESSION}{fields}Content-Length: 0\r\n");
        assert_eq!(verdict(&house, "POST /orders", &fields).await, "200");
    }
    let foreign = [
        "",
        "Origin: https://evil.example\r\n",
        "Origin: https://x.api.example\r\n",
        "Origin: http://api.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Origin: https://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        "Origin: https://api.example\r\nOrigin: https://evil.example\r\n",
    ];
    for fields in foreign {
        let fields = format!("{SESSION}{fields}Content-Length: 0\r\n");
        let refused = verdict(&house, "POST /orders", &fields).await;
        assert_eq!(refused, "403 cross_site", "{fields}");
        assert_eq!(verdict(&house, "POST /bff/logout", &fields).await, "403 cross_site");
    }
    // A WebSocket begins with GET, and no other rule keeps foreign pages from it.
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
    let fields = format!("{SESSION}{upgrade}Origin: https://evil.example\r\n");
    assert_eq!(verdict(&house, "GET /orders/7", &fields).await, "403 cross_site");
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn a_cookie_is_one_credential_of_one_host() {
    let (house, upstream, keeper) = house(false).await;
    let token = keeper.token.lock().expect("token").clone();
    for other in [format!("Authorization: Bearer {token}"), "Authorization: Basic dTpw".to_owned()]
    {
        let fields = format!("{SESSION}{other}\r\n");
        assert_eq!(verdict(&house, "GET /orders/7", &fields).await, "400 two_tokens");
    }
    let twice = "Cookie: __Host-app=good\r\nCookie: __Host-app=other\r\n";
    assert_eq!(verdict(&house, "GET /orders/7", twice).await, "400 two_tokens");
    let query = verdict(&house, "GET /orders/7?access_token=x", SESSION).await;
    assert_eq!(query, "400 two_tokens");
    for none in ["Cookie: __host-app=good\r\n", "Cookie: x__Host-app=good\r\n"] {
        assert_eq!(verdict(&house, "GET /orders/7", none).await, "401 no_token", "{none}");
    }
    let elsewhere = format!(
        "GET /orders/7 HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n{SESSION}\r\n"
    );
    assert_eq!(status(&house.raw(elsewhere).await), 401);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn every_other_rule_holds_for_the_token_behind_it() {
    let (house, upstream, keeper) = house(false).await;
    let stranger = "Cookie: __Host-app=other\r\n";
    let answer = house.ask("GET /orders/7", stranger).await;
    assert_eq!((status(&answer), error(&answer).as_str()), (401, "invalid_token"));
    house.events.next().await;
    *keeper.token.lock().expect("token") = house.token("orders:write");
    assert_eq!(verdict(&house, "GET /orders/7", SESSION).await, "403 insufficient_scope");
    assert_eq!(verdict(&house, "GET /nothing", SESSION).await, "404 unknown_route");
    *keeper.broken.lock().expect("broken") = true;
    assert_eq!(verdict(&house, "GET /orders/7", SESSION).await, "503 unavailable");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn what_is_below_the_prefix_is_the_servers() {
    let (house, upstream, _keeper) = house(false).await;
    let answer = house.ask("GET /bff/login?return_to=/x", "").await;
    assert_eq!((status(&answer), body(&answer)), (200, "GET /bff/login?return_to=/x"));
    let answer = house.ask("POST /bff/logout", &format!("{OWN}Content-Length: 0\r\n")).await;
    assert_eq!((status(&answer), body(&answer)), (200, "POST /bff/logout"));
    let elsewhere = "GET /bff/login HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&house.raw(elsewhere).await), 401);
    assert!(upstream.requests().is_empty());
}
