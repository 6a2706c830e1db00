//! The gateway's settings and parts, made of what is configured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use authority::Authority;
use gateway::explain::Kept;
use gateway::inside::{InternalKeys, InternalTokenRule};
use gateway::limit::LimitRule;
use gateway::route::hours::Hours;
use gateway::{
    Access, BadClaimRule, Binding, ClaimRule, Credentials, Further, RequestLimits, RouteRule,
};
use store::Store;
use token::dpop::Nonces;
use token::encryption_key::DecryptionKey;
use token::event::EventSink;
use token::key::PrivateKey;
use token::time::{Clock, Timestamp};

use super::{Sockets, answers, browser_app, key_files, upstream};
use crate::command::Failure;
use crate::config::span::Span;
use crate::config::{self, Config};

/// How often another key signs the gateway's own tokens. It is published so long before.
const INTERNAL_KEY_EVERY: Duration = Duration::from_hours(7 * 24);

/// What the gateway is told.
///
/// # Errors
/// [`Failure`] names what is wrong.
pub(crate) fn settings(
    part: &config::Gateway,
    issuer: String,
    resource: String,
    config: &Config,
) -> Result<gateway::Settings, Failure> {
    let upstreams = part.upstreams.iter();
    let upstreams = upstreams.map(|(name, api)| Ok((name.clone(), upstream::rule(name, api)?)));
    let upstreams = upstreams.collect::<Result<_, Failure>>()?;
    Ok(gateway::Settings {
        resource,
        audiences: Vec::new(),
        authorization_servers: authorization_servers(&issuer, part),
        issuer,
        upstreams,
        ladder: config.ladder().map_err(Failure::new)?,
        routes: routes(part)?,
        trusted_proxies: part.proxies(),
        leeway: part.leeway.duration(),
        cache_entries: part.cache_entries,
        forward_token: part.forward_token,
        credentials: credentials(part)?,
        identity: part.identity.form(),
        internal_token: InternalTokenRule {
            life: part.internal_token.life.duration(),
            field: part
                .internal_token
                .field
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(Failure::new)?,
        },
        challenge_scopes: part.challenge_scopes,
        shed_after: shed_after(part),
        request_limits: RequestLimits {
            fields: part.max_fields,
            field_bytes: part.max_field_bytes,
            body_bytes: Some(part.max_body).filter(|most| *most > 0),
            body_wait: part.body_timeout.duration(),
        },
        inspect_body_limit: part.inspect_body_limit,
        upstream_timeout: part.upstream_timeout.duration(),
        limits: part.limits.iter().map(limit).collect::<Result<_, _>>()?,
        doubtful: part.doubtful_tokens.0,
        limit_entries: part.limit_entries,
        kept: Kept { refused: part.explain_refused, passed: part.explain_passed },
        answers: answers::rules(part).map_err(Failure::new)?,
    })
}

/// That, and what it shares with the rest of the process.
///
/// # Errors
/// [`Failure`] names what is wrong.
pub(super) fn all(
    part: &config::Gateway,
    sockets: &Sockets,
    config: &Config,
    authority: &Authority,
    events: &Arc<dyn EventSink>,
    clock: &Arc<dyn Clock>,
) -> Result<(gateway::Settings, gateway::Parts), Failure> {
    let store = authority.store();
    let resource = sockets.resource(part).unwrap_or_default();
    let browser_apps = browser_app::all(part, &resource, authority)?;
    let settings = settings(part, sockets.issuer(&config.authority), resource, config)?;
    let parts = gateway::Parts {
        keyring: authority.keys().keyring(),
        index: Arc::clone(store.index()),
        honeytokens: Arc::clone(store.honeytokens()),
        events: Arc::clone(events),
        clock: Arc::clone(clock),
        decryption: decryption(part)?,
        nonces: part.dpop_nonce.then(|| nonces(store, "gateway dpop nonce", clock.now())),
        references: Some(Arc::new(store.clone())),
        internal_keys: Some(Arc::new(internal_keys(&part.internal_token, store)?)),
        personal: Some(Arc::new(store.clone())),
        issuers: Vec::new(),
        places: None,
        policies: None,
        browser_apps,
    };
    Ok((settings, parts))
}

/// The keys that tokens may be encrypted to.
///
/// # Errors
/// [`Failure`] names the file.
pub(super) fn decryption(part: &config::Gateway) -> Result<Vec<Arc<DecryptionKey>>, Failure> {
    part.decryption_keys.iter().map(|path| key_files::private(path).map(Arc::new)).collect()
}

fn shed_after(part: &config::Gateway) -> Option<Duration> {
    let after = Duration::from_millis(part.shed_after_ms.into());
    (!after.is_zero()).then_some(after)
}

/// What signs the gateway's own tokens: the key of a file, or one that is made of the store's master key, which
/// every instance with that master key has too.
///
/// # Errors
/// [`Failure`] names the file.
pub(super) fn internal_keys(
    part: &config::InternalToken,
    store: &Store,
) -> Result<InternalKeys, Failure> {
    if let Some(path) = &part.key_file {
        return key_files::signing(path).map(InternalKeys::fixed);
    }
    let store = store.clone();
    Ok(InternalKeys::rotating(INTERNAL_KEY_EVERY, move |number| {
        PrivateKey::ed25519_of_seed(&store.derive_key(&format!("gateway internal token {number}")))
    }))
}

fn credentials(part: &config::Gateway) -> Result<Credentials, Failure> {
    let api_key = part.api_key_header.as_deref().map(str::parse).transpose();
    let api_key = api_key
        .map_err(|_| Failure::new("gateway.api_key_header: must be the name of a header field"))?;
    Ok(Credentials { basic: part.basic_tokens.into(), api_key })
}

/// Where clients get tokens: here first, and at the other issuers that have a place.
fn authorization_servers(own: &str, part: &config::Gateway) -> Vec<String> {
    let others = part.issuers.iter().map(|issuer| issuer.issuer.as_str());
    let others = others.filter(|issuer| url::Url::parse(issuer).is_ok_and(|url| url.has_host()));
    [own].into_iter().chain(others).map(str::to_owned).collect()
}

/// Nonces for proofs of possession: good for five minutes, known by every instance with the same master key, but
/// none from before this one's start, since then it does not know which proofs were used.
pub(super) fn nonces(store: &Store, label: &str, start: Timestamp) -> Arc<Nonces> {
    Arc::new(Nonces::new(&store.derive_key(label), Duration::from_mins(5)).since(start))
}

/// Those that are written by hand, and those of documents.
fn routes(part: &config::Gateway) -> Result<Vec<RouteRule>, Failure> {
    let by_hand = part.routes.iter().map(route).collect::<Result<Vec<_>, _>>()?;
    let described = config::api::routes(part).map_err(|mistakes| {
        let lines = mistakes.iter().map(|(path, what)| format!("{path}: {what}"));
        Failure::new(lines.collect::<Vec<_>>().join("\n"))
    })?;
    Ok(by_hand.into_iter().chain(described).collect())
}

fn route(route: &config::Route) -> Result<RouteRule, Failure> {
    let methods = route.methods.iter().map(|method| http::Method::from_bytes(method.as_bytes()));
    let access = if route.public {
        Access::Public
    } else {
        let further = Further {
            any_scopes: route.any_scopes.iter().map(|scope| vec![scope.clone()]).collect(),
            clients: route.clients.clone(),
            claims: claims(&route.claims).collect::<Result<_, _>>().map_err(Failure::new)?,
            kinds: route.token_kinds.clone(),
            acr: route.acr.clone(),
            max_age: route.max_age.map(Span::duration),
            bound: if route.bound { Binding::Any } else { Binding::None },
        };
        let (scopes, audiences) = (route.scopes.clone(), route.audiences.clone());
        Access::Token { scopes, audiences, further }
    };
    let hours = route.times.iter().map(|text| text.parse::<Hours>());
    Ok(RouteRule {
        path: route.path.clone(),
        methods: methods.collect::<Result<_, _>>().map_err(Failure::new)?,
        upstream: route.upstream.clone(),
        strip_prefix: route.strip_prefix.clone(),
        add_prefix: route.add_prefix.clone(),
        access,
        networks: route.networks.clone(),
        places: route
            .places()
            .collect::<Result<_, _>>()
            .map_err(|(_, refused)| Failure::new(refused))?,
        hours: hours.collect::<Result<_, _>>().map_err(Failure::new)?,
        decided: route.policy.unwrap_or(true),
        cost: route.cost,
        body_bytes: route.max_body,
        inspect: route.inspect.into(),
        described: None,
        variants: route.path_variants.into(),
        cors: config::gateway::RouteCors::rule(route.cors.as_ref()),
    })
}

/// What claims have to be.
pub(crate) fn claims(
    configured: &BTreeMap<String, config::gateway::Values>,
) -> impl Iterator<Item = Result<ClaimRule, BadClaimRule>> {
    configured.iter().map(|(claim, values)| ClaimRule::new(claim, values.iter()))
}

fn limit(limit: &config::limit::Limit) -> Result<LimitRule, Failure> {
    limit
        .rule()
        .map_err(|(member, words)| Failure::new(format_args!("gateway.limit: {member}: {words}")))
}
