//! Every refusal once: reason code, status, challenge (RFC 6750 §3) and words for the client.

mod class;
mod explained;
mod fault;

use std::sync::Arc;

use http::header::{ALLOW, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};
use token::honeytoken::Honeytokens;
use token::index::is_ahead;
use token::reason::Reason;
use token::restriction::{Proof, Restriction};

use crate::ask::Question;
use crate::bait::Bait;
use crate::framing::BadFraming;
use crate::headers::DPOP_NONCE;
use crate::limit::seconds;
use crate::present::Scheme;
use crate::problem::{Kind, Problem};
use crate::request_id::RequestId;
use crate::resource::Resource;
use crate::settings::Binding;
use crate::target::BadTarget;
use crate::verify::Known;

use class::Class;
pub(crate) use fault::Fault;

/// A request that goes no further: the rule broken, and whose token it was.
pub(crate) struct Refusal {
    fault: Fault,
    whose: Whose,
    scheme: Scheme,
    /// The restriction that refuses it, in words for whoever may know.
    restriction: Option<Box<str>>,
    /// Bait that came with it, for the watcher alone.
    bait: Option<Bait>,
}

/// Whose token came with a refused request.
pub(crate) enum Whose {
    /// Nobody's, as far as known.
    Nobody,
    /// It failed verification; what it says is only a claim.
    Claimed(Arc<Known>),
    /// It was verified.
    Verified(Arc<Known>),
}

// === impl Refusal ===

impl Refusal {
    /// For a token that was verified.
    pub(crate) fn of_verified(fault: Fault, known: Arc<Known>) -> Self {
        Self { whose: Whose::Verified(known), ..fault.into() }
    }

    /// For a token that was verified once and is good no longer.
    pub(crate) fn of_known(fault: Fault, known: Arc<Known>) -> Self {
        Self { whose: Whose::Claimed(known), ..fault.into() }
    }

    /// This restriction refuses it.
    pub(crate) fn by(self, row: &Restriction) -> Self {
        let place =
            if is_ahead(row.seq) { "being written".to_owned() } else { row.seq.to_string() };
        let words = format!("restriction {place}: {} {}", row.effect, row.selector);
        Self { restriction: Some(words.into()), ..self }
    }

    /// Bait came with it.
    pub(crate) fn with_bait(self, bait: Option<Bait>) -> Self {
        Self { bait, ..self }
    }

    pub(crate) fn bait(&self) -> Option<&Bait> {
        self.bait.as_ref()
    }

    pub(crate) fn restriction(&self) -> Option<&str> {
        self.restriction.as_deref()
    }

    /// The same, unless the token turns out to be bait: who shows bait is a thief also when it
    /// has expired or its key is gone.
    pub(crate) fn or_bait(self, honeytokens: &Honeytokens) -> Self {
        match (&self.fault, &self.whose) {
            (Fault::Token(refused), _) => match honeytokens.recognise(refused) {
                Some(bait) => Fault::Token(Arc::new(bait)).into(),
                None => self,
            },
            (_, Whose::Claimed(known)) if honeytokens.contains(&known.token.facts().token) => {
                Self::of_verified(Fault::Honeytoken, Arc::clone(known))
            }
            _ => self,
        }
    }

    /// The challenge is of the scheme that the client used; of `DPoP` where only that will do.
    pub(crate) fn told_by(self, scheme: Scheme) -> Self {
        match self.fault {
            Fault::Unbound(Reason::DpopMissing)
            | Fault::Bearer(Binding::Any)
            | Fault::Demanded(Proof::Dpop) => Self { scheme: Scheme::Dpop, ..self },
            Fault::NotBound => Self { scheme: Scheme::Bearer, ..self },
            _ => Self { scheme, ..self },
        }
    }

    /// Tells also what a token would need, where none came.
    pub(crate) fn with_scope(self, wanted: impl FnOnce() -> Option<Arc<str>>) -> Self {
        match self.fault {
            Fault::NoToken { .. } => Self { fault: Fault::NoToken { scope: wanted() }, ..self },
            _ => self,
        }
    }

    /// What has to be asked before it can be decided.
    ///
    /// # Errors
    /// The refusal itself, when it is decided.
    pub(crate) fn into_question(self) -> Result<Question, Self> {
        match self.fault {
            Fault::Ask(question) => Ok(*question),
            fault => Err(Self { fault, ..self }),
        }
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }

    pub(crate) fn whose(&self) -> &Whose {
        &self.whose
    }

    /// The answer's head and its body, to the request of this id.
    pub(crate) fn answer(&self, resource: &Resource, request: &RequestId) -> Response<String> {
        let class = self.fault.class();
        let description = self.fault.description();
        let (status, error) = (class.status(), class.error());
        let kind = Kind::from(&self.fault.refused());
        let mut response = Problem { status, error, kind, detail: &description }.answer(request);
        let headers = response.headers_mut();
        let scope = self.fault.scope().map(|scope| format!(", scope=\"{scope}\""));
        match class {
            Class::Unauthenticated => {
                for scheme in [Scheme::Bearer, Scheme::Dpop] {
                    let bare = resource.challenge(scheme);
                    let text = bare.to_str().ok().zip(scope.as_deref());
                    let scoped = text.map(|(bare, scope)| format!("{bare}{scope}").parse());
                    challenge(headers, scoped.and_then(Result::ok).unwrap_or_else(|| bare.clone()));
                }
                if let Some(basic) = resource.basic() {
                    challenge(headers, basic);
                }
            }
            Class::InvalidToken
            | Class::InsufficientScope
            | Class::InvalidProof
            | Class::StepUp
            | Class::UseNonce => {
                let step_up = self.fault.step_up();
                let text = format!(
                    "{}, error=\"{}\", error_description=\"{description}\"{}{step_up}",
                    resource.challenge(self.scheme).to_str().unwrap_or("Bearer"),
                    class.error(),
                    scope.unwrap_or_default(),
                );
                challenge(headers, HeaderValue::from_str(&text).unwrap_or_else(|_| bare()));
            }
            Class::BadRequest
            | Class::ContentTooLarge
            | Class::FieldsTooLarge
            | Class::Forbidden
            | Class::MethodNotAllowed
            | Class::NotFound
            | Class::RequestTimeout
            | Class::TooMany
            | Class::Unavailable
            | Class::UnsupportedMediaType
            | Class::UriTooLong => {}
        }
        if let Fault::Overloaded = &self.fault {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Fault::Limit(exceeded) = &self.fault {
            // A second at least: whoever comes back at once is in the way of all others.
            headers.insert(RETRY_AFTER, seconds(exceeded.retry_in).max(1).into());
            exceeded.told.write(headers);
        }
        if let Fault::Method { allow } = &self.fault {
            headers.insert(ALLOW, allow.clone());
        }
        if let Fault::Proof { nonce: Some(nonce), .. } = &self.fault
            && let Ok(nonce) = HeaderValue::from_str(nonce)
        {
            headers.insert(DPOP_NONCE, nonce);
        }
        if matches!(
            self.fault,
            Fault::ContentEncoding
                | Fault::Framing(_)
                | Fault::InspectionExcess(_)
                | Fault::RequestBody
        ) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, whose: Whose::Nobody, scheme: Scheme::Bearer, restriction: None, bait: None }
    }
}

impl From<BadTarget> for Refusal {
    fn from(fault: BadTarget) -> Self {
        Fault::Target(fault).into()
    }
}

impl From<BadFraming> for Refusal {
    fn from(fault: BadFraming) -> Self {
        Fault::Framing(fault).into()
    }
}

fn challenge(headers: &mut HeaderMap, value: HeaderValue) {
    headers.append(WWW_AUTHENTICATE, value);
}

fn bare() -> HeaderValue {
    HeaderValue::from_static("Bearer")
}

#[cfg(test)]
mod tests;
