//! What the types alone cannot say about a configuration: each mistake with the option's path.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use authority::person_claims;
use authority::register::policy::{self, HostPattern, Policy};
use authority::rule::authorization_details::Shape;
use gateway::route::rewrite::{BadRewrite, Rewrite};
use http::Method;
use token::claim_pattern::Pattern;
use token::ladder::BadLadder;
use token::scope::{ScopeSet, is_scope_token};
use token::term::TokenFormat;
use url::Url;

use crate::config::{
    Authority, BrowserApp, Config, Gateway, Registration, Route, Tls, TrustedIssuer, api,
    identity_provider, proxies, signals, upstream,
};
use crate::listen::tls;
use crate::logging;

mod conditions;
mod identity;
mod issuer;
pub(crate) mod rules;

/// Memory for them is taken at the start, 16 bytes each.
const MOST_EVENTS: usize = 1 << 24;

/// Path of the option, and what is wrong with it.
pub(crate) type Finding = (String, String);

/// Every mistake in `config`.
pub(crate) fn mistakes(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    state_and_log(config, &mut found);
    authority(&config.authority, &mut found);
    config.authority.branding.check(&mut found);
    config.authority.sign_up.check(&config.mail, &mut found);
    config.mail.check(&mut found);
    config.notify.check(&mut found);
    if let Some(part) = &config.gateway {
        listener("gateway", part.listen, part.tls.as_ref(), part.behind_tls_proxy, &mut found);
        gateway(part, &mut found);
        answers(part, &mut found);
        conditions::places(part, &config.geo, &mut found);
        issuer::issuers(&part.issuers, &own_issuer(&config.authority), &mut found);
        if let Some(auth) = &part.auth {
            let tls = auth.tls.as_ref();
            listener("gateway.auth", auth.listen, tls, auth.behind_tls_proxy, &mut found);
            if auth.trusted_callers.is_empty() {
                let words = "must name a network: without one, nobody may ask";
                found.push(("gateway.auth.trusted_callers".to_owned(), words.to_owned()));
            }
        }
    }
    if let Some(part) = &config.admin {
        listener("admin", part.listen, part.tls.as_ref(), part.behind_tls_proxy, &mut found);
    }
    for (position, scope) in config.scopes.iter().enumerate() {
        let path = format!("scope[{position}].name");
        if !is_scope_token(&scope.name) {
            found.push((
                path,
                format!(
                    "`{}` is not a scope: use characters such as a-z, 0-9, `:` and `_`, no spaces",
                    scope.name
                ),
            ));
        } else if scope.name.starts_with("tokenward:") {
            found.push((path, "scopes that begin with `tokenward:` are built in".to_owned()));
        }
    }
    scopes(config, &mut found);
    for (position, resource) in config.resources.iter().enumerate() {
        let at = |name: &str| format!("resource[{position}].{name}");
        identifier(&at("identifier"), &resource.identifier, &mut found);
        if resource.access_token_life.is_some_and(|life| life.duration().is_zero()) {
            found.push((at("access_token_life"), "must be more than 0s".to_owned()));
        }
        let algorithms = &config.authority.signing_algs;
        if resource.signing_alg.is_some_and(|algorithm| !algorithms.contains(&algorithm)) {
            let words = "must be one of `authority.signing_algs`".to_owned();
            found.push((at("signing_alg"), words));
        }
        if resource.token_format == TokenFormat::Opaque && resource.encrypt_to.is_some() {
            let words = "cannot be `opaque` beside `encrypt_to`: such a token has no content";
            found.push((at("token_format"), words.to_owned()));
        }
    }
    for (position, detail) in config.authorization_details.iter().enumerate() {
        if let Err(wrong) = Shape::members(&detail.members) {
            let path = format!("authorization_details[{position}].members");
            found.push((path, wrong.to_string()));
        }
    }
    others(config, &mut found);
    let gateway_field = config.gateway.as_ref().and_then(|g| g.client_certificate_field.as_deref());
    let auth = config.gateway.as_ref().and_then(|gateway| gateway.auth.as_ref());
    for (path, field) in [
        ("authority", config.authority.client_certificate_field.as_deref()),
        ("gateway", gateway_field),
        ("gateway.auth", auth.and_then(|auth| auth.client_certificate_field.as_deref())),
    ] {
        if field.is_some_and(|field| field.parse::<http::HeaderName>().is_err()) {
            let path = format!("{path}.client_certificate_field");
            found.push((path, "must be the name of a header field".to_owned()));
        }
    }
    let api_key = config.gateway.as_ref().and_then(|part| part.api_key_header.as_deref());
    if api_key.is_some_and(|field| field.parse::<http::HeaderName>().is_err()) {
        let words = "must be the name of a header field".to_owned();
        found.push(("gateway.api_key_header".to_owned(), words));
    }
    if !(1..=MOST_EVENTS).contains(&config.detect.queue) {
        let words = format!("must be from 1 to {MOST_EVENTS}");
        found.push(("detect.queue".to_owned(), words));
    }
    found.extend(config.detect.terms().err().into_iter().flatten());
    if let Some(part) = config.gateway.as_ref().filter(|_| found.is_empty()) {
        rules::check(config, part, &mut found);
    }
    found
}

fn state_and_log(config: &Config, found: &mut Vec<Finding>) {
    if let Some(path) = config.store.path.to_str().filter(|path| path.contains("://")) {
        let words = format!("`{path}` is no file: all state is in one file of SQLite");
        found.push(("store.path".to_owned(), words));
    }
    if logging::filter(&config.log.level).is_none() {
        found.push((
            "log.level".to_owned(),
            format!(
                "`{}` is not a level such as info, or a filter such as info,gateway=debug",
                config.log.level
            ),
        ));
    }
}

/// What answers get beside what they say.
fn answers(part: &Gateway, found: &mut Vec<Finding>) {
    if let Some(Err(wrong)) = part.cors.as_ref().map(|cors| cors.rule().check()) {
        found.push(("gateway.cors".to_owned(), wrong.to_string()));
    }
    let name = part.request_id_field.as_str();
    if !name.is_empty() && name.parse::<http::HeaderName>().is_err() {
        let words = "must be the name of a header field, or empty for none";
        found.push(("gateway.request_id_field".to_owned(), words.to_owned()));
    }
}

/// Everybody whose word is taken beside our own.
fn others(config: &Config, found: &mut Vec<Finding>) {
    signals::check(&config.signal_transmitters, found);
    for (position, issuer) in config.trusted_issuers.iter().enumerate() {
        trusted_issuer(&format!("trusted_issuer[{position}]"), issuer, found);
    }
    for (name, sources) in
        [("software_publisher", &config.software_publishers), ("attester", &config.attesters)]
    {
        for (position, source) in sources.iter().enumerate() {
            let (uri, file) = (source.jwks_uri.as_deref(), source.jwks_file.as_deref());
            key_source(&format!("{name}[{position}]"), &source.issuer, uri, file, found);
        }
    }
    let by_statement = config.authority.registration.policy == Policy::Statement;
    if by_statement && config.software_publishers.is_empty() {
        let words = "`statement` needs a `[[software_publisher]]` that is trusted".to_owned();
        found.push(("authority.registration.policy".to_owned(), words));
    }
}

fn scopes(config: &Config, found: &mut Vec<Finding>) {
    // The first scope's line: which of a circle's steps is too many, only its author knows.
    if let Err(wrong) = config.ladder() {
        let (BadLadder::Cycle(name) | BadLadder::Unknown { scope: name, .. }) = &wrong;
        let position = config.scopes.iter().position(|scope| scope.name == *name).unwrap_or(0);
        found.push((format!("scope[{position}].includes"), wrong.to_string()));
    }
    for (position, scope) in config.scopes.iter().enumerate() {
        if config.scopes.iter().take(position).any(|before| before.name == scope.name) {
            let words = format!("the scope `{}` is defined twice: merge the two", scope.name);
            found.push((format!("scope[{position}].name"), words));
        }
    }
    let known = resources(config);
    for (position, scope) in config.scopes.iter().enumerate() {
        if let Some(unknown) = scope.resources.iter().find(|one| !known.contains(one)) {
            let path = format!("scope[{position}].resources");
            let (name, known) = (&scope.name, known.join(", "));
            let words = format!("`{name}` belongs to `{unknown}`, no resource (known: {known})");
            found.push((path, words));
        }
        for claim in &scope.claims {
            if let Err(wrong) = person_claims::check_name(claim) {
                let path = format!("scope[{position}].claims");
                found.push((path, format!("`{}` cannot bring it: {wrong}", scope.name)));
            }
        }
    }
}

/// Everything that tokens can be for, as far as it can be known before an address is bound.
fn resources(config: &Config) -> Vec<String> {
    let gateway = config.gateway.as_ref();
    let gateway = gateway.map(own_resource);
    let listed = config.resources.iter().map(|resource| resource.identifier.clone());
    gateway.into_iter().chain(listed).chain([own_issuer(&config.authority)]).collect()
}

/// The gateway's resource identifier, as far as it can be known before an address is bound.
pub(crate) fn own_resource(part: &Gateway) -> String {
    own(&part.resource, part.listen, part.tls.is_some())
}

/// The issuer identifier, likewise.
pub(crate) fn own_issuer(authority: &Authority) -> String {
    own(&authority.issuer, authority.listen, authority.tls.is_some())
}

fn own(named: &Option<String>, listen: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    named.clone().unwrap_or_else(|| format!("{scheme}://{listen}"))
}

fn authority(part: &Authority, found: &mut Vec<Finding>) {
    listener("authority", part.listen, part.tls.as_ref(), part.behind_tls_proxy, found);
    proxies::check("authority", part.listen, part.proxy_protocol, &part.trusted_proxies, found);
    if let Some(issuer) = &part.issuer {
        identifier("authority.issuer", issuer, found);
    }
    part.personal_tokens.check(found);
    let day = Duration::from_secs(86_400);
    let spans = [
        ("access_token_life", part.access_token_life, day * 30),
        ("id_token_life", part.id_token_life, day),
        ("refresh_idle_life", part.refresh_idle_life, day * 3650),
        ("refresh_absolute_life", part.refresh_absolute_life, day * 3650),
        ("session_life", part.session_life, day * 365),
        ("session_idle", part.session_idle, day * 365),
    ];
    for (name, span, longest) in spans {
        if span.duration().is_zero() || span.duration() > longest {
            found.push((
                format!("authority.{name}"),
                format!("must be more than 0s and at most {}d", longest.as_secs() / 86_400),
            ));
        }
    }
    if part.refresh_retry_window.duration() > Duration::from_secs(60) {
        found.push((
            "authority.refresh_retry_window".to_owned(),
            "must be at most 60s: within it a stolen token of the same network goes unnoticed"
                .to_owned(),
        ));
    }
    registration(&part.registration, found);
    part.mfa.check(found);
    identity_provider::check(&part.identity_providers, found);
    part.passwords.check(&part.mfa, found);
    part.connections.check("authority", found);
    if part.signing_algs.is_empty() {
        let words = "must name at least one algorithm, such as ES256".to_owned();
        found.push(("authority.signing_algs".to_owned(), words));
    }
    if !(1..=64).contains(&part.password_threads) {
        found.push(("authority.password_threads".to_owned(), "must be from 1 to 64".to_owned()));
    }
    // Fewer could be the failures of one network alone.
    if part.puzzle_after != 0 && !(10..=1000).contains(&part.puzzle_after) {
        let words = "must be from 10 to 1000, or 0 for no puzzle".to_owned();
        found.push(("authority.puzzle_after".to_owned(), words));
    }
}

fn registration(part: &Registration, found: &mut Vec<Finding>) {
    let at = |name: &str| format!("authority.registration.{name}");
    if ScopeSet::parse(&part.scopes).is_err() {
        found.push((at("scopes"), "must be scopes separated by single spaces".to_owned()));
    }
    let grant_types = part.grant_types.as_deref().unwrap_or_default();
    if let Err(refused) = policy::check_grant_types(part.policy, grant_types) {
        found.push((at("grant_types"), refused.to_string()));
    }
    for host in &part.redirect_hosts {
        if let Err(refused) = host.parse::<HostPattern>() {
            found.push((at("redirect_hosts"), refused.to_string()));
        }
    }
}

fn gateway(part: &Gateway, found: &mut Vec<Finding>) {
    proxies::check("gateway", part.listen, part.proxy_protocol, &part.trusted_proxies, found);
    if let Some(resource) = &part.resource {
        identifier("gateway.resource", resource, found);
    }
    upstream::check(&part.upstreams, found);
    for (position, route) in part.routes.iter().enumerate() {
        let at = |member: &str| format!("gateway.route[{position}].{member}");
        if !part.upstreams.contains_key(&route.upstream) {
            let known: Vec<&str> = part.upstreams.keys().map(String::as_str).collect();
            let known = match known.as_slice() {
                [] => "`gateway.upstreams` has none".to_owned(),
                some => format!("known: {}", some.join(", ")),
            };
            let words = format!("no upstream is named `{}` ({known})", route.upstream);
            found.push((at("upstream"), words));
        }
        for method in &route.methods {
            if Method::from_bytes(method.as_bytes()).is_err()
                || method.to_ascii_uppercase() != *method
            {
                found
                    .push((at("methods"), format!("`{method}` is not an HTTP method such as GET")));
            }
        }
        for (member, scopes) in [("scopes", &route.scopes), ("any_scopes", &route.any_scopes)] {
            for scope in scopes.iter().filter(|scope| !is_scope_token(scope)) {
                found.push((at(member), format!("`{scope}` is not one scope")));
            }
        }
        let demands = [
            ("scopes", !route.scopes.is_empty()),
            ("any_scopes", !route.any_scopes.is_empty()),
            ("audiences", !route.audiences.is_empty()),
            ("clients", !route.clients.is_empty()),
            ("claims", !route.claims.is_empty()),
            ("token_kinds", !route.token_kinds.is_empty()),
            ("acr", !route.acr.is_empty()),
            ("max_age", route.max_age.is_some()),
            ("bound", route.bound),
            ("policy", route.policy == Some(true)),
        ];
        for (member, _) in demands.iter().filter(|(_, demanded)| route.public && *demanded) {
            let words = format!("a public route cannot demand {member}: remove one of the two");
            found.push((at("public"), words));
        }
        let plain = |acr: &&String| {
            acr.is_empty()
                || !acr.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
        };
        for acr in route.acr.iter().filter(plain) {
            found.push((at("acr"), format!("`{acr}` is not one value of `acr`")));
        }
        conditions::of_route(part, route, &at, found);
        if let Err(error) = ::gateway::route::Template::parse(&route.path) {
            found.push((at("path"), error.to_string()));
        } else if let Err(error) = rewrite(route) {
            let member = if error == BadRewrite::Add { "add_prefix" } else { "strip_prefix" };
            found.push((at(member), error.to_string()));
        }
    }
    if let Err(mistakes) = api::routes(part) {
        found.extend(mistakes);
    }
    conditions::policies(part, found);
    for (position, limit) in part.limits.iter().enumerate() {
        if let Err((member, words)) = limit.rule() {
            found.push((format!("gateway.limit[{position}].{member}"), words));
        }
    }
    for (position, app) in part.browser_apps.iter().enumerate() {
        browser_app(&format!("gateway.browser_app[{position}]"), app, found);
    }
    identity::check(part, found);
    part.connections.check("gateway", found);
    if !(1..=100).contains(&part.max_fields) {
        found.push(("gateway.max_fields".to_owned(), "must be from 1 to 100".to_owned()));
    }
    if part.body_timeout.duration().is_zero() {
        found.push(("gateway.body_timeout".to_owned(), "must be more than 0s".to_owned()));
    }
    if part.leeway.duration() > Duration::from_secs(60) {
        found.push(("gateway.leeway".to_owned(), "must be at most 60s".to_owned()));
    }
    if part.cache_entries == 0 {
        found.push(("gateway.cache_entries".to_owned(), "must be at least 1".to_owned()));
    }
    if part.upstream_timeout.duration().is_zero() {
        found.push(("gateway.upstream_timeout".to_owned(), "must be more than 0s".to_owned()));
    }
}

fn rewrite(route: &Route) -> Result<Rewrite, BadRewrite> {
    Rewrite::new(&route.path, &route.strip_prefix, &route.add_prefix)
}

fn browser_app(path: &str, app: &BrowserApp, found: &mut Vec<Finding>) {
    if let Some(origin) = &app.origin {
        identifier(&format!("{path}.origin"), origin, found);
        let alone = Url::parse(origin).map(|url| url.origin().ascii_serialization());
        if alone.is_ok_and(|alone| alone != *origin) {
            let words = "must be an origin such as https://app.example, without a path";
            found.push((format!("{path}.origin"), words.to_owned()));
        }
    }
    if !ScopeSet::parse(&app.scopes).is_ok_and(|scopes| !scopes.is_empty()) {
        let words = "must be scopes separated by single spaces".to_owned();
        found.push((format!("{path}.scopes"), words));
    }
}

fn listener(
    section: &str,
    listen: SocketAddr,
    tls: Option<&Tls>,
    proxied: bool,
    found: &mut Vec<Finding>,
) {
    if tls.is_none() && !proxied && !listen.ip().is_loopback() {
        found.push((format!("{section}.listen"), format!("{listen} can be reached from other machines without TLS: give `tls`, or set `behind_tls_proxy = true` when a proxy in front does TLS")));
    }
    if let Some(Err(wrong)) = tls.map(tls::read) {
        found.push((format!("{section}.tls.{}", wrong.member()), wrong.to_string()));
    }
}

/// RFC 8414 §2 and RFC 8707 §2: an absolute URL without fragment; https unless on loopback.
fn identifier(path: &str, text: &str, found: &mut Vec<Finding>) {
    let what = match Url::parse(text) {
        Ok(url) if url.fragment().is_some() || url.query().is_some() => {
            "must have no query and no fragment"
        }
        Ok(url) if url.scheme() == "https" => return,
        Ok(url) if url.scheme() == "http" && on_loopback(&url) => return,
        Ok(_) => "must begin with https:// (http:// only on 127.0.0.1, [::1] or localhost)",
        Err(_) => "must be a URL such as https://auth.example.com",
    };
    found.push((path.to_owned(), format!("`{text}` {what}")));
}

/// Whether a URL leads to this machine alone.
pub(crate) fn on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

pub(super) fn key_source(
    path: &str,
    issuer: &str,
    jwks_uri: Option<&str>,
    jwks_file: Option<&Path>,
    found: &mut Vec<Finding>,
) {
    let at = |name: &str| format!("{path}.{name}");
    if jwks_uri.is_some() && jwks_file.is_some() {
        found.push((at("jwks_file"), "cannot stand beside `jwks_uri`".to_owned()));
    }
    if jwks_uri.is_some_and(|uri| Url::parse(uri).is_err()) {
        found.push((at("jwks_uri"), "must be a URL".to_owned()));
    }
    if jwks_uri.is_none() && jwks_file.is_none() && !is_web(issuer) {
        let words = "must be a URL where its keys are to be found by its metadata";
        found.push((at("issuer"), words.to_owned()));
    }
}

/// Whether metadata can be fetched by it; a trust domain's bundle has a place of its own.
fn is_web(issuer: &str) -> bool {
    Url::parse(issuer).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

fn trusted_issuer(path: &str, trusted: &TrustedIssuer, found: &mut Vec<Finding>) {
    let at = |name: &str| format!("{path}.{name}");
    let (uri, file) = (trusted.jwks_uri.as_deref(), trusted.jwks_file.as_deref());
    key_source(path, &trusted.issuer, uri, file, found);
    if let Some(domain) = trusted.issuer.strip_prefix(authority::foreign::TRUST_DOMAIN) {
        if domain.is_empty() || domain.contains('/') {
            found.push((at("issuer"), "a trust domain has a name and no path".to_owned()));
        }
        if trusted.people.is_some() {
            let words = "a trust domain has workloads and speaks for no people";
            found.push((at("people"), words.to_owned()));
        }
    }
    if trusted.rules.is_empty() && trusted.people.is_none() {
        let words = "needs a `rule` for its workloads, or `people` for its identity assertions";
        found.push((path.to_owned(), words.to_owned()));
    }
    for (number, rule) in trusted.rules.iter().enumerate() {
        let claims = at(&format!("rule[{number}].claims"));
        if rule.claims.is_empty() {
            found.push((claims, "must name a claim: without one, everybody would fit".to_owned()));
            continue;
        }
        for (claim, text) in &rule.claims {
            if let Err(refused) = Pattern::new(claim, text) {
                found.push((claims.clone(), refused.to_string()));
            }
        }
    }
}
