//! What belongs together, and what does not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::Event;
use token::finding::Whom;
use token::time::Timestamp;

use super::{Incidents, Place};
use crate::detector::{Kind, Sighting, SignIn};

const START: i64 = 1_790_000_000;

/// One sighting: when in seconds, what, its actor, whom it names, the event's address and network.
struct Seen<'t> {
    at: i64,
    kind: Kind,
    actor: &'t str,
    subject: Option<&'t str>,
    client: Option<&'t str>,
    whom_ip: Option<&'t str>,
    ip: &'t str,
    net: Option<&'t str>,
}

const SEEN: Seen<'_> = Seen {
    at: 0,
    kind: Kind::Volume,
    actor: "",
    subject: None,
    client: None,
    whom_ip: None,
    ip: "192.0.2.1",
    net: None,
};

fn place(incidents: &mut Incidents, seen: &Seen<'_>) -> Place {
    let ts = Timestamp::from_secs(START + seen.at);
    let event: Event = serde_json::from_value(json!({
        "ts": ts, "kind": "request", "ip": seen.ip, "net": seen.net,
    }))
    .expect("an event");
    let whom = Whom {
        subject: seen.subject.map(Into::into),
        client: seen.client.map(Into::into),
        ip: seen.whom_ip.map(|ip| ip.parse().expect("an address")),
        ..Whom::default()
    };
    let (summary, facts) = (String::new(), BTreeMap::new());
    let actor = seen.actor.to_owned();
    incidents.place(&Sighting { kind: seen.kind, actor, whom, summary, facts }, &event)
}

/// A network that is told, such as by stuffing.
fn network<'t>(at: i64, kind: Kind, actor: &'t str, ip: &'t str) -> Seen<'t> {
    Seen { at, kind, actor, whom_ip: Some(ip), ip, ..SEEN }
}

/// A person whose habit is told, at the address of the request.
fn person<'t>(at: i64, kind: Kind, actor: &'t str, subject: &'t str, ip: &'t str) -> Seen<'t> {
    Seen { at, kind, actor, subject: Some(subject), ip, ..SEEN }
}

fn ids(seen: &[Seen<'_>]) -> Vec<String> {
    let mut incidents = Incidents::default();
    seen.iter().map(|seen| place(&mut incidents, seen).incident).collect()
}

fn different(seen: &[Seen<'_>]) -> usize {
    let mut ids = ids(seen);
    ids.sort();
    ids.dedup();
    ids.len()
}

const STUFFING: Kind = Kind::SignIn(SignIn::CredentialStuffing);
const TAKEN: Kind = Kind::SignIn(SignIn::CredentialStuffingTaken);
const TRAVEL: Kind = Kind::SignIn(SignIn::ImpossibleTravel);
const NEW_PLACE: Kind = Kind::SignIn(SignIn::NewPlace);
const SHARING: Kind = Kind::SignIn(SignIn::TokenSharing);

#[test]
fn guessing_getting_in_and_what_is_done_then_are_one_incident() {
    let evil = "198.51.100.7";
    let taken = Seen { subject: Some("anna"), ..network(900, TAKEN, "ip:198.51.100.7", evil) };
    let attack = [
        network(0, Kind::Scanning, "ip:198.51.100.7", evil),
        network(600, STUFFING, "ip:198.51.100.7", evil),
        taken,
        Seen { subject: Some("anna"), ..network(1000, NEW_PLACE, "subject:anna", evil) },
        person(20_000, Kind::Exfiltration, "subject:anna", "anna", evil),
        person(20_010, Kind::Enumeration, "subject:anna", "anna", "198.51.100.200"),
    ];
    assert_eq!(different(&attack), 1);
    assert!(ids(&attack)[0].starts_with("ip:198.51.100.7@"));
}

#[test]
fn two_detectors_about_one_person_are_one_incident() {
    let attack = [
        Seen { subject: Some("bo"), ..network(0, SHARING, "session:s1", "198.51.100.1") },
        Seen { subject: Some("bo"), ..network(60, TRAVEL, "subject:bo", "198.51.100.2") },
        Seen { subject: Some("bo"), ..network(90, NEW_PLACE, "subject:bo", "198.51.100.2") },
        person(4000, Kind::Volume, "subject:bo", "bo", "203.0.113.4"),
        person(4000, Kind::Exfiltration, "subject:bo", "bo", "203.0.113.4"),
    ];
    assert_eq!(different(&attack), 1);
}

#[test]
fn one_thief_with_the_tokens_of_many_is_one_incident() {
    let evil = "198.51.100.9";
    let names = ["a", "b", "c", "d"];
    let mut attack: Vec<_> = (0..)
        .zip(names)
        .map(|(n, name)| Seen { subject: Some(name), ..network(n, SHARING, name, evil) })
        .collect();
    attack.push(network(60, Kind::ThrottleEvasion, "ip:198.51.100.9", evil));
    assert_eq!(different(&attack), 1);
    // By a carrier's address they may be anybody.
    attack.iter_mut().for_each(|seen| seen.net = Some("mobile"));
    assert_eq!(different(&attack), 5);
}

#[test]
fn people_behind_one_address_have_incidents_of_their_own() {
    let office = "192.0.2.1";
    let people = [
        person(0, Kind::Volume, "subject:a", "a", office),
        person(10, Kind::Exfiltration, "subject:b", "b", office),
        person(20, Kind::Volume, "subject:c", "c", office),
    ];
    assert_eq!(different(&people), 3);
}

#[test]
fn what_a_person_does_and_what_is_said_of_the_network_are_one_within_an_hour() {
    let at = "203.0.113.9";
    let injections = |later| {
        [
            person(0, Kind::InjectionProbing, "subject:a", "a", at),
            network(later, Kind::InjectionProbing, "ip:203.0.113.9", at),
        ]
    };
    assert_eq!(different(&injections(60)), 1);
    assert_eq!(different(&injections(4000)), 2);
    let scanner = [
        network(0, Kind::Scanning, "ip:203.0.113.9", at),
        person(600, Kind::Enumeration, "subject:a", "a", at),
    ];
    assert_eq!(different(&scanner), 1);
}

#[test]
fn a_client_that_many_use_joins_nobody() {
    let app = |at, subject, ip| Seen {
        client: Some("app"),
        ..person(at, Kind::Volume, "subject", subject, ip)
    };
    let seen = [
        Seen { actor: "subject:a", ..app(0, "a", "192.0.2.1") },
        Seen { actor: "subject:b", ..app(1, "b", "192.0.2.2") },
    ];
    assert_eq!(different(&seen), 2);
}

#[test]
fn two_incidents_that_turn_out_to_be_one_are_named_after_the_older() {
    let mut incidents = Incidents::default();
    let evil = "198.51.100.7";
    let first = place(&mut incidents, &network(0, STUFFING, "ip:198.51.100.7", evil));
    let second = place(&mut incidents, &person(60, Kind::Volume, "subject:c", "c", "192.0.2.4"));
    assert_ne!(first.incident, second.incident);
    let taken = Seen { subject: Some("c"), ..network(120, TAKEN, "ip:198.51.100.7", evil) };
    let third = place(&mut incidents, &taken);
    assert_eq!(third.incident, first.incident);
    assert_eq!(third.joins, [second.incident]);
    let later = place(&mut incidents, &person(180, Kind::Volume, "subject:c", "c", "192.0.2.4"));
    assert_eq!((later.incident, later.joins), (first.incident, Vec::new()));
}

#[test]
fn an_incident_ends_after_a_quiet_day_and_goes_on_after_a_restart() {
    let day = 24 * 3600;
    let of = |at| person(at, Kind::Volume, "subject:d", "d", "192.0.2.4");
    assert_eq!(different(&[of(0), of(day - 1), of(2 * day - 2)]), 1);
    assert_eq!(different(&[of(0), of(day)]), 2);

    let mut incidents = Incidents::default();
    let before = place(&mut incidents, &of(0));
    let mut later = Incidents::default();
    let last = Timestamp::from_secs(START).plus(Duration::from_secs(5));
    later.resume(&before.incident, last);
    assert_eq!(place(&mut later, &of(60)).incident, before.incident);
}
