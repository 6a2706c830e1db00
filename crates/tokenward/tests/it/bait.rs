//! Bait that is shown where it opens nothing: told with the place where it was put, and nobody is harmed who only asks.

use crate::support::Product;
use crate::support::http::Http;

/// Bait of this kind, put there.
fn made(product: &Product, kind: &str, label: &str) -> String {
    let made = product.command(&["honeytoken", "create", "--kind", kind, "--label", label]);
    assert!(made.status.success(), "{}", crate::support::text(&made.stderr));
    String::from_utf8(made.stdout).expect("text").trim().to_owned()
}

#[test]
fn a_client_that_asks_about_bait_goes_on_and_the_finding_says_where_it_was() {
    let product = Product::start();
    let (id, secret) = product.client();
    let client = Some((id.as_str(), secret.as_str()));
    for kind in ["access_token", "opaque_token", "personal_token", "refresh_token"] {
        for path in ["/introspect", "/revoke"] {
            let label = format!("wiki {kind} {path}");
            let bait = made(&product, kind, &label);
            for _ in 0..3 {
                let form = [("token", bait.as_str())];
                assert_eq!(
                    product.http.post_form(&product.issuer(path), client, &form).status,
                    200
                );
            }
            let of = |one: &serde_json::Value| one["evidence"]["label"] == *label;
            let found = product.finding_with("honeytoken", of)["finding"].clone();
            assert_eq!(found["response"], "tag", "{found}");
            assert!(found["ip"].is_null(), "{found}");
            assert_eq!(found["evidence"]["passed_on_by"], format!("client:{id}"));
        }
    }
    let all = product.admin_call("GET", "/findings?detector=honeytoken", None).expect(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(8), "each is told once");
    let token = product.access_token();
    product.api("/orders", &token).expect(200);
}

#[test]
fn whoever_shows_bait_in_a_query_or_form_is_blocked_and_no_one_else() {
    let product = Product::start();
    let good = product.access_token();
    let bait = made(&product, "personal_token", "backup");
    let [by_query, by_form, by_revoke, lured] =
        [81, 82, 83, 84].map(|last| Http::from([127, 0, 0, last].into()));
    let query = product.gateway(&format!("/orders?access_token={bait}"));
    assert_eq!(by_query.get(&query, None).status, 400);
    let form = [("access_token", bait.as_str())];
    assert_eq!(by_form.post_form(&product.gateway("/orders"), None, &form).status, 401);
    let form = [("token", bait.as_str())];
    assert_eq!(by_revoke.post_form(&product.issuer("/revoke"), None, &form).status, 401);
    for last in ["81", "82", "83"] {
        let ip = format!("127.0.0.{last}");
        let found = product.finding_with("honeytoken", |one| one["ip"] == *ip)["finding"].clone();
        let summary = found["evidence"]["summary"].as_str().expect("summary");
        assert!(summary.ends_with("; the bait: backup"), "lists show it alone: {summary}");
        assert_eq!(
            (&found["response"], &found["evidence"]["label"]),
            (&"block:ip".into(), &"backup".into())
        );
    }
    for thief in [&by_query, &by_form, &by_revoke] {
        assert_eq!(thief.get(&product.gateway("/orders"), Some(&good)).status, 403);
    }
    // A picture in a page has the browsers of its readers send this.
    let request = http::Request::get(&query).header("sec-fetch-site", "cross-site");
    lured.send(request.body(http_body_util::Full::default()).expect("request"));
    let passed_on = |one: &serde_json::Value| one["evidence"]["passed_on_by"] == "site";
    let found = product.finding_with("honeytoken", passed_on)["finding"].clone();
    assert_eq!(
        (&found["response"], &found["evidence"]["browser"]),
        (&"tag".into(), &"127.0.0.84".into())
    );
    lured.get(&product.gateway("/orders"), Some(&good)).expect(200);
    product.api("/orders", &good).expect(200);
}
