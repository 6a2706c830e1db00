//! Databases of places: fetched from a registry, looked into, and what rules and events make of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::support::http::Http;
use crate::support::served::Served;
use crate::support::{PROGRAM, text};

const SYSTEMS: &str =
    "127.0.0.0,127.0.0.9,64496,\"Example Hosting, Ltd\"\n127.0.0.77,127.0.0.77,64497,Other\n";

/// An archive as npm packs them, with entries by their whole paths.
fn packed(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, kind, content) in entries {
        let mut header = Header::new_old();
        // Past the checks of whoever packs honestly.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, *content).expect("an entry");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("an archive")
}

fn integrity(bytes: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes);
    format!("sha512-{}", BASE64_STANDARD.encode(hash))
}

/// A registry below `/npm/` that answers with these documents, each connection once; ends with the test.
fn registry(make: impl FnOnce(&str) -> BTreeMap<String, Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let base = format!("http://{}/npm", listener.local_addr().expect("address"));
    let documents = make(&base);
    std::thread::spawn(move || {
        for stream in listener.incoming().take(100) {
            let _ = answer(stream.expect("connection"), &documents);
        }
    });
    base
}

fn answer(mut stream: TcpStream, documents: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match documents.get(path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", b"" as &[u8]),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)
}

/// A registry with one package, `@example/asn`.
fn one_package(archive: Vec<u8>, integrity: String) -> String {
    registry(|base| {
        let manifest = json!({
            "name": "@example/asn", "version": "1.2.3",
            "dist": { "tarball": format!("{base}/asn-1.2.3.tgz"), "integrity": integrity },
        });
        [
            ("/npm/@example%2fasn/latest".to_owned(), manifest.to_string().into_bytes()),
            ("/npm/asn-1.2.3.tgz".to_owned(), archive),
        ]
        .into()
    })
}

fn fetch(to: &Path, registry: Option<&str>) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["geo", "fetch", "--package", "@example/asn", "--to"]).arg(to);
    command.env_remove("NPM_CONFIG_REGISTRY");
    if let Some(registry) = registry {
        command.env("NPM_CONFIG_REGISTRY", registry);
    }
    command.output().expect("run")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
        .collect();
    names.sort();
    names
}

#[test]
fn databases_are_fetched_with_their_notices_and_looked_into() {
    let archive = packed(&[
        ("package/package.json", EntryType::Regular, b"{}"),
        ("package/asn-ipv4.csv", EntryType::Regular, SYSTEMS.as_bytes()),
        ("package/asn-ipv4-num.csv", EntryType::Regular, b"1,2,3,x\n"),
        ("package/DBIP-LICENSE", EntryType::Regular, b"attribution"),
        ("package/evil.csv", EntryType::Symlink, b""),
        ("package/../../up.csv", EntryType::Regular, b"x"),
        ("/package/root.csv", EntryType::Regular, b"x"),
        ("package/run.sh", EntryType::Regular, b"x"),
    ]);
    let folder = tempfile::tempdir().expect("folder");
    let to = folder.path().join("geo");
    let promised = integrity(&archive);
    let output = fetch(&to, Some(&one_package(archive, promised)));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(names(&to), ["asn-ipv4.csv", "asn.DBIP-LICENSE"]);
    assert_eq!(names(folder.path()), ["geo"]);
    assert!(text(&output.stdout).contains("asn-ipv4.csv"));

    let lookup = |address: &str| {
        let mut command = Command::new(PROGRAM);
        let output =
            command.args(["geo", "lookup", address, "--json", "--files"]).arg(&to).output();
        serde_json::from_slice::<Value>(&output.expect("run").stdout).expect("JSON")
    };
    let told = lookup("127.0.0.1");
    assert_eq!((&told["asn"], &told["network"]), (&json!(64_496), &json!("hosting")));
    assert_eq!(told["system"], "Example Hosting, Ltd");
    assert_eq!((&lookup("192.0.2.1")["asn"], &told["country"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_is_not_as_the_registry_promises_is_not_kept() {
    let good = packed(&[("package/a.csv", EntryType::Regular, SYSTEMS.as_bytes())]);
    let damaged = packed(&[("package/a.csv", EntryType::Regular, b"1.0.0.0,here,1,x\n")]);
    let empty = packed(&[("package/README.md", EntryType::Regular, b"nothing")]);
    let (of_good, of_damaged, of_empty) =
        (integrity(&good), integrity(&damaged), integrity(&empty));
    let half = good[..good.len() / 2].to_vec();
    let of_half = integrity(&half);
    for (archive, promised, words) in [
        (
            damaged.clone(),
            of_good,
            "@example/asn: the archive of 1.2.3 is not the one that the registry",
        ),
        (
            damaged.clone(),
            "sha1-AAAA".to_owned(),
            "is not the one that the registry promises (SHA-512)",
        ),
        (damaged, of_damaged, "nothing was kept: "),
        (empty, of_empty, "nothing was kept: "),
        (half, of_half, "@example/asn: the archive is broken: "),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let output = fetch(folder.path(), Some(&one_package(archive, promised)));
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
        assert_eq!(names(folder.path()), [] as [&str; 0]);
    }
    let folder = tempfile::tempdir().expect("folder");
    for (registry, code, words) in [
        (None, 2, "no registry is known: name one with --registry or NPM_CONFIG_REGISTRY"),
        (Some("here"), 2, "`here` is not the URL of a registry"),
        (Some("http://192.0.2.1/"), 1, "is not an https URL"),
        (Some(&*registry(|_| BTreeMap::new())), 1, "answers with status 404"),
    ] {
        let output = fetch(folder.path(), registry);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
}

#[test]
fn rules_and_events_know_where_a_client_is() {
    let folder = tempfile::tempdir().expect("folder");
    let (systems, countries) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    std::fs::write(&systems, SYSTEMS).expect("file");
    std::fs::write(&countries, "127.0.0.1,127.0.0.1,NO\n127.0.0.77,127.0.0.77,SE\n").expect("file");
    let record = folder.path().join("events");
    let more = format!(
        "[geo]\nfiles = [\"{}\"]\n[detect]\nrecord = \"{}\"\n\
         [[gateway.route]]\npath = \"/readyz\"\nupstream = \"api\"\npublic = true\n\
         countries = [\"NO\"]\nnot_asns = [64500]",
        folder.path().display(),
        record.display(),
    );
    let served = Served::start(&more);
    let stranger = Http::from(Ipv4Addr::new(127, 0, 0, 77));
    let unknown = Http::from(Ipv4Addr::new(127, 0, 0, 99));
    let ready = served.gateway("/readyz");
    assert_eq!(served.http.get(&ready, None).status, 200);
    for http in [&stranger, &unknown] {
        let refused = http.get(&ready, None).expect(403);
        assert_eq!(
            refused["error_description"],
            "this is not for requests from this country or network"
        );
    }
    let (id, secret) = served.client(json!({ "client_name": "probe", "scope": "health" }));
    let form = [("grant_type", "client_credentials"), ("scope", "health")];
    let tokens = served.http.post_form(&served.issuer("/token"), Some((&id, &secret)), &form);
    let token = tokens.expect(200)["access_token"].as_str().expect("token").to_owned();
    let health = served.gateway("/healthz");
    assert_eq!(stranger.get(&health, Some(&token)).status, 200);
    let restriction = json!({
        "selector": { "kind": "client", "value": id }, "effect": "asns:64496", "reason": "at home alone",
    });
    served.admin_call("POST", "/restrictions", Some(restriction));
    let refused = stranger.get(&health, Some(&token));
    let refused = refused.expect(403);
    assert_eq!(served.http.get(&health, Some(&token)).status, 200);
    let explained = served.admin_call(
        "GET",
        &format!("/requests/{}", refused["request_id"].as_str().expect("id")),
        None,
    );
    let explained = explained.to_string();
    assert!(explained.contains("the client is at SE, AS64497"), "{explained}");

    let read = || {
        let text = std::fs::read_to_string(&record).expect("events");
        let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        whole.collect::<Vec<_>>()
    };
    let of_health =
        |events: &[Value]| events.iter().filter(|one| one["path"] == "/healthz").count();
    let until = Instant::now() + Duration::from_secs(10);
    while of_health(&read()) < 3 {
        assert!(Instant::now() < until, "the last request's event did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let events = read();
    let found = |kind: &str, ip: &str, path: Option<&str>| {
        let mut all = events.iter().rev();
        let fits = |event: &&Value| {
            event["kind"] == kind && event["ip"] == ip && event["path"].as_str() == path
        };
        all.find(fits).cloned().unwrap_or_else(|| panic!("no {kind} from {ip}: {events:#?}"))
    };
    let issued = found("grant", "127.0.0.1", None);
    assert_eq!((&issued["country"], &issued["asn"]), (&json!("NO"), &json!(64_496)));
    assert_eq!(issued["net"], "hosting");
    let there = found("request", "127.0.0.77", Some("/healthz"));
    assert_eq!((&there["country"], &there["moved"]), (&json!("SE"), &json!(["country", "asn"])));
    assert_eq!(found("request", "127.0.0.1", Some("/healthz"))["moved"], json!([]));
    assert_eq!(found("request", "127.0.0.99", Some("/readyz")).get("country"), None);
}

#[test]
fn a_bad_database_is_named_at_start() {
    let folder = tempfile::tempdir().expect("folder");
    let database = folder.path().join("places.mmdb");
    std::fs::write(&database, b"no database").expect("file");
    let config = folder.path().join("c.toml");
    let route = "[gateway]\n[gateway.upstreams]\na = \"http://127.0.0.1:1\"\n\
                 [[gateway.route]]\npath = \"/\"\nupstream = \"a\"\n";
    for (content, words) in [
        (format!("[geo]\nfiles = [{database:?}]"), "geo.files: "),
        (
            format!("[geo]\nfiles = [{database:?}]"),
            "places.mmdb: not a sound MaxMind DB, get it anew: ",
        ),
        (
            format!("{route}countries = [\"NO\"]"),
            "demands a place, and none is known: name databases in `geo.files`",
        ),
        (format!("{route}countries = [\"Norway\"]"), "`countries:` and `not_countries:` want"),
    ] {
        let store = format!("[store]\npath = {:?}\n", folder.path().join("db"));
        std::fs::write(&config, format!("{store}{content}")).expect("config");
        for start in [&["config", "check", "-c"] as &[&str], &["serve", "-c"]] {
            let output = Command::new(PROGRAM).args(start).arg(&config).output().expect("run");
            assert!(!output.status.success());
            assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_replay_looks_up_what_events_do_not_tell() {
    let folder = tempfile::tempdir().expect("folder");
    let (file, systems) = (folder.path().join("events"), folder.path().join("a.csv"));
    std::fs::write(&systems, SYSTEMS).expect("file");
    let used = |time: &str, ip: &str, ua: &str| {
        json!({
            "ts": format!("2026-01-01T{time}:00.000Z"), "kind": "request", "ip": ip, "ua": ua, "subject": "u1",
            "client": "app", "token": format!("t{ip}"), "token_kind": "jwt", "scopes": ["payments:write"],
            "method": "GET", "path": "/", "status": 200,
        })
    };
    let events = [
        used("01:00", "198.51.100.7", "Mozilla/5.0 Firefox/130.0"),
        used("04:00", "127.0.0.5", "python-requests/2.32"),
    ];
    std::fs::write(&file, events.map(|event| format!("{event}\n")).concat()).expect("file");
    let replay = |more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["detect", "replay"]).args(more).arg(&file).output().expect("run")
    };
    assert_eq!(text(&replay(&[]).stdout), "");
    let known = replay(&["--places", systems.to_str().expect("path")]);
    assert!(text(&known.stdout).contains(r#""detector":"new_place""#), "{}", text(&known.stdout));
    let missing = replay(&["--places", "/nowhere"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("--places: /nowhere"), "{}", text(&missing.stderr));
}
