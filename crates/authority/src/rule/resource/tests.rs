//! Whom a token is for: as asked, as its scopes say, and never further.

use token::scope::ScopeSet;

use super::{ResourceRefused, exchanged, narrowed, requested};
use crate::settings::{ResourceDefinition, ScopeDefinition};
use crate::tests::support::{API, settings};

fn audiences(asked: &[&str], scopes: &str) -> Result<Vec<String>, ResourceRefused> {
    let mut settings = settings();
    settings.admin_resource = "https://id.example".to_owned();
    settings.resources =
        ["https://api.example", "https://files.example/v1"].map(ResourceDefinition::new).into();
    requested(asked.iter().copied(), &ScopeSet::parse(scopes).expect("scopes"), &settings)
}

#[test]
fn the_resources_asked_for_are_the_audience() {
    let named = audiences(&["https://files.example/v1", "https://id.example"], "a");
    assert_eq!(named, Ok(vec!["https://files.example/v1".into(), "https://id.example".into()]));
    // As URL parsers print an origin: the same resource, under its configured name.
    assert_eq!(audiences(&["https://api.example/"], "a"), Ok(vec!["https://api.example".into()]));
    assert_eq!(
        audiences(&["https://api.example", "https://api.example"], "a").map(|all| all.len()),
        Ok(1)
    );
}

#[test]
fn unknown_or_malformed_resources_are_refused() {
    for text in ["https://api.example.evil", "https://api.example/x", "http://api.example"] {
        assert_eq!(audiences(&[text], "a"), Err(ResourceRefused::Unknown(text.to_owned())));
    }
    for text in ["api", "/api", "https://api.example/#x", "https://api.example#"] {
        assert_eq!(audiences(&[text], "a"), Err(ResourceRefused::Form), "{text}");
    }
    assert_eq!(audiences(&["https://api.example"; 9], "a"), Err(ResourceRefused::TooMany));
}

#[test]
fn without_a_resource_the_scopes_decide() {
    let api = || "https://api.example".to_owned();
    let admin = || "https://id.example".to_owned();
    assert_eq!(audiences(&[], "orders:read"), Ok(vec![api()]));
    assert_eq!(audiences(&[], "openid"), Ok(vec![api()]));
    assert_eq!(audiences(&[], ""), Ok(vec![api()]));
    assert_eq!(audiences(&[], "tokenward:admin"), Ok(vec![admin()]));
    assert_eq!(audiences(&[], "orders:read tokenward:read"), Ok(vec![api(), admin()]));
}

#[test]
fn a_traded_token_goes_where_it_could_or_its_client_may() {
    let settings = settings();
    let (own, further) = ([API.to_owned()], ["http://127.0.0.1:9000", "https://gone.example"]);
    let trade = |asked: &[&str], further: &[&str]| {
        let further: Vec<String> = further.iter().map(|one| (*one).to_owned()).collect();
        exchanged(asked.iter().copied(), &own, &further, &settings)
    };
    assert_eq!(trade(&[], &further), Ok(own.to_vec()));
    assert_eq!(trade(&[API], &[]), Ok(own.to_vec()));
    assert_eq!(trade(&[further[0]], &further), Ok(vec![further[0].to_owned()]));
    let refused = |name: &str| Err(ResourceRefused::NotExchangeable(name.to_owned()));
    assert_eq!(trade(&[further[0]], &[]), refused(further[0]));
    assert_eq!(trade(&[API, further[0]], &[]), refused(further[0]));
    assert_eq!(trade(&[further[1]], &further), refused(further[1]));
}

#[test]
fn a_scope_brings_the_resources_that_it_belongs_to() {
    const FILES: &str = "http://127.0.0.1:9000";
    let mut settings = settings();
    let own = |name: &str, resources: &[&str]| ScopeDefinition {
        resources: resources.iter().map(|one| (*one).to_owned()).collect(),
        ..ScopeDefinition::new(name, "")
    };
    settings.scopes = vec![own("files", &[FILES]), own("both", &[FILES, API]), own("any", &[])];
    let audiences = |scopes: &str| {
        let scopes = ScopeSet::parse(scopes).expect("scopes");
        requested([].into_iter(), &scopes, &settings).expect("audiences")
    };
    assert_eq!(audiences("files"), [FILES]);
    assert_eq!(audiences("both"), [API, FILES]);
    assert_eq!(audiences("any files"), [API, FILES]);
    // Who somebody is, is asked at UserInfo.
    assert_eq!(audiences("files openid email offline_access"), [FILES]);
    assert_eq!(audiences("openid"), [API]);
    assert_eq!(audiences("any"), [API]);
}

#[test]
fn a_token_request_can_only_narrow() {
    let granted = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
    assert_eq!(narrowed([].into_iter(), &granted), Ok(granted.clone()));
    let one = narrowed(["https://b.example"].into_iter(), &granted);
    assert_eq!(one, Ok(vec!["https://b.example".to_owned()]));
    let refused = narrowed(["https://c.example"].into_iter(), &granted);
    assert_eq!(refused, Err(ResourceRefused::NotGranted("https://c.example".to_owned())));
}
