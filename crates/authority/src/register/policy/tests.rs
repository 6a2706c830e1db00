//! What registration gives, and what it does not.

use token::term::GrantType;

use super::{HostPattern, Policy, PolicyRefused, Registration, check_grant_types};
use crate::register::{ClientDraft, RegistrationRefused};
use crate::tests::support::scopes;

fn draft(redirect_uris: &[&str]) -> ClientDraft {
    ClientDraft {
        name: "App".to_owned(),
        auth_method: token::term::ClientAuthMethod::None,
        grant_types: vec![GrantType::AuthorizationCode],
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        scopes: scopes("openid"),
        default_scopes: scopes("openid"),
        options: Default::default(),
        metadata: "{}".to_owned(),
    }
}

fn limited(hosts: &[&str]) -> Registration {
    let hosts = hosts.iter().map(|host| host.parse().expect("host"));
    Registration {
        redirect_hosts: hosts.collect(),
        ..Registration::new(Policy::Open, scopes("openid"))
    }
}

#[test]
fn people_are_sent_to_the_hosts_that_are_listed() {
    let registration = limited(&["*.example.com", "app.example.org", "localhost"]);
    for uri in [
        "https://a.example.com/cb",
        "https://a.b.example.com:8443/cb",
        "https://app.example.org/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb",
        "com.example.app:/cb",
    ] {
        assert!(registration.check(&draft(&[uri])).is_ok(), "{uri}");
    }
    for uri in [
        "https://example.com/cb",
        "https://evil-example.com/cb",
        "https://a.example.com.evil.example/cb",
        "https://b.app.example.org/cb",
        "https://evil.example/?a.example.com",
        "https://192.0.2.1/cb",
    ] {
        let refused = registration.check(&draft(&["https://a.example.com/cb", uri]));
        let Err(RegistrationRefused::RedirectNotAllowed { uri: named, .. }) = refused else {
            panic!("{uri}: {refused:?}");
        };
        assert_eq!(named, uri);
    }
    assert!(limited(&[]).check(&draft(&["https://anywhere.example/cb"])).is_ok());
    assert!(limited(&["192.0.2.1"]).check(&draft(&["https://192.0.2.1/cb"])).is_ok());
    assert!(limited(&["192.0.2.1"]).check(&draft(&["http://127.0.0.1/cb"])).is_err());
}

#[test]
fn people_are_sent_there_after_signing_out_as_well() {
    let mut draft = draft(&["https://a.example.com/cb"]);
    draft.options.post_logout_redirect_uris = vec!["https://evil.example/".to_owned()];
    let refused = limited(&["*.example.com"]).check(&draft).expect_err("refused");
    assert!(refused.to_string().starts_with("`post_logout_redirect_uris`"), "{refused}");
}

#[test]
fn schemes_of_apps_can_be_switched_off() {
    let registration = Registration { private_use_schemes: false, ..limited(&[]) };
    for uri in ["com.example.app:/cb", "com.example.app://a.example.com/cb"] {
        assert!(registration.check(&draft(&[uri])).is_err(), "{uri}");
    }
    assert!(registration.check(&draft(&["http://127.0.0.1/cb"])).is_ok());
}

#[test]
fn grant_types_and_scopes_are_those_that_are_listed() {
    let mut wanted = draft(&["https://a.example.com/cb"]);
    wanted.grant_types.push(GrantType::ClientCredentials);
    let refused = limited(&[]).check(&wanted);
    assert!(matches!(
        refused,
        Err(RegistrationRefused::GrantTypeNotAllowed(GrantType::ClientCredentials))
    ));
    let by_token = Registration::new(Policy::Token, scopes("openid"));
    assert!(by_token.check(&wanted).is_ok());
    wanted.scopes = scopes("openid email");
    let refused = by_token.check(&wanted);
    assert!(
        matches!(refused, Err(RegistrationRefused::ScopeNotAllowed(scope)) if scope == "email")
    );
}

#[test]
fn a_policy_gives_away_nothing_that_nobody_agreed_to() {
    for policy in [Policy::Token, Policy::Open, Policy::Statement, Policy::Off] {
        let usual = Registration::usual_grant_types(policy);
        assert_eq!(check_grant_types(policy, &usual), Ok(()));
        for grant_type in [GrantType::Ciba, GrantType::JwtBearer, GrantType::TokenExchange] {
            assert!(!usual.contains(&grant_type));
            let refused = check_grant_types(policy, &[grant_type]);
            assert_eq!(refused, Err(PolicyRefused::GrantType(grant_type)));
        }
    }
    let refused = check_grant_types(Policy::Open, &[GrantType::ClientCredentials]);
    assert_eq!(refused, Err(PolicyRefused::OpenCredentials));
}

#[test]
fn a_pattern_is_a_host_and_never_everybody() {
    for text in ["app.example.com", "*.example.com", "localhost", "127.0.0.1", "[2001:db8::1]"] {
        assert_eq!(text.parse::<HostPattern>().expect("host").to_string(), text);
    }
    for text in [
        "",
        "*",
        "*.",
        "*.*.example.com",
        "a.*.example.com",
        "*example.com",
        "https://example.com",
        "example.com/cb",
        "example.com:443",
        "EXAMPLE.com",
        "*.127.0.0.1",
        "bücher.example",
    ] {
        let refused = text.parse::<HostPattern>();
        assert_eq!(refused, Err(PolicyRefused::Host(text.to_owned())), "{text}");
    }
}
