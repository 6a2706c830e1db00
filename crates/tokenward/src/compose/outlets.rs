//! Whom findings are told, as configured, and the task that does it.

use std::fmt::Display;
use std::path::Path;

use detect::policy::family::Detectors;
use notify::filter::Filter;
use notify::notifier::Notifier;
use notify::outlet::{Outlet, Way};
use notify::person::Person;
use notify::signals::{Receiver, Tries};
use notify::syslog::transport::Transport;
use notify::syslog::{Format, Syslog};
use notify::webhook::{Secrets, Webhook};
use remote::{Fetcher, Limits, Reach, tls};
use token::finding::Severity;
use token::secret::Secret;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::doubts;
use crate::command::Failure;
use crate::config::load::{self, Environment};
use crate::config::mail::Mode;
use crate::config::{self, Config};

/// The task that tells findings.
pub(super) struct Telling {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

/// Every outlet that is configured, in its order.
///
/// # Errors
/// [`Failure`] names the option that cannot be used.
pub(super) fn all(
    config: &Config,
    issuer: &str,
    asked: &Person,
    tries: &Tries,
) -> Result<Vec<Outlet>, Failure> {
    let part = &config.notify;
    let environment = load::environment();
    let host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let mut outlets = Vec::new();
    for (position, webhook) in part.webhooks.iter().enumerate() {
        let at = At(format!("notify.webhook[{position}]"));
        let way = self::webhook(webhook, part, &environment, &at)?;
        let filter = filter(webhook.severity, &webhook.detectors);
        outlets.push(Outlet { name: webhook.name.clone(), filter, way: Way::Webhook(way.into()) });
    }
    for (position, signals) in part.signals.iter().enumerate() {
        let at = At(format!("notify.signals[{position}]"));
        let way = match &signals.url {
            Some(url) => {
                Way::Signals(receiver(signals, url, part, &environment, tries, &at)?.into())
            }
            None => Way::Fetched(tries.clone()),
        };
        outlets.push(Outlet { name: signals.name.clone(), filter: Filter::default(), way });
    }
    for (position, syslog) in part.syslogs.iter().enumerate() {
        let at = At(format!("notify.syslog[{position}]"));
        let way = Way::Syslog(self::syslog(syslog, &host, &at)?);
        let filter = filter(syslog.severity, &syslog.detectors);
        outlets.push(Outlet { name: syslog.name.clone(), filter, way });
    }
    if config.mail.doubts && config.mail.mode != Mode::Off {
        outlets.push(doubts::outlet(asked));
    }
    Ok(outlets)
}

/// Where in the configuration a mistake is.
pub(super) struct At(pub(super) String);

fn webhook(
    part: &config::notify::Webhook,
    whole: &config::Notify,
    environment: &Environment,
    at: &At,
) -> Result<Webhook, Failure> {
    let url = Url::parse(&part.url).map_err(|error| at.wrong("url", error))?;
    let kept = (part.secret_file.as_deref(), part.secret_env.as_deref());
    let (member, text) = secret(kept, ("secret_file", "secret_env"), environment, at)?;
    let secrets = Secrets::parse(&text).map_err(|error| at.wrong(member, error))?;
    Ok(Webhook::new(url, secrets, fetcher(part.ca.as_deref(), whole, at)?))
}

fn receiver(
    part: &config::notify::Signals,
    url: &str,
    whole: &config::Notify,
    environment: &Environment,
    tries: &Tries,
    at: &At,
) -> Result<Receiver, Failure> {
    let url = Url::parse(url).map_err(|error| at.wrong("url", error))?;
    let kept = (part.token_file.as_deref(), part.token_env.as_deref());
    let token = token(kept, environment, at)?;
    let fetcher = fetcher(part.ca.as_deref(), whole, at)?;
    Ok(Receiver::new(url, token, fetcher, tries.clone()))
}

/// A bearer token in a file or in a variable.
pub(super) fn token(
    kept: (Option<&Path>, Option<&str>),
    environment: &Environment,
    at: &At,
) -> Result<Secret, Failure> {
    let (member, text) = secret(kept, ("token_file", "token_env"), environment, at)?;
    let token = Secret::new(text.expose().trim());
    let shown = token.expose();
    if shown.is_empty() || !shown.chars().all(|one| one.is_ascii_graphic()) {
        return Err(at.wrong(member, "there has to be one token of printable ASCII in it"));
    }
    Ok(token)
}

/// What is in a file or in a variable, and the member that named it.
fn secret<'m>(
    kept: (Option<&Path>, Option<&str>),
    (file, env): (&'m str, &'m str),
    environment: &Environment,
    at: &At,
) -> Result<(&'m str, Secret), Failure> {
    match kept {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| at.unreadable(file, path, error))?;
            Ok((file, Secret::new(text)))
        }
        (None, Some(name)) => {
            let text = environment.get(name);
            let text =
                text.ok_or_else(|| at.wrong(env, format_args!("the variable {name} is not set")))?;
            Ok((env, Secret::new(text.clone())))
        }
        (None, None) => Err(at.wrong(file, "there is no secret")),
    }
}

fn fetcher(ca: Option<&Path>, whole: &config::Notify, at: &At) -> Result<Fetcher, Failure> {
    let reach = Reach::public().and(whole.reach.iter().copied());
    Ok(Fetcher::trusting(trust(ca, at)?, reach, Limits::default()))
}

fn syslog(part: &config::notify::Syslog, host: &str, at: &At) -> Result<Syslog, Failure> {
    use config::notify as told;
    let (receiver, port) = (part.host.as_str(), part.port());
    let transport = match part.transport {
        told::Transport::Tcp => Transport::tcp(receiver, port),
        told::Transport::Tls => Transport::tls(receiver, port, trust(part.ca.as_deref(), at)?)
            .map_err(|error| at.wrong("host", error))?,
        told::Transport::Udp => Transport::udp(receiver, port),
    };
    let format = match part.format {
        told::Format::Cef => Format::Cef,
        told::Format::Ocsf => Format::Ocsf,
    };
    Ok(Syslog::new(host, format, transport))
}

fn trust(ca: Option<&Path>, at: &At) -> Result<rustls::ClientConfig, Failure> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| at.unreadable("ca", path, error));
    let pem = ca.map(read).transpose()?;
    tls::trust(pem.as_deref()).map_err(|error| at.wrong("ca", error))
}

/// The check of the configuration has read the names before.
fn filter(severity: Option<Severity>, names: &[String]) -> Filter {
    let mut detectors = Vec::new();
    for name in names {
        match name.parse::<Detectors>() {
            Ok(Detectors::All) => {
                detectors.clear();
                break;
            }
            Ok(Detectors::Family(family)) => detectors.extend(family.detectors()),
            Ok(Detectors::Named(name)) => detectors.push(name),
            Err(_) => {}
        }
    }
    let detectors = detectors.into_iter().map(str::to_owned).collect();
    Filter { severity: severity.unwrap_or(Severity::Low), detectors }
}

// === impl At ===

impl At {
    fn wrong(&self, member: &str, words: impl Display) -> Failure {
        Failure::new(format_args!("{}.{member}: {words}", self.0))
    }

    fn unreadable(&self, member: &str, path: &Path, error: std::io::Error) -> Failure {
        self.wrong(member, format_args!("{}: {error}", path.display()))
    }
}

// === impl Telling ===

impl Telling {
    /// Starts telling.
    pub(super) fn start(notifier: &Notifier) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(notifier.clone().run(stop.clone()));
        Self { task, stop }
    }

    /// Waits for what is under way; the rest is told by the next start.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that tells findings ended in a panic");
        }
    }
}
