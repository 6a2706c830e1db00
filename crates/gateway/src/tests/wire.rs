//! What arrives upstream, byte for byte, and what comes back.

use token::term::AddressField;

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, body, error, field, local_proxies, settings, status};

async fn house() -> (House, Recording) {
    let upstream = Recording::new().await;
    (House::new(upstream.address).await, upstream)
}

#[tokio::test]
async fn a_form_has_no_second_token() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read orders:write");
    let post = async |form: &str, kind: &str| {
        let length = form.len();
        let fields = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{form}");
        house.ask_as(&token, "POST /orders", &fields).await
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    for form in ["access_token=other", "a=b&%61ccess_token=other", "a=b;access_token"] {
        let answer = post(form, FORM).await;
        assert_eq!((status(&answer), &*error(&answer)), (400, "invalid_request"), "{form}");
        let (_, request) = house.events.next().await;
        assert_eq!(request.refused.expect("refused").to_string(), "two_tokens", "{form}");
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(status(&post("a=access_token&b=c", FORM).await), 200);
    let sent = upstream.requests().pop().expect("a request");
    assert!(sent.ends_with("a=access_token&b=c"), "sent on as it came: {sent}");
    assert_eq!(status(&post("access_token=other", "text/plain").await), 200);
}

#[tokio::test]
async fn the_request_as_it_arrives() {
    let (house, upstream) = house().await;
    let mut claims = house.claims();
    claims["jti"] = "t1".into();
    claims["sub"] = "per\u{e9} 1\r\nTokenward-Scope: admin".into();
    let token = house.sign(&claims);
    let fields = "Accept: */*\r\nX-Custom: kept\r\n";
    let answer = house.ask_as(&token, "GET /orders/%37?b=%41&a=1&&x=%zz", fields).await;
    assert_eq!(status(&answer), 200);
    let host = upstream.address;
    let expected = format!(
        "GET /orders/7?b=%41&a=1&&x=%zz HTTP/1.1\r\n\
         accept: */*\r\n\
         host: {host}\r\n\
         tokenward-client: c1\r\n\
         tokenward-scope: orders:read orders:write\r\n\
         tokenward-subject: per%C3%A9%201%0D%0ATokenward-Scope:%20admin\r\n\
         tokenward-token-id: t1\r\n\
         x-custom: kept\r\n\
         x-forwarded-for: 127.0.0.1\r\n\
         x-forwarded-host: api.example\r\n\
         x-forwarded-proto: http\r\n\
         x-request-id: {}",
        field(&answer, "x-request-id").expect("a name")
    );
    let arrived = upstream.only();
    let (line, fields) = arrived.trim_end().split_once("\r\n").expect("head");
    let mut fields: Vec<&str> = fields.split("\r\n").collect();
    fields.sort_unstable();
    assert_eq!(format!("{line}\r\n{}", fields.join("\r\n")), expected);
}

#[tokio::test]
async fn what_the_client_may_not_say_is_removed() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read");
    let forbidden = [
        "Tokenward-Subject: root",
        "TOKENWARD-SCOPE: admin",
        "Tokenward_Subject: root",
        "tokenward-anything: x",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "X-Forwarded-User: root",
        "X_Forwarded_User: root",
        "X-Forwarded-Client-Cert: x",
        "Forwarded: for=1.2.3.4",
        "X-Real-IP: 1.2.3.4",
        "SSL-Client-Subject-DN: CN=root",
        "X-SSL-Client-S-DN: CN=root",
        "X-Amzn-Mtls-Clientcert: x",
        "X-ARR-ClientCert: x",
        "X-Auth-Request-User: root",
        "X-Consumer-Username: root",
        "X-Goog-Authenticated-User-Email: root",
        "X-MS-Client-Principal-Name: root",
        "X-WebAuth-User: root",
        "X-WebAuth-Email: root",
        "CF-Access-Authenticated-User-Email: root",
        "CF-Connecting-IPv6: ::1",
        "Remote-Groups: root",
        "Tailscale-User-Login: root",
        "X-Authentik-Username: root",
        "X-Pomerium-Jwt-Assertion: x",
        "X-Vouch-User: root",
        "X-Endpoint-API-UserInfo: x",
        "X-Apigateway-Api-UserInfo: x",
        "X-Envoy-External-Address: 1.2.3.4",
        "WL-Proxy-Client-IP: 1.2.3.4",
        "X-Scheme: https",
        "X-Client-Cert: x",
        "Client-Cert: x",
        "SSL-Client-Verify: SUCCESS",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
        "X-Original-URI: /admin",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic x",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "TE: gzip",
        "Trailer: X-Custom",
        "Expect: 100-continue",
        "Proxy: http://x",
        "Tokenward.Subject: root",
    ];
    let fields: String = forbidden.iter().map(|field| format!("{field}\r\n")).collect();
    let answer = house.ask_as(&token, "GET /orders/7", &fields).await;
    assert_eq!(status(&answer), 200);
    let arrived = upstream.only();
    for forbidden in forbidden {
        let (name, value) = forbidden.split_once(": ").expect("field");
        assert_ne!(field(&arrived, name), Some(value), "{arrived}");
    }
    assert_eq!(field(&arrived, "tokenward-subject"), Some("u1"));
    assert_eq!(field(&arrived, "authorization"), None);
    assert_eq!(field(&arrived, "connection"), None);
    assert!(!arrived.contains('_'), "{arrived}");
}

#[tokio::test]
async fn connection_removes_what_it_names_but_nothing_that_matters() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.forward_token = true;
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    let fields = "X-Hop: 1\r\nCookie: a=1\r\nContent-Type: text/plain\r\n\
        Connection: x-hop, authorization, host, cookie, tokenward-subject, content-type, \
        x-forwarded-for, content-length\r\nContent-Length: 2\r\n";
    let request = format!(
        "PUT /orders/7 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n{fields}\r\nhi"
    );
    let writer = house.token("orders:read orders:write");
    let answer = house.raw(request.replace(&token, &writer)).await;
    assert_eq!(status(&answer), 200);
    let arrived = upstream.only();
    assert_eq!(field(&arrived, "x-hop"), None);
    assert_eq!(field(&arrived, "connection"), None);
    assert_eq!(field(&arrived, "authorization"), Some(format!("Bearer {writer}").as_str()));
    for (name, value) in [
        ("cookie", "a=1"),
        ("content-type", "text/plain"),
        ("content-length", "2"),
        ("tokenward-subject", "u1"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        assert_eq!(field(&arrived, name), Some(value));
    }
    assert_eq!(body(&arrived), "hi");
}

#[tokio::test]
async fn trailers_are_announced_to_the_next_hop() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read");
    house.ask_as(&token, "GET /orders/7", "TE: trailers, gzip;q=0.5\r\n").await;
    let arrived = upstream.only();
    assert_eq!(field(&arrived, "te"), Some("trailers"));
    assert_eq!(field(&arrived, "connection"), Some("te"));
}

#[tokio::test]
async fn request_trailers_bring_nothing_in() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read orders:write");
    let request = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Tokenward-Subject\r\n\r\n\
         2\r\nhi\r\n0\r\nTokenward-Subject: root\r\n\r\n"
    );
    assert_eq!(status(&house.raw(request).await), 200);
    let arrived = upstream.only();
    assert!(!arrived.contains("root"), "{arrived}");
    assert_eq!(body(&arrived), "2\r\nhi\r\n0\r\n\r\n");
}

#[tokio::test]
async fn an_upstream_may_have_a_path_of_its_own() {
    let upstream = Recording::new().await;
    let house = House::with(settings(&format!("http://{}/v1/", upstream.address))).await;
    let token = house.token("orders:read");
    house.ask_as(&token, "GET /orders/7?x", "").await;
    assert!(upstream.only().starts_with("GET /v1/orders/7?x HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_no_one_else() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    let fields = "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.2\r\nX-Forwarded-Proto: https\r\n";
    house.ask_as(&token, "GET /orders/7", fields).await;
    let arrived = upstream.only();
    assert_eq!(field(&arrived, "x-forwarded-for"), Some("203.0.113.9"));
    assert_eq!(field(&arrived, "x-forwarded-proto"), Some("https"));
    let (event, _) = house.events.next().await;
    assert_eq!(event.ip.expect("ip").to_string(), "203.0.113.9");
}

#[tokio::test]
async fn where_proxies_write_forwarded_nothing_else_is_believed() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::Forwarded);
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    let other = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n";
    let told = "Forwarded: for=\"6.6.6.6, for=\"[2001:db8::9]:80\";proto=https, for=127.0.0.2\r\n";
    for (fields, client, scheme) in [
        (format!("{told}{other}"), "2001:db8::9", "https"),
        (other.to_owned(), "127.0.0.1", "http"),
        (format!("{other}Forwarded: for=unknown;proto=https\r\n"), "127.0.0.1", "https"),
    ] {
        house.ask_as(&token, "GET /orders/7", &fields).await;
        let arrived = upstream.requests().pop().expect("one");
        assert_eq!(field(&arrived, "x-forwarded-for"), Some(client), "{fields}");
        assert_eq!(field(&arrived, "x-forwarded-proto"), Some(scheme), "{fields}");
        assert_eq!(field(&arrived, "forwarded"), None);
        let (event, _) = house.events.next().await;
        assert_eq!(event.ip.expect("ip").to_string(), client);
    }
}

#[tokio::test]
async fn the_answer_comes_back_clean() {
    let upstream = Recording::scripted(|_, _| {
        Reply::Send(
            "HTTP/1.1 201 Created\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
             Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nTokenward-Subject: root\r\nETag: \"x\"\r\n\
             Proxy-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n0\r\n\r\n"
                .into(),
        )
    })
    .await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let answer = house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!(status(&answer), 201);
    for name in ["x-hop", "keep-alive", "tokenward-subject", "proxy-authenticate"] {
        assert_eq!(field(&answer, name), None, "{answer}");
    }
    assert_eq!(field(&answer, "etag"), Some("\"x\""));
    assert_eq!(answer.matches("set-cookie").count(), 2);
    assert_eq!(body(&answer), "3\r\nabc\r\n0\r\n\r\n");
}

#[tokio::test]
async fn answers_without_a_body_keep_their_fields() {
    let upstream = Recording::scripted(|_, request| {
        Reply::Send(if request.starts_with("HEAD") {
            "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".into()
        } else {
            "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n".into()
        })
    })
    .await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let head = house.ask_as(&token, "HEAD /orders/7", "").await;
    assert_eq!((status(&head), field(&head, "content-length")), (200, Some("1234")));
    assert_eq!(body(&head), "");
    let unchanged = house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!((status(&unchanged), body(&unchanged)), (304, ""));
    assert_eq!(house.events.next().await.1.bytes_out, 0);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let upstream = Recording::scripted(|number, _| Reply::Send(ok(&number.to_string()))).await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let one = format!(
        "GET /orders/7 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let bad = "GET /orders/7 HTTP/1.1\r\nHost: api.example\r\n\r\n";
    let last = one.replace("Host:", "Connection: close\r\nHost:");
    let answer = house.raw(format!("{one}{bad}{one}{last}")).await;
    let statuses: Vec<&str> =
        answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "401", "200", "200"]);
    assert_eq!(upstream.requests().len(), 3);
}
