//! What personal tokens are used for: told to whoever keeps them, so that they can be narrowed to it.

use std::net::IpAddr;

use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::core::Core;
use crate::permit::Permitted;
use crate::route::Demand;
use crate::verify::Known;

/// Notes that a personal token was let through; of other tokens nothing is kept.
pub(crate) fn note(core: &Core, permitted: &Permitted, ip: IpAddr, now: Timestamp) {
    let Some(known) = permitted.known() else { return };
    let (Some(personal), Some(tokens)) = (known.token.personal(), &core.verifier.personal) else {
        return;
    };
    let rule = permitted.rule();
    let demanded = demanded(known, &rule.demand);
    if let Some(used) = personal.used(now, Some(ip), Some(&*rule.template), &demanded) {
        tokens.keep_use(used);
    }
}

/// The scopes that the rule demanded: of those of which one was enough, the first that the token has.
fn demanded(known: &Known, demand: &Demand) -> ScopeSet {
    let Demand::Token { scopes, further, .. } = demand else { return ScopeSet::default() };
    let any = further
        .as_ref()
        .and_then(|beside| {
            beside.any.iter().find(|set| set.iter().all(|one| one.is_met_by(known.token.scopes())))
        })
        .into_iter()
        .flatten();
    let names: Vec<&str> = scopes.iter().chain(any).map(|scope| scope.name()).collect();
    ScopeSet::parse(&names.join(" ")).unwrap_or_default()
}
