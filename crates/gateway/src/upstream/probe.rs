//! Servers that are asked whether they are well, beside being judged by the requests that they get.

use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request};

use crate::body::RequestBody;
use crate::upstream::Upstream;
use crate::upstream::lent::Lent;
use crate::upstream::pool::UpstreamClient;
use crate::upstream::rule::HealthRule;
use crate::upstream::server::Server;

/// How the servers of an upstream are asked.
pub(crate) struct Probe {
    path: PathAndQuery,
    every: Duration,
    timeout: Duration,
    healthy_after: u32,
    unhealthy_after: u32,
}

// === impl Probe ===

impl Probe {
    /// `None` when no server could be asked so.
    pub(crate) fn new(rule: &HealthRule) -> Option<Self> {
        let path: PathAndQuery = rule.path.parse().ok()?;
        let counts = rule.healthy_after > 0 && rule.unhealthy_after > 0;
        let times = !rule.every.is_zero() && !rule.timeout.is_zero();
        (rule.path.starts_with('/') && counts && times).then_some(Self {
            path,
            every: rule.every,
            timeout: rule.timeout,
            healthy_after: rule.healthy_after,
            unhealthy_after: rule.unhealthy_after,
        })
    }

    /// Asks one server for as long as this is polled.
    pub(crate) async fn watch(
        &self,
        upstream: &Upstream,
        server: &Arc<Server>,
        client: &UpstreamClient,
    ) {
        let mut well = server.health.is_well();
        // How many answers in a row say otherwise.
        let mut against = 0;
        loop {
            against =
                if self.ask(upstream, server, client).await == well { 0 } else { against + 1 };
            let enough = if well { self.unhealthy_after } else { self.healthy_after };
            if against >= enough {
                well = !well;
                against = 0;
                upstream.probed(server, well);
            }
            tokio::time::sleep(self.every).await;
        }
    }

    /// Whether it is well: it answers in time, and not with an error.
    async fn ask(&self, upstream: &Upstream, server: &Server, client: &UpstreamClient) -> bool {
        let Some(uri) = server.address.uri(&self.path) else { return false };
        let mut request = Request::new(Lent::new(RequestBody::none(), None));
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert("user-agent", HeaderValue::from_static("tokenward-health"));
        if !upstream.is_http2() {
            headers.insert(HOST, server.address.host().clone());
        }
        let answer =
            tokio::time::timeout(self.timeout, client.request(server, request, None)).await;
        let answer = answer.ok().and_then(Result::ok);
        answer.is_some_and(|answer| answer.status().as_u16() < 400)
    }
}
