//! Other issuers whose tokens the gateway takes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::term::Algorithm;

use super::span::Span;

/// How `types` names a header without `typ`.
pub(crate) const NO_TYPE: &str = "none";

/// Another issuer whose tokens the gateway takes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    /// Its identifier, exactly as `iss` of its tokens has it. In events, identity headers and restrictions its
    /// names begin with it and a vertical bar, so that its `alice` is nobody of ours.
    pub(crate) issuer: String,
    /// Where its keys are (a JSON Web Key Set). Absent: its metadata says, unless `introspection` is there.
    /// Other places than the public internet have to be among `gateway.reach`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_uri: Option<String>,
    /// File with its keys (a JSON Web Key Set), where they cannot be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_file: Option<PathBuf>,
    /// The `aud` values that are taken. One that a route lists opens that route alone; any other stands for
    /// the gateway's `resource`. Empty: the gateway's `resource`.
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    /// What may have signed its tokens. Empty: what its keys are for.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) algorithms: Vec<Algorithm>,
    /// The `typ` of its access tokens; `none` for a header without it. Empty: `at+jwt` (RFC 9068). Keycloak,
    /// Auth0 and Entra ID write `JWT`: ID tokens are then told apart by their audience and claims alone.
    #[serde(default)]
    pub(crate) types: Vec<String>,
    /// Where scopes are. Empty: `scope` and `scp`.
    #[serde(default)]
    pub(crate) scopes: Vec<ScopeClaim>,
    /// The claim that says whom a token speaks for; `sub` without this. Where a token has none, the client.
    #[serde(default = "subject")]
    pub(crate) subject: String,
    /// The claims that say to whom it was issued; the first that is there counts. Empty: `client_id`, `azp`.
    #[serde(default)]
    pub(crate) client: Vec<String>,
    /// Further claims that have to be there with these values, or with lists that have them.
    #[serde(default)]
    pub(crate) required: BTreeMap<String, serde_json::Value>,
    /// Ask the issuer about its opaque tokens (RFC 7662); without `jwks_uri` and `jwks_file`, about its JWTs
    /// too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) introspection: Option<Introspection>,
}

/// A claim with scopes: one text with spaces, or a list.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeClaim {
    /// The claim: `scp`; `realm_access.roles` for one inside of others, `/a.b/c` (a JSON pointer) where a name
    /// has dots. A name with a colon, such as `https://example.com/roles`, is taken as it is. So it is with all
    /// options that name claims.
    pub(crate) claim: String,
    /// Is put before each: with `role:` the role `admin` is the scope `role:admin`.
    #[serde(default)]
    pub(crate) prefix: String,
}

/// How an issuer is asked about tokens.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Introspection {
    /// Its introspection endpoint.
    pub(crate) url: String,
    /// The client that asks, by HTTP Basic.
    pub(crate) client_id: String,
    /// File with the client's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The variable that holds the client's secret, such as `TOKENWARD_IDP_SECRET`. Its name begins with
    /// `TOKENWARD_` and has no `__`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_env: Option<String>,
    /// Opaque tokens that begin so are the issuer's. Needed where several issuers are asked: a token is shown
    /// to no other.
    #[serde(default)]
    pub(crate) prefix: String,
    /// For how long an answer counts, 30s without this, never longer than the token; that a token is not good, at most 5s. Within
    /// it, what was taken back at the issuer passes; what is taken back here never does.
    #[serde(default = "cache")]
    pub(crate) cache: Span,
}

fn subject() -> String {
    "sub".to_owned()
}

fn cache() -> Span {
    Span::seconds(30)
}
