//! Policies: at the gateway, for services that ask, and on cases that are written down.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::http::{Answer, Http};
use crate::support::served::Served;
use crate::support::{PROGRAM, root, text};

/// The files of docs/policy.md: blocks whose first line has a name behind the language.
fn example(folder: &Path) {
    let page = std::fs::read_to_string(root().join("docs/policy.md")).expect("page");
    let mut blocks = page.split("```").skip(1).step_by(2);
    let mut files = 0;
    for (head, body) in blocks.by_ref().filter_map(|block| block.split_once('\n')) {
        if let Some((_, name)) = head.split_once(' ') {
            std::fs::write(folder.join(name), body).expect("file");
            files += 1;
        }
    }
    assert_eq!(files, 3);
}

fn test(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["policy", "test", "cases.toml", "--config", "shop.toml"]).args(more);
    command.env("TOKENWARD_STORE__PATH", folder.join("state.db"));
    command.current_dir(folder).output().expect("run")
}

fn change(folder: &Path, name: &str, from: &str, to: &str) {
    let file = folder.join(name);
    let content = std::fs::read_to_string(&file).expect("file");
    assert!(content.contains(from), "{from}");
    std::fs::write(&file, content.replacen(from, to, 1)).expect("file");
}

#[test]
fn the_example_of_the_page_is_as_it_says() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    example(folder);
    let check = Command::new(PROGRAM)
        .args(["config", "check", "-c", "shop.toml"])
        .current_dir(folder)
        .output()
        .expect("run");
    assert!(check.status.success(), "{}", text(&check.stderr));
    let output = test(folder, &[]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout), "10 cases, 0 failed\n");
    assert!(!folder.join("state.db").exists(), "no store is opened");

    // Another policy, and the cases that tell of it.
    change(folder, "shop.cedar", "192.0.2.0/24", "198.51.100.0/24");
    let output = test(folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    for part in [
        "cases.toml: case 6 `support refunds from the office`\n  expect: expected allow, got policy\n",
        "  because: no policy permits this request, or one forbids it\n",
        "  route: /orders/{id}/refund\n  policies: refunds from the office\n",
        "case 7 `not from elsewhere`\n  expect: expected policy, got allow\n",
        "10 cases, 2 failed\n",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    change(folder, "cases.toml", "scopes = [\"orders:read\"]", "scopes = [\"orders:write\"]");
    let because = "  because: demands `orders:read`; the token has `orders:write`\n";
    assert!(text(&test(folder, &[]).stdout).contains(because));
    let elsewhere = "audience = \"https://elsewhere.example\", scopes = [\"orders:read\"]";
    change(folder, "cases.toml", "scopes = [\"orders:write\"]", elsewhere);
    let said = test(folder, &[]);
    let because = "; the token is for https://elsewhere.example\n";
    assert!(text(&said.stdout).contains("  because: wrong_audience: demands "), "{said:?}");
    assert!(text(&said.stdout).contains(because), "{said:?}");
    change(folder, "cases.toml", elsewhere, "scopes = [\"orders:read\"]");
    let output = test(folder, &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &report["failed"]), (Some(1), &json!(2)));
    assert_eq!(report["cases"][5]["passed"], false);
    assert_eq!(report["cases"][5]["differs"][0]["actual"], "policy");
    assert_eq!(report["cases"][0]["policies"], json!(["readers"]));
}

#[test]
fn cases_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    example(folder);
    for (from, to, words) in [
        ("expect = \"allow\"", "expect = \"alow\"", "case 1: `expect = \"alow\"`"),
        ("path = \"/orders/17\"", "path = \"/orders#17\"", "case 1: "),
        (
            "path = \"/orders/17\"",
            "path = \"orders/17\"",
            "case 1: `path`: `orders/17` begins with no `/`",
        ),
        (
            "path = \"/orders/17\"",
            "path = \"/orders/17\"\nmethod = \"G T\"",
            "case 1: `method`: `G T` is no method",
        ),
        ("path = \"/orders/17\"", "pth = \"/orders/17\"", "unknown field `pth`"),
        (
            "scopes = [\"orders:read\"] }",
            "issuer = \"https://no.example\" }",
            "`[[gateway.issuer]]`",
        ),
    ] {
        change(folder, "cases.toml", from, to);
        let output = test(folder, &[]);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
        change(folder, "cases.toml", to, from);
    }
    std::fs::write(folder.join("cases.toml"), "").expect("file");
    assert!(text(&test(folder, &[]).stderr).contains("there is no case in it"));
}

#[test]
fn mistakes_in_policies_are_found_before_anything_starts() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    example(folder);
    for (name, from, to, words) in [
        ("shop.cedar", "principal is User,", "principal is User", "shop.cedar:"),
        ("shop.cedar", "GET\", resource", "GET /order\", resource", "no such route"),
        ("shop.toml", "*.cedar", "*.ceder", "`*.ceder` is no file"),
        ("shop.toml", "times = [\"Mon-Fri", "times = [\"Monday", "`Monday` names no days"),
        ("shop.toml", "[\"opaque\"]", "[\"pat\"]", "gateway.route[2].token_kinds: must be among"),
        (
            "shop.toml",
            "[gateway.policy]\nfiles",
            "[gateway.policy]\ndecision_point = \"https://x.example\"\nfiles",
            "needs `gateway.auth`",
        ),
        ("shop.toml", "department =", "scope =", "is demanded by `scopes`"),
    ] {
        change(folder, name, from, to);
        let output = Command::new(PROGRAM)
            .args(["config", "check", "-c", "shop.toml"])
            .current_dir(folder)
            .output()
            .expect("run");
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(words), "{to}: {said}");
        change(folder, name, to, from);
    }
}

fn token(served: &Served, client: &(String, String), scope: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let basic = Some((client.0.as_str(), client.1.as_str()));
    let answer = served.http.post_form(&served.issuer("/token"), basic, &form).expect(200);
    answer["access_token"].as_str().expect("token").to_owned()
}

#[test]
fn policies_decide_at_the_gateway_and_for_services_that_ask() {
    let folder = tempfile::tempdir().expect("folder");
    let (policies, record) = (folder.path().join("a.cedar"), folder.path().join("events"));
    let text = "
        @id(\"well\") permit(principal is Client, action == Action::\"GET /healthz\", resource is Route)
            when { context.ip.isLoopback() };
        @id(\"curfew\") forbid(principal is Client, action, resource)
            when { principal.scopes.contains(\"nosy\") };
        permit(principal in Group::\"editors\", action == Action::\"edit\", resource is document);";
    std::fs::write(&policies, text).expect("file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let auth = format!("[gateway.auth]\nlisten = \"127.0.0.1:{port}\"");
    let more = format!(
        "[gateway.policy]\nfiles = [\"{}\"]\n{auth}\n[detect]\nrecord = \"{}\"\n\
         [[scope]]\nname = \"nosy\"\ndescription = \"Ask a lot\"",
        policies.display(),
        record.display(),
    );
    let served = Served::start(&more);
    let client = served.client(json!({ "client_name": "probe", "scope": "health nosy" }));
    let ask = |scope: &str| {
        served.http.get(&served.gateway("/healthz"), Some(&token(&served, &client, scope)))
    };
    assert_eq!(ask("health").status, 200);
    let refused = ask("health nosy");
    assert_eq!(refused.expect(403)["error"], "access_denied");
    assert!(!refused.body.contains("curfew"));

    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let evaluate = |http: &Http, groups: Value| -> Answer {
        let case = json!({
            "subject": { "type": "user", "id": "alice", "properties": { "groups": groups } },
            "action": { "name": "edit" }, "resource": { "type": "document", "id": "7" },
        });
        http.json("POST", &url("/access/v1/evaluation"), None, Some(case))
    };
    assert_eq!(evaluate(&served.http, json!(["editors"])).expect(200)["decision"], true);
    assert_eq!(evaluate(&served.http, json!([])).expect(200)["decision"], false);
    let stranger = Http::from(Ipv4Addr::new(127, 0, 0, 77));
    evaluate(&stranger, json!(["editors"])).expect(403);
    let metadata = served.http.get(&url("/.well-known/authzen-configuration"), None).expect(200);
    assert_eq!(metadata["access_evaluation_endpoint"], url("/access/v1/evaluation"));

    let served = served.restart(&auth);
    evaluate(&served.http, json!(["editors"])).expect(404);
    served.http.get(&url("/.well-known/authzen-configuration"), None).expect(404);
    let events = std::fs::read_to_string(&record).expect("events");
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("event"));
    let ruled: Vec<_> =
        events.filter_map(|event| Some((event.get("policy")?.clone(), event))).collect();
    assert_eq!(ruled[0].0, json!(["well"]));
    assert_eq!((&ruled[1].0, &ruled[1].1["refused"]), (&json!(["curfew"]), &json!("policy")));
}
