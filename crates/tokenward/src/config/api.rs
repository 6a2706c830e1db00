//! APIs that an OpenAPI document describes: the routes that come of it, and what their requests have to be.

use std::path::PathBuf;
use std::sync::Arc;

use contract::{Access, Contract, Demand, Operation, UnknownQuery};
use gateway::route::Template;
use gateway::route::rewrite::{BadRewrite, Rewrite};
use gateway::{Binding, Described, Further, RouteRule};
use http::header::AUTHORIZATION;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::event::TokenKind;
use token::place::PlaceTest;
use token::scope::is_scope_token;

use super::check::Finding;
use super::gateway::{Gateway, Inspect, PathVariants, Route, RouteCors};
use super::where_from::{Lists, Mistake};

/// An API that an OpenAPI document describes: each of its operations becomes a route, unless a
/// `[[gateway.route]]` has the same path and method, which then counts alone.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    /// File with the document: OpenAPI 3.0, 3.1 or 3.2, JSON (`.json`) or YAML. It may refer to files below its
    /// folder; nothing is fetched. `security` says which scopes a route demands: one of the alternatives, with
    /// all of its scopes. `security: []` makes it public; where nothing is said, any good token is enough. An
    /// `apiKey` is a personal token or one of a service, in the field that `api_key_header` names or in
    /// `Authorization`; where other tokens are alternatives, it needs their scopes too. `mutualTLS` is a token
    /// that is bound to a client certificate.
    pub(crate) openapi: PathBuf,
    /// Name of the upstream.
    pub(crate) upstream: String,
    /// What stands before the document's paths as clients send them, such as `/v1`. Absent: the path of the
    /// document's `servers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// As in a route: the beginning of the path, `prefix` and all, that is not sent to the upstream.
    #[serde(default)]
    pub(crate) strip_prefix: String,
    /// What is put before the path that is sent to the upstream, such as `/v1`.
    #[serde(default)]
    pub(crate) add_prefix: String,
    /// Audiences of which the token must have one; empty: the gateway's `resource`.
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    /// Whether requests are held against the document: parameters, media types, and bodies of JSON, forms and
    /// parts. At the doors of other makers' proxies no body is there, and parameters alone are judged.
    #[serde(default)]
    pub(crate) validate: Validate,
    /// Whether requests may have parameters in the query that are not described.
    #[serde(default)]
    pub(crate) unknown_query: Unknown,
    /// As in a route. Where requests are validated, a field that the document gives to text for people alarms
    /// for what is certain alone.
    #[serde(default)]
    pub(crate) inspect: Inspect,
    /// Networks that it is for, all of it; empty: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) networks: Vec<IpNet>,
    /// As in a route, and so are the next three.
    #[serde(default)]
    pub(crate) countries: Vec<String>,
    /// Countries that are kept out.
    #[serde(default)]
    pub(crate) not_countries: Vec<String>,
    /// Autonomous systems that it is for.
    #[serde(default)]
    pub(crate) asns: Vec<u32>,
    /// Autonomous systems that are kept out.
    #[serde(default)]
    pub(crate) not_asns: Vec<u32>,
    /// As in a route.
    #[serde(default)]
    pub(crate) path_variants: PathVariants,
    /// As in a route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cors: Option<RouteCors>,
}

/// What validation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Validate {
    /// Refuse a request that is not as described: 400 that names the place and the rule.
    Enforce,
    /// Forward it; its event says what would have been refused (`would_refuse`).
    #[default]
    Observe,
    /// The document makes routes and nothing else.
    Off,
}

/// What becomes of what is not described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unknown {
    /// It passes.
    #[default]
    Allow,
    /// It breaks the description.
    Refuse,
}

/// A route of a document, and where it comes from.
struct Made {
    rule: RouteRule,
    position: usize,
}

/// Where API keys are taken: in `Authorization`, and in this field.
#[derive(Clone, Copy)]
struct KeyFields<'c>(Option<&'c str>);

/// The routes of every document, without those that are written by hand.
///
/// # Errors
/// Every mistake, at the option that names the document, with file and place.
pub(crate) fn routes(part: &Gateway) -> Result<Vec<RouteRule>, Vec<Finding>> {
    let keys = KeyFields(part.api_key_header.as_deref());
    let mut made: Vec<Made> = Vec::new();
    let mut wrong = Vec::new();
    for (position, api) in part.apis.iter().enumerate() {
        let at = |member: &str| format!("gateway.api[{position}].{member}");
        if !part.upstreams.contains_key(&api.upstream) {
            let words =
                format!("no upstream is named `{}`; add it or correct the name", api.upstream);
            wrong.push((at("upstream"), words));
        }
        let contract = match Contract::read(&api.openapi, api.prefix.as_deref()) {
            Ok(contract) => contract,
            Err(mistakes) => {
                wrong.extend(mistakes.iter().map(|mistake| (at("openapi"), mistake.to_string())));
                continue;
            }
        };
        let wanted = |one: &&Operation| !part.routes.iter().any(|route| overrides(route, one));
        let operations: Vec<&Operation> = contract.operations().iter().filter(wanted).collect();
        for operation in &operations {
            let same = |other: &&Made| is_same(&other.rule, operation);
            if let Some(other) = made.iter().find(same) {
                let first = part.apis.get(other.position).map(|api| api.openapi.display());
                let words = format!(
                    "{} {} is in {} too: leave it out of one, or write a [[gateway.route]] for it",
                    operation.method,
                    operation.path,
                    first.map(|file| file.to_string()).unwrap_or_default(),
                );
                wrong.push((at("openapi"), operation.wrong(&words).to_string()));
            }
        }
        wrong.extend(
            api.places()
                .filter_map(Result::err)
                .map(|(option, refused)| (at(option), refused.to_string())),
        );
        match api_routes(api, keys, &contract, &operations) {
            Ok(rules) => made.extend(rules.into_iter().map(|rule| Made { rule, position })),
            Err(found) => wrong.extend(found.into_iter().map(|(member, what)| (at(member), what))),
        }
    }
    if wrong.is_empty() { Ok(made.into_iter().map(|one| one.rule).collect()) } else { Err(wrong) }
}

/// The routes of one document.
fn api_routes(
    api: &Api,
    keys: KeyFields<'_>,
    contract: &Contract,
    operations: &[&Operation],
) -> Result<Vec<RouteRule>, Vec<(&'static str, String)>> {
    let unknown = match api.unknown_query {
        Unknown::Allow => UnknownQuery::Allow,
        Unknown::Refuse => UnknownQuery::Refuse,
    };
    let checks = match api.validate {
        Validate::Off => Vec::new(),
        Validate::Enforce | Validate::Observe => {
            contract.checks(operations, unknown).map_err(|mistakes| {
                mistakes.iter().map(|mistake| ("openapi", mistake.to_string())).collect::<Vec<_>>()
            })?
        }
    };
    let enforce = api.validate == Validate::Enforce;
    let described = checks.into_iter().map(|check| Described { check: Arc::new(check), enforce });
    let described = described.map(Some).chain(std::iter::repeat_with(|| None));
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for (operation, described) in operations.iter().zip(described) {
        match rule(api, keys, operation, described) {
            Ok(rule) => rules.push(rule),
            Err(mistake) => wrong.push(mistake),
        }
    }
    if wrong.is_empty() { Ok(rules) } else { Err(wrong) }
}

fn rule(
    api: &Api,
    keys: KeyFields<'_>,
    operation: &Operation,
    described: Option<Described>,
) -> Result<RouteRule, (&'static str, String)> {
    let of_document = |what: &str| ("openapi", operation.wrong(what).to_string());
    Template::parse(&operation.path).map_err(|fault| of_document(&fault.to_string()))?;
    if let Err(fault) = Rewrite::new(&operation.path, &api.strip_prefix, &api.add_prefix) {
        let member = if fault == BadRewrite::Add { "add_prefix" } else { "strip_prefix" };
        return Err((member, operation.wrong(&fault.to_string()).to_string()));
    }
    let access = operation.access.as_ref();
    let access = match access.map_err(|mistake| ("openapi", mistake.to_string()))? {
        Access::Public => gateway::Access::Public,
        Access::Token(Demand { scopes: sets, key_fields, only_keys, certificate }) => {
            if let Some(field) = key_fields.iter().find(|field| !keys.takes(field)) {
                return Err(of_document(&format!(
                    "its API key comes in the field `{field}`: name that in `gateway.api_key_header`"
                )));
            }
            if let Some(scope) = sets.iter().flatten().find(|scope| !is_scope_token(scope)) {
                return Err(of_document(&format!("`{scope}` is not one scope")));
            }
            // A single set is what the route demands; its challenge can then say so.
            let (scopes, any_scopes) = match sets.as_slice() {
                [only] => (only.clone(), Vec::new()),
                several => (Vec::new(), several.to_vec()),
            };
            let kinds = match only_keys {
                true => vec![TokenKind::ApiKey, TokenKind::Pat],
                false => Vec::new(),
            };
            let bound = if *certificate { Binding::Certificate } else { Binding::None };
            let further = Further { any_scopes, kinds, bound, ..Further::default() };
            gateway::Access::Token { scopes, audiences: api.audiences.clone(), further }
        }
    };
    Ok(RouteRule {
        path: operation.path.clone(),
        methods: vec![operation.method.clone()],
        upstream: api.upstream.clone(),
        strip_prefix: api.strip_prefix.clone(),
        add_prefix: api.add_prefix.clone(),
        access,
        networks: api.networks.clone(),
        places: api.places().filter_map(Result::ok).collect(),
        hours: Vec::new(),
        decided: true,
        cost: super::defaults::cost(),
        body_bytes: None,
        inspect: api.inspect.into(),
        described,
        variants: api.path_variants.into(),
        cors: RouteCors::rule(api.cors.as_ref()),
    })
}

/// Whether a route by hand stands in place of an operation.
fn overrides(route: &Route, operation: &Operation) -> bool {
    let method = operation.method.as_str();
    let methods = &route.methods;
    let answers = methods.is_empty() || methods.iter().any(|own| own == method);
    answers && shape(&route.path) == shape(&operation.path)
}

fn is_same(rule: &RouteRule, operation: &Operation) -> bool {
    rule.methods.contains(&operation.method) && shape(&rule.path) == shape(&operation.path)
}

/// A template without the names of its parameters, which make no difference.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.starts_with('{') {
        true if segment.ends_with("...}") => "{...}",
        true => "{}",
        false => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

// === impl Api ===

impl Api {
    /// What the places of its clients have to be; a mistake with the option that has it.
    pub(crate) fn places(&self) -> impl Iterator<Item = Result<PlaceTest, Mistake>> {
        let Self { countries, not_countries, asns, not_asns, .. } = self;
        Lists { countries, not_countries, asns, not_asns }.tests()
    }
}

// === impl KeyFields ===

impl KeyFields<'_> {
    fn takes(self, field: &str) -> bool {
        let own = self.0.is_some_and(|own| own.eq_ignore_ascii_case(field));
        own || field.eq_ignore_ascii_case(AUTHORIZATION.as_str())
    }
}

// === impl Inspect ===

impl From<Inspect> for gateway::Inspect {
    fn from(inspect: Inspect) -> Self {
        match inspect {
            Inspect::Enforce => Self::Enforce,
            Inspect::Observe => Self::Observe,
            Inspect::Off => Self::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway::cors::RouteCors;
    use gateway::route::PathVariants;
    use gateway::{Access, Binding};
    use token::event::TokenKind;

    use super::routes;
    use crate::config::gateway::Gateway;

    fn configured(document: &str, more: &str) -> (tempfile::TempDir, Gateway) {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("a.json");
        std::fs::write(&file, document).expect("file");
        let file = file.display();
        let text = format!(
            "{more}\n[upstreams]\na = \"http://127.0.0.1:1\"\n[[api]]\nopenapi = \"{file}\"\nupstream = \"a\"\n"
        );
        (folder, toml::from_str(&text).expect("configuration"))
    }

    /// Keys are taken where the gateway takes them, and nowhere else.
    #[test]
    fn keys_and_certificates_of_a_document_are_demanded() {
        let document = |security: &str| {
            format!(
                r#"{{"openapi":"3.1.0","paths":{{"/a":{{"get":{{"security":{security}}}}}}},"components":{{
                    "securitySchemes":{{"key":{{"type":"apiKey","in":"header","name":"X-Key"}},
                    "bearer":{{"type":"apiKey","in":"header","name":"authorization"}},
                    "mtls":{{"type":"mutualTLS"}},"jwt":{{"type":"http","scheme":"bearer"}}}}}}}}"#
            )
        };
        let further = |security: &str, more: &str| {
            let (_folder, gateway) = configured(&document(security), more);
            let rules = routes(&gateway).map_err(|found| found[0].clone())?;
            match &rules[0].access {
                Access::Token { further, .. } => Ok(further.clone()),
                Access::Public => panic!("no token is demanded"),
            }
        };
        let keys = vec![TokenKind::ApiKey, TokenKind::Pat];
        let named = "api_key_header = \"x-key\"";
        assert_eq!(further(r#"[{"key":[]}]"#, named).expect("taken").kinds, keys);
        assert_eq!(further(r#"[{"bearer":[]}]"#, "").expect("taken").kinds, keys);
        assert_eq!(further(r#"[{"key":[]},{"jwt":[]}]"#, named).expect("taken").kinds, []);
        let bound = further(r#"[{"jwt":[],"mtls":[]}]"#, "").expect("taken").bound;
        assert_eq!(bound, Binding::Certificate);
        for more in ["", "api_key_header = \"X-Other\""] {
            let (place, words) = further(r#"[{"key":[]}]"#, more).expect_err("not taken");
            assert_eq!(place, "gateway.api[0].openapi");
            assert!(words.contains("`X-Key`") && words.contains("api_key_header"), "{words}");
        }
    }

    #[test]
    fn what_is_said_of_an_api_holds_for_each_of_its_operations() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("pets.json");
        let document = r#"{
            "openapi": "3.1.0", "info": { "title": "Pets", "version": "1" },
            "paths": {
                "/pets": { "get": { "responses": {} }, "post": { "responses": {} } },
                "/pets/{id}": { "get": { "security": [], "responses": {} } }
            }
        }"#;
        std::fs::write(&file, document).expect("file");
        let configured = |more: &str| -> Gateway {
            let file = file.display();
            let text = format!(
                "[upstreams]\na = \"http://127.0.0.1:1\"\n[[api]]\nopenapi = \"{file}\"\nupstream = \"a\"\n{more}"
            );
            toml::from_str(&text).expect("configuration")
        };
        let said = "networks = [\"192.0.2.0/24\"]\ncountries = [\"NO\", \"SE\"]\nnot_asns = [64496]\n\
                    path_variants = \"same\"\ncors = \"off\"\n";
        let rules = routes(&configured(said)).expect("routes");
        assert_eq!(rules.len(), 3);
        for rule in &rules {
            assert_eq!(rule.networks, ["192.0.2.0/24".parse().expect("network")]);
            let places: Vec<String> = rule.places.iter().map(ToString::to_string).collect();
            assert_eq!(places, ["countries:NO,SE", "not_asns:64496"]);
            assert_eq!((rule.variants, &rule.cors), (PathVariants::Same, &RouteCors::LeftToApi));
        }
        let wrong = routes(&configured("countries = [\"Norway\"]\n")).expect_err("no country");
        assert_eq!(wrong[0].0, "gateway.api[0].countries");
    }
}
