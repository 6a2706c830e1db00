//! What is done about abuse of sign-in, of grants, and of where tokens are used.

use token::finding::{Class, Response, Severity, Target};

use crate::detector::SignIn;
use crate::policy::Rule;

/// This part of the table. What is statistical is only remembered until somebody decides otherwise.
pub(super) const fn rule(kind: SignIn) -> Rule {
    match kind {
        SignIn::AssertionReplay => certain(Severity::High, 0.97, Response::Tag),
        SignIn::CodeReplay => certain(Severity::Critical, 0.99, Response::Revoke(Target::Grant)),
        SignIn::DisabledAccountToken => certain(Severity::Medium, 0.99, Response::Tag),
        SignIn::DpopReplay => certain(Severity::Critical, 0.97, Response::Revoke(Target::Token)),
        SignIn::LeakedClient => certain(Severity::Critical, 1.0, Response::Block(Target::Client)),
        SignIn::LeakedGrant => certain(Severity::Critical, 1.0, Response::Revoke(Target::Grant)),
        SignIn::LeakedToken => certain(Severity::Critical, 1.0, Response::Revoke(Target::Token)),
        SignIn::RevokedTokenHammering => certain(Severity::Medium, 0.95, Response::Tag),
        // A client of one's own that sends things twice looks the same.
        SignIn::AssertionRepeated | SignIn::DpopTrouble => observed(Severity::Low, 0.5),
        SignIn::CredentialStuffing | SignIn::PasswordSpraying => observed(Severity::High, 0.9),
        SignIn::CredentialStuffingCampaign => observed(Severity::High, 0.8),
        SignIn::CredentialStuffingTaken
        | SignIn::MfaFatigueTaken
        | SignIn::PasswordGuessingTaken
        | SignIn::PasswordSprayingTaken => observed(Severity::Critical, 0.85),
        SignIn::ClientSecretGuessing | SignIn::PasswordGuessing => observed(Severity::Medium, 0.8),
        SignIn::ClientSecretGuessingTaken => observed(Severity::Critical, 0.8),
        SignIn::DeviceCodeGuessing | SignIn::MfaFatigue => observed(Severity::High, 0.8),
        SignIn::ImpossibleTravel => observed(Severity::Medium, 0.7),
        SignIn::TokenSharing => observed(Severity::High, 0.8),
        SignIn::NewPlace => observed(Severity::Medium, 0.6),
        SignIn::ConsentPhishing | SignIn::DevicePhishing => observed(Severity::High, 0.75),
        SignIn::PkceFailures | SignIn::RedirectProbing => observed(Severity::Medium, 0.8),
        SignIn::RegistrationSurge => observed(Severity::Medium, 0.7),
        SignIn::ScopeCreep => observed(Severity::Low, 0.6),
    }
}

const fn certain(severity: Severity, confidence: f64, response: Response) -> Rule {
    Rule { class: Class::Certain, severity, confidence, response, lasts: None }
}

const fn observed(severity: Severity, confidence: f64) -> Rule {
    Rule { class: Class::Statistical, severity, confidence, response: Response::Tag, lasts: None }
}
