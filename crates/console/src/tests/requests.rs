//! Requests explained over HTTP.

use serde_json::json;

use super::support::Harness;

#[tokio::test]
async fn a_request_is_explained_as_long_as_it_is_remembered() {
    let harness = Harness::new().await;
    let told = harness.call("GET", "/requests/known", None).await.expect(200);
    assert_eq!(told["request"], "known");
    assert_eq!(told["summary"]["refused"], "no_token");
    assert_eq!(told["summary"].get("route"), None, "what is not known is not there");
    let steps = json!([
        { "step": "route", "outcome": "passed", "detail": null },
        { "step": "present", "outcome": "failed", "detail": null },
    ]);
    assert_eq!(told["steps"], steps);
    let words = harness.call("GET", "/requests/gone", None).await.problem(404);
    assert!(words.contains("gateway.explain_refused"), "{words}");
    assert!(harness.actions().await.is_empty(), "nothing was changed");
}
