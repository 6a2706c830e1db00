//! Scopes from a configuration file: whose they are and what they include, at both ends of one program.

use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::support::http::Http;
use crate::support::port::free_port;
use crate::support::{PROGRAM, output_of};

const FILES: &str = "https://files.example";

/// Runs `tokenward serve`; ended when dropped.
struct Served {
    child: Child,
    authority: u16,
    gateway: u16,
    admin: u16,
    admin_token: String,
    http: Http,
    _folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// The gateway guards the admin API's health check, and demands `health:read` for it.
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let (authority, gateway, admin) = (free_port(), free_port(), free_port());
        let config = format!(
            r#"
            [store]
            path = "{folder}/tokenward.db"
            [authority]
            listen = "127.0.0.1:{authority}"
            [gateway]
            listen = "127.0.0.1:{gateway}"
            upstreams = {{ api = "http://127.0.0.1:{admin}" }}
            [[gateway.route]]
            path = "/healthz"
            scopes = ["health:read"]
            upstream = "api"
            [admin]
            listen = "127.0.0.1:{admin}"
            [[resource]]
            identifier = "{FILES}"
            [[scope]]
            name = "health:read"
            description = "See whether it is well"
            resources = ["http://127.0.0.1:{gateway}"]
            [[scope]]
            name = "health:write"
            description = "Make it well"
            resources = ["http://127.0.0.1:{gateway}"]
            includes = ["health:read"]
            [[scope]]
            name = "files"
            description = "Use your files"
            resources = ["{FILES}"]
            "#,
            folder = folder.path().display(),
        );
        let file = folder.path().join("tokenward.toml");
        std::fs::write(&file, config).expect("config");
        let made = output_of(Command::new(PROGRAM).args(["admin-token", "-c"]).arg(&file));
        let admin_token = made.lines().last().expect("token").trim().to_owned();
        let child = Command::new(PROGRAM).args(["serve", "-c"]).arg(&file).spawn();
        let child = child.expect("starts");
        let http = Http::new();
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", gateway)).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Self { child, authority, gateway, admin, admin_token, http, _folder: folder }
    }

    fn client(&self, scope: &str) -> (String, String) {
        let body = json!({ "client_name": "probe", "scope": scope });
        let url = format!("http://127.0.0.1:{}/api/v1/clients", self.admin);
        let client = self.http.json("POST", &url, Some(&self.admin_token), Some(body)).expect(201);
        (text(&client["client_id"]), text(&client["client_secret"]))
    }

    fn token(&self, (id, secret): &(String, String), scope: &str) -> Value {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let url = format!("http://127.0.0.1:{}/token", self.authority);
        self.http.post_form(&url, Some((id, secret)), &form).expect(200)
    }

    fn health(&self, tokens: &Value) -> u16 {
        let url = format!("http://127.0.0.1:{}/healthz", self.gateway);
        self.http.get(&url, tokens["access_token"].as_str()).status
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[test]
fn who_may_write_is_let_through_where_reading_is_demanded() {
    let served = Served::start();
    let client = served.client("health:write files");
    let write = served.token(&client, "health:write");
    assert_eq!((&write["scope"], served.health(&write)), (&"health:write".into(), 200));
    let read = served.token(&client, "health:read");
    assert_eq!((&read["scope"], served.health(&read)), (&"health:read".into(), 200));
    // For another resource, and so of no use here.
    let files = served.token(&client, "files");
    assert_ne!(served.health(&files), 200);
}
