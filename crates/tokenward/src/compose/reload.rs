//! The configuration that is in force, and its being read again: applied whole, or refused whole.
//!
//! Everything that can fail is done before anything is replaced. What is replaced then is the snapshot that
//! requests are served by, the certificates of listeners and the keys of other issuers that are in files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::policy::Engine;
use arc_swap::ArcSwap;
use console::configuration::{Applied, Configuration, NotApplied, Reloading, Status};
use detect::policy::Standing;
use store::Store;
use token::client_address::TrustedProxies;
use token::time::Clock;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinHandle;

use super::Issuers;
use super::live::Live;
use crate::config::files::{self, Looked};
use crate::config::load::{self, Environment, Mistakes};
use crate::config::{Config, difference};
use crate::listen::tls::{self, Acceptor};

mod prepare;
mod told;
pub(super) mod watch;

/// Where a configuration comes from.
pub(crate) struct Source {
    file: PathBuf,
    /// What is put over it.
    environment: Environment,
    /// The file as it was before it was read for the first time.
    looked: Looked,
}

/// Why a configuration is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// An administrator asks for it, which the admin API writes down.
    Administrator,
    /// The process got SIGHUP.
    Signal,
    /// A file has changed.
    Files,
}

/// What does not change while the process runs.
pub(super) struct Fixed {
    pub(super) issuer: String,
    pub(super) resource: String,
    /// The URL of the listener where proxies of other makers ask.
    pub(super) auth_url: Option<String>,
    pub(super) issuers: Issuers,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// The listeners with TLS, by their sections.
    pub(super) acceptors: Vec<(&'static str, Arc<Acceptor>)>,
    /// `None` where there is no gateway.
    pub(super) live: Option<Arc<Live>>,
    /// The proxies in front of the gateway, which its listener knows too.
    pub(super) proxies: Arc<ArcSwap<TrustedProxies>>,
    /// What is done about findings.
    pub(super) responses: Arc<Standing>,
}

/// What is in force; held by whoever replaces it.
pub(super) struct Held {
    config: Config,
    /// What the gateway is made of beside its settings; `None` where there is none.
    parts: Option<gateway::Parts>,
    policies: Option<Arc<Engine>>,
    /// The files that `config` names.
    named: Vec<files::Named>,
    /// The same as they were before they were read.
    looked: Looked,
    /// What the last attempt was made of.
    tried: Tried,
}

/// Files whose change is a reason to try again.
struct Tried {
    /// As they were.
    looked: Looked,
    /// The configurations that name some by patterns: the one in force, and one that was refused.
    named_by: Vec<Config>,
}

/// Reads the configuration again.
pub(crate) struct Reloader {
    source: Option<Source>,
    fixed: Fixed,
    held: Arc<AsyncMutex<Held>>,
    status: Mutex<Status>,
    /// Asks the servers of upstreams whether they are well.
    asking: Mutex<Option<JoinHandle<()>>>,
}

// === impl Source ===

impl Source {
    /// This file, which is looked at here and has to be read later.
    pub(crate) fn new(file: PathBuf, environment: Environment) -> Self {
        let looked = files::look([file.as_path()]);
        Self { file, environment, looked }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Mistakes`] with what is wrong.
    pub(crate) fn load(&self) -> Result<Config, Mistakes> {
        load::load(&self.file, &self.environment)
    }

    /// The environment's part.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

// === impl Held ===

impl Held {
    /// What is in force from the start.
    pub(super) fn new(
        config: Config,
        parts: Option<gateway::Parts>,
        policies: Option<Arc<Engine>>,
        looked: Looked,
        source: Option<&Source>,
    ) -> Self {
        let mut tried = Tried { looked: looked.clone(), named_by: vec![config.clone()] };
        tried.looked.extend(source.into_iter().flat_map(|source| source.looked.clone()));
        let named = files::all(&config);
        Self { config, parts, policies, named, looked, tried }
    }
}

// === impl Reloader ===

impl Reloader {
    /// With what is in force from the start. To be called in the runtime that asks servers how they are.
    pub(super) fn new(source: Option<Source>, fixed: Fixed, held: Held) -> Arc<Self> {
        told::describe();
        let status = Status {
            file: source.as_ref().map(|source| source.file.display().to_string()),
            version: 1,
            since: fixed.clock.now(),
            refused: None,
        };
        let (status, asking) = (Mutex::new(status), Mutex::default());
        let reloader =
            Self { source, fixed, held: Arc::new(AsyncMutex::new(held)), status, asking };
        reloader.ask_servers();
        Arc::new(reloader)
    }

    /// Reads the configuration and its files, and applies them if something has changed and all is good.
    ///
    /// # Errors
    /// [`NotApplied`]; everything is as it was then, but for certificates of listeners that were renewed: that
    /// does not wait until somebody mends a rule.
    pub(super) async fn read(self: &Arc<Self>, cause: Cause) -> Result<Applied, NotApplied> {
        let own = Arc::clone(self);
        // By itself: a client that goes away must not cut it off half-way.
        let done = tokio::spawn(async move {
            let held = Arc::clone(&own.held).lock_owned().await;
            let trying = Arc::clone(&own);
            let tried = tokio::task::spawn_blocking(move || {
                let mut held = held;
                let source = trying.source.as_ref().ok_or(NotApplied::NoFile)?;
                let tried = trying.attempt(&mut held, source);
                if tried.is_err() {
                    trying.renew(&mut held);
                }
                trying.told(tried, source, cause)
            });
            let outcome = tried.await.unwrap_or_else(|error| Err(failed(&error)));
            own.recorded(cause, &outcome).await;
            outcome
        });
        done.await.unwrap_or_else(|error| Err(failed(&error)))
    }

    /// Has it stop asking servers.
    pub(super) fn stop(&self) {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(asking) = asking {
            asking.abort();
        }
    }

    fn attempt(&self, held: &mut Held, source: &Source) -> Result<Vec<String>, Mistakes> {
        // Files are looked at before they are read: what changes meanwhile is seen as a change.
        let file = source.file.as_path();
        held.tried = Tried::of(file, &[&held.config]);
        let text = load::text(file)?;
        let config = load::unchecked(file, &text, &source.environment)?;
        held.tried = Tried::of(file, &[&held.config, &config]);
        let looked = held.tried.looked.clone();
        let config = load::checked(file, &text, config)?;
        let at = |found| Mistakes::at(file, &text, found);
        let mut changed = difference::changed(&held.config, &config);
        let fixed = changed.iter().filter(|key| !difference::is_live(key));
        let words = "needs a restart: it cannot change while the program runs";
        let fixed: Vec<_> = fixed.map(|key| (key.clone(), words.to_owned())).collect();
        if !fixed.is_empty() {
            return Err(at(fixed));
        }
        let named = files::all(&config);
        let of_files = files::changed(&named, &held.named, &held.looked, &looked);
        changed
            .extend(of_files.into_iter().filter(|key| !changed.contains(key)).collect::<Vec<_>>());
        if !changed.is_empty() {
            let next = prepare::next(&self.fixed, held, &config, &changed).map_err(at)?;
            next.apply(&self.fixed, held);
            self.ask_servers();
        }
        let as_read =
            |(_, file): &files::Named| (file.clone(), looked.get(file).copied().flatten());
        held.looked = named.iter().map(as_read).collect();
        held.tried.looked.retain(|one, _| one == file || held.looked.contains_key(one));
        held.tried.named_by = vec![config.clone()];
        held.named = named;
        held.config = config;
        Ok(changed)
    }

    /// Certificates that were renewed are used although the configuration is refused, where they are good.
    fn renew(&self, held: &mut Held) {
        let named = files::certificates(&held.config);
        let looked = files::look(named.iter().map(|(_, file)| file.as_path()));
        let changed = files::changed(&named, &[], &held.looked, &looked);
        for (section, files) in files::listeners(&held.config) {
            let begins = format!("{section}.tls.");
            let acceptor = self.fixed.acceptors.iter().find(|(other, _)| *other == section);
            let Some((_, acceptor)) =
                acceptor.filter(|_| changed.iter().any(|key| key.starts_with(&begins)))
            else {
                continue;
            };
            match tls::read(files) {
                Ok(read) => {
                    acceptor.replace(read);
                    for file in [&files.certificate, &files.key] {
                        held.looked.insert(file.clone(), looked.get(file).copied().flatten());
                    }
                    tracing::info!(section, "a renewed certificate is in use");
                }
                // Half of the pair may still be to come: the old one stays in use.
                Err(error) => tracing::warn!(section, %error, "a changed certificate is not used"),
            }
        }
    }

    /// Asks the servers of the upstreams that are in force, and no others any more.
    fn ask_servers(&self) {
        let Some(live) = &self.fixed.live else { return };
        let asking = tokio::spawn(live.current().gateway.watch_servers());
        let mut current = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = current.replace(asking) {
            before.abort();
        }
    }
}

/// What an administrator asks.
pub(super) struct Desk(pub(super) Arc<Reloader>);

impl Configuration for Desk {
    fn status(&self) -> Status {
        self.0.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reload(&self) -> Reloading<'_> {
        Box::pin(self.0.read(Cause::Administrator))
    }
}

/// A defect of ours: the cause goes to the log alone.
fn failed(cause: &dyn std::fmt::Display) -> NotApplied {
    tracing::error!(%cause, "the configuration could not be read again");
    let words = "this failed; the server's log says why".to_owned();
    NotApplied::Refused { mistakes: Vec::new(), words }
}

// === impl Tried ===

impl Tried {
    /// The configuration file, and all that these name.
    pub(super) fn of(file: &Path, named_by: &[&Config]) -> Self {
        let named = named_by.iter().flat_map(|config| files::all(config)).map(|(_, file)| file);
        let all: Vec<PathBuf> = std::iter::once(file.to_owned()).chain(named).collect();
        let looked = files::look(all.iter().map(PathBuf::as_path));
        Self { looked, named_by: named_by.iter().map(|config| (*config).clone()).collect() }
    }

    /// The same files as they are now, and others that fit a pattern by now.
    fn now(&self) -> Looked {
        let fitting = self.named_by.iter().flat_map(files::by_pattern);
        let all: Vec<PathBuf> = self.looked.keys().cloned().chain(fitting).collect();
        files::look(all.iter().map(PathBuf::as_path))
    }
}

/// When the process has looked at its files for the first time.
pub(super) fn first_look(config: &Config) -> Looked {
    let named = files::all(config);
    files::look(named.iter().map(|(_, file)| file.as_path()))
}
