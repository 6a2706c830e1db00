//! Where policies decide: what they are asked, and what comes of their answer.

use std::sync::{Arc, Mutex};

use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;
use token::validate::VerifiedAccessToken;

use super::support::upstream::Recording;
use super::support::{House, error, settings, status};
use crate::policy::{Policies, Principal, Question, Ruling};

/// Allows what has the parameter `id=7`, and notes what it was asked.
#[derive(Default)]
struct Sevens {
    asked: Mutex<Vec<String>>,
    made: Mutex<Vec<String>>,
}

impl Policies for Sevens {
    fn principal(&self, token: &VerifiedAccessToken, scopes: &ScopeSet) -> Principal {
        self.made.lock().expect("made").push(scopes.to_string());
        Principal::new(token.facts().subject.to_string())
    }

    fn decide(&self, asked: &Question<'_>) -> Ruling {
        let who = asked.principal.get::<String>().expect("made here");
        let Question { method, route, upstream, host, bound, parameters, .. } = asked;
        let noted = format!("{who} {method} {route} {parameters:?} {upstream} {host} {bound}");
        self.asked.lock().expect("asked").push(noted);
        let allowed = parameters.contains(&("id", "7"));
        Ruling { allowed, policies: vec![if allowed { "sevens" } else { "others" }.into()] }
    }
}

#[tokio::test]
async fn policies_decide_after_the_rule_and_what_they_said_is_in_the_event_alone() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let first = settings.routes.iter_mut().find(|rule| rule.path == "/orders").expect("route");
    first.decided = false;
    let policies = Arc::new(Sevens::default());
    let house = House::with_policies(settings, policies.clone()).await;
    let token = house.token("orders:read");

    assert_eq!(status(&house.ask_as(&token, "GET /orders/7", "").await), 200);
    let (_, request) = house.events.next().await;
    assert_eq!((request.policy, request.refused), (vec!["sevens".to_owned()], None));

    let answer = house.ask_as(&token, "GET /orders/8", "").await;
    assert_eq!((status(&answer), error(&answer)), (403, "access_denied".to_owned()));
    assert!(!answer.contains("others"), "the client learns no policy: {answer}");
    let (event, request) = house.events.next().await;
    assert_eq!(request.policy, ["others"]);
    assert_eq!(request.refused.expect("refused").to_string(), "policy");
    assert!(event.who.subject.is_some());

    // Not asked: a route that says so, one without a token, and what its rule refuses before.
    for (line, token, expected) in [
        ("GET /orders", Some("orders:read"), 200),
        ("GET /open/8", None, 200),
        ("GET /orders/7", Some("other"), 403),
    ] {
        let answer = match token {
            Some(scope) => house.ask_as(&house.token(scope), line, "").await,
            None => house.ask(line, "").await,
        };
        assert_eq!(status(&answer), expected, "{line}");
    }
    let asked = policies.asked.lock().expect("asked").clone();
    let seven = r#"u1 GET /orders/{id} [("id", "7")] api api.example false"#;
    assert_eq!(asked, [seven.to_owned(), seven.replace('7', "8")]);
    assert_eq!(policies.made.lock().expect("made").len(), 1, "kept with the token");
}

#[tokio::test]
async fn a_token_that_was_narrowed_is_another_principal() {
    let upstream = Recording::new().await;
    let settings = settings(&format!("http://{}", upstream.address));
    let policies = Arc::new(Sevens::default());
    let house = House::with_policies(settings, policies.clone()).await;
    let token = house.token("orders:read orders:write");
    house.ask_as(&token, "GET /orders/7", "").await;
    let dropped = ScopeSet::parse("orders:write").expect("scopes");
    house.restrict(Selector::Subject("u1".into()), Effect::DropScopes(dropped));
    house.ask_as(&token, "GET /orders/7", "").await;
    let made = policies.made.lock().expect("made").clone();
    assert_eq!(made, ["orders:read orders:write", "orders:read"]);
}
