//! What is read of claims, and whose word an address needs.

use serde_json::{Map, Value, json};

use super::SignIn;
use crate::provider::{Creation, EmailProof, Groups, Linking, Protocol, Provider};

fn provider(email_proof: EmailProof) -> Provider {
    let path = |text: &str| text.parse().expect("path");
    Provider {
        name: "acme".to_owned(),
        title: "Acme".to_owned(),
        protocol: Protocol::OpenId { issuer: "https://idp.example".to_owned() },
        client_id: "us".to_owned(),
        client_auth: crate::provider::ClientAuth::None,
        scopes: "openid email".to_owned(),
        domains: Vec::new(),
        has_button: true,
        link: Linking::Never,
        create: Creation::Never,
        email_proof,
        username: path("preferred_username"),
        claims: vec![("department".to_owned(), path("org.unit")), ("sub".to_owned(), path("org"))],
        groups: Some(Groups {
            source: path("realm_access.roles"),
            names: [("there-admin".to_owned(), "admin".to_owned())].into(),
        }),
        trust_acr: vec!["gold".to_owned()],
        trust_amr: vec!["mfa".to_owned()],
        keep_tokens: false,
    }
}

fn members(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("object")
}

fn by_claim() -> EmailProof {
    EmailProof::Claim("email_verified".parse().expect("path"))
}

#[test]
fn claims_and_groups_get_the_names_that_they_have_here() {
    let claims = members(json!({
        "preferred_username": "al", "email": "al@acme.example", "name": "Al\u{7}",
        "org": { "unit": "Tax" }, "realm_access": { "roles": ["there-admin", "other"] },
    }));
    let vouched = provider(by_claim()).vouched(&claims, SignIn::default());
    // What protocols decide by is nobody's to map, and a name with a bell in it is none.
    assert_eq!(Value::Object(vouched.claims), json!({ "department": "Tax", "groups": ["admin"] }));
    assert_eq!((vouched.username.as_deref(), vouched.name), (Some("al"), None));
    assert!(!vouched.email_verified && !vouched.is_sure);
}

#[test]
fn groups_that_are_gone_are_taken_away() {
    let vouched = provider(by_claim()).vouched(&Map::new(), SignIn::default());
    assert_eq!(Value::Object(vouched.claims), json!({ "groups": [] }));
}

#[test]
fn two_factors_are_believed_of_whoever_is_trusted_about_them() {
    let sure = |acr: Option<&str>, amr: &[&str]| {
        let amr = amr.iter().map(|one| (*one).to_owned()).collect();
        let sign_in = SignIn { acr: acr.map(str::to_owned), amr, ..SignIn::default() };
        provider(by_claim()).vouched(&Map::new(), sign_in).is_sure
    };
    assert!(sure(Some("gold"), &[]) && sure(None, &["pwd", "mfa"]));
    assert!(!sure(Some("silver"), &["pwd", "otp"]) && !sure(None, &[]));
}

#[test]
fn an_address_needs_somebodys_word() {
    let proven = |proof: EmailProof, claims: Value| {
        provider(proof).vouched(&members(claims), SignIn::default()).email_verified
    };
    let with = |value: Value| json!({ "email": "a@b.example", "email_verified": value });
    for good in [json!(true), json!("true"), json!(1), json!("1")] {
        assert!(proven(by_claim(), with(good.clone())), "{good}");
    }
    for bad in [json!(false), json!("false"), json!("yes"), json!(0), json!(null), json!([true])] {
        assert!(!proven(by_claim(), with(bad.clone())), "{bad}");
    }
    assert!(!proven(by_claim(), json!({ "email": "a@b.example" })));
    assert!(!proven(by_claim(), json!({ "email": "no address", "email_verified": true })));
    // Of an address elsewhere Google saw once, perhaps long ago, that it was theirs.
    let google = |email: &str, hd: Option<&str>| {
        proven(EmailProof::Google, json!({ "email": email, "email_verified": true, "hd": hd }))
    };
    assert!(google("a@gmail.com", None) && google("a@b.example", Some("b.example")));
    assert!(!google("a@b.example", None));
    let unproven = json!({ "email": "a@gmail.com", "email_verified": false });
    assert!(!proven(EmailProof::Google, unproven));
}

#[test]
fn a_list_of_addresses_is_the_only_word_where_there_is_one() {
    let claims = members(json!({ "email": "public@x.example", "email_verified": true }));
    let listed = |listed| {
        let sign_in = SignIn { listed, ..SignIn::default() };
        let vouched = provider(EmailProof::List).vouched(&claims, sign_in);
        (vouched.email, vouched.email_verified)
    };
    assert_eq!(listed(None), (None, false));
    let address = || "a@x.example".to_owned();
    assert_eq!(listed(Some((address(), true))), (Some(address()), true));
    assert_eq!(listed(Some((address(), false))), (Some(address()), false));
}
