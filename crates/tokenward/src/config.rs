//! The configuration file: what it may say, with every default. The reference is printed from these types.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) mod accounts;
pub(crate) mod api;
pub(crate) mod branding;
pub(crate) mod check;
mod connections;
mod defaults;
pub(crate) mod detect;
pub(crate) mod difference;
pub(crate) mod files;
pub(crate) mod gateway;
pub(crate) mod geo;
pub(crate) mod identity_provider;
pub(crate) mod issuer;
pub(crate) mod limit;
pub(crate) mod load;
pub(crate) mod mail;
mod meant;
mod mfa;
pub(crate) mod notify;
pub(crate) mod personal;
pub(crate) mod place;
pub(crate) mod policy;
mod proxies;
pub(crate) mod reference;
pub(crate) mod signals;
pub(crate) mod span;
pub(crate) mod upstream;
pub(crate) mod variables;
mod where_from;

pub(crate) use self::mail::Mail;
pub(crate) use self::notify::Notify;
pub(crate) use self::signals::SignalTransmitter;
use accounts::{Passwords, SignUpPart};
use authority::language::Language;
use authority::register::policy::Policy;
use branding::Branding;
pub(crate) use connections::Connections;
pub(crate) use detect::Detect;
pub(crate) use gateway::{
    Auth, BrowserApp, Cors, Gateway, Identity, Inspect, InternalToken, Route,
};
pub(crate) use geo::Geo;
use identity_provider::IdentityProvider;
pub(crate) use mfa::Mfa;
use personal::PersonalTokens;
use span::Span;
use token::ladder::{BadLadder, Ladder};
use token::term::{AddressField, Algorithm, GrantType, Profile, TokenFormat};

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where state is kept.
    #[serde(default)]
    pub(crate) store: Store,
    /// The authorization server: issues, introspects and revokes tokens.
    #[serde(default)]
    pub(crate) authority: Authority,
    /// The gateway: checks every request before it reaches an API. Absent: no gateway runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<Gateway>,
    /// The admin API, health and metrics. Absent: they are not served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<Admin>,
    /// Letters to people.
    #[serde(default)]
    pub(crate) mail: Mail,
    /// Scopes that may be granted, as people see them on the consent page. `openid`, `profile`,
    /// `email`, `address`, `phone` and `offline_access` are built in.
    #[serde(default, rename = "scope")]
    pub(crate) scopes: Vec<Scope>,
    /// APIs that tokens can be for, beside the gateway's own `resource`; an entry for that one says
    /// how its tokens are made.
    #[serde(default, rename = "resource")]
    pub(crate) resources: Vec<Resource>,
    /// Types of `authorization_details` that clients may ask for: "pay 45 EUR, once" where a scope says
    /// too little.
    #[serde(default)]
    pub(crate) authorization_details: Vec<DetailType>,
    /// Other issuers whose tokens are taken for ours: platforms that say which workload somebody is, and
    /// identity providers of enterprises.
    #[serde(default, rename = "trusted_issuer")]
    pub(crate) trusted_issuers: Vec<TrustedIssuer>,
    /// Publishers whose software statements are taken when a client registers (RFC 7591): what they say
    /// of their software goes before what the client says.
    #[serde(default, rename = "software_publisher")]
    pub(crate) software_publishers: Vec<KeySource>,
    /// Attesters who vouch for the instances of clients (`attest_jwt_client_auth`): the makers of apps and
    /// wallets. A client can name one that alone counts for it (its option `client_attester`).
    #[serde(default, rename = "attester")]
    pub(crate) attesters: Vec<KeySource>,
    /// Others whose security events about our people are followed.
    #[serde(default, rename = "signal_transmitter")]
    pub(crate) signal_transmitters: Vec<SignalTransmitter>,
    /// Where addresses are: databases of countries and autonomous systems, for rules and events.
    #[serde(default)]
    pub(crate) geo: Geo,
    /// The watcher.
    #[serde(default)]
    pub(crate) detect: Detect,
    /// Whom findings are told.
    #[serde(default)]
    pub(crate) notify: Notify,
    /// What is written to standard error.
    #[serde(default)]
    pub(crate) log: Log,
    /// How long a stopping process waits for requests in flight.
    #[serde(default = "defaults::drain")]
    pub(crate) drain: Span,
}

/// Where state is kept.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// The SQLite database file; its folder is created with mode 0700.
    pub(crate) path: PathBuf,
    /// File with the master key (64 hexadecimal digits) that seals private keys at rest;
    /// created at the first start. `TOKENWARD_MASTER_KEY` takes precedence. Absent:
    /// `master.key` beside the database. Keep a copy elsewhere: without it the database
    /// cannot be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) master_key_file: Option<PathBuf>,
}

/// A listener's TLS files.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM file with the certificate chain, own certificate first. Read again when it changes.
    pub(crate) certificate: PathBuf,
    /// PEM file with the private key.
    pub(crate) key: PathBuf,
    /// Ask clients for a certificate, which they may leave out: for clients that authenticate with
    /// one, and for tokens that are bound to one (RFC 8705).
    #[serde(default)]
    pub(crate) client_certificates: bool,
}

/// The authorization server.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Authority {
    /// Address to listen on.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// Issuer identifier: the URL by which clients reach this server. Absent: made from
    /// `listen`, which only fits a machine of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// Certificate and key; absent: plain HTTP, which is refused on addresses other than
    /// loopback unless `behind_tls_proxy` is set.
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
    /// Demand of every connection that it begins with a PROXY protocol header (version 2), and take
    /// connections from `trusted_proxies` alone: for proxies that pass on TCP and read no HTTP.
    pub(crate) proxy_protocol: bool,
    /// How many connections there may be, and how slow they may be.
    pub(crate) connections: Connections,
    /// Life of an access token. Revocation does not wait for its end.
    pub(crate) access_token_life: Span,
    /// Life of an ID token.
    pub(crate) id_token_life: Span,
    /// Demand a nonce of this server in every DPoP proof, so that none can be made in advance.
    pub(crate) dpop_nonce: bool,
    /// Demand a challenge of this server in every proof of an attested key, so that none can be made in
    /// advance; clients get them at `challenge_endpoint`.
    pub(crate) attestation_challenge: bool,
    /// How long a device waits for its person (device authorization grant).
    pub(crate) device_code_life: Span,
    /// A refresh token that is not used for this long ends.
    pub(crate) refresh_idle_life: Span,
    /// A grant ends this long after it was given, however often it is refreshed.
    pub(crate) refresh_absolute_life: Span,
    /// Within this time the same client's repeated refresh gets the same answer again.
    pub(crate) refresh_retry_window: Span,
    /// A person is asked to sign in again after this time.
    pub(crate) session_life: Span,
    /// A person is asked to sign in again after nothing was seen of them for this time.
    pub(crate) session_idle: Span,
    /// Who has to prove more than a password.
    pub(crate) mfa: Mfa,
    /// What new passwords have to be.
    pub(crate) passwords: Passwords,
    /// Who may make an account.
    pub(crate) sign_up: SignUpPart,
    /// What pages and letters look and sound like.
    pub(crate) branding: Branding,
    /// Clients that register themselves: who may, and what they may have.
    pub(crate) registration: Registration,
    /// File with the public keys of GitHub's secret scanning, as their list of keys answers (JSON with
    /// `public_keys`): tokens of ours that they report to `/leaks/github` are taken back. Absent: no
    /// reports are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) leak_report_keys: Option<PathBuf>,
    /// Personal tokens and tokens of services.
    pub(crate) personal_tokens: PersonalTokens,
    /// Take clients whose id is the URL of a document that describes them, without registration, as
    /// the Model Context Protocol has it. They get no more than `registration` gives.
    pub(crate) client_id_metadata_documents: bool,
    /// A profile that every client has to keep: `fapi2` (FAPI 2.0 Security Profile). A client can
    /// keep one by itself (its option `profile`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) profile: Option<Profile>,
    /// Demand PKCE of every client. `false`: clients that authenticate and ask for an ID token may
    /// leave it out, as older OpenID Connect clients and the OpenID certification do; public clients
    /// and those under FAPI 2.0 never may. A single client is let by its option `pkce_optional`.
    pub(crate) require_pkce: bool,
    /// A signing key is replaced after this time; 0s: only by hand (`tokenward key rotate`).
    pub(crate) key_rotate_every: Span,
    /// A new signing key is published for this long before it signs, so that checkers that keep
    /// the key set have fetched it.
    pub(crate) key_overlap: Span,
    /// What tokens can be signed with: access tokens with the first, ID tokens with the one that the
    /// client registered. Each has a key of its own.
    #[schemars(with = "Vec<String>")]
    pub(crate) signing_algs: Vec<Algorithm>,
    /// Networks, besides the public internet, that keys, documents and logouts of clients may be
    /// fetched from and sent to.
    #[schemars(with = "Vec<String>")]
    pub(crate) reach: Vec<IpNet>,
    /// PEM file with the authorities whose client certificates are taken (`tls_client_auth`).
    /// Certificates that clients registered themselves need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_ca: Option<PathBuf>,
    /// The field in which a proxy of `trusted_proxies` passes on the client's certificate: `Client-Cert`
    /// (RFC 9440), or one with percent-encoded PEM. From everybody else it is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate_field: Option<String>,
    /// How many passwords are hashed at the same time (19 MiB each).
    pub(crate) password_threads: usize,
    /// Failed sign-ins at one name, of all browsers together in which its person never signed in, after which
    /// such browsers have to solve a puzzle, or wait two minutes at most, before a password is looked at; half as
    /// many again from one network, whatever the names. One is forgiven every ten minutes, from a network every
    /// minute. From 10 to 1000; 0: never.
    pub(crate) puzzle_after: u32,
    /// Providers that people sign in with, in the order in which they are offered. Register this server at each
    /// with the redirect URI `<issuer>/login/provider/<name>`, and with the back-channel logout URI
    /// `<issuer>/login/provider/<name>/logout`. Other hosts than on the public internet have to be among `reach`.
    #[serde(rename = "identity_provider")]
    pub(crate) identity_providers: Vec<IdentityProvider>,
}

/// Clients that register themselves, and manage their registration.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Registration {
    /// Who may register: `token`, whoever has an initial access token with the scope
    /// `tokenward:register`; `open`, anybody; `statement`, whoever has a software statement of a
    /// `software_publisher`; `off`, nobody.
    #[schemars(with = "String")]
    pub(crate) policy: Policy,
    /// Scopes that such a client may have, separated by spaces.
    pub(crate) scopes: String,
    /// Grant types that it may have, among `authorization_code`, `client_credentials`, `refresh_token`
    /// and `urn:ietf:params:oauth:grant-type:device_code`. Absent: all of them, but with the policy
    /// `open` not `client_credentials`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) grant_types: Option<Vec<GrantType>>,
    /// Hosts that people may be sent back to: `app.example.com`, `*.example.com` for all below it,
    /// `localhost` for their own machine. Empty: any.
    pub(crate) redirect_hosts: Vec<String>,
    /// Whether people may be sent back to an app by a scheme of its own, such as `com.example.app`.
    pub(crate) private_use_schemes: bool,
}

/// A scope that may be granted.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    /// The scope token, such as `orders:read`.
    pub(crate) name: String,
    /// What it allows, in plain words: "Read your orders".
    pub(crate) description: String,
    /// The same in other languages: `translations = { de = "Ihre Bestellungen lesen" }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) translations: BTreeMap<Language, String>,
    /// The resources that it belongs to, by their identifiers: without a `resource` parameter its
    /// tokens are for them, and no token for another has it. Empty: it belongs to nobody in
    /// particular, and applies at all of them.
    #[serde(default)]
    pub(crate) resources: Vec<String>,
    /// Scopes that it includes: `orders:write` with `includes = ["orders:read"]` is let through where
    /// `orders:read` is demanded, and whoever may have it may ask for less. A service that compares
    /// scopes by itself has to know.
    #[serde(default)]
    pub(crate) includes: Vec<String>,
    /// Claims about a person that it brings at UserInfo, such as `department`.
    #[serde(default)]
    pub(crate) claims: Vec<String>,
    /// Whether people have to prove more than a password before they grant it.
    #[serde(default)]
    pub(crate) mfa: bool,
}

/// An API that tokens can be for.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    /// Resource identifier: the URL by which clients reach the API (RFC 8707).
    pub(crate) identifier: String,
    /// Life of its access tokens, where it is another than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_token_life: Option<Span>,
    /// What its access tokens are signed with: one of `signing_algs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) signing_alg: Option<Algorithm>,
    /// File with the public key (JWK with `alg`) that its access tokens are encrypted to. Such a
    /// token is for this API alone; introspection and revocation take what is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encrypt_to: Option<PathBuf>,
    /// Publish the status of its access tokens (Token Status List), so that a checker elsewhere learns
    /// within seconds that one was taken back.
    #[serde(default)]
    pub(crate) status_list: bool,
    /// `jwt`, or `opaque`: values that say nothing to whoever holds them. Only this server and its
    /// gateway can tell what they are; other checkers of the API need introspection.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(crate) token_format: TokenFormat,
}

/// A type of `authorization_details` (RFC 9396). A client needs it among its
/// `authorization_details_types`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetailType {
    /// Its name.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What it allows, for the consent page; `{a.b}` stands for a member: "Pay {amount} to {creditor}".
    pub(crate) description: String,
    /// The same in other languages: `translations = { de = "{amount} an {creditor} zahlen" }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) translations: BTreeMap<Language, String>,
    /// The actions that it can name.
    #[serde(default)]
    pub(crate) actions: Vec<String>,
    /// Its members and what they have to be: `text`, `number`, `boolean`, `["text"]` for a list, a table
    /// for an object. A name that ends with `?` may be left out; others are refused.
    #[serde(default)]
    pub(crate) members: BTreeMap<String, serde_json::Value>,
}

/// Another issuer whose tokens are taken (grant type jwt-bearer, and as client assertions).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrustedIssuer {
    /// Its identifier, exactly as its tokens have it; or a SPIFFE trust domain,
    /// `spiffe://example.org`, whose JWT-SVIDs are known by their subject.
    pub(crate) issuer: String,
    /// Where its keys are: a JSON Web Key Set, or a SPIFFE bundle. Absent: its metadata says. Other places than the public internet have to be
    /// among `authority.reach`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_uri: Option<String>,
    /// File with its keys (a JSON Web Key Set), where they cannot be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_file: Option<PathBuf>,
    /// Whom its tokens have to be for. Absent: the issuer identifier of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    /// The claim of its identity assertions (ID-JAG) that is a username here. Absent: it speaks for
    /// nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) people: Option<String>,
    /// Which workloads are which clients; the first that fits counts.
    #[serde(default, rename = "rule")]
    pub(crate) rules: Vec<WorkloadRule>,
}

/// Somebody who signs, and where their keys are.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeySource {
    /// Their identifier, exactly as what they sign has it.
    pub(crate) issuer: String,
    /// Where their keys are. Absent: the metadata of `issuer` says. Other places than the public internet
    /// have to be among `authority.reach`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_uri: Option<String>,
    /// File with their keys (a JSON Web Key Set), where they cannot be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_file: Option<PathBuf>,
}

/// Claims of a workload's token, and the client that it is.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkloadRule {
    /// The client, which needs the grant type `urn:ietf:params:oauth:grant-type:jwt-bearer`.
    pub(crate) client: String,
    /// What claims have to be, all of them: `sub = "repo:acme/*"`, where `*` stands for anything. A name
    /// that begins with `/` is a JSON pointer: `"/kubernetes.io/namespace" = "shop"`.
    pub(crate) claims: BTreeMap<String, String>,
}

/// The admin API.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Admin {
    /// Address to listen on.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// Certificate and key; absent: plain HTTP, as under `authority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,
    /// A proxy in front does TLS.
    pub(crate) behind_tls_proxy: bool,
}

/// What is written to standard error.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// Form.
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, or a filter such as `info,gateway=debug`.
    pub(crate) level: String,
}

/// For people or for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

// === impl Config ===

impl Config {
    /// Which scopes include which.
    pub(crate) fn ladder(&self) -> Result<Ladder, BadLadder> {
        let steps = self.scopes.iter();
        Ladder::new(steps.map(|scope| (scope.name.as_str(), scope.includes.as_slice())))
    }
}
