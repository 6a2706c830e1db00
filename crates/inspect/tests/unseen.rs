//! Payloads of other kinds than lists have, and the honest values that look like them: each rule here is known by
//! both.

use inspect::{Anything, Inspector, Stop};

fn said(answer: Result<(), Stop>) -> String {
    answer.err().map_or_else(|| "nothing".to_owned(), |stop| stop.to_string())
}

/// What is said of a member's value.
fn json(text: &str) -> String {
    let body = serde_json::json!({ "a": text }).to_string();
    said(Inspector::default().body(Some("application/json"), body.as_bytes(), &Anything))
}

fn whole(body: &str) -> String {
    said(Inspector::default().body(Some("application/json"), body.as_bytes(), &Anything))
}

fn query(text: &str) -> String {
    said(Inspector::default().query(text, &Anything))
}

fn finds(cases: &[(&str, &str)]) {
    for (text, rule) in cases {
        assert_eq!(json(text), format!("{rule} in body $.a"), "{text}");
    }
}

fn passes(texts: &[&str]) {
    for text in texts {
        assert_eq!(json(text), "nothing", "{text}");
    }
}

#[test]
fn statements_that_select_by_another_name_are_found() {
    finds(&[
        ("' UNION VALUES (1,2)--", "sqli (union_select)"),
        ("' UNION TABLE users--", "sqli (union_select)"),
        ("'; LISTEN a--", "sqli (stacked)"),
        ("1;PRAGMA table_info(users)", "sqli (stacked)"),
        ("'; SELECT pg_ls_dir('/etc')--", "sqli (stacked)"),
        ("; SELECT NULL-- -", "sqli (stacked)"),
        ("' OR (1,2)=(1,2)-- ", "sqli (tautology)"),
        ("' OR 17-7=10--", "sqli (tautology)"),
        ("' or 'x' collate nocase = 'X", "sqli (tautology)"),
        ("' OR X'41'='A", "sqli (tautology)"),
        ("tenant_id=1 OR tenant_id=tenant_id", "sqli (tautology)"),
        ("1 un/**/ion sel/**/ect 1,2", "sqli (union_select)"),
    ]);
    passes(&[
        "the union values (one of them) dearly",
        "Western Union table lamp",
        "please; listen to it",
        "tenant_id=1 OR owner_id=2",
        "a.b LIKE 'x%' AND c BETWEEN 1 AND 5",
        "owner.name = \"in progress\" AND qty != '%blue%' ORDER BY created_at DESC",
        "-- CHARINDEX(a, b)\nSELECT CHARINDEX('a', 'b');  -- 5\nSELECT CHARINDEX('c', 'd');  -- 6",
        "clock_nanosleep (2),\nand\nsleep (3)",
        "in a case where \"start\" = 'x', and \"end\" = 'y'",
    ]);
}

#[test]
fn commands_are_found_whatever_they_are_called() {
    finds(&[
        (";ss -tulpn", "command (unknown_command)"),
        ("; setsid cat /etc/passwd", "command (unknown_command)"),
        ("; powershell Start-Sleep -s 5", "command (command)"),
        (";docker ps", "command (unknown_command)"),
        (";$'\\151\\144'", "command (unknown_command)"),
        ("--upload-pack=touch /tmp/x", "command (option)"),
        ("System.Diagnostics.Process.Start(\"cmd\")", "command (call)"),
    ]);
    assert_eq!(
        whole(r#"{"py/object":"os.system"}"#),
        "command (serialized_object) in body (a name left out)"
    );
    passes(&[
        "; charset=utf-8",
        "& Co. KG - Berlin",
        "; the cat sat",
        "--output=a.txt",
        "it runs in a subprocess.",
        "add child_process injection",
        "The same holds for the source, as in\ncp -r src dst\nwhile it is modified, which may be\nodd.",
    ]);
}

#[test]
fn members_that_ask_or_load_are_found() {
    assert_eq!(
        whole(r#"{"a":[{"$group":{"_id":"$password"}}]}"#),
        "nosql (operator_key) in body $.a[0].$group"
    );
    assert_eq!(
        whole(r#"{"class":{"classLoader":{"x":1}}}"#),
        "prototype (prototype_key) in body $.class.classLoader"
    );
    assert_eq!(
        query("__pro__proto__to__[a]=1"),
        "prototype (prototype_key) in query __pro__proto__to__[a]"
    );
    finds(&[("function(){return true}", "nosql (script)")]);
    assert_eq!(
        whole(r#"{"$groups":{"company":1},"$set":{"a":1},"classLoaderName":"x"}"#),
        "nothing"
    );
    passes(&["function (value) { return value.toFixed(2); }"]);
}

#[test]
fn addresses_of_services_and_of_odd_spelling_are_found() {
    finds(&[
        ("http://redis:6379/", "ssrf (inner_address)"),
        ("http://unix:/var/run/docker.sock:/x", "ssrf (inner_address)"),
        ("http://\\127.0.0.1", "ssrf (inner_address)"),
        ("http:///127.0.0.1/", "ssrf (inner_address)"),
        ("http://a.example\\@127.0.0.1/", "ssrf (inner_address)"),
        ("ws://127.0.0.1:9222/", "ssrf (inner_address)"),
        ("\\\\10.0.0.1\\share", "ssrf (inner_address)"),
    ]);
    // Paths of others do not make a host one's own, nor what only looks like them.
    let paths = r#"{"a":"http://0/x","b":"/10/a","c":"20/b","d":"30/c","e":"40/d"}"#;
    assert_eq!(whole(paths), "ssrf (inner_address) in body $.a");
    passes(&[
        "http://backend:8080/",
        "http://redis.example:6379/",
        "ws://chat.example/room",
        "\\\\files\\share",
        "https:///a.example",
    ]);
}

#[test]
fn breaks_that_begin_something_else_are_found() {
    finds(&[
        ("0\r\n\r\nGET /admin HTTP/1.1", "splitting (second_request)"),
        ("user\r\n[INFO] login ok for admin", "splitting (log_line)"),
        ("\\r\\n\\r\\nSet-Cookie: a=b", "splitting (header_line)"),
        ("a\u{2028}X-A: b", "splitting (header_line)"),
    ]);
    assert_eq!(query("a=x%0D%0ASET%20a%20b%0D%0A"), "splitting (store_command) in query a");
    assert_eq!(query("a=eggs%0D%0Aget%20milk"), "nothing");
    passes(&["An example:\n\nGET /a HTTP/1.1", "users\n[link] to it", "it is\u{2028}Note: that"]);
}

#[test]
fn expressions_of_engines_are_found() {
    finds(&[
        ("{{ self._TemplateReference__context }}", "template (reach)"),
        ("{{ config|pprint }}", "template (lone_name)"),
        ("${.data_model}", "template (lone_name)"),
        ("${a?upper_case}", "template (lone_name)"),
        ("{{7**7}}", "template (arithmetic)"),
        ("{$x|system}", "template (filter)"),
        ("#if(1==1)x#end", "template (directive)"),
        ("${docker:containerId}", "lookup (lookup)"),
    ]);
    passes(&[
        "{{ user | upper }}",
        "${a ? b : c}",
        "{$x|escape}",
        "see #if(x) and #else",
        "${date:yyyy}",
    ]);
}

#[test]
fn steps_and_secrets_are_found() {
    finds(&[
        ("../.env", "traversal (climb_to_system)"),
        ("..%5c", "traversal (encoded_dots)"),
        ("/etc/kubernetes/admin.conf", "traversal (system_file)"),
    ]);
    let path = |text: &str| said(Inspector::default().path(text, &Anything));
    assert_eq!(path("/a/..%2Fpackage.json"), "traversal (climb) in path segment 2");
    assert_eq!(query("f=../../settings.py"), "traversal (climb) in query f");
    assert_eq!(query("f=../src/a.ts"), "nothing");
    passes(&["../package.json", "../../tsconfig.json", "../.environment", "v1..v2", "50%..60%"]);
}

#[test]
fn script_in_links_and_policies_is_found() {
    finds(&[
        ("[a][b]\n\n[b]: javascript:alert(1)", "xss (script_link)"),
        ("window.alert(1)", "xss (script)"),
        ("a.png; script-src *", "xss (script)"),
        ("Reflect.apply(alert,null,[1])", "xss (script)"),
        ("<style>a[b^='c']{background:url(https://a.example/?c)}</style>", "xss (style)"),
        ("+ADw-iframe src=//a.example+AD4-", "xss (element)"),
    ]);
    passes(&[
        "default-src 'self'; script-src *",
        "TypeError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "window.alerts",
        "<style>a{background:url(https://a.example/a.png)}</style>",
        "contains(name,'a') or startswith(tolower(b),'c')",
        "admin) (see *)",
    ]);
    finds(&[("admin)(|(*", "ldap (filter_break)")]);
}
