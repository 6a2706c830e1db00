//! Who is at the other end of the connection, as the listener saw it.

use std::net::SocketAddr;

/// The address at the other end of the connection: the listener puts it into every request's
/// extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);
