//! A form with a token of its own, beside the one that was checked (RFC 6750 §2.2): to an API that looks there, the
//! other would be the one that counts.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::headers::is_encoded;

const FORM: &str = "application/x-www-form-urlencoded";

/// Whether the body is a form that can be read here.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(FORM) && !is_encoded(headers)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};

    use super::is_form;

    #[test]
    fn a_form_is_known_by_its_type() {
        let typed = |kind| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        assert!(is_form(&typed("application/x-www-form-urlencoded")));
        assert!(is_form(&typed("Application/X-WWW-Form-URLEncoded ; charset=utf-8")));
        assert!(!is_form(&typed("application/json")));
        assert!(!is_form(&HeaderMap::new()));
        let mut packed = typed("application/x-www-form-urlencoded");
        packed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!is_form(&packed));
        for nothing in ["identity", ""] {
            packed.insert(CONTENT_ENCODING, HeaderValue::from_static(nothing));
            assert!(is_form(&packed), "`{nothing}` leaves it as it is");
        }
    }
}
