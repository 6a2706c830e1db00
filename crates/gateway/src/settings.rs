//! What a gateway is told: values, checked once when it is built.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use ipnet::IpNet;
use token::allowance::Allowance;
use token::ladder::Ladder;

use crate::limit::LimitRule;
use crate::present::Credentials;
use crate::route::BadTemplate;
use crate::route::rewrite::BadRewrite;
use crate::upstream::rule::UpstreamRule;

/// Everything that a gateway has to know of its place.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its resource identifier (RFC 9728 §1.2): the URL by which clients reach the API, and the
    /// audience of the API's tokens.
    pub resource: String,
    /// Other audiences that are as good where a rule names none.
    pub audiences: Vec<String>,
    /// Who issues the tokens; compared exactly.
    pub issuer: String,
    /// Where clients get tokens, as told in the protected resource metadata (RFC 9728 §2).
    pub authorization_servers: Vec<String>,
    /// Which scopes include which.
    pub ladder: Ladder,
    /// The rules; a request that fits none is refused.
    pub routes: Vec<RouteRule>,
    /// The APIs behind it, by name.
    pub upstreams: BTreeMap<String, UpstreamRule>,
    /// Networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How far clocks may differ; at most 60 s are used.
    pub leeway: Duration,
    /// How many verified tokens are remembered.
    pub cache_entries: usize,
    /// Whether the access token goes on to the upstream.
    pub forward_token: bool,
    /// Where personal tokens are taken beside `Authorization: Bearer`.
    pub credentials: Credentials,
    /// Whether who brings no token is told which scopes the route demands (RFC 6750 §3); otherwise only
    /// who has a good token learns which routes there are.
    pub challenge_scopes: bool,
    /// Bytes of a body that are inspected; a longer one is refused where inspection is enforced.
    pub inspect_body_limit: usize,
    /// How long an upstream may take from the end of a request to the head of its answer, where its
    /// rule says nothing else.
    pub upstream_timeout: Duration,
    /// How much is allowed, beside what the routes demand.
    pub limits: Vec<LimitRule>,
    /// How many tokens that turn out not to be good one network may have verified; `None` for as many as
    /// come.
    pub doubtful: Option<Allowance>,
    /// How many keys are counted at the same time, at some 50 bytes each.
    pub limit_entries: usize,
}

/// One rule: what a path and its methods need, and where they go.
#[derive(Clone, Debug)]
pub struct RouteRule {
    /// Path template: `/orders/{id}`; the last segment may be `{rest...}`.
    pub path: String,
    /// HTTP methods; empty for every method but `CONNECT` and `TRACE`.
    pub methods: Vec<Method>,
    /// Name of the upstream.
    pub upstream: String,
    /// The beginning of the path that is not sent on; empty for none.
    pub strip_prefix: String,
    /// What is put before the path that is sent on; empty for nothing.
    pub add_prefix: String,
    /// What is needed.
    pub access: Access,
    /// Networks that it is for; empty for all.
    pub networks: Vec<IpNet>,
    /// What one request takes of the limits; 0 for a route that has none.
    pub cost: u32,
    /// Whether its requests are inspected for injections.
    pub inspect: Inspect,
}

/// What inspection does on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inspect {
    /// A request that carries an injection is refused.
    Enforce,
    /// It is forwarded, and its event says what would have been refused (`would_refuse`).
    Observe,
    /// Nothing is inspected.
    #[default]
    Off,
}

/// What a rule demands.
#[derive(Clone, Debug)]
pub enum Access {
    /// Nothing: the request goes on without an identity.
    Public,
    /// A good access token.
    Token {
        /// All of these scopes; none for any good token.
        scopes: Vec<String>,
        /// One of these audiences; empty for the gateway's own resource identifier.
        audiences: Vec<String>,
        /// What else is needed.
        further: Further,
    },
}

/// What a rule demands beside scopes and audience; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Further {
    /// One of these scopes; empty for none.
    pub any_scopes: Vec<String>,
    /// One of these clients; empty for any.
    pub clients: Vec<String>,
    /// The person has signed in by one of these ways (`acr`, RFC 9470 §4); empty for any.
    pub acr: Vec<String>,
    /// The person has signed in no longer ago than this.
    pub max_age: Option<Duration>,
    /// The token is bound to a key or a certificate of its client.
    pub bound: bool,
}

/// Why a gateway cannot be built from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The field for API keys has another meaning already.
    #[error("the field `{0}` cannot be the one for API keys: it means something else already")]
    BadApiKeyField(String),
    /// The origin of an application in browsers is not usable.
    #[error("browser application `{0}`: not an origin such as https://app.example, without a path")]
    BadBrowserApp(String),
    /// The servers of an upstream cannot be asked whether they are well.
    #[error(
        "upstream `{0}`: health: the path begins with `/` and has no spaces, and its times and counts \
         are at least one"
    )]
    BadHealth(String),
    /// A limit's name does not fit into a field.
    #[error(
        "limit `{0}`: a name is letters, digits, `-`, `_`, `.` and spaces, since answers tell it"
    )]
    BadLimitName(String),
    /// The resource identifier is not usable (RFC 9728 §1.2).
    #[error(
        "resource `{0}` is not an http or https URL without query and fragment, such as \
         https://api.example.com"
    )]
    BadResource(String),
    /// A scope of a rule is not one scope token (RFC 6749 §3.3).
    #[error("route `{path}`: `{scope}` is not one scope; list each scope by itself")]
    BadScope {
        /// The rule's template.
        path: String,
        /// The text in place of a scope.
        scope: String,
    },
    /// A path cannot be rewritten so.
    #[error("route `{path}`: {fault}")]
    BadRewrite {
        /// The rule's template.
        path: String,
        /// What is wrong.
        fault: BadRewrite,
    },
    /// A path template is not well formed.
    #[error("route `{path}`: {fault}")]
    BadTemplate {
        /// The template.
        path: String,
        /// What is wrong with it.
        fault: BadTemplate,
    },
    /// An upstream's address is not usable.
    #[error(
        "upstream `{name}`: `{url}` is not an http or https URL without user, query and fragment, \
         such as http://127.0.0.1:9000"
    )]
    BadUpstream {
        /// The upstream's name.
        name: String,
        /// The text in place of its address.
        url: String,
    },
    /// A request that nobody could ever send.
    #[error(
        "route `{path}`: its cost of {cost} is more than limit `{limit}` ever has at once; lower the \
         one or raise the other"
    )]
    CostTooHigh {
        /// The rule's template.
        path: String,
        /// Its cost.
        cost: u32,
        /// The limit's name.
        limit: String,
    },
    /// Two limits have one name.
    #[error("limit `{0}` is there twice; give one of them another name")]
    DuplicateLimit(String),
    /// Two rules answer for the same path and method.
    #[error("route `{path}`: method {method} has a rule already; merge the two")]
    DuplicateRoute {
        /// The later rule's template.
        path: String,
        /// The method, or `*` for every method.
        method: String,
    },
    /// A method that is never let through.
    #[error("route `{path}`: method {method} is never let through; remove it")]
    RefusedMethod {
        /// The rule's template.
        path: String,
        /// The method.
        method: String,
    },
    /// An upstream has no server, or more than 64.
    #[error("upstream `{name}`: it has {count} servers; name at least one and at most 64")]
    ServerCount {
        /// The upstream's name.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// The system's certificate authorities cannot be read, and an upstream is `https`.
    #[error("https upstreams: {0}")]
    TrustRoots(String),
    /// A limit names a route that is not there.
    #[error("limit `{limit}`: no route has the path `{path}`; write it as the route does")]
    UnknownLimitedRoute {
        /// The limit's name.
        limit: String,
        /// The template in place of a route's.
        path: String,
    },
    /// A rule names an upstream that is not there.
    #[error("route `{path}`: no upstream is named `{upstream}`; add it or correct the name")]
    UnknownUpstream {
        /// The rule's template.
        path: String,
        /// The name.
        upstream: String,
    },
    /// TLS to an upstream is not possible.
    #[error("upstream `{name}`: tls: {fault}")]
    UpstreamTls {
        /// The upstream's name.
        name: String,
        /// What is wrong.
        fault: String,
    },
    /// Nothing would ever be let through.
    #[error("limit `{0}` allows nothing; give at least one")]
    ZeroLimit(String),
    /// An answer could never come in time.
    #[error("the upstream timeout is zero; give at least one second")]
    ZeroTimeout,
    /// No request could ever be sent to an upstream, or none answered in time.
    #[error("upstream `{0}`: a timeout or `max_requests` is zero; give at least one")]
    ZeroUpstream(String),
}
