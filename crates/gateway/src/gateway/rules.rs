//! The rules of the settings, made ready to be asked.

use std::collections::HashMap;
use std::sync::Arc;

use contract::RequestCheck;
use token::ladder::Ladder;
use token::scope::is_scope_token;

use crate::answers::Answers;
use crate::cors::RouteCors;
use crate::limit::{Limit, LimitRule};
use crate::route::rewrite::Rewrite;
use crate::route::{
    Beside, Demand, NotAdded, OneOf, Parameters, Routes, Rule, Rules, Template, is_refused_method,
};
use crate::settings::{Access, Further, RouteRule, Settings, SettingsError};
use crate::upstream::Upstream;

/// Makes rules ready: what they need of the settings, kept for those that come later.
pub(crate) struct Compiler {
    upstreams: HashMap<String, Arc<Upstream>>,
    /// The audiences that count where a rule names none.
    own: Vec<String>,
    ladder: Ladder,
    limits: Vec<(LimitRule, Arc<Limit>)>,
    body_bytes: Option<u64>,
    answers: Arc<Answers>,
}

// === impl Compiler ===

impl Compiler {
    pub(super) fn new(
        settings: &Settings,
        upstreams: &HashMap<&str, Arc<Upstream>>,
        answers: Arc<Answers>,
    ) -> Result<Self, SettingsError> {
        let named = |(name, one): (&&str, &Arc<Upstream>)| ((*name).to_owned(), Arc::clone(one));
        Ok(Self {
            upstreams: upstreams.iter().map(named).collect(),
            own: [&settings.resource].into_iter().chain(&settings.audiences).cloned().collect(),
            ladder: settings.ladder.clone(),
            limits: limits(settings)?,
            body_bytes: settings.request_limits.body_bytes,
            answers,
        })
    }

    /// All rules, by path and method.
    ///
    /// # Errors
    /// [`SettingsError`] names the rule that is wrong, and how to mend it.
    pub(crate) fn routes(&self, rules: &[RouteRule]) -> Result<Routes, SettingsError> {
        let mut routes = Routes::default();
        for rule in rules {
            let (template, mut compiled) = self.rule(rule)?;
            compiled.guard =
                rules.iter().position(|other| self.is_like(rule, other)).unwrap_or_default();
            routes.own_cors |= rule.cors != RouteCors::AsGateway;
            let added = routes.add(&template, &rule.methods, rule.variants, compiled);
            added.map_err(|wrong| match wrong {
                NotAdded::Twice(method) => {
                    SettingsError::DuplicateRoute { path: rule.path.clone(), method }
                }
                NotAdded::Variants => SettingsError::BadPathVariants(rule.path.clone()),
            })?;
        }
        Ok(routes)
    }

    /// One rule, for a place that somebody else finds.
    ///
    /// # Errors
    /// [`SettingsError`] says what is wrong with it.
    pub(crate) fn place(&self, rule: &RouteRule) -> Result<Rules, SettingsError> {
        let (_, compiled) = self.rule(rule)?;
        Rules::of(&rule.methods, compiled)
            .map_err(|method| SettingsError::DuplicateRoute { path: rule.path.clone(), method })
    }

    fn rule(&self, rule: &RouteRule) -> Result<(Template, Rule), SettingsError> {
        let path = || rule.path.clone();
        let template = Template::parse(&rule.path)
            .map_err(|fault| SettingsError::BadTemplate { path: path(), fault })?;
        if let Some(method) = rule.methods.iter().find(|method| is_refused_method(method)) {
            return Err(SettingsError::RefusedMethod { path: path(), method: method.to_string() });
        }
        let upstream = self.upstreams.get(rule.upstream.as_str()).ok_or_else(|| {
            SettingsError::UnknownUpstream { path: path(), upstream: rule.upstream.clone() }
        })?;
        let compiled = Rule {
            template: Arc::clone(template.text()),
            parameters: Parameters::of(template.text()),
            upstream: Arc::clone(upstream),
            rewrite: Rewrite::new(&rule.path, &rule.strip_prefix, &rule.add_prefix)
                .map_err(|fault| SettingsError::BadRewrite { path: path(), fault })?,
            demand: demand(rule, &self.own, &self.ladder)?,
            guard: 0,
            networks: rule.networks.as_slice().into(),
            places: rule.places.as_slice().into(),
            hours: rule.hours.as_slice().into(),
            decided: rule.decided,
            limits: self.limits_of(rule)?,
            cost: rule.cost,
            inspect: rule.inspect,
            body_bytes: match rule.body_bytes {
                Some(0) => None,
                Some(most) => Some(most),
                None => self.body_bytes,
            },
            described: rule.described.clone(),
            cors: self
                .answers
                .cors_of(&rule.cors)
                .map_err(|fault| SettingsError::BadRouteCors { path: path(), fault })?,
        };
        Ok((template, compiled))
    }

    /// Whether two rules let the same requests through, as far as neither path nor method say otherwise.
    fn is_like(&self, one: &RouteRule, other: &RouteRule) -> bool {
        let guard = |rule: &RouteRule| (rule.decided, rule.inspect, rule.cost, rule.body_bytes);
        let limited = |rule: &RouteRule| {
            let names = self.limits.iter().map(|(limit, _)| limit);
            names
                .filter(|limit| limit.routes.contains(&rule.path))
                .map(|limit| &limit.name)
                .collect()
        };
        let own_limits: [Vec<&String>; 2] = [limited(one), limited(other)];
        guard(one) == guard(other)
            && own_limits[0] == own_limits[1]
            && enforced(one) == enforced(other)
            && one.access == other.access
            && one.networks == other.networks
            && one.places == other.places
            && one.hours == other.hours
    }

    /// The limits that a route is under.
    fn limits_of(&self, rule: &RouteRule) -> Result<Box<[Arc<Limit>]>, SettingsError> {
        let own = self.limits.iter().filter(|(limit, _)| {
            rule.cost > 0 && (limit.routes.is_empty() || limit.routes.contains(&rule.path))
        });
        let check = |(limit, ready): &(LimitRule, Arc<Limit>)| {
            if ready.most().is_some_and(|most| rule.cost > most) {
                let (path, limit) = (rule.path.clone(), limit.name.clone());
                return Err(SettingsError::CostTooHigh { path, cost: rule.cost, limit });
            }
            Ok(Arc::clone(ready))
        };
        own.map(check).collect()
    }
}

/// The description that a rule's requests have to keep to.
fn enforced(rule: &RouteRule) -> Option<*const RequestCheck> {
    rule.described.as_ref().filter(|one| one.enforce).map(|one| Arc::as_ptr(&one.check))
}

fn limits(settings: &Settings) -> Result<Vec<(LimitRule, Arc<Limit>)>, SettingsError> {
    let rules = &settings.limits;
    for (number, rule) in rules.iter().enumerate() {
        if rules[..number].iter().any(|other| other.name == rule.name) {
            return Err(SettingsError::DuplicateLimit(rule.name.clone()));
        }
        let known = |path: &&String| settings.routes.iter().any(|route| route.path == **path);
        if let Some(path) = rule.routes.iter().find(|path| !known(path)) {
            let (limit, path) = (rule.name.clone(), path.clone());
            return Err(SettingsError::UnknownLimitedRoute { limit, path });
        }
    }
    rules.iter().map(|rule| Ok((rule.clone(), Arc::new(Limit::new(rule)?)))).collect()
}

fn demand(rule: &RouteRule, own: &[String], ladder: &Ladder) -> Result<Demand, SettingsError> {
    let Access::Token { scopes, audiences, further } = &rule.access else {
        return Ok(Demand::Public);
    };
    let named = scopes.iter().chain(further.any_scopes.iter().flatten());
    if let Some(scope) = named.into_iter().find(|scope| !is_scope_token(scope)) {
        return Err(SettingsError::BadScope { path: rule.path.clone(), scope: scope.clone() });
    }
    let audiences = match audiences.as_slice() {
        [] => own.into(),
        listed => Box::from(listed),
    };
    Ok(Demand::Token {
        scopes: scopes.iter().map(|scope| OneOf::new(scope, ladder)).collect(),
        audiences,
        scope_text: scopes.join(" ").into(),
        further: (*further != Further::default()).then(|| Box::new(beside(further, ladder))),
    })
}

fn beside(further: &Further, ladder: &Ladder) -> Beside {
    let Further { any_scopes, clients, claims, kinds, acr, max_age, bound } = further;
    let (clients, acr) = (clients.as_slice().into(), acr.as_slice());
    let one = |scope: &String| OneOf::new(scope, ladder);
    Beside {
        any: any_scopes.iter().map(|set| set.iter().map(one).collect()).collect(),
        any_text: any_text(any_scopes).into(),
        clients,
        claims: claims.iter().map(|rule| Box::from(rule.patterns())).collect(),
        kinds: kinds.as_slice().into(),
        acr: acr.into(),
        acr_text: (!acr.is_empty()).then(|| acr.join(" ").into()),
        max_age: *max_age,
        bound: *bound,
    }
}

/// What a client is told to ask for: all there is to choose from where each is enough alone, else the first set.
fn any_text(sets: &[Vec<String>]) -> String {
    match sets.first() {
        Some(first) if sets.iter().any(|set| set.len() != 1) => first.join(" "),
        _ => sets.concat().join(" "),
    }
}

/// Every audience that some route accepts: the route decides which of them it does.
pub(super) fn audiences(settings: &Settings) -> Vec<String> {
    let listed = settings.routes.iter().flat_map(|rule| match &rule.access {
        Access::Public => [].as_slice(),
        Access::Token { audiences, .. } => audiences.as_slice(),
    });
    let mut audiences: Vec<String> = listed.cloned().collect();
    audiences.push(settings.resource.clone());
    audiences.extend_from_slice(&settings.audiences);
    audiences.sort_unstable();
    audiences.dedup();
    audiences
}

pub(super) fn scopes(routes: &[RouteRule]) -> impl Iterator<Item = &str> {
    routes
        .iter()
        .map(|rule| match &rule.access {
            Access::Public => ([].as_slice(), [].as_slice()),
            Access::Token { scopes, further, .. } => (scopes.as_slice(), &*further.any_scopes),
        })
        .flat_map(|(all, sets)| all.iter().chain(sets.iter().flatten()))
        .map(String::as_str)
}
