//! Everything is built here, in the order in which traffic meets it, and stopped in reverse.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use authority::Authority;
use authority::keys::{KeySchedule, SigningKeys};
use authority::known_places::KnownPlaces;
use detect::policy::Standing;
use gateway::Gateway;
use gateway::policy::Policies;
use notify::letters::Letters;
use notify::notifier::Notifier;
use notify::person::Person;
use notify::signals::{KEPT_FOR, Tries};
use policy::Engine;
use remote::{Fetcher, Limits, Reach};
use store::{MasterKey, Store};
use token::place::Places;
use token::random::{OsRandom, Random};
use token::time::{Clock, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::command::Failure;
use crate::config::check::Finding;
use crate::config::files::{self, Looked};
use crate::config::{self, Config};
use crate::listen::census::Census;
use crate::listen::tls::{self, Acceptor};
use crate::listen::{self, Bound, Terms};
use crate::memory;
use crate::operations::{self, Operations};

mod answers;
mod auth;
mod browser_app;
mod client_ca;
mod data_plane;
mod door;
mod doubts;
pub(crate) mod gateway_parts;
mod issuers;
pub(crate) mod key_files;
mod letters;
mod live;
mod outlets;
pub(crate) mod places;
pub(crate) mod policies;
mod providers;
pub(crate) mod readable;
mod record;
pub(crate) mod rehearsal;
mod reload;
mod settings;
mod signals;
mod trusted;
pub(crate) mod upstream;
mod watcher;

use auth::{AuthListener, AuthTerms};
pub(crate) use door::{CertificateField, ControlDoor};
use doubts::Asking;
pub(crate) use issuers::Issuers;
use live::{Live, Snapshot};
use outlets::Telling;
pub(crate) use reload::Source;
pub(crate) use reload::watch::Hangups;
use reload::{Desk, Fixed, Held, Reloader};
use signals::Signing;
use watcher::{Told, Watcher};

/// How often what has ended is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// Longer than the allocator keeps what was freed, before it may give it back.
const SETTLED: Duration = Duration::from_millis(1500);

/// The sockets, bound before anything else, so that a taken port is the first thing said.
pub(crate) struct Sockets {
    pub(crate) authority: Bound,
    pub(crate) gateway: Option<Bound>,
    auth: Option<Bound>,
    pub(crate) admin: Option<Bound>,
}

/// The product, built and not yet serving.
pub(crate) struct Product {
    config: Config,
    sockets: Sockets,
    pub(crate) authority: Authority,
    gateway: Option<Gateway>,
    /// What the gateway was made of beside its settings.
    parts: Option<gateway::Parts>,
    policies: Option<Arc<Engine>>,
    issuers: Issuers,
    /// The files of the configuration as they were before they were read.
    looked: Looked,
    pub(crate) store: Store,
    operations: Operations,
    watcher: Watcher,
    /// What is done about findings.
    responses: Arc<Standing>,
    notifier: Notifier,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The first mistake of a configuration that was not checked before.
pub(crate) fn mistaken(found: Vec<Finding>) -> Failure {
    let named = found.into_iter().next().map(|(key, words)| format!("{key}: {words}"));
    Failure::new(named.unwrap_or_default())
}

// === impl Sockets ===

impl Sockets {
    /// Binds what is configured.
    ///
    /// # Errors
    /// [`Failure`] with the address that cannot be used.
    pub(crate) fn bind(config: &Config) -> Result<Self, Failure> {
        let bind = |address, option: &str| {
            Bound::new(address).map_err(|error| {
                Failure::new(format_args!(
                    "{error}; choose another with {option}, port 0 picks a free one"
                ))
            })
        };
        let gateway = config
            .gateway
            .as_ref()
            .map(|part| bind(part.listen, "--gateway-listen or gateway.listen"));
        let auth = config.gateway.as_ref().and_then(|part| part.auth.as_ref());
        let auth = auth.map(|part| bind(part.listen, "gateway.auth.listen"));
        let admin =
            config.admin.as_ref().map(|part| bind(part.listen, "--admin-listen or admin.listen"));
        Ok(Self {
            authority: bind(config.authority.listen, "--authority-listen or authority.listen")?,
            gateway: gateway.transpose()?,
            auth: auth.transpose()?,
            admin: admin.transpose()?,
        })
    }

    /// The issuer: as configured, or the address listened on.
    pub(crate) fn issuer(&self, config: &config::Authority) -> String {
        config.issuer.clone().unwrap_or_else(|| url_of(&self.authority, config.tls.is_some()))
    }

    /// The gateway's resource identifier: as configured, or the address listened on.
    pub(crate) fn resource(&self, config: &config::Gateway) -> Option<String> {
        let bound = self.gateway.as_ref()?;
        Some(config.resource.clone().unwrap_or_else(|| url_of(bound, config.tls.is_some())))
    }

    /// The admin API's address.
    pub(crate) fn admin_url(&self, config: &config::Admin) -> Option<String> {
        self.admin.as_ref().map(|bound| url_of(bound, config.tls.is_some()))
    }
}

fn url_of(bound: &Bound, tls: bool) -> String {
    format!("{}://{}", if tls { "https" } else { "http" }, bound.address())
}

/// Opens the store of a configuration.
///
/// # Errors
/// [`Failure`] with what cannot be read or opened.
pub(crate) fn open_store(
    config: &Config,
    environment: &config::load::Environment,
    now: Timestamp,
) -> Result<Store, Failure> {
    let file = config
        .store
        .master_key_file
        .clone()
        .unwrap_or_else(|| config.store.path.with_file_name("master.key"));
    let master = match environment.get("TOKENWARD_MASTER_KEY") {
        Some(text) => MasterKey::from_hex(text)
            .map_err(|error| Failure::new(format_args!("TOKENWARD_MASTER_KEY: {error}")))?,
        None => MasterKey::load_or_create(&file, &OsRandom::new())
            .map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?,
    };
    let settings = store::Settings {
        path: config.store.path.clone(),
        longest_token_life: longest_token_life(config),
    };
    Store::open(settings, master, now)
        .map_err(|error| Failure::new(format_args!("{}: {error}", config.store.path.display())))
}

/// Loads the signing keys, or makes the first one.
///
/// # Errors
/// [`Failure`] when they cannot be read.
pub(crate) async fn load_keys(
    config: &Config,
    store: &Store,
    now: Timestamp,
) -> Result<SigningKeys, Failure> {
    let part = &config.authority;
    let schedule = KeySchedule {
        rotate_every: Some(part.key_rotate_every.duration()).filter(|every| !every.is_zero()),
        overlap: part.key_overlap.duration(),
        retire_after: longest_signature_life(config),
    };
    SigningKeys::load_or_create(store, &part.signing_algs, schedule, now)
        .await
        .map_err(|error| Failure::new(format_args!("signing keys: {error}")))
}

/// Restrictions are kept as long as a token that they can fit may live.
fn longest_token_life(config: &Config) -> Duration {
    let part = &config.authority;
    let own = part.access_token_life.duration().max(part.id_token_life.duration());
    let lives = config.resources.iter().filter_map(|resource| resource.access_token_life);
    part.refresh_absolute_life.duration() + lives.fold(own, |most, life| most.max(life.duration()))
}

/// Keys are published as long as somebody may come with what they have signed: a token, or an event that waited.
fn longest_signature_life(config: &Config) -> Duration {
    let tokens = longest_token_life(config);
    if config.notify.signals.is_empty() { tokens } else { tokens.max(KEPT_FOR) }
}

/// What has to end before the program does, in this order.
struct Running {
    control: JoinSet<io::Result<()>>,
    threads: Vec<JoinHandle<()>>,
    telling: Telling,
    watcher: Watcher,
    store: Store,
}

// === impl Product ===

impl Product {
    /// Builds everything from `config`; starts no listener.
    ///
    /// # Errors
    /// [`Failure`] with what is wrong.
    pub(crate) async fn compose(
        config: Config,
        sockets: Sockets,
        store: Store,
    ) -> Result<Self, Failure> {
        let looked = reload::first_look(&config);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(OsRandom::new());
        let metrics = operations::start_metrics();
        let issuers = Issuers::start(config.gateway.as_ref())?;
        let places = places::open(&config.geo)?.map(|geo| geo as Arc<dyn Places>);
        let responses = Arc::new(Standing::new(config.detect.terms().map_err(mistaken)?));
        let (asked, tries) = (Person::default(), Tries::default());
        let letters = letters::sent(&config.mail, &store)?;
        let mut outlets =
            outlets::all(&config, &sockets.issuer(&config.authority), &asked, &tries)?;
        outlets.extend(letters.as_ref().map(Letters::outlet));
        let notifier =
            Notifier::new(outlets, store.clone(), Arc::clone(&clock), Arc::clone(&random));
        let told = Told { store: &store, notifier: &notifier, standing: Arc::clone(&responses) };
        let watcher = Watcher::start(&config.detect, told, &clock, &random, places.clone()).await?;
        let events = watcher.sink();
        let keys = Arc::new(load_keys(&config, &store, clock.now()).await?);
        let outbox = letters::outbox(&config.mail, letters.as_ref(), &notifier);
        let parts = authority::Parts {
            store: store.clone(),
            keys,
            events: Arc::clone(&events),
            clock: Arc::clone(&clock),
            random,
            fetcher: fetcher(&config.authority),
            certificate_trust: client_ca::trust(&config.authority)?,
            nonces: config
                .authority
                .dpop_nonce
                .then(|| gateway_parts::nonces(&store, "authority dpop nonce", clock.now())),
            outbox,
        };
        let known = KnownPlaces::new(places.clone());
        let (issuer, resource) = (
            sockets.issuer(&config.authority),
            config.gateway.as_ref().and_then(|part| sockets.resource(part)),
        );
        let settings = settings::authority(&config, issuer, resource, known)?;
        let authority = Authority::new(settings, parts).map_err(Failure::new)?;
        authority.resume().await.map_err(Failure::new)?;
        asked.asked_by(Arc::new(Asking(authority.clone())));
        tries.made_by(Arc::new(Signing(authority.clone())));
        let operations = Operations::new(authority.clone(), metrics, issuers.clone());
        let (mut policies, mut kept) = (None, None);
        let gateway = match &config.gateway {
            Some(part) => {
                policies = policies::shared(part)?;
                let (settings, mut parts) =
                    gateway_parts::all(part, &sockets, &config, &authority, &events, &clock)?;
                parts.places = places;
                parts.policies = policies.clone().map(|engine| engine as Arc<dyn Policies>);
                parts.issuers = issuers.current().of_gateway(&settings, part, &config)?;
                kept = Some(parts.clone());
                Some(Gateway::new(settings, parts).map_err(Failure::new)?)
            }
            None => None,
        };
        Ok(Self {
            config,
            sockets,
            authority,
            gateway,
            parts: kept,
            policies,
            issuers,
            looked,
            store,
            operations,
            watcher,
            responses,
            notifier,
            clock,
        })
    }

    /// Serves until `stop`, calling `ready` once every listener answers; then finishes what is in flight, writes
    /// what waits, and returns. Meanwhile the configuration is read again from where it comes from, if that is said.
    ///
    /// # Errors
    /// [`Failure`] when a listener or a thread cannot be started.
    pub(crate) async fn serve(
        self,
        stop: CancellationToken,
        source: Option<(Source, Hangups)>,
        ready: impl FnOnce(),
    ) -> Result<(), Failure> {
        let Self {
            config,
            sockets,
            authority,
            gateway,
            store,
            operations,
            watcher,
            notifier,
            clock,
            ..
        } = self;
        let telling = Telling::start(&notifier);
        let drain = config.drain.duration();
        let acceptors = acceptors(&config)?;
        let of = |section| acceptor_of(&acceptors, section);
        let auth_url =
            sockets.auth.as_ref().map(|bound| url_of(bound, of("gateway.auth").is_some()));
        let requests = gateway.as_ref().map(Gateway::explainer);
        let live = gateway.zip(config.gateway.as_ref()).map(|(gateway, part)| {
            let (policies, own) = (self.policies.as_ref(), auth_url.as_deref());
            let auth = AuthTerms::new(part, &gateway, policies, own);
            let field = CertificateField::of_gateway(part);
            let threads = data_plane::threads(part);
            Arc::new(Live::new(Snapshot::first(gateway, threads, auth, field)))
        });
        let (source, hangups) = source.unzip();
        let proxies = config.gateway.as_ref().map(config::Gateway::proxies);
        let proxies = Arc::new(ArcSwap::from_pointee(proxies.unwrap_or_default()));
        let fixed = Fixed {
            issuer: sockets.issuer(&config.authority),
            resource: config
                .gateway
                .as_ref()
                .and_then(|part| sockets.resource(part))
                .unwrap_or_default(),
            auth_url,
            issuers: self.issuers,
            store: store.clone(),
            clock: Arc::clone(&clock),
            acceptors: acceptors.clone(),
            live: live.clone(),
            proxies: Arc::clone(&proxies),
            responses: self.responses,
        };
        let held =
            Held::new(config.clone(), self.parts, self.policies, self.looked, source.as_ref());
        let reloader = Reloader::new(source, fixed, held);
        let mut control = JoinSet::new();
        let part = &config.authority;
        let field = CertificateField::new(&part.client_certificate_field, &part.trusted_proxies);
        let door = ControlDoor::new(authority.router(), field);
        let terms = authority_terms(part, of("authority"));
        control.spawn(listen::serve(sockets.authority, terms, door, stop.clone(), drain));
        signals::start(&mut control, &authority, &notifier, &stop);
        if let Some(bound) = sockets.admin {
            let configuration = Some(Arc::new(Desk(Arc::clone(&reloader))) as Arc<_>);
            let authority = authority.clone();
            let parts = console::Parts { authority, requests, configuration, notifier };
            let router = console::router(parts, operations.clone().router());
            let door = ControlDoor::new(router, CertificateField::default());
            let terms = Terms { tls: of("admin"), ..Terms::default() };
            control.spawn(listen::serve(bound, terms, door, stop.clone(), drain));
        }
        let mut threads = Vec::new();
        if let (Some(bound), Some(part), Some(live)) = (sockets.gateway, &config.gateway, live) {
            let terms = Terms {
                tls: of("gateway"),
                proxies,
                proxy_protocol: part.proxy_protocol,
                patience: part.connections.patience(),
                census: census(&part.connections),
            };
            let auth = sockets.auth.map(|bound| AuthListener::new(bound, of("gateway.auth")));
            threads = data_plane::start(bound, part, &live, &terms, auth.as_ref(), &stop, drain)?;
        }
        let waiting = authority.clone();
        control.spawn(upkeep(store.clone(), authority, operations.clone(), clock, stop.clone()));
        if let Some(hangups) = hangups {
            let (reloader, stop) = (Arc::clone(&reloader), stop.clone());
            control.spawn(async move {
                reloader.watch(hangups, stop).await;
                Ok(())
            });
        }
        operations.set_ready(true);
        ready();
        stop.cancelled().await;
        operations.set_ready(false);
        reloader.stop();
        waiting.stop_waiting();
        Running { control, threads, telling, watcher, store }.end().await
    }
}

// === impl Running ===

impl Running {
    async fn end(mut self) -> Result<(), Failure> {
        while let Some(ended) = self.control.join_next().await {
            ended.map_err(Failure::new)?.map_err(Failure::new)?;
        }
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().all(|thread| thread.join().is_ok())
        });
        if !joined.await.unwrap_or(false) {
            tracing::error!("a gateway thread ended in a panic");
        }
        self.watcher.stop().await;
        self.telling.stop().await;
        self.store.close().await;
        Ok(())
    }
}

/// What fetches the keys of clients. A machine without certificate authorities fetches nothing.
fn fetcher(config: &config::Authority) -> Option<Fetcher> {
    let reach = Reach::public().and(config.reach.iter().copied());
    let made = Fetcher::new(reach, Limits::default());
    made.inspect_err(|error| tracing::warn!(%error, "the keys of clients cannot be fetched")).ok()
}

fn authority_terms(part: &config::Authority, tls: Option<Arc<Acceptor>>) -> Terms {
    Terms {
        tls,
        proxies: Arc::new(ArcSwap::from_pointee(part.proxies())),
        proxy_protocol: part.proxy_protocol,
        patience: part.connections.patience(),
        census: census(&part.connections),
    }
}

fn census(part: &config::Connections) -> Arc<Census> {
    Census::new(part.most, part.most_per_network)
}

/// The certificates of the listeners with TLS, by their sections.
fn acceptors(config: &Config) -> Result<Vec<(&'static str, Arc<Acceptor>)>, Failure> {
    let read = |(section, files)| Ok((section, Arc::new(Acceptor::new(tls::read(files)?))));
    let read = files::listeners(config).map(read);
    read.collect::<Result<_, tls::BadTls>>().map_err(Failure::new)
}

fn acceptor_of(all: &[(&str, Arc<Acceptor>)], section: &str) -> Option<Arc<Acceptor>> {
    all.iter().find(|(other, _)| *other == section).map(|(_, acceptor)| Arc::clone(acceptor))
}

async fn upkeep(
    store: Store,
    authority: Authority,
    operations: Operations,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut pause = SETTLED;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(()),
        }
        pause = FORGET_EVERY;
        memory::give_back();
        let now = clock.now();
        if let Err(error) = store.forget(now).await {
            tracing::warn!(%error, "what has ended could not be forgotten");
        }
        if let Err(error) = authority.keys().tend(now).await {
            tracing::warn!(%error, "the signing keys could not be tended");
        }
        if let Err(error) = authority.tell_of_ends(now).await {
            tracing::warn!(%error, "people could not be told that their tokens end");
        }
        operations.upkeep();
    }
}
