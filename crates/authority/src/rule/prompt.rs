//! `prompt`: which pages must be shown, or none (OpenID Connect Core 1.0 §3.1.2.1).

/// Show nothing.
pub const NONE: &str = "none";
/// Ask who it is, even when that is known.
pub const LOGIN: &str = "login";
/// Ask for consent, even when it was given.
pub const CONSENT: &str = "consent";
/// Let the person choose who they are: at the sign-in page, which is where accounts are chosen here.
pub const SELECT_ACCOUNT: &str = "select_account";

/// All that is known.
pub const KNOWN: [&str; 4] = [NONE, LOGIN, CONSENT, SELECT_ACCOUNT];

/// What an authorization request says about pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// No page may be shown; what needs one is refused.
    pub none: bool,
    /// The person must prove anew who they are.
    pub login: bool,
    /// The person must be asked for consent anew.
    pub consent: bool,
}

/// Why a `prompt` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptRefused {
    /// `none` contradicts every other value.
    #[error("`prompt` has `none` together with another value")]
    NoneWithOthers,
    /// A value that is not known here.
    #[error("`prompt` can only have `none`, `login`, `consent` and `select_account`")]
    Unknown,
}

// === impl Prompt ===

impl Prompt {
    /// Reads the parameter's value; absent means that nothing is demanded.
    ///
    /// # Errors
    /// [`PromptRefused`] for an unknown value, or `none` beside another one.
    pub fn parse(value: Option<&str>) -> Result<Self, PromptRefused> {
        let mut prompt = Self::default();
        for word in value.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
            match word {
                NONE => prompt.none = true,
                LOGIN | SELECT_ACCOUNT => prompt.login = true,
                CONSENT => prompt.consent = true,
                _ => return Err(PromptRefused::Unknown),
            }
        }
        if prompt.none && (prompt.login || prompt.consent) {
            return Err(PromptRefused::NoneWithOthers);
        }
        Ok(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::{Prompt, PromptRefused};

    #[test]
    fn reads_its_values() {
        let parsed = |value| Prompt::parse(Some(value));
        assert_eq!(Prompt::parse(None), Ok(Prompt::default()));
        assert_eq!(parsed("none"), Ok(Prompt { none: true, ..Prompt::default() }));
        let both = Prompt { none: false, login: true, consent: true };
        assert_eq!(parsed("consent login"), Ok(both));
        assert_eq!(parsed("login consent login"), Ok(both));
        assert_eq!(parsed("select_account"), parsed("login"));
    }

    #[test]
    fn none_stands_alone_and_unknown_values_are_refused() {
        for value in ["none login", "consent none", "select_account none"] {
            assert_eq!(Prompt::parse(Some(value)), Err(PromptRefused::NoneWithOthers), "{value}");
        }
        for value in ["create", "None", "login,consent"] {
            assert_eq!(Prompt::parse(Some(value)), Err(PromptRefused::Unknown), "{value}");
        }
    }
}
