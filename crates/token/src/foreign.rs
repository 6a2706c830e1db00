//! Access tokens of other issuers: each is held against the rules of its issuer, and then read as if it
//! were one of ours, under names that none of ours can have.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base64url;
use crate::claims::{AccessTokenClaims, Audience};
use crate::id::KeyId;
use crate::json;
use crate::jws::Jws;
use crate::key::KeySet;
use crate::opaque::OpaqueHash;
use crate::reason::Reason;
use crate::restriction::TokenFacts;
use crate::signature;
use crate::term::{Algorithm, token_type};
use crate::time::Timestamp;
use crate::validate::{self, Claimed, Missed, TokenRefused, VerifiedAccessToken, refuse_form};

use self::read::{Broken, Read};

pub mod claim;
mod read;

pub use self::claim::{ClaimPath, ScopeSource};

/// Stands between an issuer and a name that it gave. No name of ours has it.
pub const SEPARATOR: char = '|';

/// The longest name by which something can be taken back, in bytes.
pub const LONGEST_NAME: usize = 256;

/// The longest identifier of an issuer, in bytes: a hash still fits behind it.
pub const LONGEST_ISSUER: usize = 200;

/// Claims of other kinds of signed tokens: where any `typ` will do, they give an ID token away
/// (OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11) and a security event (RFC 8417 §2.2).
const NOT_OF_ACCESS_TOKENS: [&str; 4] = ["at_hash", "c_hash", "s_hash", "events"];

/// What the tokens of one other issuer have to be, and where they say what.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignRules {
    /// The issuer, compared exactly.
    pub issuer: Arc<String>,
    /// At least one of these must be an audience of the token.
    pub audiences: Vec<AcceptedAudience>,
    /// What may have signed it; empty for whatever its keys are for.
    pub algorithms: Vec<Algorithm>,
    /// Its `typ` has to be one of these.
    pub types: Vec<AcceptedType>,
    /// Where the scopes are: all that is found counts.
    pub scopes: Vec<ScopeSource>,
    /// Whom it speaks for; for the client itself when nothing is there.
    pub subject: ClaimPath,
    /// To whom it was issued: the first that is there counts.
    pub client: Vec<ClaimPath>,
    /// What has to be there besides.
    pub required: Vec<(ClaimPath, Value)>,
    /// From its issue to its end it may take no longer: so long what was taken back is remembered.
    pub longest_life: Duration,
    /// How far clocks may differ; at most 60 s are used.
    pub leeway: Duration,
}

/// An audience that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedAudience {
    /// As the token has it.
    pub named: String,
    /// Which audience it is here.
    pub stands_for: String,
}

/// A `typ` that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptedType {
    /// The header has none.
    Absent,
    /// This one, in lower case and without `application/` ([`crate::jws::normal_type`]).
    Named(String),
}

/// Why an answer to a question about a token is of no use.
#[derive(Debug)]
pub enum Unusable {
    /// It is no answer (RFC 7662 §2.2): the token may be good.
    Answer,
    /// It says that the token is not good, or not for us.
    Token(TokenRefused),
}

/// What an issuer's token is not.
enum Unmet {
    Rule(Broken),
    Missed(Missed),
}

/// The name that a name of another issuer has here: `https://issuer.example|alice`. One that would be too
/// long to be taken back by is its hash.
pub fn name(issuer: &str, text: &str) -> String {
    if issuer.len() + 1 + text.len() <= LONGEST_NAME {
        return format!("{issuer}{SEPARATOR}{text}");
    }
    by_hash(issuer, &OpaqueHash::of(text))
}

fn by_hash(issuer: &str, hash: &OpaqueHash) -> String {
    format!("{issuer}{SEPARATOR}sha256:{}", base64url::encode(hash.as_bytes()))
}

/// Whether a text has the form of a JWT, signed or encrypted, so that nobody has to be asked what it is.
pub fn is_jwt(text: &str) -> bool {
    let dots = text.bytes().filter(|byte| *byte == b'.').count();
    // `{"` in base64url.
    text.starts_with("ey") && matches!(dots, 1 | 2 | 4)
}

/// The issuer that a JWT names. It is only a claim: it chooses whose rules and keys the token is held
/// against.
pub fn claimed_issuer(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Names {
        iss: Option<String>,
    }
    let mut parts = text.splitn(3, '.').skip(1);
    let payload = base64url::decode(parts.next()?)?;
    json::parse::<Names>(&payload).ok()?.iss
}

/// Checks a JWT access token of another issuer: form, key, signature, algorithm, type, issuer, audience,
/// further claims, times.
///
/// # Errors
/// [`TokenRefused`] with the first rule broken, in that order.
pub fn verify_foreign(
    text: &str,
    keys: &KeySet,
    rules: &ForeignRules,
    now: Timestamp,
) -> Result<VerifiedAccessToken, TokenRefused> {
    let jws = Jws::parse(text).map_err(refuse_form)?;
    let refuse = |broken: Broken| rules.refuse(broken, jws.unverified_payload());
    signature::is_claimed(jws.header()).map_err(refuse)?;
    // Many issuers with one key leave its name out.
    let key = signature::verify_by_any_name(&jws, keys).map_err(refuse)?;
    if !rules.algorithms.is_empty() && !rules.algorithms.contains(&key.algorithm()) {
        return Err(refuse((Reason::Policy.into(), "the algorithm is not one of this issuer's")));
    }
    let typ = jws.header().typ.as_deref();
    let members = json::parse_object(jws.unverified_payload());
    let members =
        members.map_err(|_| refuse(malformed("the token's claims are no JSON object")))?;
    rules.check_type(typ, &members).map_err(refuse)?;
    let read = Read::of(&members, rules).map_err(refuse)?;
    if read.issuer != Some(&*rules.issuer) {
        return Err(refuse((Reason::WrongIssuer.into(), "the token is from another issuer")));
    }
    let kid = key.kid().as_str();
    let accepted = rules.accept(&read, &OpaqueHash::of(text), kid, jws.unverified_payload(), now);
    accepted.map_err(|unmet| rules.refuse(unmet, jws.unverified_payload()))
}

/// Reads what a token's own server says of it (RFC 7662 §2.2); `token` is the hash of its text.
///
/// # Errors
/// [`Unusable`] when the answer is none, or the token is not active, or breaks a rule.
pub fn read_introspection(
    answer: &[u8],
    token: &OpaqueHash,
    rules: &ForeignRules,
    now: Timestamp,
) -> Result<VerifiedAccessToken, Unusable> {
    let members = json::parse_object(answer).map_err(|_| Unusable::Answer)?;
    let refuse = |broken: Broken| Unusable::Token(rules.refuse(broken, answer));
    match members.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => {
            return Err(refuse((
                Reason::UnknownToken.into(),
                "the token is unknown, or has expired",
            )));
        }
        _ => return Err(Unusable::Answer),
    }
    // Refresh tokens are active too, and some servers say so.
    let kind = members.get("token_type").map(|kind| kind.as_str().unwrap_or_default());
    if kind.is_some_and(|kind| !["bearer", "dpop"].contains(&&*kind.to_ascii_lowercase())) {
        return Err(refuse((Reason::WrongType.into(), "the token is no access token")));
    }
    let read = Read::of(&members, rules).map_err(refuse)?;
    let bound = read.confirmation.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
    if !bound && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("dpop")) {
        // Taken as it is, it would be one for whoever bears it.
        return Err(refuse(malformed(
            "the token is bound to a key, and its issuer does not say which",
        )));
    }
    if read.issuer.is_some_and(|issuer| *issuer != **rules.issuer) {
        return Err(refuse((Reason::WrongIssuer.into(), "the token is from another issuer")));
    }
    let accepted = rules.accept(&read, token, "", answer, now);
    accepted.map_err(|unmet| Unusable::Token(rules.refuse(unmet, answer)))
}

fn malformed(words: &'static str) -> Broken {
    (Reason::Malformed.into(), words)
}

// === impl Unmet ===

impl From<Broken> for Unmet {
    fn from(broken: Broken) -> Self {
        Self::Rule(broken)
    }
}

impl From<Missed> for Unmet {
    fn from(missed: Missed) -> Self {
        Self::Missed(missed)
    }
}

// === impl ForeignRules ===

impl ForeignRules {
    fn check_type(&self, typ: Option<&str>, members: &Map<String, Value>) -> Result<(), Broken> {
        let wrong = |words| Err((Reason::WrongType.into(), words));
        let is = |accepted: &AcceptedType| match (accepted, typ) {
            (AcceptedType::Absent, None) => true,
            (AcceptedType::Named(named), Some(typ)) => named == typ,
            _ => false,
        };
        if !self.types.iter().any(is) {
            return wrong("the token's type is not one of its issuer's access tokens");
        }
        let says_so = typ == Some(token_type::ACCESS_TOKEN);
        if !says_so && NOT_OF_ACCESS_TOKENS.iter().any(|claim| members.contains_key(*claim)) {
            return wrong("the token is of another kind, such as an ID token");
        }
        Ok(())
    }

    /// Checks what was read, and makes it one of ours.
    fn accept(
        &self,
        read: &Read<'_>,
        hash: &OpaqueHash,
        kid: &str,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<VerifiedAccessToken, Unmet> {
        let leeway = self.leeway.min(Duration::from_secs(60));
        let audiences = self.audiences_of(read.audience.as_ref())?;
        if !self.required.iter().all(|(path, wanted)| read.has(path, wanted)) {
            let words = "a claim that is required is missing or differs";
            return Err(Unmet::Rule((Reason::Policy.into(), words)));
        }
        self.check_times(read, leeway, now)?;
        let token = match read.token {
            Some(token) => name(&self.issuer, token),
            // Many leave `jti` out; the hash names it as well.
            None => by_hash(&self.issuer, hash),
        };
        let facts = TokenFacts {
            token: token.as_str().into(),
            grant: None,
            session: read.session.map(|session| name(&self.issuer, session).as_str().into()),
            subject: name(&self.issuer, read.subject).as_str().into(),
            client: name(&self.issuer, read.client).as_str().into(),
            key: KeyId::from(name(&self.issuer, kid).as_str()),
            issued_at: Timestamp::from_secs(read.issued_at),
            foreign: Some(Arc::clone(&self.issuer)),
        };
        let claims = AccessTokenClaims {
            iss: self.issuer.to_string(),
            sub: facts.subject.clone(),
            aud: audiences,
            exp: read.expires_at,
            iat: read.issued_at,
            nbf: read.not_before,
            jti: facts.token.clone(),
            client_id: facts.client.clone(),
            scope: read.scope.clone(),
            auth_time: read.auth_time,
            acr: read.acr.map(str::to_owned),
            sid: facts.session.clone(),
            cnf: read.confirmation.clone().map(Box::new),
            // Names in these would be of the other issuer, and nobody here asks for them.
            act: None,
            may_act: None,
            authorization_details: Vec::new(),
            status: None,
            grant_id: None,
        };
        Ok(VerifiedAccessToken::assertion(claims, facts, leeway, payload))
    }

    /// Only what is accepted: another audience of the token opens nothing here.
    fn audiences_of(&self, audience: Option<&Audience>) -> Result<Audience, Missed> {
        let is_held = |named: &str| audience.is_some_and(|held| held.contains(named));
        let accepted = self.audiences.iter().filter(|one| is_held(&one.named));
        let mut stand_for: Vec<String> = accepted.map(|one| one.stands_for.clone()).collect();
        stand_for.sort_unstable();
        stand_for.dedup();
        if stand_for.is_empty() {
            let demanded = self.audiences.iter().map(|one| &one.named);
            return Err(Missed::audience(demanded, audience.into_iter().flat_map(Audience::iter)));
        }
        Ok(Audience::from(stand_for))
    }

    fn check_times(&self, read: &Read<'_>, leeway: Duration, now: Timestamp) -> Result<(), Unmet> {
        let starts = read.not_before.unwrap_or(read.issued_at).max(read.issued_at);
        validate::check_times(read.expires_at, starts, leeway, now)?;
        let (ends, issued) = (read.expires_at, read.issued_at);
        if Timestamp::from_secs(ends).since(Timestamp::from_secs(issued)) > self.longest_life {
            let words = "the token lives longer than it is remembered what was taken back";
            return Err(Unmet::Rule((Reason::Policy.into(), words)));
        }
        Ok(())
    }

    /// The refusal of a token with these claims.
    fn refuse(&self, unmet: impl Into<Unmet>, payload: &[u8]) -> TokenRefused {
        let claimed = self.claimed(payload);
        match unmet.into() {
            Unmet::Rule((refused, detail)) => {
                TokenRefused { refused, detail, claimed, missed: None }
            }
            Unmet::Missed(missed) => TokenRefused::missing(missed, claimed),
        }
    }

    /// What a refused token says of itself, under the names that it would have here.
    fn claimed(&self, payload: &[u8]) -> Claimed {
        let Claimed { subject, client, token } = Claimed::of(payload);
        let named = |text: Option<String>| text.map(|text| name(&self.issuer, &text));
        Claimed { subject: named(subject), client: named(client), token: named(token) }
    }
}

#[cfg(test)]
mod tests;
