//! Other issuers of the gateway: their keys are followed and their servers asked on the main runtime, and the
//! gateway's threads only wait for what comes of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gateway::{Answering, ForeignIssuer, IssuerServer, Prospect, accepted_audiences};
use metrics::{counter, gauge};
use remote::followed::FollowedKeys;
use remote::introspection::Introspector;
use remote::keys::{self, Freshness};
use remote::{Fetcher, Limits, Reach};
use serde_json::{Value, json};
use token::foreign::{AcceptedType, ForeignRules, ScopeSource};
use token::jws::normal_type;
use token::key::KeySet;
use token::keyring::Keyring;
use token::reference::Unavailable;
use token::secret::Secret;
use tokio::runtime::Handle;

use super::{key_files, longest_token_life};
use crate::command::Failure;
use crate::config::issuer::{Introspection, Issuer, NO_TYPE};
use crate::config::{self, Config, load};

const FETCHES: &str = "tokenward_issuer_key_fetches_total";
const AGE: &str = "tokenward_issuer_keys_age_seconds";
const INTROSPECTIONS: &str = "tokenward_issuer_introspections_total";
/// A request waits no longer for another issuer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Those that are in force.
#[derive(Clone, Default)]
pub(crate) struct Issuers(Arc<ArcSwap<Servers>>);

/// The servers of all of them, in the order of the configuration.
#[derive(Clone, Default)]
pub(super) struct Servers(Arc<[Arc<Server>]>);

/// One issuer's server. Its keys are followed for as long as somebody has it.
struct Server {
    issuer: String,
    /// What it was made of: with the same it goes on.
    source: Value,
    keys: Keys,
    introspector: Option<Arc<Introspector>>,
    runtime: Handle,
}

/// Where an issuer's keys are from.
enum Keys {
    /// From a file.
    Given(Arc<Keyring>),
    /// From the issuer.
    Followed(Arc<FollowedKeys>),
    /// There are none: it is asked about every token.
    None,
}

// === impl Issuers ===

impl Issuers {
    /// Begins to follow them, as [`Issuers::next`].
    ///
    /// # Errors
    /// [`Failure`] names the file or the variable that cannot be used.
    pub(super) fn start(part: Option<&config::Gateway>) -> Result<Self, Failure> {
        let own = Self::default();
        if let Some(part) = part {
            own.replace(own.next(part)?);
        }
        Ok(own)
    }

    /// Those that are in force.
    pub(super) fn current(&self) -> Servers {
        Servers::clone(&self.0.load())
    }

    /// From now on these are.
    pub(super) fn replace(&self, next: Servers) {
        self.0.store(Arc::new(next));
    }

    /// Those of a configuration. Who is known goes on with what is known of their keys; others are followed from
    /// here on, on the runtime that this is called in. One that is down is no failure.
    ///
    /// # Errors
    /// [`Failure`] names the file or the variable that cannot be used.
    pub(super) fn next(&self, part: &config::Gateway) -> Result<Servers, Failure> {
        if part.issuers.is_empty() {
            return Ok(Servers::default());
        }
        metrics::describe_counter!(FETCHES, "Fetches of other issuers' keys");
        metrics::describe_gauge!(AGE, "Seconds since an issuer's keys were fetched");
        metrics::describe_counter!(INTROSPECTIONS, "Questions to other issuers about tokens");
        let limits = Limits { time: PATIENCE, ..Limits::default() };
        let reach = Reach::public().and(part.reach.iter().copied());
        let fetcher = Fetcher::new(reach, limits).map_err(Failure::new)?;
        let known = self.current();
        let server = |issuer: &Issuer| {
            let source = source(issuer, part);
            match known.0.iter().find(|server| server.source == source) {
                Some(known) => Ok(Arc::clone(known)),
                None => Server::start(issuer, source, &fetcher).map(Arc::new),
            }
        };
        let servers = part.issuers.iter().map(server);
        servers.collect::<Result<Vec<_>, _>>().map(|servers| Servers(servers.into()))
    }

    /// Those whose tokens cannot be checked yet, as their keys were never had.
    pub(crate) fn without_keys(&self) -> Vec<String> {
        let lacks = |server: &&Arc<Server>| {
            server.keyring().is_some_and(|keyring| keyring.current().is_empty())
        };
        self.current().0.iter().filter(lacks).map(|server| server.issuer.clone()).collect()
    }

    /// Puts what is known of their keys among the metrics.
    pub(crate) fn measure(&self) {
        for server in self.current().0.iter() {
            let Keys::Followed(keys) = &server.keys else { continue };
            let outcomes = keys.outcomes();
            let issuer = || server.issuer.clone();
            counter!(FETCHES, "issuer" => issuer(), "outcome" => "good").absolute(outcomes.good);
            counter!(FETCHES, "issuer" => issuer(), "outcome" => "failed")
                .absolute(outcomes.failed);
            if let Some(age) = keys.age() {
                gauge!(AGE, "issuer" => issuer()).set(age.as_secs_f64());
            }
        }
    }
}

// === impl Servers ===

impl Servers {
    /// The same as the gateway takes them.
    ///
    /// # Errors
    /// [`Failure`] when a claim is named that is none.
    pub(super) fn of_gateway(
        &self,
        settings: &gateway::Settings,
        part: &config::Gateway,
        config: &Config,
    ) -> Result<Vec<ForeignIssuer>, Failure> {
        let foreign = |(issuer, server): (&Issuer, &Arc<Server>)| {
            Ok(ForeignIssuer {
                rules: rules(issuer, settings, longest_token_life(config))?,
                keyring: server.keyring(),
                introspection: issuer.introspection.as_ref().map(|part| gateway::Introspection {
                    prefix: part.prefix.clone(),
                    keep: part.cache.duration(),
                }),
                server: Arc::clone(server) as Arc<dyn IssuerServer>,
            })
        };
        part.issuers.iter().zip(self.0.iter()).map(foreign).collect()
    }

    /// The keys of those whose keys are in files, read again; to be put into the keyrings.
    ///
    /// # Errors
    /// [`Failure`] names the file that cannot be used.
    pub(super) fn given(
        &self,
        part: &config::Gateway,
    ) -> Result<Vec<(Arc<Keyring>, KeySet)>, Failure> {
        let given =
            |(issuer, server): (&Issuer, &Arc<Server>)| match (&server.keys, &issuer.jwks_file) {
                (Keys::Given(keyring), Some(file)) => {
                    Some(key_files::set(file).map(|keys| (Arc::clone(keyring), keys)))
                }
                _ => None,
            };
        part.issuers.iter().zip(self.0.iter()).filter_map(given).collect()
    }
}

// === impl Server ===

impl Server {
    fn start(configured: &Issuer, source: Value, fetcher: &Fetcher) -> Result<Self, Failure> {
        let runtime = Handle::current();
        let keys = match (&configured.jwks_file, &configured.jwks_uri) {
            (Some(file), _) => Keys::Given(Arc::new(Keyring::new(key_files::set(file)?))),
            (None, None) if configured.introspection.is_some() => Keys::None,
            (None, uri) => {
                let uri = uri.as_deref().map(str::parse).transpose().map_err(Failure::new)?;
                let name = configured.issuer.as_str();
                let keys = FollowedKeys::new(fetcher.clone(), name, uri, Freshness::default());
                let keys = Arc::new(keys);
                runtime.spawn(Arc::clone(&keys).follow());
                Keys::Followed(keys)
            }
        };
        let introspector = configured.introspection.as_ref();
        let introspector = introspector.map(|part| introspector_of(part, fetcher)).transpose()?;
        Ok(Self {
            issuer: configured.issuer.clone(),
            source,
            keys,
            introspector: introspector.map(Arc::new),
            runtime,
        })
    }

    fn keyring(&self) -> Option<Arc<Keyring>> {
        match &self.keys {
            Keys::Given(keyring) => Some(Arc::clone(keyring)),
            Keys::Followed(keys) => Some(Arc::clone(keys.keyring())),
            Keys::None => None,
        }
    }
}

impl IssuerServer for Server {
    fn prospect(&self, kid: &str) -> Prospect {
        match &self.keys {
            Keys::Followed(keys) => match keys.prospect(kid) {
                keys::Prospect::Absent => Prospect::Absent,
                keys::Prospect::Asks => Prospect::Asks,
                keys::Prospect::NotNow => Prospect::NotNow,
            },
            Keys::Given(_) | Keys::None => Prospect::Absent,
        }
    }

    fn look_for<'a>(&'a self, kid: &'a str) -> Answering<'a, Result<(), Unavailable>> {
        Box::pin(async move {
            let Keys::Followed(keys) = &self.keys else { return Ok(()) };
            let (keys, kid) = (Arc::clone(keys), kid.to_owned());
            // By itself: a client that goes away must not cut a fetch off that others wait for.
            let looked = self.runtime.spawn(async move {
                keys.look_for(&kid).await || keys.prospect(&kid) == keys::Prospect::Absent
            });
            let answered = looked.await.map_err(|_| Unavailable)?;
            if answered { Ok(()) } else { Err(Unavailable) }
        })
    }

    fn introspect<'a>(&'a self, token: &'a str) -> Answering<'a, Result<Bytes, Unavailable>> {
        Box::pin(async move {
            let introspector = self.introspector.clone().ok_or(Unavailable)?;
            let token = Secret::new(token);
            let asked = self.runtime.spawn(async move { introspector.ask(token.expose()).await });
            let answer = asked.await.map_err(|_| Unavailable)?;
            let outcome = if answer.is_ok() { "answered" } else { "failed" };
            counter!(INTROSPECTIONS, "issuer" => self.issuer.clone(), "outcome" => outcome)
                .increment(1);
            answer.map_err(|error| {
                tracing::warn!(issuer = self.issuer, %error, "an issuer cannot be asked about tokens");
                Unavailable
            })
        })
    }
}

/// What decides where an issuer's keys come from and how it is asked, and nothing else.
fn source(issuer: &Issuer, part: &config::Gateway) -> Value {
    let Issuer { issuer: name, jwks_uri, jwks_file, introspection, .. } = issuer;
    json!([name, jwks_uri, jwks_file, introspection, part.reach])
}

/// Reads the secrets with which issuers are asked about tokens.
///
/// # Errors
/// [`Failure`] names the file or the variable that cannot be used.
pub(super) fn secrets(part: Option<&config::Gateway>) -> Result<(), Failure> {
    let issuers = part.iter().flat_map(|part| &part.issuers);
    issuers.filter_map(|issuer| issuer.introspection.as_ref()).try_for_each(|part| {
        secret_of(part)?;
        Ok(())
    })
}

fn introspector_of(part: &Introspection, fetcher: &Fetcher) -> Result<Introspector, Failure> {
    let secret = secret_of(part)?;
    let url = part.url.parse().map_err(Failure::new)?;
    Introspector::new(fetcher.clone(), url, &part.client_id, &secret).map_err(Failure::new)
}

fn secret_of(part: &Introspection) -> Result<Secret, Failure> {
    Ok(match (&part.client_secret_file, &part.client_secret_env) {
        (Some(file), _) => secret_in(file)?,
        (None, Some(name)) => {
            let environment = load::environment();
            let missing = || Failure::new(format_args!("{name}: the variable is not set"));
            Secret::new(environment.get(name).ok_or_else(missing)?)
        }
        (None, None) => Secret::new(""),
    })
}

pub(super) fn secret_in(file: &Path) -> Result<Secret, Failure> {
    let wrong = |what: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: the client's secret: {what}", file.display()))
    };
    let text = std::fs::read_to_string(file).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| wrong(&error))?;
    // Editors end a file with a line break.
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong(&"the file is empty")),
        secret => Ok(Secret::new(secret)),
    }
}

pub(super) fn rules(
    issuer: &Issuer,
    settings: &gateway::Settings,
    longest_life: Duration,
) -> Result<ForeignRules, Failure> {
    let path = |claim: &String| claim.parse().map_err(Failure::new);
    let scope = |claim: &str, prefix: &str| {
        let claim = claim.parse().map_err(Failure::new)?;
        Ok(ScopeSource { claim, prefix: prefix.to_owned() })
    };
    let scopes: Result<Vec<_>, Failure> = match issuer.scopes.as_slice() {
        [] => ["scope", "scp"].iter().map(|claim| scope(claim, "")).collect(),
        some => some.iter().map(|one| scope(&one.claim, &one.prefix)).collect(),
    };
    let client = match issuer.client.as_slice() {
        [] => vec![path(&"client_id".to_owned())?, path(&"azp".to_owned())?],
        some => some.iter().map(path).collect::<Result<_, _>>()?,
    };
    let required = issuer.required.iter().map(|(claim, value)| Ok((path(claim)?, value.clone())));
    Ok(ForeignRules {
        issuer: Arc::new(issuer.issuer.as_str().to_owned()),
        audiences: accepted_audiences(settings, &issuer.audiences),
        algorithms: issuer.algorithms.clone(),
        types: types(&issuer.types),
        scopes: scopes?,
        subject: path(&issuer.subject)?,
        client,
        required: required.collect::<Result<_, Failure>>()?,
        longest_life,
        leeway: settings.leeway,
    })
}

fn types(configured: &[String]) -> Vec<AcceptedType> {
    let one = |typ: &String| match typ.as_str() {
        NO_TYPE => AcceptedType::Absent,
        typ => AcceptedType::Named(normal_type(typ)),
    };
    match configured {
        [] => vec![AcceptedType::Named(token::term::token_type::ACCESS_TOKEN.to_owned())],
        some => some.iter().map(one).collect(),
    }
}
