//! What may be registered, whoever asks.

use serde_json::json;
use token::scope::ScopeSet;
use token::term::{Algorithm, ClientAuthMethod, ContentEncryption, GrantType, KeyManagement};

use super::{ClientDraft, RegistrationRefused, check};
use crate::foreign::KeySource;
use crate::settings::Settings;
use crate::tests::support::{scopes, settings};

fn draft() -> ClientDraft {
    ClientDraft {
        name: "Orders".to_owned(),
        auth_method: ClientAuthMethod::ClientSecretBasic,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec!["https://app.example/cb".to_owned()],
        scopes: scopes("openid orders:read"),
        default_scopes: scopes("orders:read"),
        options: Default::default(),
        metadata: "{}".to_owned(),
    }
}

fn refusal(change: impl FnOnce(&mut ClientDraft)) -> RegistrationRefused {
    let mut draft = draft();
    change(&mut draft);
    check(&draft, &settings()).expect_err("a refusal")
}

#[test]
fn a_good_draft_is_good() {
    assert!(check(&draft(), &settings()).is_ok());
}

#[test]
fn names_can_be_seen_and_read() {
    for name in ["", "  ", "a\u{7}", "evil\u{202e}gnp", "a\u{200b}b", &"x".repeat(101)] {
        let refused = refusal(|draft| draft.name = name.to_owned());
        assert!(
            matches!(refused, RegistrationRefused::Member { ref member, .. } if member == "client_name")
        );
    }
}

#[test]
fn grant_types_must_make_sense_together() {
    let refused = refusal(|draft| draft.grant_types.clear());
    assert!(matches!(refused, RegistrationRefused::NoGrantType));
    let refused = refusal(|draft| draft.grant_types = vec![GrantType::RefreshToken]);
    assert!(matches!(refused, RegistrationRefused::RefreshAlone));
    let refused = refusal(|draft| {
        draft.auth_method = ClientAuthMethod::None;
        draft.grant_types.push(GrantType::ClientCredentials);
    });
    assert!(matches!(refused, RegistrationRefused::CredentialsWithoutSecret));
    let refused = refusal(|draft| draft.redirect_uris.clear());
    assert!(matches!(refused, RegistrationRefused::NoRedirectUri));
}

#[test]
fn redirect_uris_are_checked_one_by_one() {
    for uri in ["javascript:alert(1)", "http://app.example/cb", "https://app.example/#x", "/cb"] {
        let refused = refusal(|draft| draft.redirect_uris.push(uri.to_owned()));
        assert!(matches!(refused, RegistrationRefused::RedirectUri { .. }), "{uri}");
    }
    let refused = refusal(|draft| draft.redirect_uris = vec!["https://a.example/".into(); 21]);
    assert!(matches!(refused, RegistrationRefused::TooManyRedirectUris));
}

#[test]
fn scopes_are_known_and_the_default_is_among_them() {
    let refused = refusal(|draft| draft.scopes = scopes("orders:delete"));
    assert!(
        matches!(refused, RegistrationRefused::ScopeUnknown(scope) if scope == "orders:delete")
    );
    let refused = refusal(|draft| draft.default_scopes = scopes("orders:read orders:write"));
    assert!(
        matches!(refused, RegistrationRefused::DefaultScopes(scope) if scope == "orders:write")
    );
    let mut bare = draft();
    (bare.scopes, bare.default_scopes) = (ScopeSet::default(), ScopeSet::default());
    assert!(check(&bare, &settings()).is_ok());
}

#[test]
fn an_instance_is_attested_by_somebody_who_is_trusted() {
    let attested = |named: Option<&str>| {
        let mut draft = draft();
        draft.auth_method = ClientAuthMethod::AttestJwtClientAuth;
        draft.options.client_attester = named.map(str::to_owned);
        draft
    };
    let member = |draft: &ClientDraft, settings: &Settings| match check(draft, settings) {
        Err(RegistrationRefused::Member { member, .. }) => Some(member),
        Err(other) => panic!("{other}"),
        Ok(()) => None,
    };
    let none = settings();
    assert_eq!(member(&attested(None), &none).as_deref(), Some("token_endpoint_auth_method"));
    let issuer = "https://maker.example".to_owned();
    let known = KeySource { issuer, jwks_uri: None, keys: None };
    let some = Settings { attesters: vec![known], ..settings() };
    assert_eq!(member(&attested(None), &some), None);
    assert_eq!(member(&attested(Some("https://maker.example")), &some), None);
    let refused = member(&attested(Some("https://maker.example/")), &some);
    assert_eq!(refused.as_deref(), Some("client_attester"));
}

#[test]
fn options_are_ones_that_will_work() {
    let member = |change: &dyn Fn(&mut ClientDraft)| match refusal(|draft| change(draft)) {
        RegistrationRefused::Member { member, .. } => member,
        RegistrationRefused::KeysTwice => "twice".to_owned(),
        RegistrationRefused::NoEncryptionKey(member) => member,
        other => panic!("{other}"),
    };
    let set = |keys: serde_json::Value| Some(json!({ "keys": keys }));
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    assert_eq!(member(&|draft| draft.options.jwks = Some(json!({}))), "jwks");
    let private = json!([{ "kty": "OKP", "crv": "Ed25519", "d": "AA", "x": "AA" }]);
    assert_eq!(member(&|draft| draft.options.jwks = set(private.clone())), "jwks");
    for uri in ["http://app.example/jwks", "https://u:p@app.example/", "jwks", "file:///jwks"] {
        assert_eq!(member(&|draft| draft.options.jwks_uri = Some(uri.to_owned())), "jwks_uri");
    }
    assert_eq!(
        member(&|draft| {
            draft.options.jwks = set(json!([rsa]));
            draft.options.jwks_uri = Some("https://app.example/jwks".to_owned());
        }),
        "twice"
    );
    let by_key = |draft: &mut ClientDraft| draft.auth_method = ClientAuthMethod::PrivateKeyJwt;
    assert_eq!(member(&by_key), "token_endpoint_auth_method");
    let signed = |draft: &mut ClientDraft| {
        draft.options.id_token_signed_response_alg = Some(Algorithm::Es384);
    };
    assert_eq!(member(&signed), "id_token_signed_response_alg");
    let how = |draft: &mut ClientDraft, alg, enc| {
        draft.options.id_token_encrypted_response_alg = alg;
        draft.options.id_token_encrypted_response_enc = enc;
    };
    let (alg, enc) = ("id_token_encrypted_response_alg", "id_token_encrypted_response_enc");
    let gcm = Some(ContentEncryption::A256Gcm);
    assert_eq!(member(&|draft| how(draft, None, gcm)), enc);
    assert_eq!(member(&|draft| how(draft, Some(KeyManagement::EcdhEs), None)), enc);
    assert_eq!(member(&|draft| how(draft, Some(KeyManagement::Dir), gcm)), alg);
    assert_eq!(member(&|draft| how(draft, Some(KeyManagement::EcdhEs), gcm)), alg);
}
