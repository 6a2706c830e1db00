//! `kill -9` under load: whatever was acknowledged is there afterwards.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Product;
use crate::support::browser::{self, Browser};
use crate::support::http::Http;

/// What the server said yes to.
#[derive(Default)]
struct Acknowledged {
    revoked: Vec<String>,
    clients: Vec<String>,
    users: Vec<String>,
    /// The newest refresh token of each chain.
    refresh: BTreeMap<usize, String>,
    /// Refresh tokens that were replaced.
    replaced: Vec<String>,
}

#[test]
fn nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().expect("folder");
    for round in 0..3 {
        let mut product = Product::start_in(folder.path(), &[]);
        let kept = Arc::new(Mutex::new(Acknowledged::default()));
        let done = Arc::new(AtomicBool::new(false));
        let chains: Vec<Value> = (0..2).map(|_| product.sign_in("openid orders:read")).collect();
        let workers: Vec<_> = chains
            .into_iter()
            .enumerate()
            .map(|(chain, tokens)| {
                let (line, kept, done) =
                    (product.line.clone(), Arc::clone(&kept), Arc::clone(&done));
                let refresh = tokens["refresh_token"].as_str().expect("token").to_owned();
                std::thread::spawn(move || write_load(round, chain, &line, refresh, &kept, &done))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(700 + 311 * round));
        product.kill();
        done.store(true, Ordering::Relaxed);
        for worker in workers {
            // A worker whose call was cut off ends in a panic of its own: only what it noted counts.
            let _ = worker.join();
        }
        let kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(kept.revoked.len() > 1 && !kept.refresh.is_empty(), "the load did nothing");
        verify(&Product::start_in(folder.path(), &[]), &kept);
    }
}

#[test]
fn a_pushed_request_outlives_kill_9_and_is_good_once() {
    // RFC 9126 §2.2: what is answered 201 is kept; §7.3: and used once.
    let folder = tempfile::tempdir().expect("folder");
    let mut product = Product::start_in(folder.path(), &[]);
    let (id, secret) = product.client();
    let url = url::Url::parse(&browser::authorize_url(&product, "openid orders:read"));
    let pairs: Vec<(String, String)> = url.expect("url").query_pairs().into_owned().collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let pushed = product.http.post_form(&product.issuer("/par"), Some((&id, &secret)), &pairs);
    product.kill();
    let uri = pushed.expect(201)["request_uri"].as_str().expect("request_uri").to_owned();
    let query = crate::support::http::form(&[("client_id", &id), ("request_uri", &uri)]);

    let mut product = Product::start_in(folder.path(), &[]);
    let place = product.issuer(&format!("/authorize?{query}"));
    let code = browser::code_at(&product, &mut Browser::new(), &place);
    product.kill();

    let product = Product::start_in(folder.path(), &[]);
    let again = Browser::new().get(&product.issuer(&format!("/authorize?{query}")));
    assert_eq!(again.status, 400, "{again:?}");
    // The code that came of it was acknowledged too.
    let tokens = browser::redeem(&product, &code).expect(200);
    assert!(tokens["access_token"].is_string());
}

#[test]
fn a_refresh_whose_answer_went_down_with_the_process_can_be_repeated() {
    let folder = tempfile::tempdir().expect("folder");
    let mut product = Product::start_in(folder.path(), &[]);
    let first = product.sign_in("openid orders:read");
    let refresh = |product: &Product, answer: &Value| {
        let token = answer["refresh_token"].as_str().expect("token");
        product.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    };
    let lost = refresh(&product, &first).expect(200);
    product.kill();

    let product = Product::start_in(folder.path(), &[]);
    let again = refresh(&product, &first).expect(200);
    assert_ne!(again["refresh_token"], lost["refresh_token"]);
    assert_eq!(refresh(&product, &first).expect(200), again, "from now on the same answer");
    let next = refresh(&product, &again).expect(200);
    // What was answered before the crash is void: somebody else has it, and nobody is left.
    assert_eq!(refresh(&product, &lost).expect(400)["error"], "invalid_grant");
    assert_eq!(refresh(&product, &next).expect(400)["error"], "invalid_grant");
}

fn write_load(
    round: u64,
    chain: usize,
    line: &Value,
    mut refresh: String,
    kept: &Mutex<Acknowledged>,
    done: &AtomicBool,
) {
    let said = |name: &str| line[name].as_str().expect("member").to_owned();
    let http = Http::new();
    let basic = (said("client_id"), said("client_secret"));
    let basic = Some((basic.0.as_str(), basic.1.as_str()));
    let (token_url, revoke_url) =
        (format!("{}/token", said("issuer")), format!("{}/revoke", said("issuer")));
    let admin = said("admin_token");
    kept.lock().expect("lock").refresh.insert(chain, refresh.clone());
    for n in 0..10_000 {
        if done.load(Ordering::Relaxed) {
            return;
        }
        let token =
            http.post_form(&token_url, basic, &[("grant_type", "client_credentials")]).expect(200);
        let token = token["access_token"].as_str().expect("token").to_owned();
        http.post_form(&revoke_url, basic, &[("token", &token)]).expect(200);
        kept.lock().expect("lock").revoked.push(token);
        let answer = http.post_form(
            &token_url,
            basic,
            &[("grant_type", "refresh_token"), ("refresh_token", &refresh)],
        );
        let next = answer.expect(200)["refresh_token"].as_str().expect("token").to_owned();
        {
            let mut kept = kept.lock().expect("lock");
            kept.replaced.push(std::mem::replace(&mut refresh, next));
            kept.refresh.insert(chain, refresh.clone());
        }
        if n % 5 == 0 {
            let body =
                json!({ "client_name": format!("c{n}"), "grant_types": ["client_credentials"] });
            let url = format!("{}/api/v1/clients", said("admin"));
            let made = http.json("POST", &url, Some(&admin), Some(body)).expect(201);
            let id = made["client_id"].as_str().expect("id").to_owned();
            kept.lock().expect("lock").clients.push(id);
        }
        if n % 10 == 0 {
            let name = format!("person-{round}-{chain}-{n}");
            let body = json!({ "username": name, "password": "correct horse battery" });
            let url = format!("{}/api/v1/users", said("admin"));
            let made = http.json("POST", &url, Some(&admin), Some(body)).expect(201);
            kept.lock().expect("lock").users.push(made["id"].as_str().expect("id").to_owned());
        }
    }
}

fn verify(product: &Product, kept: &Acknowledged) {
    // The gateway's address is new, and with it the audience: revocation is asked of the log.
    let (id, secret) = product.client();
    for token in &kept.revoked {
        let answer = product.http.post_form(
            &product.issuer("/introspect"),
            Some((&id, &secret)),
            &[("token", token)],
        );
        assert_eq!(answer.expect(200)["active"], false);
        use base64::Engine as _;
        let payload = token.split('.').nth(1).expect("payload");
        let payload =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).expect("base64url");
        let claims: Value = serde_json::from_slice(&payload).expect("claims");
        let known =
            product.admin_call("GET", "/restrictions?in_force=true&limit=1000", None).expect(200);
        let held = known["items"]
            .as_array()
            .expect("items")
            .iter()
            .any(|row| row["selector"]["value"] == claims["jti"]);
        let beyond_the_page = known["next"].is_string() || known["next"].is_number();
        assert!(held || beyond_the_page, "revocation of {} is lost", claims["jti"]);
    }
    for client in &kept.clients {
        product.admin_call("GET", &format!("/clients/{client}"), None).expect(200);
    }
    for user in &kept.users {
        product.admin_call("GET", &format!("/users/{user}"), None).expect(200);
    }
    for refresh in kept.refresh.values() {
        // The newest acknowledged one works, unless its own rotation was under way.
        let answer = product.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    if let Some(replaced) = kept.replaced.first() {
        let answer = product.token(&[("grant_type", "refresh_token"), ("refresh_token", replaced)]);
        assert_eq!(answer.expect(400)["error"], "invalid_grant");
    }
}
