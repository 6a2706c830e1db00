//! What a person signs in for, through all the forms of a sign-in.

use axum::response::Response;
use http::StatusCode;
use store::{Client, User};

use super::errand::Errand;
use super::onward;
use crate::endpoint::authorize::refusal::{AuthorizeRefused, Refused};
use crate::endpoint::authorize::{self, Evaluated, Request};
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done, login};
use crate::login::session;
use crate::page::done::Done;
use crate::provider::exchange::Wanted;
use crate::rule::fresh::Fresh;
use crate::rule::max_age::MaxAge;
use crate::rule::mfa::Demanded;

/// What a form brings back.
pub(crate) enum Matter {
    /// A page of ours.
    Errand(Errand),
    /// An application's request.
    Request(Box<(Request, Evaluated)>),
}

/// What a person signs in for.
#[derive(Clone, Copy)]
pub(crate) enum Behind<'a> {
    /// A page of ours.
    Errand(&'a Errand),
    /// An application's request.
    Request(&'a Request, &'a Evaluated),
}

// === impl Matter ===

impl Matter {
    /// Reads it; a request is judged anew.
    pub(crate) async fn read(visit: &Visit, text: &str) -> Result<Self, Refused> {
        if let Some(errand) = Errand::read(text) {
            return Ok(Self::Errand(errand));
        }
        let request = Request::read(visit, text).await?;
        let evaluated = authorize::evaluate(visit, &request).await?;
        Ok(Self::Request(Box::new((request, evaluated))))
    }

    /// The same, borrowed.
    pub(crate) fn behind(&self) -> Behind<'_> {
        match self {
            Self::Errand(errand) => Behind::Errand(errand),
            Self::Request(both) => Behind::Request(&both.0, &both.1),
        }
    }
}

// === impl Behind ===

impl<'a> Behind<'a> {
    /// What the form brings back.
    pub(crate) fn text(self) -> &'a str {
        match self {
            Self::Errand(errand) => errand.text(),
            Self::Request(request, _) => &request.text,
        }
    }

    /// Whose request it is.
    pub(crate) fn client(self) -> Option<&'a Client> {
        match self {
            Self::Errand(_) => None,
            Self::Request(_, evaluated) => Some(&evaluated.client),
        }
    }

    /// Where it leads in the end, when that is not to a page of ours.
    pub(crate) fn return_to(self) -> Option<&'a str> {
        match self {
            Self::Errand(_) => None,
            Self::Request(_, evaluated) => Some(evaluated.return_to.uri()),
        }
    }

    /// Whether more than a password is demanded for it.
    pub(crate) fn demanded(self) -> Demanded {
        match self {
            Self::Errand(errand) => errand.demanded(),
            Self::Request(_, evaluated) => evaluated.demand.mfa,
        }
    }

    /// What is asked of a provider that somebody signs in with.
    pub(crate) fn wanted(self) -> Wanted {
        match self {
            Self::Errand(errand) => {
                let max_age = errand.is_sensitive().then_some(session::RECENT);
                Wanted { fresh: Fresh { max_age, ..Fresh::default() }, ..Wanted::default() }
            }
            Self::Request(_, evaluated) => {
                let demand = &evaluated.demand;
                let max_age = demand.max_age.map(MaxAge::duration);
                Wanted {
                    // The application is told when it was.
                    fresh: Fresh { max_age, anew: demand.prompt.login, strictly: true },
                    two_factors: demand.mfa != Demanded::default(),
                    hint: demand.login_hint.clone(),
                }
            }
        }
    }

    /// Where what was begun goes on. A password that was just shown fulfils what the request asked of the
    /// time of the sign-in.
    pub(crate) fn onward(self, visit: &Visit, password_shown: bool) -> String {
        let settings = visit.authority.settings();
        match self {
            Self::Errand(errand) => errand.url(settings),
            Self::Request(request, _) if password_shown => {
                let path = settings.path("/authorize");
                format!("{path}?{}", onward::after_sign_in(&request.text))
            }
            Self::Request(request, _) => request.url(visit),
        }
    }

    /// The end, when the person does not want to sign in.
    pub(crate) fn cancelled(self, visit: &Visit) -> Response {
        match self {
            Self::Errand(_) => done::answer(visit, Done::NothingChanged),
            Self::Request(_, evaluated) => {
                authorize::refuse(visit, evaluated, None, &AuthorizeRefused::Denied)
            }
        }
    }

    /// The end, when a second factor is demanded and this person may not set one up here.
    pub(crate) fn unreachable(self, visit: &Visit, person: &User) -> Response {
        match self {
            Self::Errand(_) => {
                let username = person.username.clone();
                let page = login::page(visit, self, login::Notice::NoFactor { username });
                visit.with_browser_cookie(document::page(StatusCode::FORBIDDEN, page))
            }
            Self::Request(_, evaluated) => {
                authorize::refuse(visit, evaluated, None, &AuthorizeRefused::FactorMissing)
            }
        }
    }
}
