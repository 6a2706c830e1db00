//! More than the gateway can do, and more garbage than it should look at: whoever is known to be good gets through.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::support::peer::Peer;
use crate::support::served::Served;
use crate::support::wire::{Reply, Wire};

/// How long a flood lasts.
const LASTS: Duration = Duration::from_secs(4);

/// A gateway of one thread before an API, a token that it knows, and others that it has not seen.
struct Flooded {
    served: Served,
    known: String,
    _api: Peer,
}

/// What was answered.
#[derive(Debug, Default)]
struct Count {
    passed: AtomicUsize,
    refused: AtomicUsize,
    limited: AtomicUsize,
    shed: AtomicUsize,
    other: AtomicUsize,
}

// === impl Flooded ===

impl Flooded {
    fn start(members: &str, more: &str) -> Self {
        let api = Peer::hyper();
        let served = Served::start_with(
            &format!("threads = 1\nconnections = {{ most_per_network = 0 }}\n{members}"),
            &format!(
                "[detect]\nresponses_per_minute = 0\n[gateway.upstreams.good]\n\
                 servers = [\"http://127.0.0.1:{}\"]\n[[gateway.route]]\npath = \"/good/{{rest...}}\"\n\
                 scopes = [\"health\"]\nupstream = \"good\"\n{more}",
                api.port()
            ),
        );
        let (id, secret) = served.client(json!({
            "client_name": "caller", "grant_types": ["client_credentials"], "scope": "health",
        }));
        let parameters = [("grant_type", "client_credentials"), ("scope", "health")];
        let url = served.issuer("/token");
        let answer = served.http.post_form(&url, Some((&id, &secret)), &parameters);
        let known = answer.expect(200)["access_token"].as_str().expect("token").to_owned();
        let mut wire = Wire::to(served.gateway_port());
        assert_eq!(wire.ask(&get(&known)).status, 200);
        Self { served, known, _api: api }
    }

    /// So many connections of a sender of forged tokens, none of them twice, and two of somebody who is known.
    fn flood(&self, connections: usize) -> (Count, Count) {
        let (garbage, known, stop) = (Count::default(), Count::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for connection in 0..connections + 2 {
                let (garbage, known, stop) = (&garbage, &known, &stop);
                scope.spawn(move || {
                    let mut wire = Wire::to(self.served.gateway_port());
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        if connection < connections {
                            let token = self.forged(connection, number);
                            garbage.count(&wire.ask(&get(&token)));
                        } else {
                            known.count(&wire.ask(&get(&self.known)));
                        }
                    }
                });
            }
            std::thread::sleep(LASTS);
            stop.store(true, Ordering::Relaxed);
        });
        (garbage, known)
    }

    /// The good token with another signature.
    fn forged(&self, connection: usize, number: usize) -> String {
        let (text, signature) = self.known.rsplit_once('.').expect("a JWT");
        let own = format!("{connection:04}{number:08}");
        format!("{text}.{own}{}", &signature[own.len()..])
    }
}

// === impl Count ===

impl Count {
    fn count(&self, reply: &Reply) {
        let count = match reply.status {
            200 => &self.passed,
            401 => &self.refused,
            429 => &self.limited,
            503 => &self.shed,
            _ => &self.other,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if matches!(reply.status, 429 | 503) {
            assert!(
                reply.field("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 1),
                "{reply:?}"
            );
        }
    }

    fn of(count: &AtomicUsize) -> usize {
        count.load(Ordering::Relaxed)
    }
}

fn get(token: &str) -> Vec<u8> {
    format!("GET /good/1 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

#[test]
fn garbage_of_a_network_does_not_keep_out_what_is_known_of_it() {
    let flooded = Flooded::start("doubtful_tokens = \"20/s\"", "");
    let (garbage, known) = flooded.flood(6);
    assert!(Count::of(&garbage.limited) > Count::of(&garbage.refused), "{garbage:?}");
    assert!(Count::of(&garbage.refused) >= 20 && Count::of(&garbage.passed) == 0, "{garbage:?}");
    let all = [&known.refused, &known.limited, &known.shed, &known.other].map(Count::of);
    assert!(all == [0; 4] && Count::of(&known.passed) > 0, "{known:?}");
}

#[test]
fn a_slow_api_is_no_overload() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("port");
    let more = format!(
        "[gateway.upstreams.slow]\nservers = [\"http://{}\"]\n\
         [[gateway.route]]\npath = \"/slow/{{rest...}}\"\npublic = true\nupstream = \"slow\"\n",
        silent.local_addr().expect("address")
    );
    let flooded = Flooded::start("shed_after_ms = 20", &more);
    let waiting = (0..100).map(|_| {
        let mut stream = TcpStream::connect(("127.0.0.1", flooded.served.gateway_port()));
        let request = b"GET /slow/1 HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.as_mut().expect("connection").write_all(request).expect("request");
        stream
    });
    let waiting: Vec<_> = waiting.collect();
    let mut wire = Wire::to(flooded.served.gateway_port());
    for number in 0..50 {
        assert_eq!(wire.ask(&get(&flooded.known)).status, 200);
        assert_eq!(wire.ask(&get(&flooded.forged(0, number))).status, 401);
    }
    drop(waiting);
}

#[test]
fn under_overload_who_is_unknown_goes_first() {
    let flooded = Flooded::start("doubtful_tokens = \"off\"\nshed_after_ms = 20", "");
    // How much is too much depends on the machine.
    let floods = [64, 128, 256, 512].into_iter().map(|connections| flooded.flood(connections));
    let (garbage, known) = floods
        .into_iter()
        .find(|(garbage, _)| Count::of(&garbage.shed) >= 100)
        .expect("somebody is shed");
    let shed = |count: &Count| {
        let all = [&count.passed, &count.refused, &count.shed, &count.limited, &count.other];
        Count::of(&count.shed) * 100 / all.map(Count::of).iter().sum::<usize>().max(1)
    };
    // In the worst of it both are shed alike, but for chance; before that, nobody who is known.
    assert!(shed(&known) <= shed(&garbage) + 10, "{garbage:?} {known:?}");
    assert!(Count::of(&known.passed) > 0 && Count::of(&known.other) == 0, "{known:?}");
    assert!(Count::of(&garbage.passed) == 0, "{garbage:?}");
}
