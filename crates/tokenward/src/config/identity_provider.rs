//! `[[authority.identity_provider]]`: providers that people sign in with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use authority::person_claims;
use authority::provider::preset::Preset;
use authority::provider::{self, Creation, Linking};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::foreign::ClaimPath;
use url::Url;

use super::check::Finding;

/// A provider that people sign in with, in place of a password or beside it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityProvider {
    /// Its name here, which is part of addresses: a-z, 0-9 and `-`. Accounts are connected under it and its
    /// issuer: with another name or issuer they are not.
    pub(crate) name: String,
    /// What is known of it. Absent: `openid`, any OpenID provider by its `issuer`; `google`; `entra` (Microsoft, the
    /// issuer of one tenant); `github`; `gitlab`; `okta`; `keycloak`; `oauth`, by its endpoints.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(crate) preset: Preset,
    /// What people call it, as the sign-in page has it: "Continue with Acme". Absent: what the preset says, or
    /// `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// Its issuer identifier, exactly as its metadata has it. Not needed for `google` and gitlab.com; for Entra
    /// `https://login.microsoftonline.com/<tenant id>/v2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// Where people are sent, for `oauth` and a GitHub of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorization_endpoint: Option<String>,
    /// Where codes are redeemed, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_endpoint: Option<String>,
    /// Where it is said who somebody is, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) userinfo_endpoint: Option<String>,
    /// Where the addresses of a person are listed as GitHub has them, likewise; only the primary one is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) emails_endpoint: Option<String>,
    /// Who this server is there.
    pub(crate) client_id: String,
    /// File with its secret. Without a secret, PKCE alone protects the sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The variable that holds its secret, such as `TOKENWARD_IDP_SECRET`. Its name begins with `TOKENWARD_` and
    /// has no `__`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_env: Option<String>,
    /// File with a private key (JWK, with a `kid` where the provider knows several) that signs who this server is there, in
    /// place of a secret: `private_key_jwt`. `tokenward jose jwk generate` makes one; give the provider the public
    /// part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// What is asked for, separated by spaces. Absent: `openid profile email`, for GitHub `read:user user:email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<String>,
    /// Domains of the addresses of its people, such as `acme.example`: who types one at the sign-in page is sent
    /// there, and only these are linked or made by `link` and `create = "domains"`.
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    /// Whether the sign-in page offers it to everybody, as it does without this. `false`: to addresses of its `domains` alone.
    #[serde(default = "yes")]
    pub(crate) button: bool,
    /// Who gets an account that is there already, besides those who connect the two themselves. Absent: `never`;
    /// or `verified_email`, whoever has the account's address, when both sides have seen that it is theirs.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(crate) link: Linking,
    /// Who gets a new account. Absent: `never`; `domains`, whoever has a verified address of `domains`; `always`,
    /// everybody whom the provider knows, which with `google` or `github` is everybody.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(crate) create: Creation,
    /// The claim that shows that an address is its person's own. Absent: `email_verified`; for Entra `xms_edov`,
    /// which has to be switched on there; Google's own rule; GitHub's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email_verified_claim: Option<String>,
    /// The claim with the name that never changes, for `oauth`: `sub` without this. A number will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject_claim: Option<String>,
    /// The claim with the user name of a new account. Absent: `preferred_username`, for GitHub `login`, for
    /// Google `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) username_claim: Option<String>,
    /// Claims of people here and where the provider has them: `department = "org.unit"`. They are set anew at
    /// every sign-in. The provider's are written as in `gateway.issuer.scopes`.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, String>,
    /// The claim with the groups of a person. They become the claim `groups` here, anew at every sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) groups_claim: Option<String>,
    /// What groups are called here: `"idp-admins" = "admins"`; others are left out. Empty: as they are there.
    #[serde(default)]
    pub(crate) groups: BTreeMap<String, String>,
    /// Values of `acr` that are two factors; they are asked for where two are demanded. Empty: none is trusted,
    /// and whoever has a second factor here shows it after the provider, too.
    #[serde(default)]
    pub(crate) trust_acr: Vec<String>,
    /// Values of `amr` that are two factors, such as `mfa`; likewise.
    #[serde(default)]
    pub(crate) trust_amr: Vec<String>,
    /// Keep the provider's tokens, sealed, for administrators to read by the admin API.
    #[serde(default)]
    pub(crate) keep_tokens: bool,
}

fn yes() -> bool {
    true
}

/// What is wrong with them.
pub(super) fn check(providers: &[IdentityProvider], found: &mut Vec<Finding>) {
    for (position, one) in providers.iter().enumerate() {
        let at = |member: &str| format!("authority.identity_provider[{position}].{member}");
        one.check(&at, found);
        if providers.iter().take(position).any(|before| before.name == one.name) {
            let words = format!("`{}` is the name of two providers: give each its own", one.name);
            found.push((at("name"), words));
        }
    }
}

// === impl IdentityProvider ===

impl IdentityProvider {
    fn check(&self, at: &dyn Fn(&str) -> String, found: &mut Vec<Finding>) {
        let mut wrong = |member: &str, words: &str| found.push((at(member), words.to_owned()));
        if !provider::is_name(&self.name) {
            wrong("name", "must be 1 to 32 of a-z, 0-9 and `-`");
        }
        if self.preset.is_openid() {
            match self.issuer() {
                None => wrong("issuer", "is needed: the identifier that its metadata has"),
                Some(issuer) if !is_place(issuer) => wrong("issuer", "must be a URL"),
                Some(issuer) if self.preset == Preset::Entra && is_shared(issuer) => wrong(
                    "issuer",
                    "must be that of one tenant: with `common` and the like everybody's issuer is another",
                ),
                Some(_) => {}
            }
        } else if self.issuer.is_some() {
            wrong("issuer", "is for providers with ID tokens; leave it out");
        }
        for (member, value, is_needed) in self.places() {
            match value {
                Some(_) if self.preset.is_openid() => {
                    wrong(member, "is found by the provider's metadata; leave it out");
                }
                Some(place) if !is_place(&place) => wrong(member, "must be a URL"),
                None if is_needed && !self.preset.is_openid() => wrong(member, "is needed"),
                Some(_) | None => {}
            }
        }
        if self.client_secret_file.is_some() && self.client_secret_env.is_some() {
            wrong("client_secret_env", "cannot be beside `client_secret_file`: one is enough");
        }
        let has_secret = self.client_secret_file.is_some() || self.client_secret_env.is_some();
        if self.client_key_file.is_some() && has_secret {
            wrong("client_key_file", "cannot be beside a secret: one of them is enough");
        }
        let env = self.client_secret_env.as_deref();
        if env.is_some_and(|name| !name.starts_with("TOKENWARD_") || name.contains("__")) {
            wrong("client_secret_env", "must begin with `TOKENWARD_` and have no `__`");
        }
        let odd = |domain: &String| domain.is_empty() || domain.contains(['@', ' ', '*']);
        if self.domains.iter().any(odd) {
            wrong("domains", "must be domains such as `acme.example`");
        }
        if self.create == Creation::Domains && self.domains.is_empty() {
            wrong("create", "is `domains`, and there are none: name some");
        }
        for (member, path) in self.paths() {
            if path.parse::<ClaimPath>().is_err() {
                wrong(member, "names no claim; write `scp`, `realm_access.roles` or `/a.b/c`");
            }
        }
        if let Some(refused) =
            self.claims.keys().find_map(|name| person_claims::check_name(name).err())
        {
            wrong("claims", &refused.to_string());
        }
        if !self.groups.is_empty() && self.groups_claim.is_none() {
            wrong("groups", "needs `groups_claim`: where the groups are");
        }
    }

    /// Its issuer, where it has one.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref().or(self.preset.issuer())
    }

    /// The endpoints of a provider without metadata, and whether each is needed.
    pub(crate) fn places(&self) -> [(&'static str, Option<String>, bool); 4] {
        let known = self.preset.endpoints();
        let place = |own: &Option<String>, known: Option<&'static str>| {
            own.clone().or(known.map(str::to_owned))
        };
        [
            (
                "authorization_endpoint",
                place(&self.authorization_endpoint, known.map(|one| one.authorization)),
                true,
            ),
            ("token_endpoint", place(&self.token_endpoint, known.map(|one| one.token)), true),
            (
                "userinfo_endpoint",
                place(&self.userinfo_endpoint, known.map(|one| one.userinfo)),
                true,
            ),
            ("emails_endpoint", place(&self.emails_endpoint, known.map(|one| one.emails)), false),
        ]
    }

    fn paths(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let single = [
            ("email_verified_claim", &self.email_verified_claim),
            ("groups_claim", &self.groups_claim),
            ("subject_claim", &self.subject_claim),
            ("username_claim", &self.username_claim),
        ];
        let single = single.into_iter().filter_map(|(member, path)| Some((member, path.as_ref()?)));
        single.chain(self.claims.values().map(|path| ("claims", path)))
    }
}

fn is_place(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}

/// Entra's issuers for several tenants, whose tokens name the tenant instead.
fn is_shared(issuer: &str) -> bool {
    ["/common/", "/organizations/", "/consumers/", "{tenantid}"]
        .iter()
        .any(|part| issuer.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{IdentityProvider, check};

    fn mistakes(text: &str) -> Vec<String> {
        let one: IdentityProvider = toml::from_str(text).expect("provider");
        let mut found = Vec::new();
        check(&[one], &mut found);
        found
            .into_iter()
            .map(|(path, _)| path.rsplit('.').next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn a_preset_needs_little() {
        for good in [
            "name = 'g'\npreset = 'google'\nclient_id = 'x'",
            "name = 'gh'\npreset = 'github'\nclient_id = 'x'",
            "name = 'gl'\npreset = 'gitlab'\nclient_id = 'x'",
            "name = 'o'\npreset = 'okta'\nissuer = 'https://acme.okta.com'\nclient_id = 'x'",
            "name = 'ms'\npreset = 'entra'\nissuer = 'https://login.microsoftonline.com/1234/v2.0'\nclient_id = 'x'",
        ] {
            assert!(mistakes(good).is_empty(), "{good}: {:?}", mistakes(good));
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        for (text, member) in [
            ("name = 'A b'\nissuer = 'https://x.example'", "name"),
            ("name = 'k'\npreset = 'keycloak'", "issuer"),
            ("name = 'k'\nissuer = 'x.example'", "issuer"),
            (
                "name = 'm'\npreset = 'entra'\nissuer = 'https://login.microsoftonline.com/common/v2.0'",
                "issuer",
            ),
            ("name = 'h'\npreset = 'github'\nissuer = 'https://github.com'", "issuer"),
            (
                "name = 'g'\npreset = 'google'\ntoken_endpoint = 'https://x.example'",
                "token_endpoint",
            ),
            ("name = 'g'\npreset = 'google'\ncreate = 'domains'", "create"),
            ("name = 'g'\npreset = 'google'\ndomains = ['@acme.example']", "domains"),
            (
                "name = 'g'\npreset = 'google'\nclient_key_file = 'k'\nclient_secret_file = 's'",
                "client_key_file",
            ),
            ("name = 'g'\npreset = 'google'\nclaims = { sub = 'x' }", "claims"),
            ("name = 'g'\npreset = 'google'\nclaims = { x = 'a..b' }", "claims"),
            ("name = 'g'\npreset = 'google'\ngroups = { a = 'b' }", "groups"),
            ("name = 'g'\npreset = 'google'\nclient_secret_env = 'SECRET'", "client_secret_env"),
        ] {
            let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
            let text = format!("{first}\nclient_id = 'x'\n{rest}");
            assert_eq!(mistakes(&text), [member], "{text}");
        }
        let places = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"];
        assert_eq!(mistakes("name = 'o'\npreset = 'oauth'\nclient_id = 'x'"), places);
    }
}
