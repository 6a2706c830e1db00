//! An API behind the gateway: one address, or several servers and how they are used.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use gateway::{HealthRule, UpstreamRule};
use http::uri::PathAndQuery;
use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use crate::compose::upstream as files;
use crate::config::Identity;
use crate::config::check::Finding;
use crate::config::defaults;
use crate::config::span::Span;

/// An API behind the gateway.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Upstream {
    /// As a table.
    Servers(Box<Servers>),
    /// The address of its one server.
    Address(String),
}

/// An API behind the gateway, where one address does not say enough.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Servers {
    /// Addresses of its servers, 1 to 64: `["http://10.0.0.1:9000", "http://10.0.0.2:9000"]`.
    pub(crate) servers: Vec<String>,
    /// Which server is next: `least_requests`, of two that are drawn the one with fewer requests under
    /// way; `round_robin`, one after the other; `hash`, always the same for the same `hash_by`.
    /// Absent: `least_requests`.
    #[serde(default = "defaults::balance")]
    pub(crate) balance: Balance,
    /// With the balance `hash`, which it needs: whose requests stay at one server. Requests without a
    /// token go by `network`. A server that is lost moves only those that it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hash_by: Option<HashBy>,
    /// How long a server may take to begin its answer. Absent: `gateway.upstream_timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Span>,
    /// How long a connection may take to come about. Absent: 5s.
    #[serde(default = "defaults::connect_timeout")]
    pub(crate) connect_timeout: Span,
    /// So many failures in a row (no connection, no answer in time, 502, 503, 504) take a server out for
    /// a second, and for twice as long every time it fails again, up to a minute; where all are out, all
    /// are used. 0: never. Absent: 3.
    #[serde(default = "defaults::fail_after")]
    pub(crate) fail_after: u32,
    /// To how many other servers a request goes that failed, if that is safe: there was no connection, or
    /// the method means the same twice and its body was not begun to be sent. At most a fifth of the
    /// requests are, beside ten that are saved up. Absent: 1.
    #[serde(default = "defaults::retries")]
    pub(crate) retries: u32,
    /// How many requests a server may have at a time; the next server gets more, and where there is none
    /// the client gets 503. Absent: as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_requests: Option<u32>,
    /// Speak HTTP/2 to the servers, which gRPC needs, and nothing else; without TLS they have to know
    /// beforehand. WebSockets cannot be opened there. Absent: HTTP/1.1.
    #[serde(default)]
    pub(crate) http2: bool,
    /// How it is told who asks. Absent: as `gateway.identity` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<Identity>,
    /// The audience of the gateway's own tokens for it. Absent: the upstream's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    /// TLS other than by the machine's certificate authorities and without a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<ServerTls>,
    /// Ask every server whether it is well. Absent: servers are judged by their requests alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<HealthCheck>,
}

/// How every server is asked whether it is well: by a GET that has to be answered with a status below 400.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthCheck {
    /// Path, behind the one of the server's address: `/health`.
    pub(crate) path: String,
    /// The pause between two questions. Absent: 5s.
    #[serde(default = "defaults::health_every")]
    pub(crate) every: Span,
    /// How long an answer may take. Absent: 2s.
    #[serde(default = "defaults::health_timeout")]
    pub(crate) timeout: Span,
    /// So many good answers in a row bring a server back. Absent: 2.
    #[serde(default = "defaults::healthy_after")]
    pub(crate) healthy_after: u32,
    /// So many bad ones take it out. Absent: 3.
    #[serde(default = "defaults::unhealthy_after")]
    pub(crate) unhealthy_after: u32,
}

/// TLS to servers whose addresses are `https`. Files are read at the start.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerTls {
    /// PEM file with the authorities that may vouch for the servers. Absent: those of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM file with the certificate chain that the gateway shows, its own certificate first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate_file: Option<PathBuf>,
    /// PEM file with the private key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// The name that the servers' certificates have to be for. Absent: the host of their addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
}

/// How the next server is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Balance {
    /// Of two that are drawn, the one with fewer requests under way.
    LeastRequests,
    /// One after the other.
    RoundRobin,
    /// The same for the same party.
    Hash,
}

/// Whose requests stay at one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HashBy {
    /// Those for one subject.
    Subject,
    /// Those of one client.
    Client,
    /// Those from one address; of IPv6 one /64.
    Network,
}

// === impl Upstream ===

impl Upstream {
    /// What the gateway is told, but for the files of its TLS.
    pub(crate) fn rule(&self) -> UpstreamRule {
        match self {
            Self::Address(address) => address.clone().into(),
            Self::Servers(table) => table.rule(),
        }
    }

    /// TLS to its servers, where it is another than usual.
    pub(crate) fn tls(&self) -> Option<&ServerTls> {
        match self {
            Self::Address(_) => None,
            Self::Servers(table) => table.tls.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Upstream;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "an address such as \"http://127.0.0.1:9000\", or a table with `servers`",
                )
            }

            fn visit_str<E>(self, text: &str) -> Result<Upstream, E> {
                Ok(Upstream::Address(text.to_owned()))
            }

            // Not an untagged enum: that would not say which member is wrong.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Upstream, A::Error> {
                Servers::deserialize(MapAccessDeserializer::new(map))
                    .map(|table| Upstream::Servers(Box::new(table)))
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

// === impl Servers ===

impl Servers {
    fn rule(&self) -> UpstreamRule {
        use gateway::{Balance as To, HashBy as By};

        let by = match self.hash_by {
            Some(HashBy::Subject) => By::Subject,
            Some(HashBy::Client) => By::Client,
            Some(HashBy::Network) | None => By::Network,
        };
        UpstreamRule {
            servers: self.servers.clone(),
            balance: match self.balance {
                Balance::LeastRequests => To::LeastRequests,
                Balance::RoundRobin => To::RoundRobin,
                Balance::Hash => To::Hash(by),
            },
            timeout: self.timeout.map(Span::duration),
            connect_timeout: self.connect_timeout.duration(),
            fail_after: self.fail_after,
            retries: self.retries,
            max_requests: self.max_requests,
            tls: None,
            http2: self.http2,
            identity: self.identity.map(Identity::form),
            audience: self.audience.clone(),
            health: self.health.as_ref().map(|health| HealthRule {
                path: health.path.clone(),
                every: health.every.duration(),
                timeout: health.timeout.duration(),
                healthy_after: health.healthy_after,
                unhealthy_after: health.unhealthy_after,
            }),
        }
    }

    fn check(&self, path: &str, found: &mut Vec<Finding>) {
        let mut wrong = |member: &str, words: &str| {
            found.push((format!("{path}.{member}"), words.to_owned()));
        };
        if self.servers.is_empty() || self.servers.len() > 64 {
            wrong("servers", "must name at least one server and at most 64");
        }
        match (self.balance, self.hash_by) {
            (Balance::Hash, None) => {
                wrong("balance", "`hash` needs `hash_by`: `subject`, `client` or `network`");
            }
            (Balance::LeastRequests | Balance::RoundRobin, Some(_)) => {
                wrong("hash_by", "goes with `balance = \"hash\"`: add that, or remove this");
            }
            _ => {}
        }
        if self.timeout.is_some_and(|timeout| timeout.duration().is_zero()) {
            wrong("timeout", "must be more than 0s");
        }
        if self.connect_timeout.duration().is_zero() {
            wrong("connect_timeout", "must be more than 0s");
        }
        if self.max_requests == Some(0) {
            wrong("max_requests", "must be at least 1; leave it out for as many as come");
        }
        if let Some(tls) = &self.tls {
            if self.servers.iter().any(|server| !server.starts_with("https://")) {
                wrong("tls", "goes with servers that all begin with https://");
            }
            if tls.client_certificate_file.is_some() != tls.client_key_file.is_some() {
                wrong("tls", "`client_certificate_file` and `client_key_file` go together");
            }
            let name = tls.server_name.as_deref();
            if name.is_some_and(|name| ServerName::try_from(name).is_err()) {
                wrong("tls.server_name", "must be a host name or an address");
            }
        }
        if let Some(health) = &self.health {
            if !health.path.starts_with('/') || health.path.parse::<PathAndQuery>().is_err() {
                wrong("health.path", "must be a path such as /health");
            }
            let spans = [health.every, health.timeout];
            let counts = [health.healthy_after, health.unhealthy_after];
            if spans.iter().any(|span| span.duration().is_zero()) || counts.contains(&0) {
                wrong("health", "its times must be more than 0s, and its counts at least 1");
            }
        }
        for server in &self.servers {
            address(&format!("{path}.servers"), server, found);
        }
        let mut servers: Vec<_> = self.servers.iter().collect();
        servers.sort_unstable();
        if let Some([twice, _]) = servers.array_windows().find(|[one, other]| one == other) {
            found
                .push((format!("{path}.servers"), format!("`{twice}` is there twice; remove one")));
        }
    }
}

/// Every mistake in the upstreams.
pub(super) fn check(upstreams: &BTreeMap<String, Upstream>, found: &mut Vec<Finding>) {
    for (name, upstream) in upstreams {
        let path = format!("gateway.upstreams.{name}");
        match upstream {
            Upstream::Address(text) => address(&path, text, found),
            Upstream::Servers(table) => table.check(&path, found),
        }
        if let Some(Err(wrong)) = upstream.tls().map(files::read) {
            found.push((format!("{path}.tls"), wrong));
        }
    }
}

fn address(path: &str, text: &str, found: &mut Vec<Finding>) {
    let good = Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    });
    if !good {
        let words = format!("`{text}` is not an address such as http://127.0.0.1:9000");
        found.push((path.to_owned(), words));
    }
}
