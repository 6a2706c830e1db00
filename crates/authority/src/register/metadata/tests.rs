//! Client metadata reads as RFC 7591 §2 says, and what is not built is refused.

use serde_json::{Value, json};
use token::term::{ClientAuthMethod, GrantType};

use super::parse;
use crate::register::policy::{Policy, Registration};
use crate::register::{ClientDraft, RegistrationRefused};
use crate::tests::support::scopes;

fn read(body: &Value) -> Result<ClientDraft, RegistrationRefused> {
    let registration = Registration::new(Policy::Token, scopes("openid orders:read"));
    parse(body.as_object().expect("object"), &registration)
}

#[track_caller]
fn refused_member(body: &Value) -> String {
    match read(body) {
        Err(RegistrationRefused::Member { member, .. }) => member,
        other => panic!("not refused for a member: {other:?}"),
    }
}

#[test]
fn what_is_omitted_has_the_defaults_of_the_specification() {
    let draft = read(&json!({})).expect("draft");
    assert_eq!(draft.auth_method, ClientAuthMethod::ClientSecretBasic);
    assert_eq!(draft.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(draft.scopes, scopes("openid orders:read"));
    assert_eq!(draft.default_scopes, draft.scopes);
    let nulls = json!({ "scope": null, "grant_types": null, "client_name": null });
    assert_eq!(read(&nulls).expect("draft"), draft);
}

#[test]
fn what_people_are_shown_is_kept() {
    let body = json!({
        "client_uri": "https://app.example",
        "contacts": ["ops@app.example"],
        "application_type": "native",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "public",
        "nobody_knows": true,
    });
    let draft = read(&body).expect("draft");
    let kept: Value = serde_json::from_str(&draft.metadata).expect("json");
    assert_eq!(
        kept,
        json!({
            "client_uri": "https://app.example",
            "contacts": ["ops@app.example"],
            "application_type": "native",
        })
    );
}

#[test]
fn wrong_types_are_refused_by_name() {
    for (member, value) in [
        ("client_name", json!(1)),
        ("client_name", json!("x".repeat(513))),
        ("redirect_uris", json!("https://app.example/cb")),
        ("redirect_uris", json!([1])),
        ("grant_types", json!(["implicit"])),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("scope", json!(["openid"])),
        ("scope", json!("openid  orders:read")),
        ("client_uri", json!("javascript:alert(1)")),
        ("logo_uri", json!("x")),
        ("contacts", json!([{}])),
        ("application_type", json!("robot")),
        ("subject_type", json!("pairwise")),
        ("id_token_signed_response_alg", json!("HS256")),
        ("id_token_encrypted_response_alg", json!("RSA1_5")),
        ("dpop_bound_access_tokens", json!("yes")),
        ("response_types", json!(["code", "token"])),
        ("jwks", json!([])),
        ("jwks_uri", json!(7)),
        ("userinfo_signed_response_alg", json!("HS256")),
        ("require_signed_request_object", json!(1)),
        ("default_max_age", json!(-1)),
        ("request_object_encryption_alg", json!("RSA-OAEP-256")),
    ] {
        assert_eq!(refused_member(&json!({ member: value })), member);
    }
}

#[test]
fn response_types_agree_with_grant_types() {
    assert_eq!(refused_member(&json!({ "response_types": [] })), "response_types");
    let machine = json!({ "grant_types": ["client_credentials"], "response_types": ["code"] });
    assert_eq!(refused_member(&machine), "response_types");
    let machine = json!({ "grant_types": ["client_credentials"], "response_types": [] });
    assert!(read(&machine).is_ok());
    let machine = json!({ "grant_types": ["client_credentials"] });
    assert!(read(&machine).is_ok());
}

#[test]
fn no_scope_comes_by_asking_for_it() {
    let refused = read(&json!({ "scope": "orders:read tokenward:admin" }));
    let expected = "tokenward:admin";
    assert!(
        matches!(refused, Err(RegistrationRefused::ScopeNotAllowed(scope)) if scope == expected)
    );
}

#[test]
fn what_only_an_administrator_gives_cannot_be_had_by_registration() {
    for (member, value) in
        [("may_act", json!(["other"])), ("exchange_audiences", json!(["http://127.0.0.1:9000"]))]
    {
        assert_eq!(refused_member(&json!({ member: value })), member);
    }
}
