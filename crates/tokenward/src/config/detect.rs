//! The watcher: `[detect]`, and what is done about its findings: `[[detect.response]]`.

use std::path::PathBuf;

use detect::policy::Terms;
use detect::policy::family::Detectors;
use detect::policy::row::{Act, Principal, Row};
use detect::policy::spared::Spared;
use detect::policy::table::{BadTable, BuiltIn, Table};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::finding::{Class, Severity, Target};

use super::check::Finding;
use super::limit::Pace;
use super::span::Span;

/// The watcher.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Detect {
    /// Events that may wait for the watcher; more are counted and lost, requests never wait.
    pub(crate) queue: usize,
    /// Whether automatic responses are carried out at all: `false` stops them, and findings say what would
    /// have been done. What holds already goes on until it ends or is undone.
    pub(crate) responses: bool,
    /// How many automatic responses a minute may be carried out; further findings are only kept.
    pub(crate) responses_per_minute: u32,
    /// What is done where no `[[detect.response]]` fits: `certain`, the built-in table, in which only what is
    /// proof is carried out; `all`, what rests on a judgement too; `none`, nothing.
    pub(crate) built_in_responses: BuiltInResponses,
    /// What is done about which findings. The first that fits decides; after them comes what is built in.
    #[serde(rename = "response", skip_serializing_if = "Vec::is_empty")]
    pub(crate) rows: Vec<ResponseRow>,
    /// Who is never hit by an automatic response.
    pub(crate) spared: SparedNames,
    /// File to which every event is appended (JSON Lines), for `tokenward detect replay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<PathBuf>,
}

/// How much of the built-in table is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BuiltInResponses {
    /// All of it.
    All,
    /// What is proof; the rest is only told.
    #[default]
    Certain,
    /// Nothing.
    None,
}

/// What is done about some findings.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResponseRow {
    /// Detectors by their names, families of them (`sign_in`, `tokens`, `traffic`), or `*`. Empty: all.
    #[serde(default)]
    pub(crate) detectors: Vec<String>,
    /// Only findings of this class: `certain` or `statistical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) class: Option<Class>,
    /// Only findings that are at least so bad: `low`, `medium`, `high` or `critical`. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) severity: Option<Severity>,
    /// Only findings that are at least so sure, 0 to 1.
    #[serde(default)]
    pub(crate) confidence: f64,
    /// Only findings about a `person`, a `service` (a client that speaks for itself), or a `network` (nobody
    /// with a verified name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<PrincipalKind>,
    /// Only from this one on, of what fits otherwise and is about the same person, service or network: 2 for
    /// the second and all that follow. Absent: from the first on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeated: Option<u32>,
    /// Within which time they are counted for `repeated`, at most 30d. Absent: 24h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Span>,
    /// What is done: `none`; `tag`, which only remembers; or what a restriction does: `suspend`, `limit:30/m`,
    /// `require:step_up`, `require:dpop`, `require:mtls`, `drop_scopes:SCOPES`, `networks:NETWORKS`, `revoke`.
    pub(crate) effect: String,
    /// What is restricted: the first of `token`, `grant`, `session`, `subject`, `client` and `network` in this
    /// list that the finding names. Where it names none, the row does not fit. A network takes `suspend` alone.
    #[serde(default)]
    pub(crate) on: Vec<On>,
    /// For how long. Only a row of the class `certain` may leave it out; a revocation has to.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub(crate) lasts: Option<Span>,
    /// How often it is carried out over all, as `100/h`; further findings say that it was held back. Absent:
    /// `100/h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at_most: Option<Pace>,
    /// The same for findings that come by one network (IPv4 /24, IPv6 /48), and by one client. Absent: `20/h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at_most_each: Option<Pace>,
    /// `enforce`, or `observe`: findings only say what would be done.
    #[serde(default)]
    pub(crate) mode: Mode,
}

/// Whom a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PrincipalKind {
    /// Nobody with a verified name.
    Network,
    /// Somebody who signs in.
    Person,
    /// A client that speaks for itself.
    Service,
}

/// What is restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum On {
    /// Every token of the client, also those of people who use it.
    Client,
    /// The token family.
    Grant,
    /// Requests from the address; of IPv6 its /64.
    Network,
    /// Tokens of the sign-in session.
    Session,
    /// Tokens that speak for the subject.
    Subject,
    /// The token alone.
    Token,
}

/// Whether a row is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// It is.
    #[default]
    Enforce,
    /// Findings say what would be done.
    Observe,
}

/// Who is never hit by an automatic response. Findings about them say so.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SparedNames {
    /// People and services, by the subject of their tokens.
    pub(crate) subjects: Vec<String>,
    /// Clients and their own tokens; people who use them are not spared by that.
    pub(crate) clients: Vec<String>,
    /// Networks that are never blocked: of offices, of carriers that put many behind one address.
    #[schemars(with = "Vec<String>")]
    pub(crate) networks: Vec<IpNet>,
}

// === impl Detect ===

impl Detect {
    /// What responses go by.
    ///
    /// # Errors
    /// The options that are wrong, and what is wrong with them.
    pub(crate) fn terms(&self) -> Result<Terms, Vec<Finding>> {
        let mut found = Vec::new();
        let mut rows = Vec::new();
        for (position, row) in self.rows.iter().enumerate() {
            match row.checked() {
                Ok(row) => rows.push(row),
                Err((member, words)) => {
                    found.push((format!("detect.response[{position}].{member}"), words));
                }
            }
        }
        if !found.is_empty() {
            return Err(found);
        }
        let built_in = match self.built_in_responses {
            BuiltInResponses::All => BuiltIn::All,
            BuiltInResponses::Certain => BuiltIn::Certain,
            BuiltInResponses::None => BuiltIn::None,
        };
        let table = Table::new(rows, built_in).map_err(|BadTable { row, member, wrong }| {
            vec![(format!("detect.response[{row}].{member}"), wrong.to_string())]
        })?;
        let spared = Spared {
            subjects: self.spared.subjects.iter().map(|name| name.as_str().into()).collect(),
            clients: self.spared.clients.iter().map(|name| name.as_str().into()).collect(),
            networks: self.spared.networks.clone(),
        };
        let responses_per_minute = self.responses_per_minute;
        Ok(Terms { table, responses_per_minute, switched_on: self.responses, spared })
    }
}

// === impl ResponseRow ===

impl ResponseRow {
    const AT_MOST: u32 = 100;
    const AT_MOST_EACH: u32 = 20;

    fn checked(&self) -> Result<Row, (&'static str, String)> {
        let detectors: Result<Vec<Detectors>, _> =
            self.detectors.iter().map(|name| name.parse()).collect();
        let act = self.act()?;
        let capped = matches!(act, Act::Restrict { .. });
        let cap = |given: Option<Pace>, usual| {
            let usual = capped.then(|| Pace::an_hour(usual));
            given.or(usual).map(|Pace(allowance)| allowance)
        };
        let usual = Row::of(&[], Act::None);
        Ok(Row {
            detectors: detectors.map_err(|wrong| ("detectors", wrong.to_string()))?,
            class: self.class,
            severity: self.severity.unwrap_or(usual.severity),
            confidence: self.confidence,
            principal: self.principal.map(|kind| match kind {
                PrincipalKind::Network => Principal::Network,
                PrincipalKind::Person => Principal::Person,
                PrincipalKind::Service => Principal::Service,
            }),
            repeated: self.repeated.unwrap_or(usual.repeated),
            within: self.within.map_or(usual.within, Span::duration),
            act,
            at_most: cap(self.at_most, Self::AT_MOST),
            at_most_each: cap(self.at_most_each, Self::AT_MOST_EACH),
            enforced: self.mode == Mode::Enforce,
        })
    }

    fn act(&self) -> Result<Act, (&'static str, String)> {
        let act = match self.effect.as_str() {
            "none" => Act::None,
            "tag" => Act::Tag,
            effect => {
                let effect = effect.parse().map_err(|wrong: token::restriction::NotEffect| {
                    ("effect", format!("{wrong}; or `none`, or `tag`, which only remembers"))
                })?;
                let on = self.on.iter().map(|on| on.target()).collect();
                return Ok(Act::Restrict { on, effect, lasts: self.lasts.map(Span::duration) });
            }
        };
        let idle = "is only for an effect that restricts: leave it out beside `none` and `tag`";
        if !self.on.is_empty() {
            return Err(("on", idle.to_owned()));
        }
        if self.lasts.is_some() {
            return Err(("for", idle.to_owned()));
        }
        Ok(act)
    }
}

// === impl On ===

impl On {
    const fn target(self) -> Target {
        match self {
            Self::Client => Target::Client,
            Self::Grant => Target::Grant,
            Self::Network => Target::Ip,
            Self::Session => Target::Session,
            Self::Subject => Target::Subject,
            Self::Token => Target::Token,
        }
    }
}

#[cfg(test)]
mod tests;
