//! From settings to a gateway, and from a gateway to the workers of its threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

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
use token::ladder::Ladder;
use token::personal::PersonalTokens;
use token::place::Places;
use token::reference::References;
use token::restriction::Restriction;
use token::scope::is_scope_token;
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
use crate::limit::{Limit, LimitRule, Limits};
use crate::meters::{CacheMeters, RequestMeters, StreamMeters};
use crate::policy::Policies;
use crate::resource::Resource;
use crate::route::rewrite::Rewrite;
use crate::route::{Beside, Demand, OneOf, Parameters, Routes, Rule, Template, is_refused_method};
use crate::settings::{Access, Further, RouteRule, Settings, SettingsError};
use crate::shed::Shedder;
use crate::streams::Streams;
use crate::upstream::Upstream;
use crate::upstream::pool::{self, Pool, UpstreamClient};
use crate::upstream::rule::UpstreamRule;
use crate::verify::Verifier;
use crate::worker::Worker;

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
    tls: ClientConfig,
    /// By the upstreams' numbers.
    pools: Vec<Pool>,
    upstreams: Vec<Arc<Upstream>>,
}

// === impl Gateway ===

impl Gateway {
    /// Builds a gateway. A metrics recorder is to be installed before, if there is to be one.
    ///
    /// # Errors
    /// [`SettingsError`] names the route, upstream or option that is wrong, and how to mend it.
    pub fn new(settings: Settings, parts: Parts) -> Result<Self, SettingsError> {
        if settings.upstream_timeout.is_zero() {
            return Err(SettingsError::ZeroTimeout);
        }
        if let Some(name) = settings.credentials.api_key.as_ref().filter(|name| has_meaning(name)) {
            return Err(SettingsError::BadApiKeyField(name.to_string()));
        }
        let upstreams = upstreams(&settings)?;
        let plain = |(name, rule): (&String, &UpstreamRule)| {
            rule.tls.is_none() && upstreams.get(name.as_str()).is_some_and(|one| one.is_https())
        };
        let tls = pool::shared_tls(settings.upstreams.iter().any(plain))
            .map_err(SettingsError::TrustRoots)?;
        let pools = pools(&settings)?;
        // A map would forget the numbers.
        let mut numbered: Vec<_> = upstreams.values().cloned().collect();
        numbered.sort_unstable_by_key(|upstream| upstream.number());
        let limits = limits(&settings)?;
        let routes = routes(&settings, &upstreams, &limits)?;
        let resource = Resource::new(&settings, scopes(&settings.routes))?;
        let verifier = Verifier {
            policy: AccessTokenPolicy {
                issuer: settings.issuer.clone(),
                audiences: audiences(&settings),
                leeway: settings.leeway,
            },
            keyring: parts.keyring,
            decryption: parts.decryption,
            references: parts.references,
            personal: parts.personal,
            ladder: settings.ladder.clone(),
            foreign: ForeignIssuers::new(parts.issuers),
            cache: TokenCache::new(settings.cache_entries),
            meters: CacheMeters::new(),
        };
        let binder = Binder {
            desk: ProofDesk::new(ProofRules::default(), parts.nonces),
            origin: resource.origin().to_owned(),
        };
        let counters = Arc::new(InMemory::new(settings.limit_entries));
        let inside = InternalTokens::new(&settings, parts.internal_keys)?;
        let core = Arc::new(Core {
            routes,
            inside,
            limits: Limits::new(counters, settings.doubtful)?,
            ladder: settings.ladder,
            apps: Apps::new(parts.browser_apps)?,
            verifier,
            binder,
            index: parts.index,
            honeytokens: parts.honeytokens,
            policies: parts.policies,
            recent: Arc::new(Requests::new(settings.kept, parts.places.clone())),
            places: parts.places,
            events: parts.events,
            clock: parts.clock,
            answers: Answers::new(settings.answers).map_err(SettingsError::BadCors)?,
            resource,
            trusted_proxies: settings.trusted_proxies,
            forward_token: settings.forward_token,
            credentials: settings.credentials,
            challenge_scopes: settings.challenge_scopes,
            request_limits: settings.request_limits,
            shedder: Shedder::new(settings.shed_after),
            inspector: Inspector::new(inspect::Limits {
                body_bytes: settings.inspect_body_limit,
                ..inspect::Limits::default()
            }),
            requests: RequestMeters::new(),
            streams: StreamMeters::new(),
            workers: Mutex::default(),
        });
        listen(&core);
        Ok(Self { core, tls, pools, upstreams: numbered })
    }

    /// A worker for one thread, with upstream connections and open streams of its own.
    pub fn worker(&self) -> Worker {
        let streams = Arc::new(Streams::new(Arc::clone(&self.core)));
        let mut workers = self.core.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(&streams));
        let clients = self.pools.iter().map(|pool| pool.client(&self.tls)).collect();
        Worker::new(Arc::clone(&self.core), clients, streams)
    }

    /// Asks servers whether they are well, where that is wanted. To be polled on one runtime of the
    /// process, for as long as the gateway serves; what comes of it counts for every worker.
    pub fn watch_servers(&self) -> impl Future<Output = ()> + Send + 'static {
        let pools = self.pools.iter().zip(&self.upstreams);
        let watched = pools.map(|(pool, upstream)| (pool.client(&self.tls), Arc::clone(upstream)));
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

    /// The same check for a service that answers by itself.
    pub fn guard(&self) -> Guard {
        Guard::new(Arc::clone(&self.core))
    }

    /// For tests: what decides who is refused under overload.
    #[cfg(test)]
    pub(crate) fn shedder(&self) -> &Shedder {
        &self.core.shedder
    }

    /// For tests: other certificate authorities than the system's.
    #[cfg(test)]
    pub(crate) fn trusting(mut self, tls: ClientConfig) -> Self {
        self.tls = tls;
        self
    }
}

/// Hands every restriction to every worker; the work is done on their own threads.
fn listen(core: &Arc<Core>) {
    let weak = Arc::downgrade(core);
    core.index.on_restriction(move |restriction: &Restriction| {
        let Some(core) = weak.upgrade() else { return };
        let restriction = Arc::new(restriction.clone());
        let workers = core.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for streams in workers.iter().filter_map(Weak::upgrade) {
            streams.restricted(&restriction);
        }
    });
}

fn upstreams(settings: &Settings) -> Result<HashMap<&str, Arc<Upstream>>, SettingsError> {
    let build = |(number, (name, rule)): (usize, (&'_ String, &UpstreamRule))| {
        Upstream::new(number, name, rule, settings.upstream_timeout, settings.identity)
            .map(Arc::new)
    };
    let built = settings.upstreams.iter().enumerate().map(build);
    let names = settings.upstreams.keys().map(String::as_str);
    names.zip(built).map(|(name, built)| Ok((name, built?))).collect()
}

fn pools(settings: &Settings) -> Result<Vec<Pool>, SettingsError> {
    let pool = |(name, rule): (&String, &UpstreamRule)| {
        Pool::new(rule).map_err(|fault| SettingsError::UpstreamTls { name: name.clone(), fault })
    };
    settings.upstreams.iter().map(pool).collect()
}

fn routes(
    settings: &Settings,
    upstreams: &HashMap<&str, Arc<Upstream>>,
    limits: &[Arc<Limit>],
) -> Result<Routes, SettingsError> {
    let mut routes = Routes::default();
    let own: Vec<String> =
        [&settings.resource].into_iter().chain(&settings.audiences).cloned().collect();
    for rule in &settings.routes {
        let path = || rule.path.clone();
        let template = Template::parse(&rule.path)
            .map_err(|fault| SettingsError::BadTemplate { path: path(), fault })?;
        if let Some(method) = rule.methods.iter().find(|method| is_refused_method(method)) {
            return Err(SettingsError::RefusedMethod { path: path(), method: method.to_string() });
        }
        let upstream = upstreams.get(rule.upstream.as_str()).ok_or_else(|| {
            SettingsError::UnknownUpstream { path: path(), upstream: rule.upstream.clone() }
        })?;
        let compiled = Rule {
            template: Arc::clone(template.text()),
            parameters: Parameters::of(template.text()),
            upstream: Arc::clone(upstream),
            rewrite: Rewrite::new(&rule.path, &rule.strip_prefix, &rule.add_prefix)
                .map_err(|fault| SettingsError::BadRewrite { path: path(), fault })?,
            demand: demand(rule, &own, &settings.ladder)?,
            networks: rule.networks.as_slice().into(),
            places: rule.places.as_slice().into(),
            hours: rule.hours.as_slice().into(),
            decided: rule.decided,
            limits: limits_of(rule, settings, limits)?,
            cost: rule.cost,
            inspect: rule.inspect,
            body_bytes: match rule.body_bytes {
                Some(0) => None,
                Some(most) => Some(most),
                None => settings.request_limits.body_bytes,
            },
            described: rule.described.clone(),
        };
        routes
            .add(&template, &rule.methods, compiled)
            .map_err(|method| SettingsError::DuplicateRoute { path: path(), method })?;
    }
    Ok(routes)
}

fn limits(settings: &Settings) -> Result<Vec<Arc<Limit>>, SettingsError> {
    let rules = &settings.limits;
    for (number, rule) in rules.iter().enumerate() {
        if rules[..number].iter().any(|other| other.name == rule.name) {
            return Err(SettingsError::DuplicateLimit(rule.name.clone()));
        }
        let known = |path: &&String| settings.routes.iter().any(|route| route.path == **path);
        if let Some(path) = rule.routes.iter().find(|path| !known(path)) {
            let (limit, path) = (rule.name.clone(), path.clone());
            return Err(SettingsError::UnknownLimitedRoute { limit, path });
        }
    }
    rules.iter().enumerate().map(|(number, rule)| Limit::new(number, rule).map(Arc::new)).collect()
}

/// The limits that a route is under.
fn limits_of(
    rule: &RouteRule,
    settings: &Settings,
    limits: &[Arc<Limit>],
) -> Result<Box<[Arc<Limit>]>, SettingsError> {
    let pairs = settings.limits.iter().zip(limits);
    let own = pairs.filter(|(limit, _)| {
        rule.cost > 0 && (limit.routes.is_empty() || limit.routes.contains(&rule.path))
    });
    let check = |(limit, ready): (&LimitRule, &Arc<Limit>)| {
        if ready.most().is_some_and(|most| rule.cost > most) {
            let (path, limit) = (rule.path.clone(), limit.name.clone());
            return Err(SettingsError::CostTooHigh { path, cost: rule.cost, limit });
        }
        Ok(Arc::clone(ready))
    };
    own.map(check).collect()
}

fn demand(rule: &RouteRule, own: &[String], ladder: &Ladder) -> Result<Demand, SettingsError> {
    let Access::Token { scopes, audiences, further } = &rule.access else {
        return Ok(Demand::Public);
    };
    let named = scopes.iter().chain(further.any_scopes.iter().flatten());
    if let Some(scope) = named.into_iter().find(|scope| !is_scope_token(scope)) {
        return Err(SettingsError::BadScope { path: rule.path.clone(), scope: scope.clone() });
    }
    let audiences = match audiences.as_slice() {
        [] => own.into(),
        listed => Box::from(listed),
    };
    Ok(Demand::Token {
        scopes: scopes.iter().map(|scope| OneOf::new(scope, ladder)).collect(),
        audiences,
        scope_text: scopes.join(" ").into(),
        further: (*further != Further::default()).then(|| Box::new(beside(further, ladder))),
    })
}

fn beside(further: &Further, ladder: &Ladder) -> Beside {
    let Further { any_scopes, clients, claims, kinds, acr, max_age, bound } = further;
    let (clients, acr) = (clients.as_slice().into(), acr.as_slice());
    let one = |scope: &String| OneOf::new(scope, ladder);
    Beside {
        any: any_scopes.iter().map(|set| set.iter().map(one).collect()).collect(),
        any_text: any_text(any_scopes).into(),
        clients,
        claims: claims.iter().map(|rule| Box::from(rule.patterns())).collect(),
        kinds: kinds.as_slice().into(),
        acr: acr.into(),
        acr_text: (!acr.is_empty()).then(|| acr.join(" ").into()),
        max_age: *max_age,
        bound: *bound,
    }
}

/// What a client is told to ask for: all there is to choose from where each is enough alone, else the first set.
fn any_text(sets: &[Vec<String>]) -> String {
    match sets.first() {
        Some(first) if sets.iter().any(|set| set.len() != 1) => first.join(" "),
        _ => sets.concat().join(" "),
    }
}

/// Every audience that some route accepts: the route decides which of them it does.
fn audiences(settings: &Settings) -> Vec<String> {
    let listed = settings.routes.iter().flat_map(|rule| match &rule.access {
        Access::Public => [].as_slice(),
        Access::Token { audiences, .. } => audiences.as_slice(),
    });
    let mut audiences: Vec<String> = listed.cloned().collect();
    audiences.push(settings.resource.clone());
    audiences.extend_from_slice(&settings.audiences);
    audiences.sort_unstable();
    audiences.dedup();
    audiences
}

fn scopes(routes: &[RouteRule]) -> impl Iterator<Item = &str> {
    routes
        .iter()
        .map(|rule| match &rule.access {
            Access::Public => ([].as_slice(), [].as_slice()),
            Access::Token { scopes, further, .. } => (scopes.as_slice(), &*further.any_scopes),
        })
        .flat_map(|(all, sets)| all.iter().chain(sets.iter().flatten()))
        .map(String::as_str)
}

#[cfg(test)]
mod tests;
