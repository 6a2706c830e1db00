//! The two cookies of an application: its session, and a sign-in that is under way (RFC 6265).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// A sign-in that is under way.
    Attempt,
    /// The session: it stands for the tokens.
    Session,
}

// === impl Cookie ===

impl Cookie {
    /// With https the prefix makes browsers refuse the cookie from anybody but this very host.
    pub(super) fn name(self, https: bool) -> String {
        let prefix = if https { "__Host-" } else { "" };
        let name = match self {
            Self::Attempt => "tokenward-sign-in",
            Self::Session => "tokenward-app",
        };
        format!("{prefix}{name}")
    }

    /// Its value in a request.
    pub(super) fn read(self, headers: &HeaderMap, https: bool) -> Option<String> {
        let name = self.name(https);
        let fields = headers.get_all(header::COOKIE).iter();
        let pairs = fields.filter_map(|field| field.to_str().ok()).flat_map(|text| text.split(';'));
        let mut values = pairs.filter_map(|pair| pair.trim().split_once('='));
        values.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// The field that sets it. The session's is never sent with what another site begins
    /// (draft-ietf-oauth-browser-based-apps §6.1.3.2); that of a sign-in has to come along when the
    /// issuer, which is another site, sends the person back.
    pub(super) fn set(self, value: &str, life: Duration, https: bool) -> Option<HeaderValue> {
        let (name, age) = (self.name(https), life.as_secs());
        let secure = if https { "; Secure" } else { "" };
        let site = match self {
            Self::Attempt => "Lax",
            Self::Session => "Strict",
        };
        let text =
            format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite={site}{secure}");
        let mut field = HeaderValue::from_str(&text).ok()?;
        field.set_sensitive(true);
        Some(field)
    }

    /// The field that removes it.
    pub(super) fn clear(self, https: bool) -> Option<HeaderValue> {
        self.set("", Duration::ZERO, https)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Cookie;

    fn set(cookie: Cookie, https: bool) -> String {
        let field = cookie.set("v1", Duration::from_secs(60), https).expect("field");
        field.to_str().expect("text").to_owned()
    }

    #[test]
    fn a_session_is_for_this_host_and_for_what_it_began_itself() {
        assert_eq!(
            set(Cookie::Session, true),
            "__Host-tokenward-app=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            set(Cookie::Attempt, true),
            "__Host-tokenward-sign-in=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn on_loopback_it_has_no_prefix_that_needs_https() {
        let text = set(Cookie::Session, false);
        assert_eq!(text, "tokenward-app=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
    }
}
