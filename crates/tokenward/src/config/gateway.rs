//! What can be configured of the gateway: its listeners and its rules.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ::gateway::cors::{CorsRule, RouteCors as CorsOfRoute};
use ::gateway::inside::IdentityForm;
use ::gateway::route::PathVariants as Variants;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::event::TokenKind;
use token::term::AddressField;

use super::Tls;
use super::api::Api;
use super::connections::Connections;
use super::issuer::Issuer;
use super::limit::{Limit, PaceOrOff};
use super::personal::BasicTokens;
use super::policy::Policy;
use super::span::Span;
use super::upstream::Upstream;

/// The gateway.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gateway {
    /// Address to listen on.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// Resource identifier: the URL by which clients reach the API, and the audience of its
    /// tokens. Absent: made from `listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
    /// Certificate and key; absent: plain HTTP, as under `authority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,
    /// A proxy in front does TLS.
    pub(crate) behind_tls_proxy: bool,
    /// Networks of proxies whose word of the client is believed: in `client_address_field`, and in
    /// `X-Forwarded-Proto` or the `proto` of `Forwarded`.
    #[schemars(with = "Vec<String>")]
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The field in which these proxies say whose request it is: `x-forwarded-for`, or `forwarded` (RFC
    /// 7239). They have to add to it in every request; the other field is ignored.
    #[schemars(with = "String")]
    pub(crate) client_address_field: AddressField,
    /// Demand a PROXY protocol header of every connection, as under `authority`.
    pub(crate) proxy_protocol: bool,
    /// How many connections there may be, and how slow they may be.
    pub(crate) connections: Connections,
    /// How many header fields a request may have; at most 100. More get 431.
    pub(crate) max_fields: usize,
    /// How many bytes their names and values may have together; more get 431.
    pub(crate) max_field_bytes: usize,
    /// How many bytes a request's body may have; more get 413. 0: as many as come.
    pub(crate) max_body: u64,
    /// While requests wait longer than so many milliseconds for their turn, the least trusted get 503: first who
    /// is unknown, in a growing share, then tokens that were taken back in part, and tokens known to be good
    /// last. 50 is far above what an unloaded machine shows. 0: never.
    pub(crate) shed_after_ms: u32,
    /// In so much time of waiting for a body, 1 KiB of it has to come, or its end; who is slower gets 408.
    /// Streams of gRPC may rest.
    pub(crate) body_timeout: Span,
    /// APIs behind the gateway, by name: `orders = "http://127.0.0.1:9000"`, or a table.
    pub(crate) upstreams: BTreeMap<String, Upstream>,
    /// Rules; a request that fits none is refused.
    #[serde(rename = "route")]
    pub(crate) routes: Vec<Route>,
    /// APIs that an OpenAPI document describes: routes that need not be written by hand.
    #[serde(rename = "api")]
    pub(crate) apis: Vec<Api>,
    /// How much is allowed, beside what the routes demand.
    #[serde(rename = "limit")]
    pub(crate) limits: Vec<Limit>,
    /// How many tokens that are forged or unknown one network may have verified; beyond it gets 429 for
    /// tokens that were not verified before. `off`: as many as come.
    pub(crate) doubtful_tokens: PaceOrOff,
    /// How many keys of limits are counted at the same time (about 50 bytes each).
    pub(crate) limit_entries: usize,
    /// Other issuers whose tokens are taken beside those of this server: identity providers that are there
    /// already.
    #[serde(rename = "issuer")]
    pub(crate) issuers: Vec<Issuer>,
    /// Networks, besides the public internet, that these issuers may be in.
    #[schemars(with = "Vec<String>")]
    pub(crate) reach: Vec<IpNet>,
    /// Applications in browsers that hold no token: under `/bff/` they are signed in and out, and a cookie
    /// is their credential (backend for frontend).
    #[serde(rename = "browser_app")]
    pub(crate) browser_apps: Vec<BrowserApp>,
    /// How far clocks may differ; at most 60s.
    pub(crate) leeway: Span,
    /// Files with private keys (JWK with `alg`) that tokens may be encrypted to.
    pub(crate) decryption_keys: Vec<PathBuf>,
    /// Demand a nonce of this server in every DPoP proof, so that none can be made in advance.
    pub(crate) dpop_nonce: bool,
    /// The field in which a proxy of `trusted_proxies` passes on the client's certificate, as under
    /// `authority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate_field: Option<String>,
    /// How many verified tokens are remembered (1 to 2 KiB each, more where policies decide).
    pub(crate) cache_entries: usize,
    /// Pass the client's access token on to the upstream; otherwise it ends here and only
    /// the identity headers go on.
    pub(crate) forward_token: bool,
    /// How upstreams are told who asks: `headers`, in fields that begin with `Tokenward-`; `token`, by a
    /// short-lived JWT of the gateway's own, whatever came from outside; `both`. An upstream can have it
    /// otherwise.
    pub(crate) identity: Identity,
    /// What the gateway's own tokens are like. The keys to check them by are published at
    /// `/.well-known/tokenward-internal-jwks.json`, `iss` is the gateway's `resource`.
    pub(crate) internal_token: InternalToken,
    /// What is done with `Authorization: Basic`, for tools that know nothing else: `accept` takes a personal
    /// token as the password, `challenge` also tells whoever brings no token to send one so, `off` takes none.
    pub(crate) basic_tokens: BasicTokens,
    /// A field, such as `X-API-Key`, whose whole value may be a personal token or one of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_key_header: Option<String>,
    /// Name in the challenge which scopes a route demands, so that clients ask for no more, as the Model
    /// Context Protocol has it. Who brings no token then learns which routes there are.
    pub(crate) challenge_scopes: bool,
    /// Bytes of a request's body that are inspected for injections. A longer one is refused on routes with
    /// `inspect = "enforce"`, and forwarded without being inspected on those with `"observe"`.
    pub(crate) inspect_body_limit: usize,
    /// The field that names a request, for the API and in the answer; in place of whatever a client calls it,
    /// unless a proxy of `trusted_proxies` says so. Empty: neither is told.
    pub(crate) request_id_field: String,
    /// How many of the last refused requests are remembered, for `tokenward explain` (about 1 KiB each);
    /// 0: none.
    pub(crate) explain_refused: usize,
    /// The same of those that were let through.
    pub(crate) explain_passed: usize,
    /// Pages of which other origins may call the API and read its answers, refusals too. Absent: the gateway
    /// leaves that to the API. With it, what the API says of CORS is replaced, and browsers that ask for leave
    /// (preflights) are answered here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cors: Option<Cors>,
    /// Add `X-Content-Type-Options`, with TLS `Strict-Transport-Security`, to answers to a credential
    /// `Cache-Control: no-store`, and to refusals what keeps them from being taken for pages; never in place
    /// of what the API says.
    pub(crate) security_headers: bool,
    /// Take out of answers what names the API's software: `Server`, `X-Powered-By` and the like.
    pub(crate) hide_software: bool,
    /// How long an upstream may take to begin its answer.
    pub(crate) upstream_timeout: Span,
    /// Threads that check and forward; 0: one for each processor.
    pub(crate) threads: usize,
    /// Policies that decide where the lists of a route are not enough. Absent: none decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Policy>,
    /// The same check for proxies of other makers, which ask and then forward by themselves: Envoy, NGINX,
    /// Traefik, Caddy, HAProxy. Absent: none may ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth: Option<Auth>,
}

/// How an upstream is told who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Identity {
    /// In both ways.
    Both,
    /// In fields that begin with `Tokenward-`.
    #[default]
    Headers,
    /// As a token of the gateway's own.
    Token,
}

/// The gateway's own tokens for upstreams.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InternalToken {
    /// How long one lives at most; never longer than the client's token.
    pub(crate) life: Span,
    /// The field that it is in, alone. Absent: `Authorization`, as `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// File with the private key (JWK with `alg`) that signs them. Absent: keys that are made of the store's
    /// master key, another one every week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
}

// === impl Identity ===

impl Identity {
    /// What the gateway is told.
    pub(crate) fn form(self) -> IdentityForm {
        match self {
            Self::Both => IdentityForm::Both,
            Self::Headers => IdentityForm::Headers,
            Self::Token => IdentityForm::Token,
        }
    }
}

/// What pages of other origins may do (CORS).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cors {
    /// Origins such as `https://app.example.com`; `https://*.example.com` for every host below that name; `*`
    /// alone for all, without `credentials`.
    pub(crate) origins: Vec<String>,
    /// Methods that a page may use.
    pub(crate) methods: Vec<String>,
    /// Fields that a page may send.
    pub(crate) headers: Vec<String>,
    /// Fields that a page may read, beside the challenge, the limits and the request's id.
    pub(crate) expose: Vec<String>,
    /// Let browsers send cookies.
    pub(crate) credentials: bool,
    /// For how long browsers remember a leave.
    pub(crate) max_age: Span,
}

/// Where proxies of other makers ask.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// Address to listen on: gRPC (`ext_authz`) and HTTP.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// Networks of the proxies that may ask. What they say of a request and its client is believed; everybody
    /// else gets 403.
    #[schemars(with = "Vec<String>")]
    pub(crate) trusted_callers: Vec<IpNet>,
    /// The field in which these proxies pass on the client's certificate, as under `authority`. They have to
    /// set it in every request, or a client could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate_field: Option<String>,
    /// These proxies name requests in `gateway.request_id_field`, and are believed. They have to set it in
    /// every request, or a client could.
    pub(crate) request_ids: bool,
    /// Certificate and key; absent: plain HTTP, as under `authority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,
    /// A proxy in front does TLS.
    pub(crate) behind_tls_proxy: bool,
}

/// A rule of the gateway.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// Path template: `/orders/{id}`; the last segment may be `{rest...}`.
    pub(crate) path: String,
    /// HTTP methods; empty: every method but `CONNECT`, `TRACE`, `TRACK` and names with small letters, which never
    /// pass.
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    /// Name of the upstream.
    pub(crate) upstream: String,
    /// The beginning of `path`, whole segments without parameters, that is not sent to the upstream:
    /// with `/shop`, `/shop/orders` goes on as `/orders`. Scopes and limits hold for the path before that.
    #[serde(default)]
    pub(crate) strip_prefix: String,
    /// What is put before the path that is sent to the upstream, such as `/v1`.
    #[serde(default)]
    pub(crate) add_prefix: String,
    /// Scopes that the token must have, all of them. May be empty: any good token.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// Audiences of which the token must have one; empty: the gateway's `resource`.
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    /// Scopes of which the token must have one, beside all of `scopes`; empty: none.
    #[serde(default)]
    pub(crate) any_scopes: Vec<String>,
    /// Clients that it is for; empty: all.
    #[serde(default)]
    pub(crate) clients: Vec<String>,
    /// Claims that the token must have, all of them: `department = "sales*"`, where `*` stands for anything, or
    /// `department = ["sales", "support"]` for one of several. A claim that is a list needs one that fits. A
    /// name that begins with `/` is a JSON pointer.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, Values>,
    /// Kinds of credentials that are taken, among `jwt`, `opaque` and `session`; empty: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) token_kinds: Vec<TokenKind>,
    /// Networks that it is for; empty: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) networks: Vec<IpNet>,
    /// Countries that it is for, by the two letters of ISO 3166: `NO`; `ZZ` stands for an unknown one. Like the
    /// next three it needs `geo.files`. Empty: all.
    #[serde(default)]
    pub(crate) countries: Vec<String>,
    /// Countries that are kept out; `ZZ` keeps out whoever is at an unknown place.
    #[serde(default)]
    pub(crate) not_countries: Vec<String>,
    /// Autonomous systems that it is for, by their numbers: `64496`; 0 stands for an unknown one. Empty: all.
    #[serde(default)]
    pub(crate) asns: Vec<u32>,
    /// Autonomous systems that are kept out; 0 keeps out whoever is in an unknown one.
    #[serde(default)]
    pub(crate) not_asns: Vec<u32>,
    /// When it is open, by the clocks of a place: `Mon-Fri 08:00-18:00 Europe/Berlin`; one of several is
    /// enough. Days may be left out, and what ends before it begins ends on the next day. Empty: always.
    #[serde(default)]
    pub(crate) times: Vec<String>,
    /// How the person must have signed in: one of these `acr` values; others are told to step up (RFC 9470).
    /// This server says `urn:tokenward:acr:one-factor` of a password, and `urn:tokenward:acr:two-factor` of
    /// a password and a code: where both will do, name both. Empty: in any way.
    #[serde(default)]
    pub(crate) acr: Vec<String>,
    /// How long ago the person may have signed in; others are told to step up. Absent: however long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<Span>,
    /// Only tokens that are bound to a key or a certificate of their client.
    #[serde(default)]
    pub(crate) bound: bool,
    /// Whether the policies of `gateway.policy` have to permit its requests. Absent: they have to, where there
    /// are some and a token is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<bool>,
    /// No token is needed.
    #[serde(default)]
    pub(crate) public: bool,
    /// What one request takes of the limits; absent: 1; 0: the route has none.
    #[serde(default = "super::defaults::cost")]
    pub(crate) cost: u32,
    /// Whether requests are inspected for injections: SQL, scripts, commands, paths and others, in path,
    /// query, headers, cookies and body. `off` for now unless a route says otherwise.
    #[serde(default)]
    pub(crate) inspect: Inspect,
    /// How many bytes a body may have; 0: as many as come. Absent: `gateway.max_body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_body: Option<u64>,
    /// What becomes of paths that many servers take for this one, where they are another route's by their
    /// letters: `/Admin` or `/admin/` for `/admin`, or dots and spaces at the end of a segment. `refuse`: nobody
    /// gets through by them, unless one of the two routes is public: then the rules of the other count. `same`:
    /// they are this route's, as for an upstream that ignores case. `distinct`: the upstream tells them apart, and
    /// they are the other route's.
    #[serde(default)]
    pub(crate) path_variants: PathVariants,
    /// Pages of which other origins may call it: a table as `gateway.cors`, of which nothing counts here then, or
    /// `off`, which leaves it to the API. Absent: as `gateway.cors` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cors: Option<RouteCors>,
}

/// What becomes of paths that many servers take for a route's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PathVariants {
    /// They are other paths.
    Distinct,
    /// They are refused.
    #[default]
    Refuse,
    /// They are this route's.
    Same,
}

/// What a route says of CORS.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "must be `off` or a table as `gateway.cors`")]
pub(crate) enum RouteCors {
    /// Nothing.
    Off(Off),
    /// Rules of its own.
    Own(Cors),
}

/// The word `off`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Off {
    /// It is off.
    Off,
}

/// One value or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Values {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// What inspection does on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Inspect {
    /// Refuse a request that carries an injection.
    Enforce,
    /// Forward it; its event says what would have been refused (`would_refuse`).
    Observe,
    /// Inspect nothing.
    #[default]
    Off,
}

/// An application in browsers whose tokens the server keeps.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BrowserApp {
    /// The origin under which browsers reach the gateway. Absent: that of its `resource`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    /// The client: confidential, with the redirect URI `{origin}/bff/callback` and the grant types
    /// `authorization_code` and `refresh_token`.
    pub(crate) client: String,
    /// What it asks for, separated by spaces.
    pub(crate) scopes: String,
}

// === impl Cors ===

impl Cors {
    /// As the gateway has it.
    pub(crate) fn rule(&self) -> CorsRule {
        let Self { origins, methods, headers, expose, credentials, max_age } = self.clone();
        CorsRule { origins, methods, headers, expose, credentials, max_age: max_age.duration() }
    }
}

// === impl PathVariants ===

impl From<PathVariants> for Variants {
    fn from(variants: PathVariants) -> Self {
        match variants {
            PathVariants::Distinct => Self::Distinct,
            PathVariants::Refuse => Self::Refuse,
            PathVariants::Same => Self::Same,
        }
    }
}

// === impl RouteCors ===

impl RouteCors {
    /// As the gateway has it.
    pub(crate) fn rule(route: Option<&Self>) -> CorsOfRoute {
        match route {
            None => CorsOfRoute::AsGateway,
            Some(Self::Off(Off::Off)) => CorsOfRoute::LeftToApi,
            Some(Self::Own(cors)) => CorsOfRoute::Own(cors.rule()),
        }
    }
}

// === impl Values ===

impl Values {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
        .iter()
        .map(String::as_str)
    }
}
