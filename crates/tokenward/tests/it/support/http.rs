//! A small HTTP client for the tests: follows no redirect, keeps no cookie, checks nothing.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client with a runtime of its own.
pub(crate) struct Http {
    runtime: tokio::runtime::Runtime,
    client: Client<HttpConnector, Full<Bytes>>,
    from: Option<Ipv4Addr>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self::make(None)
    }

    /// A client whose connections come from another loopback address.
    pub(crate) fn from(address: Ipv4Addr) -> Self {
        Self::make(Some(address))
    }

    fn make(from: Option<Ipv4Addr>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let mut connector = HttpConnector::new();
        connector.set_local_address(from.map(Into::into));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { runtime, client, from }
    }

    pub(crate) fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let line = format!("{} {} from {:?}", request.method(), request.uri(), self.from);
        self.runtime.block_on(async {
            let sent = tokio::time::timeout(Duration::from_secs(30), self.client.request(request));
            let response = sent
                .await
                .unwrap_or_else(|_| panic!("{line}: no answer in 30 s"))
                .unwrap_or_else(|error| panic!("{line}: {error:?}"));
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }

    /// Whether a request is answered at all.
    pub(crate) fn try_get(&self, url: &str) -> Option<u16> {
        let request = Request::get(url).body(Full::default()).expect("request");
        self.runtime.block_on(async {
            let sent = tokio::time::timeout(Duration::from_secs(5), self.client.request(request));
            Some(sent.await.ok()?.ok()?.status().as_u16())
        })
    }

    pub(crate) fn get(&self, url: &str, token: Option<&str>) -> Answer {
        self.json("GET", url, token, None)
    }

    pub(crate) fn json(
        &self,
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).expect("method"))
            .uri(url);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send(request.body(Full::new(bytes)).expect("request"))
    }

    pub(crate) fn post_form(
        &self,
        url: &str,
        basic: Option<(&str, &str)>,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let mut request =
            Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = basic {
            use base64::Engine as _;
            let encode =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(id), encode(secret));
            let basic = base64::engine::general_purpose::STANDARD.encode(pair);
            request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
        }
        self.send(request.body(Full::new(Bytes::from(form(parameters)))).expect("request"))
    }
}

impl Answer {
    /// The JSON body, when the status is the wanted one.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}
