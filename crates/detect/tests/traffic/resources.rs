//! Resources with several routes, however a framework writes them, and what a page does to many things at once.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

/// People of an app, auditors of another who use these routes, and one of the people who asks for them as well.
fn asked(routes: &[(&str, bool)]) -> usize {
    let mut stream = Stream::default();
    for person in 0..60u32 {
        for n in 0..20u32 {
            let at = f64::from(n) * 1500.0 + f64::from(person) * 13.0;
            let route = ["GET /orders", "GET /me"][n as usize % 2];
            stream.add(at, &format!("p{person}"), route, json!({ "scopes": ["orders:read"] }));
        }
    }
    let ask = |stream: &mut Stream, at: f64, who: &str, n: usize, more: &Value| {
        let (route, has_object) = routes[n];
        let mut members = more.clone();
        if has_object {
            members["object"] = json!("77");
        }
        stream.add(at, who, route, members);
    };
    for n in 0..40 {
        let more = json!({ "client": "console", "scopes": ["audit", "orders:read"] });
        let at = 8.0 * HOUR + n as f64 * 60.0;
        ask(&mut stream, at, &format!("auditor{}", n % 2), n / 2 % routes.len(), &more);
    }
    for n in 0..routes.len() {
        let at = 10.0 * HOUR + n as f64 * 9.0;
        ask(&mut stream, at, "p3", n, &json!({ "scopes": ["orders:read"] }));
    }
    stream.by("function_probing").len()
}

#[test]
fn an_export_is_one_function_with_several_routes() {
    let export = [
        ("POST /exports", false),
        ("GET /exports/{id}", true),
        ("GET /exports/{id}/download", true),
    ];
    assert_eq!(asked(&export), 0);
    let three = [("GET /ledgers", false), ("GET /journals/{id}", true), ("POST /audits", false)];
    assert_eq!(asked(&three), 1);
}

/// How often it is told of a person who changes eight things by this route, after a list of so many.
fn changes(route: &str, listed: Option<u32>, pause: f64, ua: &str) -> usize {
    let mut stream = Stream::people();
    if let Some(records) = listed {
        stream.add(2.2 * DAY - 60.0, "p3", "GET /orders", json!({ "records_out": records }));
    }
    for n in 0..8 {
        let more = json!({ "object": format!("{}", 90_000 + n * 13), "ua": ua });
        stream.add(2.2 * DAY + f64::from(n) * pause, "p3", route, more);
    }
    stream.by("bola_ownership").len()
}

#[test]
fn a_list_gives_the_objects_of_its_resource_however_parameters_are_written() {
    for route in ["PUT /orders/{id}", "PUT /orders/:id", "PUT /orders/<int:id>"] {
        let told = [None, Some(8)].map(|listed| changes(route, listed, 40.0, BROWSER));
        assert_eq!(told, [1, 0], "{route}");
    }
}

#[test]
fn what_a_page_changes_at_once_is_one_change() {
    let by = |pause, ua| changes("PUT /orders/{id}", None, pause, ua);
    assert_eq!([2.0, 1.0].map(|pause| by(pause, BROWSER)), [1, 0]);
    assert_eq!(by(0.3, BROWSER), 0);
    assert_eq!(by(0.3, "python-requests/2.32"), 1, "a script");
}
