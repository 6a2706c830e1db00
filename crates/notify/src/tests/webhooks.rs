//! Requests: signed so that their receivers can tell, and nowhere else than they may go.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use remote::Reach;
use serde_json::Value;
use token::secret::Secret;

use super::support::{NOW, Received, Receiver, SECRET, answer_with, notifier, store, webhook};
use crate::notifier::Tested;
use crate::webhook::{BadSecret, Secrets};

/// What a receiver does (Standard Webhooks, "Verifying webhook authenticity").
fn is_signed(request: &Received) -> bool {
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("key");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let (id, secs) = (request.field("webhook-id"), request.field("webhook-timestamp"));
    let signed = format!("{id}.{secs}.{}", request.body);
    request.field("webhook-signature").split(' ').any(|signature| {
        let tag = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        tag.is_some_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
    })
}

/// The vector of the reference implementations.
#[test]
fn the_signature_is_that_of_the_specification() {
    let secrets = Secrets::parse(&Secret::new(SECRET)).expect("secrets");
    let signature =
        secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn while_one_secret_replaces_another_both_sign() {
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    let text = Secret::new(format!("{other}\n\n  {SECRET}\n"));
    let both = Secrets::parse(&text).expect("secrets").sign("a", 1, "b");
    let one = Secrets::parse(&Secret::new(SECRET)).expect("secrets").sign("a", 1, "b");
    let signatures: Vec<&str> = both.split(' ').collect();
    assert_eq!((signatures.len(), signatures[1]), (2, one.as_str()));
}

#[test]
fn what_is_no_secret_is_refused() {
    let short = format!("whsec_{}", STANDARD.encode([7; 23]));
    let long = format!("whsec_{}", STANDARD.encode([7; 65]));
    for (text, wrong) in [
        ("", BadSecret::None),
        ("\n \n", BadSecret::None),
        ("hunter2", BadSecret::Text),
        ("whsec_!", BadSecret::Text),
        (&short, BadSecret::Length),
        (&long, BadSecret::Length),
    ] {
        assert_eq!(Secrets::parse(&Secret::new(text)).err(), Some(wrong), "{text}");
    }
}

#[tokio::test]
async fn a_test_is_a_signed_request_that_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let mut receiver = Receiver::answering(vec![answer_with(200, &[])]).await;
    let outlet = webhook("ops", &receiver.url, Reach::public().and_loopback());
    let notifier = notifier(vec![outlet], &store);
    assert_eq!(notifier.test("ops").await, Tested::Taken);
    let request = receiver.next().await;
    assert!(is_signed(&request));
    assert_eq!(request.field("content-type"), "application/json");
    let body: Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!((&body["type"], &body["data"]["detector"]), (&"test".into(), &"test".into()));
    assert!(body["timestamp"].as_str().is_some_and(|text| text >= NOW.to_string().as_str()));
    assert_eq!(notifier.test("other").await, Tested::Unknown);
}

#[tokio::test]
async fn a_test_says_why_it_is_not_taken() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let elsewhere = [("location", "http://127.0.0.1:1/")];
    let answers = vec![answer_with(503, &[]), answer_with(307, &elsewhere)];
    let receiver = Receiver::answering(answers).await;
    let inside = webhook("inside", &receiver.url, Reach::public());
    let ours = webhook("ours", &receiver.url, Reach::public().and_loopback());
    let plain = webhook("plain", "http://siem.example/", Reach::public());
    let notifier = notifier(vec![inside, ours, plain], &store);
    for (name, words) in [
        ("inside", "not to be reached"),
        ("ours", "status 503"),
        ("ours", "status 307"),
        ("plain", "is not an https URL"),
    ] {
        let tested = notifier.test(name).await;
        assert!(matches!(&tested, Tested::NotTaken(why) if why.contains(words)), "{tested:?}");
        // Chats have the secret in the path.
        assert!(matches!(&tested, Tested::NotTaken(why) if !why.contains("/hook")), "{tested:?}");
    }
}

#[tokio::test]
async fn every_request_of_a_delivery_is_signed_for_its_own_time() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let mut receiver = Receiver::answering(Vec::new()).await;
    let outlet = webhook("ops", &receiver.url, Reach::public().and_loopback());
    let id = "d1".into();
    for secs in [0, 600] {
        let now = NOW.plus(std::time::Duration::from_secs(secs));
        outlet.send(&id, "{}", now).await.expect("taken");
    }
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert!(is_signed(&first) && is_signed(&second));
    assert_eq!(first.field("webhook-id"), second.field("webhook-id"));
    assert_ne!(first.field("webhook-timestamp"), second.field("webhook-timestamp"));
    drop(store);
}
