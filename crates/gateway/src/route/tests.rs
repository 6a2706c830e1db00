//! Templates, and which rule answers for which path.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::{BadTemplate, Demand, NotAdded, PathVariants, Rewrite, Routes, Rule, Template};
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
    add_varied(routes, line, demand, PathVariants::default())
}

fn add_varied(
    routes: &mut Routes,
    line: &str,
    demand: Demand,
    variants: PathVariants,
) -> Result<(), String> {
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
        cors: None,
        rewrite: Rewrite::default(),
        guard: match &demand {
            Demand::Public => 0,
            Demand::Token { audiences, .. } => 1 + audiences.len(),
        },
        demand,
        networks: Box::default(),
        places: Box::default(),
        hours: Box::default(),
        parameters: super::Parameters::default(),
        decided: true,
        limits: Box::default(),
        cost: 1,
    };
    routes.add(&template, &methods, variants, rule).map_err(|wrong| match wrong {
        NotAdded::Twice(method) => method,
        NotAdded::Variants => "variants".to_owned(),
    })
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
    add_with(&mut routes, "GET /orders/{id}", token()).expect("a route");
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

fn token() -> Demand {
    let (scopes, audiences) = (Box::default(), Box::default());
    Demand::Token { scopes, audiences, scope_text: "".into(), further: None }
}

/// The template whose rules count, or `?` where none does because the path may be another one.
fn counts(routes: &Routes, path: &str) -> Option<String> {
    let rules = routes.find(path)?.rules;
    let rule = || rules.rule(&Method::GET).map(|rule| rule.template.to_string());
    if rules.are_in_doubt() { Some("?".into()) } else { rule() }
}

#[test]
fn a_path_that_servers_take_for_another_does_not_lead_around_its_rule() {
    let build = |variants: PathVariants, wide: Demand| {
        let mut routes = Routes::default();
        add_with(&mut routes, "/{rest...}", wide).expect("a route");
        for line in ["GET /admin", "GET /files/{rest...}", "GET /a/{id}/Lines", "GET /d/"] {
            add_varied(&mut routes, line, token(), variants).expect("a route");
        }
        routes
    };
    let variants = [
        ("/Admin", "/admin"),
        ("/ADMIN/", "/admin"),
        ("/admin/", "/admin"),
        ("/admin.", "/admin"),
        ("/admin%20", "/admin"),
        ("/files", "/files/{rest...}"),
        ("/Files", "/files/{rest...}"),
        ("/fIles/a/B", "/files/{rest...}"),
        ("/a/X/lines", "/a/{id}/Lines"),
        ("/A/X/Lines/", "/a/{id}/Lines"),
        ("/d", "/d/"),
        ("/D/", "/d/"),
    ];
    let plain = [
        ("/admin", "/admin"),
        ("/files/", "/files/{rest...}"),
        ("/files/A/b.", "/files/{rest...}"),
        ("/a/Xy/Lines", "/a/{id}/Lines"),
        ("/administrator", "/{rest...}"),
        ("/ADMIN/x", "/{rest...}"),
        ("/a/x/lines/y", "/{rest...}"),
        ("/d/x", "/{rest...}"),
        ("/", "/{rest...}"),
    ];
    let beside_public = build(PathVariants::Refuse, Demand::Public);
    let same = build(PathVariants::Same, Demand::Public);
    let distinct = build(PathVariants::Distinct, Demand::Public);
    for (path, template) in variants {
        assert_eq!(counts(&beside_public, path).as_deref(), Some(template), "{path}");
        assert_eq!(counts(&same, path).as_deref(), Some(template), "{path}");
        assert_eq!(counts(&distinct, path).as_deref(), Some("/{rest...}"), "{path}");
    }
    for routes in [&beside_public, &same, &distinct] {
        for (path, template) in plain {
            assert_eq!(counts(routes, path).as_deref(), Some(template), "{path}");
        }
    }
}

#[test]
fn between_two_that_need_tokens_nobody_decides_in_doubt() {
    let other = || Demand::Token {
        scopes: Box::default(),
        audiences: ["https://other.example".to_owned()].into(),
        scope_text: "".into(),
        further: None,
    };
    let mut all = Routes::default();
    add_with(&mut all, "/{any}", token()).expect("a route");
    add_with(&mut all, "GET /admin", other()).expect("a route");
    add_with(&mut all, "/plain", token()).expect("a route");
    for (path, template) in [
        ("/admin", Some("/admin")),
        ("/Admin", Some("?")),
        ("/admin/", None),
        ("/PLAIN", Some("/{any}")),
        ("/other", Some("/{any}")),
    ] {
        assert_eq!(counts(&all, path).as_deref(), template, "{path}");
    }
    // Who has no token for what is wider has none for what is public in it.
    add(&mut all, "/{x}/public").expect("a route");
    add_with(&mut all, "/{x}/{y}", token()).expect("a route");
    assert_eq!(counts(&all, "/a/Public").as_deref(), Some("/{x}/{y}"));
    // The same token for another method is not the same rule.
    add_with(&mut all, "GET /read", token()).expect("a route");
    assert_eq!(counts(&all, "/Read").as_deref(), Some("?"));
}

#[test]
fn routes_that_differ_by_a_variant_alone_are_told_apart() {
    let mut all = Routes::default();
    for line in ["/{any}", "/Me"] {
        add(&mut all, line).expect("a route");
    }
    add_with(&mut all, "/me", token()).expect("a route");
    for (path, template) in [("/me", "/me"), ("/Me", "/Me"), ("/ME", "?"), ("/you", "/{any}")] {
        assert_eq!(counts(&all, path).as_deref(), Some(template), "{path}");
    }
    let refused = add_varied(&mut all, "/mE", token(), PathVariants::Same);
    assert_eq!(refused, Err("variants".to_owned()));
    let refused = add_varied(&mut all, "GET /me", token(), PathVariants::Distinct);
    assert_eq!(refused, Err("variants".to_owned()), "another rule of the same path");
    let mut all = Routes::default();
    add_with(&mut all, "/{any}", token()).expect("a route");
    for line in ["/Me", "/me"] {
        add_varied(&mut all, line, Demand::Public, PathVariants::Distinct).expect("a route");
    }
    assert_eq!(counts(&all, "/ME").as_deref(), Some("/{any}"));
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
    let refused = ["CONNECT", "TRACE", "TRACK", "put", "get", "Get", "pUT"];
    for method in refused.map(|name| name.parse::<Method>().expect("method")) {
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
