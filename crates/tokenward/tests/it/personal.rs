//! Personal tokens from the command line, through the gateway, over a power cut, to their end.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::http::Answer;
use crate::support::served::Served;
use crate::support::{PROGRAM, output_of};

const OPTIONS: &str = r#"
    [authority.personal_tokens]
    max_life = "90d"
"#;

fn tokenward(served: &Served, arguments: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    command
        .env("TOKENWARD_ADMIN_URL", served.admin(""))
        .env("TOKENWARD_ADMIN_TOKEN", served.token());
    output_of(command.args(arguments)).trim().to_owned()
}

/// A token with the scope `health`, and these options.
fn made(served: &Served, options: &str) -> String {
    let command = ["token", "create-personal", "--scope", "health"];
    let options: Vec<&str> = command.into_iter().chain(options.split(' ')).collect();
    tokenward(served, &options)
}

fn ask(served: &Served, authorization: &str) -> Answer {
    let request = http::Request::get(served.gateway("/healthz"));
    let request = request.header("authorization", authorization);
    served.http.send(request.body(Full::default()).expect("request"))
}

#[test]
fn a_personal_token_from_its_making_to_its_end() {
    let served = Served::start(OPTIONS);
    served.admin_call("POST", "/users", Some(json!({ "username": "alice" })));
    let token = made(&served, "--user alice --name ci --expires 90d --network 127.0.0.0/8");
    assert!(token.starts_with("twp_") && token.len() == 53, "{token}");
    let bearer = |token: &str| format!("Bearer {token}");
    let basic = |token: &str| format!("Basic {}", STANDARD.encode(format!("git:{token}")));
    assert_eq!(ask(&served, &bearer(&token)).status, 200);
    assert_eq!(ask(&served, &basic(&token)).status, 200);
    let list: Value =
        serde_json::from_str(&tokenward(&served, &["token", "list-personal", "--json"]))
            .expect("JSON");
    let jti = list[0]["jti"].as_str().expect("jti").to_owned();
    assert_eq!(list[0]["state"], "active");

    // Elsewhere than it may be used; then back after a power cut.
    let away = made(&served, "--user alice --name away --expires 1d --network 192.0.2.1");
    assert_eq!(ask(&served, &bearer(&away)).status, 403);
    let served = served.restart(OPTIONS);
    assert_eq!(ask(&served, &bearer(&token)).status, 200);

    let new = tokenward(&served, &["token", "rotate-personal", &jti, "--overlap", "1h"]);
    for token in [&token, &new] {
        assert_eq!(ask(&served, &bearer(token)).status, 200);
    }
    tokenward(&served, &["token", "revoke-personal", &jti]);
    assert_eq!(ask(&served, &bearer(&token)).status, 401);
    assert_eq!(ask(&served, &bearer(&new)).status, 200);
    // The owner goes, and with them what was theirs.
    let users = served.admin_call("GET", "/users", None);
    let alice = users["items"][0]["id"].as_str().expect("id").to_owned();
    served.admin_call("PATCH", &format!("/users/{alice}"), Some(json!({ "disabled": true })));
    assert_eq!(ask(&served, &bearer(&new)).status, 401);
}

#[test]
fn a_token_of_a_service_ends_with_it() {
    let served = Served::start("");
    let (client, _) = served.client(json!({ "client_name": "probe", "scope": "health" }));
    let token = made(&served, &format!("--client {client} --name probe --expires 30d"));
    assert_eq!(ask(&served, &format!("Bearer {token}")).status, 200);
    served.admin_call("DELETE", &format!("/clients/{client}"), None);
    assert_eq!(ask(&served, &format!("Bearer {token}")).status, 401);
}
