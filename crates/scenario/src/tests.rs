//! The same for the same seed, in order, and with its labels in it.

use std::collections::BTreeSet;

use token::event::Event;

use super::{Label, Which, generate, names};

fn is_theirs(event: &Event, label: &Label) -> bool {
    let subject = event.who.subject.as_ref().map(|subject| subject.as_str());
    let client = event.who.client.as_ref().map(|client| client.as_str());
    event.ts >= label.ts
        && (event.ip == Some(label.ip)
            || (client.is_some() && client == label.client.as_deref())
            || (subject.is_some() && subject == label.subject.as_deref()))
}

#[test]
fn the_same_seed_gives_the_same_traffic_with_every_attack_in_it() {
    let all = generate(7, Which::All);
    let same = generate(7, Which::All);
    assert!(all.events == same.events && all.labels == same.labels);
    assert!(all.events.is_sorted_by_key(|event| event.ts));
    let found: BTreeSet<_> = all.labels.iter().map(|label| label.scenario).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), names());
    for label in &all.labels {
        assert!(all.events.iter().any(|event| is_theirs(event, label)), "{label:?}");
    }
}

#[test]
fn a_scenario_has_its_attacks_alone() {
    let one = generate(8, Which::For("credential_stuffing"));
    assert_eq!(one.labels.len(), 2);
    assert!(one.labels.iter().all(|label| label.scenario == "credential_stuffing"));
    let quiet = generate(8, Which::For("nothing"));
    assert!(quiet.labels.is_empty() && quiet.events.len() > 10_000);
    assert!(quiet.events.len() < one.events.len());
}
