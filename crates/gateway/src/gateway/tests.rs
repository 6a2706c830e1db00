//! Settings that are refused, each with its reason.

use std::sync::Arc;

use http::Method;
use token::keyring::Keyring;
use token::time::{Clock, Timestamp};

use super::{Gateway, Parts};
use crate::limit::{Amount, LimitRule};
use crate::settings::{Access, Settings, SettingsError};
use crate::tests::support_settings;

struct Never;

impl Clock for Never {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

impl token::event::EventSink for Never {
    fn emit(&self, _event: token::event::Event) {}
}

fn limit(name: &str, pace: &str) -> LimitRule {
    let amount = Amount::Rate { pace: pace.parse().expect("pace"), burst: None };
    let (by, classes, routes) = (Vec::new(), Vec::new(), Vec::new());
    LimitRule { name: name.into(), by, amount, classes, routes }
}

fn fault(change: impl FnOnce(&mut Settings)) -> Option<SettingsError> {
    let mut settings = support_settings();
    change(&mut settings);
    let parts = Parts {
        keyring: Arc::new(Keyring::default()),
        index: Arc::default(),
        honeytokens: Arc::default(),
        events: Arc::new(Never),
        clock: Arc::new(Never),
        decryption: Vec::new(),
        nonces: None,
        references: None,
        internal_keys: None,
        personal: None,
        issuers: Vec::new(),
        places: None,
        policies: None,
        browser_apps: Vec::new(),
    };
    Gateway::new(settings, parts).err()
}

#[test]
fn good_settings_are_taken() {
    assert!(fault(|_| ()).is_none());
    assert!(fault(|settings| settings.cache_entries = 0).is_none());
    assert!(fault(|settings| settings.routes.clear()).is_none());
}

#[test]
fn what_is_wrong_is_named() {
    type Change = fn(&mut Settings);
    let cases: [(Change, &str); 14] = [
        (|s| s.resource = "api".into(), "resource `api` is not an http or https URL"),
        (|s| s.resource = "https://a?b".into(), "resource `https://a?b` is not"),
        (|s| s.routes[0].path = "/{".into(), "route `/{`: a parameter is a whole segment"),
        (|s| s.routes[0].upstream = "x".into(), "route `/orders`: no upstream is named `x`"),
        (|s| s.routes[1].methods = vec![Method::GET], "route `/orders`: method GET has a rule"),
        (|s| s.routes[0].methods = vec![Method::TRACE], "route `/orders`: method TRACE is never"),
        (
            |s| {
                s.routes[0].access = Access::Token {
                    scopes: vec!["a b".into()],
                    audiences: Vec::new(),
                    further: Default::default(),
                };
            },
            "route `/orders`: `a b` is not one scope",
        ),
        (
            |s| {
                s.upstreams.insert("api".into(), "api:80".to_owned().into());
            },
            "upstream `api`: `api:80` is not",
        ),
        (|s| s.upstream_timeout = std::time::Duration::ZERO, "the upstream timeout is zero"),
        (|s| s.limits = vec![limit("a\"b", "1/s")], "limit `a\"b`: a name is letters"),
        (|s| s.limits = vec![limit("a", "1/s"), limit("a", "2/s")], "limit `a` is there twice"),
        (
            |s| {
                let routes = vec!["/order".into()];
                s.limits = vec![LimitRule { routes, ..limit("a", "1/s") }];
            },
            "limit `a`: no route has the path `/order`",
        ),
        (
            |s| {
                s.routes[0].cost = 5;
                s.limits = vec![limit("a", "4/s")];
            },
            "route `/orders`: its cost of 5 is more than limit `a` ever has",
        ),
        (
            |s| {
                s.limits = vec![LimitRule { amount: Amount::Concurrent(0), ..limit("a", "1/s") }];
            },
            "limit `a` allows nothing",
        ),
    ];
    for (change, expected) in cases {
        let text = fault(change).map(|fault| fault.to_string()).unwrap_or_default();
        assert!(text.starts_with(expected), "{text}");
    }
}
