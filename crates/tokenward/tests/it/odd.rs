//! Odd targets and fields through the gateway to APIs of four makers: what was authorised is what each of them
//! has understood, or it was refused.

use std::collections::HashMap;

use token::event::Request;

use crate::support::peer::{Peer, Seen, percent_decoded};
use crate::support::stage::Stage;
use crate::support::wire::{Reply, Wire};

mod fields;
mod targets;

use targets::{Chance, Fate, TABLE};

/// Targets that are made for each API, beside those in the table.
const MADE: usize = 4000;

/// One request, what was answered, and what the API has seen of it.
struct Case {
    target: String,
    with_token: bool,
    fate: Option<Fate>,
    reply: Reply,
    seen: Vec<Seen>,
}

#[test]
fn what_is_authorised_is_what_each_api_understands() {
    let stage = Stage::before(Peer::all());
    let all: Vec<Vec<Case>> = std::thread::scope(|scope| {
        let stage = &stage;
        let send = |(seed, peer)| scope.spawn(move || send(stage, peer, cases(peer, seed)));
        let threads: Vec<_> = stage.peers.iter().enumerate().map(send).collect();
        threads.into_iter().map(|thread| thread.join().expect("thread")).collect()
    });
    let requests = all.iter().flatten().filter(|case| !case.is_no_request()).count();
    let decisions = stage.decisions(requests);
    let wrong = stage.peers.iter().zip(&all).flat_map(|(peer, cases)| {
        let told =
            |case: &Case| Some((case.fate?, peer.name, case.target.clone(), case.reply.clone()));
        cases.iter().filter(|case| !case.has_its_fate(peer)).filter_map(told)
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "not as the table has it: {wrong:#?}");
    for (peer, cases) in stage.peers.iter().zip(&all) {
        let forwarded = cases.iter().filter(|case| !case.seen.is_empty()).count();
        for case in cases {
            check(&stage, peer, case, &decisions);
        }
        assert!(forwarded > MADE / 5, "{}: only {forwarded} were forwarded", peer.name);
    }
}

/// The whole table with and without a token, then others.
fn cases(peer: &Peer, seed: usize) -> Vec<(String, bool, Option<Fate>)> {
    let table = TABLE.iter().flat_map(|(target, fate)| {
        [true, false].map(|with_token| ((*target).to_owned(), with_token, Some(*fate)))
    });
    let mut chance = Chance(seed as u64);
    let made = (0..MADE).map(|_| (chance.target(), chance.below(3) == 0, None));
    let named =
        |target: String| target.replace("{p}", peer.name).replace("{P}", &peer.name.to_uppercase());
    table.chain(made).map(|(target, with, fate)| (named(target), with, fate)).collect()
}

fn send<const N: usize>(
    stage: &Stage<N>,
    peer: &Peer,
    cases: Vec<(String, bool, Option<Fate>)>,
) -> Vec<Case> {
    let host = stage.host();
    let request = |(at, (target, with_token, _)): (usize, &(String, bool, Option<Fate>))| {
        let token = if *with_token { bearer(&stage.token) } else { String::new() };
        let target = target.replace("{h}", &host);
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Case: {at}\r\n{token}\r\n").into_bytes()
    };
    let requests: Vec<Vec<u8>> = cases.iter().enumerate().map(request).collect();
    let replies = Wire::to(stage.served.gateway_port()).ask_all(&requests);
    let mut seen: HashMap<String, Vec<Seen>> = HashMap::new();
    for one in peer.arrived() {
        let case = one.values("x-case").first().map_or(String::new(), |case| (*case).to_owned());
        seen.entry(case).or_default().push(one);
    }
    let cases = cases.into_iter().zip(replies).enumerate();
    let told = cases.map(|(at, ((target, with_token, fate), reply))| {
        let seen = seen.remove(&at.to_string()).unwrap_or_default();
        Case { target, with_token, fate, reply, seen }
    });
    let told = told.collect();
    assert!(seen.is_empty(), "requests that nobody sent: {seen:#?}");
    told
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn check<const N: usize>(
    stage: &Stage<N>,
    peer: &Peer,
    case: &Case,
    decisions: &HashMap<String, Request>,
) {
    let what = || format!("{} {:?}: {:?} {:#?}", peer.name, case.target, case.reply, case.seen);
    let Some(decision) = decisions.get(case.id()) else {
        // It was no request: there is no decision, and nothing is forwarded.
        assert!(case.is_no_request() && case.seen.is_empty(), "{}", what());
        return;
    };
    if case.seen.is_empty() {
        assert!(decision.refused.is_some() && decision.status == case.reply.status, "{}", what());
        assert!(matches!(case.reply.status, 400 | 401 | 403 | 404 | 405 | 414), "{}", what());
        assert_eq!(case.reply.field("content-type"), "application/problem+json", "{}", what());
        return;
    }
    let [seen] = case.seen.as_slice() else { panic!("seen twice: {}", what()) };
    assert!(decision.refused.is_none() && case.reply.status == 200, "{}", what());
    assert_eq!(seen.values("x-request-id"), [case.id()], "{}", what());
    let (path, query) = seen.parts();
    let authorised = sent_on(&decision.path, peer.name);
    assert_eq!(path, authorised, "what is sent is what was authorised: {}", what());
    let sent = case.target.split('#').next().unwrap_or_default();
    let sent_query = sent.split_once('?').map(|(_, query)| query);
    assert_eq!(query, sent_query, "{}", what());
    let meant = percent_decoded(authorised.as_bytes());
    assert_eq!(seen.resolved.as_bytes(), meant, "what it resolves to: {}", what());
    assert_eq!(seen.values("x-forwarded-host"), [stage.host()], "{}", what());
    assert_eq!(seen.values("host"), [format!("127.0.0.1:{}", peer.port())], "{}", what());
    let route = decision.route.as_deref().unwrap_or_default();
    let closed = route.contains("/closed/{rest") || route.ends_with("/private");
    let cut = decision.path.strip_suffix(authorised).unwrap_or_default();
    let whole = format!("{cut}{path}");
    assert!(closed || !is_closed(&whole, peer.name), "{route} {}", what());
    let subject: &[&str] = if closed { &[&stage.client] } else { &[] };
    assert_eq!(seen.values("tokenward-client"), subject, "{}", what());
    assert!(case.with_token || !closed, "without a token: {}", what());
}

/// What an API is to be sent of a path.
fn sent_on<'p>(path: &'p str, name: &str) -> &'p str {
    let rest =
        path.strip_prefix('/').and_then(|path| path.strip_prefix(name)?.strip_prefix("/cut"));
    rest.unwrap_or(path)
}

/// Whether an API that is as careless as any would take this for what is closed.
fn is_closed(path: &str, name: &str) -> bool {
    let mut path = path.to_lowercase().into_bytes();
    for _ in 0..3 {
        path = percent_decoded(&path);
    }
    let path = String::from_utf8_lossy(&path).replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').map(|part| part.split([';', '\0']).next().unwrap_or_default()) {
        match segment.trim_end_matches([' ', '\t']) {
            "" | "." => {}
            ".." => drop(segments.pop()),
            plain => segments.push(plain),
        }
    }
    match segments.as_slice() {
        [api, "closed", _, "public"] if *api == name => false,
        [api, "closed", ..] => *api == name,
        [api, "open", _, "private"] => *api == name,
        _ => false,
    }
}

// === impl Case ===

impl Case {
    fn id(&self) -> &str {
        self.reply.field("x-request-id")
    }

    /// Whether it ended the connection, which is for what is no request.
    fn is_no_request(&self) -> bool {
        self.reply.status == 400 && self.reply.field("connection") == "close"
    }

    /// Whether it went as the table has it; 401 where a token is needed and none was there.
    fn has_its_fate(&self, peer: &Peer) -> bool {
        match self.fate {
            None => true,
            Some(Fate::Goes(path)) if path.contains("/closed/") && !self.with_token => {
                self.reply.status == 401
            }
            Some(Fate::Goes(path)) => {
                let path = path.replace("{p}", peer.name);
                self.seen.len() == 1 && self.seen.iter().all(|seen| seen.parts().0 == path)
            }
            Some(Fate::Refused(words)) => {
                self.reply.status == 400 && self.reply.body.contains(words)
            }
            Some(Fate::Nowhere) => self.reply.status == if self.with_token { 404 } else { 401 },
        }
    }
}
