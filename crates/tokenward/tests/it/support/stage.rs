//! A gateway before APIs of other makers, and its own record of what it has decided.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use token::event::{Event, EventKind, Request};

use super::peer::Peer;
use super::served::Served;

/// For each API `/NAME/open/…` without a token and `/NAME/closed/…` with one; of `/NAME/cut/…` the beginning is
/// not sent on.
pub(crate) struct Stage<const N: usize> {
    pub(crate) peers: [Peer; N],
    pub(crate) served: Served,
    /// A good token for all that is closed, and whose it is.
    pub(crate) token: String,
    pub(crate) client: String,
    folder: TempDir,
}

// === impl Stage ===

impl<const N: usize> Stage<N> {
    pub(crate) fn before(peers: [Peer; N]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let record = folder.path().join("events");
        // What is sent here looks like an attack: nobody is to be blocked for it.
        let mut more = format!(
            "[detect]\nqueue = 1000000\nresponses_per_minute = 0\nrecord = \"{}\"\n",
            record.display()
        );
        for peer in &peers {
            more += &routes(peer);
        }
        let served = Served::start(&more);
        let (client, secret) = served.client(json!({
            "client_name": "caller", "grant_types": ["client_credentials"], "scope": "health",
        }));
        let parameters = [("grant_type", "client_credentials"), ("scope", "health")];
        let url = served.issuer("/token");
        let answer = served.http.post_form(&url, Some((&client, &secret)), &parameters);
        let token = answer.expect(200)["access_token"].as_str().expect("token").to_owned();
        Self { peers, served, token, client, folder }
    }

    /// The host and port that clients know.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.served.gateway_port())
    }

    /// What the gateway has decided about at least so many requests, by their ids.
    pub(crate) fn decisions(&self, least: usize) -> HashMap<String, Request> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let text = std::fs::read_to_string(self.folder.path().join("events"));
            let text = text.unwrap_or_default();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if whole.lines().count() >= least {
                let all: HashMap<String, Request> = whole.lines().filter_map(of_request).collect();
                if all.len() >= least {
                    return all;
                }
            }
            assert!(Instant::now() < until, "the record has fewer than {least} requests");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn of_request(line: &str) -> Option<(String, Request)> {
    let event: Event = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    match event.kind {
        EventKind::Request(request) => Some((request.request.clone()?, request)),
        _ => None,
    }
}

fn routes(peer: &Peer) -> String {
    let (name, port) = (peer.name, peer.port());
    let mut text = format!("[gateway.upstreams.{name}]\nservers = [\"http://127.0.0.1:{port}\"]\n");
    for (path, access) in [
        ("open/{rest...}", "public = true"),
        // More particular than what is around it.
        ("open/{id}/private", "scopes = [\"health\"]"),
        ("closed/{rest...}", "scopes = [\"health\"]"),
        ("closed/{id}/public", "public = true"),
        ("cut/{rest...}", "public = true\nstrip_prefix = \"/NAME/cut\""),
    ] {
        let access = access.replace("NAME", name);
        let _ = write!(
            text,
            "[[gateway.route]]\npath = \"/{name}/{path}\"\n{access}\nupstream = \"{name}\"\n"
        );
    }
    text
}
