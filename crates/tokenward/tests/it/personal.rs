//! Personal tokens from the command line, through the gateway, over a power cut, to their end.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use serde_json::{Value, json};
use token::opaque::Family;
use token::random::OsRandom;

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

/// What `tokenward token scan` says, and its exit code.
fn scan(arguments: &[&str]) -> (String, i32) {
    let output = Command::new(PROGRAM).args(["token", "scan"]).args(arguments).output();
    let output = output.expect("runs");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    (said, output.status.code().expect("a code"))
}

#[test]
fn leaked_tokens_are_found_in_files_and_in_history_and_never_printed() {
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=probe", "-c", "user.email=probe@example.com"];
        output_of(Command::new("git").arg("-C").arg(root).args(identity).args(arguments))
    };
    let [kept, removed, told, hidden, amended] =
        [(); 5].map(|()| Family::Personal.generate(&OsRandom::new()).expose().to_owned());
    std::fs::create_dir_all(root.join("deep/er")).expect("folders");
    std::fs::write(root.join("deep/er/ci.env"), format!("A=1\nTOKEN={kept}\n")).expect("file");
    std::fs::write(root.join("image.bin"), [b"\0\0", kept.as_bytes()].concat()).expect("file");
    git(&["init", "--quiet"]);
    // git shows no difference of such a file, and the program does not care.
    std::fs::write(root.join(".gitattributes"), "*.env -diff\n").expect("file");
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "first"]);
    std::fs::write(root.join("notes.txt"), format!("1\n2\n3 {removed}\n")).expect("file");
    git(&["add", "."]);
    let message = format!("second\n\ndiff --git a/x b/x\nsee {told}");
    git(&["commit", "--quiet", "-m", &message]);
    std::fs::remove_file(root.join("notes.txt")).expect("removed");
    git(&["commit", "--quiet", "-am", "third"]);
    std::fs::write(root.join("größe.txt"), &hidden).expect("file");
    git(&["stash", "push", "--quiet", "--include-untracked"]);
    std::fs::write(root.join("again.txt"), &amended).expect("file");
    git(&["add", "again.txt"]);
    git(&["commit", "--quiet", "-m", "fourth"]);
    git(&["rm", "--quiet", "again.txt"]);
    git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "fourth"]);

    let path = root.to_str().expect("path");
    let (said, code) = scan(&[path]);
    assert_eq!(code, 1);
    let end = &kept[49..];
    let line = |place: &str| format!("{path}/{place}: personal token twp_…{end}\n");
    assert_eq!(said, line("deep/er/ci.env:2") + &line("image.bin:1"));

    let (said, code) = scan(&["--git", "--json", path]);
    assert_eq!(code, 1);
    let rows: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut places: Vec<(String, u64)> = rows
        .iter()
        .map(|row| {
            let place = row["place"].as_str().expect("place").rsplit(':').next().expect("file");
            (place.to_owned(), row["line"].as_u64().expect("line"))
        })
        .collect();
    places.sort();
    // A stash is a commit of several parents: what it holds is there more than once.
    places.dedup();
    let expected = [
        ("(message)", 4),
        ("again.txt", 1),
        ("deep/er/ci.env", 2),
        ("größe.txt", 1),
        ("image.bin", 1),
        ("notes.txt", 3),
    ];
    assert_eq!(places, expected.map(|(place, line)| (place.to_owned(), line)));
    for token in [&kept, &removed, &told, &hidden, &amended] {
        assert!(!said.contains(token.as_str()));
    }

    std::fs::remove_file(root.join("deep/er/ci.env")).expect("removed");
    std::fs::remove_file(root.join("image.bin")).expect("removed");
    assert_eq!(scan(&[path]), (String::new(), 0));
    assert_eq!(scan(&["/nowhere/at/all"]).1, 2);
    let elsewhere = tempfile::tempdir().expect("folder");
    assert_eq!(scan(&["--git", elsewhere.path().to_str().expect("path")]).1, 2);
}
