//! From `CheckRequest` to a described request: every part from one attribute of Envoy's, none from a field.

use std::net::IpAddr;

use envoy_types::ext_authz::v3::pb::{Address, CheckRequest};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer};
use gateway::described::{BadDescription, Described, Told};
use http::{HeaderMap, HeaderName, HeaderValue};
use token::client_certificate::ClientCertificate;

/// Reads the attributes.
///
/// # Errors
/// [`BadDescription`] names the part that is missing, or none.
pub(crate) fn described(call: CheckRequest) -> Result<Described, BadDescription> {
    let attributes = call.attributes.unwrap_or_default();
    let source = attributes.source.unwrap_or_default();
    let client = address(&source).ok_or(BadDescription::NoClient)?;
    let mut http = attributes.request.and_then(|r| r.http).ok_or(BadDescription::Target)?;
    let headers = headers(&mut http)?;
    let told = Told::new(http.method.as_bytes(), &http.path, http.host.as_bytes(), client)?;
    // Percent-encoded PEM, where the filter is told to include it.
    let certificate = ClientCertificate::from_field(&source.certificate);
    Ok(Described::new(told, headers, certificate))
}

fn address(source: &Peer) -> Option<IpAddr> {
    match source.address.as_ref()?.address.as_ref()? {
        Address::SocketAddress(socket) => socket.address.parse().ok(),
        _ => None,
    }
}

/// As bytes (`encode_raw_headers`), or as text, with fields of one name joined by commas.
fn headers(http: &mut HttpRequest) -> Result<HeaderMap, BadDescription> {
    let raw = http.header_map.take().map(|map| map.headers).unwrap_or_default();
    let raw = raw.into_iter().map(|field| {
        let value =
            if field.raw_value.is_empty() { field.value.into_bytes() } else { field.raw_value };
        (field.key, value)
    });
    let text = std::mem::take(&mut http.headers).into_iter();
    let text = text.map(|(name, value)| (name, value.into_bytes()));
    let mut headers = HeaderMap::with_capacity(text.len() + raw.len());
    for (name, value) in raw.chain(text).filter(|(name, _)| !name.starts_with(':')) {
        let name = HeaderName::try_from(name).map_err(|_| BadDescription::Field)?;
        let value = HeaderValue::try_from(value).map_err(|_| BadDescription::Field)?;
        headers.append(name, value);
    }
    Ok(headers)
}
