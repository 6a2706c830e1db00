//! Issuer and resource → a check: where keys and restrictions come from, and what holds meanwhile.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gateway::guard::{Beside, Guard, GuardRule, Passed};
use gateway::problem::Kind;
use gateway::request_id::RequestId;
use gateway::{Access, RouteRule, SettingsError};
use http::Response;
use http::request::Parts;
use http_body::SizeHint;
use remote::keys::{Freshness, RemoteKeys, keep_fresh};
use remote::{Fetcher, issuer};
use token::explanation::Explainer;
use token::keyring::Keyring;
use token::status_list::Status;
use tokio::sync::watch;
use url::Url;

use crate::answer;
use crate::builder::{Builder, ClientAddress};
use crate::feed::Feed;
use crate::layer::RequireToken;
use crate::status::{Found, StatusLists};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What a place is called that has no rule of its own: it takes every path.
const EVERY_PATH: &str = "/{path...}";

/// Checks the tokens of one issuer for one resource. All clones are the same one.
#[derive(Clone)]
pub struct Verifier(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) guard: Guard,
    pub(crate) keys: OnceLock<Arc<RemoteKeys>>,
    pub(crate) lists: StatusLists,
    pub(crate) feed: Option<Arc<Feed>>,
    pub(crate) most_silence: Option<Duration>,
    pub(crate) client_address: Option<ClientAddress>,
    pub(crate) ready: watch::Sender<bool>,
    pub(crate) trouble: Mutex<String>,
}

/// Why a verifier has nothing to check with yet.
#[derive(Debug, thiserror::Error)]
#[error("not ready: {0}")]
pub struct NotReady(String);

// === impl Verifier ===

impl Verifier {
    /// A verifier for tokens of `issuer` for `resource`, the URL by which clients reach the service:
    /// it is the audience of its tokens, and its origin is what proofs of possession are made for.
    pub fn builder(issuer: impl Into<String>, resource: impl Into<String>) -> Builder {
        Builder::new(issuer.into(), resource.into())
    }

    /// A layer that lets requests through whose token has all of these scopes; none for any good
    /// token.
    ///
    /// # Errors
    /// [`SettingsError::BadScope`] for a text that is not one scope.
    pub fn require<S: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<RequireToken, SettingsError> {
        Ok(RequireToken::new(self.clone(), self.rule(scopes)?))
    }

    /// A layer for one place of the service, with whatever a rule of the gateway can demand. Of its path only the
    /// text counts: by it events, and limits of certain routes, call the place.
    ///
    /// # Errors
    /// [`SettingsError`] says what is wrong with the rule.
    pub fn require_rule(&self, rule: RouteRule) -> Result<RequireToken, SettingsError> {
        let rule = self.0.guard.place(&crate::builder::of_service(rule))?;
        Ok(RequireToken::new(self.clone(), rule))
    }

    /// A layer for a whole service, by the rules of [`Builder::route`]: a path without one is unknown, as at the
    /// gateway, and the protected resource metadata is answered.
    pub fn by_routes(&self) -> RequireToken {
        RequireToken::new(self.clone(), self.0.guard.routes())
    }

    /// Scopes as a rule for [`Verifier::check`].
    ///
    /// # Errors
    /// [`SettingsError::BadScope`] for a text that is not one scope.
    pub fn rule<S: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<GuardRule, SettingsError> {
        let scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned());
        let rule = RouteRule::new(EVERY_PATH, Access::scopes(scopes));
        self.0.guard.place(&crate::builder::of_service(rule))
    }

    /// Decides about one request; for services without tower. Its body is not looked at, and what its answer is to
    /// say of limits is with [`Passed::limits`].
    ///
    /// # Errors
    /// The answer for a request that is refused.
    pub async fn check(
        &self,
        head: &Parts,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Response<String>>> {
        self.admit(head, None, rule).await?.inspect_head(head)
    }

    /// Decides about one request by its head; `body` is what is known of how long it is.
    pub(crate) async fn admit(
        &self,
        head: &Parts,
        body: Option<SizeHint>,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Response<String>>> {
        let inner = &self.0;
        if let Some(why) = inner.cannot_check() {
            let id = inner.guard.name(head);
            return Err(Box::new(inner.named(answer::unavailable(why, &id), &id)));
        }
        let ip = inner.client_address.as_ref().and_then(|address| address(&head.extensions));
        let beside = Beside { ip, body };
        let stopped = match inner.guard.check(head, &beside, rule) {
            Ok(passed) => return inner.hold_against_list(passed).await,
            Err(stopped) => stopped,
        };
        // A key that is not known yet: the issuer may have begun to use it a moment ago.
        if let (Some(kid), Some(keys)) = (stopped.missing_key(), inner.keys.get()) {
            keys.look_for(kid).await;
            return match inner.guard.check_again(head, &beside, rule) {
                Ok(passed) => inner.hold_against_list(passed).await,
                Err(stopped) => Err(Box::new(stopped.into_answer())),
            };
        }
        Err(Box::new(stopped.into_answer()))
    }

    /// Tells the service what a request that was let through is called, in place of whatever stands there.
    pub(crate) fn name(&self, head: &mut Parts, passed: &Passed) {
        if let Some(field) = self.0.guard.name_field() {
            head.headers.insert(field, passed.request_id().value().clone());
        }
    }

    /// Who knows of the last requests why they were answered so, as many as [`Builder::explain`] says.
    pub fn explainer(&self) -> Arc<dyn Explainer> {
        self.0.guard.explainer()
    }

    /// Waits until there are keys and, for a subscriber, the whole restriction log.
    ///
    /// # Errors
    /// [`NotReady`] with what stood in the way, when `patience` is over.
    pub async fn ready(&self, patience: Duration) -> Result<(), NotReady> {
        let mut ready = self.0.ready.subscribe();
        let waited = tokio::time::timeout(patience, ready.wait_for(|ready| *ready)).await;
        match waited {
            Ok(_) => Ok(()),
            Err(_) => Err(NotReady(self.0.trouble().clone())),
        }
    }

    /// The protected resource metadata (RFC 9728 §2), to be served as JSON at
    /// `/.well-known/oauth-protected-resource`, where challenges point to.
    pub fn metadata(&self) -> Bytes {
        self.0.guard.metadata()
    }
}

// === impl Inner ===

impl Inner {
    fn trouble(&self) -> std::sync::MutexGuard<'_, String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cannot_check(&self) -> Option<&'static str> {
        if !self.guard.has_keys() {
            return Some("the issuer's keys are not known yet");
        }
        let (Some(feed), Some(most)) = (&self.feed, self.most_silence) else { return None };
        match feed.silence() {
            Some(silence) if silence <= most => None,
            _ => Some("it is not known which tokens were taken back"),
        }
    }

    /// The answer with the field that says what the request is called.
    fn named(&self, mut answer: Response<String>, id: &RequestId) -> Response<String> {
        if let Some(field) = self.guard.name_field() {
            answer.headers_mut().insert(field, id.value().clone());
        }
        answer
    }

    async fn hold_against_list(&self, passed: Passed) -> Result<Passed, Box<Response<String>>> {
        let reference = passed.token().and_then(|token| token.status().cloned());
        let Some(reference) = reference else { return Ok(passed) };
        let id = passed.request_id().clone();
        let answer = match self.lists.status(&reference).await {
            Found::Status(Status::Valid) => return Ok(passed),
            Found::Status(Status::Suspended) => {
                answer::invalid_token(Kind::Blocked, "the token is suspended", &id)
            }
            Found::Status(Status::Invalid | Status::Other(_)) => {
                answer::invalid_token(Kind::Revoked, "the token was revoked", &id)
            }
            Found::Unavailable => {
                answer::unavailable("it is not known whether the token was taken back", &id)
            }
        };
        let answer = self.named(answer, &id);
        passed.answered(answer.status());
        Err(Box::new(answer))
    }
}

/// What is done once in the background: finding the issuer's endpoints and its first keys.
pub(crate) struct Start {
    pub(crate) fetcher: Fetcher,
    pub(crate) issuer: String,
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) keyring: Arc<Keyring>,
}

// === impl Start ===

impl Start {
    pub(crate) async fn run(self, verifier: std::sync::Weak<Inner>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(inner) = verifier.upgrade() else { return };
            match self.find(inner.feed.is_some()).await {
                Ok((keys, log)) => {
                    let _ = inner.keys.set(Arc::clone(&keys));
                    if let (Some(feed), Some(endpoint)) = (&inner.feed, log) {
                        tokio::spawn(Arc::clone(feed).follow(endpoint));
                    }
                    drop(inner);
                    tokio::spawn(keep_fresh(keys));
                    return Self::tell_when_ready(verifier).await;
                }
                Err(trouble) => {
                    tracing::warn!(issuer = self.issuer, trouble, "no keys to check tokens with");
                    *inner.trouble() = trouble;
                }
            }
            drop(inner);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn find(&self, with_log: bool) -> Result<(Arc<RemoteKeys>, Option<Url>), String> {
        let (jwks_uri, log) = match &self.jwks_uri {
            Some(jwks_uri) if !with_log => (jwks_uri.clone(), None),
            known => {
                let found = issuer::discover(&self.fetcher, &self.issuer).await;
                let found = found.map_err(|error| error.to_string())?;
                let log = found.restrictions_endpoint;
                if with_log && log.is_none() {
                    return Err("the issuer has no restriction log to subscribe to".to_owned());
                }
                (known.clone().unwrap_or(found.jwks_uri), log)
            }
        };
        let (fetcher, keyring) = (self.fetcher.clone(), Arc::clone(&self.keyring));
        let keys = RemoteKeys::into_keyring(fetcher, jwks_uri, Freshness::default(), keyring);
        keys.refresh().await.map_err(|error| error.to_string())?;
        Ok((Arc::new(keys), log))
    }

    async fn tell_when_ready(verifier: std::sync::Weak<Inner>) {
        loop {
            let Some(inner) = verifier.upgrade() else { return };
            match inner.cannot_check() {
                None => {
                    inner.ready.send_replace(true);
                    return;
                }
                Some(why) => why.clone_into(&mut inner.trouble()),
            }
            drop(inner);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
