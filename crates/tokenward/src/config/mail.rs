//! `[mail]`: how letters reach people, and what they are told by them.

use std::path::PathBuf;

use mail::Security;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Finding;
use super::span::Span;

/// Letters to people: links to confirm an address, to set a new password, to make an account, and what they
/// have to know about theirs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// `smtp`, letters are sent; `mailbox`, they are kept in memory for the admin API (`tokenward mail`), for
    /// a machine of your own; `off`, there are none, and an administrator sets passwords.
    pub(crate) mode: Mode,
    /// The sender: `id@example.com` or `Example <id@example.com>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// The mail server. Its certificate has to be for this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// Its port. Absent: 587, with `tls` 465, with `plain` 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// `starttls`, TLS is demanded after the greeting; `tls`, from the start; `plain`, none, for a server on
    /// the same machine.
    pub(crate) security: Protection,
    /// The name to authenticate with. Absent: the server wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    /// File with the password for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_file: Option<PathBuf>,
    /// PEM file with a further authority that the server's certificate may be of, besides those of the
    /// system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// How long before its end the owner of a personal token is told, each once; empty: never.
    pub(crate) token_ends: Vec<Span>,
    /// Whether people are told of a sign-in with a browser in which they never did.
    pub(crate) new_browser: bool,
    /// Whether people are asked "was this you?" when a finding says that somebody else may be using their
    /// account, with a link that ends every sign-in of theirs; once for each incident.
    pub(crate) doubts: bool,
}

/// What is done with letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// They are kept.
    Mailbox,
    /// There are none.
    #[default]
    Off,
    /// They are sent.
    Smtp,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protection {
    /// Not at all.
    Plain,
    /// After STARTTLS.
    #[default]
    StartTls,
    /// From the start.
    Tls,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            from: None,
            host: None,
            port: None,
            security: Protection::StartTls,
            username: None,
            password_file: None,
            ca: None,
            token_ends: vec![Span::days(7), Span::days(1)],
            new_browser: false,
            doubts: true,
        }
    }
}

impl Mail {
    /// The port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Protection::Plain => 25,
            Protection::StartTls => 587,
            Protection::Tls => 465,
        })
    }

    /// What is wrong with it.
    pub(super) fn check(&self, found: &mut Vec<Finding>) {
        let mut wrong = |member: &str, words: &str| {
            found.push((format!("mail.{member}"), words.to_owned()));
        };
        if self.mode == Mode::Smtp {
            match &self.from {
                None => wrong("from", "is needed to send letters"),
                Some(from) if !mail::is_sender(from) => {
                    wrong("from", "must be `name@example.com` or `Name <name@example.com>`");
                }
                Some(_) => {}
            }
            match &self.host {
                None => wrong("host", "is needed to send letters"),
                Some(host) if self.security == Protection::Plain && !is_this_machine(host) => {
                    wrong("security", "can be `plain` for a server on this machine alone");
                }
                Some(_) => {}
            }
        }
        if self.username.is_some() != self.password_file.is_some() {
            wrong("password_file", "goes with `username`: give both or none");
        }
        let longest = Span::days(365);
        if self.token_ends.iter().any(|span| span.duration().is_zero() || *span > longest) {
            wrong("token_ends", "must be lengths of time of more than 0s and at most 365d");
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let is_loopback = |host: &str| host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    host == "localhost" || is_loopback(host)
}

impl From<Protection> for Security {
    fn from(told: Protection) -> Self {
        match told {
            Protection::Plain => Self::Plain,
            Protection::StartTls => Self::StartTls,
            Protection::Tls => Self::Tls,
        }
    }
}
