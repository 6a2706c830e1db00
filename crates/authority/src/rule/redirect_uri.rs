//! Redirect URIs: what may be registered, and which requested one matches (RFC 9700 §4.1).

use token::term::parameter;
use url::{Host, Url};

/// In bytes; longer ones break in proxies and logs.
const MAX_LENGTH: usize = 2048;

/// Parameters of our own response: a URI that carries one could hide ours from the client.
const RESPONSE_PARAMETERS: [&str; 5] = [
    parameter::CODE,
    parameter::STATE,
    parameter::ISS,
    parameter::ERROR,
    parameter::ERROR_DESCRIPTION,
];

/// Which rule of registration a redirect URI breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriRefused {
    /// A user name or password before the host.
    #[error("it must not have credentials before the host")]
    Credentials,
    /// A character that URIs cannot have, or no absolute URI at all.
    #[error("it must be an absolute URI of visible ASCII characters (RFC 3986)")]
    Form,
    /// RFC 6749 §3.1.2.
    #[error("it must not have a fragment")]
    Fragment,
    /// Plain http to somewhere else than this machine.
    #[error("it must use https; http is accepted for 127.0.0.1, [::1] and localhost only")]
    Insecure,
    /// No host in an http or https URI.
    #[error("it must name a host")]
    NoHost,
    /// Software on its way would write it differently, so no comparison of texts could be exact.
    #[error("it must be written in its normal form, which is `{0}`")]
    NotNormal(String),
    /// The query has a parameter of the authorization response.
    #[error("its query must not have the parameter `{0}`, which is part of the response")]
    ResponseParameter(&'static str),
    /// A scheme that runs code, reads files, or that anybody could claim.
    #[error(
        "its scheme must be https, http for this machine, or the app's own in reverse domain \
         form such as `com.example.app`"
    )]
    Scheme,
    /// Too long to travel safely.
    #[error("it must have at most 2048 bytes")]
    TooLong,
    /// Redirect URIs are compared as they are: a wildcard would never match.
    #[error("it must not have a `*`: redirect URIs are compared exactly")]
    Wildcard,
}

/// Checks that a redirect URI may be registered.
///
/// # Errors
/// [`RedirectUriRefused`] names the rule broken.
pub fn check_registration(uri: &str) -> Result<(), RedirectUriRefused> {
    if uri.len() > MAX_LENGTH {
        return Err(RedirectUriRefused::TooLong);
    }
    if uri.contains('#') {
        return Err(RedirectUriRefused::Fragment);
    }
    if uri.contains('*') {
        return Err(RedirectUriRefused::Wildcard);
    }
    if !uri.bytes().all(is_uri_byte) {
        return Err(RedirectUriRefused::Form);
    }
    let url = Url::parse(uri).map_err(|_| RedirectUriRefused::Form)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectUriRefused::Credentials);
    }
    check_scheme(&url)?;
    check_normal_form(uri, &url)?;
    let has = |name: &&str| url.query_pairs().any(|(key, _)| key == *name);
    match RESPONSE_PARAMETERS.into_iter().find(has) {
        Some(name) => Err(RedirectUriRefused::ResponseParameter(name)),
        None => Ok(()),
    }
}

/// Whether the URI of a request is one that its client registered. They are compared as texts;
/// only the port of a loopback address may differ (RFC 8252 §7.3), since an app on somebody's
/// machine cannot know beforehand which one is free.
pub fn matches(registered: &[String], requested: &str) -> bool {
    registered.iter().any(|uri| uri == requested || is_same_but_port(uri, requested))
}

/// Whether the URI leads to the person's own machine, over whatever port.
pub fn is_loopback(uri: &str) -> bool {
    Loopback::of(uri).is_some()
}

/// The host that a URI leads to, or the scheme of an app's own.
pub fn host_of(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    Some(url.host_str().unwrap_or(url.scheme()).to_owned())
}

/// The three parts of a loopback redirect URI.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    host: &'a str,
    rest: &'a str,
}

// === impl Loopback ===

impl<'a> Loopback<'a> {
    /// Cut as text: a URL parser would mend what must be refused.
    fn of(uri: &'a str) -> Option<Self> {
        let after_scheme = uri.strip_prefix("http://")?;
        let hosts = ["127.0.0.1", "[::1]", "localhost"];
        let host = hosts.into_iter().find(|host| after_scheme.starts_with(host))?;
        let after_host = after_scheme.strip_prefix(host)?;
        let rest = match after_host.strip_prefix(':') {
            None => after_host,
            Some(with_port) => {
                let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
                let (port, rest) = with_port.split_at(digits);
                let leading_zero = port.starts_with('0');
                port.parse::<u16>().ok().filter(|_| !leading_zero)?;
                rest
            }
        };
        let ends_here = rest.is_empty() || rest.starts_with('/') || rest.starts_with('?');
        ends_here.then_some(Self { host, rest })
    }
}

fn is_same_but_port(registered: &str, requested: &str) -> bool {
    let registered = Loopback::of(registered);
    registered.is_some() && registered == Loopback::of(requested)
}

fn check_scheme(url: &Url) -> Result<(), RedirectUriRefused> {
    match (url.scheme(), url.host()) {
        ("https" | "http", None) => Err(RedirectUriRefused::NoHost),
        ("https", Some(_)) => Ok(()),
        ("http", Some(host)) if is_this_machine(&host) => Ok(()),
        ("http", Some(_)) => Err(RedirectUriRefused::Insecure),
        // RFC 8252 §7.1: based on a domain name that the app's maker owns.
        (own, _) if own.contains('.') => Ok(()),
        _ => Err(RedirectUriRefused::Scheme),
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.octets() == [127, 0, 0, 1],
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// The parser lowers case, drops default ports and resolves `..`, raw or encoded.
fn check_normal_form(uri: &str, url: &Url) -> Result<(), RedirectUriRefused> {
    let normal = url.as_str();
    let without_path = normal.strip_suffix('/').unwrap_or(normal);
    let added_path = url.path() == "/" && url.query().is_none() && uri == without_path;
    if uri == normal || added_path {
        return Ok(());
    }
    Err(RedirectUriRefused::NotNormal(normal.to_owned()))
}

/// RFC 3986 §2: unreserved, reserved, and the percent sign.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests;
