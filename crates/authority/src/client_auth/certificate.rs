//! Clients that show a certificate instead of a secret (RFC 8705 §2).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use store::{Client, ClientOptions};
use token::client_certificate::ClientCertificate;
use token::term::ClientAuthMethod;
use token::time::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use super::ClientAuthRefused;
use crate::state::Authority;

/// Says whether a certificate was issued by somebody who is trusted.
pub trait CertificateTrust: Send + Sync + 'static {
    /// Whether it leads to a trusted authority, may be used by a client, and is good now.
    fn vouches_for(&self, certificate: &ClientCertificate, now: Timestamp) -> bool;
}

/// The members of a registration that name a certificate's subject (§2.1.2); each client has one.
pub(crate) const SUBJECTS: [&str; 5] = [
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
];

/// Checks the certificate of a client that is registered for one.
pub(super) fn check(
    authority: &Authority,
    client: &Client,
    certificate: Option<&ClientCertificate>,
    now: Timestamp,
) -> Result<(), ClientAuthRefused> {
    let certificate = certificate.ok_or(ClientAuthRefused::CertificateMissing)?;
    let fits = match client.auth_method {
        ClientAuthMethod::TlsClientAuth => {
            authority.certificate_trust().is_some_and(|trust| trust.vouches_for(certificate, now))
                && names(&client.options, certificate)
        }
        ClientAuthMethod::SelfSignedTlsClientAuth => {
            is_registered(&client.options, certificate) && is_good_at(certificate, now)
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(ClientAuthRefused::Certificate) }
}

/// §2.2.2: among the registered ones, byte by byte.
fn is_registered(options: &ClientOptions, certificate: &ClientCertificate) -> bool {
    let keys = options.jwks.as_ref().and_then(|jwks| jwks.get("keys")).and_then(Value::as_array);
    let same = |key: &Value| {
        let first = key.get("x5c").and_then(|chain| chain.get(0)).and_then(Value::as_str);
        first.and_then(|text| STANDARD.decode(text).ok()).as_deref() == Some(certificate.der())
    };
    keys.is_some_and(|keys| keys.iter().any(same))
}

/// A certificate of the client's own ends like any other.
fn is_good_at(certificate: &ClientCertificate, now: Timestamp) -> bool {
    let Ok((_, parsed)) = parse_x509_certificate(certificate.der()) else { return false };
    let (from, until) = (&parsed.validity().not_before, &parsed.validity().not_after);
    (from.timestamp()..=until.timestamp()).contains(&now.as_secs())
}

/// §2.1: the one name that the client registered.
fn names(options: &ClientOptions, certificate: &ClientCertificate) -> bool {
    let Ok((_, parsed)) = parse_x509_certificate(certificate.der()) else { return false };
    let options = &options.tls_client_auth;
    if let Some(wanted) = &options.tls_client_auth_subject_dn {
        return distinguished_name(wanted).is_some_and(|wanted| wanted == subject(&parsed));
    }
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return false };
    let mut names = names.value.general_names.iter();
    if let Some(wanted) = &options.tls_client_auth_san_dns {
        let same = |name: &GeneralName<'_>| matches!(name, GeneralName::DNSName(dns) if dns.eq_ignore_ascii_case(wanted));
        return names.any(same);
    }
    if let Some(wanted) = &options.tls_client_auth_san_uri {
        return names.any(|name| matches!(name, GeneralName::URI(uri) if uri == wanted));
    }
    if let Some(wanted) = &options.tls_client_auth_san_email {
        return names.any(|name| matches!(name, GeneralName::RFC822Name(mail) if mail == wanted));
    }
    let wanted = options.tls_client_auth_san_ip.as_ref().and_then(|ip| ip.parse::<IpAddr>().ok());
    wanted.is_some_and(|wanted| {
        let octets = match wanted {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        names.any(|name| matches!(name, GeneralName::IPAddress(ip) if *ip == octets.as_slice()))
    })
}

/// The certificate's subject, its most specific part first, as RFC 4514 §2.1 writes it.
fn subject(certificate: &X509Certificate<'_>) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = certificate
        .subject()
        .iter_attributes()
        .map(|attribute| {
            let oid = attribute.attr_type();
            let name = x509_parser::objects::oid2abbrev(oid, x509_parser::objects::oid_registry());
            let name = name.map_or_else(|_| oid.to_id_string(), str::to_uppercase);
            (name, attribute.as_str().unwrap_or_default().to_owned())
        })
        .collect();
    parts.reverse();
    parts
}

/// A distinguished name as text (RFC 4514 §3); `None` when it is none.
pub(crate) fn distinguished_name(text: &str) -> Option<Vec<(String, String)>> {
    let (mut parts, mut name, mut value) = (Vec::new(), None::<String>, String::new());
    let mut letters = text.chars();
    let mut end = |name: &mut Option<String>, value: &mut String| {
        let name = name.take().map(|name| name.trim().to_uppercase()).filter(|n| !n.is_empty())?;
        parts.push((name, std::mem::take(value).trim().to_owned()));
        Some(())
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?),
            '=' if name.is_none() => name = Some(std::mem::take(&mut value)),
            ',' | '+' => end(&mut name, &mut value)?,
            other => value.push(other),
        }
    }
    end(&mut name, &mut value)?;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::distinguished_name;

    #[test]
    fn a_distinguished_name_reads_as_rfc_4514_writes_it() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            distinguished_name(r"CN=Steve Kille, O=Isode\, Limited,c=GB"),
            Some(vec![pair("CN", "Steve Kille"), pair("O", "Isode, Limited"), pair("C", "GB")])
        );
        for text in ["", "CN", "=x", "CN=a,", "CN=a,b", "CN=a\\"] {
            assert_eq!(distinguished_name(text), None, "{text}");
        }
    }
}
