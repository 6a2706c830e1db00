//! Everything is built here, in the order in which traffic meets it, and stopped in reverse.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use authority::Authority;
use authority::keys::{KeySchedule, SigningKeys};
use gateway::Gateway;
use gateway::policy::Policies;
use policy::Engine;
use remote::{Fetcher, Limits, Reach};
use store::{MasterKey, Store};
use token::random::{OsRandom, Random};
use token::time::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::command::Failure;
use crate::config::{self, Config};
use crate::listen::census::Census;
use crate::listen::tls::Acceptor;
use crate::listen::{self, Bound, Terms};
use crate::operations::{self, Operations};

mod answers;
mod auth;
mod browser_app;
mod client_ca;
mod door;
pub(crate) mod gateway_parts;
mod issuers;
mod key_files;
mod letters;
pub(crate) mod policies;
mod record;
pub(crate) mod rehearsal;
mod settings;
mod trusted;
mod upstream;
mod watcher;

use auth::AuthListener;
use door::GatewayDoor;
pub(crate) use door::{CertificateField, ControlDoor};
pub(crate) use issuers::Issuers;
use letters::Carrying;
use watcher::Watcher;

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
    policies: Option<Arc<Engine>>,
    pub(crate) store: Store,
    operations: Operations,
    watcher: Watcher,
    courier: Option<mail::Courier>,
    pub(crate) clock: Arc<dyn Clock>,
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
        retire_after: longest_token_life(config),
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
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(OsRandom::new());
        let metrics = operations::start_metrics();
        let issuers = Issuers::start(config.gateway.as_ref())?;
        let operations = Operations::new(store.clone(), metrics, issuers.clone());
        let watcher = Watcher::start(&config.detect, &store, &clock, &random)?;
        let events = watcher.sink();
        let keys = Arc::new(load_keys(&config, &store, clock.now()).await?);
        let (outbox, courier) = letters::outbox(&config.mail)?;
        let parts = authority::Parts {
            store: store.clone(),
            keys,
            events: Arc::clone(&events),
            clock: Arc::clone(&clock),
            random,
            fetcher: fetcher(&config.authority),
            certificate_trust: client_ca::trust(&config.authority)?,
            nonces: config.authority.dpop_nonce.then(gateway_parts::nonces),
            outbox,
        };
        let authority =
            Authority::new(settings::authority(&config, &sockets)?, parts).map_err(Failure::new)?;
        authority.resume().await.map_err(Failure::new)?;
        let mut policies = None;
        let gateway = match &config.gateway {
            Some(part) => {
                policies = policies::shared(part)?;
                let (settings, mut parts) =
                    gateway_parts::all(part, &sockets, &config, &authority, &events, &clock)?;
                parts.policies = policies.clone().map(|engine| engine as Arc<dyn Policies>);
                parts.issuers = issuers.of_gateway(&settings, part, &config)?;
                Some(Gateway::new(settings, parts).map_err(Failure::new)?)
            }
            None => None,
        };
        Ok(Self {
            config,
            sockets,
            authority,
            gateway,
            policies,
            store,
            operations,
            watcher,
            courier,
            clock,
        })
    }

    /// Serves until `stop`, calling `ready` once every listener answers; then finishes what is in flight, writes what waits, and returns.
    ///
    /// # Errors
    /// [`Failure`] when a listener or a thread cannot be started.
    pub(crate) async fn serve(
        self,
        stop: CancellationToken,
        ready: impl FnOnce(),
    ) -> Result<(), Failure> {
        let Self {
            config,
            sockets,
            authority,
            gateway,
            policies,
            store,
            operations,
            watcher,
            courier,
            clock,
        } = self;
        let drain = config.drain.duration();
        let carrying = courier.map(Carrying::start);
        let mut control = tokio::task::JoinSet::new();
        let part = &config.authority;
        let field = CertificateField::new(&part.client_certificate_field, &part.trusted_proxies);
        let door = ControlDoor::new(authority.router(), field);
        let tls = acceptor(part.tls.as_ref(), &stop)?;
        let terms = Terms {
            tls,
            proxies: Arc::new(part.proxies()),
            proxy_protocol: part.proxy_protocol,
            patience: part.connections.patience(),
            census: census(&part.connections),
        };
        control.spawn(listen::serve(sockets.authority, terms, door, stop.clone(), drain));
        if let (Some(bound), Some(part)) = (sockets.admin, &config.admin) {
            let requests = gateway.as_ref().map(Gateway::explainer);
            let parts = console::Parts { authority: authority.clone(), requests };
            let router = console::router(parts, operations.clone().router());
            let tls = acceptor(part.tls.as_ref(), &stop)?;
            let door = ControlDoor::new(router, CertificateField::default());
            let terms = Terms { tls, ..Terms::default() };
            control.spawn(listen::serve(bound, terms, door, stop.clone(), drain));
        }
        let mut threads = Vec::new();
        if let (Some(bound), Some(part), Some(gateway)) =
            (sockets.gateway, &config.gateway, gateway)
        {
            let (watching, stopped) = (gateway.watch_servers(), stop.clone());
            control.spawn(async move {
                tokio::select! { () = watching => {} () = stopped.cancelled() => {} }
                Ok(())
            });
            let tls = acceptor(part.tls.as_ref(), &stop)?;
            let terms = Terms {
                tls,
                proxies: Arc::new(part.proxies()),
                proxy_protocol: part.proxy_protocol,
                patience: part.connections.patience(),
                census: census(&part.connections),
            };
            let auth = AuthListener::new(sockets.auth, part, policies, &stop)?;
            threads = data_plane(bound, part, &gateway, &terms, auth.as_ref(), &stop, drain)?;
        }
        let waiting = authority.clone();
        control.spawn(upkeep(store.clone(), authority, operations.clone(), clock, stop.clone()));
        operations.set_ready(true);
        ready();
        stop.cancelled().await;
        operations.set_ready(false);
        waiting.stop_waiting();
        while let Some(ended) = control.join_next().await {
            ended.map_err(Failure::new)?.map_err(Failure::new)?;
        }
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().all(|thread| thread.join().is_ok())
        });
        if !joined.await.unwrap_or(false) {
            tracing::error!("a gateway thread ended in a panic");
        }
        if let Some(carrying) = carrying {
            carrying.stop().await;
        }
        watcher.stop().await;
        store.close().await;
        Ok(())
    }
}

/// What fetches the keys of clients. A machine without certificate authorities fetches nothing.
fn fetcher(config: &config::Authority) -> Option<Fetcher> {
    let reach = Reach::public().and(config.reach.iter().copied());
    let made = Fetcher::new(reach, Limits::default());
    made.inspect_err(|error| tracing::warn!(%error, "the keys of clients cannot be fetched")).ok()
}

fn census(part: &config::Connections) -> Arc<Census> {
    Census::new(part.most, part.most_per_network)
}

fn acceptor(
    files: Option<&config::Tls>,
    stop: &CancellationToken,
) -> Result<Option<Arc<Acceptor>>, Failure> {
    let Some(files) = files else { return Ok(None) };
    let acceptor = Acceptor::new(files).map_err(Failure::new)?;
    tokio::spawn(Arc::clone(&acceptor).watch(stop.clone()));
    Ok(Some(acceptor))
}

/// One thread for each processor, each with a runtime and upstream connections of its own:
/// a third cheaper than tasks that wander between threads (measured).
fn data_plane(
    bound: Bound,
    part: &config::Gateway,
    gateway: &Gateway,
    terms: &Terms,
    auth: Option<&AuthListener>,
    stop: &CancellationToken,
    drain: Duration,
) -> Result<Vec<JoinHandle<()>>, Failure> {
    let count = match part.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    };
    (0..count)
        .map(|number| {
            let bound = bound.share().map_err(Failure::new)?;
            let auth = auth.map(AuthListener::share).transpose().map_err(Failure::new)?;
            let (terms, stop) = (terms.clone(), stop.clone());
            let gateway = gateway.clone();
            let field =
                CertificateField::new(&part.client_certificate_field, &part.trusted_proxies);
            let run = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let served = runtime.and_then(|runtime| {
                    let worker = gateway.worker();
                    let watching = worker.clone();
                    let door = GatewayDoor::new(worker, field);
                    let own = listen::serve(bound, terms, door, stop.clone(), drain);
                    runtime.block_on(async {
                        tokio::spawn(async move { watching.watch_queue().await });
                        match auth {
                            Some(auth) => {
                                tokio::try_join!(own, auth.serve(&gateway, stop, drain)).map(drop)
                            }
                            None => own.await,
                        }
                    })
                });
                if let Err(error) = served {
                    tracing::error!(%error, "a gateway thread ended");
                }
            };
            std::thread::Builder::new()
                .name(format!("gateway-{number}"))
                .spawn(run)
                .map_err(Failure::new)
        })
        .collect()
}

async fn upkeep(
    store: Store,
    authority: Authority,
    operations: Operations,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let mut pause = SETTLED;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(()),
        }
        pause = FORGET_EVERY;
        give_back();
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

/// The allocator gives freed memory back to the system when something large is freed some time
/// later: on an idle server nothing is, and the 19 MiB of a password hash would stay.
fn give_back() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
}
