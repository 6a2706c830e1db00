//! Two servers behind one name, and one of them is stopped: nobody notices for longer than a moment.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::support::http::Http;
use crate::support::port::free_port;
use crate::support::{PROGRAM, Product};

/// The program in front of the servers; ends with the test.
struct Front(Child);

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn front(folder: &Path, servers: [&str; 2], [authority, gateway, admin]: [u16; 3]) -> Front {
    let [one, other] = servers;
    let config = format!(
        r#"
        [store]
        path = "{}"
        [authority]
        listen = "127.0.0.1:{authority}"
        [gateway]
        listen = "127.0.0.1:{gateway}"
        [gateway.upstreams.api]
        servers = ["{one}", "{other}"]
        balance = "round_robin"
        timeout = "1s"
        fail_after = 2
        health = {{ path = "/healthz", every = "1s", timeout = "1s", unhealthy_after = 2 }}
        [[gateway.route]]
        path = "/api/healthz"
        strip_prefix = "/api"
        upstream = "api"
        public = true
        [admin]
        listen = "127.0.0.1:{admin}"
        "#,
        folder.join("tokenward.db").display(),
    );
    let file = folder.join("tokenward.toml");
    std::fs::write(&file, config).expect("file");
    Front(Command::new(PROGRAM).args(["serve", "-c"]).arg(file).spawn().expect("starts"))
}

fn within_twenty_seconds(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_stopped_server_is_left_alone_until_it_goes_on() {
    let (stopped, living) = (Product::start(), Product::start());
    let servers = [stopped.admin(""), living.admin("")];
    let folder = tempfile::tempdir().expect("folder");
    let ports = [0; 3].map(|_| free_port());
    let _front = front(folder.path(), [&servers[0], &servers[1]], ports);
    let [_, gateway, admin] = ports;
    let http = Http::new();
    let url = format!("http://127.0.0.1:{gateway}/api/healthz");
    within_twenty_seconds("serving", || http.try_get(&url) == Some(200));

    let up = |state: u8| {
        let metrics = http.get(&format!("http://127.0.0.1:{admin}/metrics"), None).body;
        metrics.lines().any(|line| {
            line.starts_with("tokenward_gateway_upstream_up")
                && line.contains(&servers[0])
                && line.ends_with(&format!(" {state}"))
        })
    };
    within_twenty_seconds("being up", || up(1));
    stopped.signal("STOP");
    within_twenty_seconds("being out", || {
        assert_eq!(http.try_get(&url), Some(200), "sent again to the other");
        up(0)
    });
    // Two bad answers of the health check later there are no trials either.
    std::thread::sleep(Duration::from_secs(5));
    for _ in 0..50 {
        let began = Instant::now();
        assert_eq!(http.try_get(&url), Some(200));
        assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    }
    stopped.signal("CONT");
    within_twenty_seconds("being back", || up(1));
    assert_eq!(http.try_get(&url), Some(200));
}
