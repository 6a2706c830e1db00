//! What may be registered, and the ways in which attackers write a URI that almost matches.

use super::{RedirectUriRefused, check_registration, host_of, is_loopback, matches};

#[track_caller]
fn assert_refused(uri: &str, expected: &RedirectUriRefused) {
    assert_eq!(check_registration(uri).as_ref(), Err(expected), "{uri}");
}

#[test]
fn web_loopback_and_own_schemes_can_be_registered() {
    for uri in [
        "https://app.example",
        "https://app.example/",
        "https://app.example/callback",
        "https://app.example:8443/callback?tenant=1",
        "https://xn--bcher-kva.example/cb",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:8765/callback",
        "http://[::1]/callback",
        "http://localhost:3000/callback",
        "com.example.app:/oauth",
        "com.example.app://oauth/callback",
    ] {
        assert_eq!(check_registration(uri), Ok(()), "{uri}");
    }
}

#[test]
fn schemes_that_run_or_read_something_are_refused() {
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://app.example/cb",
        "myapp:/cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "blob:https",
    ] {
        assert_refused(uri, &RedirectUriRefused::Scheme);
    }
}

#[test]
fn http_is_for_this_machine_only() {
    for uri in [
        "http://app.example/cb",
        "http://127.0.0.2/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://10.0.0.1/cb",
        "http://[::2]/cb",
    ] {
        assert_refused(uri, &RedirectUriRefused::Insecure);
    }
}

#[test]
fn a_registered_uri_is_plain_and_in_its_normal_form() {
    assert_refused("https://app.example/cb#x", &RedirectUriRefused::Fragment);
    assert_refused("https://app.example/cb#", &RedirectUriRefused::Fragment);
    assert_refused("https://*.app.example/cb", &RedirectUriRefused::Wildcard);
    assert_refused("https://app.example/*", &RedirectUriRefused::Wildcard);
    assert_refused("https://user@app.example/cb", &RedirectUriRefused::Credentials);
    assert_refused("https://user:pw@app.example/cb", &RedirectUriRefused::Credentials);
    for uri in
        ["", "/cb", "app.example/cb", "https://app.example/a b", "https://app.example\\@evil/"]
    {
        assert_refused(uri, &RedirectUriRefused::Form);
    }
    for uri in ["https://bücher.example/cb", "https://app.example/cb\n", "https://a.example/\u{0}"]
    {
        assert_refused(uri, &RedirectUriRefused::Form);
    }
    for uri in [
        "HTTPS://app.example/cb",
        "https://App.example/cb",
        "https://app.example:443/cb",
        "https://app.example/x/../cb",
        "https://app.example/x/%2e%2e/cb",
        "https:app.example/cb",
        "http://127.1/cb",
        "http://0x7f000001/cb",
        "https://app.example?x=1",
    ] {
        let refused = check_registration(uri);
        assert!(matches!(refused, Err(RedirectUriRefused::NotNormal(_))), "{uri}: {refused:?}");
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    assert_refused(&long, &RedirectUriRefused::TooLong);
}

#[test]
fn parameters_of_the_response_cannot_be_part_of_it() {
    for name in ["code", "state", "iss", "error", "error_description"] {
        let refused = check_registration(&format!("https://app.example/cb?a=1&{name}=x"));
        assert_eq!(refused, Err(RedirectUriRefused::ResponseParameter(name)));
    }
    let refused = check_registration("https://app.example/cb?%63ode=x");
    assert_eq!(refused, Err(RedirectUriRefused::ResponseParameter("code")));
    assert_eq!(check_registration("https://app.example/cb?encode=1"), Ok(()));
}

#[test]
fn a_request_matches_exactly() {
    let registered = vec!["https://app.example/callback".to_owned()];
    assert!(matches(&registered, "https://app.example/callback"));
    // Row 68 of the attack catalogue.
    for uri in [
        "",
        "https://app.example/call",
        "https://app.example/callback/evil",
        "https://app.example/callback.evil",
        "https://app.example/callback/../evil",
        "https://app.example/callback/%2e%2e/evil",
        "https://app.example/callback%2f..%2fevil",
        "https://app.example@evil.example/callback",
        "https://evil.example@app.example/callback",
        "https://app.example\\@evil.example/callback",
        "https://app.example/callback#frag",
        "https://app.example/callback#",
        "https://sub.app.example/callback",
        "https://evil-app.example/callback",
        "https://app.example.evil.example/callback",
        "https://*.example/callback",
        "http://app.example/callback",
        "javascript://app.example/callback",
        "data:https://app.example/callback",
        "com.example.app:/callback",
        "https://app.example:443/callback",
        "https://app.example:8443/callback",
        "https://app.example/callback?x=1",
        "https://app.example/callback?code=stolen",
        "https://app.example/callback?state=1",
        "https://app.example/callback?",
        "https://APP.example/callback",
        "https://app.example/Callback",
        "https://\u{430}pp.example/callback",
        "https://app.example/redirect?to=https://evil.example",
        "https://app.example//callback",
        " https://app.example/callback",
        "https://app.example/callback\n",
    ] {
        assert!(!matches(&registered, uri), "{uri}");
    }
    assert!(!matches(&[], "https://app.example/callback"));
}

#[test]
fn only_the_port_of_a_loopback_address_is_free() {
    let registered = vec!["http://127.0.0.1/callback".to_owned()];
    for uri in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback"] {
        assert!(matches(&registered, uri), "{uri}");
    }
    assert!(matches(&registered, "http://127.0.0.1:65535/callback"));
    for uri in [
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:080/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:80:80/callback",
        "http://127.0.0.1:8x/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:9000/callback/x",
        "http://127.0.0.1:9000/callback?x=1",
        "http://127.0.0.1:9000/",
        "https://127.0.0.1:9000/callback",
        "http://localhost:9000/callback",
        "http://[::1]:9000/callback",
        "http://127.0.0.2:9000/callback",
        "HTTP://127.0.0.1:9000/callback",
        "http://user@127.0.0.1:9000/callback",
        "http://127.0.0.1\\:9000/callback",
    ] {
        assert!(!matches(&registered, uri), "{uri}");
    }
    for (registered, requested) in [
        ("http://[::1]/cb", "http://[::1]:4444/cb"),
        ("http://localhost:3000/cb?x=1", "http://localhost:4444/cb?x=1"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:4444"),
    ] {
        assert!(matches(&[registered.to_owned()], requested), "{requested}");
    }
    // A port on any other host is part of what was registered.
    assert!(!matches(&["https://app.example:1/".to_owned()], "https://app.example:2/"));
}

#[test]
fn says_where_a_uri_leads() {
    assert!(is_loopback("http://127.0.0.1:1/cb") && !is_loopback("https://127.0.0.1:1/cb"));
    assert_eq!(host_of("https://app.example/cb").as_deref(), Some("app.example"));
    assert_eq!(host_of("com.example.app:/cb").as_deref(), Some("com.example.app"));
}
