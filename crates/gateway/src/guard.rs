//! The door without a gateway: the same check inside another service, which answers by itself.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Response, StatusCode};
use token::reason::{Forgery, Refused};
use token::scope::is_scope_token;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::admit::clear;
use crate::check::check_token;
use crate::core::Core;
use crate::meters::Outcome;
use crate::observe::{Arrival, Observation};
use crate::permit::allows;
use crate::present::present;
use crate::refusal::Refusal;
use crate::request_id::RequestId;
use crate::route::{Demand, OneOf};
use crate::settings::SettingsError;
use crate::step::{Door, Step};
use crate::target::Target;
use crate::verify::{Known, named_key};

/// Checks requests that somebody else serves. All clones are the same one.
#[derive(Clone)]
pub struct Guard(Arc<Core>);

/// What one place of a service demands.
#[derive(Clone)]
pub struct GuardRule(Arc<Demand>);

/// A request that was let through; its event is emitted when this is dropped.
pub struct Passed {
    known: Arc<Known>,
    seen: Box<Observation>,
}

/// Who sent a request that was let through: its token.
#[derive(Clone)]
pub struct Authenticated(Arc<Known>);

/// A request that was not, with the answer for it.
pub struct Stopped {
    refused: Refused,
    missing_key: Option<String>,
    answer: Response<String>,
}

// === impl Guard ===

impl Guard {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// A rule: a good token for this resource, with all of these scopes.
    ///
    /// # Errors
    /// [`SettingsError::BadScope`] for a text that is not one scope.
    pub fn rule<S: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<GuardRule, SettingsError> {
        let scopes: Vec<String> =
            scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        if let Some(scope) = scopes.iter().find(|scope| !is_scope_token(scope)) {
            let (path, scope) = ("(layer)".to_owned(), scope.clone());
            return Err(SettingsError::BadScope { path, scope });
        }
        let audiences = self.0.verifier.policy.audiences.as_slice().into();
        let scope_text = scopes.join(" ").into();
        let scopes = scopes.iter().map(|scope| OneOf::new(scope, &self.0.ladder)).collect();
        Ok(GuardRule(Arc::new(Demand::Token { scopes, audiences, scope_text, further: None })))
    }

    /// Decides about one request; `ip` is the client's address where it is known. Nobody is asked: a token
    /// of another issuer passes by the keys that are there.
    ///
    /// # Errors
    /// [`Stopped`] with the first rule broken, in the order of the gateway's steps.
    pub fn check(
        &self,
        head: &Parts,
        ip: Option<IpAddr>,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Stopped>> {
        self.judge(head, ip, rule, false)
    }

    fn judge(
        &self,
        head: &Parts,
        ip: Option<IpAddr>,
        rule: &GuardRule,
        again: bool,
    ) -> Result<Passed, Box<Stopped>> {
        let core = &self.0;
        let now = core.clock.now();
        let named = core.answers.names_of_callers();
        let mut seen = Observation::start(
            core,
            head,
            Arrival { door: Door::Layer, ip, ja4: None, at: now, named },
        );
        match self.decide(head, ip, rule, now, &mut seen) {
            Ok(known) => {
                seen.admitted(Some(&known));
                Ok(Passed { known, seen })
            }
            Err(refusal) => {
                let refused = refusal.fault().refused();
                let unknown = refused == Refused::Forged(Forgery::UnknownKey);
                let missing_key = if unknown { presented_key(core, head) } else { None };
                let mut answer = refusal.answer(&core.resource, seen.id());
                core.answers.write_name(answer.headers_mut(), seen.id());
                // Who will be asked again is seen then.
                if missing_key.is_some() && !again {
                    seen.forget();
                } else {
                    seen.refused(&refusal);
                    seen.answered(answer.status(), Outcome::Answered);
                }
                Err(Box::new(Stopped { refused, missing_key, answer }))
            }
        }
    }

    fn decide(
        &self,
        head: &Parts,
        ip: Option<IpAddr>,
        rule: &GuardRule,
        now: Timestamp,
        seen: &mut Observation,
    ) -> Result<Arc<Known>, Refusal> {
        let core = &self.0;
        if let Some(ip) = ip {
            clear(ip, &core.index, now)?;
        }
        seen.at(Step::Target);
        let target = Target::parse(&head.method, &head.uri, &head.headers, head.version)?;
        seen.target(&target);
        seen.at(Step::Present);
        let presented = present(&head.headers, head.extensions.get(), &target, &core.credentials)?;
        seen.token_presented(presented.kind());
        check_token(core, &presented, None, head, &target, now, seen)
            .and_then(|token| {
                seen.at(Step::Permit);
                allows(token, &rule.0, presented.kind(), now)
            })
            .map_err(|refusal| refusal.told_by(presented.scheme()))
    }

    /// The same for a request that was stopped for a key that was missing: now it is seen, however it
    /// ends.
    ///
    /// # Errors
    /// [`Stopped`] as [`Guard::check`].
    pub fn check_again(
        &self,
        head: &Parts,
        ip: Option<IpAddr>,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Stopped>> {
        self.judge(head, ip, rule, true)
    }

    /// What a request is called of which nothing else is looked at.
    pub fn name(&self, head: &Parts) -> RequestId {
        let answers = &self.0.answers;
        answers.name(&head.headers, answers.names_of_callers(), self.0.clock.now())
    }

    /// The field that names a request, if there is one.
    pub fn name_field(&self) -> Option<&HeaderName> {
        self.0.answers.field()
    }

    /// The protected resource metadata (RFC 9728 §2), JSON.
    pub fn metadata(&self) -> Bytes {
        self.0.resource.document().clone()
    }

    /// Whether keys are there to check with.
    pub fn has_keys(&self) -> bool {
        !self.0.verifier.keyring.current().is_empty()
    }
}

/// The key that the presented token names.
fn presented_key(core: &Core, head: &Parts) -> Option<String> {
    let target = Target::parse(&head.method, &head.uri, &head.headers, head.version).ok()?;
    let presented = present(&head.headers, None, &target, &core.credentials).ok()?;
    named_key(presented.text())
}

// === impl Passed ===

impl Passed {
    /// Who sent it, for whoever answers it.
    pub fn authenticated(&self) -> Authenticated {
        Authenticated(Arc::clone(&self.known))
    }

    /// What the request is called.
    pub fn request_id(&self) -> &RequestId {
        self.seen.id()
    }

    /// The token.
    pub fn token(&self) -> &VerifiedAccessToken {
        &self.known.token
    }

    /// The service has answered so.
    pub fn answered(mut self, status: StatusCode) {
        self.seen.answered(status, Outcome::Forwarded);
    }
}

// === impl Authenticated ===

impl Authenticated {
    /// The token.
    pub fn token(&self) -> &VerifiedAccessToken {
        &self.0.token
    }
}

// === impl Stopped ===

impl Stopped {
    /// Why.
    pub fn refused(&self) -> &Refused {
        &self.refused
    }

    /// The name of the key that the token was signed with, if that is all that is missing: a newer
    /// key set may have it.
    pub fn missing_key(&self) -> Option<&str> {
        self.missing_key.as_deref()
    }

    /// The answer to send.
    pub fn into_answer(self) -> Response<String> {
        self.answer
    }
}
