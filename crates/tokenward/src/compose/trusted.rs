//! Trusted issuers as they are configured, and others who sign.

use std::path::Path;
use std::sync::Arc;

use authority::foreign::{KeySource, TrustedIssuer, WorkloadRule};
use token::claim_pattern::Pattern;

use super::key_files;
use crate::command::Failure;
use crate::config::{self, Config};

/// All of them, with the keys that are in files.
pub(super) fn issuers(config: &Config) -> Result<Vec<TrustedIssuer>, Failure> {
    config.trusted_issuers.iter().map(issuer).collect()
}

/// Others who sign, with the keys that are in files.
pub(super) fn sources(configured: &[config::KeySource]) -> Result<Vec<KeySource>, Failure> {
    let one = |one: &config::KeySource| {
        source(&one.issuer, one.jwks_uri.as_deref(), one.jwks_file.as_deref())
    };
    configured.iter().map(one).collect()
}

pub(super) fn source(
    issuer: &str,
    jwks_uri: Option<&str>,
    jwks_file: Option<&Path>,
) -> Result<KeySource, Failure> {
    let keys = jwks_file.map(key_files::set).transpose()?;
    Ok(KeySource {
        issuer: issuer.to_owned(),
        jwks_uri: jwks_uri.map(str::parse).transpose().map_err(Failure::new)?,
        keys: keys.map(Arc::new),
    })
}

fn issuer(configured: &config::TrustedIssuer) -> Result<TrustedIssuer, Failure> {
    let (uri, file) = (configured.jwks_uri.as_deref(), configured.jwks_file.as_deref());
    Ok(TrustedIssuer {
        source: source(&configured.issuer, uri, file)?,
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
