//! Which findings somebody looks for: conditions of SQL, each with its value as a parameter.

use std::net::IpAddr;

use rusqlite::types::Value;
use token::finding::{Class, Severity};
use token::id::{ClientId, SubjectId, TokenId};
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;

/// What findings have to be; without anything, all are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingsSought {
    /// Of one of these detectors; of any where there is none.
    pub detectors: Vec<&'static str>,
    /// Proof or a judgement.
    pub class: Option<Class>,
    /// At least so bad.
    pub severity: Option<Severity>,
    /// About this verified subject.
    pub subject: Option<SubjectId>,
    /// About this verified client.
    pub client: Option<ClientId>,
    /// About this token.
    pub token: Option<TokenId>,
    /// About this address.
    pub ip: Option<IpAddr>,
    /// Of this incident or campaign.
    pub incident: Option<String>,
    /// Decided by an event of this time or a later one.
    pub from: Option<Timestamp>,
    /// Decided by an event before this time.
    pub before: Option<Timestamp>,
    /// Whether a restriction answers it; of incidents, whether one answers any of their findings.
    pub answered: Option<bool>,
    /// Whether somebody has said what it is worth; of incidents, of any of their findings.
    pub judged: Option<bool>,
}

/// Conditions, and the values of their parameters.
#[derive(Default)]
pub(crate) struct Conditions {
    sql: String,
    values: Vec<Value>,
}

// === impl FindingsSought ===

impl FindingsSought {
    /// Conditions on one finding.
    pub(crate) fn of_finding(&self) -> Conditions {
        let mut conditions = self.about();
        conditions.has_any("restriction", self.answered);
        conditions.has_any("verdict", self.judged);
        conditions
    }

    /// Conditions that one finding of an incident has to meet.
    pub(crate) fn about(&self) -> Conditions {
        let mut all = Conditions::default();
        if !self.detectors.is_empty() {
            all.is_one_of("detector", &self.detectors);
        }
        all.is("class = ", self.class.map(|one| class(one).to_owned()));
        if let Some(severity) = self.severity.filter(|severity| *severity > Severity::Low) {
            all.is_one_of("severity", severities(severity));
        }
        all.is("subject = ", self.subject.as_ref().map(SubjectId::to_string));
        all.is("client = ", self.client.as_ref().map(ClientId::to_string));
        all.is("token = ", self.token.as_ref().map(TokenId::to_string));
        all.is("ip = ", self.ip.map(|ip| ip.to_canonical().to_string()));
        if let Some(incident) = &self.incident {
            let place = all.value(incident.clone());
            all.add(&format!("(incident = ?{place} OR campaign = ?{place})"));
        }
        all.is("ts >= ", self.from.map(Timestamp::as_millis));
        all.is("ts < ", self.before.map(Timestamp::as_millis));
        all
    }
}

// === impl Store ===

impl Store {
    /// The same with the incident by its name of now, where it has become a part of another one.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub(crate) async fn named_now(
        &self,
        sought: &FindingsSought,
    ) -> Result<FindingsSought, StoreError> {
        let mut sought = sought.clone();
        if let Some(name) = &sought.incident
            && let Some(whole) = self.incident(name).await?
        {
            sought.incident = Some(whole.id);
        }
        Ok(sought)
    }
}

// === impl Conditions ===

impl Conditions {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    /// Each begins with ` AND `.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// A further parameter; returns its number.
    pub(crate) fn value(&mut self, value: impl Into<Value>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }

    pub(crate) fn add(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values
    }

    fn is(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let value: Value = value.into();
            let place = self.value(value);
            self.add(&format!("{condition}?{place}"));
        }
    }

    fn is_one_of(&mut self, column: &str, words: &[&str]) {
        let places: Vec<String> =
            words.iter().map(|word| format!("?{}", self.value((*word).to_owned()))).collect();
        self.add(&format!("{column} IN ({})", places.join(", ")));
    }

    fn has_any(&mut self, column: &str, wanted: Option<bool>) {
        if let Some(wanted) = wanted {
            let not = if wanted { "NOT " } else { "" };
            self.add(&format!("{column} IS {not}NULL"));
        }
    }
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Certain => "certain",
        Class::Statistical => "statistical",
    }
}

/// Those that are at least so bad.
const fn severities(least: Severity) -> &'static [&'static str] {
    match least {
        Severity::Low => &["low", "medium", "high", "critical"],
        Severity::Medium => &["medium", "high", "critical"],
        Severity::High => &["high", "critical"],
        Severity::Critical => &["critical"],
    }
}
