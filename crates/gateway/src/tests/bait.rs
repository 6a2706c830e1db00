//! Bait that is shown where no token belongs: the answer is that to any token there, and the watcher hears of it.

use token::id::TokenId;
use token::opaque::Family;
use token::random::OsRandom;
use token::reference;

use super::support::upstream::Recording;
use super::support::{House, status};

struct Baited {
    house: House,
    upstream: Recording,
    /// What bait is called, and its text: a JWT, and a personal token.
    bait: [(String, String); 2],
}

impl Baited {
    async fn new() -> Self {
        let upstream = Recording::new().await;
        let house = House::new(upstream.address).await;
        let claims = house.claims();
        let jwt = (claims["jti"].as_str().expect("jti").to_owned(), house.sign(&claims));
        let opaque = Family::Personal.generate(&OsRandom::new()).expose().to_owned();
        let bait = [jwt, (reference::name(&opaque).to_string(), opaque)];
        for (name, _) in &bait {
            house.honeytokens.add(TokenId::from(name.as_str()));
        }
        Self { house, upstream, bait }
    }

    /// The watcher hears that this bait was shown, and by whom it was passed on.
    async fn heard(&self, name: &str, passed_on_by: Option<&str>) {
        let (event, request) = self.house.events.next().await;
        assert_eq!(request.refused.expect("refused").to_string(), "honeytoken");
        assert_eq!(event.who.claimed_token.as_deref(), Some(name));
        assert_eq!((event.who.subject, event.who.token), (None, None), "nobody else is named");
        assert_eq!(request.passed_on_by.as_deref(), passed_on_by);
        assert!(event.ip.is_some());
        assert!(self.upstream.requests().is_empty());
    }

    async fn form(&self, fields: &str, form: &str) -> String {
        let length = form.len();
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let fields = format!("{fields}{kind}\r\nContent-Length: {length}\r\n\r\n{form}");
        self.house.ask("POST /orders", &fields).await
    }
}

#[tokio::test]
async fn bait_in_the_query_is_noticed() {
    let baited = Baited::new().await;
    let good = baited.house.token("orders:read");
    for (name, text) in &baited.bait {
        let escaped = text.replace('_', "%5f");
        for query in [format!("access_token={text}"), format!("a=b&access%5Ftoken={escaped}")] {
            for path in ["/orders/7", "/open/7", "/nothing"] {
                let answer = baited.house.ask(&format!("GET {path}?{query}"), "").await;
                assert_eq!(status(&answer), 400, "{path}: {answer}");
                assert!(!answer.contains("honey") && !answer.contains("bait"));
                baited.heard(name, None).await;
            }
        }
        // Beside a token that is good, whose owner is not named: bait is nobody's.
        let line = format!("GET /orders/7?access_token={text}");
        assert_eq!(status(&baited.house.ask_as(&good, &line, "").await), 400);
        baited.heard(name, None).await;
    }
}

#[tokio::test]
async fn bait_in_a_form_is_noticed() {
    let baited = Baited::new().await;
    let good = baited.house.token("orders:read orders:write");
    for (name, text) in &baited.bait {
        let form = format!("a=b&access_token={text}");
        let alone = baited.form("", &form).await;
        let other = baited.form("", "a=b&access_token=other").await;
        assert_eq!((status(&alone), status(&other)), (401, 401), "as with any other text");
        baited.heard(name, None).await;
        let (_, request) = baited.house.events.next().await;
        assert_eq!(request.refused.expect("refused").to_string(), "no_token");
        let beside = baited.form(&format!("Authorization: Bearer {good}\r\n"), &form).await;
        assert_eq!(status(&beside), 400);
        baited.heard(name, None).await;
    }
    // What is too long to be read without a token is not.
    let long = format!("{}&access_token={}", "a".repeat(33 * 1024), baited.bait[0].1);
    assert_eq!(status(&baited.form("", &long).await), 401);
    let (_, request) = baited.house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "no_token");
}

#[tokio::test]
async fn bait_beside_another_token_is_noticed() {
    let baited = Baited::new().await;
    let good = baited.house.token("orders:read");
    let (name, text) = &baited.bait[0];
    for fields in [
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {text}\r\n"),
        format!("Authorization: Basic YTpi, Bearer {text}\r\n"),
    ] {
        assert_eq!(status(&baited.house.ask("GET /orders/7", &fields).await), 400);
        baited.heard(name, None).await;
    }
}

/// Any page can have any browser send a query or a form.
#[tokio::test]
async fn a_browser_that_another_site_had_send_it_is_nobodys_thief() {
    let baited = Baited::new().await;
    let (name, text) = &baited.bait[0];
    let line = format!("GET /orders/7?access_token={text}");
    for (site, by) in [("cross-site", Some("site")), ("none", Some("site")), ("same-origin", None)]
    {
        let field = format!("Sec-Fetch-Site: {site}\r\n");
        baited.house.ask(&line, &field).await;
        baited.heard(name, by).await;
        baited.form(&field, &format!("access_token={text}")).await;
        baited.heard(name, by).await;
    }
}
