//! Personal tokens by themselves: every rule about them, without anybody who keeps them.

use std::sync::Arc;
use std::time::Duration;

use super::{
    NotPersonal, Owner, Personal, PersonalTokens, Terms, Use, Uses, is_personal, verify_personal,
};
use crate::id::{ClientId, SubjectId, TokenId};
use crate::ladder::Ladder;
use crate::opaque::Family;
use crate::random::OsRandom;
use crate::reason::Reason;
use crate::reference::Unavailable;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::validate::{AccessTokenPolicy, VerifiedAccessToken};

const API: &str = "https://api.example";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Somebody who keeps one token.
struct One(Option<Arc<Personal>>);

impl PersonalTokens for One {
    fn find(&self, _: &str) -> Result<Option<Arc<Personal>>, Unavailable> {
        Ok(self.0.clone())
    }

    fn version(&self) -> u64 {
        0
    }

    fn keep_use(&self, _: Use) {}
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_790_000_000)
}

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("scopes")
}

fn personal(change: impl FnOnce(&mut Personal)) -> Personal {
    let terms = Terms {
        token: TokenId::generate(now(), &OsRandom::new()),
        owner: Owner::Person(SubjectId::from("u1")),
        scopes: set("orders:read orders:write"),
        audiences: vec![API.to_owned()],
        networks: Vec::new(),
        places: Vec::new(),
        jkt: None,
        created_at: now(),
        expires_at: now().plus(90 * DAY),
        idle: None,
    };
    let uses = Arc::new(Uses::new(terms.created_at, ScopeSet::default()));
    let mut personal = Personal { terms, bound: None, ended: None, uses };
    change(&mut personal);
    personal
}

fn verified(personal: Personal, at: Timestamp) -> Result<VerifiedAccessToken, Reason> {
    let steps: [(&str, &[&str]); 3] =
        [("orders:read", &[]), ("orders:write", &["orders:read"]), ("mail", &[])];
    let ladder = Ladder::new(steps).expect("ladder");
    let policy = AccessTokenPolicy {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec![API.to_owned()],
        leeway: Duration::from_secs(60),
    };
    verify_personal("twp_", &One(Some(Arc::new(personal))), &policy, &ladder, at).map_err(|error| {
        match error {
            NotPersonal::Refused(refused) => refused.refused.to_string().parse().expect("a reason"),
            NotPersonal::Unavailable(_) => Reason::Unavailable,
        }
    })
}

#[test]
fn it_speaks_for_its_owner_until_its_end() {
    let token = verified(personal(|_| {}), now()).expect("good");
    assert_eq!(token.facts().subject.as_str(), "u1");
    assert_eq!(token.facts().client.as_str(), token.facts().token.as_str());
    assert_eq!(token.scopes().to_string(), "orders:read orders:write");
    let end = now().plus(90 * DAY);
    assert!(!token.expired(end.minus(Duration::from_millis(1))), "no leeway, and none taken away");
    assert!(token.expired(end));
    assert_eq!(verified(personal(|_| {}), end).unwrap_err(), Reason::Expired);

    let service = |one: &mut Personal| one.terms.owner = Owner::Service(ClientId::from("c1"));
    let token = verified(personal(service), now()).expect("good");
    assert_eq!((token.facts().subject.as_str(), token.facts().client.as_str()), ("c1", "c1"));
}

#[test]
fn one_that_lies_unused_ends_and_use_keeps_it() {
    let idle = |one: &mut Personal| one.terms.idle = Some(DAY);
    assert!(verified(personal(idle), now().plus(DAY).minus(Duration::from_secs(1))).is_ok());
    assert_eq!(verified(personal(idle), now().plus(DAY)).unwrap_err(), Reason::Expired);
    let kept = personal(idle);
    let uses = Arc::clone(&kept.uses);
    let token = verified(kept, now()).expect("good");
    let later = now().plus(DAY / 2);
    let standing = token.personal().expect("personal");
    assert!(standing.used(later, None, Some("/orders"), &set("orders:read")).is_some());
    assert_eq!(uses.last(), later);
    assert!(!token.expired(now().plus(DAY)));
    assert!(token.expired(later.plus(DAY)));
}

#[test]
fn uses_are_told_once_a_minute_and_for_every_new_scope() {
    let token = personal(|_| {});
    let told = |secs, scopes: &str| {
        token.used(now().plus(Duration::from_secs(secs)), None, Some("/orders"), &set(scopes))
    };
    assert_eq!(told(0, "orders:read").expect("the first").scopes, set("orders:read"));
    assert!(told(1, "orders:read").is_none());
    let second = told(2, "orders:write").expect("a new scope");
    assert_eq!(second.scopes, set("orders:read orders:write"));
    assert!(told(61, "orders:read").is_none());
    assert_eq!(told(62, "orders:read").expect("a minute later").scopes, second.scopes);
}

#[test]
fn it_has_no_more_than_its_owner() {
    let scopes = |owner: &str| {
        let bound = Some(set(owner));
        verified(personal(|one| one.bound = bound), now()).expect("good").scopes().to_string()
    };
    assert_eq!(scopes("orders:read mail"), "orders:read");
    assert_eq!(scopes("orders:write"), "orders:read orders:write", "one includes the other");
    assert_eq!(scopes("mail"), "");
}

#[test]
fn every_other_rule_refuses_with_its_reason() {
    for (reason, why) in [(Reason::Disabled, Reason::Disabled), (Reason::Revoked, Reason::Revoked)]
    {
        assert_eq!(verified(personal(|one| one.ended = Some(why)), now()).unwrap_err(), reason);
    }
    let elsewhere = |one: &mut Personal| one.terms.audiences = vec!["https://b.example".into()];
    assert_eq!(verified(personal(elsewhere), now()).unwrap_err(), Reason::WrongAudience);
    let at_home = personal(|one| one.terms.networks = vec!["192.0.2.0/24".parse().expect("net")]);
    for (ip, may) in [("192.0.2.9", true), ("::ffff:192.0.2.9", true), ("198.51.100.1", false)] {
        assert_eq!(at_home.may_come_from(Some(ip.parse().expect("ip"))), may, "{ip}");
    }
    assert!(!at_home.may_come_from(None) && personal(|_| {}).may_come_from(None));
}

#[test]
fn only_whole_personal_tokens_are_looked_up() {
    let random = OsRandom::new();
    let token = Family::Personal.generate(&random);
    assert_eq!(is_personal(token.expose()), Ok(true));
    assert_eq!(is_personal(Family::Access.generate(&random).expose()), Ok(false));
    assert_eq!(is_personal("eyJ.eyJ.c2ln"), Ok(false));
    for cut in [&token.expose()[..52], "twp_", "twp_x"] {
        assert_eq!(is_personal(cut).unwrap_err().refused.to_string(), "malformed", "{cut}");
    }
}
