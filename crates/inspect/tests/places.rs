//! What is said of a finding: where it is, never what it was; and what is too much.

use inspect::{Anything, Excess, Expect, Expectations, Inspector, Limits, Place, Stop};

fn inspector() -> Inspector {
    Inspector::new(Limits { depth: 8, values: 50, parts: 4, body_bytes: 10_000 })
}

fn said(answer: Result<(), Stop>) -> String {
    answer.err().map_or_else(|| "nothing".to_owned(), |stop| stop.to_string())
}

#[test]
fn a_finding_names_its_place() {
    let inspector = inspector();
    let json =
        |text: &str| said(inspector.body(Some("application/json"), text.as_bytes(), &Anything));
    assert_eq!(json(r#"{"a":{"b":[1,"x","y' OR 1=1--"]}}"#), "sqli (tautology) in body $.a.b[2]");
    assert_eq!(json(r#"{"user":{"$ne":1}}"#), "nosql (operator_key) in body $.user.$ne");
    assert_eq!(
        said(inspector.path("/a/b/..%2f..%2fetc%2fpasswd", &Anything)),
        "traversal (climb_to_secret) in path segment 3"
    );
    assert_eq!(
        said(inspector.query("a=1&q=%3Cscript%3Ealert(1)%3C/script%3E", &Anything)),
        "xss (script_element) in query q"
    );
    assert_eq!(
        said(inspector.header("user-agent", b"${jndi:ldap://x/a}", &Anything)),
        "lookup (jndi) in header user-agent"
    );
    assert_eq!(
        said(inspector.header("cookie", b"a=1; b={{7*7}}", &Anything)),
        "template (arithmetic) in cookie b"
    );
    assert_eq!(
        said(inspector.query("user[$ne]=1", &Anything)),
        "nosql (operator_key) in query user[$ne]"
    );
}

#[test]
fn a_name_that_is_a_payload_is_not_repeated() {
    let text = r#"{"<script>alert(1)</script>": 1}"#;
    let words = said(inspector().body(Some("application/json"), text.as_bytes(), &Anything));
    assert!(!words.contains("script>") && words.contains("a name left out"), "{words}");
}

#[test]
fn each_excess_has_its_own_reason() {
    let inspector = inspector();
    let excess = |kind: &str, text: String| inspector.body(Some(kind), text.as_bytes(), &Anything);
    let is = |answer: Result<(), Stop>, excess| assert_eq!(answer, Err(Stop::Excess(excess)));
    is(excess("application/json", "[".repeat(9) + &"]".repeat(9)), Excess::Depth);
    is(excess("application/json", format!("[{}1]", "1,".repeat(60))), Excess::Values);
    is(excess("application/x-www-form-urlencoded", "a=1&".repeat(60)), Excess::Values);
    is(excess("text/plain", "a".repeat(10_001)), Excess::Bytes);
    is(
        excess("application/graphql", format!("query {}a{}", "{ a ".repeat(9), "}".repeat(9))),
        Excess::Depth,
    );
    is(excess("application/xml", "<a>".repeat(9)), Excess::Depth);
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    is(excess("multipart/form-data; boundary=b", part.repeat(5)), Excess::Parts);
    let deep = Inspector::new(Limits { depth: 1_000, ..Limits::default() });
    let text = "[".repeat(120) + &"]".repeat(120);
    is(deep.body(Some("application/json"), text.as_bytes(), &Anything), Excess::Depth);
}

#[test]
fn ways_to_the_prototype_are_told_from_talk_of_it() {
    let inspector = inspector();
    let json =
        |text: &str| said(inspector.body(Some("application/json"), text.as_bytes(), &Anything));
    assert_eq!(json(r#"{"a":{"__proto__":1}}"#), "prototype (prototype_key) in body $.a.__proto__");
    let pair = r#"{"constructor":{"prototype":{"admin":true}}}"#;
    assert_eq!(json(pair), "prototype (prototype_key) in body $.constructor.prototype");
    let patch = r#"{"op":"add","path":"/__proto__/admin","value":true}"#;
    assert_eq!(json(patch), "prototype (prototype_path) in body $.path");
    assert!(inspector.query("constructor[prototype][a]=b", &Anything).is_err());
    assert!(inspector.query("a=1&__proto__.b=c", &Anything).is_err());
    let honest = [
        r#"{"constructor":{"id":"ferrari","name":"Ferrari"},"prototype":{"version":2}}"#,
        r#"{"text":"In a class that extends A, B.__proto__ === A holds and so does the other."}"#,
        r#"{"title":"Remove use of constructor.prototype from the loader"}"#,
        r#"{"constructor":[{"prototype":"GT3"}],"path":"/constructor/7/name"}"#,
    ];
    for text in honest {
        assert_eq!(json(text), "nothing", "{text}");
    }
}

#[test]
fn what_is_torn_apart_is_put_together() {
    let inspector = inspector();
    assert!(inspector.query("admin' AND '1'='1", &Anything).is_err(), "no name, an equals sign");
    assert!(inspector.path("/static/C/etc/passwd", &Anything).is_err(), "steps to a secret file");
    assert!(inspector.query("cmd=id", &Anything).is_err(), "a parameter for commands");
    assert!(inspector.query("status=id&sort=ls", &Anything).is_ok());
    assert!(inspector.header("referer", b"${jndi:dns://x.example/}", &Anything).is_err());
    assert!(inspector.header("referer", b"http://localhost:3000/a?b=c", &Anything).is_ok());
    let local = "redirect_uri=http%3A%2F%2F127.0.0.1%3A51004%2Fcallback";
    assert!(inspector.query(local, &Anything).is_ok(), "where a browser is sent (RFC 8252)");
    assert!(inspector.query(&local.replace("redirect_", ""), &Anything).is_err());
}

/// One field is known.
struct Known(&'static str, Expect);

impl Expectations for Known {
    fn expect(&self, place: &Place) -> Expect {
        if *place == Place::BodyMember(self.0.to_owned()) { self.1 } else { Expect::Unknown }
    }
}

#[test]
fn what_a_field_is_for_changes_what_stands_there() {
    let inspector = inspector();
    let judge = |value: &str, expect| {
        let body = serde_json::json!({ "v": value }).to_string();
        inspector.body(Some("application/json"), body.as_bytes(), &Known("$.v", expect)).is_err()
    };
    let talk = "cat /etc/hosts";
    assert!(judge(talk, Expect::Unknown) && !judge(talk, Expect::FreeText));
    assert!(judge("; cat /etc/hosts", Expect::FreeText), "a payload alone is no text");
    let odd = "a'||b";
    assert!(!judge(odd, Expect::Unknown) && judge(odd, Expect::Identifier));
    let inner = "http://10.0.0.7/hook";
    assert!(judge(inner, Expect::Unknown) && judge(inner, Expect::Url { inner: false }));
    assert!(!judge(inner, Expect::Url { inner: true }));
    assert!(!judge("https://hooks.example/a", Expect::Url { inner: false }));
}

#[test]
fn broken_and_mislabelled_bodies_are_read_all_the_same() {
    let inspector = inspector();
    let found = |kind: Option<&str>, text: &[u8]| inspector.body(kind, text, &Anything).is_err();
    assert!(found(Some("application/json"), br#"{"a": "x' OR 1=1--", }"#), "a comma too many");
    assert!(found(Some("text/plain"), br#"{"a": "x' OR 1=1--"}"#), "JSON that says it is text");
    assert!(found(None, br#"{"a": {"$gt": ""}}"#), "nothing is said");
    assert!(found(Some("application/json"), b"<!DOCTYPE a [<!ENTITY b SYSTEM 'x'>]><a/>"));
    assert!(found(Some("application/xml"), b"<!DOCTYPE order><order/>"), "a document type at all");
    assert!(!found(Some("application/xhtml+xml"), b"<!DOCTYPE html><html/>"), "a page");
    assert!(
        found(Some("application/json"), br#"{"a": {"@type": "com.sun.rowset.JdbcRowSetImpl"}}"#),
        "a class to make"
    );
    assert!(!found(Some("application/json"), br#"{"@type": "Person", "$type": "invoice"}"#));
    let wide: Vec<u8> =
        r#"{"a":"x' OR 1=1--"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(found(Some("application/json"), &wide), "UTF-16");
    assert!(
        found(Some("application/json"), br#"{"a": "{\"b\": \"x' OR 1=1--\"}"}"#),
        "JSON in JSON"
    );
    assert!(!found(Some("image/png"), b"' OR 1=1--"), "not read at all");
}

#[test]
fn documents_may_name_what_is_on_their_own_host() {
    let json =
        |text: &str| said(inspector().body(Some("application/json"), text.as_bytes(), &Anything));
    let own = r#"{"url":"http://localhost:3000/a","issue":{"url":"http://localhost:3000/a/1"},
        "owner":{"avatar":"http://localhost:3000/u/7"}}"#;
    assert_eq!(json(own), "nothing");
    let fetched = r#"{"callback":"http://localhost:3000/a","name":"x"}"#;
    assert_eq!(json(fetched), "ssrf (inner_address) in body $.callback");
    assert_eq!(
        json(&own.replace("localhost:3000", "169.254.169.254")),
        "ssrf (metadata) in body $.url"
    );
}

#[test]
fn addresses_are_judged_by_their_parts() {
    let query = |text: &str| said(inspector().query(text, &Anything));
    assert_eq!(query("u=https://a.example/s?q%3Dunion%2Bselect%2Bof%2Bshirts"), "nothing");
    assert_eq!(
        query("u=https://a.example/s?q%3D1%2Bunion%2Bselect%2B1,2"),
        "sqli (union_select) in query u"
    );
}

#[test]
fn programs_are_no_pictures() {
    let file = |name: &str, kind: &str, text: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n{text}\r\n--b--\r\n"
        );
        said(inspector().body(Some("multipart/form-data; boundary=b"), body.as_bytes(), &Anything))
    };
    assert_eq!(file("a.png", "image/png", "<?php echo 1;"), "command (program_file) in body f");
    let shell = file("a.php", "text/plain", "<?php system($_GET['c']);");
    assert_eq!(shell, "command (program_file) in body f");
    assert_eq!(file("a.php", "text/plain", "<?php echo 'hello';"), "nothing");
}

#[test]
fn what_says_the_form_of_a_body_is_looked_at_too() {
    let kind = |text: &str| said(inspector().header("content-type", text.as_bytes(), &Anything));
    assert_eq!(kind("multipart/form-data; boundary=----Boundary7MA4YWxk"), "nothing");
    assert_eq!(
        kind("%{(#_='multipart/form-data').(#_memberAccess=@ognl.OgnlContext@DEFAULT)}"),
        "template (reach) in header content-type"
    );
}

#[test]
fn breaks_are_found_where_no_value_has_them() {
    let inspector = inspector();
    let json = |text: &str| {
        let body = serde_json::json!({ "a": text }).to_string();
        said(inspector.body(Some("application/json"), body.as_bytes(), &Anything))
    };
    assert_eq!(json("%0d%0a%0D%0A"), "splitting (encoded_break) in body $.a");
    let answer = "r%0d%0aX-Length:%200%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0aA:%20b%0d%0a%0d%0a<p>";
    assert_eq!(json(answer), "splitting (second_answer) in body $.a");
    assert_eq!(
        said(inspector.query("a%0D%0A=b", &Anything)),
        "splitting (broken_name) in query (a name left out)"
    );
    assert_eq!(
        said(inspector.header("x-a", br"\r\n", &Anything)),
        "splitting (escaped_break) in header x-a"
    );
    let exchange = "HTTP/1.1 301 Moved\r\nLocation: /a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    for text in [exchange, "10%0a", r"\r\n", "100%"] {
        assert_eq!(json(text), "nothing", "{text}");
    }
    for query in ["a=1&%0A%20b=2", "a=1%0A2", "a=%0Ab"] {
        assert_eq!(said(inspector.query(query, &Anything)), "nothing", "{query}");
    }
}

#[test]
fn addresses_that_no_honest_client_writes_are_found() {
    let inspector = inspector();
    let query = |text: &str| said(inspector.query(text, &Anything));
    let inner = "ssrf (inner_address) in query url";
    for host in ["7f000001", "192.175.48.1", "0:0:0:0:0:ffff:7f000001"] {
        assert_eq!(query(&format!("url=http://{host}/a")), inner, "{host}");
    }
    assert_eq!(query("url=ip6-loopback/"), inner);
    assert_eq!(query("url=http://0x7f001/a"), "ssrf (number_host) in query url");
    assert_eq!(query("url=https://metadata.packet.net/a"), "ssrf (metadata) in query url");
    assert_eq!(query("url=http://a.rbndr.us/a"), "ssrf (listener) in query url");
    for address in [
        "http://deadbeef/a",
        "http://0x.example/a",
        "http://192.176.48.1/a",
        "https://docs.packet.example/metadata",
        "http://0:0:0:0:0:ffff:08080808/a",
    ] {
        assert_eq!(query(&format!("url={address}")), "nothing", "{address}");
    }
}

#[test]
fn a_filter_is_found_that_the_sign_between_parameters_tears_apart() {
    let query = |text: &str| said(inspector().query(text, &Anything));
    assert_eq!(query("a=val)&(cn=admin"), "ldap (filter_break) in query (a name left out)");
    assert_eq!(query("a=val)&cn=admin"), "nothing");
}

#[test]
fn numbers_that_end_and_statements_that_begin_are_found() {
    let query = |text: &str| said(inspector().query(text, &Anything));
    assert_eq!(query("a=1;select%20*"), "sqli (stacked) in query a");
    assert_eq!(query("a=one;select%20*"), "nothing");
}

#[test]
fn elements_that_change_or_load_what_a_page_is_are_found() {
    let query = |text: &str| said(inspector().query(text, &Anything));
    let changes = "a=<set+attributeName=\"xlink:href\"+to=\"data:image/svg%2bxml,x\"/>";
    assert_eq!(query(changes), "xss (script_address) in query a");
    assert_eq!(query("a=<set+attributeName=\"opacity\"+to=\"1\"/>"), "nothing");
    let loads = "a=<meta+http-equiv=\"Link\"+content=\"<http://a.example/b.css>\">";
    assert_eq!(query(loads), "xss (element) in query a");
    assert_eq!(query("a=<meta+http-equiv=\"content-language\"+content=\"en\">"), "nothing");
}

#[test]
fn payloads_of_lists_are_told_from_what_looks_like_them() {
    let inspector = inspector();
    let json = |text: &str| {
        let body = serde_json::json!({ "a": text }).to_string();
        said(inspector.body(Some("application/json"), body.as_bytes(), &Anything))
    };
    let found = [
        (r"%\..%\..%\..%\..%\", "traversal (climb) in body $.a"),
        (r"type C:\Windows\repair\SYSTEM", "command (command_line) in body $.a"),
        (
            "<?import namespace=\"x\" implementation=\"http://a.example/b.htc\">",
            "xss (instruction) in body $.a",
        ),
        ("<?xml-stylesheet href=\"data:,a\"?>", "xss (instruction) in body $.a"),
        ("{{ messages.storages.0.signer.key }}", "template (reach) in body $.a"),
        ("#{ %x|env| }", "template (reach) in body $.a"),
        ("' || admin.add('a', 'b') || '", "sqli (glued) in body $.a"),
        ("'or'1=1", "sqli (glued) in body $.a"),
        ("declare @s varchar (80) select @s = 0x73", "sqli (declaring_statement) in body $.a"),
    ];
    for (text, answer) in found {
        assert_eq!(json(text), answer, "{text}");
    }
    for text in [
        "50 %..60 %, then ..",
        r"type C of the form",
        "<?xml-stylesheet href=\"a.css\"?>",
        "{{ messages.count }}",
        "#{ 5 % x }",
        "a || b(1) || c",
        "either 'or' both",
        "declare a variable and select it",
    ] {
        assert_eq!(json(text), "nothing", "{text}");
    }
}
