//! One API request with its names as numbers: what every detector of traffic asks about it.

use std::collections::BTreeMap;

use serde_json::Value;
use token::event::{Event, EventKind, Request};
use token::finding::Whom;

use crate::detector::traffic::names::{Names, Target};
use crate::detector::traffic::template::{self, Template};
use crate::detector::{Kind, Sighting, network, whom};
use crate::sketch::hash;

/// The numbers of a sighting.
pub(super) type Facts = BTreeMap<&'static str, Value>;

/// What an administrator's functions are called.
const ADMINISTRATION: [&str; 9] = [
    "admin",
    "administration",
    "backoffice",
    "internal",
    "manage",
    "management",
    "root",
    "staff",
    "superuser",
];

/// Of a list that does not say how many records it had.
const UNKNOWN: u32 = 10;
/// The status of an answer with a part of a file, of which the next request asks for another (RFC 9110 §15.3.7).
const PARTIAL: u16 = 206;
/// Pages of lists are smaller, in bytes.
const PAGE: u64 = 100_000;
const LARGEST_PAGE: u64 = 4_000_000;

/// A request, looked at once for all detectors.
pub(super) struct Seen<'e> {
    pub(super) event: &'e Event,
    pub(super) request: &'e Request,
    /// Seconds since 1970.
    pub(super) now: u32,
    /// The verified subject, or the verified client where there is no subject.
    pub(super) principal: Option<u64>,
    /// The verified client; where it is not known, those who hold the same scopes or, without
    /// scopes, use the same software.
    pub(super) client: u64,
    /// Whether those who share `client` are really of one client.
    pub(super) has_client: bool,
    pub(super) subject: Option<u64>,
    /// The subject is the client itself.
    is_own: bool,
    /// Method and template; a guess by the path where the event has no route.
    pub(super) route: Option<u64>,
    /// The template without the method.
    pub(super) function: Option<u64>,
    /// The guess, where the route is one.
    pub(super) guess: Option<Template>,
    /// The template up to its last parameter: what `/orders/{id}` and `/orders/{id}/items` share.
    pub(super) collection: u64,
    /// An object of the collection.
    pub(super) object: Option<u64>,
    /// The collection that this lists, or adds to.
    pub(super) lists: Option<u64>,
    pub(super) network: Option<u64>,
    /// A door or the API said that this is not for this principal, or is not there.
    pub(super) is_denied: bool,
}

// === impl Seen ===

impl<'e> Seen<'e> {
    pub(super) fn of(event: &'e Event, names: &Names) -> Option<Self> {
        let EventKind::Request(request) = &event.kind else { return None };
        let Target { route, function, guess, collection, object, lists, is_denied } = names.target;
        Some(Self {
            event,
            request,
            now: u32::try_from(event.ts.as_secs()).unwrap_or(0),
            principal: names.principal,
            client: names.client,
            has_client: event.who.client.is_some(),
            subject: names.subject,
            is_own: names.is_own,
            route,
            function,
            guess,
            collection,
            object,
            lists,
            network: names.network,
            is_denied,
        })
    }

    /// Whether the principal is the client itself, which is like nobody else.
    pub(super) fn is_own_client(&self) -> bool {
        self.is_own || self.subject.is_none()
    }

    /// Whether the principal is the client itself, or one of its instances: `jobs-3` of `jobs`.
    pub(super) fn is_of_client(&self) -> bool {
        let who = &self.event.who;
        let (Some(subject), Some(client)) = (&who.subject, &who.client) else { return false };
        let rest = subject.as_str().strip_prefix(client.as_str());
        rest.is_some_and(|rest| rest.starts_with(['-', ':', '/'])) || self.is_own_client()
    }

    /// How many records a list gave.
    pub(super) fn records_listed(&self) -> u32 {
        self.request.records_out.map_or(UNKNOWN, |records| records.min(100_000) as u32)
    }

    /// Whether a file was sent as a whole, and no page of a list of which there are more.
    pub(super) fn is_file(&self) -> bool {
        let request = self.request;
        request.records_out.is_none() && request.status != PARTIAL && request.bytes_out > PAGE
    }

    /// Whether it is so large that it is no page of a list either that does not say how many records it has.
    pub(super) fn is_large_file(&self) -> bool {
        self.is_file() && self.request.bytes_out > LARGEST_PAGE
    }

    /// The folder of a file, where it is one of many: that of `/datasets/{set}/files/{file}`, not of `/files/{file}`.
    pub(super) fn folder(&self) -> Option<u64> {
        let request = self.object.filter(|_| self.is_file()).map(|_| self.request)?;
        let route = request.route.as_deref()?;
        let end = template::last_parameter_at(route)?;
        template::last_parameter_at(route.get(..end)?)?;
        request.path.rsplit_once('/').map(|(folder, _)| hash::text(folder))
    }

    /// Whether the function calls itself an administrator's.
    pub(super) fn is_administration(&self) -> bool {
        let path = self.request.route.as_deref().unwrap_or(&self.request.path);
        path.split('/').any(|part| ADMINISTRATION.contains(&part))
    }

    /// It was let through and the API did it.
    pub(super) const fn is_ok(&self) -> bool {
        self.request.refused.is_none() && self.request.status < 400
    }

    /// The object's name where it is a number, or letters and a number: `A-1042`.
    pub(super) fn number(&self) -> Option<u64> {
        let path = || self.request.path.rsplit('/').find_map(|part| part.parse().ok());
        self.request.object.as_deref().map_or_else(path, number)
    }

    /// A name for people: `subject alice`.
    pub(super) fn name(&self) -> String {
        match (&self.event.who.subject, &self.event.who.client) {
            (Some(subject), _) => format!("subject {subject}"),
            (None, Some(client)) => format!("client {client}"),
            (None, None) => "nobody known".to_owned(),
        }
    }

    /// The principal in incidents.
    pub(super) fn actor(&self) -> String {
        match (&self.event.who.subject, &self.event.who.client) {
            (Some(subject), _) => format!("subject:{subject}"),
            (None, Some(client)) => format!("client:{client}"),
            (None, None) => self.event.ip.map_or_else(|| "unknown".to_owned(), network::actor),
        }
    }

    /// The verified names. Without the address: a habit is the principal's, wherever it is.
    pub(super) fn whom(&self) -> Whom {
        Whom { ip: None, ..whom(self.event) }
    }

    /// What concerns the principal.
    pub(super) fn sighting(&self, kind: Kind, summary: String, facts: Facts) -> Sighting {
        Sighting { kind, actor: self.actor(), whom: self.whom(), summary, facts }
    }

    /// `GET /orders/{id}`, or the path where no route is known.
    pub(super) fn shown_route(&self) -> String {
        let route = self.request.route.as_deref().unwrap_or(&self.request.path);
        format!("{} {route}", self.request.method)
    }
}

/// The number that a name is, or all that follows letters in it and what separates them.
fn number(name: &str) -> Option<u64> {
    let digits = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.parse().ok()
}
