//! Every refusal on the wire.

use std::sync::Arc;

use http::HeaderValue;
use http::header::{ALLOW, CONNECTION, WWW_AUTHENTICATE};
use inspect::{Class, Excess, Finding, Place};
use token::dpop::ProofRefused;
use token::reason::{Forgery, Reason, Refused};
use token::time::Timestamp;
use token::validate::{Claimed, TokenRefused};

use super::{Fault, Refusal};
use crate::framing::BadFraming;
use crate::request_id::RequestId;
use crate::resource::Resource;
use crate::target::BadTarget;
use crate::tests::support_settings;

fn proof(refused: ProofRefused) -> Fault {
    Fault::Proof { refused: Box::new(refused), nonce: None }
}

fn faults() -> Vec<(Fault, &'static str)> {
    let forged = TokenRefused {
        refused: Refused::Forged(Forgery::AlgNone),
        detail: "the token is not signed",
        claimed: Claimed::default(),
        missed: None,
    };
    let place = Place::Query("q".to_owned());
    let finding = Finding { class: Class::Sql, place, rule: "tautology" };
    vec![
        (Fault::Audience, "401 invalid_token wrong_audience"),
        (Fault::Credential, "400 invalid_request malformed"),
        (Fault::Expired, "401 invalid_token expired"),
        (Fault::Framing(BadFraming::Length), "400 invalid_request malformed"),
        (Fault::Honeytoken, "401 invalid_token honeytoken"),
        (
            Fault::Method { allow: HeaderValue::from_static("GET") },
            "405 method_not_allowed unknown_route",
        ),
        (Fault::ContentEncoding, "415 unsupported_media_type malformed"),
        (Fault::Injection(finding), "403 access_denied injection:sqli"),
        (Fault::InspectionExcess(Excess::Depth), "413 content_too_large too_large"),
        (Fault::MediaType, "415 unsupported_media_type schema"),
        (Fault::Network, "403 access_denied blocked"),
        (Fault::NoToken { scope: None }, "401 unauthenticated no_token"),
        (Fault::QueryToken, "400 invalid_request malformed"),
        (Fault::RequestBody, "400 invalid_request malformed"),
        (Fault::Revoked, "401 invalid_token revoked"),
        (Fault::Suspended, "401 invalid_token blocked"),
        (Fault::Target(BadTarget::DotSegment), "400 invalid_request malformed"),
        (Fault::Target(BadTarget::TooLong), "414 invalid_request too_large"),
        (Fault::Token(Arc::new(forged)), "401 invalid_token forged:alg_none"),
        (Fault::TwoTokens, "400 invalid_request two_tokens"),
        (Fault::Unbound(Reason::DpopMissing), "401 invalid_token dpop:missing"),
        (Fault::Unbound(Reason::MtlsMissing), "401 invalid_token mtls:missing"),
        (Fault::NotBound, "401 invalid_token dpop:mismatch"),
        (Fault::NoProof, "401 invalid_dpop_proof dpop:missing"),
        (Fault::TwoProofs, "401 invalid_dpop_proof dpop:mismatch"),
        (proof(ProofRefused::Replayed), "401 invalid_dpop_proof dpop:replayed"),
        (proof(ProofRefused::Nonce), "401 use_dpop_nonce dpop:missing"),
        (Fault::PathVariant, "404 not_found unknown_route"),
        (Fault::UnknownRoute, "404 not_found unknown_route"),
    ]
}

#[test]
fn status_error_and_reason() {
    let settings = support_settings();
    let resource = Resource::new(&settings, std::iter::empty()).expect("resource");
    let id = RequestId::new(Timestamp::from_secs(1_790_000_000));
    for (fault, expected) in faults() {
        let refusal = Refusal::from(fault);
        let answer = refusal.answer(&resource, &id);
        let body: serde_json::Value = serde_json::from_str(answer.body()).expect("json");
        let error = body["error"].as_str().expect("error");
        let status = answer.status();
        let got = format!("{} {error} {}", status.as_u16(), refusal.fault().refused());
        assert_eq!(got, expected);
        assert_eq!(body["request_id"], id.as_str());
        assert_eq!(body["detail"], body["error_description"]);
        // RFC 6750 §3.1: a challenge with every 401; an error only if a token came.
        let challenge = answer.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str());
        assert_eq!(challenge.is_some(), status == 401, "{expected}");
        if let Some(challenge) = challenge {
            let challenge = challenge.expect("text");
            assert!(challenge.starts_with("Bearer resource_metadata=\""));
            assert_eq!(challenge.contains("error="), error != "unauthenticated", "{challenge}");
            assert!(!challenge.contains('\\') && challenge.matches('"').count() % 2 == 0);
        }
        assert_eq!(answer.headers().contains_key(ALLOW), status == 405);
        assert!(
            !answer.headers().contains_key(CONNECTION)
                || matches!(status.as_u16(), 400 | 413 | 415)
        );
    }
}
