//! The decision itself.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
};
use gateway::policy::Ruling;

use crate::entity::Members;
pub(crate) use crate::entity::named;
use crate::load::{self, Mistake, Source};

/// All policies, and what evaluates them.
pub struct Engine {
    authorizer: Authorizer,
    policies: PolicySet,
    /// Those that could not be evaluated, each of which is said once.
    said: Mutex<HashSet<String>>,
}

/// Who does what to what.
pub(crate) struct Case {
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) context: Members,
}

// === impl Engine ===

impl Engine {
    /// Reads all policies; with a schema they have to keep to it. `routes` are the gateway's, as
    /// `GET /orders/{id}`, or `/orders/{id}` for one with every method.
    ///
    /// # Errors
    /// Every [`Mistake`] that is in them, with file and line.
    pub fn new(
        sources: &[Source],
        schema: Option<&Source>,
        routes: &[String],
    ) -> Result<Self, Vec<Mistake>> {
        let policies = load::load(sources, schema, routes)?;
        Ok(Self { authorizer: Authorizer::new(), policies, said: Mutex::default() })
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.policies.policies().count()
    }

    /// Whether there are none, so that nothing is permitted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Decides. Whatever goes wrong is a refusal.
    pub(crate) fn rule(&self, case: Case, known: Entities, further: Vec<Entity>) -> Ruling {
        self.evaluate(case, known, further).unwrap_or_else(|what| self.refuse(&what))
    }

    /// What cannot be evaluated at all.
    pub(crate) fn refuse(&self, what: &str) -> Ruling {
        self.say_once("", what);
        Ruling::default()
    }

    fn evaluate(
        &self,
        case: Case,
        known: Entities,
        further: Vec<Entity>,
    ) -> Result<Ruling, String> {
        let Case { principal, action, resource, context } = case;
        let entities = known.add_entities(further, None).map_err(|error| error.to_string())?;
        let context = Context::from_pairs(context).map_err(|error| error.to_string())?;
        let request = Request::new(principal, action, resource, context, None)
            .map_err(|error| error.to_string())?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
        let diagnostics = response.diagnostics();
        let mut failed = Vec::new();
        for error in diagnostics.errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(of) = error;
            let name = of.policy_id().to_string();
            self.say_once(&name, &error.to_string());
            failed.push(name);
        }
        // Cedar leaves out what it cannot evaluate: a `forbid` would then be as if it were not there.
        let (allowed, mut policies) = match failed.is_empty() {
            true => {
                let decided = diagnostics.reason().map(ToString::to_string).collect();
                (response.decision() == Decision::Allow, decided)
            }
            false => (false, failed),
        };
        policies.sort_unstable();
        Ok(Ruling { allowed, policies })
    }

    fn say_once(&self, policy: &str, what: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(policy.to_owned()) {
            tracing::warn!(policy, what, "a policy cannot be evaluated; such requests are refused");
        }
    }
}

/// Entities of a principal, of which every request of it has the same.
pub(crate) fn entities(all: Vec<Entity>) -> Result<Entities, String> {
    Entities::from_entities(distinct(all), None).map_err(|error| error.to_string())
}

/// The same entity may come twice: as what is acted on and as a parent.
pub(crate) fn distinct(all: Vec<Entity>) -> Vec<Entity> {
    let mut seen = HashSet::new();
    // Those with members come after those that are there by name alone.
    all.into_iter().rev().filter(|entity| seen.insert(entity.uid())).collect()
}
