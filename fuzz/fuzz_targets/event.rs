//! Event lines: whatever is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token::event::Event;

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = serde_json::from_slice::<Event>(data) {
        let text = serde_json::to_string(&event).expect("an event is JSON");
        let again: Event = serde_json::from_str(&text).expect("what was written is read");
        assert_eq!(event, again);
    }
});
