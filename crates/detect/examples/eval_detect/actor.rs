//! Whoever sends requests, and the requests as events.

use std::net::IpAddr;

use token::event::{Event, EventKind, Request, TokenKind, Who};
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::random::Random;

/// Milliseconds of a Monday, 00:00.
pub(crate) const START: i64 = 1_789_948_800_000;
pub(crate) const HOUR: f64 = 3600.0;
pub(crate) const DAY: f64 = 24.0 * HOUR;

/// Somebody or something with a token, at one address.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) subject: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) token: String,
    pub(crate) kind: TokenKind,
    pub(crate) scopes: &'static str,
    pub(crate) ip: IpAddr,
    pub(crate) ua: String,
}

/// What is asked, and what comes back.
#[derive(Clone, Default)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) object: Option<String>,
    pub(crate) status: u16,
    pub(crate) refused: Option<&'static str>,
    pub(crate) bytes: u64,
    pub(crate) sent: u64,
    pub(crate) records: Option<u64>,
}

pub(crate) fn get(route: &'static str) -> Call {
    Call { method: "GET", route, status: 200, bytes: 900, ..Call::default() }
}

pub(crate) fn get_one(route: &'static str, object: impl ToString) -> Call {
    Call { object: Some(object.to_string()), ..get(route) }
}

pub(crate) fn post(route: &'static str) -> Call {
    Call { method: "POST", status: 201, sent: 300, bytes: 200, ..get(route) }
}

// === impl Call ===

impl Call {
    pub(crate) fn refused(self, status: u16, code: &'static str) -> Self {
        Self { status, refused: Some(code), bytes: 150, ..self }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, bytes: 150, ..self }
    }

    pub(crate) fn bytes(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }
}

// === impl Actor ===

impl Actor {
    /// A request so many seconds after the start.
    pub(crate) fn call(&self, at: f64, call: Call) -> Event {
        let path = match &call.object {
            Some(object) => call.route.replace("{id}", object),
            None => call.route.to_owned(),
        };
        let unknown = call.refused == Some("unknown_route");
        let is_known = self.subject.is_some() || self.client.is_some();
        Event {
            origin: Default::default(),
            ts: Timestamp::from_millis(START + (at * 1000.0) as i64),
            ip: Some(self.ip),
            who: Who {
                subject: self.subject.as_deref().map(Into::into),
                client: self.client.as_deref().map(Into::into),
                token: is_known.then(|| self.token.as_str().into()),
                ..Who::default()
            },
            ua: Some(self.ua.clone()),
            kind: EventKind::Request(Request {
                token_kind: self.kind,
                scopes: ScopeSet::parse(self.scopes).unwrap_or_default(),
                method: call.method.to_owned(),
                path,
                route: (!unknown).then(|| call.route.to_owned()),
                object: call.object.filter(|_| !unknown),
                status: call.status,
                refused: call.refused.map(Into::into),
                bytes_in: call.sent,
                bytes_out: call.bytes,
                records_out: call.records,
                latency_us: 4000,
                ..Request::default()
            }),
        }
    }

    /// Something else than a request, so many seconds after the start.
    pub(crate) fn does(&self, at: f64, kind: EventKind) -> Event {
        Event { kind, ..self.call(at, get("/")) }
    }

    /// A password typed.
    pub(crate) fn login(&self, at: f64, name: &str, result: &str) -> Event {
        let is_ok = result == "ok";
        let kind = EventKind::Login {
            username: format!("hash-of-{name}"),
            result: result.to_owned(),
            factor: "password".to_owned(),
            complete: is_ok,
        };
        let mut event = self.does(at, kind);
        event.who = Who::default();
        event.who.subject = is_ok.then(|| name.into());
        event
    }

    pub(crate) fn at(&self, ip: IpAddr) -> Self {
        Self { ip, ..self.clone() }
    }
}

/// Somebody without a token.
pub(crate) fn stranger(ip: IpAddr, ua: &str) -> Actor {
    Actor {
        subject: None,
        client: None,
        token: String::new(),
        kind: TokenKind::None,
        scopes: "",
        ip,
        ua: ua.to_owned(),
    }
}

/// An address that nobody else has.
pub(crate) fn rare_ip(random: &mut Random) -> IpAddr {
    let low = random.next();
    IpAddr::from([203, (low >> 8) as u8, (low >> 16) as u8, (low >> 24) as u8])
}
