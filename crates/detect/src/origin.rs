//! What events do not know themselves: where they came from, by which software, and what of that is another
//! than when the token was issued.

use std::num::NonZeroU32;
use std::sync::Arc;

use token::event::{Event, EventKind, Moved, Origin};
use token::place::Places;
use token::user_agent;

use crate::program;
use crate::sketch::hash;
use crate::sketch::table::Table;

/// Tokens whose issue is remembered, some 40 bytes each; those that are used keep their place.
const TOKENS: usize = 100_000;

/// Completes events, in their order.
pub struct Origins {
    places: Option<Arc<dyn Places>>,
    issued: Table<Fingerprint>,
}

/// Where something came from, in short: numbers of names, of which one in four billion is another's too.
#[derive(Clone, Copy, Default)]
struct Fingerprint {
    country: Option<NonZeroU32>,
    asn: Option<NonZeroU32>,
    software: Option<NonZeroU32>,
    ja4: Option<NonZeroU32>,
}

// === impl Origins ===

impl Origins {
    /// With what is known of places, and no token yet.
    pub fn new(places: Option<Arc<dyn Places>>) -> Self {
        Self { places, issued: Table::new(TOKENS) }
    }

    /// Adds what is known. What the event says itself stands.
    pub fn complete(&mut self, event: &mut Event) {
        if let (Some(places), Some(ip)) = (&self.places, event.ip) {
            event.origin.complete(&places.place(ip));
        }
        if event.origin.software.is_none() {
            event.origin.software = event.ua.as_deref().and_then(user_agent::family);
        }
        let Some(token) = &event.who.token else { return };
        let (token, now) = (hash::text(token.as_str()), Fingerprint::of(&event.origin));
        let at = u32::try_from(event.ts.as_secs()).unwrap_or(0);
        match &mut event.kind {
            EventKind::Grant { result, .. } if result == "ok" => {
                *self.issued.touch(token, at) = now;
            }
            EventKind::Request(request) if request.moved.is_none() => {
                if let Some(then) = self.issued.peek(token) {
                    request.moved = Some(then.differs(&now));
                    self.issued.touch(token, at);
                }
            }
            _ => {}
        }
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    fn of(origin: &Origin) -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX);
        let folded = |hashed: u64| number((hashed ^ hashed >> 32) as u32);
        let short = |text: &Option<String>| text.as_deref().map(|text| folded(hash::text(text)));
        Self {
            country: short(&origin.country),
            asn: origin.asn.map(number),
            software: short(&origin.software),
            ja4: origin.ja4.as_deref().and_then(program::library).map(folded),
        }
    }

    /// Only what is known of both can differ.
    fn differs(&self, now: &Self) -> Box<[Moved]> {
        fn other<T: PartialEq>(then: Option<T>, now: Option<T>) -> bool {
            then.zip(now).is_some_and(|(then, now)| then != now)
        }
        [
            (Moved::Country, other(self.country, now.country)),
            (Moved::Asn, other(self.asn, now.asn)),
            (Moved::Software, other(self.software, now.software)),
            (Moved::Ja4, other(self.ja4, now.ja4)),
        ]
        .into_iter()
        .filter_map(|(what, other)| other.then_some(what))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use serde_json::{Value, json};
    use token::event::Event;
    use token::place::Place;

    use super::Origins;

    fn atlas(address: IpAddr) -> Place {
        let country = if address.is_ipv4() { "NO" } else { "SE" };
        Place { country: country.parse().ok(), asn: Some(64_496), ..Place::default() }
    }

    fn completed(origins: &mut Origins, event: Value) -> Value {
        let mut read: Event = serde_json::from_value(event).expect("an event");
        origins.complete(&mut read);
        serde_json::to_value(read).expect("JSON")
    }

    fn event(kind: &str, token: &str, ip: &str, ua: &str) -> Value {
        json!({
            "ts": "2026-11-01T00:00:00.000Z", "kind": kind, "ip": ip, "ua": ua, "token": token,
            "result": "ok",
        })
    }

    #[test]
    fn a_request_tells_what_has_moved_since_the_token_was_issued() {
        let mut origins = Origins::new(Some(Arc::new(atlas)));
        let issued = completed(&mut origins, event("grant", "t1", "192.0.2.1", "curl/8.1"));
        assert_eq!((&issued["country"], &issued["asn"]), (&json!("NO"), &json!(64_496)));
        assert_eq!((&issued["software"], issued.get("moved")), (&json!("curl"), None));
        for (token, ip, ua, moved) in [
            ("t1", "192.0.2.9", "curl/8.2", Some(json!([]))),
            ("t1", "2001:db8::1", "curl/8.2", Some(json!(["country"]))),
            ("t1", "2001:db8::1", "Go-http-client/1.1", Some(json!(["country", "software"]))),
            ("t1", "192.0.2.9", "", Some(json!([]))),
            ("t2", "192.0.2.9", "curl/8.2", None),
        ] {
            let told = completed(&mut origins, event("request", token, ip, ua));
            assert_eq!(told.get("moved").cloned(), moved, "{token} {ip} {ua}");
        }
        // A refused grant is nobody's token; what an event says itself stands.
        let mut refused = event("grant", "t2", "192.0.2.1", "curl/8.1");
        refused["result"] = json!("invalid_grant");
        completed(&mut origins, refused);
        let mut told = event("request", "t2", "192.0.2.1", "curl/8.1");
        told["country"] = json!("FI");
        let told = completed(&mut origins, told);
        assert_eq!((&told["country"], told.get("moved")), (&json!("FI"), None));
    }

    #[test]
    fn without_a_database_the_software_is_compared() {
        let mut origins = Origins::new(None);
        completed(&mut origins, event("grant", "t1", "192.0.2.1", "curl/8.1"));
        let told = completed(&mut origins, event("request", "t1", "2001:db8::1", "wget/1"));
        assert_eq!((told.get("country"), &told["moved"]), (None, &json!(["software"])));
    }
}
