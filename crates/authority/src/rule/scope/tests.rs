//! Which scopes a request gets, and which it does not.

use token::ladder::Ladder;
use token::scope::ScopeSet;

use super::{
    ScopeRefused, fitting, narrowed, requested, requested_by_machine, requested_of_person,
};
use crate::settings::ScopeDefinition;
use crate::tests::support::{API, settings};

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("scopes")
}

fn none() -> Ladder {
    Ladder::default()
}

#[test]
fn every_scope_asked_for_must_be_allowed() {
    let (allowed, default) = (set("a b c"), set("a"));
    assert_eq!(requested(Some("b a"), &allowed, &default, &none()), Ok(set("a b")));
    let refused = requested(Some("a x y"), &allowed, &default, &none());
    assert_eq!(refused, Err(ScopeRefused::NotAllowed("x y".to_owned())));
    assert!(matches!(
        requested(Some("a  b"), &allowed, &default, &none()),
        Err(ScopeRefused::Form(_))
    ));
    assert!(matches!(
        requested(Some("A"), &allowed, &default, &none()),
        Err(ScopeRefused::NotAllowed(_))
    ));
}

#[test]
fn nothing_asked_gives_the_default_as_far_as_allowed() {
    assert_eq!(requested(None, &set("a b"), &set("a z"), &none()), Ok(set("a")));
}

#[test]
fn a_machine_is_no_person() {
    let (allowed, default) = (set("a openid email"), set("a openid"));
    assert_eq!(requested_by_machine(None, &allowed, &default, &none()), Ok(set("a")));
    assert_eq!(requested_by_machine(Some("a"), &allowed, &default, &none()), Ok(set("a")));
    let refused = requested_by_machine(Some("a openid"), &allowed, &default, &none());
    assert_eq!(refused, Err(ScopeRefused::NeedsPerson("openid".to_owned())));
}

#[test]
fn a_person_is_no_administrator() {
    let (allowed, default) = (set("a tokenward:admin tokenward:read"), set("a tokenward:read"));
    assert_eq!(requested_of_person(None, &allowed, &default, &none()), Ok(set("a")));
    assert_eq!(requested_of_person(Some("a"), &allowed, &default, &none()), Ok(set("a")));
    let refused = requested_of_person(Some("a tokenward:admin"), &allowed, &default, &none());
    assert_eq!(refused, Err(ScopeRefused::NeedsAdministrator("tokenward:admin".to_owned())));
}

#[test]
fn a_refresh_never_widens() {
    let granted = set("a b");
    assert_eq!(narrowed(None, &granted, &none()), Ok(granted.clone()));
    assert_eq!(narrowed(Some("b"), &granted, &none()), Ok(set("b")));
    let refused = narrowed(Some("a b c"), &granted, &none());
    assert_eq!(refused, Err(ScopeRefused::Wider("c".to_owned())));
}

#[test]
fn who_may_do_more_may_ask_for_less() {
    let steps: [(&str, &[&str]); 3] = [("read", &[]), ("write", &["read"]), ("all", &["write"])];
    let ladder = Ladder::new(steps).expect("ladder");
    let (allowed, default) = (set("write"), set("read"));
    // What was asked for and no more, whatever it includes.
    assert_eq!(requested(Some("read"), &allowed, &default, &ladder), Ok(set("read")));
    assert_eq!(requested(Some("write"), &allowed, &default, &ladder), Ok(set("write")));
    assert_eq!(requested(None, &allowed, &default, &ladder), Ok(set("read")));
    let refused = requested(Some("all"), &allowed, &default, &ladder);
    assert_eq!(refused, Err(ScopeRefused::NotAllowed("all".to_owned())));
    assert_eq!(narrowed(Some("read"), &set("all"), &ladder), Ok(set("read")));
    assert_eq!(narrowed(None, &set("all"), &ladder), Ok(set("all")));
    let refused = narrowed(Some("all"), &set("write"), &ladder);
    assert_eq!(refused, Err(ScopeRefused::Wider("all".to_owned())));
}

#[test]
fn a_token_has_the_scopes_of_its_resource_alone() {
    const FILES: &str = "http://127.0.0.1:9000";
    let mut settings = settings();
    let own = |name: &str, resource: &str| ScopeDefinition {
        resources: vec![resource.to_owned()],
        ..ScopeDefinition::new(name, "")
    };
    settings.scopes = vec![own("a", API), own("b", FILES), ScopeDefinition::new("c", "")];
    let fit = |scopes: &str, audiences: &[&str]| {
        let audiences: Vec<String> = audiences.iter().map(|one| (*one).to_owned()).collect();
        fitting(&set(scopes), &audiences, &settings)
    };
    assert_eq!(fit("a b c openid", &[API]), Ok(set("a c openid")));
    assert_eq!(fit("a b", &[API, FILES]), Ok(set("a b")));
    assert_eq!(fit("", &[API]), Ok(set("")));
    assert_eq!(fit("b", &[API]), Err(ScopeRefused::Elsewhere("b".to_owned())));
}
