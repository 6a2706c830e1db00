//! Access tokens that are encrypted to the gateway: nobody on the way can read them.

use std::process::Command;

use serde_json::Value;

use crate::support::http::Http;
use crate::support::port::free_port;
use crate::support::{PROGRAM, output_of};

/// Runs `tokenward` with a configuration; ended when dropped.
struct Served(std::process::Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_token_that_only_the_gateway_can_read() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("path").to_owned();
    let jose = |arguments: &[&str]| output_of(Command::new(PROGRAM).arg("jose").args(arguments));
    let private = jose(&["jwk", "generate", "--alg", "ECDH-ES+A256KW"]);
    std::fs::write(at("private.jwk"), private).expect("key");
    let public = jose(&["jwk", "public", &at("private.jwk")]);
    std::fs::write(at("public.jwk"), public).expect("key");
    let (authority, gateway, admin) = (free_port(), free_port(), free_port());
    let config = format!(
        r#"
        [store]
        path = "{db}"
        [authority]
        listen = "127.0.0.1:{authority}"
        issuer = "http://127.0.0.1:{authority}"
        signing_algs = ["ES256", "Ed25519"]
        [gateway]
        listen = "127.0.0.1:{gateway}"
        resource = "http://127.0.0.1:{gateway}"
        decryption_keys = ["{private}"]
        upstreams = {{ api = "http://127.0.0.1:{admin}" }}
        [[gateway.route]]
        path = "/healthz"
        scopes = ["health"]
        upstream = "api"
        [admin]
        listen = "127.0.0.1:{admin}"
        [[scope]]
        name = "health"
        description = "See whether it is well"
        [[resource]]
        identifier = "http://127.0.0.1:{gateway}"
        encrypt_to = "{public}"
        signing_alg = "Ed25519"
        access_token_life = "2m"
        "#,
        db = at("tokenward.db"),
        private = at("private.jwk"),
        public = at("public.jwk"),
    );
    std::fs::write(at("tokenward.toml"), config).expect("config");
    let file = at("tokenward.toml");
    output_of(Command::new(PROGRAM).args(["config", "check", "-c", &file]));
    let admin_token = output_of(Command::new(PROGRAM).args(["admin-token", "-c", &file]));
    let admin_token = admin_token.lines().last().expect("token").trim().to_owned();
    let child = Command::new(PROGRAM).args(["serve", "-c", &file]).spawn().expect("starts");
    let _served = Served(child);
    let http = Http::new();
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", gateway)).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let body = serde_json::json!({ "client_name": "probe", "scope": "health" });
    let url = format!("http://127.0.0.1:{admin}/api/v1/clients");
    let client = http.json("POST", &url, Some(&admin_token), Some(body)).expect(201);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let (id, secret) = (text(&client["client_id"]), text(&client["client_secret"]));
    let form = [("grant_type", "client_credentials")];
    let url = format!("http://127.0.0.1:{authority}/token");
    let tokens = http.post_form(&url, Some((&id, &secret)), &form).expect(200);
    let token = text(&tokens["access_token"]);
    assert_eq!((token.matches('.').count(), &tokens["expires_in"]), (4, &120.into()));
    let health = format!("http://127.0.0.1:{gateway}/healthz");
    assert_eq!(http.get(&health, Some(&token)).status, 200);
    // From the cache, and altered in each of its parts.
    assert_eq!(http.get(&health, Some(&token)).status, 200);
    for part in 0..5 {
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let flipped = if parts[part].starts_with('A') { "B" } else { "A" };
        parts[part].replace_range(..1, flipped);
        assert_eq!(http.get(&health, Some(&parts.join("."))).status, 401, "part {part}");
    }
    // What is inside opens with the key, and is an ordinary token.
    std::fs::write(at("token"), &token).expect("token");
    let opened = Command::new(PROGRAM)
        .args(["jose", "decrypt", "--key", &at("private.jwk"), &token])
        .output()
        .expect("runs");
    let inside = String::from_utf8_lossy(&opened.stdout).trim().to_owned();
    assert_eq!(inside.matches('.').count(), 2, "{opened:?}");
    assert_eq!(http.get(&health, Some(&inside)).status, 200);
}
