//! The Date field, made once a second (RFC 9110 §6.6.1).

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

thread_local! {
    /// The second, and its text.
    static NOW: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Adds the time as text.
#[expect(clippy::disallowed_methods, reason = "it is told and decides nothing")]
pub(crate) fn write(out: &mut Vec<u8>) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    NOW.with_borrow_mut(|(second, text)| {
        if *second != since || text.is_empty() {
            *second = since;
            *text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(since));
        }
        out.extend_from_slice(text.as_bytes());
    });
}
