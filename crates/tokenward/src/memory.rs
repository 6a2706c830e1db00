//! Memory that is no longer needed goes back to the system.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The allocator keeps freed memory for a second before it gives any back.
const KEPT: Duration = Duration::from_millis(1100);

/// The allocator gives freed memory back to the system when something large is freed some time later: on an idle
/// server nothing is, and the 19 MiB of a password hash would stay.
pub(crate) fn give_back() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
}

/// Does the same as soon as what is free now can go, once for all who ask meanwhile. To be called on a runtime.
pub(crate) fn give_back_soon() {
    if ASKED.swap(true, Ordering::Relaxed) {
        return;
    }
    let asked = Asked;
    tokio::spawn(async move {
        tokio::time::sleep(KEPT).await;
        drop(asked);
        // For what those have freed who asked last.
        tokio::time::sleep(KEPT).await;
        give_back();
    });
}

static ASKED: AtomicBool = AtomicBool::new(false);

/// Somebody asked; until this is dropped, also with a runtime that ends.
struct Asked;

impl Drop for Asked {
    fn drop(&mut self) {
        ASKED.store(false, Ordering::Relaxed);
    }
}
