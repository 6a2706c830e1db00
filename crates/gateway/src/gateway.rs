//! From settings to a gateway, and from a gateway to the workers of its threads. A gateway is never changed: other
//! settings make one that comes after it and takes over what is not a matter of settings.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use inspect::Inspector;
use rustls::ClientConfig;
use token::dpop::{Nonces, ProofDesk, ProofRules};
use token::encryption_key::DecryptionKey;
use token::event::EventSink;
use token::explanation::Explainer;
use token::honeytoken::Honeytokens;
use token::index::RestrictionIndex;
use token::keyring::Keyring;
use token::personal::PersonalTokens;
use token::place::Places;
use token::reference::References;
use token::time::Clock;
use token::validate::AccessTokenPolicy;

use crate::answers::Answers;
use crate::bind::Binder;
use crate::browser_app::{Apps, BrowserApp};
use crate::cache::TokenCache;
use crate::checker::Checker;
use crate::core::Core;
use crate::explain::Requests;
use crate::foreign::{ForeignIssuer, ForeignIssuers};
use crate::guard::Guard;
use crate::headers::has_meaning;
use crate::inside::{InternalKeys, InternalTokens};
use crate::limit::counters::InMemory;
use crate::limit::{Count, Limits};
use crate::meters::{CacheMeters, RequestMeters};
use crate::policy::Policies;
use crate::resource::Resource;
use crate::settings::{Access, Settings, SettingsError};
use crate::shed::Shedder;
use crate::streams::{Everywhere, Streams};
use crate::upstream::Upstream;
use crate::upstream::pool::{self, Pool, UpstreamClient};
use crate::upstream::rule::UpstreamRule;
use crate::verify::{Shared, Verifier};
use crate::worker::Worker;

pub(crate) mod rules;

use rules::{Compiler, audiences, scopes};

/// What a gateway works with, shared with the rest of the process.
#[derive(Clone)]
pub struct Parts {
    /// The keys that sign tokens.
    pub keyring: Arc<Keyring>,
    /// What was taken back.
    pub index: Arc<RestrictionIndex>,
    /// The bait.
    pub honeytokens: Arc<Honeytokens>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The keys that tokens may be encrypted to.
    pub decryption: Vec<Arc<DecryptionKey>>,
    /// Nonces for proofs of possession; with them every proof has to have one (RFC 9449 §9).
    pub nonces: Option<Arc<Nonces>>,
    /// Where opaque tokens are looked up; without it they are unknown.
    pub references: Option<Arc<dyn References>>,
    /// What signs the gateway's own tokens, where upstreams get them.
    pub internal_keys: Option<Arc<InternalKeys>>,
    /// Where personal tokens are looked up; without it they are unknown.
    pub personal: Option<Arc<dyn PersonalTokens>>,
    /// Other issuers whose tokens are taken.
    pub issuers: Vec<ForeignIssuer>,
    /// Who knows where addresses are; without it no place is known.
    pub places: Option<Arc<dyn Places>>,
    /// What decides by policies, if anything does.
    pub policies: Option<Arc<dyn Policies>>,
    /// Applications in browsers whose credential is a cookie.
    pub browser_apps: Vec<BrowserApp>,
}

/// A gateway, ready to give a [`Worker`] to every thread that serves it.
#[derive(Clone)]
pub struct Gateway {
    core: Arc<Core>,
    tls: SharedTls,
    /// By the upstreams' numbers.
    pools: Vec<Arc<Pool>>,
    upstreams: Vec<Arc<Upstream>>,
}

/// The TLS of upstreams that have none of their own.
#[derive(Clone)]
struct SharedTls {
    config: ClientConfig,
    /// Whether it trusts the system's certificate authorities; without an `https` upstream nobody.
    trusting: bool,
}

// === impl Gateway ===

impl Gateway {
    /// Builds a gateway. A metrics recorder is to be installed before, if there is to be one.
    ///
    /// # Errors
    /// [`SettingsError`] names the route, upstream or option that is wrong, and how to mend it.
    pub fn new(settings: Settings, parts: Parts) -> Result<Self, SettingsError> {
        Self::build(settings, parts, None)
    }

    /// The gateway that comes after this one, by other settings. What was counted, remembered and found out is
    /// taken over: limits, proofs of possession, verified tokens where they are verified as they were, requests to
    /// be asked about, the health of servers; and by workers that are made of the former ones, connections and
    /// streams. This one goes on for whoever has it.
    ///
    /// `cache_entries`, `limit_entries`, `kept` and `shed_after` of the settings, and `index` and `nonces` of the
    /// parts, stay as they are here.
    ///
    /// # Errors
    /// [`SettingsError`] as [`Gateway::new`]; nothing has changed then.
    pub fn successor(&self, settings: Settings, parts: Parts) -> Result<Self, SettingsError> {
        Self::build(settings, parts, Some(self))
    }

    fn build(
        settings: Settings,
        parts: Parts,
        before: Option<&Self>,
    ) -> Result<Self, SettingsError> {
        settings.check_alone()?;
        let upstreams = upstreams(&settings, before)?;
        let plain = |(name, rule): (&String, &UpstreamRule)| {
            rule.tls.is_none() && upstreams.get(name.as_str()).is_some_and(|one| one.is_https())
        };
        let tls = shared_tls(settings.upstreams.iter().any(plain), before)?;
        let pools = pools(&settings, &tls, before)?;
        // A map would forget the numbers.
        let mut numbered: Vec<_> = upstreams.values().cloned().collect();
        numbered.sort_unstable_by_key(|upstream| upstream.number());
        let answers = Answers::new(settings.answers.clone()).map_err(SettingsError::BadCors)?;
        let answers = Arc::new(answers);
        let compiler = Compiler::new(&settings, &upstreams, Arc::clone(&answers))?;
        let routes = compiler.routes(&settings.routes)?;
        let resource = Resource::new(&settings, scopes(&settings.routes))?;
        let inside = InternalTokens::new(&settings, parts.internal_keys.clone())?;
        let known = before.map(|before| &*before.core);
        let verifier = verifier(&settings, &parts, inside.as_ref(), known);
        let desk = || Arc::new(ProofDesk::new(ProofRules::default(), parts.nonces.clone()));
        let binder = Binder {
            desk: known.map_or_else(desk, |known| Arc::clone(&known.binder.desk)),
            origin: resource.origin().to_owned(),
        };
        let count = || Count::new(Arc::new(InMemory::new(settings.limit_entries)));
        let count = known.map_or_else(count, |known| known.limits.count().clone());
        let streams = || {
            let everywhere = Arc::new(Everywhere::default());
            everywhere.listen(&parts.index);
            everywhere
        };
        let core = Arc::new(Core {
            routes,
            compiler,
            inside,
            limits: Limits::new(count, settings.doubtful)?,
            ladder: settings.ladder,
            apps: Apps::new(parts.browser_apps)?,
            verifier,
            binder,
            policies: parts.policies,
            honeytokens: parts.honeytokens,
            places: parts.places.clone(),
            events: parts.events,
            clock: parts.clock,
            answers,
            recent: known.map_or_else(
                || Arc::new(Requests::new(settings.kept, parts.places.clone())),
                |known| Arc::clone(&known.recent),
            ),
            resource,
            trusted_proxies: settings.trusted_proxies,
            forward_token: settings.forward_token,
            credentials: settings.credentials,
            challenge_scopes: settings.challenge_scopes,
            request_limits: settings.request_limits,
            shedder: known.map_or_else(
                || Arc::new(Shedder::new(settings.shed_after)),
                |known| Arc::clone(&known.shedder),
            ),
            inspector: Inspector::new(inspect::Limits {
                body_bytes: settings.inspect_body_limit,
                ..inspect::Limits::default()
            }),
            requests: RequestMeters::new(),
            streams: known.map_or_else(streams, |known| Arc::clone(&known.streams)),
            index: parts.index,
        });
        Ok(Self { core, tls, pools, upstreams: numbered })
    }

    /// A worker for one thread, with upstream connections and open streams of its own.
    pub fn worker(&self) -> Worker {
        let (index, clock) = (Arc::clone(&self.core.index), Arc::clone(&self.core.clock));
        let streams = Arc::new(Streams::new(index, clock));
        self.core.streams.add(&streams);
        let clients = self.pools.iter().map(|pool| (Arc::clone(pool), pool.client())).collect();
        Worker::new(Arc::clone(&self.core), clients, streams)
    }

    /// A worker for the thread of `before`, with its streams, and its connections where they are made as they
    /// were.
    pub fn worker_after(&self, before: &Worker) -> Worker {
        let client = |pool: &Arc<Pool>| {
            let known = before.client_of(pool).cloned();
            (Arc::clone(pool), known.unwrap_or_else(|| pool.client()))
        };
        let clients = self.pools.iter().map(client).collect();
        Worker::new(Arc::clone(&self.core), clients, Arc::clone(&before.streams))
    }

    /// Asks servers whether they are well, where that is wanted. To be polled on one runtime of the
    /// process, for as long as the gateway serves; what comes of it counts for every worker.
    pub fn watch_servers(&self) -> impl Future<Output = ()> + Send + 'static {
        let pools = self.pools.iter().zip(&self.upstreams);
        let watched = pools.map(|(pool, upstream)| (pool.client(), Arc::clone(upstream)));
        let watch = |(client, upstream): (UpstreamClient, Arc<Upstream>)| async move {
            upstream.watch(&client).await;
        };
        let watching: Vec<_> = watched.map(watch).collect();
        async { drop(join_all(watching).await) }
    }

    /// The same check for proxies that forward by themselves.
    pub fn checker(&self) -> Checker {
        Checker::new(Arc::clone(&self.core))
    }

    /// Who knows of the last requests why they were answered so.
    pub fn explainer(&self) -> Arc<dyn Explainer> {
        Arc::clone(&self.core.recent) as Arc<dyn Explainer>
    }

    /// An upstream and its pool, by its name.
    fn upstream(&self, name: &str) -> Option<(&Arc<Pool>, &Arc<Upstream>)> {
        self.pools.iter().zip(&self.upstreams).find(|(_, upstream)| upstream.name() == name)
    }

    /// The same check for a service that answers by itself.
    pub fn guard(&self) -> Guard {
        let (index, clock) = (Arc::clone(&self.core.index), Arc::clone(&self.core.clock));
        let streams = Arc::new(Streams::new(index, clock));
        self.core.streams.add(&streams);
        // Its rules come later, and the service sees the token itself.
        self.core.verifier.keeps_members.store(true, Ordering::Relaxed);
        Guard::new(Arc::clone(&self.core), streams)
    }

    /// For tests: what decides who is refused under overload.
    #[cfg(test)]
    pub(crate) fn shedder(&self) -> &Shedder {
        &self.core.shedder
    }

    /// For tests: other certificate authorities than the system's.
    #[cfg(test)]
    pub(crate) fn trusting(mut self, tls: ClientConfig) -> Self {
        self.pools = self.pools.iter().map(|pool| Arc::new(pool.trusting(&tls))).collect();
        self
    }
}

// === impl Settings ===

impl Settings {
    /// Whether a gateway can be made of them, as far as they alone decide that.
    ///
    /// # Errors
    /// [`SettingsError`] as [`Gateway::new`].
    pub fn check(&self) -> Result<(), SettingsError> {
        self.check_alone()?;
        let upstreams = upstreams(self, None)?;
        let answers = Answers::new(self.answers.clone()).map_err(SettingsError::BadCors)?;
        Compiler::new(self, &upstreams, Arc::new(answers))?.routes(&self.routes)?;
        Resource::new(self, scopes(&self.routes)).map(drop)
    }

    fn check_alone(&self) -> Result<(), SettingsError> {
        if self.upstream_timeout.is_zero() {
            return Err(SettingsError::ZeroTimeout);
        }
        match self.credentials.api_key.as_ref().filter(|name| has_meaning(name)) {
            Some(name) => Err(SettingsError::BadApiKeyField(name.to_string())),
            None => Ok(()),
        }
    }
}

fn upstreams<'s>(
    settings: &'s Settings,
    before: Option<&Gateway>,
) -> Result<HashMap<&'s str, Arc<Upstream>>, SettingsError> {
    let (timeout, identity) = (settings.upstream_timeout, settings.identity);
    let build = |(number, (name, rule)): (usize, (&'s String, &UpstreamRule))| {
        let known =
            before.and_then(|before| before.upstream(name)).map(|(_, upstream)| &**upstream);
        Upstream::new(number, name, rule, timeout, identity, known).map(Arc::new)
    };
    let built = settings.upstreams.iter().enumerate().map(build);
    let names = settings.upstreams.keys().map(String::as_str);
    names.zip(built).map(|(name, built)| Ok((name, built?))).collect()
}

fn shared_tls(needed: bool, before: Option<&Gateway>) -> Result<SharedTls, SettingsError> {
    if let Some(known) = before.map(|before| &before.tls).filter(|tls| tls.trusting || !needed) {
        return Ok(known.clone());
    }
    let config = pool::shared_tls(needed).map_err(SettingsError::TrustRoots)?;
    Ok(SharedTls { config, trusting: needed })
}

fn pools(
    settings: &Settings,
    tls: &SharedTls,
    before: Option<&Gateway>,
) -> Result<Vec<Arc<Pool>>, SettingsError> {
    let before = before.filter(|before| before.tls.trusting == tls.trusting);
    let pool = |(name, rule): (&String, &UpstreamRule)| {
        let known = before.and_then(|before| before.upstream(name)).map(|(pool, _)| pool);
        if let Some(known) = known.filter(|known| known.is_for(rule)) {
            return Ok(Arc::clone(known));
        }
        let made = Pool::new(rule, &tls.config).map(Arc::new);
        made.map_err(|fault| SettingsError::UpstreamTls { name: name.clone(), fault })
    };
    settings.upstreams.iter().map(pool).collect()
}

/// With the tokens that were verified before, where nothing has changed that verification or what is kept with a
/// token depends on.
fn verifier(
    settings: &Settings,
    parts: &Parts,
    inside: Option<&InternalTokens>,
    before: Option<&Core>,
) -> Verifier {
    let policy = AccessTokenPolicy {
        issuer: settings.issuer.clone(),
        audiences: audiences(settings),
        leeway: settings.leeway,
    };
    let known = before.filter(|core| {
        let known = &core.verifier;
        let keys = parts.decryption.iter().zip(&known.decryption);
        known.policy.issuer == policy.issuer
            && known.policy.audiences == policy.audiences
            && known.policy.leeway == policy.leeway
            && known.ladder == settings.ladder
            && known.foreign.are_like(&parts.issuers)
            && parts.decryption.len() == known.decryption.len()
            && keys.into_iter().all(|(one, other)| Arc::ptr_eq(one, other))
            && is_same(core.policies.as_ref(), parts.policies.as_ref(), Arc::ptr_eq)
            && is_same(core.inside.as_ref(), inside, InternalTokens::makes_the_same)
    });
    let cache = || Arc::new(TokenCache::new(settings.cache_entries));
    Verifier {
        policy,
        keyring: Arc::clone(&parts.keyring),
        decryption: parts.decryption.clone(),
        references: parts.references.clone(),
        personal: parts.personal.clone(),
        ladder: settings.ladder.clone(),
        foreign: ForeignIssuers::new(parts.issuers.clone()),
        cache: known.map_or_else(cache, |core| Arc::clone(&core.verifier.cache)),
        shared: Shared::default(),
        keeps_members: (parts.policies.is_some() || asks_for_claims(settings)).into(),
        meters: CacheMeters::new(),
    }
}

/// Whether a route asks what else the issuer of a token has written.
fn asks_for_claims(settings: &Settings) -> bool {
    let asks =
        |access: &_| matches!(access, Access::Token { further, .. } if !further.claims.is_empty());
    settings.routes.iter().any(|route| asks(&route.access))
}

fn is_same<T>(one: Option<&T>, other: Option<&T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
