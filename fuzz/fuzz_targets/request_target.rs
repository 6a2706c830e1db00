//! Request targets: what is authorised is what is forwarded, and read again it is the same.
#![no_main]

use gateway::target::{Target, normal_path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(path) = normal_path(text) {
        assert_eq!(normal_path(&path).expect("normal twice"), path);
    }
    let Ok(target) = Target::from_text("GET", text, "api.example") else { return };
    let forwarded = target.path_and_query().as_str().to_owned();
    let again = Target::from_text("GET", &forwarded, "api.example").expect("forwarded is good");
    assert_eq!(again.path(), target.path());
    assert_eq!(again.path_and_query(), target.path_and_query());
    let path = target.path();
    assert!(path.starts_with('/'));
    assert!(!path.split('/').any(|part| matches!(part, "." | "..")));
    assert!(!path.contains("//") && !path.contains(['\\', ';', '\0']));
});
