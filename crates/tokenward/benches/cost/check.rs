//! Checks that other proxies ask for, and the load of one Envoy: many calls on one connection.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use envoy_types::ext_authz::v3::pb::{Address, CheckRequest, HeaderValue};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, attribute_context as attribute};
use tonic::transport::Channel;

use crate::load::{Done, Request};

/// Fields of a usual client, beside its token.
const FIELDS: [(&str, &str); 4] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("x-forwarded-for", "127.0.0.1"),
];

/// As Traefik and Caddy ask.
pub(crate) fn forwarded(host: &str, token: &str) -> Request {
    let more = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /api\r\nX-Forwarded-Host: api\r\n";
    Request::with(host, "/forward-auth", &format!("{}{more}", fields(token)))
}

/// As Envoy asks over HTTP.
pub(crate) fn prefixed(host: &str, token: &str) -> Request {
    Request::with(host, "/ext_authz/api", &fields(token))
}

fn fields(token: &str) -> String {
    let usual: String = FIELDS.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{usual}Authorization: Bearer {token}\r\n")
}

/// As Envoy asks by gRPC.
pub(crate) fn call(token: &str) -> CheckRequest {
    let bearer = format!("Bearer {token}");
    let pseudo = [(":method", "GET"), (":path", "/api"), (":authority", "api")];
    let fields = FIELDS.into_iter().chain(pseudo).chain([("authorization", bearer.as_str())]);
    let headers = fields.map(|(name, value)| HeaderValue {
        key: name.to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    });
    let http = attribute::HttpRequest {
        method: "GET".to_owned(),
        path: "/api".to_owned(),
        host: "api".to_owned(),
        header_map: Some(core::HeaderMap { headers: headers.collect() }),
        ..attribute::HttpRequest::default()
    };
    let socket =
        core::SocketAddress { address: "127.0.0.1".to_owned(), ..core::SocketAddress::default() };
    let address = core::Address { address: Some(Address::SocketAddress(socket)) };
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(attribute::Peer { address: Some(address), ..attribute::Peer::default() }),
            request: Some(attribute::Request { http: Some(http), ..attribute::Request::default() }),
            ..AttributeContext::default()
        }),
    }
}

/// Makes call after call for `span`, so many at the same time.
pub(crate) async fn run(
    address: &str,
    at_once: usize,
    calls: &[CheckRequest],
    span: Duration,
) -> Done {
    let channel = Channel::from_shared(format!("http://{address}")).expect("address");
    let channel = channel.connect().await.expect("connection");
    let (until, done) = (Instant::now() + span, RefCell::new((0, 0, Vec::new())));
    let one = |first: usize| {
        let (mut client, done) = (AuthorizationClient::new(channel.clone()), &done);
        async move {
            let mut next = first;
            while Instant::now() < until {
                let sent = Instant::now();
                let answer = client.check(calls[next % calls.len()].clone()).await;
                let status = answer.expect("an answer").into_inner().status;
                let mut done = done.borrow_mut();
                done.0 += 1;
                done.1 += usize::from(status.expect("status").code != 0);
                done.2.push(sent.elapsed().as_secs_f64() * 1e6);
                next += at_once;
            }
        }
    };
    futures_util::future::join_all((0..at_once).map(one)).await;
    let (answered, failed, latencies) = done.into_inner();
    Done { answered, failed, latencies }
}
