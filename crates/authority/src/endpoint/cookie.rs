//! The cookies: who is signed in, which browser it is, what it is remembered for, who is at a provider (RFC 6265).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::settings::Settings;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The browser, whoever uses it.
    Browser,
    /// A browser in which a second factor was proven and need not be for a while.
    Remembered,
    /// The sign-in session.
    Session,
    /// Somebody who is at an identity provider.
    Trip,
}

// === impl Cookie ===

impl Cookie {
    /// With https the prefix makes browsers refuse the cookie from anybody but this very host.
    /// It forbids a path of its own, so an issuer with a path has that in the name.
    fn name(self, settings: &Settings) -> String {
        let prefix = if settings.is_https() { "__Host-" } else { "" };
        let name = match self {
            Self::Browser => "tokenward-browser",
            Self::Remembered => "tokenward-remembered",
            Self::Session => "tokenward",
            Self::Trip => "tokenward-trip",
        };
        format!("{prefix}{name}{}", settings.issuer_path().replace('/', "."))
    }

    /// Its value in a request.
    pub(crate) fn read(self, headers: &HeaderMap, settings: &Settings) -> Option<String> {
        let name = self.name(settings);
        let fields = headers.get_all(header::COOKIE).iter();
        let pairs = fields.filter_map(|field| field.to_str().ok()).flat_map(|text| text.split(';'));
        let mut values = pairs.filter_map(|pair| pair.trim().split_once('='));
        values.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// The field that sets it. Out of reach of scripts; sent along when somebody comes from an
    /// application by a link or redirect, not with forms or frames of other sites.
    pub(crate) fn set(
        self,
        value: &str,
        life: Duration,
        settings: &Settings,
    ) -> Option<HeaderValue> {
        let (name, age) = (self.name(settings), life.as_secs());
        let secure = if settings.is_https() { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        let mut field = HeaderValue::from_str(&text).ok()?;
        field.set_sensitive(true);
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue, header};

    use super::Cookie;
    use crate::settings::Settings;
    use crate::tests::support::settings;

    fn https() -> Settings {
        Settings { issuer: "https://id.example".to_owned(), ..settings() }
    }

    fn set(cookie: Cookie, settings: &Settings) -> String {
        let field = cookie.set("v1", Duration::from_secs(60), settings).expect("field");
        field.to_str().expect("text").to_owned()
    }

    #[test]
    fn over_https_a_cookie_is_for_this_host_alone() {
        let text = set(Cookie::Session, &https());
        assert_eq!(text, "__Host-tokenward=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert!(set(Cookie::Browser, &https()).starts_with("__Host-tokenward-browser=v1; Path=/;"));
    }

    #[test]
    fn issuers_of_one_host_have_cookies_of_their_own() {
        let settings = Settings { issuer: "https://id.example/a/b-1".to_owned(), ..settings() };
        assert!(set(Cookie::Session, &settings).starts_with("__Host-tokenward.a.b-1=v1; Path=/;"));
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-tokenward=x"));
        assert_eq!(Cookie::Session.read(&headers, &settings), None);
    }

    #[test]
    fn on_loopback_it_has_no_prefix_that_needs_https() {
        let text = set(Cookie::Session, &settings());
        assert_eq!(text, "tokenward=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn is_read_by_its_full_name() {
        let mut headers = HeaderMap::new();
        for text in ["a=b; xtokenward=no", "tokenward-browser=b1;tokenward=s1; tokenward=s2"] {
            headers.append(header::COOKIE, HeaderValue::from_static(text));
        }
        let http = settings();
        assert_eq!(Cookie::Session.read(&headers, &http).as_deref(), Some("s1"));
        assert_eq!(Cookie::Browser.read(&headers, &http).as_deref(), Some("b1"));
        // What was set without https does not count with it.
        assert_eq!(Cookie::Session.read(&headers, &https()), None);
        assert_eq!(Cookie::Session.read(&HeaderMap::new(), &http), None);
    }
}
