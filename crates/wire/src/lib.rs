//! HTTP/1.1 on a connection, as a server and as a client (RFC 9112): heads, framing, bodies.
//!
//! A message is read in one way or not at all: whatever two readers could take for different messages is refused
//! here, before anything is decided about it. Lines and fields are told apart by `httparse`. A connection that has
//! nothing to do has no buffer, and no task or channel stands between it and who uses it.

mod aside;
mod chunked;
pub mod client;
mod date;
mod encode;
mod error;
mod framing;
mod head;
mod incoming;
mod interim;
mod io;
mod sending;
pub mod server;
mod upgraded;

pub use error::{BadBody, BadHead, Error};
pub use head::HEAD_BYTES;
pub use incoming::Incoming;
pub use interim::{Interim, OnInterim};
pub use upgraded::{OnUpgrade, Upgraded};

/// An error of any kind.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
