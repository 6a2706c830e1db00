//! The configuration changes while requests come: nobody is cut off, and the new rule counts.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::backend::{Backend, Connection};
use crate::support::http::Http;
use crate::support::served::Served;
use crate::support::text;

/// A public route and an API behind it.
fn open(url: &str, paths: &[&str]) -> String {
    let routes = paths.iter().map(|path| {
        format!("[[gateway.route]]\npath = \"{path}\"\nupstream = \"own\"\npublic = true\n")
    });
    let routes: String = routes.collect();
    format!("[gateway.upstreams.own]\nservers = [\"{url}\"]\n{routes}")
}

/// Ends the clients when the test does, however that is.
struct Ending<'e>(&'e AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn reload(served: &Served) -> Value {
    served.admin_call("POST", "/config/reload", None)
}

/// Within ten seconds this becomes true.
fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn status(served: &Served, path: &str) -> u16 {
    served.http.get(&served.gateway(path), None).status
}

fn metric(served: &Served, begins: &str) -> f64 {
    let page = served.http.get(&served.admin("/metrics"), None).body;
    let line = page.lines().find_map(|line| line.strip_prefix(begins)).map(str::trim);
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[test]
fn rules_change_under_load_and_nobody_is_cut_off() {
    const PATHS: [&str; 3] = ["/own", "/events", "/echo"];
    let backend = Backend::start("one");
    let served = Served::start(&open(&backend.url(), &PATHS));
    let port = served.gateway_port();
    let mut events = Connection::open(port);
    assert_eq!(events.head("/events", "").0, 200);
    let mut tunnel = Connection::open(port);
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(tunnel.head("/echo", upgrade).0, 101);
    tunnel.echo("before");

    let (ended, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Connection::open(port);
                while !ended.load(Ordering::Relaxed) {
                    assert_eq!(client.get("/own"), (200, "one".to_owned()));
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _ending = Ending(&ended);
        let mut client = Connection::open(port);
        for round in 0..20 {
            let late = ["/own", "/events", "/echo", "/late"];
            let some = if round % 2 == 0 { &late[..] } else { &PATHS[..] };
            served.configure(&open(&backend.url(), some));
            assert_eq!(
                reload(&served),
                json!({ "version": round + 2, "changed": ["gateway.route"] })
            );
            let expected = if round % 2 == 0 { 200 } else { 401 };
            assert_eq!(client.get("/late").0, expected, "the next request meets the new rule");
        }
    });
    assert!(answers.load(Ordering::Relaxed) > 100, "{answers:?}");
    // Even where their own route is gone.
    served.configure(&open(&backend.url(), &["/own"]));
    reload(&served);
    assert_eq!((status(&served, "/events"), status(&served, "/own")), (401, 200));
    let now = events.event("data: ");
    assert!(events.event("data: ") > now || now.starts_with("data: 9"), "it goes on");
    tunnel.echo("after");
    assert_eq!(metric(&served, "tokenward_config_reloads_total{result=\"applied\"}"), 21.0);
    assert_eq!(metric(&served, "tokenward_config_version"), 22.0);
}

#[test]
fn an_upstream_is_replaced_and_what_was_counted_stays() {
    let (one, other) = (Backend::start("one"), Backend::start("other"));
    let limit = |name: &str, quota: &str| {
        format!("[[gateway.limit]]\nname = \"{name}\"\nquota = \"{quota}\"\nroutes = [\"/own\"]\n")
    };
    let served = Served::start(&(open(&one.url(), &["/own"]) + &limit("daily", "3/d")));
    let mut client = Connection::open(served.gateway_port());
    assert_eq!(client.get("/own"), (200, "one".to_owned()));
    assert_eq!(client.get("/own"), (200, "one".to_owned()));
    let more = open(&other.url(), &["/own"]) + &limit("hourly", "9/h") + &limit("daily", "3/d");
    served.configure(&more);
    let changed = json!(["gateway.limit", "gateway.upstreams.own.servers[0]"]);
    assert_eq!(reload(&served)["changed"], changed);
    assert_eq!(client.get("/own"), (200, "other".to_owned()));
    assert_eq!(client.get("/own").0, 429, "two were taken before");
}

#[test]
fn files_are_read_again_when_they_change_and_a_burst_once() {
    let backend = Backend::start("one");
    let served = Served::start(&open(&backend.url(), &["/own"]));
    for round in 0..10 {
        let path = format!("/burst{round}");
        served.configure(&open(&backend.url(), &["/own", &path]));
        std::thread::sleep(Duration::from_millis(20));
    }
    soon("the last of the burst", || status(&served, "/burst9") == 200);
    let applied = metric(&served, "tokenward_config_reloads_total{result=\"applied\"}");
    assert!(applied <= 2.0, "{applied}");
    // It is in force before it is on record.
    let newest = || served.admin_call("GET", "/audit", None)["items"][0].clone();
    soon("its record", || newest()["action"] == "config.reload");
    let newest = newest();
    assert_eq!(newest["actor"], "system:files");
    assert!(newest["target"].as_str().expect("target").ends_with(": gateway.route"), "{newest}");
}

#[test]
fn a_swapped_link_is_a_change() {
    let backend = Backend::start("one");
    let served = Served::start(&open(&backend.url(), &["/own"]));
    let file = served.file();
    let folder = file.parent().expect("folder").to_owned();
    let at = |name: &str| folder.join(name);
    // As Kubernetes does it: the file is a link through a link to a folder.
    let put = |name: &str, paths: &[&str]| {
        std::fs::create_dir(at(name)).expect("folder");
        served.configure(&open(&backend.url(), paths));
        std::fs::rename(&file, at(name).join("tokenward.toml")).expect("moved");
        symlink(name, at("..data_tmp")).expect("link");
        std::fs::rename(at("..data_tmp"), at("..data")).expect("swap");
        symlink("..data/tokenward.toml", at("tokenward.tmp")).expect("link");
        std::fs::rename(at("tokenward.tmp"), &file).expect("link");
    };
    put("..1", &["/own", "/first"]);
    soon("the first folder", || status(&served, "/first") == 200);
    std::fs::remove_file(&file).expect("the link");
    put("..2", &["/own", "/second"]);
    soon("the second folder", || status(&served, "/second") == 200);
    assert_eq!(status(&served, "/first"), 401);
}

#[test]
fn a_storm_of_signals_does_no_harm() {
    let backend = Backend::start("one");
    let served = Served::start(&open(&backend.url(), &["/own"]));
    let mut client = Connection::open(served.gateway_port());
    for _ in 0..200 {
        served.signal("HUP");
        assert_eq!(client.get("/own").0, 200);
    }
    served.configure(&open(&backend.url(), &["/own", "/new"]));
    served.signal("HUP");
    soon("the new route", || status(&served, "/new") == 200);
    assert_eq!(client.get("/own").0, 200, "on the same connection");
    assert!(metric(&served, "tokenward_config_reloads_total{result=\"unchanged\"}") >= 1.0);
    assert_eq!(metric(&served, "tokenward_config_version"), 2.0);
}

#[test]
fn documents_policies_and_who_may_ask_change_too() {
    let backend = Backend::start("one");
    let folder = tempfile::tempdir().expect("folder");
    let (document, policies) = (folder.path().join("api.json"), folder.path().join("a.cedar"));
    let write = |paths: &[&str]| {
        let operation = json!({ "get": { "responses": {}, "security": [] } });
        let paths: Value =
            paths.iter().map(|path| ((*path).to_owned(), operation.clone())).collect();
        let text =
            json!({ "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": paths });
        std::fs::write(&document, text.to_string()).expect("document");
    };
    write(&["/a"]);
    std::fs::write(&policies, "permit(principal, action, resource);").expect("policies");
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        listener.local_addr().expect("address").port()
    };
    let more = |callers: &str| {
        format!(
            "{}[[gateway.api]]\nopenapi = \"{}\"\nupstream = \"own\"\n[gateway.policy]\n\
             files = [\"{}/*.cedar\"]\n[gateway.auth]\nlisten = \"127.0.0.1:{port}\"\n\
             trusted_callers = [\"{callers}\"]\n",
            open(&backend.url(), &["/own"]),
            document.display(),
            folder.path().display(),
        )
    };
    let served = Served::start(&more("127.0.0.1/32"));
    assert_eq!((status(&served, "/a"), status(&served, "/b")), (200, 401));
    write(&["/a", "/b"]);
    soon("the operation", || status(&served, "/b") == 200);

    let (id, secret) = served.client(json!({
        "client_name": "c", "grant_types": ["client_credentials"], "scope": "health",
    }));
    let token = || {
        let parameters = [("grant_type", "client_credentials"), ("resource", &served.gateway(""))];
        let answer =
            served.http.post_form(&served.issuer("/token"), Some((&id, &secret)), &parameters);
        answer.expect(200)["access_token"].as_str().expect("token").to_owned()
    };
    let token = token();
    let healthz = || served.http.get(&served.gateway("/healthz"), Some(&token)).status;
    assert_eq!(healthz(), 200);
    // Another file that fits the pattern.
    let forbid = folder.path().join("b.cedar");
    std::fs::write(&forbid, "forbid(principal, action, resource);").expect("policies");
    soon("the policy", || healthz() == 403);
    std::fs::remove_file(&forbid).expect("file");
    soon("its end", || healthz() == 200);

    let ask = |http: &Http| {
        let request = Request::get(format!("http://127.0.0.1:{port}/forward-auth"))
            .header("x-forwarded-for", "127.0.0.1")
            .header("x-forwarded-host", "api.example")
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-uri", "/a");
        http.send(request.body(Full::default()).expect("request")).status
    };
    assert_eq!(ask(&served.http), 200);
    served.configure(&more("127.0.0.77/32"));
    assert_eq!(reload(&served)["changed"], json!(["gateway.auth.trusted_callers[0]"]));
    assert_eq!(ask(&served.http), 403);
}

#[test]
fn the_command_line_says_what_has_changed() {
    let backend = Backend::start("one");
    let served = Served::start(&open(&backend.url(), &["/own"]));
    let run = || {
        let output = served.command(&["config", "reload"]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let unchanged = "version 1 stays in force: nothing has changed\n".to_owned();
    assert_eq!(run(), (Some(0), unchanged, String::new()));
    served.configure_with("max_fields = 50", &open(&backend.url(), &["/own"]));
    let changed = "version 2 is in force; changed: gateway.max_fields\n".to_owned();
    assert_eq!(run(), (Some(0), changed, String::new()));
    let shown = served.admin_call("GET", "/config", None);
    assert_eq!(shown["file"], served.file().display().to_string());
    assert_eq!((&shown["version"], &shown["refused"]), (&json!(2), &Value::Null));
}
