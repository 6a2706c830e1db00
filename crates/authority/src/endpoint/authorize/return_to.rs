//! Where the answer goes: a redirect URI that the client registered (RFC 6749 §3.1.2.3).

use store::Client;
use token::scope::ScopeSet;
use token::term::{parameter, scope};

use super::refusal::{PageRefused, shown};
use crate::parameters::Parameters;
use crate::rule::redirect_uri;
use crate::rule::response_type::ResponseMode;

/// A redirect URI that the client registered, with what every answer carries. Only [`check`]
/// makes one, and nothing else tells a browser to leave.
#[derive(Clone, Debug)]
pub(crate) struct ReturnTo {
    uri: String,
    sent: bool,
    state: Option<String>,
    mode: ResponseMode,
}

/// Checks the redirect URI of a request.
pub(super) fn check(client: &Client, parameters: &Parameters) -> Result<ReturnTo, PageRefused> {
    let sent = parameters.value(parameter::REDIRECT_URI);
    let uri = match (sent, client.redirect_uris.as_slice()) {
        (Some(uri), registered) if redirect_uri::matches(registered, uri) => uri,
        (Some(uri), _) => {
            let (client, uri) = (client.id.clone(), shown(uri));
            return Err(PageRefused::RedirectUriUnknown { client, uri });
        }
        // OpenID Connect Core 1.0 §3.1.2.1 always wants it, OAuth only where there is a choice.
        (None, [only]) if !is_openid(parameters) => only,
        (None, _) => return Err(PageRefused::RedirectUriMissing(client.id.clone())),
    };
    Ok(ReturnTo {
        uri: uri.to_owned(),
        sent: sent.is_some(),
        state: parameters.value(parameter::STATE).map(str::to_owned),
        // One that nobody knows is refused later, by a redirect.
        mode: ResponseMode::parse(parameters.value(parameter::RESPONSE_MODE))
            .unwrap_or(ResponseMode::USUAL),
    })
}

fn is_openid(parameters: &Parameters) -> bool {
    let asked = parameters.value(parameter::SCOPE).unwrap_or_default();
    ScopeSet::parse(asked).is_ok_and(|scopes| scopes.contains(scope::OPENID))
}

// === impl ReturnTo ===

impl ReturnTo {
    /// The redirect URI.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the request named it.
    pub(crate) fn was_sent(&self) -> bool {
        self.sent
    }

    /// Its host, or the scheme of an app's own.
    pub(crate) fn host(&self) -> Option<String> {
        redirect_uri::host_of(&self.uri)
    }

    /// What the client wants back.
    pub(super) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// How the answer travels.
    pub(super) fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// The URL with an answer in its query (RFC 6749 §4.1.2).
    pub(super) fn with_query(&self, answer: &[(&str, &str)]) -> String {
        let joint = match self.uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{joint}{}", self.uri, encoded(answer))
    }

    /// The URL with an answer in its fragment; a redirect URI has none of its own.
    pub(super) fn with_fragment(&self, answer: &[(&str, &str)]) -> String {
        format!("{}#{}", self.uri, encoded(answer))
    }
}

fn encoded(answer: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish()
}

#[cfg(test)]
mod tests {
    use super::ReturnTo;
    use crate::rule::response_type::ResponseMode;

    fn return_to(uri: &str) -> ReturnTo {
        ReturnTo { uri: uri.to_owned(), sent: true, state: None, mode: ResponseMode::USUAL }
    }

    #[test]
    fn an_answer_is_encoded() {
        let answer = [("code", "twc_x"), ("state", "a b&c=é")];
        assert_eq!(
            return_to("https://app.example/cb").with_query(&answer),
            "https://app.example/cb?code=twc_x&state=a+b%26c%3D%C3%A9"
        );
        assert_eq!(
            return_to("com.example.app:/cb").with_fragment(&answer),
            "com.example.app:/cb#code=twc_x&state=a+b%26c%3D%C3%A9"
        );
    }

    #[test]
    fn a_query_that_is_there_is_kept() {
        for (uri, expected) in [
            ("https://a.example/cb?t=1", "https://a.example/cb?t=1&code=c"),
            ("https://a.example/cb?", "https://a.example/cb?code=c"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000?code=c"),
        ] {
            assert_eq!(return_to(uri).with_query(&[("code", "c")]), expected);
        }
    }
}
