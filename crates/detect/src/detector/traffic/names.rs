//! The names of an event as numbers, made once for all detectors: tables are keyed by them.

use std::hint::black_box;
use std::net::IpAddr;

use ipnet::IpNet;
use token::event::{Event, EventKind, Request};
use token::reason::{Reason, Refused};

use crate::detector::network;
use crate::detector::traffic::template::{self, Template};
use crate::program;
use crate::sketch::hash;

/// `None` where the event has no such name, or no detector asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names {
    pub(in crate::detector) subject: Option<u64>,
    pub(in crate::detector) token: Option<u64>,
    /// The session or grant, and its client; or else the token.
    pub(in crate::detector) session: Option<u64>,
    /// The verified subject, or the verified client where there is no subject.
    pub(in crate::detector) principal: Option<u64>,
    /// The verified client; of requests without one, those who hold the same scopes or, without
    /// scopes, use the same software.
    pub(in crate::detector) client: u64,
    pub(in crate::detector) network: Option<u64>,
    /// The same as it is written.
    pub(in crate::detector) prefix: Option<IpNet>,
    pub(in crate::detector) ua: Option<u64>,
    /// By its TLS fingerprint, or the User-Agent where there is none.
    pub(in crate::detector) program: Option<u64>,
    /// The subject is the client itself, as far as its name or a grant tells.
    pub(in crate::detector) is_own: bool,
    pub(in crate::detector) target: Target,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::detector) struct Target {
    /// Method and template; a guess by the path where the event has no route.
    pub(in crate::detector) route: Option<u64>,
    /// The template without the method: what somebody looks for, however they ask.
    pub(in crate::detector) function: Option<u64>,
    /// The guess, where the route is one.
    pub(in crate::detector) guess: Option<Template>,
    /// The template up to its last parameter: what `/orders/{id}` and `/orders/{id}/items` share.
    pub(in crate::detector) collection: u64,
    /// An object of the collection.
    pub(in crate::detector) object: Option<u64>,
    /// The collection that this lists, or adds to: that of `/orders/{id}` for `/orders`.
    pub(in crate::detector) lists: Option<u64>,
    /// A door or the API said that this is not for this principal, or is not there.
    pub(in crate::detector) is_denied: bool,
}

// === impl Names ===

impl Names {
    pub(crate) fn of(event: &Event) -> Self {
        let who = &event.who;
        let subject = who.subject.as_ref().map(|subject| hash::text(subject.as_str()));
        let client = who.client.as_ref().map(|client| hash::text(client.as_str()));
        let token = who.token.as_ref().map(|token| hash::text(token.as_str()));
        let prefix = event.ip.map(network::of);
        let request = match &event.kind {
            EventKind::Request(request) => Some(request),
            _ => None,
        };
        Self {
            subject,
            token,
            session: token.map(|token| match (&who.session, &who.grant, client) {
                (Some(session), _, Some(client)) => {
                    hash::both(client, hash::text(session.as_str()))
                }
                (None, Some(grant), Some(client)) => hash::both(client, hash::text(grant.as_str())),
                _ => token,
            }),
            // Apart, so that a subject with a name like a client's is not the client; one with its own client's name is
            // (RFC 9068, section 2.2), whether it is told as a subject or not.
            principal: subject
                .filter(|subject| client != Some(*subject))
                .map(|it| hash::both(1, it))
                .or(client.map(|it| hash::both(2, it))),
            client: client.or(request.map(|request| like(event, request))).unwrap_or(0),
            network: prefix.map(|prefix| match prefix.network() {
                IpAddr::V4(ip) => hash::both(4, u32::from(ip).into()),
                IpAddr::V6(ip) => hash::both(6, (u128::from(ip) >> 64) as u64),
            }),
            prefix,
            ua: event.ua.as_deref().map(hash::text),
            program: program::of(event.origin.ja4.as_deref(), event.ua.as_deref()),
            is_own: who
                .subject
                .as_ref()
                .zip(who.client.as_ref())
                .is_some_and(|(subject, client)| is_named_after(subject.as_str(), client.as_str())),
            target: request.map(Target::of).unwrap_or_default(),
        }
    }

    /// Reads something of all that [`Names::of`] will read. Whoever made the event did it on another core, so that
    /// none of it is near; looks that do not wait for each other cost little more than one.
    pub(crate) fn expect(event: &Event) {
        let who = &event.who;
        let texts = [
            who.subject.as_ref().map(|it| it.as_str()),
            who.client.as_ref().map(|it| it.as_str()),
            who.token.as_ref().map(|it| it.as_str()),
            who.session.as_ref().map(|it| it.as_str()),
            event.ua.as_deref(),
            event.origin.ja4.as_deref(),
        ];
        texts.into_iter().flatten().for_each(near);
        if let EventKind::Request(request) = &event.kind {
            near(&request.method);
            near(&request.path);
            [&request.route, &request.object].into_iter().flatten().for_each(|text| near(text));
        }
    }
}

fn near(text: &str) {
    black_box(text.as_bytes().first().copied());
}

/// Stands in for an unknown client.
fn like(event: &Event, request: &Request) -> u64 {
    let scopes = request.scopes.iter().fold(0, |sum, scope| hash::both(sum, hash::text(scope)));
    match &event.ua {
        Some(ua) if scopes == 0 => hash::without_digits(ua),
        _ => scopes,
    }
}

// === impl Target ===

impl Target {
    fn of(request: &Request) -> Self {
        let named = Self::named(request);
        Self {
            route: named.route.map(|route| hash::both(hash::text(&request.method), route)),
            function: named.route,
            object: named.object.map(|object| hash::both(named.collection, object)),
            is_denied: match request.refused {
                Some(Refused::Plain(Reason::InsufficientScope | Reason::Policy)) => true,
                None => matches!(request.status, 403 | 404),
                Some(_) => false,
            },
            ..named
        }
    }

    /// What the event says of route and object, or else what its path looks like. A door that knows
    /// its routes has said that there is none.
    fn named(request: &Request) -> Self {
        if let Some(route) = request.route.as_deref() {
            let at = template::last_parameter_at(route);
            let end = at.and_then(|at| route.get(..at));
            // Nothing comes after the parameter.
            let is_object = at.is_some_and(|at| route.rfind('/').is_none_or(|slash| slash < at));
            let object = request.object.as_deref();
            let object = object.or_else(|| template::last_parameter(route, &request.path));
            return Self {
                route: Some(hash::text(route)),
                guess: None,
                collection: end.map_or_else(|| hash::folder(route), hash::text),
                object: object.map(hash::text),
                lists: (!is_object).then(|| hash::folder(route)),
                ..Self::default()
            };
        }
        if request.path.is_empty() || request.refused == Some(Refused::Plain(Reason::UnknownRoute))
        {
            return Self::default();
        }
        let guess = Template::of(&request.path);
        Self {
            route: Some(guess.shape),
            guess: Some(guess),
            collection: guess.collection,
            lists: guess.object.is_none().then_some(guess.shape),
            object: guess.object.or_else(|| request.object.as_deref().map(hash::text)),
            ..Self::default()
        }
    }
}

/// Whether the subject is the client itself: by its name (RFC 9068 §2.2), or as servers write it that keep both apart,
/// `service-account-jobs`, `svc:jobs` or `jobs@clients`.
fn is_named_after(subject: &str, client: &str) -> bool {
    // People's names are told by their last letter already.
    let last = |text: &str| text.as_bytes().last().copied();
    if last(subject) != last(client) && last(subject) != Some(b's') {
        return false;
    }
    subject == client
        || subject
            .strip_suffix(client)
            .is_some_and(|rest| rest.ends_with([':', '-', '/', '|', '_']))
        || subject.strip_prefix(client) == Some("@clients")
}
