//! What answers get beside what they say, made of what is configured.

use gateway::answers::AnswerRules;
use http::HeaderName;
use http::header::InvalidHeaderName;

use crate::config;

/// # Errors
/// [`InvalidHeaderName`] for a name that the check of the configuration has not seen.
pub(super) fn rules(part: &config::Gateway) -> Result<AnswerRules, InvalidHeaderName> {
    let field = part.request_id_field.as_str();
    let field = (!field.is_empty()).then(|| field.parse::<HeaderName>());
    Ok(AnswerRules {
        request_id_field: field.transpose()?,
        cors: part.cors.as_ref().map(config::Cors::rule),
        security_headers: part.security_headers,
        hide_software: part.hide_software,
        callers_name_requests: part.auth.as_ref().is_some_and(|auth| auth.request_ids),
    })
}
