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
use tokenward_verify::{Authenticated, Reach, Verifier};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(issuer), Some(resource)) = (arguments.next(), arguments.next()) else {
        return Err("usage: service ISSUER RESOURCE [CLIENT_ID CLIENT_SECRET]".into());
    };
    // A real service names its issuer by https and needs no loopback.
    let mut builder = Verifier::builder(issuer, resource).reach(Reach::public().and_loopback());
    if let (Some(id), Some(secret)) = (arguments.next(), arguments.next()) {
        builder = builder.subscribe(id, secret);
    }
    let verifier = builder.build()?;
    verifier.ready(Duration::from_secs(10)).await?;

    let metadata = verifier.metadata();
    let app = Router::new()
        .route("/orders", get(orders).post(order))
        .layer(verifier.require(["orders:read"])?)
        .route("/.well-known/oauth-protected-resource", get(|| async { metadata }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn orders(Extension(caller): Extension<Authenticated>) -> String {
    format!("orders of {}\n", caller.token().facts().subject)
}

async fn order(Extension(caller): Extension<Authenticated>) -> Result<String, http::StatusCode> {
    if caller.token().scopes().contains("orders:write") {
        Ok("ordered\n".to_owned())
    } else {
        Err(http::StatusCode::FORBIDDEN)
    }
}
