//! Every door, asked about the same request in its own way, and what it says.

use std::net::{IpAddr, Ipv4Addr};

use envoy_types::ext_authz::v3::pb::{
    Address, CheckRequest, CheckResponse, HeaderValue, HttpResponse, HttpStatusCode,
};
use envoy_types::pb::envoy::config::core::v3::{self as core, SocketAddress};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context as attribute;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use gateway::guard::{Beside, GuardRule};
use gateway::{Access, Inspect, RouteRule};
use http::{HeaderMap, Request, Response};
use tonic::transport::Channel;

use crate::house::{House, exchange};

/// A client's request.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) fields: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The gateway's own.
    Proxy,
    /// Inside another service, by the gateway's routes.
    Layer,
    /// The same at a place that the service has found; it demands these scopes.
    Place(&'static [&'static str]),
    /// Envoy by gRPC, with fields as bytes.
    GrpcBytes,
    /// Envoy by gRPC, with fields as text.
    GrpcText,
    /// Envoy over HTTP.
    Prefix,
    /// Traefik, Caddy, HAProxy.
    Forwarded,
    /// NGINX.
    Original,
}

/// What a client gets in the end, and what the API then gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) challenge: String,
    pub(crate) allow: String,
    pub(crate) policies: String,
    /// How many seconds to wait; 0 for none.
    pub(crate) retry_after: u64,
    /// Without the request's id.
    pub(crate) body: String,
    pub(crate) named: String,
}

/// The doors of proxies of other makers.
pub(crate) const OTHERS: [Door; 5] =
    [Door::GrpcBytes, Door::GrpcText, Door::Prefix, Door::Forwarded, Door::Original];

impl Door {
    /// What a client is told that comes by this door.
    pub(crate) async fn ask(self, house: &House, asked: &Asked) -> Said {
        match self {
            Self::Proxy => proxy(house, asked).await,
            Self::Layer => layer(house, asked, &house.guard.routes()),
            Self::Place(scopes) => {
                let rule = RouteRule {
                    upstream: "api".to_owned(),
                    inspect: Inspect::Enforce,
                    ..RouteRule::new("/{path...}", Access::scopes(scopes.iter().copied()))
                };
                layer(house, asked, &house.guard.place(&rule).expect("rule"))
            }
            Self::GrpcBytes | Self::GrpcText => grpc(house, asked, self == Self::GrpcText).await,
            Self::Prefix => {
                let target = format!("/ext_authz{}", asked.target);
                said(house.http.answer(head(asked, asked.method, &target, &[])))
            }
            Self::Forwarded => {
                let told = [
                    ("x-forwarded-method", asked.method),
                    ("x-forwarded-uri", asked.target),
                    ("x-forwarded-host", "api.example"),
                ];
                said(house.http.answer(head(asked, "GET", "/forward-auth", &told)))
            }
            Self::Original => {
                let told = [("x-original-method", asked.method), ("x-original-uri", asked.target)];
                unfolded(house.http.answer(head(asked, "GET", "/auth-request", &told)))
            }
        }
    }
}

async fn proxy(house: &House, asked: &Asked) -> Said {
    let fields: String =
        asked.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "{} {} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n{fields}\r\n",
        asked.method, asked.target
    );
    let answer = exchange(house.proxy, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).expect("status");
    let mut response = Response::new(bytes::Bytes::from(body.to_owned()));
    *response.status_mut() = status;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: http::HeaderName = name.parse().expect("name");
        response.headers_mut().append(name, value.parse().expect("value"));
    }
    said(response)
}

fn layer(house: &House, asked: &Asked, rule: &GuardRule) -> Said {
    let head = head(asked, asked.method, asked.target, &[]);
    let beside = Beside { ip: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), body: None };
    let checked = house.guard.check(&head, &beside, rule);
    let checked = checked.map_err(|stopped| Box::new(stopped.into_answer()));
    match checked.and_then(|passed| passed.inspect_head(&head)) {
        Ok(passed) => {
            let mut answer = Response::new(bytes::Bytes::new());
            *answer.headers_mut() = passed.limits();
            passed.answered(http::StatusCode::OK);
            said(answer)
        }
        Err(answer) => said(answer.map(bytes::Bytes::from)),
    }
}

async fn grpc(house: &House, asked: &Asked, as_text: bool) -> Said {
    let answer = check(house, call(asked, as_text)).await;
    let allowed = answer.status.expect("status").code == 0;
    let mut response = Response::new(bytes::Bytes::new());
    match answer.http_response.expect("response") {
        HttpResponse::OkResponse(_) => assert!(allowed),
        HttpResponse::DeniedResponse(denied) => {
            assert!(!allowed);
            let code = denied.status.expect("status").code;
            assert!(HttpStatusCode::try_from(code).is_ok(), "Envoy knows no status {code}");
            *response.status_mut() =
                u16::try_from(code).ok().and_then(|code| code.try_into().ok()).expect("status");
            for field in denied.headers.into_iter().filter_map(|field| field.header) {
                let name: http::HeaderName = field.key.parse().expect("name");
                response.headers_mut().append(name, field.value.parse().expect("value"));
            }
            *response.body_mut() = denied.body.into();
        }
        HttpResponse::ErrorResponse(error) => panic!("{error:?}"),
    }
    said(response)
}

/// Asks by gRPC.
pub(crate) async fn check(house: &House, call: CheckRequest) -> CheckResponse {
    let channel = Channel::from_shared(format!("http://{}", house.grpc)).expect("address");
    let channel = channel.connect().await.expect("connection");
    AuthorizationClient::new(channel).check(call).await.expect("an answer").into_inner()
}

/// The request as Envoy describes it.
pub(crate) fn call(asked: &Asked, as_text: bool) -> CheckRequest {
    let mut http = attribute::HttpRequest {
        method: asked.method.to_owned(),
        path: asked.target.to_owned(),
        host: "api.example".to_owned(),
        ..attribute::HttpRequest::default()
    };
    let pseudo = (":path", asked.target.to_owned());
    let fields = asked.fields.iter().cloned().chain([pseudo]);
    if as_text {
        // As Envoy does it: fields of one name become one.
        for (name, value) in fields {
            let joined = http.headers.entry(name.to_owned()).or_default();
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(&value);
        }
    } else {
        let headers = fields.map(|(name, value)| HeaderValue {
            key: name.to_owned(),
            raw_value: value.into_bytes(),
            ..HeaderValue::default()
        });
        http.header_map = Some(core::HeaderMap { headers: headers.collect() });
    }
    let socket = SocketAddress { address: "127.0.0.1".to_owned(), ..SocketAddress::default() };
    let address = core::Address { address: Some(Address::SocketAddress(socket)) };
    let attributes = AttributeContext {
        source: Some(attribute::Peer { address: Some(address), ..attribute::Peer::default() }),
        request: Some(attribute::Request { http: Some(http), ..attribute::Request::default() }),
        ..AttributeContext::default()
    };
    CheckRequest { attributes: Some(attributes) }
}

/// What a proxy sends over HTTP: the client's fields, and what it says itself.
pub(crate) fn head(
    asked: &Asked,
    method: &str,
    target: &str,
    told: &[(&str, &str)],
) -> http::request::Parts {
    let mut request = Request::builder().method(method).uri(target).header("host", "api.example");
    for (name, value) in &asked.fields {
        request = request.header(*name, value);
    }
    request = request.header("x-forwarded-for", "127.0.0.1");
    for (name, value) in told {
        request = request.header(*name, *value);
    }
    request.body(()).expect("request").into_parts().0
}

/// What a client gets of an answer.
fn said(answer: Response<bytes::Bytes>) -> Said {
    let (head, body) = answer.into_parts();
    let mut body = String::from_utf8(body.to_vec()).expect("text");
    let named = joined(&head.headers, "x-request-id");
    if !body.is_empty() {
        // Every request has a name of its own.
        assert_eq!(joined(&head.headers, "content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(problem["request_id"], named, "{body}");
        body = body.replacen(&named, "", 1);
    }
    Said {
        status: head.status.as_u16(),
        challenge: joined(&head.headers, "www-authenticate"),
        allow: joined(&head.headers, "allow"),
        policies: joined(&head.headers, "ratelimit-policy"),
        retry_after: joined(&head.headers, "retry-after").parse().unwrap_or_default(),
        body,
        named,
    }
}

/// The same by NGINX's recipe.
fn unfolded(answer: Response<bytes::Bytes>) -> Said {
    let told = joined(answer.headers(), "tokenward-refusal-status");
    let body = joined(answer.headers(), "tokenward-refusal-body");
    let mut said = said(answer);
    if said.status == 200 {
        return said;
    }
    assert!([401, 403].contains(&said.status), "NGINX knows no {}", said.status);
    assert_eq!(said.body, body.replacen(&said.named, "", 1));
    said.status = told.parse().expect("status");
    said
}

fn joined(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<_> =
        headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect();
    values.join(", ")
}
