//! Messages that could be read as one request or as two, or as another, through the gateway to APIs of four makers:
//! each sees as many requests as were authorised, and those (RFC 9112 §11.2, RFC 9113 §10.3).

use std::time::Duration;

use crate::support::peer::{Peer, Seen};
use crate::support::stage::Stage;

mod h1;
mod h2;

/// An answer is there sooner, or none will come.
const SILENCE: Duration = Duration::from_millis(400);

/// What an API is to see of a case.
#[derive(Clone, Copy, Debug)]
enum Sees {
    /// Nothing: it is refused, or never becomes whole.
    Nothing,
    /// This body once, at the path of the case.
    Once(&'static str),
    /// The same twice: two requests that are whole, each of which was authorised.
    Twice,
}

/// Whether this is what arrived. A request whose body breaks off is none, and may be noticed late.
fn arrived(peer: &Peer, seen: &[Seen], path: &str, sees: Sees) -> bool {
    let whole: Vec<&Seen> = seen.iter().filter(|one| one.whole).collect();
    let strange = |one: &Seen| {
        let spoofed = one.fields.iter().any(|(_, value)| value.contains("spoofed"));
        let elsewhere = one.target != path && (one.whole || one.target.contains("smuggled"));
        spoofed || elsewhere || !one.trailers.is_empty()
    };
    let host = format!("127.0.0.1:{}", peer.port());
    let plain = |one: &&Seen| one.method == "POST" && one.values("host") == [host.as_str()];
    let plain = whole.iter().all(plain);
    if !plain || seen.iter().any(strange) {
        return false;
    }
    match (sees, whole.as_slice()) {
        (Sees::Nothing, []) => true,
        (Sees::Once(body), [one]) => one.body == body,
        (Sees::Twice, [one, other]) => one.body == other.body,
        _ => false,
    }
}

/// Goes through all cases for each API at the same time; what went wrong.
fn wrong<const N: usize>(
    stage: &Stage<N>,
    tell: impl Fn(&Peer) -> Vec<String> + Sync,
) -> Vec<String> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = stage.peers.iter().map(|peer| scope.spawn(|| tell(peer))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("thread")).collect()
    })
}
