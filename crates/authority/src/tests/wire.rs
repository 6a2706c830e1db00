//! HTTP at its edges: methods, paths, bodies, other origins.

use axum::body::Body;
use axum::http::Request;

use super::support::Harness;

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn an_unknown_path_is_a_json_404() {
    let harness = Harness::new().await;
    for path in ["/", "/nowhere", "/token/", "//token", "/Token", "/.well-known/"] {
        harness.get(path).await.assert_refused(404, "invalid_request");
    }
}

#[tokio::test]
async fn a_wrong_method_is_a_json_405_that_names_the_right_ones() {
    let harness = Harness::new().await;
    for (method, path, allowed) in [
        ("GET", "/token", "POST"),
        ("GET", "/revoke", "POST"),
        ("GET", "/introspect", "POST"),
        ("GET", "/par", "POST"),
        ("GET", "/restrictions", "POST"),
        ("GET", "/register", "POST"),
        ("DELETE", "/userinfo", "GET"),
        ("POST", "/.well-known/jwks.json", "GET"),
        ("PATCH", "/.well-known/openid-configuration", "GET"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        let answer = harness.send(request.expect("request")).await;
        answer.assert_refused(405, "invalid_request");
        assert!(answer.header("allow").contains(allowed), "{path}: {}", answer.header("allow"));
    }
}

#[tokio::test]
async fn a_body_has_the_right_type_and_size() {
    let harness = Harness::new().await;
    for content_type in ["", "application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = Request::post("/token")
            .header("content-type", content_type)
            .body(Body::from("grant_type=client_credentials"));
        harness.send(request.expect("request")).await.assert_refused(400, "invalid_request");
    }
    let request = Request::post("/token").body(Body::from("grant_type=x")).expect("request");
    harness.send(request).await.assert_refused(400, "invalid_request");
    let with_charset = Request::post("/token")
        .header("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")
        .body(Body::from("grant_type=x"));
    harness.send(with_charset.expect("request")).await.assert_refused(401, "invalid_client");
    harness.post_bare("/token", &"a".repeat(65_537)).await.assert_refused(413, "invalid_request");
}

#[tokio::test]
async fn parameters_come_once_and_in_the_body() {
    let harness = Harness::new().await;
    let client = &harness.confidential;
    for path in ["/token", "/revoke", "/introspect"] {
        harness
            .post(path, client, &[("token", "x"), ("token", "y")])
            .await
            .assert_refused(400, "invalid_request");
        harness
            .post(&format!("{path}?token=x"), client, &[("token", "x")])
            .await
            .assert_refused(400, "invalid_request");
    }
    for body in ["a=%", "a=%ff", "a=1&a=1"] {
        harness.post_bare("/token", body).await.assert_refused(400, "invalid_request");
    }
    let request = Request::post("/token").header("content-type", FORM);
    let request = request.body(Body::from(&b"a=\xff"[..])).expect("request");
    harness.send(request).await.assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn scripts_of_other_origins_may_call_what_needs_no_cookie() {
    let harness = Harness::new().await;
    for path in ["/token", "/revoke", "/userinfo", "/.well-known/jwks.json"] {
        let request = Request::options(path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .body(Body::empty());
        let answer = harness.send(request.expect("request")).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, "*"));
        assert!(answer.header("access-control-allow-headers").contains("Authorization"));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    // Refusals can be read as well.
    let refused = harness.post_bare("/token", "grant_type=x").await;
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    for path in ["/introspect", "/register", "/authorize", "/login", "/consent"] {
        let answer = harness.post_bare(path, "a=1").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}
