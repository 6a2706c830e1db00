//! One API request with its names as numbers: what every detector of traffic asks about it.

use std::collections::BTreeMap;

use serde_json::Value;
use token::event::{Event, EventKind, Request};
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::{Kind, Sighting, network};
use crate::sketch::hash;

/// The numbers of a sighting.
pub(super) type Facts = BTreeMap<&'static str, Value>;

/// A request, looked at once for all detectors.
pub(super) struct Seen<'e> {
    pub(super) event: &'e Event,
    pub(super) request: &'e Request,
    /// Seconds since 1970.
    pub(super) now: u32,
    /// The verified subject, or the verified client where there is no subject.
    pub(super) principal: Option<u64>,
    /// The verified client; 0 when not known.
    pub(super) client: u64,
    pub(super) subject: Option<u64>,
    /// Method and template.
    pub(super) route: Option<u64>,
    /// The template up to its last parameter: what `/orders/{id}` and `/orders/{id}/items` share.
    pub(super) collection: u64,
    /// An object of the collection.
    pub(super) object: Option<u64>,
    pub(super) network: Option<u64>,
}

// === impl Seen ===

impl<'e> Seen<'e> {
    pub(super) fn of(event: &'e Event) -> Option<Self> {
        let EventKind::Request(request) = &event.kind else { return None };
        let subject = event.who.subject.as_ref().map(|subject| hash::text(subject.as_str()));
        let client = event.who.client.as_ref().map(|client| hash::text(client.as_str()));
        let route = request.route.as_deref();
        let collection = route.map_or(0, |route| {
            hash::text(route.rfind('{').and_then(|end| route.get(..end)).unwrap_or(route))
        });
        let object = request.object.as_deref().filter(|_| route.is_some());
        Some(Self {
            event,
            request,
            now: u32::try_from(event.ts.as_secs()).unwrap_or(0),
            // Apart, so that a subject with a client's name is not the client.
            principal: subject.map(|it| hash::both(1, it)).or(client.map(|it| hash::both(2, it))),
            client: client.unwrap_or(0),
            subject,
            route: route.map(|route| hash::both(hash::text(&request.method), hash::text(route))),
            collection,
            object: object.map(|object| hash::both(collection, hash::text(object))),
            network: event.ip.map(|ip| match network::of(ip).network() {
                std::net::IpAddr::V4(ip) => hash::both(4, u32::from(ip).into()),
                std::net::IpAddr::V6(ip) => hash::both(6, (u128::from(ip) >> 64) as u64),
            }),
        })
    }

    /// It was let through and the API did it.
    pub(super) const fn is_ok(&self) -> bool {
        self.request.refused.is_none() && self.request.status < 400
    }

    /// A door or the API said that this is not for this principal, or is not there.
    pub(super) const fn is_denied(&self) -> bool {
        match self.request.refused {
            Some(Refused::Plain(Reason::InsufficientScope | Reason::Policy)) => true,
            None => matches!(self.request.status, 403 | 404),
            Some(_) => false,
        }
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
        let who = &self.event.who;
        Whom {
            subject: who.subject.clone(),
            client: who.client.clone(),
            token: who.token.clone(),
            grant: who.grant.clone(),
            session: who.session.clone(),
            ip: None,
        }
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
