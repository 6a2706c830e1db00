//! The rows that are built in: the mildest response that stops the harm, harder on repetition.
//!
//! `docs/responses.md` has the reasons. What is certain is carried out; what rests on a judgement is
//! only told unless the configuration says otherwise.

use std::time::Duration;

use token::allowance::Allowance;
use token::finding::{Class, Severity, Target};
use token::restriction::{Effect, Proof};

use super::family::{Detectors, Family};
use super::row::{Act, Principal, Row};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Of a person: what lives on when the token is refreshed comes first.
const OF_A_PERSON: [Target; 3] = [Target::Grant, Target::Session, Target::Token];

/// All of them.
pub(super) fn rows(judgements_enforced: bool) -> Vec<Row> {
    let mut rows = tokens();
    let judged = [unrestricted(), sign_in(), people(), services(), networks()];
    rows.extend(judged.into_iter().flatten().map(|row| Row {
        class: Some(Class::Statistical),
        enforced: judgements_enforced || !matches!(row.act, Act::Restrict { .. }),
        ..row
    }));
    rows
}

/// Proof is at hand: what was misused ends, and who misused it is kept out for a while.
fn tokens() -> Vec<Row> {
    let certain = |names: &[&'static str], on: &[Target], effect, lasts: Option<u64>| Row {
        class: Some(Class::Certain),
        ..Row::of(&named(names), restrict(on, effect, lasts))
    };
    let network = |name, lasts| certain(&[name], &[Target::Ip], Effect::Suspend, Some(lasts));
    let forger = |lasts| Row { confidence: 0.99, ..network("forged_token", lasts) };
    vec![
        Row { repeated: 3, ..forger(DAY) },
        forger(15 * MINUTE),
        Row { repeated: 2, within: Duration::from_secs(7 * DAY), ..network("honeytoken", DAY) },
        network("honeytoken", HOUR),
        certain(&["refresh_reuse", "code_replay"], &[Target::Grant], Effect::Revoke, None),
        certain(&["dpop_replay"], &[Target::Token], Effect::Revoke, None),
        certain(&["leak_report"], &[Target::Token, Target::Grant], Effect::Revoke, None),
        // Its secret is public, and only people can give it another one.
        certain(&["leak_report"], &[Target::Client], Effect::Suspend, None),
    ]
}

/// Offers, oddities, and what is about a client with everybody who uses it: for people to judge.
fn unrestricted() -> Vec<Row> {
    let told = [
        "automation",
        "consent_phishing",
        // Who sits at the network of this event, the owner or the copy's holder, nobody can tell.
        "copied_passkey",
        "device_phishing",
        "registration_surge",
        "scope_creep",
    ];
    vec![
        Row::of(&named(&["anomaly", "least_privilege"]), Act::None),
        Row::of(&named(&told), Act::Tag),
    ]
}

fn sign_in() -> Vec<Row> {
    let family = [Detectors::Family(Family::SignIn)];
    let displaced = named(&["impossible_travel", "new_place", "token_sharing"]);
    let on = [Target::Grant, Target::Session];
    let suspended = |lasts| restrict(&on, Effect::Suspend, Some(lasts));
    let stepped_up = restrict(&on, Effect::Require(Proof::StepUp), Some(DAY));
    let network = |lasts| restrict(&[Target::Ip], Effect::Suspend, Some(lasts));
    let of_people = |row| capped(Row { principal: Some(Principal::Person), ..row }, 100, 20);
    vec![
        // Somebody got in after guessing: this sign-in ends, not the account.
        capped(
            Row {
                severity: Severity::Critical,
                ..Row::of(
                    &family,
                    restrict(&[Target::Session, Target::Grant], Effect::Suspend, Some(DAY)),
                )
            },
            100,
            20,
        ),
        of_people(Row { repeated: 3, ..Row::of(&displaced, suspended(HOUR)) }),
        // The owner proves who they are and goes on; whoever copied the token cannot.
        of_people(Row::of(&displaced, stepped_up)),
        capped(
            Row {
                severity: Severity::Medium,
                confidence: 0.75,
                repeated: 2,
                ..Row::of(&family, network(HOUR))
            },
            200,
            20,
        ),
        capped(
            Row {
                severity: Severity::High,
                confidence: 0.75,
                ..Row::of(&family, network(15 * MINUTE))
            },
            200,
            20,
        ),
    ]
}

/// People on the API: slower, then a proof that it is they, then an hour's rest.
fn people() -> Vec<Row> {
    let person = |act| {
        let row = Row { principal: Some(Principal::Person), ..traffic(act) };
        capped(row, 60, 10)
    };
    let step_up = Effect::Require(Proof::StepUp);
    vec![
        Row { repeated: 3, ..person(restrict(&OF_A_PERSON, Effect::Suspend, Some(HOUR))) },
        Row { repeated: 2, ..person(restrict(&OF_A_PERSON[..2], step_up, Some(12 * HOUR))) },
        person(restrict(&OF_A_PERSON, pace(30), Some(30 * MINUTE))),
    ]
}

/// Services cannot sign in again: slower, much slower, then an hour's rest. As a subject, since a
/// client's name would hit people who use it as well.
fn services() -> Vec<Row> {
    let service = |effect, lasts| {
        let act = restrict(&[Target::Subject], effect, Some(lasts));
        capped(Row { principal: Some(Principal::Service), ..traffic(act) }, 20, 5)
    };
    vec![
        Row { repeated: 3, ..service(Effect::Suspend, HOUR) },
        Row { repeated: 2, ..service(pace(10), HOUR) },
        service(pace(60), 30 * MINUTE),
    ]
}

/// Whoever has no name: an address may be many people's, so nothing happens at first.
fn networks() -> Vec<Row> {
    let network =
        |lasts| capped(traffic(restrict(&[Target::Ip], Effect::Suspend, Some(lasts))), 200, 20);
    vec![Row { repeated: 3, ..network(HOUR) }, Row { repeated: 2, ..network(15 * MINUTE) }]
}

fn traffic(act: Act) -> Row {
    Row {
        severity: Severity::Medium,
        confidence: 0.7,
        ..Row::of(&[Detectors::Family(Family::Traffic)], act)
    }
}

/// So many an hour over all, and by one network or client.
fn capped(row: Row, at_most: u32, each: u32) -> Row {
    let an_hour = |amount| Some(Allowance { amount, window: Duration::from_secs(HOUR) });
    Row { at_most: an_hour(at_most), at_most_each: an_hour(each), ..row }
}

fn named(names: &[&'static str]) -> Vec<Detectors> {
    names.iter().map(|name| Detectors::Named(name)).collect()
}

fn restrict(on: &[Target], effect: Effect, lasts: Option<u64>) -> Act {
    Act::Restrict { on: on.to_vec(), effect, lasts: lasts.map(Duration::from_secs) }
}

/// So many requests a minute.
const fn pace(amount: u32) -> Effect {
    Effect::Limit(Allowance { amount, window: Duration::from_secs(MINUTE) })
}
