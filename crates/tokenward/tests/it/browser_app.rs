//! An application in a browser that holds no token (backend for frontend), from sign-in to sign-out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use url::Url;

use crate::interop::{node_script, variable};
use crate::support::browser::form_of;
use crate::support::http::{Answer, form};
use crate::support::output_of;
use crate::support::served::Served;

const PASSWORD: &str = "correct horse battery staple";

/// A browser: what it is sent to, and its cookies by origin.
struct Browser<'s> {
    served: &'s Served,
    cookies: BTreeMap<String, String>,
    seen: String,
}

impl<'s> Browser<'s> {
    fn new(served: &'s Served) -> Self {
        Self { served, cookies: BTreeMap::new(), seen: String::new() }
    }

    fn ask(&mut self, method: &str, url: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::from(body.to_owned()));
        let answer = self.served.http.send(request.body(body).expect("request"));
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("cookie");
            let (name, rest) = text.split_once('=').expect("cookie");
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
            if text.contains("Max-Age=0;") {
                self.cookies.remove(name);
            }
            assert!(text.contains("; HttpOnly"), "{text}");
        }
        self.seen.push_str(&format!("{:?}{}", answer.headers, answer.body));
        answer
    }

    fn get(&mut self, url: &str) -> Answer {
        self.ask("GET", url, &[], "")
    }

    /// Follows redirects and fills in forms until the application has the issuer's answer; its URL.
    fn until_callback(&mut self) -> String {
        let mut url = self.served.gateway("/bff/login?return_to=/orders%3Fpage=2");
        let mut answer = self.get(&url);
        for _ in 0..10 {
            let base = Url::parse(&url).expect("URL");
            if let Some(target) = answer.headers.get(header::LOCATION) {
                url = base.join(target.to_str().expect("text")).expect("URL").to_string();
                if url.contains("/bff/callback?") {
                    return url;
                }
                answer = self.get(&url);
                continue;
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            let page = form_of(&answer.body);
            let mut fields: Vec<(&str, &str)> =
                page.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            if answer.body.contains("name=\"password\"") {
                fields.extend([("username", "alice"), ("password", PASSWORD)]);
            } else {
                fields.push(("decision", "allow"));
            }
            let action = base.join(&page.action).expect("action");
            let kind = [("content-type", "application/x-www-form-urlencoded")];
            answer = self.ask("POST", action.as_str(), &kind, &form(&fields));
        }
        panic!("no callback: {answer:?}");
    }

    fn sign_in(&mut self) {
        let callback = self.until_callback();
        let answer = self.get(&callback);
        assert_eq!((answer.status, answer.header("location")), (303, "/orders?page=2"));
    }

    fn session(&mut self) -> Value {
        self.get(&self.served.gateway("/bff/session")).expect(200)
    }
}

/// The program with an application in browsers, and a person.
fn served() -> Served {
    let served = Served::start("");
    let client = served.client(json!({
        "client_name": "Shop", "scope": "openid profile health",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [served.gateway("/bff/callback")],
    }));
    let person = json!({ "username": "alice", "password": PASSWORD, "name": "Alice Liddell" });
    served.admin_call("POST", "/users", Some(person));
    let app = format!(
        r#"
        [[gateway.browser_app]]
        client = "{}"
        scopes = "openid profile health"
        [[resource]]
        identifier = "GATEWAY"
        access_token_life = "4s"
        "#,
        client.0
    );
    served.restart(&app)
}

#[test]
fn a_browser_calls_the_api_by_cookie_and_never_sees_a_token() {
    let served = served();
    let health = served.gateway("/healthz");
    let mut browser = Browser::new(&served);
    assert_eq!(browser.get(&health).status, 401);
    assert_eq!(browser.session(), json!({ "signed_in": false }));
    browser.sign_in();
    assert!(browser.cookies["tokenward-app"].starts_with("twb_"));
    assert!(!browser.cookies.contains_key("tokenward-sign-in"), "{:?}", browser.cookies);
    let session = browser.session();
    assert_eq!((&session["signed_in"], &session["name"]), (&json!(true), &json!("Alice Liddell")));
    assert!(session["sub"].is_string() && session["expires_at"].is_i64(), "{session}");
    assert_eq!(browser.get(&health).status, 200);

    // The access token lives for four seconds; the session does not notice.
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(browser.get(&health).status, 200);
    assert_eq!(browser.session()["signed_in"], true);

    // Two credentials are none.
    let bearer = [("authorization", "Bearer x")];
    assert_eq!(browser.ask("GET", &health, &bearer, "").status, 400);

    // Signing out is for the application's own pages, and ends everything at once.
    let logout = served.gateway("/bff/logout");
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(browser.ask("POST", &logout, &foreign, "").expect(403)["error"], "access_denied");
    assert_eq!(browser.ask("POST", &logout, &[], "").status, 403);
    assert_eq!(browser.get(&logout).status, 405);
    assert_eq!(browser.get(&health).status, 200);
    let stolen = browser.cookies.clone();
    let own = served.gateway("");
    let left = browser.ask("POST", &logout, &[("origin", own.as_str())], "").expect(200);
    assert!(left["end_session"].as_str().is_some_and(|url| url.contains("/logout?client_id=")));
    assert!(!browser.cookies.contains_key("tokenward-app"));
    browser.cookies = stolen;
    assert_eq!(browser.get(&health).status, 401);
    assert_eq!(browser.session(), json!({ "signed_in": false }));
    for token in ["eyJ", "twr_", "twa_", "access_token\"", "refresh_token\""] {
        assert!(!browser.seen.contains(token), "{token} in {}", browser.seen);
    }
}

#[test]
fn in_chromium_no_script_finds_a_token_and_no_other_origin_uses_the_cookie() {
    let served = served();
    let mut script = node_script("browser-app.mjs");
    let script = script
        .env("GATEWAY", served.gateway(""))
        .env("USERNAME", "alice")
        .env("PASSWORD", PASSWORD)
        .env("CHROMIUM", variable("TOKENWARD_CHROMIUM"));
    let said = output_of(script);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
}

#[test]
fn what_is_revoked_is_refused_and_a_new_sign_in_has_a_new_cookie() {
    let served = served();
    let health = served.gateway("/healthz");
    let mut browser = Browser::new(&served);
    browser.sign_in();
    let first = browser.cookies["tokenward-app"].clone();
    let subject = browser.session()["sub"].clone();
    let selector = json!({ "kind": "subject", "value": subject });
    let body = json!({ "selector": selector, "effect": "revoke", "reason": "test" });
    served.admin_call("POST", "/restrictions", Some(body));
    assert_eq!(browser.get(&health).status, 401);
    assert_eq!(browser.session(), json!({ "signed_in": false }));
    browser.sign_in();
    assert_ne!(browser.cookies["tokenward-app"], first);
    assert_eq!(browser.get(&health).status, 200);
}

#[test]
fn an_answer_that_nobody_asked_for_signs_nobody_in() {
    let served = served();
    let mut browser = Browser::new(&served);
    let callback = browser.until_callback();
    let swap = |from: &str, to: &str| callback.replace(from, to);
    for altered in [swap("state=", "state=x"), swap("iss=", "iss=x"), swap("iss=", "ss=")] {
        assert_eq!(browser.get(&altered).expect(400)["error"], "invalid_request", "{altered}");
    }
    // A stranger's code in another browser: no sign-in is under way there, or another one.
    let mut victim = Browser::new(&served);
    assert_eq!(victim.get(&callback).status, 400);
    victim.until_callback();
    assert_eq!(victim.get(&callback).status, 400);
    assert!(!victim.cookies.contains_key("tokenward-app"));
    // The right browser is still let in, once.
    assert_eq!(browser.get(&callback).status, 303);
    assert_eq!(browser.get(&callback).status, 400);
    let away = served.gateway("/bff/login?return_to=//evil.example");
    assert_eq!(browser.get(&away).status, 400);
}
