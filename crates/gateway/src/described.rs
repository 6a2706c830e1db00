//! A request as a proxy describes it that asks before it forwards: one source for each part of it.

use std::net::IpAddr;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use token::client_certificate::ClientCertificate;

use crate::headers::{
    FORWARDED_FOR, FORWARDED_HOST, FORWARDED_METHOD, FORWARDED_URI, ORIGINAL_METHOD, ORIGINAL_URI,
    values,
};
use crate::target::BadTarget;

/// The fields by which Traefik, Caddy and HAProxy's recipe tell the request line and the host.
pub(crate) const FORWARDED: [HeaderName; 3] = [FORWARDED_METHOD, FORWARDED_URI, FORWARDED_HOST];
/// Those by which NGINX's recipe tells the request line.
pub(crate) const ORIGINAL: [HeaderName; 2] = [ORIGINAL_METHOD, ORIGINAL_URI];

/// A request that somebody else has received, and would forward.
pub struct Described {
    pub(crate) head: Parts,
    pub(crate) ip: IpAddr,
}

/// Why a description is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDescription {
    /// Fields of two kinds of proxies, of which one has to be the client's.
    #[error("the request is described twice; the proxy in front must remove the field `{0}`")]
    Conflict(&'static str),
    /// One of the client's fields is none.
    #[error("the proxy in front passes on a field that is no header field")]
    Field,
    /// The client's address is not told.
    #[error("the proxy in front does not tell the client's address: see its recipe")]
    NoClient,
    /// The host is not told, or is none.
    #[error("the proxy in front must tell the host once: see its recipe")]
    Host,
    /// The method is not told, or is none.
    #[error("the proxy in front must tell the method once: see its recipe")]
    Method,
    /// The target is not told, or is none.
    #[error("the proxy in front must tell the target once: see its recipe")]
    Target,
    /// The target has a fragment, or characters that no target has.
    #[error("{0}")]
    BadTarget(#[from] BadTarget),
}

/// What a description says of the request line, the host and the client.
#[derive(Debug)]
pub struct Told {
    method: Method,
    target: Uri,
    host: HeaderValue,
    client: IpAddr,
}

// === impl Described ===

impl Described {
    /// From what is told and the client's fields, of which Host does not count, and what the client has
    /// shown of itself.
    pub fn new(told: Told, headers: HeaderMap, certificate: Option<ClientCertificate>) -> Self {
        let Told { method, target, host, client } = told;
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = target;
        *request.headers_mut() = headers;
        request.headers_mut().insert(HOST, host);
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        Self { head: request.into_parts().0, ip: client.to_canonical() }
    }
}

// === impl Told ===

impl Told {
    /// From the method and the target of a request line, the host that the client asked for, and the
    /// client's address.
    ///
    /// # Errors
    /// [`BadDescription`] names the part that is none.
    pub fn new(
        method: &[u8],
        target: &str,
        host: &[u8],
        client: IpAddr,
    ) -> Result<Self, BadDescription> {
        // The type for targets drops a fragment without a word.
        if target.contains('#') {
            return Err(BadTarget::Fragment.into());
        }
        Ok(Self {
            method: Method::from_bytes(method).map_err(|_| BadDescription::Method)?,
            target: target.parse().map_err(|_| BadDescription::BadTarget(unfit(target)))?,
            host: HeaderValue::from_bytes(host).map_err(|_| BadDescription::Host)?,
            client,
        })
    }

    /// The request itself was passed on, with a prefix before its path (Envoy's `path_prefix`).
    ///
    /// # Errors
    /// [`BadDescription`] when host or client are not told.
    pub(crate) fn by_prefix(head: &Parts, prefix: &str) -> Result<Self, BadDescription> {
        let given = head.uri.path_and_query().map_or("", |given| given.as_str());
        let target = given.strip_prefix(prefix).ok_or(BadDescription::Target)?;
        let host = match head.uri.authority() {
            Some(authority) => authority.as_str().as_bytes(),
            None => only(&head.headers, &HOST).ok_or(BadDescription::Host)?,
        };
        Self::new(head.method.as_str().as_bytes(), target, host, client(&head.headers)?)
    }

    /// `X-Forwarded-Method`, `-Uri` and `-Host`, as Traefik, Caddy and HAProxy's recipe have it.
    ///
    /// # Errors
    /// [`BadDescription`] for what is missing, there twice, or told in another way too.
    pub(crate) fn by_forwarded(headers: &HeaderMap) -> Result<Self, BadDescription> {
        refuse_conflict(
            headers,
            [(ORIGINAL_METHOD, "X-Original-Method"), (ORIGINAL_URI, "X-Original-URI")],
        )?;
        Self::by_fields(headers, [&FORWARDED_METHOD, &FORWARDED_URI, &FORWARDED_HOST])
    }

    /// `X-Original-Method` and `X-Original-URI`, as NGINX's recipe has it; the Host field is the client's.
    ///
    /// # Errors
    /// [`BadDescription`] for what is missing, there twice, or told in another way too.
    pub(crate) fn by_original(headers: &HeaderMap) -> Result<Self, BadDescription> {
        refuse_conflict(
            headers,
            [(FORWARDED_METHOD, "X-Forwarded-Method"), (FORWARDED_URI, "X-Forwarded-Uri")],
        )?;
        Self::by_fields(headers, [&ORIGINAL_METHOD, &ORIGINAL_URI, &HOST])
    }

    fn by_fields(
        headers: &HeaderMap,
        [method, target, host]: [&HeaderName; 3],
    ) -> Result<Self, BadDescription> {
        let host = only(headers, host).ok_or(BadDescription::Host)?;
        let method = only(headers, method).ok_or(BadDescription::Method)?;
        let target = only(headers, target).ok_or(BadDescription::Target)?;
        let target = std::str::from_utf8(target).map_err(|_| BadTarget::Character)?;
        Self::new(method, target, host, client(headers)?)
    }
}

/// The client's address: the last entry of `X-Forwarded-For`, which the proxy that asks has added. One hop:
/// what stands before it is anybody's word.
///
/// # Errors
/// [`BadDescription::NoClient`] when there is none.
pub(crate) fn client(headers: &HeaderMap) -> Result<IpAddr, BadDescription> {
    let last = values(headers, FORWARDED_FOR.as_str())
        .next_back()
        .and_then(|value| value.rsplit(',').next());
    last.and_then(|entry| entry.trim().parse().ok()).ok_or(BadDescription::NoClient)
}

fn refuse_conflict(
    headers: &HeaderMap,
    others: [(HeaderName, &'static str); 2],
) -> Result<(), BadDescription> {
    match others.iter().find(|(name, _)| headers.contains_key(name)) {
        Some((_, name)) => Err(BadDescription::Conflict(name)),
        None => Ok(()),
    }
}

/// The value of a field that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut fields = headers.get_all(name).iter();
    let first = fields.next()?;
    fields.next().is_none().then(|| first.as_bytes())
}

/// Why a text is no target: too long for the type, or with characters that must not be there.
fn unfit(target: &str) -> BadTarget {
    if target.len() > usize::from(u16::MAX) { BadTarget::TooLong } else { BadTarget::Character }
}

#[cfg(test)]
mod tests;
