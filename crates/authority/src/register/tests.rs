//! What may be registered, whoever asks.

use token::scope::ScopeSet;
use token::term::{ClientAuthMethod, GrantType};

use super::{ClientDraft, RegistrationRefused, check};
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
        assert!(matches!(refused, RegistrationRefused::Member { member: "client_name", .. }));
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
