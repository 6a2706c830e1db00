//! What the gateway is told of an API behind it.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;

use crate::inside::IdentityForm;

/// The servers of one API, and how they are used.
#[derive(Clone, Debug)]
pub struct UpstreamRule {
    /// `http://host:port` or `https://host`, with or without a path that is put before every path sent
    /// there; 1 to 64 of them.
    pub servers: Vec<String>,
    /// Which server is next.
    pub balance: Balance,
    /// How long a server may take from the end of a request to the head of its answer; `None` for the
    /// gateway's own `upstream_timeout`.
    pub timeout: Option<Duration>,
    /// How long a TCP connection may take to come about.
    pub connect_timeout: Duration,
    /// After so many failures in a row a server gets no requests for a while; 0 for never. One server
    /// alone always gets them.
    pub fail_after: u32,
    /// To how many other servers a request goes that failed and may safely be sent again.
    pub retries: u32,
    /// How many requests one server may have at a time; `None` for as many as come.
    pub max_requests: Option<u32>,
    /// TLS other than by the system's certificate authorities and without a certificate.
    pub tls: Option<UpstreamTls>,
    /// Speak HTTP/2, which gRPC needs, and nothing else: agreed on by TLS (ALPN), or known beforehand
    /// where there is none. There are no WebSockets then.
    pub http2: bool,
    /// How it is told who asks; `None` for the gateway's own `identity`.
    pub identity: Option<IdentityForm>,
    /// The audience of the gateway's own tokens for it; `None` for its name.
    pub audience: Option<String>,
    /// How servers are asked whether they are well; `None` for judging them by their requests alone.
    pub health: Option<HealthRule>,
}

/// How servers are asked whether they are well: by a GET that has to be answered, and not with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthRule {
    /// Path and query, put behind the path of the server's address.
    pub path: String,
    /// The pause between two questions.
    pub every: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many good answers in a row bring a server back.
    pub healthy_after: u32,
    /// So many bad ones take it out.
    pub unhealthy_after: u32,
}

/// TLS to the servers of one API.
#[derive(Clone, Debug, Default)]
pub struct UpstreamTls {
    /// Who may vouch for the servers; `None` for the system's certificate authorities.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// What the gateway shows of itself when it is asked.
    pub certificate: Option<Arc<CertifiedKey>>,
    /// The name that the servers' certificates have to be for; `None` for the host of their addresses.
    pub server_name: Option<ServerName<'static>>,
}

// === impl UpstreamTls ===

impl PartialEq for UpstreamTls {
    /// A certificate stands for its key: another key would have another certificate.
    fn eq(&self, other: &Self) -> bool {
        let chain = |tls: &Self| tls.certificate.as_ref().map(|own| own.cert.clone());
        self.authorities == other.authorities
            && self.server_name == other.server_name
            && chain(self) == chain(other)
    }
}

/// How the next server is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// Of two that are drawn, the one with fewer requests under way.
    LeastRequests,
    /// One after the other.
    RoundRobin,
    /// The same for the same party, as long as that server is there (rendezvous hashing).
    Hash(HashBy),
}

/// Whose requests stay at one server. Where a request has no token, it is the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashBy {
    /// Those for one subject.
    Subject,
    /// Those of one client.
    Client,
    /// Those from one address; of IPv6 one /64.
    Network,
}

// === impl UpstreamRule ===

impl From<Vec<String>> for UpstreamRule {
    /// These servers, with the defaults.
    fn from(servers: Vec<String>) -> Self {
        Self {
            servers,
            balance: Balance::LeastRequests,
            timeout: None,
            connect_timeout: Duration::from_secs(5),
            fail_after: 3,
            retries: 1,
            max_requests: None,
            tls: None,
            http2: false,
            identity: None,
            audience: None,
            health: None,
        }
    }
}

impl From<String> for UpstreamRule {
    /// One server, with the defaults.
    fn from(server: String) -> Self {
        vec![server].into()
    }
}
