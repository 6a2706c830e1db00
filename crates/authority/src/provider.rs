//! Identity providers that people sign in with: what is configured of each, and what it says of somebody.
//!
//! A protocol ends in [`Vouched`]; who that is here, [`admit`] decides, whatever the protocol was.

pub(crate) mod admit;
mod answer;
pub(crate) mod exchange;
pub(crate) mod logout;
pub(crate) mod mapping;
pub(crate) mod places;
pub mod preset;
pub(crate) mod trip;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use token::foreign::ClaimPath;
use token::key::PrivateKey;
use token::secret::Secret;
use token::time::Timestamp;
use url::Url;

/// Characters of a provider's name, which is part of addresses.
const MAX_NAME_CHARS: usize = 32;

/// An identity provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name here, which is part of addresses: letters of the lower case, digits and `-`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Who we are there.
    pub client_id: String,
    /// What proves it; without any, PKCE alone protects the code.
    pub client_auth: ClientAuth,
    /// What it is asked for, separated by spaces.
    pub scopes: String,
    /// Domains of the addresses of its people, in lower case.
    pub domains: Vec<String>,
    /// Whether the sign-in page offers it to everybody, not only to addresses of its domains.
    pub has_button: bool,
    /// Who gets an account that is there already.
    pub link: Linking,
    /// Who gets a new account.
    pub create: Creation,
    /// Whose word an address needs to count as its person's own.
    pub email_proof: EmailProof,
    /// Where the user name of a new account is.
    pub username: ClaimPath,
    /// Claims of people here, and where the provider has them; they are set at every sign-in.
    pub claims: Vec<(String, ClaimPath)>,
    /// Where groups are, and what they are called here.
    pub groups: Option<Groups>,
    /// Values of `acr` that are two factors.
    pub trust_acr: Vec<String>,
    /// Values of `amr` that are two factors.
    pub trust_amr: Vec<String>,
    /// Whether its tokens are kept.
    pub keep_tokens: bool,
}

/// What proves to a provider who we are.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// Nothing.
    None,
    /// A key that signs an assertion: `private_key_jwt` (OpenID Connect Core 1.0 §9, RFC 7523 §2.2).
    PrivateKey {
        /// The key.
        key: Arc<PrivateKey>,
        /// Whether the assertion is for the token endpoint, as some providers still want it. Else it is for the
        /// issuer, so that no server that lies about its endpoint can use it elsewhere (RFC 7523bis §4).
        for_endpoint: bool,
    },
    /// A secret, sent in the form or in a field as the provider wants it.
    Secret(Secret),
}

/// How a provider is spoken to.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// OAuth without ID tokens: whoever the access token opens the page about is it.
    OAuth(Box<OAuth>),
    /// OpenID Connect, by the issuer's metadata.
    OpenId {
        /// Its identifier, exactly as its tokens have it.
        issuer: String,
    },
}

/// The places of a provider without metadata.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Where people are sent (RFC 6749 §3.1).
    pub authorization_endpoint: Url,
    /// Where the code is redeemed (§3.2).
    pub token_endpoint: Url,
    /// Where it is said who somebody is.
    pub userinfo_endpoint: Url,
    /// Where their addresses are, as GitHub lists them.
    pub emails_endpoint: Option<Url>,
    /// Where the name is that never changes.
    pub subject: ClaimPath,
}

/// Who gets an account that is there already, besides those who connect it themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linking {
    /// Nobody.
    #[default]
    Never,
    /// Whoever has the account's address, when both sides have seen that it is theirs.
    VerifiedEmail,
}

/// Who gets a new account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Creation {
    /// Everybody whom the provider knows.
    Always,
    /// Whoever has an address of the provider's domains that is shown to be theirs.
    Domains,
    /// Nobody.
    #[default]
    Never,
}

/// Whose word an address needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailProof {
    /// The provider's, in this claim: `true`, as a boolean, a text or the number 1.
    Claim(ClaimPath),
    /// Google's for addresses that are Google's own: of Gmail, or of an organisation that has its mail there. Of
    /// others Google saw once that they were their person's, which may be long ago.
    Google,
    /// The provider's list of addresses.
    List,
}

/// Groups at the provider.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Where they are: a list, or one text.
    pub source: ClaimPath,
    /// What they are called here; empty: as they are there. Others are left out.
    pub names: BTreeMap<String, String>,
}

/// What a provider says of somebody, checked by the rules of its protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vouched {
    /// The provider's name here.
    pub(crate) provider: String,
    /// Its own identifier.
    pub(crate) issuer: String,
    /// Who it is there: never another one's, never changed.
    pub(crate) subject: String,
    /// The session there.
    pub(crate) session: Option<String>,
    /// The user name there.
    pub(crate) username: Option<String>,
    /// The name that others see.
    pub(crate) name: Option<String>,
    /// The address.
    pub(crate) email: Option<String>,
    /// Whether it is shown to be theirs.
    pub(crate) email_verified: bool,
    /// When they signed in there, where that is said.
    pub(crate) auth_time: Option<Timestamp>,
    /// Whether they showed two factors there, as far as that is trusted.
    pub(crate) is_sure: bool,
    /// Claims under the names that they have here.
    pub(crate) claims: Map<String, Value>,
    /// Tokens to be kept, as JSON.
    pub(crate) tokens: Option<String>,
}

// === impl Provider ===

impl Provider {
    /// What the provider calls itself: without metadata, where codes are redeemed.
    pub fn identifier(&self) -> &str {
        match &self.protocol {
            Protocol::OAuth(places) => places.token_endpoint.as_str(),
            Protocol::OpenId { issuer } => issuer,
        }
    }

    /// Whether somebody with this address is probably one of its people.
    pub fn has_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|known| known == domain)
    }

    /// Where the provider sends people back to, below the issuer.
    pub fn callback_path(&self) -> String {
        format!("/login/provider/{}", self.name)
    }

    /// Whether people can be sent there by plain HTTP, as to a machine of one's own.
    pub(crate) fn is_plain(&self) -> bool {
        match &self.protocol {
            Protocol::OAuth(places) => places.authorization_endpoint.scheme() == "http",
            Protocol::OpenId { issuer } => issuer.starts_with("http:"),
        }
    }
}

// === impl Vouched ===

impl Vouched {
    /// What people call it.
    pub(crate) fn label(&self) -> &str {
        let names = [&self.email, &self.username, &self.name];
        names.into_iter().flatten().next().unwrap_or(&self.subject)
    }
}

/// Whether a text can be a provider's name.
pub fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME_CHARS).contains(&text.len()) && text.bytes().all(good)
}
