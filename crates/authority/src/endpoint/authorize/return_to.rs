//! Where the answer goes: a redirect URI that the client registered (RFC 6749 §3.1.2.3).

use store::Client;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{parameter, scope};

use super::refusal::{PageRefused, shown};
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::rule::redirect_uri;
use crate::settings::Settings;

/// A redirect URI that the client registered, with what every answer carries. Only [`check`]
/// makes one, and nothing else tells a browser to leave.
#[derive(Clone, Debug)]
pub(crate) struct ReturnTo {
    uri: String,
    sent: bool,
    state: Option<String>,
    issuer: String,
}

/// Checks the redirect URI of a request.
pub(super) fn check(
    settings: &Settings,
    client: &Client,
    parameters: &Parameters,
) -> Result<ReturnTo, PageRefused> {
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
        issuer: settings.issuer.clone(),
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

    /// The URL of a successful answer (RFC 6749 §4.1.2).
    pub(super) fn with_code(&self, code: &Secret) -> String {
        self.with(&[(parameter::CODE, code.expose())])
    }

    /// The URL of a refusal (RFC 6749 §4.1.2.1).
    pub(crate) fn with_error(&self, error: &OAuthError) -> String {
        self.with(&[
            (parameter::ERROR, error.code.as_str()),
            (parameter::ERROR_DESCRIPTION, &error.description),
        ])
    }

    /// RFC 9207: every answer says whose it is.
    fn with(&self, answer: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair(parameter::STATE, state);
        }
        query.append_pair(parameter::ISS, &self.issuer);
        let joint = match self.uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{joint}{}", self.uri, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use token::secret::Secret;
    use token::term::OAuthErrorCode;

    use super::ReturnTo;
    use crate::oauth_error::OAuthError;

    fn return_to(uri: &str, state: Option<&str>) -> ReturnTo {
        let issuer = "https://id.example".to_owned();
        ReturnTo { uri: uri.to_owned(), sent: true, state: state.map(str::to_owned), issuer }
    }

    #[test]
    fn an_answer_carries_state_and_issuer() {
        let code = Secret::new("twc_x");
        assert_eq!(
            return_to("https://app.example/cb", Some("a b&c=é")).with_code(&code),
            "https://app.example/cb?code=twc_x&state=a+b%26c%3D%C3%A9&iss=https%3A%2F%2Fid.example"
        );
        let error = OAuthError::new(OAuthErrorCode::AccessDenied, "no");
        assert_eq!(
            return_to("com.example.app:/cb", None).with_error(&error),
            "com.example.app:/cb?error=access_denied&error_description=no\
             &iss=https%3A%2F%2Fid.example"
        );
    }

    #[test]
    fn a_query_that_is_there_is_kept() {
        let code = Secret::new("c");
        for (uri, start) in [
            ("https://a.example/cb?t=1", "https://a.example/cb?t=1&code=c&"),
            ("https://a.example/cb?", "https://a.example/cb?code=c&"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000?code=c&"),
        ] {
            let location = return_to(uri, None).with_code(&code);
            assert!(location.starts_with(start), "{location}");
        }
    }
}
