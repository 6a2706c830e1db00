//! How bad abuse of sign-in, of grants, and of where tokens are used is.

use token::finding::{Class, Severity};

use super::Judgement;
use crate::detector::SignIn;

/// This part of the table.
pub(super) const fn of(kind: SignIn) -> Judgement {
    match kind {
        SignIn::AssertionReplay => certain(Severity::High, 0.97),
        SignIn::CodeReplay => certain(Severity::Critical, 0.99),
        SignIn::DisabledAccountToken => certain(Severity::Medium, 0.99),
        SignIn::DpopReplay => certain(Severity::Critical, 0.97),
        SignIn::LeakedClient => certain(Severity::Critical, 1.0),
        SignIn::LeakedGrant => certain(Severity::Critical, 1.0),
        SignIn::LeakedToken => certain(Severity::Critical, 1.0),
        SignIn::RotatedSecretSharing => certain(Severity::High, 0.9),
        SignIn::RevokedTokenHammering => certain(Severity::Medium, 0.95),
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
        SignIn::SecretSharing => observed(Severity::High, 0.75),
        SignIn::ImpossibleTravel => observed(Severity::Medium, 0.7),
        SignIn::TokenSharing => observed(Severity::High, 0.8),
        // Some authenticators that are restored from a backup count anew.
        SignIn::CopiedPasskey => observed(Severity::High, 0.7),
        SignIn::NewPlace => observed(Severity::Medium, 0.6),
        SignIn::ConsentPhishing | SignIn::DevicePhishing => observed(Severity::High, 0.75),
        SignIn::PkceFailures | SignIn::RedirectProbing => observed(Severity::Medium, 0.8),
        SignIn::RegistrationSurge => observed(Severity::Medium, 0.7),
        SignIn::ScopeCreep => observed(Severity::Low, 0.6),
    }
}

const fn certain(severity: Severity, confidence: f64) -> Judgement {
    Judgement { class: Class::Certain, severity, confidence }
}

const fn observed(severity: Severity, confidence: f64) -> Judgement {
    Judgement { class: Class::Statistical, severity, confidence }
}
