//! Token Status Lists by the real program: what others learn of a token, at once and after a restart.

use std::collections::HashSet;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use token::status_list::{PackedList, Status, StatusList};
use tokenward_verify::{Reach, Verifier};

use crate::support::http::Http;
use crate::support::port::free_port;
use crate::support::{PROGRAM, output_of};

const API: &str = "https://api.example";

/// `tokenward serve` that publishes the statuses of tokens for [`API`]; ended when dropped.
struct Served {
    folder: tempfile::TempDir,
    child: Option<Child>,
    issuer: String,
    admin: String,
    admin_token: String,
    client: (String, String),
    http: Http,
}

// === impl Served ===

impl Served {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let (authority, admin) = (free_port(), free_port());
        let config = format!(
            r#"
            [store]
            path = "{folder}/tokenward.db"
            [authority]
            listen = "127.0.0.1:{authority}"
            issuer = "http://127.0.0.1:{authority}"
            [admin]
            listen = "127.0.0.1:{admin}"
            [[scope]]
            name = "orders:read"
            description = "Read your orders"
            [[resource]]
            identifier = "{API}"
            status_list = true
            "#,
            folder = folder.path().display(),
        );
        let file = folder.path().join("tokenward.toml");
        std::fs::write(&file, config).expect("config");
        let said = output_of(Command::new(PROGRAM).arg("admin-token").arg("-c").arg(&file));
        let mut served = Self {
            folder,
            child: None,
            issuer: format!("http://127.0.0.1:{authority}"),
            admin: format!("http://127.0.0.1:{admin}"),
            admin_token: said.lines().last().expect("token").trim().to_owned(),
            client: Default::default(),
            http: Http::new(),
        };
        served.run();
        let body = json!({ "client_name": "machine", "scope": "orders:read" });
        let made = served.admin_call("POST", "/clients", Some(body));
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        served.client = (text("client_id"), text("client_secret"));
        served
    }

    fn run(&mut self) {
        let file = self.folder.path().join("tokenward.toml");
        let child = Command::new(PROGRAM).arg("serve").arg("-c").arg(file).spawn();
        self.child = Some(child.expect("starts"));
        for url in [&self.issuer, &self.admin] {
            let address = url.trim_start_matches("http://");
            let until = Instant::now() + Duration::from_secs(20);
            while std::net::TcpStream::connect(address).is_err() {
                assert!(Instant::now() < until, "it does not listen at {url}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.http = Http::new();
    }

    /// Ends it at once, as a power cut would, and starts it again.
    fn crash(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill");
            child.wait().expect("wait");
        }
        self.run();
    }

    fn admin_call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/api/v1{path}", self.admin);
        let answer = self.http.json(method, &url, Some(&self.admin_token), body);
        assert!(answer.status < 300, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap_or(Value::Null)
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let (id, secret) = &self.client;
        let url = format!("{}{path}", self.issuer);
        self.http.post_form(&url, Some((id, secret)), form).expect(200)
    }

    fn token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", API)];
        self.post("/token", &form)["access_token"].as_str().expect("token").to_owned()
    }

    /// What the list says of a token.
    fn status(&self, token: &str) -> Status {
        let (uri, idx) = place(token);
        let answer = self.http.get(&uri, None);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/statuslist+jwt")
        );
        let list: PackedList =
            serde_json::from_value(claims(&answer.body)["status_list"].clone()).expect("list");
        StatusList::unpack(&list).expect("list").status(idx).expect("in the list")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("payload");
    let bytes = token::base64url::decode(payload).expect("base64url");
    serde_json::from_slice(&bytes).expect("claims")
}

fn place(token: &str) -> (String, u64) {
    let place = &claims(token)["status"]["status_list"];
    (place["uri"].as_str().expect("uri").to_owned(), place["idx"].as_u64().expect("idx"))
}

#[test]
fn what_is_taken_back_shows_at_once_and_after_a_crash() {
    let mut served = Served::start();
    let (revoked, kept) = (served.token(), served.token());
    assert_eq!((served.status(&revoked), served.status(&kept)), (Status::Valid, Status::Valid));
    served.post("/revoke", &[("token", &revoked)]);
    assert_eq!((served.status(&revoked), served.status(&kept)), (Status::Invalid, Status::Valid));
    let suspend = json!({
        "selector": { "kind": "subject", "value": claims(&kept)["sub"] },
        "effect": "suspend", "reason": "a doubt",
    });
    let row = served.admin_call("POST", "/restrictions", Some(suspend));
    assert_eq!(served.status(&kept), Status::Suspended);
    assert_eq!(served.status(&revoked), Status::Invalid);

    served.crash();
    assert_eq!(
        (served.status(&revoked), served.status(&kept)),
        (Status::Invalid, Status::Suspended)
    );
    served.admin_call("DELETE", &format!("/restrictions/{}", row["seq"]), None);
    assert_eq!((served.status(&revoked), served.status(&kept)), (Status::Invalid, Status::Valid));
    let metadata = format!("{}/.well-known/oauth-authorization-server", served.issuer);
    let metadata = served.http.get(&metadata, None).expect(200);
    let all = metadata["status_list_aggregation_endpoint"].as_str().expect("endpoint");
    let all = served.http.get(all, None).expect(200);
    let uris = all["status_lists"].as_array().expect("lists");
    for token in [&kept, &served.token()] {
        assert!(uris.contains(&json!(place(token).0)), "{all}");
    }
}

#[test]
fn no_restart_gives_a_place_twice() {
    let mut served = Served::start();
    let mut places = HashSet::new();
    let mut lists = HashSet::new();
    for run in 0..3 {
        for _ in 0..30 {
            let place = place(&served.token());
            lists.insert(place.0.clone());
            assert!(places.insert(place), "given twice in run {run}");
        }
        served.crash();
    }
    assert_eq!(lists.len(), 3, "every run has lists of its own");
}

#[test]
fn a_checker_elsewhere_refuses_by_the_list_alone() {
    let served = Served::start();
    let runtime = Arc::new(tokio::runtime::Runtime::new().expect("runtime"));
    let inside = Arc::clone(&runtime);
    let _entered = inside.enter();
    // No subscription: the list is all that it has.
    let builder = Verifier::builder(&served.issuer, API).reach(Reach::public().and_loopback());
    let verifier = builder.build().expect("verifier");
    runtime.block_on(verifier.ready(Duration::from_secs(20))).expect("ready");
    let layer = verifier.require(["orders:read"]).expect("scopes");
    let app = Router::new().route("/orders", get(async || "orders")).layer(layer);
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("bind");
    let url = format!("http://{}/orders", listener.local_addr().expect("address"));
    runtime.spawn(async move { axum::serve(listener, app).await });

    let (early, late, kept) = (served.token(), served.token(), served.token());
    served.post("/revoke", &[("token", &early)]);
    let ask = |token: &str| served.http.get(&url, Some(token));
    assert_eq!(ask(&kept).status, 200);
    let refused = ask(&early);
    assert_eq!(refused.expect(401)["error"], "invalid_token");
    // It holds the list for as long as that says, and no longer.
    served.post("/revoke", &[("token", &late)]);
    let until = Instant::now() + Duration::from_secs(40);
    while ask(&late).status != 401 {
        assert!(Instant::now() < until, "it never learned of the revocation");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(ask(&kept).status, 200);
}
