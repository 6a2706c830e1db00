//! What describes no request, or two, is refused, and seen.

use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse, HttpResponse};
use http::Request;

use crate::door::{Asked, call, check};
use crate::house::House;

fn good() -> Asked {
    Asked { method: "GET", target: "/open/a", fields: Vec::new() }
}

fn denied(answer: CheckResponse) -> (i32, String) {
    match answer.http_response {
        Some(HttpResponse::DeniedResponse(denied)) => {
            (denied.status.expect("status").code, denied.body)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_without_a_request_a_client_or_a_method_is_refused() {
    let house = House::start().await;
    assert!(matches!(
        check(&house, call(&good(), false)).await.http_response,
        Some(HttpResponse::OkResponse(_))
    ));
    house.event().await;
    let mut calls = vec![CheckRequest::default()];
    let spoil: [fn(&mut CheckRequest); 8] = [
        |call| call.attributes.as_mut().expect("attributes").source = None,
        |call| call.attributes.as_mut().expect("attributes").request = None,
        |call| http(call).method = String::new(),
        |call| http(call).path = String::new(),
        |call| http(call).path = "/open/a#b".to_owned(),
        |call| http(call).host = "a b".to_owned(),
        |call| drop(http(call).headers.insert("a b".to_owned(), String::new())),
        |call| drop(http(call).headers.insert("a".to_owned(), "b\r\nc: d".to_owned())),
    ];
    for spoil in spoil {
        let mut spoiled = call(&good(), false);
        spoil(&mut spoiled);
        calls.push(spoiled);
    }
    for call in calls {
        let at = format!("{call:?}");
        let (status, body) = denied(check(&house, call).await);
        assert_eq!(status, 400, "{at}");
        assert!(body.contains("\"invalid_request\""), "{body}");
        let (_, request) = house.event().await;
        assert_eq!(request.refused.expect("refused").to_string(), "malformed", "{at}");
    }
}

fn http(
    call: &mut CheckRequest,
) -> &mut envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest {
    let request = call.attributes.as_mut().and_then(|attributes| attributes.request.as_mut());
    request.and_then(|request| request.http.as_mut()).expect("request")
}

#[tokio::test]
async fn a_host_field_does_not_count_beside_the_attribute() {
    let house = House::start().await;
    let mut asked = good();
    asked.fields.push(("host", "evil.example".to_owned()));
    check(&house, call(&asked, true)).await;
    let (_, request) = house.event().await;
    assert_eq!(request.host.as_deref(), Some("api.example"));
}

#[tokio::test]
async fn a_request_that_is_described_twice_is_refused_and_seen() {
    let house = House::start().await;
    let forwarded: [(&str, &str); 4] = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/open/a"),
        ("x-forwarded-host", "api.example"),
        ("x-forwarded-for", "127.0.0.1"),
    ];
    let original: [(&str, &str); 4] = [
        ("x-original-method", "GET"),
        ("x-original-uri", "/open/a"),
        ("host", "api.example"),
        ("x-forwarded-for", "127.0.0.1"),
    ];
    let again = [
        ("/forward-auth", forwarded, ("x-forwarded-uri", "/open/b"), 400),
        ("/forward-auth", forwarded, ("x-forwarded-uri", "/open/a"), 400),
        ("/forward-auth", forwarded, ("x-forwarded-method", "GET"), 400),
        ("/forward-auth", forwarded, ("x-original-uri", "/open/a"), 400),
        ("/auth-request", original, ("x-original-uri", "/open/b"), 403),
        ("/auth-request", original, ("x-original-method", "GET"), 403),
        ("/auth-request", original, ("x-forwarded-uri", "/open/a"), 403),
    ];
    for (path, fields, more, status) in again {
        let ask = |fields: &[(&str, &str)]| {
            let start = Request::get(path);
            let request =
                fields.iter().fold(start, |request, (name, value)| request.header(*name, *value));
            house.http.answer(request.body(()).expect("request").into_parts().0)
        };
        assert_eq!(ask(&fields).status(), 200, "{path}");
        house.event().await;
        let answer = ask(&[&fields[..], &[more]].concat());
        assert_eq!(answer.status(), status, "{path} {more:?}");
        let (event, request) = house.event().await;
        assert_eq!(request.status, 400, "{path} {more:?}");
        assert_eq!(event.ip, "127.0.0.1".parse().ok(), "the client's address is seen");
        assert_eq!(request.refused.expect("refused").to_string(), "malformed");
    }
}

#[tokio::test]
async fn other_paths_are_nobodys() {
    let house = House::start().await;
    for path in ["/", "/ext_authz", "/ext_authzx/open/a", "/forward-auth/", "/auth-request/x"] {
        let request = Request::get(path).header("x-forwarded-for", "127.0.0.1").body(());
        let answer = house.http.answer(request.expect("request").into_parts().0);
        assert_eq!(answer.status(), 404, "{path}");
    }
    let request = Request::get("/.well-known/oauth-protected-resource").body(());
    let answer = house.http.answer(request.expect("request").into_parts().0);
    assert!(answer.status() == 200 && answer.body().starts_with(b"{"));
}
