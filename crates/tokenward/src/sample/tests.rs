//! The sample API behaves like a small real one.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::router;

async fn call(
    app: &axum::Router,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request =
        Request::builder().method(method).uri(path).header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = app.clone().oneshot(request.body(body).expect("request")).await.expect("answer");
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("body").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn objects_are_listed_made_changed_and_removed() {
    let app = router();
    for (path, count) in [("/orders", 24), ("/invoices", 18), ("/users", 8)] {
        let (status, list) = call(&app, "GET", path, None).await;
        assert_eq!(
            (status, list.as_array().map(Vec::len)),
            (StatusCode::OK, Some(count)),
            "{path}"
        );
    }
    let new = json!({ "customer": "Ida", "total": 12.5 });
    let (status, made) = call(&app, "POST", "/orders", Some(new)).await;
    assert_eq!((status, &made["id"]), (StatusCode::CREATED, &json!(1025)));
    let (_, changed) =
        call(&app, "PATCH", "/orders/1025", Some(json!({ "total": 1, "id": 9 }))).await;
    assert_eq!((&changed["total"], &changed["id"]), (&json!(1), &json!(1025)));
    assert_eq!(call(&app, "DELETE", "/orders/1025", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(call(&app, "GET", "/orders/1025", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn mistakes_are_named() {
    let app = router();
    let (status, said) = call(&app, "POST", "/orders", Some(json!({ "customer": "Ida" }))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(said["detail"], "the member `total` is missing or has the wrong type");
    assert_eq!(call(&app, "POST", "/users", None).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(call(&app, "GET", "/orders/../users", None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(call(&app, "GET", "/orders/abc", None).await.0, StatusCode::NOT_FOUND);
}
