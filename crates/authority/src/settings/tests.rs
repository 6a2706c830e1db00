//! Settings are refused before anything starts.

use std::time::Duration;

use super::{ScopeDefinition, SettingsError};
use crate::tests::support::{API, settings};

#[test]
fn the_settings_of_the_tests_are_good() {
    assert_eq!(settings().check(), Ok(()));
}

#[test]
fn an_issuer_is_a_plain_url() {
    for good in [
        "https://id.example",
        "https://id.example:8443",
        "https://id.example/a/b",
        "http://[::1]:1",
    ] {
        let mut settings = settings();
        settings.issuer = good.to_owned();
        assert_eq!(settings.check(), Ok(()), "{good}");
    }
    for bad in [
        "",
        "id.example",
        "https://id.example/",
        "https://id.example/a/",
        "https://ID.example",
        "https://id.example:443",
        "https://id.example?x",
        "https://id.example#x",
        "https://u@id.example",
        "https://u:p@id.example",
        "https://id.example/{a}",
        "https://id.example/a%20b",
        "https://id.example/a/../b",
        "ftp://id.example",
        " https://id.example",
    ] {
        let mut settings = settings();
        settings.issuer = bad.to_owned();
        assert_eq!(settings.check(), Err(SettingsError::IssuerForm(bad.to_owned())), "{bad}");
    }
}

#[test]
fn plain_http_is_for_loopback() {
    let mut settings = settings();
    settings.issuer = "http://id.example".to_owned();
    assert!(matches!(settings.check(), Err(SettingsError::IssuerInsecure(_))));
    settings.issuer = "http://localhost:8080".to_owned();
    assert_eq!(settings.check(), Ok(()));
    assert!(!settings.is_https());
}

#[test]
fn resources_scopes_and_lives_are_checked() {
    let mut wrong = settings();
    wrong.resources.clear();
    assert_eq!(wrong.check(), Err(SettingsError::NoResource));
    let mut wrong = settings();
    wrong.resources.push(super::ResourceDefinition::new("https://api.example/#x"));
    assert!(matches!(wrong.check(), Err(SettingsError::ResourceForm(_))));
    let mut wrong = settings();
    wrong.scopes.push(ScopeDefinition::new("a b", ""));
    assert!(matches!(wrong.check(), Err(SettingsError::ScopeName(_))));
    let mut wrong = settings();
    wrong.scopes.push(ScopeDefinition::new("openid", ""));
    assert!(matches!(wrong.check(), Err(SettingsError::ScopeReserved(_))));
    for (resource, claim, text) in [
        ("https://elsewhere.example", "department", "which is no resource here"),
        (API, "acr", "is a claim of protocols"),
        (API, "a b", "the name of a claim is"),
    ] {
        let mut wrong = settings();
        wrong.scopes.push(ScopeDefinition {
            resources: vec![resource.to_owned()],
            claims: vec![claim.to_owned()],
            ..ScopeDefinition::new("hr", "")
        });
        let words = wrong.check().expect_err("refused").to_string();
        assert!(words.contains("`hr`") && words.contains(text), "{words}");
    }
    let mut wrong = settings();
    wrong.code_life = Duration::from_millis(10);
    assert_eq!(wrong.check(), Err(SettingsError::LifeTooShort("code_life")));
    let mut wrong = settings();
    wrong.password_threads = 0;
    assert_eq!(wrong.check(), Err(SettingsError::NoPasswordThread));
}

#[test]
fn paths_follow_the_issuer() {
    let mut settings = settings();
    assert_eq!(settings.issuer_path(), "");
    settings.issuer = "https://id.example/tenant".to_owned();
    assert_eq!(settings.issuer_path(), "/tenant");
    assert_eq!(settings.url("/token"), "https://id.example/tenant/token");
    assert_eq!(settings.path("/login"), "/tenant/login");
}
