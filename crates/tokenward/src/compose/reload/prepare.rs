//! What comes after what is in force: everything that can fail.

use std::sync::Arc;

use ::policy::Engine;
use detect::policy::Terms;
use gateway::policy::Policies;
use rustls::ServerConfig;
use token::client_address::TrustedProxies;
use token::key::KeySet;
use token::keyring::Keyring;

use super::{Fixed, Held};
use crate::compose::auth::AuthTerms;
use crate::compose::door::CertificateField;
use crate::compose::issuers::Servers;
use crate::compose::live::Snapshot;
use crate::compose::{gateway_parts, policies};
use crate::config::check::{Finding, rules};
use crate::config::difference::is_of;
use crate::config::{self, Config, files};
use crate::listen::tls::{self, Acceptor};

/// Ready to be put in place.
pub(super) struct Next {
    certificates: Vec<Certificate>,
    responses: Option<Terms>,
    gateway: Option<NextGateway>,
}

/// What a listener accepts TLS with from then on.
type Certificate = (Arc<Acceptor>, Arc<ServerConfig>);

struct NextGateway {
    snapshot: Snapshot,
    parts: gateway::Parts,
    policies: Option<Arc<Engine>>,
    keys: Vec<(Arc<Keyring>, KeySet)>,
    issuers: Servers,
    proxies: TrustedProxies,
}

/// Makes it. `changed` are the options that have changed, or whose files have; the configuration was checked.
///
/// # Errors
/// The option that is wrong, and what is wrong with it.
pub(super) fn next(
    fixed: &Fixed,
    held: &Held,
    config: &Config,
    changed: &[String],
) -> Result<Next, Vec<Finding>> {
    let certificates = certificates(fixed, config, changed)?;
    let gateway = match (&config.gateway, &held.parts) {
        (Some(part), Some(parts)) => {
            gateway(fixed, held, (config, part, parts), changed).map_err(|found| vec![found])?
        }
        _ => None,
    };
    let responding = changed.iter().any(|key| is_of(key, &["detect"]));
    let responses = responding.then(|| config.detect.terms()).transpose()?;
    Ok(Next { certificates, responses, gateway })
}

fn certificates(
    fixed: &Fixed,
    config: &Config,
    changed: &[String],
) -> Result<Vec<Certificate>, Vec<Finding>> {
    let read = |(section, files): (&'static str, &config::Tls)| {
        let tls = format!("{section}.tls");
        let (_, acceptor) = fixed.acceptors.iter().find(|(other, _)| *other == section)?;
        if !changed.iter().any(|key| is_of(key, &[tls.as_str()])) {
            return None;
        }
        let wrong =
            |wrong: tls::BadTls| vec![(format!("{tls}.{}", wrong.member()), wrong.to_string())];
        Some(tls::read(files).map(|read| (Arc::clone(acceptor), read)).map_err(wrong))
    };
    files::listeners(config).filter_map(read).collect()
}

fn gateway(
    fixed: &Fixed,
    held: &Held,
    (config, part, parts): (&Config, &config::Gateway, &gateway::Parts),
    changed: &[String],
) -> Result<Option<NextGateway>, Finding> {
    let has = |options: &[&str]| changed.iter().any(|key| is_of(key, options));
    let Some(live) = fixed.live.as_ref().filter(|_| has(&["gateway"])) else { return Ok(None) };
    let at = |key: &'static str| {
        move |wrong: crate::command::Failure| (key.to_owned(), wrong.to_string())
    };
    let (issuer, resource) = (fixed.issuer.clone(), fixed.resource.clone());
    let settings =
        gateway_parts::settings(part, issuer, resource, config).map_err(at("gateway"))?;
    let mut parts = parts.clone();
    // What is as it was stays the same one: with it, what is known of tokens is good for longer.
    let policies = match has(&["gateway.policy", "gateway.route"]) {
        true => policies::shared(part).map_err(at("gateway.policy.files"))?,
        false => held.policies.clone(),
    };
    parts.policies = policies.clone().map(|engine| engine as Arc<dyn Policies>);
    if has(&["gateway.decryption_keys"]) {
        parts.decryption =
            gateway_parts::decryption(part).map_err(at("gateway.decryption_keys"))?;
    }
    if has(&["gateway.internal_token"]) {
        let keys = gateway_parts::internal_keys(&part.internal_token, &fixed.store);
        parts.internal_keys = Some(Arc::new(keys.map_err(at("gateway.internal_token.key_file"))?));
    }
    let of_issuers = has(&["gateway.issuer", "gateway.reach"]);
    let (servers, keys) = match of_issuers {
        true => {
            let servers = fixed.issuers.next(part).map_err(at("gateway.issuer"))?;
            let keys = servers.given(part).map_err(at("gateway.issuer"))?;
            (servers, keys)
        }
        false => (fixed.issuers.current(), Vec::new()),
    };
    let issuers = servers.of_gateway(&settings, part, config);
    parts.issuers = issuers.map_err(at("gateway.issuer"))?;
    let current = live.current();
    let made = current.gateway.successor(settings, parts.clone());
    let made = made.map_err(|wrong| (rules::option(&wrong, part), wrong.to_string()))?;
    let auth = AuthTerms::new(part, &made, policies.as_ref(), fixed.auth_url.as_deref());
    let snapshot = current.successor(made, auth, CertificateField::of_gateway(part));
    let proxies = part.proxies();
    Ok(Some(NextGateway { snapshot, parts, policies, keys, issuers: servers, proxies }))
}

// === impl Next ===

impl Next {
    /// Puts it in place: from here on nothing fails.
    pub(super) fn apply(self, fixed: &Fixed, held: &mut Held) {
        for (acceptor, read) in self.certificates {
            acceptor.replace(read);
        }
        if let Some(terms) = self.responses {
            fixed.responses.replace(terms);
        }
        let Some(next) = self.gateway else { return };
        for (keyring, keys) in next.keys {
            keyring.replace(keys);
        }
        held.parts = Some(next.parts);
        held.policies = next.policies;
        fixed.issuers.replace(next.issuers);
        fixed.proxies.store(Arc::new(next.proxies));
        if let Some(live) = &fixed.live {
            live.replace(next.snapshot);
        }
    }
}
