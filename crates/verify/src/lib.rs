//! Tokenward's check inside your own service, for axum, tonic and everything else that takes a
//! [tower](https://docs.rs/tower) layer.
//!
//! A request is let through when its access token (RFC 9068) is good: signature, issuer, audience,
//! times, scopes, proof of possession (DPoP, RFC 9449), and nobody has taken it back. Keys come from
//! the issuer and are kept while it is down. The check is in memory: a request waits for the network
//! only when it is the first to name a key, or a status list, that is not held yet.
//!
//! ```no_run
//! use axum::{Extension, Router, routing::get};
//! use tokenward_verify::{Authenticated, Verifier};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::builder("https://login.example.com", "https://api.example.com").build()?;
//! let app = Router::new()
//!     .route("/orders", get(orders))
//!     .layer(verifier.require(["orders:read"])?);
//!
//! async fn orders(Extension(caller): Extension<Authenticated>) -> String {
//!     format!("orders of {}", caller.token().facts().subject)
//! }
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! # axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Taking back
//!
//! Without more, a token is good until it expires. Two ways make a revocation hold at once:
//!
//! - [`Builder::subscribe`] follows Tokenward's restriction log, with the credentials of a client that
//!   has the scope `tokenward:restrictions`. It knows every restriction, also of a whole person, client
//!   or network, within milliseconds.
//! - A token with a `status` claim is looked up in its Token Status List, whoever issued it.
//!
//! # Requests that are refused
//!
//! They get the answer that Tokenward's gateway gives: `401` or `403` with a challenge (RFC 6750 §3,
//! RFC 9449 §7.1) and a JSON body; over gRPC `UNAUTHENTICATED` or `PERMISSION_DENIED`. While there are
//! no keys at all, or the log was silent for too long, the answer is `503`.
//!
//! `examples/service.rs` is a whole service.

mod answer;
mod clock;
mod feed;
mod layer;
mod status;
mod verifier;

pub use crate::layer::{RequireToken, TokenRequired};
pub use crate::verifier::{BuildError, Builder, ClientAddress, NotReady, Verifier};
pub use gateway::guard::{Authenticated, GuardRule, Passed};
pub use remote::Reach;
pub use token::ladder::{BadLadder, Ladder};
pub use token::place::{Country, Place, Places};
