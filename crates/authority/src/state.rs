//! The authority itself: its settings and the parts that it works with.

use std::sync::Arc;

use mail::Outbox;
use remote::Fetcher;
use store::Store;
use token::dpop::{Nonces, ProofDesk, ProofRules};
use token::event::EventSink;
use token::random::Random;
use token::refresh::{self, RefreshMint};
use token::replay::UsedOnce;
use token::time::{Clock, Timestamp};

use crate::client_auth::assertion;
use crate::client_auth::attestation::CHALLENGE_LIFE;
use crate::client_auth::certificate::CertificateTrust;
use crate::client_keys::ClientKeys;
use crate::endpoint::discovery::Metadata;
use crate::events::NameHasher;
use crate::foreign::IssuerKeys;
use crate::keys::SigningKeys;
use crate::later::Later;
use crate::limits::Limits;
use crate::login::Desk;
use crate::login::password::Passwords;
use crate::metadata_document::MetadataDocuments;
use crate::news::News;
use crate::polls::Polls;
use crate::provider::places::KnownPlaces;
use crate::settings::{Settings, SettingsError};
use crate::signals::poll::Fetching;
use crate::signals::receipts::Receipts;
use crate::signals::received;
use crate::status_lists::StatusLists;
use crate::verified::VerifiedTokens;

/// What an authority works with; made by the binary, or by a test.
pub struct Parts {
    /// Durable state.
    pub store: Store,
    /// The keys that sign tokens.
    pub keys: Arc<SigningKeys>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What fetches the keys and documents of clients; without it those are not taken.
    pub fetcher: Option<Fetcher>,
    /// Who vouches for client certificates; without it `tls_client_auth` is refused.
    pub certificate_trust: Option<Arc<dyn CertificateTrust>>,
    /// Nonces for proofs of possession; with them every proof has to have one (RFC 9449 §8).
    pub nonces: Option<Arc<Nonces>>,
    /// Where letters to people are handed over.
    pub outbox: Outbox,
}

/// An authorization server. Cheap to clone: all clones are the same one.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    settings: Settings,
    parts: Parts,
    passwords: Passwords,
    desk: Desk,
    metadata: Metadata,
    names: NameHasher,
    news: News,
    proofs: ProofDesk,
    refresh_mint: RefreshMint,
    client_keys: ClientKeys,
    issuer_keys: IssuerKeys,
    documents: MetadataDocuments,
    fetching: Fetching,
    assertions: UsedOnce,
    received: Receipts,
    challenges: Option<Nonces>,
    polls: Polls,
    provider_places: KnownPlaces,
    limits: Limits,
    status_lists: StatusLists,
    verified: VerifiedTokens,
    later: Later,
}

// === impl Authority ===

impl Authority {
    /// An authority with these settings and parts.
    ///
    /// # Errors
    /// [`SettingsError`] names the first setting that is wrong.
    pub fn new(settings: Settings, parts: Parts) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self(Arc::new(Inner {
            passwords: Passwords::new(settings.password_threads, settings.passwords.clone()),
            desk: Desk::new(&parts.store, &settings),
            metadata: Metadata::of(&settings),
            names: NameHasher::new(&parts.store),
            news: News::of(parts.store.index()),
            polls: Polls::default(),
            provider_places: KnownPlaces::default(),
            refresh_mint: RefreshMint::new(&parts.store.derive_key(refresh::KEY_LABEL)),
            limits: Limits::default(),
            status_lists: StatusLists::new(
                parts.store.clone(),
                Arc::clone(&parts.random),
                &settings,
            ),
            verified: VerifiedTokens::default(),
            later: Later::default(),
            client_keys: ClientKeys::new(parts.fetcher.clone()),
            documents: MetadataDocuments::default(),
            fetching: Fetching::of(&settings.streams),
            issuer_keys: IssuerKeys::new(parts.fetcher.clone()),
            assertions: UsedOnce::new(assertion::REMEMBERED),
            received: Receipts::new(received::REMEMBERED),
            challenges: challenges(&settings, &*parts.random),
            proofs: ProofDesk::new(ProofRules::default(), parts.nonces.clone()),
            settings,
            parts,
        })))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Durable state.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// The keys that sign tokens.
    pub fn keys(&self) -> &Arc<SigningKeys> {
        &self.0.parts.keys
    }

    /// Where passwords are hashed and checked.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Those who wait for security events.
    pub(crate) fn fetching(&self) -> &Fetching {
        &self.0.fetching
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The current time; read once per request, at its endpoint.
    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Where letters are handed over.
    pub fn outbox(&self) -> &Outbox {
        &self.0.parts.outbox
    }

    /// Work that is done after the answer.
    pub(crate) fn later(&self) -> &Later {
        &self.0.later
    }

    /// Randomness.
    pub fn random(&self) -> &dyn Random {
        &*self.0.parts.random
    }

    /// Where events go.
    pub fn events(&self) -> &dyn EventSink {
        &*self.0.parts.events
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// Answers at once whoever waits for something to happen: the process is about to stop.
    pub fn stop_waiting(&self) {
        self.0.news.stop();
    }

    /// What sends requests to the hosts of clients.
    pub(crate) fn fetcher(&self) -> Option<&Fetcher> {
        self.0.parts.fetcher.as_ref()
    }

    /// Who vouches for client certificates.
    pub(crate) fn certificate_trust(&self) -> Option<&dyn CertificateTrust> {
        self.0.parts.certificate_trust.as_deref()
    }

    /// What makes and reads refresh tokens.
    pub(crate) fn refresh_mint(&self) -> &RefreshMint {
        &self.0.refresh_mint
    }

    /// Where proofs of possession are handed in.
    pub(crate) fn proofs(&self) -> &ProofDesk {
        &self.0.proofs
    }

    /// The public keys of clients.
    pub(crate) fn client_keys(&self) -> &ClientKeys {
        &self.0.client_keys
    }

    /// Documents that describe clients.
    pub(crate) fn documents(&self) -> &MetadataDocuments {
        &self.0.documents
    }

    /// The public keys of other issuers.
    pub(crate) fn issuer_keys(&self) -> &IssuerKeys {
        &self.0.issuer_keys
    }

    /// Where the statuses of tokens are published.
    pub(crate) fn status_lists(&self) -> &StatusLists {
        &self.0.status_lists
    }

    /// How much is borne.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How often clients ask for what nobody has decided.
    pub(crate) fn polls(&self) -> &Polls {
        &self.0.polls
    }

    /// Where identity providers are spoken to.
    pub(crate) fn provider_places(&self) -> &KnownPlaces {
        &self.0.provider_places
    }

    /// The names of client assertions that were used.
    pub(crate) fn assertions(&self) -> &UsedOnce {
        &self.0.assertions
    }

    /// Security events that were taken, or are being taken.
    pub(crate) fn received(&self) -> &Receipts {
        &self.0.received
    }

    /// Challenges for proofs of attested keys, where they are demanded.
    pub(crate) fn challenges(&self) -> Option<&Nonces> {
        self.0.challenges.as_ref()
    }

    /// Access tokens that were verified before.
    pub(crate) fn verified(&self) -> &VerifiedTokens {
        &self.0.verified
    }

    pub(crate) fn news(&self) -> &News {
        &self.0.news
    }

    pub(crate) fn names(&self) -> &NameHasher {
        &self.0.names
    }
}

fn challenges(settings: &Settings, random: &dyn Random) -> Option<Nonces> {
    let make = || Nonces::of_this_process(random, CHALLENGE_LIFE);
    settings.attestation_challenge.then(make)
}
