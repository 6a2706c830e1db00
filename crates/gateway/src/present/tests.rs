//! Names of parameters, however they are written.

use super::is_read_as;

#[test]
fn a_name_is_found_in_every_spelling() {
    let is = |text: &str| is_read_as(text.as_bytes(), b"access_token");
    for text in [
        "access_token",
        "ACCESS_token",
        "%61ccess_token",
        "access%5ftoke%6E",
        "access.token",
        "access+token",
        "access%20token",
        "access[token",
        "++access_token",
        "access_token[]",
        "access_token%5B0%5D",
        "access_token%00x",
    ] {
        assert!(is(text), "{text}");
    }
    for text in [
        "",
        "access_toke",
        "access_tokens",
        "xaccess_token",
        "access%5token",
        "%",
        "a%",
        "access-token",
        "access%255Ftoken",
        "access_token.",
        "access_token+",
    ] {
        assert!(!is(text), "{text}");
    }
}
