//! Abuse of sign-in, of grants, and of where tokens are used: one file for each detector.

use crate::detector::Look;

mod assertion_replay;
mod away;
mod client_key;
mod client_secret_guessing;
mod code_replay;
mod consent_phishing;
mod copied_passkey;
mod countries;
mod credential_stuffing;
mod device_code_guessing;
mod device_phishing;
mod disabled_account_token;
mod disguise;
mod dpop_replay;
mod drained_client;
mod gateway;
mod group;
mod impossible_travel;
mod introspection_guessing;
mod issued;
mod known;
mod leak_report;
mod mfa_fatigue;
mod mixed_software;
mod names;
mod new_place;
mod password_guessing;
mod pkce_failures;
mod place;
mod records;
mod recovery;
mod redirect_probing;
mod registration_surge;
mod revoked_token_hammering;
mod rotation;
mod scope_creep;
mod secret_sharing;
mod sensitive;
mod shared_keys;
mod source;
mod stolen_key;
mod token_sharing;

pub use records::{Record, Records};
pub(super) use source::{is_browser, is_library, whom};

/// The kinds of sighting that the policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// A client's own assertions come twice, again and again.
    AssertionRepeated,
    /// A client's assertion came a second time from elsewhere.
    AssertionReplay,
    /// Clients' secrets are guessed.
    ClientSecretGuessing,
    /// A client got in from where secrets were guessed.
    ClientSecretGuessingTaken,
    /// A code came a second time.
    CodeReplay,
    /// Many people consent to a young client.
    ConsentPhishing,
    /// The counter of a passkey went back.
    CopiedPasskey,
    /// One network tries many names.
    CredentialStuffing,
    /// Many networks try many names.
    CredentialStuffingCampaign,
    /// Somebody got in after that.
    CredentialStuffingTaken,
    /// User codes are guessed.
    DeviceCodeGuessing,
    /// Many people approve codes that were started far away.
    DevicePhishing,
    /// A token of a disabled person or client is in use.
    DisabledAccountToken,
    /// A bound token without its key, from elsewhere.
    DpopReplay,
    /// A bound token without its key, perhaps by its owner.
    DpopTrouble,
    /// A person in two places, too fast.
    ImpossibleTravel,
    /// A client's secret is public.
    LeakedClient,
    /// A refresh token is public.
    LeakedGrant,
    /// A token is public.
    LeakedToken,
    /// Second factors of one account fail again and again.
    MfaFatigue,
    /// The sign-in was completed after that.
    MfaFatigueTaken,
    /// Something sensitive, from a new place with new software.
    NewPlace,
    /// One account's password is guessed.
    PasswordGuessing,
    /// The right one came after that.
    PasswordGuessingTaken,
    /// One network tries few passwords on many accounts, slowly.
    PasswordSpraying,
    /// Somebody got in after that.
    PasswordSprayingTaken,
    /// Code verifiers do not fit, again and again.
    PkceFailures,
    /// Redirect URIs are tried out.
    RedirectProbing,
    /// Far more clients are registered than usual.
    RegistrationSurge,
    /// A dead token is sent again and again.
    RevokedTokenHammering,
    /// A client asks for what it never asked for.
    ScopeCreep,
    /// A client's new secret in two hands.
    RotatedSecretSharing,
    /// A client's secret in two hands.
    SecretSharing,
    /// One token in several hands at once.
    TokenSharing,
}

// === impl SignIn ===

impl SignIn {
    /// The detector's name in findings.
    pub const fn detector(self) -> &'static str {
        match self {
            Self::AssertionRepeated | Self::AssertionReplay => "assertion_replay",
            Self::ClientSecretGuessing | Self::ClientSecretGuessingTaken => {
                "client_secret_guessing"
            }
            Self::CodeReplay => "code_replay",
            Self::ConsentPhishing => "consent_phishing",
            Self::CopiedPasskey => "copied_passkey",
            Self::CredentialStuffing
            | Self::CredentialStuffingCampaign
            | Self::CredentialStuffingTaken => "credential_stuffing",
            Self::DeviceCodeGuessing => "device_code_guessing",
            Self::DevicePhishing => "device_phishing",
            Self::DisabledAccountToken => "disabled_account_token",
            Self::DpopReplay | Self::DpopTrouble => "dpop_replay",
            Self::ImpossibleTravel => "impossible_travel",
            Self::LeakedClient | Self::LeakedGrant | Self::LeakedToken => "leak_report",
            Self::MfaFatigue | Self::MfaFatigueTaken => "mfa_fatigue",
            Self::NewPlace => "new_place",
            Self::PasswordGuessing | Self::PasswordGuessingTaken => "password_guessing",
            Self::PasswordSpraying | Self::PasswordSprayingTaken => "password_spraying",
            Self::PkceFailures => "pkce_failures",
            Self::RedirectProbing => "redirect_probing",
            Self::RegistrationSurge => "registration_surge",
            Self::RevokedTokenHammering => "revoked_token_hammering",
            Self::ScopeCreep => "scope_creep",
            Self::RotatedSecretSharing | Self::SecretSharing => "client_secret_sharing",
            Self::TokenSharing => "token_sharing",
        }
    }
}

/// Every detector of this part, in the order in which they look.
pub(super) fn all() -> Vec<Look> {
    vec![
        Look::at(code_replay::CodeReplay),
        Look::with_record(dpop_replay::DpopReplay::default()),
        Look::at(assertion_replay::AssertionReplay::default()),
        Look::with_record(revoked_token_hammering::RevokedTokenHammering::default()),
        Look::with_record(disabled_account_token::DisabledAccountToken::default()),
        Look::at(leak_report::LeakReport),
        Look::at(credential_stuffing::CredentialStuffing::default()),
        Look::at(password_guessing::PasswordGuessing::default()),
        Look::at(mfa_fatigue::MfaFatigue::default()),
        Look::at(copied_passkey::CopiedPasskey::default()),
        Look::at(client_secret_guessing::ClientSecretGuessing::default()),
        Look::with_record(secret_sharing::SecretSharing::default()),
        Look::at(device_code_guessing::DeviceCodeGuessing::default()),
        Look::at(introspection_guessing::IntrospectionGuessing::default()),
        Look::with_record(token_sharing::TokenSharing::default()),
        Look::with_record(mixed_software::MixedSoftware::default()),
        Look::with_record(shared_keys::SharedKeys::default()),
        Look::with_record(stolen_key::StolenKey::default()),
        Look::with_record(client_key::ClientKey::default()),
        Look::with_record(drained_client::DrainedClient::default()),
        Look::with_record(impossible_travel::ImpossibleTravel::default()),
        Look::with_record(disguise::Disguise::default()),
        Look::with_record(new_place::NewPlace::default()),
        Look::at(redirect_probing::RedirectProbing::default()),
        Look::at(pkce_failures::PkceFailures::default()),
        Look::at(consent_phishing::ConsentPhishing::default()),
        Look::at(device_phishing::DevicePhishing::default()),
        Look::at(registration_surge::RegistrationSurge::default()),
        Look::at(scope_creep::ScopeCreep::default()),
    ]
}
