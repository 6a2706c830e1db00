//! The gateway's settings and parts, made of what is configured.

use std::sync::Arc;
use std::time::Duration;

use authority::Authority;
use gateway::limit::LimitRule;
use gateway::{Access, Credentials, Further, RouteRule};
use token::dpop::Nonces;
use token::event::EventSink;
use token::random::OsRandom;
use token::time::Clock;

use super::{Sockets, browser_app, key_files, upstream};
use crate::command::Failure;
use crate::config::span::Span;
use crate::config::{self, Config};

pub(super) fn all(
    part: &config::Gateway,
    sockets: &Sockets,
    config: &Config,
    authority: &Authority,
    events: &Arc<dyn EventSink>,
    clock: &Arc<dyn Clock>,
) -> Result<(gateway::Settings, gateway::Parts), Failure> {
    let store = authority.store();
    let issuer = sockets.issuer(&config.authority);
    let resource = sockets.resource(part).unwrap_or_default();
    let browser_apps = browser_app::all(part, &resource, authority)?;
    let upstreams = part.upstreams.iter();
    let upstreams = upstreams.map(|(name, api)| Ok((name.clone(), upstream::rule(name, api)?)));
    let upstreams = upstreams.collect::<Result<_, Failure>>()?;
    let settings = gateway::Settings {
        resource,
        audiences: Vec::new(),
        authorization_servers: authorization_servers(&issuer, part),
        issuer,
        upstreams,
        ladder: config.ladder().map_err(Failure::new)?,
        routes: part.routes.iter().map(route).collect::<Result<_, _>>()?,
        trusted_proxies: part.trusted_proxies.clone(),
        leeway: part.leeway.duration(),
        cache_entries: part.cache_entries,
        forward_token: part.forward_token,
        credentials: credentials(part)?,
        challenge_scopes: part.challenge_scopes,
        inspect_body_limit: part.inspect_body_limit,
        upstream_timeout: part.upstream_timeout.duration(),
        limits: part.limits.iter().map(limit).collect::<Result<_, _>>()?,
        doubtful: part.doubtful_tokens.0,
        limit_entries: part.limit_entries,
    };
    let parts = gateway::Parts {
        keyring: authority.keys().keyring(),
        index: Arc::clone(store.index()),
        honeytokens: Arc::clone(store.honeytokens()),
        events: Arc::clone(events),
        clock: Arc::clone(clock),
        decryption: part
            .decryption_keys
            .iter()
            .map(|path| key_files::private(path).map(Arc::new))
            .collect::<Result<_, _>>()?,
        nonces: part.dpop_nonce.then(nonces),
        references: Some(Arc::new(store.clone())),
        personal: Some(Arc::new(store.clone())),
        issuers: Vec::new(),
        browser_apps,
    };
    Ok((settings, parts))
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

/// Nonces for proofs of possession: good for five minutes, known by this process.
pub(super) fn nonces() -> Arc<Nonces> {
    Arc::new(Nonces::of_this_process(&OsRandom::new(), Duration::from_mins(5)))
}

fn route(route: &config::Route) -> Result<RouteRule, Failure> {
    let methods = route.methods.iter().map(|method| http::Method::from_bytes(method.as_bytes()));
    let access = if route.public {
        Access::Public
    } else {
        let further = Further {
            any_scopes: route.any_scopes.clone(),
            clients: route.clients.clone(),
            acr: route.acr.clone(),
            max_age: route.max_age.map(Span::duration),
            bound: route.bound,
        };
        let (scopes, audiences) = (route.scopes.clone(), route.audiences.clone());
        Access::Token { scopes, audiences, further }
    };
    Ok(RouteRule {
        path: route.path.clone(),
        methods: methods.collect::<Result<_, _>>().map_err(Failure::new)?,
        upstream: route.upstream.clone(),
        strip_prefix: route.strip_prefix.clone(),
        add_prefix: route.add_prefix.clone(),
        access,
        networks: route.networks.clone(),
        cost: route.cost,
        inspect: match route.inspect {
            config::Inspect::Enforce => gateway::Inspect::Enforce,
            config::Inspect::Observe => gateway::Inspect::Observe,
            config::Inspect::Off => gateway::Inspect::Off,
        },
    })
}

fn limit(limit: &config::limit::Limit) -> Result<LimitRule, Failure> {
    limit
        .rule()
        .map_err(|(member, words)| Failure::new(format_args!("gateway.limit: {member}: {words}")))
}
