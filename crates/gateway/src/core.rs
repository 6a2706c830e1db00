//! What all threads of a gateway share: settings turned into values that are ready to use. Never changed: other
//! settings make another one, and whoever has this one goes on with it.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use inspect::Inspector;
use token::client_address::TrustedProxies;
use token::event::EventSink;
use token::honeytoken::Honeytokens;
use token::index::RestrictionIndex;
use token::ladder::Ladder;
use token::place::{Place, Places};
use token::time::Clock;

use crate::answers::Answers;
use crate::bind::Binder;
use crate::browser_app::Apps;
use crate::cors::Cors;
use crate::explain::Requests;
use crate::gateway::rules::Compiler;
use crate::inside::InternalTokens;
use crate::limit::Limits;
use crate::meters::RequestMeters;
use crate::policy::Policies;
use crate::present::Credentials;
use crate::resource::Resource;
use crate::route::Routes;
use crate::settings::RequestLimits;
use crate::shed::Shedder;
use crate::streams::Everywhere;
use crate::target::Target;
use crate::verify::Verifier;

/// Everything that a check and a forward read.
pub(crate) struct Core {
    pub(crate) routes: Routes,
    pub(crate) ladder: Ladder,
    /// For rules that come later, as those of a layer do.
    pub(crate) compiler: Compiler,
    pub(crate) apps: Apps,
    pub(crate) verifier: Verifier,
    pub(crate) binder: Binder,
    pub(crate) limits: Limits,
    pub(crate) index: Arc<RestrictionIndex>,
    pub(crate) honeytokens: Arc<Honeytokens>,
    pub(crate) policies: Option<Arc<dyn Policies>>,
    pub(crate) places: Option<Arc<dyn Places>>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resource: Resource,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) forward_token: bool,
    /// Makes the gateway's own tokens, where some upstream gets them.
    pub(crate) inside: Option<InternalTokens>,
    pub(crate) credentials: Credentials,
    pub(crate) challenge_scopes: bool,
    pub(crate) request_limits: RequestLimits,
    pub(crate) shedder: Arc<Shedder>,
    pub(crate) answers: Arc<Answers>,
    /// Those that have ended lately.
    pub(crate) recent: Arc<Requests>,
    pub(crate) inspector: Inspector,
    pub(crate) requests: RequestMeters,
    pub(crate) streams: Arc<Everywhere>,
}

// === impl Core ===

impl Core {
    /// Where a client is; nothing is known of it without an address, or without a database.
    pub(crate) fn place(&self, ip: Option<IpAddr>) -> Place {
        match (&self.places, ip) {
            (Some(places), Some(ip)) if !ip.is_unspecified() => places.place(ip),
            _ => Place::default(),
        }
    }

    /// What is said of CORS to whoever sends this request: what its route says, if some route has a rule of its
    /// own.
    pub(crate) fn cors(&self, head: &Parts) -> Option<&Arc<Cors>> {
        let usual = self.answers.cors();
        if !self.routes.own_cors {
            return usual;
        }
        let Parts { method, uri, headers, version, .. } = head;
        let Ok(target) = Target::parse(method, uri, headers, *version) else { return usual };
        let found = self.routes.find(target.path());
        let rule = found.and_then(|found| found.rules.rule(&Cors::method(head)));
        rule.map_or(usual, |rule| rule.cors.as_ref())
    }
}
