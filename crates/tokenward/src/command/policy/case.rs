//! A case as it is written down, and what came of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use token::reason::Refused;
use token::time::Timestamp;

use crate::command::Failure;
use crate::compose::rehearsal::{Decided, Kind, Request, Token};

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cases {
    #[serde(default, rename = "case")]
    pub(super) cases: Vec<Case>,
}

/// A request, and what has to come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    #[serde(default = "get")]
    method: String,
    path: String,
    host: Option<String>,
    #[serde(default = "loopback")]
    ip: IpAddr,
    /// RFC 3339; without it, now.
    time: Option<String>,
    /// Without it, the request has none.
    token: Option<Described>,
    /// `allow`, or the reason of the refusal.
    expect: String,
    /// The template of the route that answers.
    route: Option<String>,
    /// The policies that decide.
    policies: Option<Vec<String>>,
}

/// A token; what is not said is as the gateway wants it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    #[serde(default)]
    kind: Kind,
    issuer: Option<String>,
    #[serde(default = "subject")]
    subject: String,
    #[serde(default = "client")]
    client: String,
    #[serde(default)]
    scopes: Vec<String>,
    audience: Option<String>,
    /// Bound to a certificate, which comes with the request.
    #[serde(default)]
    bound: bool,
    /// Beside these.
    #[serde(default)]
    claims: Map<String, Value>,
}

/// How a case ended.
pub(super) struct Verdict {
    name: String,
    number: usize,
    decided: Decided,
    /// What differs: the member, what was expected and what it is.
    wrong: Vec<(&'static str, String, String)>,
}

/// What `expect` says where nothing is refused.
const ALLOW: &str = "allow";

fn get() -> String {
    "GET".to_owned()
}

fn loopback() -> IpAddr {
    Ipv4Addr::LOCALHOST.into()
}

fn subject() -> String {
    "alice".to_owned()
}

fn client() -> String {
    "app".to_owned()
}

// === impl Case ===

impl Case {
    /// The request of it.
    ///
    /// # Errors
    /// [`Failure`] names the member that is wrong.
    pub(super) fn request(&self) -> Result<Request<'_>, Failure> {
        let known = !matches!(Refused::from(self.expect.as_str()), Refused::Unknown(_));
        if self.expect != ALLOW && !known {
            let words = "is neither `allow` nor a reason code such as `insufficient_scope`";
            return Err(Failure::new(format_args!("`expect = \"{}\"` {words}", self.expect)));
        }
        if !self.path.starts_with('/') {
            return Err(Failure::new(format_args!("`path`: `{}` begins with no `/`", self.path)));
        }
        if http::Method::from_bytes(self.method.as_bytes()).is_err() {
            return Err(Failure::new(format_args!("`method`: `{}` is no method", self.method)));
        }
        let time = self.time.as_deref().map(Timestamp::parse).transpose();
        let time = time.map_err(|error| Failure::new(format_args!("`time`: {error}")))?;
        Ok(Request {
            method: &self.method,
            path: &self.path,
            host: self.host.as_deref(),
            ip: self.ip,
            time,
            token: self.token.as_ref().map(Described::token),
        })
    }
}

// === impl Described ===

impl Described {
    fn token(&self) -> Token<'_> {
        Token {
            kind: self.kind,
            issuer: self.issuer.as_deref(),
            subject: &self.subject,
            client: &self.client,
            scopes: &self.scopes,
            audience: self.audience.as_deref(),
            bound: self.bound,
            claims: &self.claims,
        }
    }
}

// === impl Verdict ===

impl Verdict {
    pub(super) fn of(case: &Case, number: usize, decided: Decided) -> Self {
        let said = |decided: &Decided| decided.refused.as_ref().map(ToString::to_string);
        let mut wrong = Vec::new();
        let mut hold = |member, expected: String, actual: String| {
            if expected != actual {
                wrong.push((member, expected, actual));
            }
        };
        hold("expect", case.expect.clone(), said(&decided).unwrap_or_else(|| ALLOW.to_owned()));
        if let Some(route) = &case.route {
            let actual = decided.route.clone().unwrap_or_else(|| "none".to_owned());
            hold("route", route.clone(), actual);
        }
        if let Some(policies) = &case.policies {
            let listed = |all: &[String]| {
                let mut all = all.to_vec();
                all.sort_unstable();
                format!("[{}]", all.join(", "))
            };
            hold("policies", listed(policies), listed(&decided.policies));
        }
        Self { name: case.name.clone(), number, decided, wrong }
    }

    pub(super) fn passed(&self) -> bool {
        self.wrong.is_empty()
    }

    pub(super) fn to_json(&self) -> Value {
        let Decided { refused, why, route, policies } = &self.decided;
        let differs = self.wrong.iter().map(|(member, expected, actual)| {
            json!({ "member": member, "expected": expected, "actual": actual })
        });
        json!({
            "name": self.name, "passed": self.passed(), "differs": differs.collect::<Vec<_>>(),
            "refused": refused.as_ref().map(ToString::to_string), "why": why, "route": route,
            "policies": policies,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "case {} `{}`", self.number, self.name)?;
        for (member, expected, actual) in &self.wrong {
            write!(f, "\n  {member}: expected {expected}, got {actual}")?;
        }
        if let Some(why) = &self.decided.why {
            write!(f, "\n  because: {why}")?;
        }
        if let Some(route) = &self.decided.route {
            write!(f, "\n  route: {route}")?;
        }
        if !self.decided.policies.is_empty() {
            write!(f, "\n  policies: {}", self.decided.policies.join(", "))?;
        }
        Ok(())
    }
}
