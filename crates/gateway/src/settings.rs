//! What a gateway is told: values, checked once when it is built.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::RequestCheck;
use http::Method;
use ipnet::IpNet;
use token::allowance::Allowance;
use token::claim_pattern::{Pattern, PatternRefused};
use token::client_address::TrustedProxies;
use token::cnf::Confirmation;
use token::event::TokenKind;
use token::ladder::Ladder;
use token::place::PlaceTest;

use crate::answers::AnswerRules;
use crate::cors::{BadCors, RouteCors};
use crate::explain::Kept;
use crate::inside::{IdentityForm, InternalTokenRule, JWKS_PATH};
use crate::limit::LimitRule;
use crate::present::Credentials;
use crate::route::hours::Hours;
use crate::route::rewrite::BadRewrite;
use crate::route::{BadTemplate, PathVariants};
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
    /// Proxies whose word of the client is believed: its address, and by `X-Forwarded-Proto` or the `proto` of
    /// `Forwarded` whether it spoke TLS.
    pub trusted_proxies: TrustedProxies,
    /// How far clocks may differ; at most 60 s are used.
    pub leeway: Duration,
    /// How many verified tokens are remembered.
    pub cache_entries: usize,
    /// Whether the access token goes on to the upstream.
    pub forward_token: bool,
    /// How upstreams are told who asks, where their rules say nothing else.
    pub identity: IdentityForm,
    /// What the gateway's own tokens are like, where upstreams get them.
    pub internal_token: InternalTokenRule,
    /// Where personal tokens are taken beside `Authorization: Bearer`.
    pub credentials: Credentials,
    /// Whether who brings no token is told which scopes the route demands (RFC 6750 §3); otherwise only
    /// who has a good token learns which routes there are.
    pub challenge_scopes: bool,
    /// How large and how slow a request may be.
    pub request_limits: RequestLimits,
    /// While requests wait longer than this for their turn, the least trusted are refused; `None` for never.
    pub shed_after: Option<Duration>,
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
    /// What answers get beside what they say.
    pub answers: AnswerRules,
    /// How many requests are remembered, to be asked about.
    pub kept: Kept,
}

/// How large and how slow a request may be, whoever sends it.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// How many header fields it may have.
    pub fields: usize,
    /// How many bytes their names and values may have together.
    pub field_bytes: usize,
    /// How many bytes its body may have where its route says nothing else; `None` for as many as come.
    pub body_bytes: Option<u64>,
    /// In so much time of waiting for its body, 1 KiB of it has to come, or its end.
    pub body_wait: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            fields: 100,
            field_bytes: 32 * 1024,
            body_bytes: Some(16 * 1024 * 1024),
            body_wait: Duration::from_secs(30),
        }
    }
}

/// One rule: what a path and its methods need, and where they go.
#[derive(Clone, Debug)]
pub struct RouteRule {
    /// Path template: `/orders/{id}`; the last segment may be `{rest...}`.
    pub path: String,
    /// HTTP methods; empty for every method but `CONNECT`, `TRACE`, `TRACK` and what has small letters.
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
    /// Places that it is for: all of these hold; empty for all.
    pub places: Vec<PlaceTest>,
    /// When it is open; empty for always.
    pub hours: Vec<Hours>,
    /// Whether policies decide about its requests, where there are some; not about those without a token.
    pub decided: bool,
    /// What one request takes of the limits; 0 for a route that has none.
    pub cost: u32,
    /// Whether its requests are inspected for injections.
    pub inspect: Inspect,
    /// How many bytes a body may have, where it is another number than usual; 0 for as many as come.
    pub body_bytes: Option<u64>,
    /// What its requests have to be, where a document describes them.
    pub described: Option<Described>,
    /// What becomes of paths that servers take for this one.
    pub variants: PathVariants,
    /// Which pages may call it. Of no meaning to a layer.
    pub cors: RouteCors,
}

// === impl RouteRule ===

impl RouteRule {
    /// A rule for every method of a path that demands this and nothing else, at a cost of one. The upstream is
    /// yet to be named; a layer needs none.
    pub fn new(path: impl Into<String>, access: Access) -> Self {
        Self {
            path: path.into(),
            methods: Vec::new(),
            upstream: String::new(),
            strip_prefix: String::new(),
            add_prefix: String::new(),
            access,
            networks: Vec::new(),
            places: Vec::new(),
            hours: Vec::new(),
            decided: true,
            cost: 1,
            inspect: Inspect::Off,
            body_bytes: None,
            described: None,
            variants: PathVariants::default(),
            cors: RouteCors::default(),
        }
    }
}

// === impl Access ===

impl Access {
    /// A good token with all of these scopes; none for any good token.
    pub fn scopes<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        Self::Token { scopes, audiences: Vec::new(), further: Further::default() }
    }
}

/// What a document says of the requests of a route.
#[derive(Clone, Debug)]
pub struct Described {
    /// What they have to be.
    pub check: Arc<RequestCheck>,
    /// Whether one that is not so is refused; else its event says that it would be (`would_refuse`).
    pub enforce: bool,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// All scopes of one of these sets; empty for none.
    pub any_scopes: Vec<Vec<String>>,
    /// One of these clients; empty for any.
    pub clients: Vec<String>,
    /// What claims have to be, all of them.
    pub claims: Vec<ClaimRule>,
    /// Kinds of credentials, one of these; empty for any.
    pub kinds: Vec<TokenKind>,
    /// The person has signed in by one of these ways (`acr`, RFC 9470 §4); empty for any.
    pub acr: Vec<String>,
    /// The person has signed in no longer ago than this.
    pub max_age: Option<Duration>,
    /// What the token is bound to.
    pub bound: Binding,
}

/// What a token has to be bound to, so that its text alone is of no use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// Nothing.
    #[default]
    None,
    /// A key or a certificate of its client.
    Any,
    /// A certificate of its client (RFC 8705 §3).
    Certificate,
}

/// What one claim has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule(Vec<Pattern>);

/// Claims that say what a token allows. They are what it was issued with, and it may have been narrowed since.
const SCOPE_CLAIMS: [&str; 4] = ["scope", "/scope", "scp", "/scp"];

/// Why a claim cannot be demanded so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClaimRule {
    /// No value is named.
    #[error("`{0}` names no value: give at least one")]
    NoValue(String),
    /// A pattern that fits everything.
    #[error(transparent)]
    Pattern(#[from] PatternRefused),
    /// The claim has the scopes.
    #[error(
        "`{0}` is demanded by `scopes` and `any_scopes`: a scope that was taken back stays in the claim"
    )]
    Scope(String),
}

// === impl Binding ===

impl Binding {
    pub(crate) fn is_met_by(self, bound: Option<&Confirmation>) -> bool {
        match self {
            Self::None => true,
            Self::Any => bound.is_some(),
            Self::Certificate => bound.is_some_and(|cnf| cnf.x5t_s256.is_some()),
        }
    }
}

// === impl ClaimRule ===

impl ClaimRule {
    /// The claim, by its name or a JSON pointer, is there and has one of these values, in which `*` stands for
    /// anything; or is a list that has one.
    ///
    /// # Errors
    /// [`BadClaimRule`] says what is wrong.
    pub fn new<S: AsRef<str>>(
        claim: &str,
        values: impl IntoIterator<Item = S>,
    ) -> Result<Self, BadClaimRule> {
        if SCOPE_CLAIMS.contains(&claim) {
            return Err(BadClaimRule::Scope(claim.to_owned()));
        }
        let patterns = values.into_iter().map(|value| Pattern::new(claim, value.as_ref()));
        let patterns = patterns.collect::<Result<Vec<_>, _>>()?;
        if patterns.is_empty() {
            return Err(BadClaimRule::NoValue(claim.to_owned()));
        }
        Ok(Self(patterns))
    }

    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.0
    }
}

/// Why a gateway cannot be built from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The field for API keys has another meaning already.
    #[error("the field `{0}` cannot be the one for API keys: it means something else already")]
    BadApiKeyField(String),
    /// CORS cannot be had so.
    #[error("cors: {0}")]
    BadCors(BadCors),
    /// CORS cannot be had so on a route.
    #[error("route `{path}`: cors: {fault}")]
    BadRouteCors {
        /// The rule's template.
        path: String,
        /// What is wrong.
        fault: BadCors,
    },
    /// The origin of an application in browsers is not usable.
    #[error("browser application `{0}`: not an origin such as https://app.example, without a path")]
    BadBrowserApp(String),
    /// The servers of an upstream cannot be asked whether they are well.
    #[error(
        "upstream `{0}`: health: the path begins with `/` and has no spaces, and its times and counts \
         are at least one"
    )]
    BadHealth(String),
    /// The field of the gateway's own token means something else.
    #[error(
        "the internal token cannot be in the field `{0}`; choose one such as `X-Internal-Token`"
    )]
    BadIdentityField(String),
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
    /// Two rules say different things of variants of the same path.
    #[error(
        "route `{0}`: `path_variants` is another than that of a route with this path, or `same` is together with \
         a route whose path differs by the case of letters alone; make them agree"
    )]
    BadPathVariants(String),
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
    /// Upstreams are to get tokens of the gateway's own, and there is nothing to sign them with.
    #[error("upstreams with `token` as their identity need keys for it")]
    NoInternalKeys,
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
    /// The gateway's own tokens would have ended before they arrive.
    #[error("the internal token's life is below two seconds; give at least 2s")]
    ShortIdentity,
    /// A rule is where the gateway publishes keys.
    #[error(
        "route `{JWKS_PATH}`: the keys of internal tokens are published there; give it another path"
    )]
    TakenKeysPath,
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
    /// The client's token and the gateway's own would be in one field.
    #[error(
        "the client's token and the internal one cannot both be in `Authorization`: put the internal one \
         into another field, or forward only one of them"
    )]
    TwoTokensForward,
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
