//! Credentials are found in one place or refused.

use http::{HeaderMap, HeaderValue};
use token::term::ClientAuthMethod;

use super::{ClientAuthRefused, PresentedClient, hashes_agree, present};
use crate::parameters::Parameters;
use crate::tests::support::basic;

fn find(field: Option<&str>, form: &str) -> Result<PresentedClient, ClientAuthRefused> {
    let mut headers = HeaderMap::new();
    if let Some(field) = field {
        headers.insert("authorization", HeaderValue::from_str(field).expect("field"));
    }
    present(&headers, &Parameters::parse(form).expect("form"))
}

#[test]
fn the_three_methods_are_told_apart() {
    let cases = [
        (Some(basic("a", "s")), "", ClientAuthMethod::ClientSecretBasic),
        (None, "client_id=a&client_secret=s", ClientAuthMethod::ClientSecretPost),
        (None, "client_id=a", ClientAuthMethod::None),
    ];
    for (field, form, method) in cases {
        let presented = find(field.as_deref(), form).expect("presented");
        assert_eq!((presented.claimed.as_str(), presented.method), ("a", method));
        assert!(!format!("{presented:?}").contains("Secret(\"s\")"));
    }
}

#[test]
fn the_scheme_is_compared_without_case_and_an_empty_secret_is_still_one() {
    let field = basic("a", "").replace("Basic", "bAsIc");
    let presented = find(Some(&field), "").expect("presented");
    assert!(presented.secret.is_some());
}

#[test]
fn nothing_and_too_much_are_refused() {
    assert!(matches!(find(None, ""), Err(ClientAuthRefused::NoCredentials)));
    assert!(matches!(find(None, "client_secret=s"), Err(ClientAuthRefused::NoCredentials)));
    let field = basic("a", "s");
    for form in ["client_secret=s", "client_id=b"] {
        assert!(matches!(find(Some(&field), form), Err(ClientAuthRefused::TwoMethods)), "{form}");
    }
    let assertion = find(None, "client_id=a&client_assertion=x");
    assert!(matches!(assertion, Err(ClientAuthRefused::AssertionType)));
}

#[test]
fn absent_hashes_never_agree() {
    let hash = token::opaque::OpaqueHash::of("s");
    let other = token::opaque::OpaqueHash::of("t");
    assert!(hashes_agree(Some(&hash), Some(&hash)));
    assert!(!hashes_agree(Some(&hash), Some(&other)));
    assert!(!hashes_agree(None, None));
    assert!(!hashes_agree(Some(&hash), None));
    assert!(!hashes_agree(None, Some(&hash)));
    let zero = token::opaque::OpaqueHash::from_slice(&[0; 32]).expect("hash");
    assert!(!hashes_agree(Some(&zero), None));
}
