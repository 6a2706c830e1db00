//! Whoever sends requests, and the requests as events.

use std::net::IpAddr;

use token::event::{Event, EventKind, Request, TokenKind, Who};
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::random::Random;

/// Milliseconds of a Monday, 00:00.
pub const START: i64 = 1_789_948_800_000;
/// An hour in seconds.
pub const HOUR: f64 = 3600.0;
/// A day in seconds.
pub const DAY: f64 = 24.0 * HOUR;

/// Somebody or something with a token, at one address.
#[derive(Clone)]
pub struct Actor {
    /// Whose token it is.
    pub subject: Option<String>,
    /// Which client it is for.
    pub client: Option<String>,
    /// Its `jti`.
    pub token: String,
    /// What it is.
    pub kind: TokenKind,
    /// Its scopes.
    pub scopes: &'static str,
    /// From where it is sent.
    pub ip: IpAddr,
    /// By which software.
    pub ua: String,
}

/// What is asked, and what comes back.
#[derive(Clone, Default)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The route as a template.
    pub route: &'static str,
    /// The value of its last parameter.
    pub object: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// Why it is refused.
    pub refused: Option<&'static str>,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Bytes of the request.
    pub sent: u64,
    /// Records in the answer.
    pub records: Option<u64>,
}

/// A read.
pub fn get(route: &'static str) -> Call {
    Call { method: "GET", route, status: 200, bytes: 900, ..Call::default() }
}

/// A read of one object.
pub fn get_one(route: &'static str, object: impl ToString) -> Call {
    Call { object: Some(object.to_string()), ..get(route) }
}

/// A change.
pub fn post(route: &'static str) -> Call {
    Call { method: "POST", status: 201, sent: 300, bytes: 200, ..get(route) }
}

// === impl Call ===

impl Call {
    /// The same, refused.
    pub fn refused(self, status: u16, code: &'static str) -> Self {
        Self { status, refused: Some(code), bytes: 150, ..self }
    }

    /// The same with another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, bytes: 150, ..self }
    }

    /// The same with so many bytes.
    pub fn bytes(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }
}

// === impl Actor ===

impl Actor {
    /// A request so many seconds after the start.
    pub fn call(&self, at: f64, call: Call) -> Event {
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
    pub fn does(&self, at: f64, kind: EventKind) -> Event {
        Event { kind, ..self.call(at, get("/")) }
    }

    /// A password typed.
    pub fn login(&self, at: f64, name: &str, result: &str) -> Event {
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

    /// The same from another address.
    pub fn at(&self, ip: IpAddr) -> Self {
        Self { ip, ..self.clone() }
    }
}

/// Somebody without a token.
pub fn stranger(ip: IpAddr, ua: &str) -> Actor {
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
pub fn rare_ip(random: &mut Random) -> IpAddr {
    let low = random.next();
    IpAddr::from([203, (low >> 8) as u8, (low >> 16) as u8, (low >> 24) as u8])
}
