//! Templates, and which rule answers for which path.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::{BadTemplate, Demand, Rewrite, Routes, Rule, Template};
use crate::inside::IdentityForm;
use crate::target::BadTarget;
use crate::upstream::Upstream;

/// Routes from `METHODS PATH` lines; no methods for all.
fn routes(lines: &[&str]) -> Routes {
    let mut routes = Routes::default();
    for line in lines {
        add(&mut routes, line).expect("a route");
    }
    routes
}

fn add(routes: &mut Routes, line: &str) -> Result<(), String> {
    add_with(routes, line, Demand::Public)
}

fn add_with(routes: &mut Routes, line: &str, demand: Demand) -> Result<(), String> {
    let (methods, path) = line.rsplit_once(' ').unwrap_or(("", line));
    let template = Template::parse(path).expect("template");
    let methods: Vec<Method> =
        methods.split_whitespace().map(|method| method.parse().expect("method")).collect();
    let one = "http://127.0.0.1:1".to_owned().into();
    let upstream =
        Upstream::new(0, "api", &one, Duration::from_secs(1), IdentityForm::Headers, None);
    let upstream = upstream.expect("upstream");
    let rule = Rule {
        template: Arc::clone(template.text()),
        upstream: Arc::new(upstream),
        inspect: crate::settings::Inspect::Off,
        body_bytes: None,
        described: None,
        rewrite: Rewrite::default(),
        demand,
        networks: Box::default(),
        places: Box::default(),
        hours: Box::default(),
        parameters: super::Parameters::default(),
        decided: true,
        limits: Box::default(),
        cost: 1,
    };
    routes.add(&template, &methods, rule)
}

/// The template that answers, and the object.
fn found<'p>(routes: &Routes, method: &str, path: &'p str) -> Option<(String, Option<&'p str>)> {
    let found = routes.find(path)?;
    let rule = found.rules.rule(&method.parse().expect("method"))?;
    Some((rule.template.to_string(), found.object.map(|range| &path[range])))
}

#[test]
fn a_slash_at_the_end_does_not_lead_around_a_token() {
    let mut routes = routes(&["/{rest...}", "/open/{id}", "/open/"]);
    let demand = Demand::Token {
        scopes: Box::default(),
        audiences: Box::default(),
        scope_text: "".into(),
        further: None,
    };
    add_with(&mut routes, "GET /orders/{id}", demand).expect("a route");
    let template = |method, path| found(&routes, method, path).map(|(template, _)| template);
    for path in ["/orders/1", "/orders/1/"] {
        assert_eq!(template("GET", path).as_deref(), Some("/orders/{id}"), "{path}");
        assert_eq!(template("PUT", path), None, "{path}");
    }
    assert_eq!(found(&routes, "GET", "/orders/1/"), Some(("/orders/{id}".to_owned(), Some("1"))));
    assert_eq!(template("GET", "/orders/1/2").as_deref(), Some("/{rest...}"));
    assert_eq!(template("GET", "/open/1/").as_deref(), Some("/{rest...}"), "public both ways");
    assert_eq!(template("GET", "/open/").as_deref(), Some("/open/"));
}

#[test]
fn the_most_particular_template_answers() {
    let routes = routes(&[
        "/",
        "/orders",
        "/orders/{id}",
        "/orders/special",
        "/orders/{id}/lines/{line}",
        "/orders/special/{x}",
        "/files/{rest...}",
        "/{any}",
    ]);
    let cases = [
        ("/", Some(("/", None))),
        ("/orders", Some(("/orders", None))),
        ("/orders/7", Some(("/orders/{id}", Some("7")))),
        ("/orders/special", Some(("/orders/special", None))),
        ("/orders/special/lines/3", Some(("/orders/{id}/lines/{line}", Some("3")))),
        ("/orders/special/3", Some(("/orders/special/{x}", Some("3")))),
        ("/orders/", None),
        ("/orders/7/", None),
        ("/orders/7/lines", None),
        ("/files", Some(("/{any}", Some("files")))),
        ("/files/", Some(("/files/{rest...}", None))),
        ("/files/a/b/", Some(("/files/{rest...}", None))),
        ("/Orders", Some(("/{any}", Some("Orders")))),
        ("/a/b", None),
    ];
    for (path, expected) in cases {
        let expected = expected.map(|(template, object)| (template.to_owned(), object));
        assert_eq!(found(&routes, "GET", path), expected, "{path}");
    }
}

#[test]
fn a_rest_takes_what_nothing_else_does() {
    let routes = routes(&["/{rest...}", "/a/{id}/b"]);
    for path in ["/", "/x", "/x/y", "/a", "/a/", "/a/1", "/a/1/c", "/a/1/b/"] {
        let (template, object) = found(&routes, "GET", path).expect("rest");
        assert_eq!((template.as_str(), object), ("/{rest...}", None), "{path}");
    }
    assert_eq!(found(&routes, "GET", "/a/1/b").expect("route").0, "/a/{id}/b");
}

#[test]
fn methods_do_not_make_a_template_less_particular() {
    let routes = routes(&["GET HEAD /orders", "POST /orders", "/{rest...}", "PUT /any", "/any"]);
    let rules = routes.find("/orders").expect("route").rules;
    assert!(rules.rule(&Method::DELETE).is_none(), "does not fall through to the rest");
    assert_eq!(rules.allow(), "GET, HEAD, POST");
    let rules = routes.find("/any").expect("route").rules;
    for method in [Method::PUT, Method::GET, Method::OPTIONS] {
        assert!(rules.rule(&method).is_some());
    }
    for method in [Method::CONNECT, Method::TRACE] {
        assert!(rules.rule(&method).is_none(), "{method}");
    }
}

#[test]
fn one_rule_for_one_method() {
    let mut routes = routes(&["GET /a/{x}", "/b/{rest...}"]);
    assert_eq!(add(&mut routes, "POST GET /a/{y}"), Err("GET".into()), "the names do not matter");
    assert_eq!(add(&mut routes, "/b/{other...}"), Err("*".into()));
    assert_eq!(add(&mut routes, "PUT /a/{y}"), Ok(()));
    assert_eq!(add(&mut routes, "/a/{y}"), Ok(()), "the rule for all other methods");
}

#[test]
fn templates_that_are_none() {
    let cases = [
        ("", BadTemplate::Slash),
        ("orders", BadTemplate::Slash),
        ("/{rest...}/x", BadTemplate::RestNotLast),
        ("/{id", BadTemplate::Parameter),
        ("/id}", BadTemplate::Parameter),
        ("/{}", BadTemplate::Parameter),
        ("/{...}", BadTemplate::Parameter),
        ("/a{id}", BadTemplate::Parameter),
        ("/{i-d}", BadTemplate::Parameter),
        ("/{a}/{a}", BadTemplate::SameName),
        ("/a//b", BadTemplate::Literal(BadTarget::EmptySegment)),
        ("/a/../b", BadTemplate::Literal(BadTarget::DotSegment)),
        ("/a;b", BadTemplate::Literal(BadTarget::Parameter)),
        ("/a?b", BadTemplate::Literal(BadTarget::Character)),
        ("/%41", BadTemplate::NotNormal),
        ("/%c3%a9", BadTemplate::NotNormal),
    ];
    for (text, fault) in cases {
        assert_eq!(Template::parse(text), Err(fault), "{text}");
    }
    for text in ["/", "/%C3%A9", "/a/", "/{a}/{b}/{rest...}", "/a.b/~c"] {
        assert_eq!(Template::parse(text).map(|template| template.to_string()), Ok(text.into()));
    }
}
