//! What `dev` guards: the sample API's routes and scopes.

use std::collections::BTreeMap;

use token::term::scope as built_in;

use crate::config::gateway::PathVariants;
use crate::config::{Inspect, Route, Scope};
use crate::sample::COLLECTIONS;

/// The one upstream's name.
pub(super) const UPSTREAM: &str = "api";

/// Scopes for an API of one's own, beside the sample's.
const OWN: [(&str, &str); 2] = [
    ("api:read", "Read everything else in the API"),
    ("api:write", "Change everything else in the API"),
];

/// The sample's routes; with an upstream of one's own, also every other path.
pub(super) fn routes(own_upstream: bool) -> Vec<Route> {
    let mut routes = Vec::new();
    for name in COLLECTIONS {
        let (read, write) = (format!("{name}:read"), format!("{name}:write"));
        routes.push(route(&format!("/{name}"), &["GET", "HEAD"], &read));
        routes.push(route(&format!("/{name}"), &["POST"], &write));
        routes.push(route(&format!("/{name}/{{id}}"), &["GET", "HEAD"], &read));
        routes.push(route(&format!("/{name}/{{id}}"), &["PUT", "PATCH", "DELETE"], &write));
    }
    if own_upstream {
        routes.push(route("/{rest...}", &["GET", "HEAD", "OPTIONS"], "api:read"));
        routes.push(route("/{rest...}", &["POST", "PUT", "PATCH", "DELETE"], "api:write"));
    }
    routes
}

fn route(path: &str, methods: &[&str], scope: &str) -> Route {
    Route {
        path: path.to_owned(),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        upstream: UPSTREAM.to_owned(),
        strip_prefix: String::new(),
        add_prefix: String::new(),
        scopes: vec![scope.to_owned()],
        audiences: Vec::new(),
        any_scopes: Vec::new(),
        clients: Vec::new(),
        claims: BTreeMap::new(),
        token_kinds: Vec::new(),
        networks: Vec::new(),
        countries: Vec::new(),
        not_countries: Vec::new(),
        asns: Vec::new(),
        not_asns: Vec::new(),
        times: Vec::new(),
        policy: None,
        acr: Vec::new(),
        max_age: None,
        bound: false,
        public: false,
        cost: 1,
        inspect: Inspect::Off,
        max_body: None,
        path_variants: PathVariants::default(),
        cors: None,
    }
}

/// The scopes with the words of the consent page.
pub(super) fn scopes() -> Vec<Scope> {
    let sample = COLLECTIONS.iter().flat_map(|name| {
        [
            (format!("{name}:read"), format!("Read {name}")),
            (format!("{name}:write"), format!("Create, change and delete {name}")),
        ]
    });
    let own = OWN.iter().map(|(name, words)| ((*name).to_owned(), (*words).to_owned()));
    sample.chain(own).map(|(name, description)| scope(name, description)).collect()
}

fn scope(name: String, description: String) -> Scope {
    Scope {
        name,
        description,
        translations: BTreeMap::new(),
        resources: Vec::new(),
        includes: Vec::new(),
        claims: Vec::new(),
        mfa: false,
    }
}

/// Reading everything: what the demo client gets when it names no scope.
pub(super) fn read_scopes() -> String {
    let names: Vec<String> = scopes()
        .into_iter()
        .map(|scope| scope.name)
        .filter(|name| name.ends_with(":read"))
        .collect();
    names.join(" ")
}

/// Everything that the demo client may ask for.
pub(super) fn all_scopes() -> String {
    let mut names = identity_scopes();
    names.extend(scopes().into_iter().map(|scope| scope.name));
    names.join(" ")
}

/// What a dynamically registered client may ask for.
pub(super) fn registration_scopes() -> String {
    format!("{} {}", identity_scopes().join(" "), read_scopes())
}

fn identity_scopes() -> Vec<String> {
    [built_in::OPENID, built_in::PROFILE, built_in::EMAIL, built_in::OFFLINE_ACCESS]
        .map(str::to_owned)
        .to_vec()
}
