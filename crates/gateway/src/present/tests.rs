//! Names of parameters, however they are written.

use super::is_percent_encoding_of;

#[test]
fn a_name_is_found_in_every_spelling() {
    let is = |text: &str| is_percent_encoding_of(text.as_bytes(), b"access_token");
    for text in ["access_token", "ACCESS_token", "%61ccess_token", "access%5ftoke%6E"] {
        assert!(is(text), "{text}");
    }
    for text in ["", "access_toke", "access_tokens", "xaccess_token", "access%5token", "%", "a%"] {
        assert!(!is(text), "{text}");
    }
}
