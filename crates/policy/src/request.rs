//! A request at the gateway, as policies see it.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy::{Entities, EntityUid, RestrictedExpression};
use gateway::policy::{Policies, Principal, Question, Ruling};
use serde_json::Value;
use token::event::TokenKind;
use token::foreign;
use token::scope::ScopeSet;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::engine::{Case, Engine, entities, named};
use crate::entity::{ACTION, CLIENT, GROUP, Members, ROUTE, USER, entity};
use crate::value::possible_members;

/// The claim with the groups of a person.
pub(crate) const GROUPS: &str = "groups";
/// Claims that say what a token allowed when it was issued: since then it may have been narrowed.
const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// What is made of a token once: it is the same for all of its requests.
struct Prepared(Result<(EntityUid, Arc<Entities>), String>);

impl Policies for Engine {
    fn principal(&self, token: &VerifiedAccessToken, scopes: &ScopeSet) -> Principal {
        Principal::new(Prepared(principal(token, scopes)))
    }

    fn decide(&self, asked: &Question<'_>) -> Ruling {
        let known = match asked.principal.get() {
            Some(Prepared(Ok(known))) => known,
            Some(Prepared(Err(what))) => return self.refuse(what),
            None => return self.refuse("the principal is not of these policies"),
        };
        match request(asked, known.0.clone()) {
            Ok((case, further)) => self.rule(case, Entities::clone(&known.1), further),
            Err(what) => self.refuse(&what),
        }
    }
}

fn principal(
    token: &VerifiedAccessToken,
    scopes: &ScopeSet,
) -> Result<(EntityUid, Arc<Entities>), String> {
    let facts = token.facts();
    let (subject, client) = (facts.subject.as_str(), facts.client.as_str());
    let kind = if subject == client { CLIENT } else { USER };
    let uid = named(kind, subject).map_err(|error| error.to_string())?;
    let own = token.members().ok_or("the claims of the token are not at hand");
    let mut own = own?.clone();
    SCOPE_CLAIMS.iter().for_each(|claim| drop(own.remove(*claim)));
    let record = RestrictedExpression::new_record(possible_members(&own));
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let mut members: Members = vec![
        ("subject".to_owned(), text(subject)),
        ("client".to_owned(), text(client)),
        ("issuer".to_owned(), text(token.issuer())),
        ("scopes".to_owned(), RestrictedExpression::new_set(scopes.iter().map(text))),
        ("claims".to_owned(), record.map_err(|error| error.to_string())?),
    ];
    members.extend(token.acr().map(|acr| ("acr".to_owned(), text(acr))));
    let signed_in = token.auth_time().map(|at| time(Timestamp::from_secs(at)));
    members.extend(signed_in.map(|at| ("auth_time".to_owned(), at)));
    let parents = groups(own.get(GROUPS), facts.foreign.as_ref().map(|issuer| issuer.as_str()));
    let all = entity(uid.clone(), members, parents.collect())?;
    Ok((uid, Arc::new(entities(all)?)))
}

/// The groups, under the names that they have here: those of another issuer begin with it.
fn groups<'v>(
    claim: Option<&'v Value>,
    issuer: Option<&'v str>,
) -> impl Iterator<Item = EntityUid> + 'v {
    let many = claim.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    many.iter().filter_map(Value::as_str).filter_map(move |group| {
        let name = issuer.map(|issuer| foreign::name(issuer, group));
        named(GROUP, name.as_deref().unwrap_or(group)).ok()
    })
}

/// Who does what to what, and the entities that are of this request alone.
fn request(
    asked: &Question<'_>,
    principal: EntityUid,
) -> Result<(Case, Vec<cedar_policy::Entity>), String> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let uid = |kind, id: &str| named(kind, id).map_err(|error| error.to_string());
    let method = asked.method.as_str();
    let action = uid(ACTION, &format!("{method} {}", asked.route))?;
    let resource = uid(ROUTE, asked.route)?;
    let values = asked.parameters.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
    let parameters = RestrictedExpression::new_record(values).map_err(|error| error.to_string())?;
    let of_route: Members = vec![
        ("host".to_owned(), text(asked.host)),
        ("path".to_owned(), text(asked.path)),
        ("parameters".to_owned(), parameters),
        ("upstream".to_owned(), text(asked.upstream)),
    ];
    let mut further = entity(action.clone(), Vec::new(), HashSet::from([uid(ACTION, method)?]))?;
    further.extend(entity(resource.clone(), of_route, HashSet::new())?);
    let mut context = vec![
        ("ip".to_owned(), RestrictedExpression::new_ip(asked.ip.to_string())),
        ("now".to_owned(), time(asked.now)),
        ("token_kind".to_owned(), text(kind(asked.kind))),
        ("bound".to_owned(), RestrictedExpression::new_bool(asked.bound)),
    ];
    // Absent where they are not known: a policy that needs them then refuses.
    let country = asked.place.country.map(|country| text(&country.to_string()));
    context.extend(country.map(|country| ("country".to_owned(), country)));
    let asn = asked.place.asn.map(|asn| RestrictedExpression::new_long(asn.into()));
    context.extend(asn.map(|asn| ("asn".to_owned(), asn)));
    Ok((Case { principal, action, resource, context }, further))
}

/// A time, as Cedar reads one.
fn time(at: Timestamp) -> RestrictedExpression {
    RestrictedExpression::new_datetime(at.to_string())
}

/// The word of events.
fn kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::ApiKey => "api_key",
        TokenKind::Jwt => "jwt",
        TokenKind::None => "none",
        TokenKind::Opaque => "opaque",
        TokenKind::Pat => "pat",
        TokenKind::Session => "session",
    }
}
