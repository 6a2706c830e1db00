//! Trusted issuers as they are configured.

use std::sync::Arc;

use authority::foreign::{Pattern, TrustedIssuer, WorkloadRule};

use super::key_files;
use crate::command::Failure;
use crate::config::{self, Config};

/// All of them, with the keys that are in files.
pub(super) fn issuers(config: &Config) -> Result<Vec<TrustedIssuer>, Failure> {
    config.trusted_issuers.iter().map(issuer).collect()
}

fn issuer(configured: &config::TrustedIssuer) -> Result<TrustedIssuer, Failure> {
    let keys = configured.jwks_file.as_deref().map(key_files::set).transpose()?;
    Ok(TrustedIssuer {
        issuer: configured.issuer.clone(),
        jwks_uri: configured
            .jwks_uri
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(Failure::new)?,
        keys: keys.map(Arc::new),
        audience: configured.audience.clone(),
        rules: configured.rules.iter().map(rule).collect::<Result<_, _>>()?,
        people: configured.people.clone(),
    })
}

fn rule(configured: &config::WorkloadRule) -> Result<WorkloadRule, Failure> {
    let claims = configured.claims.iter().map(|(claim, text)| Pattern::new(claim, text));
    Ok(WorkloadRule {
        claims: claims.collect::<Result<_, _>>().map_err(Failure::new)?,
        client: configured.client.as_str().into(),
    })
}
