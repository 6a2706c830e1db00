//! The command line as a client of the admin API.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{PROGRAM, Product, text};

fn said(product: &Product, arguments: &[&str]) -> String {
    let output = product.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn json(product: &Product, arguments: &[&str]) -> Value {
    let all = [arguments, &["--json"]].concat();
    serde_json::from_str(&said(product, &all)).expect("json")
}

#[test]
fn a_client_lives_from_creation_to_deletion() {
    let product = Product::start();
    let made =
        json(&product, &["client", "create", "--name", "Nightly job", "--scope", "orders:read"]);
    let id = made["client_id"].as_str().expect("id");
    let secret = made["client_secret"].as_str().expect("secret");
    let token = |secret: &str| {
        product.http.post_form(
            &product.issuer("/token"),
            Some((id, secret)),
            &[("grant_type", "client_credentials")],
        )
    };
    let access = token(secret).expect(200)["access_token"].as_str().expect("token").to_owned();
    product.api("/orders", &access).expect(200);
    assert!(said(&product, &["client", "list"]).contains("Nightly job"));
    assert!(json(&product, &["client", "show", id])["client_secret"].is_null());
    json(&product, &["client", "disable", id]);
    assert_eq!(product.api("/orders", &access).status, 401, "its tokens are revoked");
    assert_eq!(token(secret).expect(401)["error"], "invalid_client");
    json(&product, &["client", "enable", id]);
    let newer = json(&product, &["client", "rotate-secret", id]);
    token(secret).expect(401);
    token(newer["client_secret"].as_str().expect("secret")).expect(200);
    said(&product, &["client", "delete", id]);
    assert_eq!(product.api("/orders", &access).status, 401);
    let gone = product.command(&["client", "show", id]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("404"), "{}", text(&gone.stderr));
}

#[test]
fn a_person_is_made_with_a_password_from_standard_input() {
    let product = Product::start();
    let mut child = Command::new(PROGRAM)
        .args(["user", "create", "--username", "Rosa", "--email", "rosa@example.com", "--json"])
        .args(["--claim", "department=Sales", "--claim", r#"address={"country":"NL"}"#])
        .env("TOKENWARD_ADMIN_URL", product.said("admin"))
        .env("TOKENWARD_ADMIN_TOKEN", product.said("admin_token"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("run");
    child.stdin.take().expect("stdin").write_all(b"a long enough passphrase\n").expect("password");
    let output = child.wait_with_output().expect("output");
    let made: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert!(made["id"].is_string() && !made.to_string().contains("argon2"), "{made}");
    assert_eq!(made["claims"]["address"]["country"], "NL");
    let id = made["id"].as_str().expect("id");
    let changed = json(&product, &["user", "set-claims", id, "department=", "locale=nl"]);
    let left = serde_json::json!({ "address": { "country": "NL" }, "locale": "nl" });
    assert_eq!(changed["claims"], left);
    assert!(said(&product, &["user", "list"]).contains("rosa@example.com"));
}

#[test]
fn a_disabled_person_is_out_at_once_and_comes_back_by_signing_in() {
    let product = Product::start();
    let tokens = product.sign_in("openid orders:read");
    let access = tokens["access_token"].as_str().expect("token");
    let refresh = tokens["refresh_token"].as_str().expect("token");
    product.api("/orders", access).expect(200);
    let people = json(&product, &["user", "list"]);
    let id = people[0]["id"].as_str().expect("id");
    json(&product, &["user", "disable", id]);
    assert_eq!(product.api("/orders", access).status, 401);
    let renewal = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(product.token(&renewal).expect(400)["error"], "invalid_grant");
    json(&product, &["user", "enable", id]);
    // What was taken back stays taken back.
    assert_eq!(product.api("/orders", access).status, 401);
    assert_eq!(product.token(&renewal).expect(400)["error"], "invalid_grant");
    let again = product.sign_in("openid orders:read");
    product.api("/orders", again["access_token"].as_str().expect("token")).expect(200);
}

#[test]
fn a_token_is_looked_up_and_revoked_by_its_name() {
    let product = Product::start();
    let token = product.access_token();
    let (id, secret) = product.client();
    let seen = product.http.post_form(
        &product.issuer("/introspect"),
        Some((&id, &secret)),
        &[("token", &token)],
    );
    let jti = seen.expect(200)["jti"].as_str().expect("jti").to_owned();
    // The record is written behind the answer.
    let mut shown = Value::Null;
    for _ in 0..100 {
        let output = product.command(&["token", "show", &jti, "--json"]);
        if output.status.success() {
            shown = serde_json::from_slice(&output.stdout).expect("json");
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(shown["client_id"], serde_json::json!(id), "{shown}");
    said(&product, &["token", "revoke", &jti]);
    assert_eq!(product.api("/orders", &token).status, 401);
    assert!(said(&product, &["restriction", "list", "--in-force"]).contains(&jti));
}

#[test]
fn keys_rotate_without_breaking_live_tokens() {
    let product = Product::start();
    let before = product.access_token();
    said(&product, &["key", "rotate", "--at-once"]);
    let after = product.access_token();
    assert_ne!(before.split('.').next(), after.split('.').next());
    for token in [&before, &after] {
        product.api("/orders", token).expect(200);
    }
    let keys = json(&product, &["key", "list"]);
    let states: Vec<&str> =
        keys.as_array().expect("list").iter().filter_map(|key| key["state"].as_str()).collect();
    assert!(states.contains(&"active") && states.contains(&"retiring"), "{keys}");
    let published = product.http.get(&product.issuer("/.well-known/jwks.json"), None).expect(200);
    assert!(published["keys"].as_array().is_some_and(|keys| keys.len() >= 2));
    assert!(!published.to_string().contains("\"d\""), "no private member");
}

#[test]
fn the_command_line_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let output = Command::new(PROGRAM)
        .args(["client", "list", "--data-dir"])
        .arg(folder.path())
        .env_remove("TOKENWARD_ADMIN_URL")
        .env_remove("TOKENWARD_ADMIN_TOKEN")
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--admin"), "{}", text(&output.stderr));
    let product = Product::start();
    let refused = Command::new(PROGRAM)
        .args(["client", "list", "--admin", product.said("admin"), "--admin-token", "wrong"])
        .output()
        .expect("run");
    assert!(text(&refused.stderr).contains("401"), "{}", text(&refused.stderr));
    let nobody = Command::new(PROGRAM)
        .args(["client", "list", "--admin", "http://127.0.0.1:9", "--admin-token", "x"])
        .output()
        .expect("run");
    assert!(text(&nobody.stderr).contains("cannot be reached"), "{}", text(&nobody.stderr));
}

#[test]
fn dev_leaves_the_command_line_its_address() {
    let folder = tempfile::tempdir().expect("folder");
    let _product = Product::start_in(folder.path(), &[]);
    let output = Command::new(PROGRAM)
        .args(["key", "list", "--data-dir"])
        .arg(folder.path())
        .env_remove("TOKENWARD_ADMIN_URL")
        .env_remove("TOKENWARD_ADMIN_TOKEN")
        .output()
        .expect("run");
    assert!(output.status.success(), "{}", text(&output.stderr));
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["admin.json", "master.key", "tokenward.db"] {
        let mode = std::fs::metadata(folder.path().join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is readable by others");
    }
}
