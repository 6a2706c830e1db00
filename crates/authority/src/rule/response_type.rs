//! `response_type` and `response_mode`: a code in the query, nothing else (OAuth 2.1 §4.1.1).

/// What the answer to an authorization request can be.
pub const CODE: &str = "code";
/// How it can travel.
pub const QUERY: &str = "query";

/// Which of the two asks for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseTypeRefused {
    /// A mode other than `query`.
    #[error("`response_mode` can only be `query`, which is also the default")]
    Mode,
    /// No type.
    #[error("the parameter `response_type` is missing; it must be `code`")]
    TypeMissing,
    /// The implicit and hybrid flows hand out tokens in URLs.
    #[error("`response_type` can only be `code`")]
    TypeUnsupported,
}

/// Checks both.
///
/// # Errors
/// [`ResponseTypeRefused`] names the parameter that asks for what is not given here.
pub fn check(
    response_type: Option<&str>,
    response_mode: Option<&str>,
) -> Result<(), ResponseTypeRefused> {
    match response_type {
        None => return Err(ResponseTypeRefused::TypeMissing),
        Some(CODE) => {}
        Some(_) => return Err(ResponseTypeRefused::TypeUnsupported),
    }
    match response_mode {
        None | Some(QUERY) => Ok(()),
        Some(_) => Err(ResponseTypeRefused::Mode),
    }
}

#[cfg(test)]
mod tests {
    use super::{ResponseTypeRefused, check};

    #[test]
    fn only_a_code_in_the_query() {
        assert_eq!(check(Some("code"), None), Ok(()));
        assert_eq!(check(Some("code"), Some("query")), Ok(()));
        assert_eq!(check(None, None), Err(ResponseTypeRefused::TypeMissing));
        for other in ["token", "id_token", "code id_token", "none", "Code", "code code"] {
            let refused = check(Some(other), None);
            assert_eq!(refused, Err(ResponseTypeRefused::TypeUnsupported), "{other}");
        }
        for other in ["fragment", "form_post", "web_message", "query.jwt", "QUERY"] {
            let refused = check(Some("code"), Some(other));
            assert_eq!(refused, Err(ResponseTypeRefused::Mode), "{other}");
        }
    }
}
