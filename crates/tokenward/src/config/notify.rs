//! `[notify]`: whom findings are told, and which ones; who gets security events.

use std::path::PathBuf;

use authority::signals::event::EventType;
use detect::policy::family::Detectors;
use ipnet::IpNet;
use notify::letters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::finding::Severity;
use url::Url;

use super::check::{Finding, on_loopback};

/// The outlet by which people are asked about findings that concern them.
pub(crate) const PEOPLE: &str = "people";

/// Whom findings are told. What could not be told waits in the store, also through a restart, and is tried
/// for a day.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notify {
    /// Networks, besides the public internet, that webhooks and security events may lead to.
    #[schemars(with = "Vec<String>")]
    pub(crate) reach: Vec<IpNet>,
    /// Requests with findings, to URLs.
    #[serde(rename = "webhook", skip_serializing_if = "Vec::is_empty")]
    pub(crate) webhooks: Vec<Webhook>,
    /// Security events (Shared Signals Framework 1.0), to those who know the same people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) signals: Vec<Signals>,
    /// Messages with findings, to receivers of syslog.
    #[serde(rename = "syslog", skip_serializing_if = "Vec::is_empty")]
    pub(crate) syslogs: Vec<Syslog>,
}

/// A request with every finding, signed as Standard Webhooks 1.0 has it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Its name: letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// Where the requests go: an https URL; http on this machine alone.
    pub(crate) url: String,
    /// File with the secret that requests are signed with: `whsec_` and the base64 of 24 to 64 random bytes.
    /// With several, one in each line, requests have a signature of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Environment variable with the same, in place of the file. It has to begin with `TOKENWARD_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_env: Option<String>,
    /// Only findings that are at least so bad: `low`, `medium`, `high` or `critical`. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) severity: Option<Severity>,
    /// Only findings of these detectors, by their names or families (`sign_in`, `tokens`, `traffic`). Empty:
    /// all.
    #[serde(default)]
    pub(crate) detectors: Vec<String>,
    /// PEM file with the authorities that the receiver's certificate may be of, in place of those of the
    /// system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

/// Security event tokens, pushed to a receiver (RFC 8935) or fetched by it (RFC 8936) whenever something happens to
/// one of our people: a sign-in is ended, a password is changed, an account is disabled.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signals {
    /// Its name: letters, digits, `-` and `_`; also the id of the stream.
    pub(crate) name: String,
    /// Where the tokens go: an https URL; http on this machine alone. Absent: the receiver fetches them at
    /// `/ssf/poll/NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The audience of the tokens, as the receiver wants it.
    pub(crate) audience: String,
    /// File with the bearer token that shows the receiver who we are; or us who the receiver is, where it fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// Environment variable with the same, in place of the file. It has to begin with `TOKENWARD_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_env: Option<String>,
    /// Only these: `account_disabled`, `account_enabled`, `account_purged`, `credential_change`,
    /// `credential_compromise`, `session_revoked`. Empty: all.
    #[serde(default)]
    pub(crate) events: Vec<String>,
    /// PEM file with the authorities that the receiver's certificate may be of, in place of those of the
    /// system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

/// A message of syslog (RFC 5424) with every finding. The receiver may be anywhere.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Syslog {
    /// Its name: letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// The receiver's name or address. With `tls` its certificate has to be for it.
    pub(crate) host: String,
    /// Its port. Absent: 6514 with `tls`, 601 with `tcp`, 514 with `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// `tls`; `tcp`, which anybody in between can read and change; `udp`, with which nobody knows what arrives
    /// either.
    #[serde(default)]
    pub(crate) transport: Transport,
    /// `ocsf`, JSON of the class Detection Finding; `cef`, ArcSight's Common Event Format.
    #[serde(default)]
    pub(crate) format: Format,
    /// PEM file with the authorities that the receiver's certificate may be of, in place of those of the
    /// system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// Only findings that are at least so bad: `low`, `medium`, `high` or `critical`. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) severity: Option<Severity>,
    /// Only findings of these detectors, by their names or families (`sign_in`, `tokens`, `traffic`). Empty:
    /// all.
    #[serde(default)]
    pub(crate) detectors: Vec<String>,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// In connections.
    Tcp,
    /// In connections with TLS.
    #[default]
    Tls,
    /// As datagrams.
    Udp,
}

/// What is in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Common Event Format.
    Cef,
    /// Open Cybersecurity Schema Framework.
    #[default]
    Ocsf,
}

// === impl Notify ===

impl Notify {
    /// What is wrong with it.
    pub(super) fn check(&self, found: &mut Vec<Finding>) {
        let mut names: Vec<&str> = Vec::new();
        for (position, webhook) in self.webhooks.iter().enumerate() {
            let at = |member: &str| format!("notify.webhook[{position}].{member}");
            name(&webhook.name, &mut names, at("name"), found);
            detectors(&webhook.detectors, at("detectors"), found);
            webhook.check(&at, found);
        }
        for (position, signals) in self.signals.iter().enumerate() {
            let at = |member: &str| format!("notify.signals[{position}].{member}");
            name(&signals.name, &mut names, at("name"), found);
            signals.check(&at, found);
        }
        for (position, syslog) in self.syslogs.iter().enumerate() {
            let at = |member: &str| format!("notify.syslog[{position}].{member}");
            name(&syslog.name, &mut names, at("name"), found);
            detectors(&syslog.detectors, at("detectors"), found);
            if syslog.ca.is_some() && syslog.transport != Transport::Tls {
                found.push((at("ca"), "is for the transport `tls` alone".to_owned()));
            }
        }
    }
}

pub(super) fn name<'c>(
    name: &'c str,
    names: &mut Vec<&'c str>,
    at: String,
    found: &mut Vec<Finding>,
) {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_".contains(one);
    if name == PEOPLE {
        found.push((at, format!("`{PEOPLE}` stands for letters to whom findings concern")));
    } else if name == letters::OUTLET {
        found.push((at, "`letters` stands for the mail server".to_owned()));
    } else if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        found.push((at, "must be 1 to 64 letters, digits, `-` or `_`".to_owned()));
    } else if names.contains(&name) {
        found.push((at, format!("`{name}` is the name of another one too")));
    }
    names.push(name);
}

fn detectors(names: &[String], at: String, found: &mut Vec<Finding>) {
    if let Some(wrong) = names.iter().find_map(|name| name.parse::<Detectors>().err()) {
        found.push((at, wrong.to_string()));
    }
}

// === impl Webhook ===

impl Webhook {
    fn check(&self, at: &dyn Fn(&str) -> String, found: &mut Vec<Finding>) {
        url(&self.url, at("url"), found);
        let given = (self.secret_file.is_some(), self.secret_env.as_deref());
        secret(given, ("secret_file", "secret_env"), at, found);
    }
}

pub(super) fn url(text: &str, at: String, found: &mut Vec<Finding>) {
    let is_good = Url::parse(text).is_ok_and(|url| {
        let bare = url.username().is_empty() && url.password().is_none();
        bare && (url.scheme() == "https" || (url.scheme() == "http" && on_loopback(&url)))
    });
    if !is_good {
        let words = "must be an https URL without user and password (http on this machine)";
        found.push((at, words.to_owned()));
    }
}

/// What is kept in a file or in an environment variable, and which members name these.
pub(super) fn secret(
    (in_file, variable): (bool, Option<&str>),
    (file, env): (&str, &str),
    at: &dyn Fn(&str) -> String,
    found: &mut Vec<Finding>,
) {
    match (in_file, variable) {
        (false, Some(name)) if !name.starts_with("TOKENWARD_") => {
            found.push((at(env), "must begin with `TOKENWARD_`".to_owned()));
        }
        (true, None) | (false, Some(_)) => {}
        _ => found.push((at(file), format!("give either `{file}` or `{env}`"))),
    }
}

// === impl Signals ===

impl Signals {
    fn check(&self, at: &dyn Fn(&str) -> String, found: &mut Vec<Finding>) {
        match &self.url {
            Some(text) => url(text, at("url"), found),
            None if self.ca.is_some() => {
                found.push((at("ca"), "is for a receiver with a `url` alone".to_owned()));
            }
            None => {}
        }
        if self.audience.is_empty() {
            found.push((at("audience"), "must not be empty".to_owned()));
        }
        let given = (self.token_file.is_some(), self.token_env.as_deref());
        secret(given, ("token_file", "token_env"), at, found);
        if let Some(wrong) = self.events.iter().find_map(|name| name.parse::<EventType>().err()) {
            found.push((at("events"), wrong.to_string()));
        }
    }

    /// Which events it gets; the check has read the names before.
    pub(crate) fn event_types(&self) -> Vec<EventType> {
        if self.events.is_empty() {
            return EventType::ALL.to_vec();
        }
        self.events.iter().filter_map(|name| name.parse().ok()).collect()
    }
}

// === impl Syslog ===

impl Syslog {
    /// The receiver's port.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.transport {
            Transport::Tcp => 601,
            Transport::Tls => 6514,
            Transport::Udp => 514,
        })
    }
}
