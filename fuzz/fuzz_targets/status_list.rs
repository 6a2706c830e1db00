//! Status lists: whatever is unpacked is bounded, and packs to the same list again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token::base64url;
use token::status_list::{PackedList, StatusList};

fuzz_target!(|data: &[u8]| {
    let Some((bits, compressed)) = data.split_first() else { return };
    let packed = PackedList { bits: *bits, lst: base64url::encode(compressed) };
    let Ok(list) = StatusList::unpack(&packed) else { return };
    for idx in [0, 1, 7, 8, 1 << 20, u64::MAX] {
        let _ = list.status(idx);
    }
    assert_eq!(StatusList::unpack(&list.pack()).as_ref(), Ok(&list));
});
