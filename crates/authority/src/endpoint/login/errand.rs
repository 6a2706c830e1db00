//! What somebody signs in for when no application has sent them: a page of ours.

use token::term::parameter;

use crate::parameters::Parameters;
use crate::rule::acr::Wanted;
use crate::rule::mfa::Demanded;
use crate::settings::Settings;

const PAGE: &str = "page";
const ACCOUNT: &str = "account";
const TOKENS: &str = "tokens";
const TOKENS_PATH: &str = "/account/tokens";
const FACTORS: &str = "factors";
const FACTORS_PATH: &str = "/account/factors";
const EMAIL: &str = "email";
const EMAIL_PATH: &str = "/account/email";
const PASSWORD: &str = "password";
const PASSWORD_PATH: &str = "/account/password";
const APPROVALS: &str = "approvals";
const DEVICE: &str = "device";
const IDENTITIES: &str = "identities";
const IDENTITIES_PATH: &str = "/account/identities";

/// A page of ours, with what it was opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Errand {
    text: String,
    path: &'static str,
    query: String,
}

// === impl Errand ===

impl Errand {
    /// The page of the account.
    pub(crate) fn account() -> Self {
        Self::new(ACCOUNT, "/account", String::new())
    }

    /// The page of the personal tokens.
    pub(crate) fn tokens() -> Self {
        Self::new(TOKENS, TOKENS_PATH, String::new())
    }

    /// The page with what applications ask by the back channel.
    pub(crate) fn approvals() -> Self {
        Self::new(APPROVALS, "/approvals", String::new())
    }

    /// The page where the address is changed.
    pub(crate) fn email() -> Self {
        Self::new(EMAIL, EMAIL_PATH, String::new())
    }

    /// The page where what is proven beside a password is set up.
    pub(crate) fn factors() -> Self {
        Self::new(FACTORS, FACTORS_PATH, String::new())
    }

    /// The page where accounts elsewhere are connected.
    pub(crate) fn identities() -> Self {
        Self::new(IDENTITIES, IDENTITIES_PATH, String::new())
    }

    /// The page where the password is changed.
    pub(crate) fn password() -> Self {
        Self::new(PASSWORD, PASSWORD_PATH, String::new())
    }

    /// The page where the code of a device is typed.
    pub(crate) fn device(user_code: Option<&str>) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(code) = user_code {
            query.append_pair(parameter::USER_CODE, code);
        }
        Self::new(DEVICE, "/device", query.finish())
    }

    /// Reads what a sign-in form brings back; `None` when that is an application's request.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let parameters = Parameters::parse(text).ok()?;
        match parameters.value(PAGE)? {
            ACCOUNT => Some(Self::account()),
            TOKENS => Some(Self::tokens()),
            APPROVALS => Some(Self::approvals()),
            EMAIL => Some(Self::email()),
            FACTORS => Some(Self::factors()),
            IDENTITIES => Some(Self::identities()),
            PASSWORD => Some(Self::password()),
            DEVICE => Some(Self::device(parameters.value(parameter::USER_CODE))),
            _ => None,
        }
    }

    fn new(page: &str, path: &'static str, query: String) -> Self {
        let text = match query.as_str() {
            "" => format!("{PAGE}={page}"),
            query => format!("{PAGE}={page}&{query}"),
        };
        Self { text, path, query }
    }

    /// What the sign-in form carries.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether more than a password is demanded: of whoever has it, where what opens the account is changed.
    pub(crate) fn demanded(&self) -> Demanded {
        let acr = match self.is_sensitive() {
            true => Wanted::TwoIfPossible,
            false => Wanted::Any,
        };
        Demanded { strictly: false, acr }
    }

    /// Whether what protects the account is changed there, so that a sign-in of just now is needed.
    pub(crate) fn is_sensitive(&self) -> bool {
        matches!(
            self.path,
            EMAIL_PATH | FACTORS_PATH | IDENTITIES_PATH | PASSWORD_PATH | TOKENS_PATH
        )
    }

    /// Where the page is.
    pub(crate) fn url(&self, settings: &Settings) -> String {
        let path = settings.path(self.path);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }
}

#[cfg(test)]
mod tests {
    use super::Errand;
    use crate::tests::support::settings;

    #[test]
    fn leads_to_pages_of_ours_alone() {
        let errand = Errand::device(Some("BCDF-GHJK"));
        assert_eq!(errand.url(&settings()), "/device?user_code=BCDF-GHJK");
        assert_eq!(Errand::read(errand.text()), Some(errand));
        let bare = Errand::device(None);
        assert_eq!(bare.url(&settings()), "/device");
        assert_eq!(Errand::read(bare.text()), Some(bare));
        for text in ["", "client_id=a", "page=//evil.example", "page=", "page=device&page=device"] {
            assert_eq!(Errand::read(text), None, "{text}");
        }
    }
}
