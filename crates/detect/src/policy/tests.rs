//! The table and its brakes, finding by finding.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use token::event::{Event, EventKind, Origin, Who};
use token::finding::{Brake, Class, Finding, Target, Whom};
use token::restriction::Effect;
use token::time::Timestamp;

use super::family::Detectors;
use super::row::{Act, BadRow, Row};
use super::spared::Spared;
use super::table::{BadTable, BuiltIn, Table};
use super::tolerance::{Doubt, Tolerances};
use super::{Policy, Standing, Terms};
use crate::detector::{Kind, Sighting, SignIn};
use crate::incidents::Place;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn after(secs: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(secs))
}

struct Case {
    policy: Policy,
    standing: Arc<Standing>,
}

impl Case {
    fn new(terms: Terms) -> Self {
        let standing = Arc::new(Standing::new(terms));
        Self { policy: Policy::new(Arc::clone(&standing)), standing }
    }

    fn of(rows: Vec<Row>) -> Self {
        let table = Table::new(rows, BuiltIn::None).expect("table");
        Self::new(Terms { table, ..Terms::default() })
    }

    fn built_in(built_in: BuiltIn) -> Self {
        let table = Table::new(Vec::new(), built_in).expect("table");
        Self::new(Terms { table, ..Terms::default() })
    }

    fn decide(&mut self, kind: Kind, whom: Whom, from: &str, secs: u64) -> Finding {
        let sighting = Sighting {
            kind,
            actor: "actor".to_owned(),
            whom,
            summary: "seen".to_owned(),
            facts: BTreeMap::new(),
        };
        let event = Event {
            ts: after(secs),
            ip: from.parse().ok(),
            who: Who::default(),
            ua: None,
            origin: Origin::default(),
            kind: EventKind::Other,
        };
        let place = Place { incident: "i".to_owned(), joins: Vec::new(), campaign: None };
        self.policy.decide(sighting, &event, place)
    }

    /// Response, and what holds it back.
    fn said(&mut self, kind: Kind, whom: Whom, secs: u64) -> (String, Option<Brake>) {
        let finding = self.decide(kind, whom, "192.0.2.1", secs);
        (finding.response.to_string(), finding.held_back.map(|held| held.by))
    }
}

fn person(name: &str) -> Whom {
    Whom {
        subject: Some(name.into()),
        client: Some("app".into()),
        token: Some(format!("t-{name}").as_str().into()),
        grant: Some(format!("g-{name}").as_str().into()),
        session: Some(format!("s-{name}").as_str().into()),
        ip: None,
    }
}

fn service(name: &str) -> Whom {
    let (subject, client) = (Some(name.into()), Some(name.into()));
    Whom { subject, client, token: Some("t".into()), ..Whom::default() }
}

fn network(address: &str) -> Whom {
    Whom { ip: address.parse().ok(), ..Whom::default() }
}

fn suspend(detector: &'static str, on: Target) -> Row {
    let lasts = Some(Duration::from_secs(600));
    let act = Act::Restrict { on: vec![on], effect: Effect::Suspend, lasts };
    Row::of(&[Detectors::Named(detector)], act)
}

fn plain(response: &str) -> (String, Option<Brake>) {
    (response.to_owned(), None)
}

fn held(by: Brake) -> (String, Option<Brake>) {
    ("tag".to_owned(), Some(by))
}

#[test]
fn judgements_are_only_told_until_they_are_switched_on() {
    let mut case = Case::built_in(BuiltIn::Certain);
    let finding = case.decide(Kind::Volume, person("u1"), "192.0.2.1", 0);
    let held = finding.held_back.expect("held back");
    assert_eq!((held.response.to_string().as_str(), held.by), ("throttle:grant", Brake::Observe));
    assert_eq!(finding.evidence.summary, "seen", "it is no news that a row observes");
    assert_eq!(case.said(Kind::RefreshReuse, person("u1"), 1), plain("revoke:grant"));
    let mut none = Case::built_in(BuiltIn::None);
    assert_eq!(none.said(Kind::RefreshReuse, person("u1"), 1), plain("tag"));
}

#[test]
fn responses_grow_with_repetition_and_shrink_again() {
    let mut case = Case::built_in(BuiltIn::All);
    let mut said = |whom: Whom, hour: u64| case.said(Kind::Volume, whom, hour * 3600);
    assert_eq!(said(person("u1"), 0), plain("throttle:grant"));
    assert_eq!(said(person("u2"), 1), plain("throttle:grant"), "others start afresh");
    // A new grant is no new start.
    let again = Whom { grant: Some("other".into()), ..person("u1") };
    assert_eq!(said(again, 2), plain("step_up:grant"));
    assert_eq!(said(person("u1"), 3), plain("block:grant"));
    assert_eq!(
        said(person("u1"), 26),
        plain("step_up:grant"),
        "the first two are older than a day"
    );
    // Services cannot sign in again, and are not their clients.
    assert_eq!(said(service("job"), 30), plain("throttle:subject"));
    assert_eq!(said(service("job"), 31), plain("throttle:subject"));
    assert_eq!(said(service("job"), 32), plain("block:subject"));
}

#[test]
fn who_got_in_after_guessing_loses_the_session_and_not_the_account() {
    let mut case = Case::built_in(BuiltIn::All);
    let whom = Whom { ip: "198.51.100.7".parse().ok(), ..person("victim") };
    let whom = Whom { grant: None, token: None, ..whom };
    let kind = Kind::SignIn(SignIn::PasswordGuessingTaken);
    assert_eq!(case.said(kind, whom, 0), plain("block:session"));
    // Guessing alone is answered at its network.
    let kind = Kind::SignIn(SignIn::CredentialStuffing);
    assert_eq!(case.said(kind, network("198.51.100.7"), 1), plain("block:ip"));
}

#[test]
fn the_first_row_that_fits_decides() {
    let rows = vec![
        Row {
            principal: Some(super::row::Principal::Service),
            ..suspend("volume", Target::Subject)
        },
        Row { confidence: 0.9, ..suspend("volume", Target::Session) },
        Row { class: Some(Class::Certain), ..suspend("volume", Target::Client) },
        Row::of(&["traffic".parse().expect("family")], Act::None),
    ];
    let mut case = Case::of(rows);
    assert_eq!(case.said(Kind::Volume, service("job"), 0), plain("block:subject"));
    assert_eq!(case.said(Kind::Volume, person("u1"), 0), plain("none"));
    assert_eq!(case.said(Kind::Honeytoken, network("192.0.2.7"), 0), plain("tag"), "no row");
}

#[test]
fn a_row_is_not_for_who_has_no_such_name() {
    let mut case = Case::of(vec![suspend("volume", Target::Grant), suspend("volume", Target::Ip)]);
    let nameless = Whom { grant: None, ..person("u1") };
    assert_eq!(case.said(Kind::Volume, nameless, 0), plain("tag"));
    assert_eq!(case.said(Kind::Volume, network("192.0.2.7"), 0), plain("block:ip"));
}

#[test]
fn the_switch_stops_everything_and_new_terms_hold_at_once() {
    let mut case = Case::of(vec![suspend("volume", Target::Session)]);
    assert_eq!(case.said(Kind::Volume, person("u1"), 0), plain("block:session"));
    let table = Table::new(vec![suspend("volume", Target::Session)], BuiltIn::All).expect("table");
    case.standing.replace(Terms { table, switched_on: false, ..Terms::default() });
    assert_eq!(case.said(Kind::Volume, person("u1"), 1), held(Brake::SwitchedOff));
    assert_eq!(case.said(Kind::RefreshReuse, person("u1"), 2), held(Brake::SwitchedOff));
    case.standing.replace(Terms::default());
    assert_eq!(case.said(Kind::RefreshReuse, person("u1"), 3), plain("revoke:grant"));
}

#[test]
fn a_row_carries_out_no_more_than_its_share() {
    let an_hour = |amount: u32| format!("{amount}/h").parse().ok();
    let row = Row { at_most: an_hour(3), ..suspend("volume", Target::Session) };
    let mut case = Case::of(vec![row]);
    for name in ["u1", "u2", "u3"] {
        assert_eq!(case.said(Kind::Volume, person(name), 0), plain("block:session"));
    }
    assert_eq!(case.said(Kind::Volume, person("u4"), 1), held(Brake::AtMost));
    // What holds anyhow costs nobody more.
    assert_eq!(case.said(Kind::Volume, person("u1"), 2), plain("block:session"));
    let finding = case.decide(Kind::Volume, person("u5"), "192.0.2.1", 3);
    assert!(finding.evidence.summary.contains("`block:session` was held back"), "{finding:?}");
    assert_eq!(case.said(Kind::Volume, person("u4"), 3601), plain("block:session"));
}

#[test]
fn no_network_and_no_client_causes_more_than_its_share() {
    let row = Row { at_most_each: "2/h".parse().ok(), ..suspend("volume", Target::Session) };
    let mut case = Case::of(vec![row]);
    let with = |name: &str, client: &str| Whom { client: Some(client.into()), ..person(name) };
    let mut said = |name: &str, client: &str, from: &str| {
        let finding = case.decide(Kind::Volume, with(name, client), from, 0);
        (finding.response.to_string(), finding.held_back.map(|held| held.by))
    };
    assert_eq!(said("u1", "a", "192.0.2.1"), plain("block:session"));
    assert_eq!(said("u2", "b", "192.0.2.99"), plain("block:session"));
    assert_eq!(said("u3", "c", "192.0.2.200"), held(Brake::AtMostEach), "the same /24");
    assert_eq!(said("u3", "c", "198.51.100.1"), plain("block:session"));
    assert_eq!(said("u4", "c", "203.0.113.1"), plain("block:session"));
    assert_eq!(said("u5", "c", "203.0.114.1"), held(Brake::AtMostEach), "the same client");
    // One held back by its client has not used up its network's share.
    assert_eq!(said("u6", "d", "203.0.114.1"), plain("block:session"));
    assert_eq!(said("u7", "e", "203.0.114.1"), plain("block:session"));
    assert_eq!(said("u8", "f", "2001:db8:1:1::1"), plain("block:session"));
    assert_eq!(said("u9", "g", "2001:db8:1:2::1"), plain("block:session"));
    assert_eq!(said("v1", "h", "2001:db8:1:3::1"), held(Brake::AtMostEach), "the same /48");
}

#[test]
fn who_is_spared_is_never_hit() {
    let spared = Spared {
        subjects: [token::id::SubjectId::from("boss")].into(),
        clients: [token::id::ClientId::from("app")].into(),
        networks: vec!["192.0.2.0/24".parse().expect("network")],
    };
    let rows = vec![
        suspend("volume", Target::Grant),
        suspend("volume", Target::Subject),
        suspend("scope_creep", Target::Client),
        suspend("honeytoken", Target::Ip),
    ];
    let table = Table::new(rows, BuiltIn::None).expect("table");
    let mut case = Case::new(Terms { table, spared, ..Terms::default() });
    assert_eq!(case.said(Kind::Volume, person("boss"), 0), held(Brake::Spared));
    assert_eq!(case.said(Kind::Volume, service("app"), 0), held(Brake::Spared));
    assert_eq!(
        case.said(Kind::Volume, person("u1"), 0),
        plain("block:grant"),
        "its people are not"
    );
    let client = Whom { client: Some("app".into()), ..Whom::default() };
    assert_eq!(case.said(Kind::SignIn(SignIn::ScopeCreep), client, 0), held(Brake::Spared));
    assert_eq!(case.said(Kind::Honeytoken, network("192.0.2.77"), 0), held(Brake::Spared));
    assert_eq!(case.said(Kind::Honeytoken, network("::ffff:192.0.2.7"), 0), held(Brake::Spared));
    assert_eq!(case.said(Kind::Honeytoken, network("192.0.3.77"), 0), plain("block:ip"));
}

#[test]
fn what_cannot_be_carried_out_is_refused() {
    let good = || suspend("volume", Target::Session);
    let restrict = |on: Vec<Target>, effect: &str, lasts: Option<u64>| Act::Restrict {
        on,
        effect: effect.parse().expect("effect"),
        lasts: lasts.map(Duration::from_secs),
    };
    let session = || vec![Target::Session];
    let with = |act| Row { act, ..good() };
    let cap = "1/h".parse().ok();
    for (row, member, wrong) in [
        (Row { confidence: 1.5, ..good() }, "confidence", BadRow::Confidence),
        (Row { confidence: f64::NAN, ..good() }, "confidence", BadRow::Confidence),
        (Row { repeated: 0, ..good() }, "repeated", BadRow::Repeated),
        (Row { within: Duration::ZERO, ..good() }, "within", BadRow::Within),
        (Row { at_most: cap, ..with(Act::Tag) }, "at_most", BadRow::Idle),
        (with(restrict(Vec::new(), "suspend", Some(9))), "on", BadRow::RestrictsNothing),
        (with(restrict(vec![Target::Ip], "limit:1/s", Some(9))), "on", BadRow::RestrictsNetwork),
        (with(restrict(session(), "revoke", None)), "effect", BadRow::RevokesByJudgement),
        (with(restrict(session(), "revoke", Some(9))), "for", BadRow::RevokesForATime),
        (with(restrict(session(), "suspend", None)), "for", BadRow::Unending),
        (with(restrict(session(), "suspend", Some(0))), "for", BadRow::Unending),
    ] {
        let refused = Table::new(vec![good(), row], BuiltIn::All);
        assert_eq!(refused, Err(BadTable { row: 1, member, wrong }));
    }
    let certain = Row { class: Some(Class::Certain), ..with(restrict(session(), "suspend", None)) };
    assert!(Table::new(vec![certain], BuiltIn::None).is_ok());
}

#[test]
fn a_detector_that_was_wrong_is_believed_less_for_a_time() {
    let mut case = Case::built_in(BuiltIn::All);
    let mut tolerances = Tolerances::default();
    let doubt = |halvings| Doubt { halvings, from: NOW, until: after(100) };
    tolerances.add("volume", "subject:u1", doubt(1));
    tolerances.add("volume", "client:job", doubt(9));
    tolerances.add("volume", "subject:job", doubt(9));
    tolerances.add("refresh_reuse", "subject:u1", doubt(2));
    case.policy.tolerate(tolerances);
    let finding = case.decide(Kind::Volume, person("u1"), "192.0.2.1", 1);
    assert_eq!((finding.response.to_string().as_str(), finding.confidence), ("tag", 0.35));
    assert_eq!(finding.evidence.facts["confidence_before_feedback"], 0.7);
    let finding = case.decide(Kind::Volume, service("job"), "192.0.2.1", 1);
    assert_eq!(finding.confidence, 0.175, "never more than two halvings");
    assert_eq!(case.said(Kind::Volume, person("u2"), 1), plain("throttle:grant"), "others as ever");
    assert_eq!(case.said(Kind::Sequence, person("u1"), 1), plain("throttle:grant"));
    assert_eq!(case.said(Kind::RefreshReuse, person("u1"), 2), plain("revoke:grant"), "proof");
    let later = case.decide(Kind::Volume, person("u1"), "192.0.2.1", 100);
    assert_eq!(later.confidence, 0.7);
}

#[test]
fn every_row_that_is_built_in_can_be_carried_out() {
    for built_in in [BuiltIn::All, BuiltIn::Certain] {
        let rows = Table::new(Vec::new(), built_in).expect("table").rows().to_vec();
        assert!(rows.len() > 15);
        for row in &rows {
            row.check().expect("a good row");
        }
    }
}

#[test]
fn detectors_are_meant_by_name_family_or_all() {
    let detectors = |text: &str| text.parse::<Detectors>();
    assert!(detectors("*").expect("all").include("volume"));
    assert!(detectors("traffic").expect("family").include("volume"));
    assert!(!detectors("sign_in").expect("family").include("volume"));
    assert!(detectors("tokens").expect("family").include("refresh_reuse"));
    assert_eq!(detectors("volume").expect("name").to_string(), "volume");
    let refused = detectors("volumes").expect_err("unknown").to_string();
    assert!(refused.contains("`volumes`") && refused.contains("traffic"), "{refused}");
}
