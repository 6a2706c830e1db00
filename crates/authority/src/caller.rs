//! Where a request comes from: the client's address behind trusted proxies, and its user agent.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, header};
use token::client_address::TrustedProxies;
use token::client_certificate::ClientCertificate;
use token::ja4::Ja4;

use crate::peer::PeerAddress;

const MAX_USER_AGENT_CHARS: usize = 256;

/// Where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The client's address; `None` when no listener said who the peer is.
    pub ip: Option<IpAddr>,
    /// The certificate that it has shown.
    pub certificate: Option<ClientCertificate>,
    /// Its TLS fingerprint, where its TLS ends here.
    pub ja4: Option<Ja4>,
    /// `User-Agent`, at most 256 characters, without control characters.
    pub user_agent: Option<String>,
}

// === impl Caller ===

impl Caller {
    /// Reads it from a request's parts.
    pub fn of(
        headers: &HeaderMap,
        extensions: &Extensions,
        trusted_proxies: &TrustedProxies,
    ) -> Self {
        let hops: Vec<&str> = headers
            .get_all(trusted_proxies.field().as_str())
            .iter()
            // A hop that is no text must stop the walk, not vanish from it.
            .map(|value| value.to_str().unwrap_or("?"))
            .collect();
        let peer = extensions.get::<PeerAddress>().map(|PeerAddress(peer)| *peer);
        let ip = peer.map(|peer| trusted_proxies.origin(peer.ip(), hops.iter().copied()).ip);
        let user_agent = headers.get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_CHARS).collect()
        });
        let certificate = extensions.get::<ClientCertificate>().cloned();
        // A proxy's connection has the proxy's.
        let own = peer.is_some_and(|peer| !trusted_proxies.contain(peer.ip()));
        let ja4 = extensions.get().filter(|_| own).cloned();
        Self { ip, certificate, ja4, user_agent }
    }
}

#[cfg(test)]
mod tests {
    use http::{Extensions, HeaderMap, HeaderValue};

    use token::client_address::TrustedProxies;
    use token::term::AddressField;

    use super::Caller;
    use crate::peer::PeerAddress;

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        let mut extensions = Extensions::new();
        let nobody = TrustedProxies::default();
        assert_eq!(Caller::of(&headers, &extensions, &nobody).ip, None);
        extensions.insert(PeerAddress("10.0.0.1:5".parse().expect("address")));
        let ip = |trusted: &[&str]| {
            let nets: Vec<_> = trusted.iter().map(|net| net.parse().expect("net")).collect();
            let proxies = TrustedProxies::new(&nets, AddressField::XForwardedFor);
            Caller::of(&headers, &extensions, &proxies).ip.map(|ip| ip.to_string())
        };
        assert_eq!(ip(&[]).as_deref(), Some("10.0.0.1"));
        assert_eq!(ip(&["10.0.0.0/8"]).as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn a_hop_that_is_no_text_stops_the_walk() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        headers.append("x-forwarded-for", HeaderValue::from_bytes(b"\xff").expect("value"));
        let mut extensions = Extensions::new();
        extensions.insert(PeerAddress("10.0.0.1:5".parse().expect("address")));
        let nets = ["10.0.0.0/8".parse().expect("net")];
        let proxies = TrustedProxies::new(&nets, AddressField::XForwardedFor);
        let ip = Caller::of(&headers, &extensions, &proxies).ip;
        assert_eq!(ip.map(|ip| ip.to_string()).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn a_user_agent_is_bounded() {
        let mut headers = HeaderMap::new();
        let long = "x".repeat(1000);
        headers.insert("user-agent", HeaderValue::from_str(&long).expect("value"));
        let caller = Caller::of(&headers, &Extensions::new(), &TrustedProxies::default());
        assert_eq!(caller.user_agent.map(|text| text.len()), Some(256));
    }
}
