//! Details fit their types' shapes, in words and in tokens.

use std::collections::BTreeMap;

use super::{DetailDefinition, DetailsRefused, Member, Shape, narrowed, requested};
use crate::language::Language;

fn payment() -> DetailDefinition {
    let one = |shape| Member { shape, optional: false };
    let amount = BTreeMap::from([
        ("amount".to_owned(), one(Shape::Text)),
        ("currency".to_owned(), one(Shape::Text)),
    ]);
    DetailDefinition {
        kind: "payment".to_owned(),
        description: "Pay {to.amount} {to.currency} to {creditor} ({actions})".to_owned(),
        translations: Default::default(),
        actions: vec!["initiate".to_owned(), "cancel".to_owned()],
        members: BTreeMap::from([
            ("to".to_owned(), one(Shape::Object(amount))),
            ("creditor".to_owned(), one(Shape::Text)),
            ("urgent".to_owned(), Member { shape: Shape::Boolean, optional: true }),
            (
                "notes".to_owned(),
                Member { shape: Shape::List(Box::new(Shape::Text)), optional: true },
            ),
        ]),
    }
}

fn ask(text: &str) -> Result<usize, DetailsRefused> {
    let resources = ["https://api.example".to_owned()];
    requested(Some(text), &[payment()], &["payment".to_owned()], || resources.to_vec())
        .map(|d| d.len())
}

const GOOD: &str = r#"[{"type":"payment","actions":["initiate"],"creditor":"Shop",
    "locations":["https://api.example"],"to":{"amount":"45.00","currency":"EUR"}}]"#;

#[test]
fn a_detail_fits_its_types_shape() {
    assert_eq!(ask(GOOD), Ok(1));
    assert_eq!(ask("[]"), Ok(0));
    assert_eq!(requested(None, &[], &[], Vec::new), Ok(Vec::new()));
    let more = GOOD.replace("\"Shop\"", r#""Shop","urgent":true,"notes":["a","b"]"#);
    assert_eq!(ask(&more), Ok(1));
}

#[test]
fn what_does_not_fit_is_named() {
    for (from, to, member) in [
        (r#""creditor":"Shop""#, r#""creditor":7"#, "creditor"),
        (r#""creditor":"Shop","#, "", "creditor"),
        (r#""amount":"45.00""#, r#""amount":45"#, "to.amount"),
        (r#","currency":"EUR""#, "", "to.currency"),
        (r#"{"amount":"45.00","currency":"EUR"}"#, "\"x\"", "to"),
        (r#""creditor""#, r#""urgent":"yes","creditor""#, "urgent"),
        (r#""creditor""#, r#""notes":[1],"creditor""#, "notes"),
        (r#""creditor""#, r#""more":1,"creditor""#, "more"),
        (r#""creditor""#, r#""privileges":["admin"],"creditor""#, "privileges"),
        ("initiate", "erase", "actions"),
        ("https://api.example", "https://elsewhere.example", "locations"),
    ] {
        match ask(&GOOD.replace(from, to)) {
            Err(DetailsRefused::Member { member: named, .. }) => assert_eq!(named, member),
            other => panic!("{member}: {other:?}"),
        }
    }
    let unknown = GOOD.replace("\"payment\"", "\"gift\"");
    assert_eq!(ask(&unknown), Err(DetailsRefused::Unknown("gift".to_owned())));
    let refused = requested(Some(GOOD), &[payment()], &[], Vec::new);
    assert_eq!(refused, Err(DetailsRefused::NotAllowed("payment".to_owned())));
    for text in [
        "",
        "{}",
        "[1]",
        "[{}]",
        "[{\"type\":1}]",
        "[],\"x\":[]",
        "[{\"type\":\"a\",\"type\":\"b\"}]",
    ] {
        assert_eq!(ask(text), Err(DetailsRefused::Form), "{text}");
    }
    let many = format!("[{}]", vec![r#"{"type":"payment"}"#; 17].join(","));
    assert_eq!(ask(&many), Err(DetailsRefused::Form));
}

#[test]
fn shapes_are_read_from_a_configuration() {
    let read = |text: &str| Shape::members(&serde_json::from_str(text).expect("JSON"));
    let members = read(
        r#"{"to":{"amount":"text","currency":"text"},"creditor":"text","urgent?":"boolean",
            "notes?":["text"]}"#,
    );
    assert_eq!(members.expect("members"), payment().members);
    for text in [r#"{"a":"int"}"#, r#"{"a":1}"#, r#"{"a":[]}"#, r#"{"a":{"b":null}}"#] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_person_reads_what_is_asked_for() {
    let resources = ["https://api.example".to_owned()];
    let details =
        requested(Some(GOOD), &[payment()], &["payment".to_owned()], || resources.to_vec());
    let words = payment().words(&details.expect("details")[0], Language::English);
    assert_eq!(words, "Pay 45.00 EUR to Shop (initiate)");
}

#[test]
fn a_token_request_repeats_what_was_granted() {
    let resources = ["https://api.example".to_owned()];
    let granted =
        requested(Some(GOOD), &[payment()], &["payment".to_owned()], || resources.to_vec());
    let granted = granted.expect("details");
    assert_eq!(narrowed(None, &granted), Ok(granted.clone()));
    assert_eq!(narrowed(Some(GOOD), &granted), Ok(granted.clone()));
    assert_eq!(narrowed(Some("[]"), &granted), Ok(Vec::new()));
    let more = GOOD.replace("45.00", "4500.00");
    assert_eq!(narrowed(Some(&more), &granted), Err(DetailsRefused::NotGranted));
}
