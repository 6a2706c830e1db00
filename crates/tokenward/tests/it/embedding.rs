//! A service that checks tokens itself (`tokenward-verify`) before a real authority.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::get;
use axum::{Extension, Router};
use serde_json::{Value, json};
use tokenward_verify::{Authenticated, Reach, Verifier};

use crate::support::Product;
use crate::support::http::Http;

/// A service in this process; ended when dropped.
struct Service {
    url: String,
    http: Http,
    verifier: Verifier,
    runtime: Arc<tokio::runtime::Runtime>,
}

// === impl Service ===

impl Service {
    fn start(product: &Product, subscriber: Option<(&str, &str)>) -> Self {
        let runtime = Arc::new(tokio::runtime::Runtime::new().expect("runtime"));
        let inside = Arc::clone(&runtime);
        let _entered = inside.enter();
        let mut builder = Verifier::builder(product.said("issuer"), product.said("gateway"))
            .reach(Reach::public().and_loopback());
        if let Some((id, secret)) = subscriber {
            builder = builder.subscribe(id, secret);
        }
        let verifier = builder.build().expect("verifier");
        runtime.block_on(verifier.ready(Duration::from_secs(20))).expect("ready");
        let whose = |Extension(caller): Extension<Authenticated>| async move {
            caller.token().facts().client.to_string()
        };
        let layer = verifier.require(["orders:read"]).expect("scopes");
        let app = Router::new().route("/orders", get(whose)).layer(layer);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("bind");
        let url = format!("http://{}/orders", listener.local_addr().expect("address"));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url, http: Http::new(), verifier, runtime }
    }

    fn status(&self, token: &str) -> u16 {
        self.http.get(&self.url, Some(token)).status
    }

    /// How long it takes until the status is this one.
    fn time_to(&self, token: &str, status: u16) -> Duration {
        let began = Instant::now();
        while self.status(token) != status {
            assert!(began.elapsed() < Duration::from_secs(10), "it never came to {status}");
        }
        began.elapsed()
    }
}

/// A client that may read the restriction log.
fn checker(product: &Product) -> (String, String) {
    let body = json!({
        "client_name": "orders service", "scope": "tokenward:restrictions",
    });
    let made = product.admin_call("POST", "/clients", Some(body)).expect(201);
    let text = |name: &str| made[name].as_str().expect("text").to_owned();
    (text("client_id"), text("client_secret"))
}

fn jti(token: &str) -> String {
    let payload = token.split('.').nth(1).expect("payload");
    let claims: Value =
        serde_json::from_slice(&token::base64url::decode(payload).expect("base64url"))
            .expect("claims");
    claims["jti"].as_str().expect("jti").to_owned()
}

#[test]
fn what_the_authority_takes_back_a_subscriber_refuses() {
    let product = Product::start();
    let (id, secret) = checker(&product);
    let service = Service::start(&product, Some((&id, &secret)));
    let token = product.access_token();
    assert_eq!(service.http.get(&service.url, Some(&token)).body, product.said("client_id"));
    // One token.
    let revoked = product.command(&["token", "revoke", &jti(&token)]);
    assert!(revoked.status.success(), "{revoked:?}");
    let took = service.time_to(&token, 401);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let other = product.access_token();
    assert_eq!(service.status(&other), 200);
    // A whole client, and back again.
    let restrict = json!({
        "selector": { "kind": "client", "value": product.said("client_id") },
        "effect": "suspend", "reason": "a doubt",
    });
    let row = product.admin_call("POST", "/restrictions", Some(restrict)).expect(201);
    service.time_to(&other, 401);
    let lift = format!("/restrictions/{}", row["seq"]);
    assert!(product.admin_call("DELETE", &lift, None).status < 300);
    service.time_to(&other, 200);
}

#[test]
fn a_new_key_is_known_and_an_authority_that_is_away_is_missed_by_nobody() {
    let mut product = Product::start();
    let service = Service::start(&product, None);
    let before = product.access_token();
    assert_eq!(service.status(&before), 200);
    let rotated = product.command(&["key", "rotate", "--at-once"]);
    assert!(rotated.status.success(), "{rotated:?}");
    let after = product.access_token();
    assert_eq!((service.status(&after), service.status(&before)), (200, 200));
    product.kill();
    assert_eq!((service.status(&after), service.status(&before)), (200, 200));
    let patience = Duration::from_secs(1);
    service.runtime.block_on(service.verifier.ready(patience)).expect("still ready");
}
