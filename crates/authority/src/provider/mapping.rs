//! What a provider's claims are here: user name, address, groups, and whatever else is configured.

use mail::Address;
use serde_json::{Map, Value, json};
use token::time::Timestamp;

use super::{EmailProof, Provider, Vouched};
use crate::person;
use crate::person_claims;

/// Google's own domain of addresses.
const GMAIL: &str = "gmail.com";
/// The claim that groups become.
const GROUPS: &str = "groups";

/// What a protocol has found out about the sign-in itself.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    pub(crate) subject: String,
    pub(crate) session: Option<String>,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Vec<String>,
    /// The address of a list, and whether it is shown to be theirs.
    pub(crate) listed: Option<(String, bool)>,
    pub(crate) tokens: Option<String>,
}

// === impl Provider ===

impl Provider {
    /// Reads claims, which the protocol has checked.
    pub(crate) fn vouched(&self, claims: &Map<String, Value>, sign_in: SignIn) -> Vouched {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let (email, email_verified) = match (&self.email_proof, sign_in.listed) {
            (EmailProof::List, listed) => listed.unzip(),
            _ => (text("email"), Some(self.is_proven(claims))),
        };
        let email = email.filter(|email| Address::parse(email).is_ok());
        let is_sure = sign_in.acr.as_ref().is_some_and(|acr| self.trust_acr.contains(acr))
            || sign_in.amr.iter().any(|method| self.trust_amr.contains(method));
        let name = text("name").filter(|name| person::check_name(Some(name)).is_ok());
        Vouched {
            provider: self.name.clone(),
            issuer: self.identifier().to_owned(),
            subject: sign_in.subject,
            session: sign_in.session,
            username: self.username.text(claims).map(str::to_owned),
            name,
            email_verified: email.is_some() && email_verified.unwrap_or(false),
            email,
            auth_time: sign_in.auth_time,
            is_sure,
            claims: self.mapped(claims),
            tokens: sign_in.tokens,
        }
    }

    /// Whether the claims hold all that is read of them, so that nothing needs to be asked for.
    pub(crate) fn is_complete(&self, claims: &Map<String, Value>) -> bool {
        let has = |path: &token::foreign::ClaimPath| path.find(claims).is_some();
        let asks_for_address = self.scopes.split(' ').any(|scope| scope == "email");
        (claims.contains_key("email") || !asks_for_address)
            && has(&self.username)
            && self.claims.iter().all(|(_, path)| has(path))
            && self.groups.as_ref().is_none_or(|groups| has(&groups.source))
    }

    fn is_proven(&self, claims: &Map<String, Value>) -> bool {
        match &self.email_proof {
            EmailProof::Claim(path) => path.find(claims).is_some_and(is_true),
            EmailProof::Google => {
                let email = claims.get("email").and_then(Value::as_str).unwrap_or_default();
                let domain = Address::parse(email).map(|address| address.domain());
                let is_own = domain.is_ok_and(|domain| domain == GMAIL)
                    || claims.get("hd").is_some_and(Value::is_string);
                is_own && claims.get("email_verified").is_some_and(is_true)
            }
            EmailProof::List => false,
        }
    }

    /// Claims under their names here; those that are not there are left out, and so is what a claim of that
    /// name cannot be.
    fn mapped(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        let mut mapped = Map::new();
        let found = self.claims.iter().filter_map(|(name, path)| Some((name, path.find(claims)?)));
        let groups = self.groups.as_ref().map(|_| (GROUPS.to_owned(), self.groups_of(claims)));
        let found = found.map(|(name, value)| (name.clone(), value.clone())).chain(groups);
        for (name, value) in found {
            let one = Map::from_iter([(name.clone(), value.clone())]);
            match person_claims::check(&one) {
                Ok(()) => {
                    mapped.insert(name, value);
                }
                Err(refused) => {
                    tracing::warn!(provider = self.name, %refused, "a claim of a provider is left out");
                }
            }
        }
        mapped
    }

    fn groups_of(&self, claims: &Map<String, Value>) -> Value {
        let Some(groups) = &self.groups else { return json!([]) };
        let found = match groups.source.find(claims) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let named = |there: &&str| match groups.names.is_empty() {
            true => Some((*there).to_owned()),
            false => groups.names.get(*there).cloned(),
        };
        json!(found.iter().filter_map(named).collect::<Vec<String>>())
    }
}

/// Providers write it as a boolean, a text, or a number.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => text == "true" || text == "1",
        Value::Number(number) => number.as_i64() == Some(1),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
