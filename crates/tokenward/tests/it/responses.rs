//! Responses that the configuration chooses, through the real program: slower, a new sign-in, harder on repetition,
//! undone one by one, tried before they are used, and switched off.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::browser::{self, Browser};
use crate::support::http::Http;
use crate::support::served::Served;
use crate::support::{PROGRAM, Product, dev, output_of, text};

/// `tokenward dev` with these rows of `detect.response`.
fn product(folder: &tempfile::TempDir, rows: &str) -> Product {
    let mut command = dev(&["--json", "--data-dir"]);
    Product::of(command.arg(folder.path()).env("TOKENWARD_DETECT__RESPONSE", rows))
}

/// Takes a token back and sends it again and again, until that is a finding: ten times within ten seconds.
fn hammer(product: &Product, token: &str) {
    let (id, secret) = product.client();
    let client = Some((id.as_str(), secret.as_str()));
    let revoke = product.http.post_form(&product.issuer("/revoke"), client, &[("token", token)]);
    assert_eq!(revoke.status, 200, "{revoke:?}");
    for _ in 0..11 {
        assert_eq!(product.api("/orders", token).status, 401);
        std::thread::sleep(Duration::from_millis(1050));
    }
}

/// Findings of this detector, newest first, once there are so many.
fn findings(product: &Product, detector: &str, count: usize) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let answer = product.admin_call("GET", "/findings", None).expect(200);
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let found: Vec<Value> =
            items.into_iter().filter(|one| one["finding"]["detector"] == detector).collect();
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < until, "{} of {count}: {answer}", found.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn json_of(product: &Product, arguments: &[&str]) -> Value {
    let output = product.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("json")
}

#[test]
fn a_service_is_slowed_then_stopped_and_each_is_undone_by_itself() {
    let folder = tempfile::tempdir().expect("folder");
    let product = product(
        &folder,
        r#"[{ detectors = ["revoked_token_hammering"], repeated = 2, effect = "suspend",
              on = ["subject"], for = "1h" },
            { detectors = ["tokens"], principal = "service", effect = "limit:2/h",
              on = ["subject"], for = "30m" }]"#
            .replace('\n', " ")
            .as_str(),
    );
    let tokens = [product.access_token(), product.access_token()];
    let good = product.access_token();
    hammer(&product, &tokens[0]);
    let first = findings(&product, "revoked_token_hammering", 1).remove(0);
    assert_eq!(first["finding"]["response"], "throttle:subject", "{first}");
    assert_eq!(first["finding"]["effect"], "limit:2/h");
    for expected in [200, 200, 429] {
        assert_eq!(product.api("/orders", &good).status, expected);
    }
    hammer(&product, &tokens[1]);
    let second = findings(&product, "revoked_token_hammering", 2).remove(0);
    assert_eq!(second["finding"]["response"], "block:subject", "{second}");
    assert_eq!(product.api("/orders", &good).status, 401);
    assert_eq!(product.token(&[("grant_type", "client_credentials")]).status, 400);

    let id = |found: &Value| found["id"].as_str().expect("id").to_owned();
    let incidents = json_of(&product, &["incident", "list", "--json"]);
    let incident = &incidents[0];
    assert_eq!((&incident["findings"], &incident["answered"]), (&json!(2), &json!(2)));
    let name = incident["id"].as_str().expect("id");
    let shown = |list: &str, options: &[&str]| {
        let all = [&[list, "list", "--json"], options].concat();
        json_of(&product, &all).as_array().expect("list").len()
    };
    for (options, left) in [
        (&["--detector", "revoked_token_hammering", "--class", "certain"][..], 2),
        (&["--incident", name, "--answered", "true", "--judged", "false"], 2),
        (&["--from", "2020-01-01T00:00:00Z", "--detector", "tokens"], 2),
        (&["--to", "2020-01-01T00:00:00Z"], 0),
        (&["--subject", "nobody"], 0),
        (&["--ip", "192.0.2.77"], 0),
    ] {
        assert_eq!(shown("finding", options), left, "{options:?}");
        assert_eq!(shown("incident", options), left.min(1), "{options:?}");
    }
    for (option, value) in [("--severity", "worst"), ("--detector", "hammer"), ("--ip", "here")] {
        let refused = product.command(&["finding", "list", option, value]);
        assert!(!refused.status.success());
        let name = option.trim_start_matches('-');
        assert!(text(&refused.stderr).contains(name), "{}", text(&refused.stderr));
    }
    // Undone, the other one is as it was.
    let undone = product.command(&["finding", "undo", &id(&second)]);
    assert!(undone.status.success(), "{}", text(&undone.stderr));
    assert_eq!(product.api("/orders", &good).status, 429);
    let judged = json_of(&product, &["finding", "feedback", &id(&first), "false", "--json"]);
    assert_eq!(judged["verdict"], "false");
    // Proof is not doubted.
    assert_eq!(json_of(&product, &["finding", "tolerances", "--json"]), json!([]));
    assert!(product.command(&["finding", "undo", &id(&first)]).status.success());
    product.api("/orders", &good).expect(200);

    let story = json_of(&product, &["incident", "show", name, "--json"]);
    let steps: Vec<&str> = story["timeline"]
        .as_array()
        .expect("timeline")
        .iter()
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(steps, ["found", "found", "undone", "judged", "undone"]);
    let costs = story["restrictions"].as_array().expect("restrictions");
    assert!(costs.len() == 2 && costs.iter().all(|cost| cost["lifted_at"].is_string()), "{story}");
    assert!(product.command(&["incident", "show", name]).status.success());
    let audit = product.admin_call("GET", "/audit", None).expect(200).to_string();
    assert!(audit.contains("finding.feedback") && audit.contains("finding.undo"), "{audit}");
}

/// RFC 9470.
#[test]
fn a_person_signs_in_again_and_goes_on_and_the_old_tokens_do_not() {
    let folder = tempfile::tempdir().expect("folder");
    let rows = r#"[{ detectors = ["revoked_token_hammering"], principal = "person",
                     effect = "require:step_up", on = ["session"], for = "1h" }]"#;
    let product = product(&folder, &rows.replace('\n', " "));
    let mut person = Browser::new();
    let sign_in = |person: &mut Browser, more: &str| {
        let url = browser::authorize_url(&product, "openid orders:read");
        let code = browser::code_at(&product, person, &format!("{url}{more}"));
        let tokens = browser::redeem(&product, &code).expect(200);
        let text = |name: &str| tokens[name].as_str().expect("token").to_owned();
        (text("access_token"), text("refresh_token"))
    };
    let (stolen, _) = sign_in(&mut person, "");
    let (own, refresh) = sign_in(&mut person, "");
    product.api("/orders", &own).expect(200);
    hammer(&product, &stolen);
    let found = findings(&product, "revoked_token_hammering", 1).remove(0);
    assert_eq!(found["finding"]["response"], "step_up:session", "{found}");
    let refused = product.api("/orders", &own);
    assert_eq!(refused.expect(401)["error"], "insufficient_user_authentication");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("max_age=\""), "{challenge}");
    // A refreshed token is of the same sign-in, and so is a new one without signing in.
    let refreshed =
        product.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).expect(200);
    let refreshed = refreshed["access_token"].as_str().expect("token");
    assert_eq!(product.api("/orders", refreshed).status, 401);
    let (silent, _) = sign_in(&mut person, "");
    assert_eq!(product.api("/orders", &silent).status, 401);
    // The client comes back with what the challenge says.
    let (new, _) = sign_in(&mut person, "&max_age=0");
    product.api("/orders", &new).expect(200);
    for old in [&own, refreshed, &silent] {
        assert_eq!(product.api("/orders", old).status, 401);
    }
}

#[test]
fn the_switch_and_the_spared_hold_without_a_restart() {
    let served = Served::start("");
    let bait = |label: &str| {
        let made = served.admin_call("POST", "/honeytokens", Some(json!({ "label": label })));
        made["token"].as_str().expect("token").to_owned()
    };
    let use_bait = |last: u8, token: &str| {
        let thief = Http::from([127, 0, 9, last].into());
        thief.get(&served.gateway("/healthz"), Some(token));
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let list = served.admin_call("GET", "/findings", None);
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let address = format!("127.0.9.{last}");
            if let Some(one) = items.into_iter().find(|one| one["finding"]["ip"] == *address) {
                return one["finding"].clone();
            }
            assert!(Instant::now() < until, "{list}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let token = bait("wiki");
    assert_eq!(use_bait(1, &token)["response"], "block:ip");
    served.configure("[detect.spared]\nnetworks = [\"127.0.9.2/32\"]\n");
    served.admin_call("POST", "/config/reload", None);
    let spared = use_bait(2, &token);
    assert_eq!(
        (&spared["response"], &spared["held_back"]["by"]),
        (&json!("tag"), &json!("spared"))
    );
    assert_eq!(use_bait(3, &token)["response"], "block:ip");
    served.configure("[detect]\nresponses = false\n");
    served.admin_call("POST", "/config/reload", None);
    let off = use_bait(4, &token);
    assert_eq!(off["held_back"]["by"], "switched_off");
    assert_eq!(off["held_back"]["response"], "block:ip");
    let words = off["evidence"]["summary"].as_str().expect("summary");
    assert!(words.contains("responses are switched off"), "{words}");
    // A table that cannot be carried out changes nothing.
    served.configure("[[detect.response]]\neffect = \"suspend\"\nfor = \"1h\"\n");
    let url = served.admin("/api/v1/config/reload");
    let refused = served.http.json("POST", &url, Some(served.token()), None);
    assert!(refused.status >= 400, "{refused:?}");
    assert!(refused.body.contains("must name what is restricted"), "{}", refused.body);
    assert_eq!(use_bait(5, &token)["held_back"]["by"], "switched_off");
}

#[test]
fn another_table_is_tried_on_what_was_recorded() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let mut events = String::new();
    for n in 0..3 {
        let event = json!({
            "ts": format!("2026-11-28T10:00:0{n}.000Z"), "kind": "request",
            "ip": format!("198.51.100.{n}"), "token": "bait", "method": "GET", "path": "/",
            "status": 401, "refused": "honeytoken",
        });
        events.push_str(&format!("{event}\n"));
    }
    std::fs::write(at("events.jsonl"), events).expect("events");
    let policy = "[detect.spared]\nnetworks = [\"198.51.100.2/32\"]\n[[detect.response]]\n\
                  detectors = [\"honeytoken\"]\neffect = \"suspend\"\non = [\"network\"]\n\
                  for = \"6h\"\nat_most = \"1/h\"\n";
    std::fs::write(at("new.toml"), policy).expect("policy");
    let simulate = |more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["detect", "simulate", "--policy"]).arg(at("new.toml"));
        output_of(command.arg(at("events.jsonl")).args(more))
    };
    let once = simulate(&["--json"]);
    assert_eq!(once, simulate(&["--json"]), "the same input gives the same output");
    let outcome: Value = serde_json::from_str(&once).expect("json");
    let hit = |n: usize, side: &str| outcome["hits"][n][side].clone();
    assert_eq!(hit(0, "target"), "network:198.51.100.0/32");
    assert_eq!(hit(0, "new")["until"], "2026-11-28T16:00:00.000Z");
    assert_eq!(hit(0, "present")["until"], "2026-11-28T11:00:00.000Z");
    assert!(hit(1, "new").is_null() && hit(2, "new").is_null(), "{outcome}");
    assert!(hit(2, "present").is_object());
    let by: Vec<&Value> =
        outcome["held_back"].as_array().expect("list").iter().map(|held| &held["by"]).collect();
    assert_eq!(by, ["at_most", "spared"]);
    let words = simulate(&[]);
    assert!(words.contains("1 hit by the new table, 3 by the present one, 1 by both"), "{words}");
    let bad = policy.replace("suspend", "stop");
    std::fs::write(at("new.toml"), bad).expect("policy");
    let mut command = Command::new(PROGRAM);
    command.args(["detect", "simulate", "--policy"]).arg(at("new.toml"));
    let refused = command.arg(at("events.jsonl")).output().expect("runs");
    assert_eq!(refused.status.code(), Some(2));
    let words = text(&refused.stderr);
    assert!(words.contains("new.toml:5:") && words.contains("`stop` is not an effect"), "{words}");
}

#[test]
fn a_campaign_is_undone_in_one_step_but_for_what_was_undone_before() {
    let product = Product::start();
    let good = product.access_token();
    let made = product.command(&["honeytoken", "create", "--label", "script"]);
    let bait = text(&made.stdout).trim().to_owned();
    let thieves: Vec<Http> = (1..=5).map(|n| Http::from([127, 0, 10 + n, 1].into())).collect();
    for thief in &thieves {
        assert_eq!(thief.get(&product.gateway("/orders"), Some(&bait)).status, 401);
    }
    let last = findings(&product, "honeytoken", 5).remove(0);
    let statuses = || -> Vec<u16> {
        let ask = |thief: &Http| thief.get(&product.gateway("/orders"), Some(&good)).status;
        thieves.iter().map(ask).collect()
    };
    assert_eq!(statuses(), [403; 5]);
    let id = last["id"].as_str().expect("id");
    assert!(product.command(&["finding", "undo", id]).status.success());
    assert_eq!(statuses(), [403, 403, 403, 403, 200]);

    let incidents = json_of(&product, &["incident", "list", "--json"]);
    let mut incidents = incidents.as_array().expect("incidents").iter();
    let campaign = incidents.find(|one| one["kind"] == "campaign").expect("a campaign");
    let name = campaign["id"].as_str().expect("id");
    let undone = product.command(&["incident", "undo", name]);
    let words = text(&undone.stdout);
    assert!(undone.status.success(), "{words} {}", text(&undone.stderr));
    assert_eq!(words.matches(" true ").count(), 4, "{words}");
    assert!(words.contains("it was undone before"), "{words}");
    assert_eq!(statuses(), [200; 5]);
    let audit = product.admin_call("GET", "/audit", None).expect(200).to_string();
    assert!(audit.contains("incident.undo") && audit.contains("4 of 5"), "{audit}");
    let again = product.command(&["incident", "undo", name]);
    assert!(!again.status.success());
    assert!(text(&again.stderr).contains("5: it was undone before"), "{}", text(&again.stderr));
}
