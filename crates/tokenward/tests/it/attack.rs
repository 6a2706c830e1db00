//! Forged tokens at the gateway: refused one by one, seen as a burst, the network blocked and unblocked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::support::Product;
use crate::support::http::Http;

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn a_burst_of_forged_tokens_blocks_the_network_until_undone() {
    let product = Product::start();
    let good = product.access_token();
    let payload = good.split('.').nth(1).expect("payload");
    let forger = Http::from([127, 0, 0, 55].into());
    let url = product.gateway("/orders");
    for alg in ["none", "None", "NONE"] {
        let token =
            format!("{}.{payload}.", encode(format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#)));
        let answer = forger.get(&url, Some(&token));
        assert!(answer.status == 401 || answer.status == 403, "{answer:?}");
    }
    // Told from the first on, answered at the third.
    assert_eq!(product.finding("forged_token")["finding"]["ip"], "127.0.0.55");
    let found = product.finding_with("forged_token", |found| found["response"] == "block:ip");
    assert_eq!(found["finding"]["ip"], "127.0.0.55");
    // The forged tokens named the honest client: nothing happens to it.
    product.api("/orders", &good).expect(200);
    assert_eq!(forger.get(&url, Some(&good)).status, 403);
    let id = found["id"].as_str().expect("id");
    let undone = product.admin_call("POST", &format!("/findings/{id}/undo"), None);
    assert_eq!(undone.status, 200, "{undone:?}");
    forger.get(&url, Some(&good)).expect(200);
    let again = product.admin_call("POST", &format!("/findings/{id}/undo"), None);
    assert_eq!(again.status, 409, "{again:?}");
}

#[test]
fn each_forgery_is_refused_with_the_same_words() {
    let product = Product::start();
    let good = product.access_token();
    let (header, rest) = good.split_once('.').expect("header");
    let (payload, signature) = rest.split_once('.').expect("payload");
    let kid: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("header")).expect("json");
    let kid = kid["kid"].as_str().expect("kid");
    let with = |header: &str| format!("{}.{payload}.{signature}", encode(header));
    let mut last = signature.as_bytes().to_vec();
    last[10] = if last[10] == b'A' { b'B' } else { b'A' };
    let flipped = format!("{header}.{payload}.{}", String::from_utf8(last).expect("text"));
    let tokens = [
        flipped,
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{}.{signature}", encode(r#"{"sub":"admin"}"#)),
        format!("{header}.{payload}.{}", encode([0u8; 64])),
        with(&format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#)),
        with(&format!(
            r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}","jku":"http://127.0.0.1:1/"}}"#
        )),
        with(r#"{"alg":"ES256","typ":"at+jwt","kid":"../../../../dev/null"}"#),
        with(r#"{"alg":"ES256","typ":"at+jwt","kid":"no-such-key"}"#),
    ];
    // Each from an address of its own, so that none is blocked for its predecessors.
    for (n, token) in tokens.iter().enumerate() {
        let from = Http::from([127, 0, 3, u8::try_from(n + 1).expect("small")].into());
        let answer = from.get(&product.gateway("/orders"), Some(token));
        assert_eq!(answer.expect(401)["error"], "invalid_token", "{token}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer:?}");
    }
}

#[test]
fn tokens_of_another_kind_or_place_do_not_open_the_api() {
    let product = Product::start();
    let tokens = product.sign_in("openid orders:read");
    for name in ["id_token", "refresh_token"] {
        assert_eq!(
            product.api("/orders", tokens[name].as_str().expect("token")).status,
            401,
            "{name}"
        );
    }
    // The administrator's token is for the admin API alone, and the API's token is not for it.
    assert_eq!(product.api("/orders", product.said("admin_token")).status, 401);
    let url = product.admin("/api/v1/clients");
    assert_eq!(product.http.get(&url, Some(&product.access_token())).status, 401);
    assert_eq!(product.http.get(&url, Some(product.said("initial_access_token"))).status, 403);
}

#[test]
fn a_scope_that_was_not_given_does_not_open_a_route() {
    let product = Product::start();
    let token = product.access_token();
    let body = json!({ "customer": "x", "total": 1 });
    let refused =
        product.http.json("POST", &product.gateway("/orders"), Some(&token), Some(body.clone()));
    assert_eq!(refused.expect(403)["error"], "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("scope=\"orders:write\""), "{refused:?}");
    let wider = product.token(&[("grant_type", "client_credentials"), ("scope", "orders:write")]);
    let wider = wider.expect(200)["access_token"].as_str().expect("token").to_owned();
    product.http.json("POST", &product.gateway("/orders"), Some(&wider), Some(body)).expect(201);
    assert_eq!(product.api("/orders", &wider).status, 403);
    let unknown =
        product.token(&[("grant_type", "client_credentials"), ("scope", "orders:delete")]);
    assert_eq!(unknown.expect(400)["error"], "invalid_scope");
}
