//! Whom findings are told, and what was not taken.

use store::NewDelivery;

use super::support::Harness;

async fn kept(harness: &Harness, id: &str) {
    let new = NewDelivery {
        id: id.into(),
        outlet: "closed".to_owned(),
        about: "f1".to_owned(),
        body: "{}".to_owned(),
        until: None,
    };
    let now = harness.authority.now();
    harness.store().add_deliveries(vec![new], now).await.expect("added");
}

#[tokio::test]
async fn outlets_are_listed_and_tried() {
    let harness = Harness::new().await;
    kept(&harness, "d1").await;
    let list = harness.call("GET", "/outlets", None).await.expect(200);
    let outlet = &list["items"][0];
    assert_eq!((&outlet["name"], &outlet["kind"]), (&"closed".into(), &"syslog".into()));
    assert_eq!(outlet["place"], "tcp://127.0.0.1:1");
    assert_eq!((&outlet["waiting"], &outlet["dead"]), (&1.into(), &0.into()));
    let tested = harness.call("POST", "/outlets/closed/test", None).await.expect(200);
    assert_eq!(tested["taken"], false);
    assert!(tested["cause"].as_str().is_some_and(|cause| cause.contains("cannot be reached")));
    assert!(
        harness.call("POST", "/outlets/other/test", None).await.problem(404).contains("outlet")
    );
    assert_eq!(harness.actions().await, ["outlet.test"]);
}

#[tokio::test]
async fn what_was_given_up_is_seen_tried_again_and_forgotten() {
    let harness = Harness::new().await;
    kept(&harness, "d1").await;
    kept(&harness, "d2").await;
    let now = harness.authority.now();
    let id = "d1".into();
    harness.store().delivery_failed(&id, None, "it is gone", now).await.expect("failed");
    let waiting = harness.call("GET", "/deliveries", None).await.expect(200);
    assert_eq!((&waiting["items"][0]["id"], &waiting["next"]), (&"d2".into(), &().into()));
    let dead = harness.call("GET", "/deliveries?dead=true&limit=1", None).await.expect(200);
    let one = &dead["items"][0];
    assert_eq!(
        (&one["id"], &one["state"], &one["tries"]),
        (&"d1".into(), &"dead".into(), &1.into())
    );
    assert_eq!((&one["about"], &one["cause"]), (&"f1".into(), &"it is gone".into()));
    let next = dead["next"].as_str().expect("next");
    let path = format!("/deliveries?dead=true&before={next}");
    let rest = harness.call("GET", &path, None).await.expect(200);
    assert_eq!(rest["items"], serde_json::json!([]));
    harness.call("POST", "/deliveries/d1/retry", None).await.expect(204);
    harness.call("DELETE", "/deliveries/d1", None).await.expect(204);
    harness.call("DELETE", "/deliveries/d1", None).await.problem(404);
    harness.call("POST", "/deliveries/d1/retry", None).await.problem(404);
    assert_eq!(harness.actions().await, ["delivery.retry", "delivery.remove"]);
}
