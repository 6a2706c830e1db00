//! What a route demands beside scopes: mistakes in claims, kinds of tokens, places, times and policies.

use gateway::route::hours::Hours;
use token::event::TokenKind;

use super::{Finding, identifier};
use crate::compose::{gateway_parts, policies};
use crate::config::{Gateway, Geo, Route};

/// What a route demands of claims, kinds of tokens, places, times and policies.
pub(super) fn of_route(
    part: &Gateway,
    route: &Route,
    at: &dyn Fn(&str) -> String,
    found: &mut Vec<Finding>,
) {
    if route.policy == Some(true) && part.policy.is_none() {
        found.push((at("policy"), "needs `gateway.policy`, which has the policies".to_owned()));
    }
    for refused in gateway_parts::claims(&route.claims).filter_map(Result::err) {
        found.push((at("claims"), refused.to_string()));
    }
    let comes = [TokenKind::Jwt, TokenKind::Opaque, TokenKind::Session];
    if route.token_kinds.iter().any(|kind| !comes.contains(kind)) {
        let words = "must be among `jwt`, `opaque` and `session`: nothing else opens a route";
        found.push((at("token_kinds"), words.to_owned()));
    }
    for test in route.places() {
        if let Err((option, refused)) = test {
            found.push((at(option), refused.to_string()));
        }
    }
    for refused in route.times.iter().filter_map(|text| text.parse::<Hours>().err()) {
        found.push((at("times"), refused.to_string()));
    }
}

const NO_PLACES: &str = "demands a place, and none is known: name databases in `geo.files`";

/// Without a database nobody is in any country.
pub(super) fn places(part: &Gateway, geo: &Geo, found: &mut Vec<Finding>) {
    for (position, route) in part.routes.iter().enumerate() {
        if geo.files.is_empty() && route.places().next().is_some() {
            found.push((format!("gateway.route[{position}]"), NO_PLACES.to_owned()));
        }
    }
    for (position, api) in part.apis.iter().enumerate() {
        if geo.files.is_empty() && api.places().next().is_some() {
            found.push((format!("gateway.api[{position}]"), NO_PLACES.to_owned()));
        }
    }
}

/// The policies themselves, in their files.
pub(super) fn policies(part: &Gateway, found: &mut Vec<Finding>) {
    let at = |member: &str| format!("gateway.policy.{member}");
    let Some(policy) = &part.policy else { return };
    if policy.files.is_empty() {
        found.push((
            at("files"),
            "must name a file: without policies nothing is permitted".to_owned(),
        ));
    }
    if let Some(url) = &policy.decision_point {
        identifier(&at("decision_point"), url, found);
        if part.auth.is_none() {
            let words = "needs `gateway.auth`, the listener where services ask".to_owned();
            found.push((at("decision_point"), words));
        }
    }
    let wrong = policies::engine(part).err().unwrap_or_default();
    found.extend(wrong.into_iter().map(|(member, what)| (at(member), what)));
}
