//! What the authority's operations cost and how long one of them takes, beside node-oidc-provider.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::{Request, Rotation, Traffic};
use crate::peer::{OIDC_CLIENT, OidcProvider, oidc_provider};
use crate::served::Served;
use crate::{CONNECTIONS, ROUND, ROUNDS, Row, Subject, bounds, measure, median};

/// The servers' processor; the load runs wherever there is room.
const PROCESSOR: usize = 0;
/// Access tokens that are asked about in turn; as many grants are rotated, one on each connection.
const TOKENS: usize = 128;
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// How long one connection is measured.
const SHORT: Duration = Duration::from_secs(1);

/// The requests of one server.
struct Operations {
    issue: Vec<Request>,
    introspect: Vec<Request>,
    userinfo: Vec<Request>,
    refresh: Refresh,
    jwks: Vec<Request>,
    discovery: Vec<Request>,
}

enum Refresh {
    Rotating(Rotation),
    Same(Vec<Request>),
}

/// CPU time on one processor, latency of one connection, then rotations with all processors.
pub(crate) fn measure_all(upstream: &str) {
    let provider = oidc_provider(Some(PROCESSOR));
    if provider.is_none() {
        println!("\nWithout oidc-provider: it is not installed; `cargo xtask bench` does that.");
    }
    let theirs = provider.as_ref().map(Operations::theirs);
    let served = Served::start(upstream, 16, Some(PROCESSOR), TOKENS);
    let ours = Operations::ours(&served);
    let mut subjects = Vec::new();
    for (number, (name, traffic)) in ours.list().into_iter().enumerate() {
        let name_of = |who: &str| format!("{who}, {name}");
        let own = Subject::new(&name_of("tokenward"), served.pid(), &served.authority, traffic);
        subjects.push(own);
        if let (Some(provider), Some(theirs)) = (&provider, &theirs) {
            let (peer, (_, traffic)) = (&provider.peer, theirs.list()[number]);
            let (pid, address) = (peer.pid(), &peer.address);
            subjects.push(Subject::new(&name_of("oidc-provider"), pid, address, traffic));
        }
    }
    println!(
        "\nAuthority on one processor: {CONNECTIONS} connections, {TOKENS} tokens, {ROUNDS} rounds \
         of {} s",
        ROUND.as_secs()
    );
    table("CPU µs", &measure(&subjects, CONNECTIONS, ROUND), |row| &row.micros);
    println!("\nOne connection: median µs from request to answer, {ROUNDS} rounds of 1 s");
    table("µs", &measure(&subjects, 1, SHORT), |row| &row.latency);
    println!("\nResident after the load: {} MiB", served.resident() / 1024);
    drop(served);
    rotations(upstream);
}

/// Refreshes that are on disk when they are answered, on every processor.
pub(crate) fn rotations(upstream: &str) {
    let served = Served::start(upstream, 16, None, TOKENS);
    let ours = Operations::ours(&served);
    let subject = Subject::new("", served.pid(), &served.authority, ours.refresh.traffic());
    let rows = measure(&[subject], CONNECTIONS, ROUND);
    let (low, high) = bounds(&rows[0].rate);
    println!(
        "\nDurable rotations, {CONNECTIONS} connections, all processors: {:.0} a second \
         ({low:.0} – {high:.0}), {:.1} CPU µs each",
        median(&rows[0].rate),
        median(&rows[0].micros)
    );
    let syncs = syncs(served.folder());
    let (low, high) = bounds(&syncs);
    println!(
        "The disk: 4 KiB appended and synced in {:.0} µs ({low:.0} – {high:.0})",
        median(&syncs)
    );
}

/// How long the disk takes to keep 4 KiB, in microseconds.
fn syncs(folder: &Path) -> Vec<f64> {
    let mut file = File::create(folder.join("sync")).expect("file");
    let sync = |_| {
        let started = Instant::now();
        file.write_all(&[7; 4096]).expect("write");
        file.sync_data().expect("sync");
        started.elapsed().as_secs_f64() * 1e6
    };
    (0..200).map(sync).collect()
}

/// Ours and theirs of each operation beside each other, with the ratio.
fn table(unit: &str, rows: &[Row], of: impl Fn(&Row) -> &Vec<f64>) {
    println!("{:<44} {unit:>8} {:>19} {:>9} {:>7}", "", "min – max", "req/s", "ours is");
    let mut own = None;
    for row in rows {
        let (values, (low, high)) = (of(row), bounds(of(row)));
        let middle = median(values);
        let ratio = match own.take() {
            Some(own) if row.name.starts_with("oidc") => format!("1/{:.1}", middle / own),
            _ => {
                own = Some(middle);
                String::new()
            }
        };
        println!(
            "{:<44} {middle:>8.1} {low:>9.1} – {high:<7.1} {:>9.0} {ratio:>7}",
            row.name,
            median(&row.rate)
        );
    }
}

// === impl Operations ===

impl Operations {
    fn ours(served: &Served) -> Self {
        let address = &served.authority;
        let (access, rotation) = served.refreshed();
        let get = |path| vec![Request::get(address, path, None)];
        Self {
            issue: vec![served.token_request()],
            introspect: access.iter().map(|token| served.introspection(token)).collect(),
            userinfo: asked(address, "/userinfo", &access),
            refresh: Refresh::Rotating(rotation),
            jwks: get("/.well-known/jwks.json"),
            discovery: get(DISCOVERY),
        }
    }

    fn theirs(provider: &OidcProvider) -> Self {
        const RESOURCE: &str = "resource=https%3A%2F%2Fapi.example.com";
        let address = &provider.peer.address;
        let post = |path: &str, form: &str| Request::post(address, path, OIDC_CLIENT, form);
        let issue = format!("grant_type=client_credentials&{RESOURCE}");
        let refresh = &provider.refresh;
        let refresh = format!("grant_type=refresh_token&refresh_token={refresh}&{RESOURCE}");
        let introspect = |token| post("/token/introspection", &format!("token={token}"));
        let get = |path| vec![Request::get(address, path, None)];
        Self {
            issue: vec![post("/token", &issue)],
            introspect: provider.access.iter().map(introspect).collect(),
            userinfo: asked(address, "/me", &provider.access),
            refresh: Refresh::Same(vec![post("/token", &refresh)]),
            jwks: get("/jwks"),
            discovery: get(DISCOVERY),
        }
    }

    fn list(&self) -> [(&'static str, Traffic<'_>); 6] {
        [
            ("client_credentials ES256", Traffic::Same(&self.issue)),
            ("introspection", Traffic::Same(&self.introspect)),
            ("userinfo", Traffic::Same(&self.userinfo)),
            ("refresh", self.refresh.traffic()),
            ("JWKS", Traffic::Same(&self.jwks)),
            ("discovery", Traffic::Same(&self.discovery)),
        ]
    }
}

impl Refresh {
    fn traffic(&self) -> Traffic<'_> {
        match self {
            Self::Rotating(rotation) => Traffic::Rotating(rotation),
            Self::Same(requests) => Traffic::Same(requests),
        }
    }
}

fn asked(address: &str, path: &str, tokens: &[String]) -> Vec<Request> {
    tokens.iter().map(|token| Request::get(address, path, Some(token))).collect()
}
