//! Ports for servers that are told theirs before they start.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

/// Linux gives those from 32768 to connections.
const PORTS: Range<u16> = 20_000..32_000;

/// A port that nobody listens on, below those that the system gives to connections by itself: one of them could
/// take it before it is listened on. No two calls in a process get the same.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..PORTS.len() {
        let at = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id() as u16);
        let port = PORTS.start + at % (PORTS.end - PORTS.start);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port in {PORTS:?} is free")
}
