//! The listener for proxies that ask: off unless it is configured, and for trusted callers alone.

use std::net::Ipv4Addr;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::support::http::{Answer, Http};
use crate::support::port::free_port;
use crate::support::served::Served;

fn ask(http: &Http, port: u16, path: &str) -> Answer {
    let request = Request::get(format!("http://127.0.0.1:{port}{path}"))
        .header("x-forwarded-for", "127.0.0.1")
        .header("x-forwarded-host", "api.example")
        .header("x-forwarded-method", "GET")
        .header("x-forwarded-uri", "/healthz");
    http.send(request.body(Full::<Bytes>::default()).expect("request"))
}

#[test]
fn only_trusted_callers_may_ask() {
    let port = free_port();
    let auth = format!("[gateway.auth]\nlisten = \"127.0.0.1:{port}\"");
    let served = Served::start(&auth);
    let other = Http::from(Ipv4Addr::new(127, 0, 0, 77));
    let grpc = "/envoy.service.auth.v3.Authorization/Check";
    let metadata = "/.well-known/oauth-protected-resource";
    for path in ["/forward-auth", "/auth-request", "/ext_authz/healthz", grpc, metadata, "/"] {
        let answer = ask(&other, port, path);
        assert_eq!(answer.expect(403)["error"], "access_denied", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(ask(&served.http, port, "/forward-auth").expect(401)["error"], "unauthenticated");
    assert_eq!(ask(&served.http, port, metadata).expect(200)["resource"], served.gateway(""));
    let served = served.restart(&format!("{auth}\ntrusted_callers = [\"127.0.0.77/32\"]"));
    assert_eq!(ask(&other, port, "/forward-auth").status, 401);
    assert_eq!(ask(&served.http, port, "/forward-auth").status, 403);
    let served = served.restart("");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "off unless configured");
    assert_eq!(
        ask(&served.http, port_of(&served), "/forward-auth").status,
        401,
        "a path like others"
    );
}

/// The gateway's own port.
fn port_of(served: &Served) -> u16 {
    served.gateway("").rsplit(':').next().and_then(|port| port.parse().ok()).expect("port")
}
