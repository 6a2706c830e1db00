//! Which fields go through, in both directions (RFC 9110 §7.6), and which ones are ours.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT,
    HOST, HeaderName, TE, TRAILER, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Version};
use http_body::Frame;

use crate::core::Core;

/// A proof of possession (RFC 9449 §4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The nonce for the next one (RFC 9449 §8.1).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The method and the target of a request that a proxy asks about.
pub(crate) const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
pub(crate) const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
/// The same, as a proxy's recipe names them.
pub(crate) const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
pub(crate) const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// What the gateway itself says of a request.
pub(crate) struct Forwarded<'r> {
    pub(crate) client: IpAddr,
    pub(crate) host: &'r HeaderValue,
    pub(crate) https: bool,
    pub(crate) upstream: &'r HeaderValue,
}

/// Takes out of a request's fields what is between two hops, what the gateway alone may say, and
/// what makes another request of it; the token and its proof go on only where the upstream wants them,
/// and what is in the field of the gateway's own token never does.
pub(crate) fn clean_request(headers: &mut HeaderMap, version: Version, core: &Core) {
    let trailers = takes_trailers(headers);
    remove_named_by_connection(headers);
    remove(headers, |name| {
        is_between_hops(name)
            || is_ours(name)
            || is_another_request(name)
            || is_credential(name, core)
    });
    if trailers {
        headers.insert(TE, TRAILERS);
        // RFC 9110 §10.1.4: TE is for the next hop only and must be named so.
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    if version == Version::HTTP_2 {
        join_cookies(headers);
    }
}

/// The fields that whoever forwards a described request has to take out of it: what [`clean_request`] takes
/// out, but for what is between two hops and what a proxy itself puts in.
pub(crate) fn not_to_forward(headers: &HeaderMap, core: &Core) -> Vec<HeaderName> {
    let doomed = |name: &str| {
        (is_ours(name) && !is_of_the_proxy(name))
            || is_another_request(name)
            || is_credential(name, core)
    };
    headers.keys().filter(|name| doomed(name.as_str())).cloned().collect()
}

/// The token and its proof, where they end here, and the field of the gateway's own token.
fn is_credential(name: &str, core: &Core) -> bool {
    let api_key = core.credentials.api_key.as_ref().is_some_and(|own| own.as_str() == name);
    let own = api_key || name == AUTHORIZATION.as_str() || name == DPOP.as_str();
    let inside = core.inside.as_ref().is_some_and(|inside| inside.field() == name);
    (own && !core.forward_token) || inside
}

/// Whether the body is compressed, or encoded in some other way (RFC 9110 §8.4).
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |coding: &[u8]| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity");
    !headers.get_all(CONTENT_ENCODING).iter().all(|coding| plain(coding.as_bytes()))
}

/// Whether the body has one media type, or none is named (RFC 9110 §8.3). Of two, in two fields or joined by a comma, some
/// servers take the first and others the last; some end it at a space, and some read what others take for no text.
pub(crate) fn has_one_type(headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let first = fields.next();
    fields.next().is_none() && first.is_none_or(|kind| kind.to_str().is_ok_and(is_one_type))
}

fn is_one_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let (mut quoted, mut escaped) = (false, false);
    let commas = text.bytes().filter(|byte| {
        let plain = !std::mem::take(&mut escaped);
        escaped = plain && quoted && *byte == b'\\';
        quoted ^= plain && *byte == b'"';
        *byte == b',' && !quoted
    });
    commas.count() == 0 && !quoted && !essence.contains([' ', '\t', '"'])
}

/// Whether a field means something to the gateway or to HTTP, so that no token can be its whole value.
pub(crate) fn has_meaning(name: &HeaderName) -> bool {
    let name = name.as_str();
    let plain = [AUTHORIZATION, COOKIE, CONTENT_LENGTH, HOST, DPOP, CONTENT_TYPE, EXPECT];
    is_between_hops(name)
        || is_ours(name)
        || is_another_request(name)
        || plain.iter().any(|known| known.as_str() == name)
}

/// What proxies set or clean by themselves before they ask.
fn is_of_the_proxy(name: &str) -> bool {
    matches!(name, "x-forwarded-client-cert" | "x-forwarded-for" | "x-forwarded-proto")
        || name.starts_with("x-envoy-")
}

/// Adds what the gateway says.
pub(crate) fn describe(headers: &mut HeaderMap, forwarded: &Forwarded<'_>) {
    headers.insert(HOST, forwarded.upstream.clone());
    if let Some(client) = address(forwarded.client) {
        headers.insert(FORWARDED_FOR, client);
    }
    headers.insert(FORWARDED_HOST, forwarded.host.clone());
    let scheme = if forwarded.https { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(scheme));
}

/// An address as a field's value. The usual kind is written by hand: formatting costs more than all of these
/// fields together.
fn address(ip: IpAddr) -> Option<HeaderValue> {
    let IpAddr::V4(ip) = ip else {
        return HeaderValue::from_maybe_shared(Bytes::from(ip.to_string())).ok();
    };
    let mut text = [b'.'; 15];
    let mut end = 0;
    for (place, octet) in ip.octets().into_iter().enumerate() {
        end += usize::from(place > 0);
        for (worth, shown) in [(100, octet > 99), (10, octet > 9), (1, true)] {
            if shown {
                text[end] = b'0' + octet / worth % 10;
                end += 1;
            }
        }
    }
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&text[..end])).ok()
}

/// Takes out of an answer's fields what is between two hops, and what is the gateway's.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove(headers, |name| {
        (is_between_hops(name) && name != TRAILER.as_str()) || is_identity(name)
    });
}

/// The same for an answer's trailers.
pub(crate) fn clean_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            clean_response(&mut trailers);
            trailers.remove(CONTENT_LENGTH);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// The field's value as told by a trusted proxy: `https`, `http` or unknown.
pub(crate) fn told_https(headers: &HeaderMap) -> Option<bool> {
    let mut values = headers.get_all(FORWARDED_PROTO).iter();
    match (values.next().map(HeaderValue::as_bytes), values.next()) {
        (Some(b"https"), None) => Some(true),
        (Some(b"http"), None) => Some(false),
        _ => None,
    }
}

/// The values of all fields of a name. One that is no text stops a walk over hops and does not vanish.
pub(crate) fn values<'h>(
    headers: &'h HeaderMap,
    name: &str,
) -> impl DoubleEndedIterator<Item = &'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"))
}

/// Whether one of the Connection fields has this option.
pub(crate) fn connection_has(headers: &HeaderMap, option: &str) -> bool {
    connection_options(headers).any(|text| text.eq_ignore_ascii_case(option))
}

fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(CONNECTION).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',').map(str::trim))
}

/// RFC 9110 §7.6.1, but a client cannot make the gateway drop what others rely on.
fn remove_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = connection_options(headers)
        .filter(|option| !is_usual_option(option))
        .filter_map(|option| HeaderName::from_bytes(option.as_bytes()).ok())
        .filter(|name| !is_protected(name.as_str()))
        .collect();
    for name in named {
        headers.remove(name);
    }
}

fn is_usual_option(option: &str) -> bool {
    ["keep-alive", "close", "upgrade", "te"].iter().any(|own| own.eq_ignore_ascii_case(option))
}

fn is_protected(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "cookie"
            | "host"
            | "origin"
            | "set-cookie"
            | "transfer-encoding"
            | "www-authenticate"
    )
}

fn remove(headers: &mut HeaderMap, doomed: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| doomed(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Between two hops (RFC 9110 §7.6.1, RFC 9113 §8.2.2). Content-Length and Transfer-Encoding are
/// restated by `framing`; Expect was answered by the HTTP server; request trailers are dropped.
fn is_between_hops(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Whether a field cannot carry the gateway's own token, since it means something else to somebody.
pub(crate) fn is_unfit_for_identity(name: &HeaderName) -> bool {
    let name = name.as_str();
    is_between_hops(name)
        || is_another_request(name)
        || name.starts_with("x-forwarded-")
        || is_read_as_another(name)
        || name == DPOP.as_str()
        || (is_protected(name) && name != AUTHORIZATION.as_str())
}

fn is_identity(name: &str) -> bool {
    name.starts_with("tokenward-")
}

/// Whether some servers take a name for another one: as a variable (RFC 3875 §4.1.18), `_` and `-` are the
/// same, and to lighttpd and old versions of Apache everything is that is no letter or digit.
fn is_read_as_another(name: &str) -> bool {
    !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What the fields begin with by which proxies and clouds tell an API who asks, and with which certificate: an API
/// that was behind one of them before may still believe them.
const OTHERS_OWN: [&str; 22] = [
    "cf-access-",
    "cf-connecting-",
    "remote-",
    "ssl-client-",
    "tailscale-user-",
    "wl-proxy-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-appengine-user-",
    "x-arr-",
    "x-auth-request-",
    "x-authenticated-",
    "x-authentik-",
    "x-client-cert",
    "x-consumer-",
    "x-envoy-",
    "x-forwarded-",
    "x-goog-authenticated-user-",
    "x-ms-client-principal",
    "x-pomerium-",
    "x-ssl-",
    "x-webauth-",
];

/// What only the gateway may tell an upstream: who asks, from where, for what, with which
/// certificate.
fn is_ours(name: &str) -> bool {
    if is_read_as_another(name) {
        return true;
    }
    // All of them begin with one of these letters, and most fields of a request do not.
    if !name.starts_with(['c', 'f', 'r', 's', 't', 'w', 'x']) {
        return false;
    }
    is_identity(name)
        || OTHERS_OWN.iter().any(|prefix| name.starts_with(prefix))
        || matches!(
            name,
            "client-cert"
                | "client-cert-chain"
                | "client-ip"
                | "fastly-client-ip"
                | "front-end-https"
                | "forwarded"
                | "forwarded-for"
                | "true-client-ip"
                | "x-azure-clientip"
                | "x-azure-socketip"
                | "x-anonymous-consumer"
                | "x-apigateway-api-userinfo"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-credential-identifier"
                | "x-endpoint-api-userinfo"
                | "x-forwarded"
                | "x-goog-iap-jwt-assertion"
                | "x-host"
                | "x-original-forwarded-for"
                | "x-original-host"
                | "x-originating-ip"
                | "x-proxyuser-ip"
                | "x-real-ip"
                | "x-remote-addr"
                | "x-remote-ip"
                | "x-remote-user"
                | "x-scheme"
                | "x-url-scheme"
                | "x-userinfo"
                | "x-vouch-user"
        )
}

/// What makes some servers act on another method or path than the one authorised, or send their own requests
/// elsewhere: as a variable, `Proxy` is `HTTP_PROXY` (CVE-2016-5385).
fn is_another_request(name: &str) -> bool {
    matches!(
        name,
        "proxy"
            | "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-method"
            | "x-original-uri"
            | "x-original-url"
            | "x-rewrite-uri"
            | "x-rewrite-url"
    )
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        coding.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("trailers"))
    })
}

/// RFC 9113 §8.2.3: HTTP/2 may split the field, HTTP/1.1 must not.
fn join_cookies(headers: &mut HeaderMap) {
    let parts: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if parts.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_maybe_shared(Bytes::from(parts.join(&b"; "[..]))) {
        headers.insert(COOKIE, joined);
    }
}

/// The fields that ask for a WebSocket, and that answer such a request.
pub(crate) fn ask_upgrade(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{address, is_one_type};

    #[test]
    fn one_media_type_is_no_list() {
        for one in [
            "",
            "application/json",
            " text/plain ; charset=utf-8",
            "multipart/form-data; boundary=\"a,b\\\",c\"; x=y",
        ] {
            assert!(is_one_type(one), "{one}");
        }
        for several in [
            "image/png,application/json",
            "image/png; a=b, application/json",
            "application/json,",
            "image/png application/json",
            "image/png\tapplication/json; a=b",
            "image/png; a=\"b\", application/json",
            "image/png; a=\"b, application/json",
            "image/png; a=\"b\\\", application/json",
        ] {
            assert!(!is_one_type(several), "{several}");
        }
    }

    #[test]
    fn an_address_is_written_as_everybody_writes_it() {
        let octets = [0u8, 1, 9, 10, 99, 100, 109, 110, 200, 255];
        let mut all: Vec<IpAddr> =
            vec!["::1".parse().expect("v6"), "2001:db8::7".parse().expect("v6")];
        for a in octets {
            all.extend(octets.map(|b| IpAddr::from([b, a, 0, b])));
        }
        for ip in all {
            assert_eq!(address(ip).expect("value"), ip.to_string().as_str());
        }
    }
}
