//! What a client is told of a problem, and that the documentation knows every kind.

use http::StatusCode;
use token::reason::{Forgery, Reason, Refused};
use token::time::Timestamp;

use super::{Kind, Problem, TYPE};
use crate::request_id::RequestId;

#[test]
fn the_members() {
    let id = RequestId::new(Timestamp::from_secs(1_790_000_000));
    let detail = "the token lacks a scope";
    let kind = Kind::InsufficientScope;
    let problem =
        Problem { status: StatusCode::FORBIDDEN, error: "insufficient_scope", kind, detail };
    let answer = problem.answer(&id);
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let expected = format!(
        r#"{{"type":"urn:tokenward:problem:insufficient_scope","title":"Scope missing","status":403,"detail":"{detail}","reason":"insufficient_scope","request_id":"{}","error":"insufficient_scope","error_description":"{detail}"}}"#,
        id.as_str()
    );
    assert_eq!(*answer.body(), expected);
}

#[test]
fn what_would_teach_an_attacker_is_left_out() {
    assert_eq!(Kind::from(Reason::Honeytoken), Kind::Revoked);
    for forgery in Forgery::ALL {
        assert_eq!(Kind::from(&Refused::from(*forgery)), Kind::UnknownToken);
    }
    assert_eq!(Kind::from(&Refused::Injection("sqli".into())).code(), "injection");
}

#[test]
fn every_kind_is_documented_once() {
    let page = include_str!("../../../../docs/problems.md");
    let kinds = page.split("## Browsers").next().expect("the kinds");
    for kind in Kind::ALL {
        let row = format!("\n| `{}` | {} |", kind.code(), kind.title());
        assert_eq!(page.matches(&row).count(), 1, "docs/problems.md needs one row {row:?}");
    }
    assert_eq!(kinds.matches("\n| `").count(), Kind::ALL.len(), "a row has no kind");
    assert!(page.contains(TYPE));
}
