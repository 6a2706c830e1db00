//! The authority's settings as they are configured.

use std::sync::Arc;
use std::time::Duration;

use authority::known_places::KnownPlaces;
use authority::leak::LeakKeys;
use authority::login::password::breached::Breached;
use authority::login::password::policy::Rules;
use authority::register::policy::Registration;
use authority::rule::authorization_details::{DetailDefinition, Shape};
use authority::settings::Notices;
use authority::{ResourceDefinition, ScopeDefinition};
use token::scope::ScopeSet;

use super::{key_files, providers, signals, trusted};
use crate::command::Failure;
use crate::config::{self, Config};

/// What the authority is told: who it is, and for which resource the gateway stands, where there is one.
///
/// # Errors
/// [`Failure`] names what is wrong.
pub(super) fn authority(
    config: &Config,
    issuer: String,
    resource: Option<String>,
    places: KnownPlaces,
) -> Result<authority::Settings, Failure> {
    let part = &config.authority;
    Ok(authority::Settings {
        admin_resource: issuer.clone(),
        resources: resources(config, resource.unwrap_or_else(|| issuer.clone()))?,
        scopes: config
            .scopes
            .iter()
            .map(|scope| ScopeDefinition {
                name: scope.name.clone(),
                description: scope.description.clone(),
                translations: scope.translations.clone(),
                resources: scope.resources.clone(),
                claims: scope.claims.clone(),
                mfa: scope.mfa,
            })
            .collect(),
        ladder: config.ladder().map_err(Failure::new)?,
        issuer,
        profile: part.profile,
        require_pkce: part.require_pkce,
        authorization_details: details(config)?,
        access_token_life: part.access_token_life.duration(),
        id_token_life: part.id_token_life.duration(),
        code_life: Duration::from_secs(60),
        device_code_life: part.device_code_life.duration(),
        refresh_idle_life: part.refresh_idle_life.duration(),
        refresh_absolute_life: part.refresh_absolute_life.duration(),
        refresh_retry_window: part.refresh_retry_window.duration(),
        session_life: part.session_life.duration(),
        session_idle: part.session_idle.duration(),
        trusted_proxies: part.proxies(),
        registration: registration(&part.registration)?,
        leak_keys: leak_keys(part)?,
        personal_tokens: part.personal_tokens.policy().map_err(Failure::new)?,
        signing_algs: part.signing_algs.clone(),
        client_id_metadata_documents: part.client_id_metadata_documents,
        mutual_tls: part.client_certificate_field.is_some()
            || part.tls.as_ref().is_some_and(|tls| tls.client_certificates),
        trusted_issuers: trusted::issuers(config)?,
        software_publishers: trusted::sources(&config.software_publishers)?,
        attesters: trusted::sources(&config.attesters)?,
        attestation_challenge: part.attestation_challenge,
        password_threads: part.password_threads,
        puzzle_after: part.puzzle_after,
        places,
        passwords: passwords(&part.passwords)?,
        mfa: part.mfa.policy(),
        sign_up: part.sign_up.settings(),
        notices: notices(&config.mail),
        catalogue: part.branding.catalogue().map_err(Failure::new)?,
        branding: part.branding.own().map_err(Failure::new)?,
        providers: providers::providers(&part.identity_providers)?,
        streams: signals::streams(&config.notify)?,
        transmitters: signals::transmitters(&config.signal_transmitters)?,
    })
}

/// What new passwords have to be.
fn passwords(part: &config::accounts::Passwords) -> Result<Rules, Failure> {
    let open = |path: &std::path::PathBuf| {
        Breached::open(path).map(Arc::new).map_err(|error| {
            let file = path.display();
            Failure::new(format_args!("authority.passwords.breached_list: {file}: {error}"))
        })
    };
    let breached = part.breached_list.as_ref().map(open).transpose()?;
    Ok(Rules { min_chars: part.min_length, breached })
}

/// What people are told by letters; of an end the earliest notice first.
fn notices(part: &config::Mail) -> Notices {
    let mut token_ends: Vec<_> = part.token_ends.iter().map(|span| span.duration()).collect();
    token_ends.sort_unstable();
    token_ends.reverse();
    Notices { token_ends, new_browser: part.new_browser }
}

/// Who may report leaked tokens.
fn leak_keys(part: &config::Authority) -> Result<LeakKeys, Failure> {
    let Some(path) = &part.leak_report_keys else { return Ok(LeakKeys::default()) };
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(format_args!("authority.leak_report_keys: {}: {error}", path.display()))
    };
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    LeakKeys::from_json(&text).map_err(|error| wrong(&error))
}

fn registration(part: &config::Registration) -> Result<Registration, Failure> {
    let hosts = part.redirect_hosts.iter().map(|host| host.parse());
    let usual = || Registration::usual_grant_types(part.policy);
    Ok(Registration {
        policy: part.policy,
        scopes: ScopeSet::parse(&part.scopes).map_err(Failure::new)?,
        grant_types: part.grant_types.clone().unwrap_or_else(usual),
        redirect_hosts: hosts.collect::<Result<_, _>>().map_err(Failure::new)?,
        private_use_schemes: part.private_use_schemes,
    })
}

fn details(config: &Config) -> Result<Vec<DetailDefinition>, Failure> {
    let defined = |detail: &config::DetailType| {
        Ok(DetailDefinition {
            kind: detail.kind.clone(),
            description: detail.description.clone(),
            translations: detail.translations.clone(),
            actions: detail.actions.clone(),
            members: Shape::members(&detail.members).map_err(Failure::new)?,
        })
    };
    config.authorization_details.iter().map(defined).collect()
}

/// The gateway's own resource first, then the others; each as its entry says.
fn resources(config: &Config, own: String) -> Result<Vec<ResourceDefinition>, Failure> {
    let mut all = vec![ResourceDefinition::new(own)];
    for entry in &config.resources {
        let key = entry.encrypt_to.as_deref().map(key_files::public).transpose()?;
        let defined = ResourceDefinition {
            identifier: entry.identifier.clone(),
            access_token_life: entry.access_token_life.map(|life| life.duration()),
            signing_alg: entry.signing_alg,
            encrypt_to: key.map(Arc::new),
            status_list: entry.status_list,
            token_format: entry.token_format,
        };
        match all.iter_mut().find(|known| known.identifier == defined.identifier) {
            Some(known) => *known = defined,
            None => all.push(defined),
        }
    }
    Ok(all)
}
