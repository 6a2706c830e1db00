//! What is known of certain providers, so that it need not be configured.

use serde::{Deserialize, Serialize};
use token::foreign::ClaimPath;

use super::EmailProof;

/// A kind of provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Microsoft Entra, one tenant.
    Entra,
    /// GitHub, which has no ID tokens.
    Github,
    /// GitLab, theirs or one's own.
    Gitlab,
    /// Google.
    Google,
    /// Keycloak, one realm.
    Keycloak,
    /// OAuth without ID tokens: every endpoint is configured.
    Oauth,
    /// Okta, one authorization server.
    Okta,
    /// Any OpenID provider.
    #[default]
    Openid,
}

/// The endpoints of a provider without metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Where people are sent.
    pub authorization: &'static str,
    /// Where the code is redeemed.
    pub token: &'static str,
    /// Where it is said who somebody is.
    pub userinfo: &'static str,
    /// Where their addresses are.
    pub emails: &'static str,
}

// === impl Preset ===

impl Preset {
    /// Whether it speaks OpenID Connect.
    pub fn is_openid(self) -> bool {
        !matches!(self, Self::Github | Self::Oauth)
    }

    /// Its issuer, where there is only one or a usual one.
    pub fn issuer(self) -> Option<&'static str> {
        match self {
            Self::Gitlab => Some("https://gitlab.com"),
            Self::Google => Some("https://accounts.google.com"),
            Self::Entra
            | Self::Github
            | Self::Keycloak
            | Self::Oauth
            | Self::Okta
            | Self::Openid => None,
        }
    }

    /// Its endpoints, where there is no metadata to find them by.
    pub fn endpoints(self) -> Option<Endpoints> {
        (self == Self::Github).then_some(Endpoints {
            authorization: "https://github.com/login/oauth/authorize",
            token: "https://github.com/login/oauth/access_token",
            userinfo: "https://api.github.com/user",
            emails: "https://api.github.com/user/emails",
        })
    }

    /// What people call it, where that is not the name that it is given here.
    pub fn title(self) -> Option<&'static str> {
        match self {
            Self::Entra => Some("Microsoft"),
            Self::Github => Some("GitHub"),
            Self::Gitlab => Some("GitLab"),
            Self::Google => Some("Google"),
            Self::Keycloak => Some("Keycloak"),
            Self::Okta => Some("Okta"),
            Self::Oauth | Self::Openid => None,
        }
    }

    /// What it is asked for.
    pub fn scopes(self) -> &'static str {
        match self {
            Self::Github => "read:user user:email",
            Self::Oauth => "",
            _ => "openid profile email",
        }
    }

    /// The claim with the name that never changes, where there is no ID token.
    pub fn subject(self) -> &'static str {
        if self == Self::Github { "id" } else { "sub" }
    }

    /// The claim with the user name.
    pub fn username(self) -> &'static str {
        match self {
            Self::Github => "login",
            Self::Google => "email",
            _ => "preferred_username",
        }
    }

    /// Whose word an address needs. Of Entra an address may be whatever an administrator of the tenant has
    /// typed; `xms_edov` says that its domain is the tenant's.
    pub fn email_proof(self) -> Option<EmailProof> {
        let claim = |name: &str| name.parse::<ClaimPath>().ok().map(EmailProof::Claim);
        match self {
            Self::Entra => claim("xms_edov"),
            Self::Github => Some(EmailProof::List),
            Self::Google => Some(EmailProof::Google),
            _ => claim("email_verified"),
        }
    }
}
