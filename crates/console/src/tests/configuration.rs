//! The configuration over HTTP: what is in force, and having it read again.

use serde_json::{Value, json};

use super::support::Harness;

#[tokio::test]
async fn a_reload_says_what_has_changed_or_what_is_wrong_and_is_recorded() {
    let harness = Harness::new().await;
    let shown = harness.call("GET", "/config", None).await.expect(200);
    assert_eq!((&shown["file"], &shown["version"]), (&json!("t.toml"), &json!(1)));
    assert_eq!(shown["refused"], Value::Null);

    let applied = harness.call("POST", "/config/reload", None).await.expect(200);
    assert_eq!(applied, json!({ "version": 2, "changed": ["gateway.route"] }));

    let refused = harness.call("POST", "/config/reload", None).await;
    let refused: Value = serde_json::from_str(&refused.text).expect("JSON");
    assert_eq!((&refused["status"], &refused["type"]), (&json!(422), &json!("about:blank")));
    assert_eq!(refused["detail"], "t.toml:3: gateway.route[0].path: wrong");
    let mistake = json!({
        "file": "t.toml", "line": 3, "column": 1, "key": "gateway.route[0].path", "reason": "wrong",
    });
    assert_eq!(refused["mistakes"], json!([mistake]));
    let shown = harness.call("GET", "/config", None).await.expect(200);
    assert_eq!(shown["refused"]["mistakes"], json!([mistake]));
    assert_eq!(harness.actions().await, ["config.reload", "config.refuse"]);

    let words = harness.call("POST", "/config/reload", None).await.problem(409);
    assert!(words.contains("without a configuration file"), "{words}");
}
