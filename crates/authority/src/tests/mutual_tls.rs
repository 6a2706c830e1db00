//! Clients with certificates, and tokens that are bound to them (RFC 8705).

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use serde_json::{Value, json};
use store::{CertificateSubject, Client, ClientOptions};
use token::client_certificate::ClientCertificate;
use token::term::ClientAuthMethod;

use super::support::{Answer, Harness, claims, settings};
use crate::Settings;
use crate::register::{ClientDraft, RegistrationRefused, check};

fn certificate() -> ClientCertificate {
    let mut params = CertificateParams::new(vec!["svc.example".to_owned()]).expect("params");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Acme, Inc");
    params.distinguished_name.push(DnType::CommonName, "svc");
    let name = |text: &str| text.try_into().expect("name");
    params.subject_alt_names.extend([
        SanType::URI(name("spiffe://acme/svc")),
        SanType::Rfc822Name(name("svc@acme.example")),
        SanType::IpAddress("192.0.2.9".parse().expect("address")),
    ]);
    // The clock of the tests stands still in 2026.
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let key = KeyPair::generate().expect("key");
    ClientCertificate::new(params.self_signed(&key).expect("certificate").der())
}

async fn harness(method: ClientAuthMethod, options: ClientOptions) -> Harness {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let client = Client { auth_method: method, secret_hash: None, options, ..(*client).clone() };
    harness.store.update_client(&client).await.expect("client");
    harness
}

async fn send(
    harness: &Harness,
    path: &str,
    certificate: Option<&ClientCertificate>,
    form: &str,
) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    let mut request = request.expect("request");
    if let Some(certificate) = certificate {
        request.extensions_mut().insert(certificate.clone());
    }
    harness.send(request).await
}

const MACHINE: &str = "grant_type=client_credentials&client_id=conf";

fn by(change: impl FnOnce(&mut CertificateSubject)) -> ClientOptions {
    let mut options = ClientOptions::default();
    change(&mut options.tls_client_auth);
    options
}

#[tokio::test]
async fn a_client_is_known_by_the_name_in_its_certificate() {
    let certificate = certificate();
    let text = |text: &str| Some(text.to_owned());
    for (good, bad) in [
        (
            by(|s| s.tls_client_auth_subject_dn = text("cn=svc, o=Acme\\, Inc")),
            by(|s| s.tls_client_auth_subject_dn = text("CN=svc")),
        ),
        (
            by(|s| s.tls_client_auth_san_dns = text("SVC.example")),
            by(|s| s.tls_client_auth_san_dns = text("evil-svc.example")),
        ),
        (
            by(|s| s.tls_client_auth_san_uri = text("spiffe://acme/svc")),
            by(|s| s.tls_client_auth_san_uri = text("spiffe://acme/")),
        ),
        (
            by(|s| s.tls_client_auth_san_email = text("svc@acme.example")),
            by(|s| s.tls_client_auth_san_email = text("acme.example")),
        ),
        (
            by(|s| s.tls_client_auth_san_ip = text("192.0.2.9")),
            by(|s| s.tls_client_auth_san_ip = text("192.0.2.90")),
        ),
    ] {
        let known = harness(ClientAuthMethod::TlsClientAuth, good).await;
        let answer = send(&known, "/token", Some(&certificate), MACHINE).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let event = known.events.last("client_auth");
        assert_eq!((&event["method"], &event["result"]), (&"tls_client_auth".into(), &"ok".into()));
        send(&known, "/token", None, MACHINE).await.assert_refused(401, "invalid_client");
        let unknown = harness(ClientAuthMethod::TlsClientAuth, bad).await;
        let answer = send(&unknown, "/token", Some(&certificate), MACHINE).await;
        answer.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn a_certificate_of_the_clients_own_is_known_byte_by_byte() {
    let (own, other) = (certificate(), certificate());
    let jwks = json!({ "keys": [{ "kty": "EC", "x5c": [STANDARD.encode(own.der())] }] });
    let options = ClientOptions { jwks: Some(jwks), ..ClientOptions::default() };
    let harness = harness(ClientAuthMethod::SelfSignedTlsClientAuth, options).await;
    assert_eq!(send(&harness, "/token", Some(&own), MACHINE).await.status, 200);
    for shown in [Some(&other), None] {
        send(&harness, "/token", shown, MACHINE).await.assert_refused(401, "invalid_client");
    }
    let secret = format!("{MACHINE}&client_secret=x");
    let answer = send(&harness, "/token", Some(&own), &secret).await;
    answer.assert_refused(401, "invalid_client");
    // A year later it has ended.
    harness.clock.pass(366 * 24 * 3600);
    send(&harness, "/token", Some(&own), MACHINE).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn a_bound_token_needs_its_certificate() {
    let (own, other) = (certificate(), certificate());
    let options = ClientOptions {
        tls_client_certificate_bound_access_tokens: true,
        ..by(|s| s.tls_client_auth_san_dns = Some("svc.example".to_owned()))
    };
    let harness = harness(ClientAuthMethod::TlsClientAuth, options).await;
    let code = harness.code(&harness.confidential, "openid").await;
    let form = format!(
        "grant_type=authorization_code&client_id=conf&code={}&redirect_uri={}&code_verifier={}",
        code.expose(),
        "https%3A%2F%2Fapp.example%2Fcallback",
        super::support::VERIFIER,
    );
    let body = send(&harness, "/token", Some(&own), &form).await;
    assert_eq!((body.status, body.member("token_type").as_str()), (200, "Bearer"));
    // RFC 8705 §3.1.
    let token = body.member("access_token");
    let cnf: Value = claims(&token)["cnf"].clone();
    assert_eq!(cnf, json!({ "x5t#S256": own.thumbprint() }));
    let userinfo = async |shown: Option<&ClientCertificate>| {
        let request = Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
        let mut request = request.body(Body::empty()).expect("request");
        if let Some(certificate) = shown {
            request.extensions_mut().insert(certificate.clone());
        }
        harness.send(request).await
    };
    assert_eq!(userinfo(Some(&own)).await.status, 200);
    for shown in [Some(&other), None] {
        userinfo(shown).await.assert_refused(401, "invalid_token");
    }
    // §3.2, and every later token of the grant is bound as well.
    let form = format!("token={token}&client_id=conf");
    let told = send(&harness, "/introspect", Some(&own), &form).await.json();
    assert_eq!((&told["cnf"], &told["token_type"]), (&cnf, &"Bearer".into()));
    let form = format!(
        "grant_type=refresh_token&client_id=conf&refresh_token={}",
        body.member("refresh_token")
    );
    let refreshed = send(&harness, "/token", Some(&own), &form).await;
    assert_eq!(claims(&refreshed.member("access_token"))["cnf"], cnf);
}

#[test]
fn registration_is_for_certificates_that_can_work() {
    let draft = |method, options| ClientDraft {
        name: "Service".to_owned(),
        auth_method: method,
        grant_types: vec![token::term::GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        scopes: Default::default(),
        default_scopes: Default::default(),
        options,
        metadata: "{}".to_owned(),
    };
    let member = |draft: &ClientDraft, settings: &Settings| match check(draft, settings) {
        Err(RegistrationRefused::Member { member, .. }) => member,
        other => panic!("{other:?}"),
    };
    let method = ClientAuthMethod::TlsClientAuth;
    let good = || by(|s| s.tls_client_auth_san_dns = Some("svc.example".to_owned()));
    assert!(check(&draft(method, good()), &settings()).is_ok());
    let off = Settings { mutual_tls: false, ..settings() };
    assert_eq!(member(&draft(method, good()), &off), "token_endpoint_auth_method");
    let bound = ClientOptions {
        tls_client_certificate_bound_access_tokens: true,
        ..ClientOptions::default()
    };
    let basic = ClientAuthMethod::ClientSecretBasic;
    let expected = "tls_client_certificate_bound_access_tokens";
    assert_eq!(member(&draft(basic, bound), &off), expected);
    let two = by(|s| {
        s.tls_client_auth_san_dns = Some("a.example".to_owned());
        s.tls_client_auth_san_uri = Some("urn:a".to_owned());
    });
    for options in [ClientOptions::default(), two] {
        assert_eq!(member(&draft(method, options), &settings()), "token_endpoint_auth_method");
    }
    let own = ClientAuthMethod::SelfSignedTlsClientAuth;
    let plain = ClientOptions { jwks: Some(json!({ "keys": [] })), ..ClientOptions::default() };
    assert_eq!(member(&draft(own, plain), &settings()), "token_endpoint_auth_method");
    let name = by(|s| s.tls_client_auth_subject_dn = Some("no name".to_owned()));
    assert_eq!(member(&draft(method, name), &settings()), "tls_client_auth_subject_dn");
    let ip = by(|s| s.tls_client_auth_san_ip = Some("a.example".to_owned()));
    assert_eq!(member(&draft(method, ip), &settings()), "tls_client_auth_san_ip");
}
