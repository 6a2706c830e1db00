//! The check over HTTP: NGINX `auth_request`, Traefik and Caddy forward-auth, Envoy's `http_service`.

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::checker::{Allowed, Checker, Decision};
use crate::described::{BadDescription, Described, FORWARDED, ORIGINAL, Told};
use crate::problem::{Kind, Problem};

/// Envoy puts this before the original path.
const BY_PREFIX: &str = "/ext_authz";
/// For proxies that describe the request by `X-Forwarded-Method` and `X-Forwarded-Uri`.
const BY_FORWARDED: &str = "/forward-auth";
/// For proxies that describe it by `X-Original-Method` and `X-Original-URI`.
const BY_ORIGINAL: &str = "/auth-request";

/// Names of fields, by commas, that Envoy takes out of what it forwards.
const ENVOY_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");
/// The status and the body that a client is to get, where the proxy knows of 401 and 403 only.
const REFUSAL_STATUS: HeaderName = HeaderName::from_static("tokenward-refusal-status");
const REFUSAL_BODY: HeaderName = HeaderName::from_static("tokenward-refusal-body");

/// Answers proxies that ask over HTTP. All clones are the same one.
#[derive(Clone)]
pub struct ForwardAuth(Checker);

// === impl ForwardAuth ===

impl ForwardAuth {
    /// Over this check.
    pub fn new(checker: Checker) -> Self {
        Self(checker)
    }

    /// Answers a proxy whose word is taken. A [`ClientCertificate`](token::client_certificate::ClientCertificate)
    /// in the extensions is what the proxy's client has shown of itself.
    pub async fn answer(&self, head: Parts) -> Response<Bytes> {
        let path = head.uri.path();
        if path.strip_prefix(BY_PREFIX).is_some_and(|rest| rest.starts_with('/')) {
            return match self.decide(Told::by_prefix(&head, BY_PREFIX), head, &[]).await {
                Decision::Allowed(allowed) => removing(&allowed, set_by(&allowed)),
                Decision::Refused(answer) => answer.map(Bytes::from),
            };
        }
        match path {
            BY_FORWARDED => {
                match self.decide(Told::by_forwarded(&head.headers), head, &FORWARDED).await {
                    Decision::Allowed(allowed) => set_by(&allowed),
                    Decision::Refused(answer) => answer.map(Bytes::from),
                }
            }
            BY_ORIGINAL => {
                match self.decide(Told::by_original(&head.headers), head, &ORIGINAL).await {
                    Decision::Allowed(allowed) => set_by(&allowed),
                    Decision::Refused(answer) => folded(answer),
                }
            }
            _ => self.other(&head.method, path),
        }
    }

    /// `telling` are the proxy's fields, of which the client has sent nothing.
    async fn decide(
        &self,
        told: Result<Told, BadDescription>,
        asking: Parts,
        telling: &[HeaderName],
    ) -> Decision {
        match told {
            Ok(told) => {
                let Parts { mut headers, extensions, .. } = asking;
                for name in telling {
                    headers.remove(name);
                }
                let certificate = extensions.get().cloned();
                self.0.decide(&Described::new(told, headers, certificate)).await
            }
            Err(wrong) => Decision::Refused(self.0.refuse(wrong, &asking)),
        }
    }

    /// The metadata, which proxies fetch here for their clients; everything else is a mistake of theirs.
    fn other(&self, method: &Method, path: &str) -> Response<Bytes> {
        let reads = method == Method::GET || method == Method::HEAD;
        let Some(document) = self.0.metadata(path).filter(|_| reads) else {
            let words = "proxies ask at /auth-request, /forward-auth, /ext_authz/… or by gRPC";
            let (status, kind) = (StatusCode::NOT_FOUND, Kind::UnknownRoute);
            let problem = Problem { status, error: "not_found", kind, detail: words };
            return problem.answer(&self.0.new_id()).map(Bytes::from);
        };
        let mut response = Response::new(document);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        // Clients in browsers read it before they have a token.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}

/// 200 with the identity fields. Nobody may keep it: the token can be taken back at any time.
fn set_by(allowed: &Allowed) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(allowed.set().map(|(name, value)| (name.clone(), value.clone())));
    headers.extend(allowed.limits());
    response
}

fn removing(allowed: &Allowed, mut response: Response<Bytes>) -> Response<Bytes> {
    let names: Vec<&str> = allowed.remove().iter().map(HeaderName::as_str).collect();
    if let Ok(names) = HeaderValue::from_str(&names.join(","))
        && !names.is_empty()
    {
        response.headers_mut().insert(ENVOY_REMOVE, names);
    }
    response
}

/// For NGINX, which passes on 401 and 403 and makes 500 of all else, and in older versions keeps one
/// challenge alone: the status of the two that is nearer, all challenges in one field (RFC 9110 §11.6.1),
/// and the whole answer in fields for the recipe.
fn folded(answer: Response<String>) -> Response<Bytes> {
    let (mut head, body) = answer.into_parts();
    let status = head.status;
    if status != StatusCode::UNAUTHORIZED {
        head.status = StatusCode::FORBIDDEN;
    }
    let challenges: Vec<&[u8]> =
        head.headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&challenges.join(&b", "[..]))
        && !joined.is_empty()
    {
        head.headers.insert(WWW_AUTHENTICATE, joined);
    }
    head.headers.insert(REFUSAL_STATUS, HeaderValue::from(status.as_u16()));
    if let Ok(text) = HeaderValue::from_str(&body) {
        head.headers.insert(REFUSAL_BODY, text);
    }
    Response::from_parts(head, Bytes::from(body))
}
