//! A service that checks its tokens itself. With `tokenward dev` running:
//!
//! ```sh
//! cargo run -p tokenward-verify --example service -- http://127.0.0.1:8080 http://127.0.0.1:8081
//! curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8090/orders
//! ```
//!
//! A third and a fourth argument are the id and the secret of a client with the scope
//! `tokenward:restrictions`: with them, a token that is revoked is refused at once.

use std::error::Error;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router};
use http::Method;
use tokenward_verify::{
    Access, Amount, Authenticated, Dimension, Inspect, LimitRule, Reach, RouteRule, Verifier,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(issuer), Some(resource)) = (arguments.next(), arguments.next()) else {
        return Err("usage: service ISSUER RESOURCE [CLIENT_ID CLIENT_SECRET]".into());
    };
    // A real service names its issuer by https and needs no loopback.
    let mut builder = Verifier::builder(issuer, resource)
        .reach(Reach::public().and_loopback())
        .route(RouteRule {
            methods: vec![Method::GET],
            ..RouteRule::new("/orders", Access::scopes(["orders:read"]))
        })
        .route(RouteRule {
            methods: vec![Method::POST],
            inspect: Inspect::Enforce,
            ..RouteRule::new("/orders", Access::scopes(["orders:write"]))
        })
        .limit(LimitRule {
            name: "orders".to_owned(),
            by: vec![Dimension::Client],
            amount: Amount::Rate { pace: "10/s".parse()?, burst: Some(20) },
            classes: Vec::new(),
            routes: Vec::new(),
        });
    if let (Some(id), Some(secret)) = (arguments.next(), arguments.next()) {
        builder = builder.subscribe(id, secret);
    }
    let verifier = builder.build()?;
    verifier.ready(Duration::from_secs(10)).await?;

    // The layer answers for the metadata too.
    let app = Router::new().route("/orders", get(orders).post(order)).layer(verifier.by_routes());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn orders(Extension(caller): Extension<Authenticated>) -> String {
    format!("orders of {}\n", caller.token().facts().subject)
}

async fn order(Extension(caller): Extension<Authenticated>, order: String) -> String {
    format!("{} ordered {order}\n", caller.token().facts().subject)
}
