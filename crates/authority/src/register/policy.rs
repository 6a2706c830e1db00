//! Who may register a client, and what such a client may have (RFC 7591 §3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use token::scope::ScopeSet;
use token::term::GrantType;
use url::{Host, Url};

use crate::register::member::wrong;
use crate::register::{ClientDraft, RegistrationRefused, shown};

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Whoever has an initial access token with the scope `tokenward:register`.
    Token,
    /// Anybody.
    Open,
    /// Whoever has a software statement of a trusted publisher.
    Statement,
    /// Nobody.
    Off,
}

/// Who may register, and what nobody gets beyond. Clients that a document describes are held to the
/// same.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Who may register.
    pub policy: Policy,
    /// What a client may ask for.
    pub scopes: ScopeSet,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// Hosts that people may be sent back to; any, when there are none.
    pub redirect_hosts: Vec<HostPattern>,
    /// Whether people may be sent back to an app by a scheme of its own (RFC 8252 §7.1).
    pub private_use_schemes: bool,
}

/// Hosts: one, or all below one, or with `localhost` the person's own machine by each of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern(String);

/// What is wrong with a policy, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefused {
    /// Who may act for itself, or for others, is chosen by an administrator.
    #[error("`{0}` cannot be had by registration: only an administrator gives it")]
    GrantType(GrantType),
    /// No host.
    #[error("`{0}` is not a host such as `app.example.com`, `*.example.com` or `localhost`")]
    Host(String),
    /// Without a person, nobody would have agreed to anything.
    #[error(
        "`client_credentials` cannot stand beside the policy `open`: anybody would get tokens with no \
         person behind them"
    )]
    OpenCredentials,
}

/// Checks which grant types clients may register.
///
/// # Errors
/// [`PolicyRefused`] with the first that they may not.
pub fn check_grant_types(policy: Policy, grant_types: &[GrantType]) -> Result<(), PolicyRefused> {
    let beyond = grant_types.iter().find(|known| !Registration::GRANT_TYPES.contains(*known));
    match beyond {
        Some(grant_type) => Err(PolicyRefused::GrantType(*grant_type)),
        None if policy == Policy::Open && grant_types.contains(&GrantType::ClientCredentials) => {
            Err(PolicyRefused::OpenCredentials)
        }
        None => Ok(()),
    }
}

// === impl Registration ===

impl Registration {
    /// What may be had by registration at all; the rest is given by an administrator.
    pub const GRANT_TYPES: [GrantType; 4] = [
        GrantType::AuthorizationCode,
        GrantType::ClientCredentials,
        GrantType::DeviceCode,
        GrantType::RefreshToken,
    ];

    /// As it is where nothing more is said.
    pub fn new(policy: Policy, scopes: ScopeSet) -> Self {
        let grant_types = Self::usual_grant_types(policy);
        let (redirect_hosts, private_use_schemes) = (Vec::new(), true);
        Self { policy, scopes, grant_types, redirect_hosts, private_use_schemes }
    }

    /// All of [`Self::GRANT_TYPES`] that the policy allows.
    pub fn usual_grant_types(policy: Policy) -> Vec<GrantType> {
        let fits = |grant_type: &GrantType| check_grant_types(policy, &[*grant_type]).is_ok();
        Self::GRANT_TYPES.into_iter().filter(fits).collect()
    }

    /// Checks what a client wants, when it registers and when it changes its registration.
    ///
    /// # Errors
    /// [`RegistrationRefused`] names the member that goes beyond.
    pub(crate) fn check(&self, draft: &ClientDraft) -> Result<(), RegistrationRefused> {
        let beyond = draft.grant_types.iter().find(|wanted| !self.grant_types.contains(*wanted));
        if let Some(grant_type) = beyond {
            return Err(RegistrationRefused::GrantTypeNotAllowed(*grant_type));
        }
        match draft.scopes.difference(&self.scopes) {
            beyond if beyond.is_empty() => {}
            beyond => return Err(RegistrationRefused::ScopeNotAllowed(beyond.to_string())),
        }
        for uri in &draft.redirect_uris {
            self.check_place(uri).map_err(|rule| RegistrationRefused::RedirectNotAllowed {
                uri: shown(uri),
                rule,
            })?;
        }
        for uri in &draft.options.post_logout_redirect_uris {
            self.check_place(uri).map_err(|rule| wrong("post_logout_redirect_uris", rule))?;
        }
        Ok(())
    }

    /// Whether people may be sent to a URI; one that is none is refused by other rules.
    fn check_place(&self, uri: &str) -> Result<(), &'static str> {
        let Ok(url) = Url::parse(uri) else { return Ok(()) };
        if !matches!(url.scheme(), "https" | "http") {
            const RULE: &str = "schemes of an app's own cannot be had by registration";
            return if self.private_use_schemes { Ok(()) } else { Err(RULE) };
        }
        let fits = |host| self.redirect_hosts.iter().any(|pattern| pattern.fits(&host));
        if self.redirect_hosts.is_empty() || url.host().is_some_and(fits) {
            return Ok(());
        }
        Err("its host is none of those that can be had by registration")
    }
}

// === impl HostPattern ===

impl HostPattern {
    fn fits(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Domain(name) => match self.0.strip_prefix('*') {
                // With its dot: `*.example.com` is neither `example.com` nor `evil-example.com`.
                Some(below) => name.len() > below.len() && name.ends_with(below),
                None => *name == self.0,
            },
            Host::Ipv4(ip) => ip.to_string() == self.0 || (ip.is_loopback() && self.is_here()),
            Host::Ipv6(ip) => format!("[{ip}]") == self.0 || (ip.is_loopback() && self.is_here()),
        }
    }

    /// RFC 8252 §7.3 and §8.3: an app on somebody's machine may call it by address or by name.
    fn is_here(&self) -> bool {
        self.0 == "localhost"
    }
}

impl FromStr for HostPattern {
    type Err = PolicyRefused;

    fn from_str(text: &str) -> Result<Self, PolicyRefused> {
        let refused = || PolicyRefused::Host(text.to_owned());
        let name = text.strip_prefix("*.").unwrap_or(text);
        let host = Host::parse(name).map_err(|_| refused())?;
        let is_wild = name.len() < text.len();
        // Only a text that is in its normal form is ever equal to a host that was parsed.
        let is_normal = host.to_string() == name && !name.contains('*');
        if !is_normal || (is_wild && !matches!(host, Host::Domain(_))) {
            return Err(refused());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
