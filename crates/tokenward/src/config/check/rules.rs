//! The gateway's rules as a whole: what is wrong with one beside another.

use gateway::SettingsError;

use super::{Finding, own_issuer, own_resource};
use crate::compose::gateway_parts;
use crate::config::{self, Config};

/// What a gateway could not be made of, once each option is good by itself.
pub(super) fn check(config: &Config, part: &config::Gateway, found: &mut Vec<Finding>) {
    let issuer = own_issuer(&config.authority);
    let settings = match gateway_parts::settings(part, issuer, own_resource(part), config) {
        Ok(settings) => settings,
        Err(wrong) => return found.push(("gateway".to_owned(), wrong.to_string())),
    };
    if let Err(wrong) = settings.check() {
        found.push((option(&wrong, part), wrong.to_string()));
    }
}

/// The option that a gateway could not be made of.
pub(crate) fn option(wrong: &SettingsError, part: &config::Gateway) -> String {
    let route = |path: &str| {
        // The later one of two is the one too many.
        let found = part.routes.iter().rposition(|route| route.path == path);
        found.map_or_else(
            || "gateway.api".to_owned(),
            |found| format!("gateway.route[{found}].path"),
        )
    };
    let limit = |name: &str| {
        let found = part.limits.iter().rposition(|limit| limit.name == name);
        format!("gateway.limit[{}].name", found.unwrap_or_default())
    };
    match wrong {
        SettingsError::BadPathVariants(path)
        | SettingsError::BadRouteCors { path, .. }
        | SettingsError::BadScope { path, .. }
        | SettingsError::BadRewrite { path, .. }
        | SettingsError::BadTemplate { path, .. }
        | SettingsError::CostTooHigh { path, .. }
        | SettingsError::DuplicateRoute { path, .. }
        | SettingsError::RefusedMethod { path, .. }
        | SettingsError::UnknownUpstream { path, .. } => route(path),
        SettingsError::BadLimitName(name)
        | SettingsError::DuplicateLimit(name)
        | SettingsError::UnknownLimitedRoute { limit: name, .. }
        | SettingsError::ZeroLimit(name) => limit(name),
        SettingsError::BadHealth(name)
        | SettingsError::BadUpstream { name, .. }
        | SettingsError::ServerCount { name, .. }
        | SettingsError::UpstreamTls { name, .. }
        | SettingsError::ZeroUpstream(name) => format!("gateway.upstreams.{name}"),
        SettingsError::BadApiKeyField(_) => "gateway.api_key_header".to_owned(),
        SettingsError::BadCors(_) => "gateway.cors".to_owned(),
        SettingsError::BadIdentityField(_)
        | SettingsError::ShortIdentity
        | SettingsError::TwoTokensForward => "gateway.internal_token".to_owned(),
        _ => "gateway".to_owned(),
    }
}
