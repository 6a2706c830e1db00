//! Which findings a list is to have: the query of `/findings` and of `/incidents`.

use std::net::IpAddr;

use detect::policy::family::Detectors;
use serde::Deserialize;
use store::FindingsSought;
use token::finding::{Class, Severity};
use token::foreign::LONGEST_NAME;
use token::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::input::Limit;
use crate::problem::Problem;

/// The name of an actor, what kind of name that is, and a time.
const LONGEST_INCIDENT: usize = LONGEST_NAME + 64;

/// Which findings. Incidents are listed that have a finding that meets all conditions; `answered` and `judged` ask
/// about any finding of an incident.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SoughtQuery {
    /// Only of this detector, by its name or its family (`sign_in`, `tokens` or `traffic`).
    detector: Option<String>,
    /// Only of this class.
    #[param(inline)]
    class: Option<ClassWord>,
    /// Only those that are at least so bad.
    #[param(inline)]
    severity: Option<SeverityWord>,
    /// Only about this subject.
    #[param(min_length = 1)]
    subject: Option<String>,
    /// Only about this client.
    #[param(min_length = 1)]
    client: Option<String>,
    /// Only about this token, by its `jti`.
    #[param(min_length = 1)]
    token: Option<String>,
    /// Only about this address.
    #[param(value_type = Option<String>)]
    ip: Option<IpAddr>,
    /// Only of this incident or campaign.
    #[param(min_length = 1)]
    incident: Option<String>,
    /// Only those that an event of this time or a later one has decided.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those that an event before this time has decided.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only those that a restriction answers, or only those that none does.
    answered: Option<bool>,
    /// Only those of which somebody has said what they are worth, or only those of which nobody has.
    judged: Option<bool>,
    /// What an earlier page gave as `next`.
    pub(crate) before: Option<String>,
    /// At most this many, 1 to 1000; 100 when it is not given.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Limit,
}

/// Proof or a judgement.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ClassWord {
    /// The event itself is proof.
    Certain,
    /// Numbers that do not fit.
    Statistical,
}

/// How bad.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SeverityWord {
    /// Worth knowing.
    Low,
    /// Worth a look.
    Medium,
    /// Worth acting on.
    High,
    /// Harm is being done.
    Critical,
}

// === impl SoughtQuery ===

impl SoughtQuery {
    /// What is to be looked for.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub(crate) fn sought(&self) -> Result<FindingsSought, Problem> {
        let names = [
            ("subject", &self.subject, LONGEST_NAME),
            ("client", &self.client, LONGEST_NAME),
            ("token", &self.token, LONGEST_NAME),
            ("incident", &self.incident, LONGEST_INCIDENT),
        ];
        for (name, value, most) in names {
            if value.as_ref().is_some_and(|value| !(1..=most).contains(&value.len())) {
                let words = format_args!("`{name}` must be 1 to {most} bytes");
                return Err(Problem::bad_request(words));
            }
        }
        if self.from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::bad_request("`from` must be before `to`"));
        }
        Ok(FindingsSought {
            detectors: self.detectors()?,
            class: self.class.map(Class::from),
            severity: self.severity.map(Severity::from),
            subject: self.subject.clone().map(Into::into),
            client: self.client.clone().map(Into::into),
            token: self.token.clone().map(Into::into),
            ip: self.ip,
            incident: self.incident.clone(),
            from: self.from,
            before: self.to,
            answered: self.answered,
            judged: self.judged,
        })
    }

    fn detectors(&self) -> Result<Vec<&'static str>, Problem> {
        let Some(text) = &self.detector else { return Ok(Vec::new()) };
        let wrong = |error| Problem::bad_request(format_args!("`detector`: {error}"));
        Ok(match text.parse().map_err(wrong)? {
            Detectors::All => Vec::new(),
            Detectors::Family(family) => family.detectors().to_vec(),
            Detectors::Named(name) => vec![name],
        })
    }
}

impl From<ClassWord> for Class {
    fn from(word: ClassWord) -> Self {
        match word {
            ClassWord::Certain => Self::Certain,
            ClassWord::Statistical => Self::Statistical,
        }
    }
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Low => Self::Low,
            SeverityWord::Medium => Self::Medium,
            SeverityWord::High => Self::High,
            SeverityWord::Critical => Self::Critical,
        }
    }
}
