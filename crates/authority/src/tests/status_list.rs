//! Token Status Lists (draft-ietf-oauth-status-list-21): whoever looks learns at once what was taken back.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use flate2::read::GzDecoder;
use http::Request;
use serde_json::Value;
use store::{IssuedToken, NewRestriction, StatusPlace};
use token::claims::AccessTokenClaims;
use token::encryption_key::DecryptionKey;
use token::id::TokenId;
use token::jwe::Jwe;
use token::restriction::{Effect, Selector};
use token::status_list::{Status, StatusClaim, StatusList, StatusListToken, StatusReference};
use token::term::{Algorithm, KeyManagement};
use token::verify::{Policy, verify};

use super::support::{API, Answer, Harness, ISSUER, claims, settings};
use crate::keys::Rotation;
use crate::settings::{ResourceDefinition, Settings};
use crate::status_lists::published;

const PLAIN: &str = "https://plain.example";

/// An authority that publishes the status of tokens for [`API`] alone.
async fn harness() -> Harness {
    let listed = ResourceDefinition { status_list: true, ..ResourceDefinition::new(API) };
    let resources = vec![listed, ResourceDefinition::new(PLAIN)];
    Harness::with(Settings { resources, ..settings() }).await
}

async fn ask(harness: &Harness, resource: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", resource)];
    harness.post("/token", &harness.confidential, &form).await.member("access_token")
}

/// A good token with a place, which the store has never heard of.
fn unrecorded(harness: &Harness) -> String {
    let (authority, now) = (&harness.authority, harness.now());
    let place = authority.status_lists().take(now).expect("place");
    let reference = StatusReference { idx: place.idx, uri: published::uri(authority, &place.list) };
    let claims = AccessTokenClaims {
        iss: ISSUER.to_owned(),
        sub: "conf".into(),
        aud: vec![API.to_owned()].into(),
        exp: now.as_secs() + 600,
        iat: now.as_secs(),
        nbf: None,
        jti: TokenId::generate(now, authority.random()),
        client_id: "conf".into(),
        scope: Default::default(),
        auth_time: None,
        acr: None,
        sid: None,
        cnf: None,
        act: None,
        may_act: None,
        authorization_details: Vec::new(),
        status: Some(Box::new(StatusClaim { status_list: Some(reference) })),
        grant_id: None,
    };
    claims.sign(&authority.keys().active()).expect("token")
}

/// Where a token's status stands.
fn place(token: &str) -> (String, u64) {
    let status = claims(token)["status"]["status_list"].clone();
    let uri = status["uri"].as_str().unwrap_or_else(|| panic!("no place: {status}"));
    (uri.to_owned(), status["idx"].as_u64().expect("idx"))
}

async fn fetch(harness: &Harness, uri: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(uri.strip_prefix(ISSUER).expect("ours"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    harness.send(request.body(Body::empty()).expect("request")).await
}

fn believed(harness: &Harness, uri: &str, text: &str) -> StatusListToken {
    let keys = harness.authority.keys().keyring().current();
    let policy = Policy::new(ISSUER, "").subject(uri);
    let verified = verify::<StatusListToken>(text, &keys, &policy, harness.now());
    verified.unwrap_or_else(|refusal| panic!("{refusal}: {text}")).claims().clone()
}

/// What somebody elsewhere learns about a token.
async fn status(harness: &Harness, token: &str) -> Status {
    let (uri, idx) = place(token);
    let answer = fetch(harness, &uri, &[("accept", "application/statuslist+jwt")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let list = believed(harness, &uri, &answer.text).status_list;
    assert_eq!(list.bits, 2);
    StatusList::unpack(&list).expect("list").status(idx).expect("in the list")
}

async fn restrict(harness: &Harness, selector: Selector, effect: Effect, secs: Option<u64>) -> u64 {
    let now = harness.now();
    let new = NewRestriction {
        selector,
        effect,
        from: now,
        until: secs.map(|secs| now.plus(Duration::from_secs(secs))),
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(new, now).await.expect("restriction").seq
}

#[tokio::test]
async fn what_is_taken_back_is_in_the_next_list_that_is_fetched() {
    let harness = harness().await;
    let (token, other) = (ask(&harness, API).await, ask(&harness, API).await);
    assert_eq!(place(&token).0, place(&other).0);
    assert_ne!(place(&token).1, place(&other).1);
    assert_eq!(status(&harness, &token).await, Status::Valid);
    let revoked = harness.post("/revoke", &harness.confidential, &[("token", &token)]).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(status(&harness, &token).await, Status::Invalid);
    assert_eq!(status(&harness, &other).await, Status::Valid);
    // A token of a resource that did not ask for it says nothing.
    assert_eq!(claims(&ask(&harness, PLAIN).await)["status"], Value::Null);
    let both = [("grant_type", "client_credentials"), ("resource", API), ("resource", PLAIN)];
    let both = harness.post("/token", &harness.confidential, &both).await;
    assert_eq!(status(&harness, &both.member("access_token")).await, Status::Valid);
}

#[tokio::test]
async fn every_selector_counts_and_a_suspension_is_not_for_ever() {
    let harness = harness().await;
    let signed_in = harness.signed_in(&harness.confidential, "openid orders:read").await;
    let token = signed_in["access_token"].as_str().expect("token").to_owned();
    let found = claims(&token);
    let text = |name: &str| found[name].as_str().expect("text").to_owned();
    for selector in [
        Selector::Token(text("jti").into()),
        Selector::Grant(text("grant_id").into()),
        Selector::Session(text("sid").into()),
        Selector::Subject(text("sub").into()),
        Selector::Client(text("client_id").into()),
        Selector::Key(harness.authority.keys().active().public().kid().clone()),
        Selector::Issuer,
    ] {
        let seq = restrict(&harness, selector.clone(), Effect::Suspend, None).await;
        assert_eq!(status(&harness, &token).await, Status::Suspended, "{selector}");
        harness.store.lift(seq, "admin:test", harness.now()).await.expect("lift");
        assert_eq!(status(&harness, &token).await, Status::Valid, "{selector}");
    }
    // The log does not move when one ends by itself.
    restrict(&harness, Selector::Subject(text("sub").into()), Effect::Suspend, Some(30)).await;
    assert_eq!(status(&harness, &token).await, Status::Suspended);
    harness.clock.pass(30);
    assert_eq!(status(&harness, &token).await, Status::Valid);
    // Revoked stays revoked, whatever stands beside it.
    restrict(&harness, Selector::Grant(text("grant_id").into()), Effect::Revoke, None).await;
    restrict(&harness, Selector::Subject(text("sub").into()), Effect::Suspend, None).await;
    assert_eq!(status(&harness, &token).await, Status::Invalid);
}

#[tokio::test]
async fn a_record_that_comes_late_brings_its_restriction() {
    let harness = harness().await;
    let (uri, idx) = place(&ask(&harness, API).await);
    let list: String = uri.rsplit('/').next().expect("list").to_owned();
    restrict(&harness, Selector::Grant("g-1".into()), Effect::Revoke, None).await;
    let before = fetch(&harness, &uri, &[]).await;
    let late = IssuedToken {
        token: "t-late".into(),
        kind: "access".into(),
        subject: "s".into(),
        client: "c".into(),
        grant: Some("g-1".into()),
        session: None,
        scopes: Default::default(),
        audiences: Vec::new(),
        issued_at: harness.now(),
        expires_at: harness.now().plus(Duration::from_secs(600)),
        key: "k".into(),
        status: Some(StatusPlace { list: list.into(), idx: (idx + 1) % 65_536 }),
    };
    harness.store.record_token(late);
    harness.store.set_meta("behind it", "1").await.expect("store");
    let after = fetch(&harness, &uri, &[]).await;
    assert_ne!(before.text, after.text);
    let list = StatusList::unpack(&believed(&harness, &uri, &after.text).status_list);
    assert_eq!(list.expect("list").status((idx + 1) % 65_536), Some(Status::Invalid));
}

#[tokio::test]
async fn a_token_without_a_record_is_valid_until_it_is_shown_and_revoked() {
    let harness = harness().await;
    // As if the disk had refused it: never given to the store.
    let issued = unrecorded(&harness);
    assert_eq!(status(&harness, &issued).await, Status::Valid);
    // Not known to be the subject's: never wrongly revoked.
    let subject = claims(&issued)["sub"].as_str().expect("sub").to_owned();
    restrict(&harness, Selector::Subject(subject.as_str().into()), Effect::Suspend, Some(5)).await;
    assert_eq!(status(&harness, &issued).await, Status::Valid);
    harness.clock.pass(5);
    let revoked = harness.post("/revoke", &harness.confidential, &[("token", &issued)]).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(status(&harness, &issued).await, Status::Invalid);
}

#[tokio::test]
async fn without_a_place_there_is_no_token_until_there_is_one_again() {
    let harness = harness().await;
    // Nothing is awaited between these, so the next list cannot be written.
    while harness.authority.status_lists().take(harness.now()).is_ok() {}
    let form = [("grant_type", "client_credentials"), ("resource", API)];
    let refused = harness.post("/token", &harness.confidential, &form).await;
    refused.assert_refused(503, "temporarily_unavailable");
    let plain = [("grant_type", "client_credentials"), ("resource", PLAIN)];
    assert_eq!(harness.post("/token", &harness.confidential, &plain).await.status, 200);
    for _ in 0..1000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if harness.authority.status_lists().take(harness.now()).is_ok() {
            break;
        }
    }
    assert_eq!(harness.post("/token", &harness.confidential, &form).await.status, 200);
}

#[tokio::test]
async fn the_answer_is_what_the_specification_says() {
    let harness = harness().await;
    let (uri, _) = place(&ask(&harness, API).await);
    let answer = fetch(&harness, &uri, &[("origin", "https://elsewhere.example")]).await;
    // §8.1, §8.2.
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/statuslist+jwt"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "public, no-cache");
    assert_eq!(answer.header("vary"), "Accept, Accept-Encoding");
    let claims = believed(&harness, &uri, &answer.text);
    // §5.1.
    let now = harness.now().as_secs();
    assert_eq!((claims.iat, claims.exp, claims.ttl), (now, Some(now + 600), Some(10)));
    assert_eq!((claims.sub.as_str(), claims.iss.as_deref()), (uri.as_str(), Some(ISSUER)));
    for accept in [
        "application/*",
        "*/*",
        "text/html, application/statuslist+jwt;q=0.1",
        "application/statuslist+cwt, Application/StatusList+JWT",
    ] {
        assert_eq!(fetch(&harness, &uri, &[("accept", accept)]).await.status, 200, "{accept}");
    }
    for accept in [
        "application/statuslist+cwt",
        "application/json",
        "*/*;q=0",
        "application/statuslist+jwt;q=0, */*",
        "",
    ] {
        let refused = fetch(&harness, &uri, &[("accept", accept)]).await;
        refused.assert_refused(406, "invalid_request");
    }
    // §8.4.
    let past = fetch(&harness, &format!("{uri}?time=1686925000"), &[]).await;
    past.assert_refused(501, "invalid_request");
    for path in ["/status/nobody", "/status/..%2f..%2fetc", "/status/%00", "/status/'%20OR%201=1"] {
        harness.get(path).await.assert_refused(404, "invalid_request");
    }
    assert_eq!(harness.get("/status/a/b").await.status, 404);
}

#[tokio::test]
async fn ready_bytes_are_used_again_and_never_too_long() {
    let harness = harness().await;
    let (uri, _) = place(&ask(&harness, API).await);
    let first = fetch(&harness, &uri, &[]).await;
    let etag = first.header("etag").to_owned();
    harness.clock.pass(59);
    assert_eq!(fetch(&harness, &uri, &[]).await.text, first.text);
    let again = fetch(&harness, &uri, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", &*etag));
    let packed = fetch(&harness, &uri, &[("accept-encoding", "br, gzip;q=0.5")]).await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"));
    let id = published::named(&harness.authority, &uri).expect("ours");
    let lists = harness.authority.status_lists().published();
    let ready = lists.list(&harness.authority, &id, harness.now()).await.expect("list");
    let mut unpacked = String::new();
    let gzip = ready.expect("list").gzip.clone();
    GzDecoder::new(&*gzip).read_to_string(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, first.text);
    let plain = fetch(&harness, &uri, &[("accept-encoding", "gzip;q=0")]).await;
    assert_eq!(plain.header("content-encoding"), "");
    harness.clock.pass(1);
    let newer = fetch(&harness, &uri, &[("if-none-match", &etag)]).await;
    assert_eq!(newer.status, 200, "signed anew");
    // A revocation makes a new one at once, for caches too.
    restrict(&harness, Selector::Issuer, Effect::Revoke, None).await;
    let etag = newer.header("etag").to_owned();
    assert_eq!(fetch(&harness, &uri, &[("if-none-match", &etag)]).await.status, 200);
    // A key that is gone signs no list that is still given out.
    let now = harness.now();
    harness.authority.keys().rotate(Rotation::Compromised, now).await.expect("rotated");
    believed(&harness, &uri, &fetch(&harness, &uri, &[]).await.text);
}

#[tokio::test]
async fn lists_are_found_and_forgotten_after_their_last_token() {
    let harness = harness().await;
    let metadata = harness.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["status_list_aggregation_endpoint"], format!("{ISSUER}/status"));
    let token = ask(&harness, API).await;
    let (uri, _) = place(&token);
    let all = harness.get("/status").await;
    assert_eq!((all.header("content-type"), all.status), ("application/json", 200));
    assert_eq!(all.json(), serde_json::json!({ "status_lists": [uri] }));

    let harness = harness.restart().await;
    assert_eq!(status(&harness, &token).await, Status::Valid);
    let next = ask(&harness, API).await;
    assert_ne!(place(&next).0, uri, "a list of this run");
    assert_eq!(
        harness.get("/status").await.json()["status_lists"].as_array().map(Vec::len),
        Some(2)
    );
    harness.clock.pass(899);
    harness.store.forget(harness.now()).await.expect("forgotten");
    assert_eq!(fetch(&harness, &uri, &[]).await.status, 200);
    harness.clock.pass(61);
    harness.store.forget(harness.now()).await.expect("forgotten");
    fetch(&harness, &uri, &[]).await.assert_refused(404, "invalid_request");
    assert_eq!(fetch(&harness, &place(&next).0, &[]).await.status, 200, "still open");
}

#[tokio::test]
async fn nobody_is_told_of_lists_that_nobody_asked_for() {
    let harness = Harness::new().await;
    let metadata = harness.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["status_list_aggregation_endpoint"], Value::Null);
    assert_eq!(harness.get("/status").await.json(), serde_json::json!({ "status_lists": [] }));
    assert_eq!(claims(&ask(&harness, API).await)["status"], Value::Null);
}

#[tokio::test]
async fn an_encrypted_token_has_its_place_inside() {
    let key = DecryptionKey::generate(KeyManagement::EcdhEsA256Kw).expect("key");
    let sealed = ResourceDefinition {
        encrypt_to: key.public().map(Arc::new),
        signing_alg: Some(Algorithm::Ed25519),
        status_list: true,
        ..ResourceDefinition::new(API)
    };
    let signing_algs = vec![Algorithm::Es256, Algorithm::Ed25519];
    let harness =
        Harness::with(Settings { resources: vec![sealed], signing_algs, ..settings() }).await;
    let token = ask(&harness, API).await;
    let opened = Jwe::parse(&token).expect("JWE").decrypt(&key).expect("opened");
    let inside = str::from_utf8(&opened.content).expect("text").to_owned();
    assert_eq!(status(&harness, &inside).await, Status::Valid);
    let revoked = harness.post("/revoke", &harness.confidential, &[("token", &inside)]).await;
    assert_eq!((revoked.status, status(&harness, &inside).await), (200, Status::Invalid));
}
