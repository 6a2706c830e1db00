//! `response_type` and `response_mode`: a code, however it travels (OAuth 2.1 §4.1.1).

/// What the answer to an authorization request can be.
pub const CODE: &str = "code";

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In the query of a redirect.
    Query,
    /// In the fragment of a redirect (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
    Fragment,
    /// As a form that the browser sends (OAuth 2.0 Form Post Response Mode 1.0).
    FormPost,
}

/// How an answer travels, and whether it is signed (JARM §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseMode {
    /// By what.
    pub carrier: Carrier,
    /// Whether it is one signed token instead of parameters.
    pub signed: bool,
}

/// Which of the two asks for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseTypeRefused {
    /// A mode that nobody knows.
    #[error("`response_mode` is not one of those in the metadata")]
    Mode,
    /// No type.
    #[error("the parameter `response_type` is missing; it must be `code`")]
    TypeMissing,
    /// The implicit and hybrid flows hand out tokens in URLs.
    #[error("`response_type` can only be `code`")]
    TypeUnsupported,
}

// === impl ResponseMode ===

impl ResponseMode {
    /// Every value of the parameter.
    pub const NAMES: [&'static str; 7] =
        ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"];
    /// What is meant where nothing is said.
    pub const USUAL: Self = Self { carrier: Carrier::Query, signed: false };

    /// Reads the parameter.
    ///
    /// # Errors
    /// [`ResponseTypeRefused::Mode`] for a mode that nobody knows.
    pub fn parse(text: Option<&str>) -> Result<Self, ResponseTypeRefused> {
        let text = text.unwrap_or("query");
        let (carrier, signed) = match text.strip_suffix(".jwt") {
            Some(carrier) => (carrier, true),
            None if text == "jwt" => ("query", true),
            None => (text, false),
        };
        let carrier = match carrier {
            "query" => Carrier::Query,
            "fragment" => Carrier::Fragment,
            "form_post" => Carrier::FormPost,
            _ => return Err(ResponseTypeRefused::Mode),
        };
        Ok(Self { carrier, signed })
    }
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
    ResponseMode::parse(response_mode).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{Carrier, ResponseMode, ResponseTypeRefused, check};

    #[test]
    fn only_a_code() {
        assert_eq!(check(Some("code"), None), Ok(()));
        assert_eq!(check(None, None), Err(ResponseTypeRefused::TypeMissing));
        for other in ["token", "id_token", "code id_token", "none", "Code", "code code"] {
            let refused = check(Some(other), None);
            assert_eq!(refused, Err(ResponseTypeRefused::TypeUnsupported), "{other}");
        }
    }

    #[test]
    fn by_every_mode_that_is_named() {
        for name in ResponseMode::NAMES {
            assert_eq!(check(Some("code"), Some(name)), Ok(()), "{name}");
        }
        assert_eq!(ResponseMode::parse(None), Ok(ResponseMode::USUAL));
        let signed = ResponseMode { carrier: Carrier::Query, signed: true };
        assert_eq!(ResponseMode::parse(Some("jwt")), Ok(signed));
        for other in ["web_message", "QUERY", "query.jwt.jwt", ".jwt", "form_post.", ""] {
            let refused = ResponseMode::parse(Some(other));
            assert_eq!(refused, Err(ResponseTypeRefused::Mode), "{other}");
        }
    }
}
