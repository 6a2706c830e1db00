//! The tower layer: what is behind it gets requests with a good token, and no others.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway::guard::GuardRule;
use http::{Request, Response};
use http_body_util::{Either, Full};
use tower::{Layer, Service};

use crate::answer::in_form_of;
use crate::verifier::Verifier;

/// Lets requests through whose token has certain scopes. Made by [`Verifier::require`].
#[derive(Clone)]
pub struct RequireToken {
    verifier: Verifier,
    rule: GuardRule,
}

/// A service behind [`RequireToken`]. A request that is let through has an
/// [`Authenticated`](crate::Authenticated) in its extensions.
#[derive(Clone)]
pub struct TokenRequired<S> {
    inner: S,
    verifier: Verifier,
    rule: GuardRule,
}

// === impl RequireToken ===

impl RequireToken {
    pub(crate) fn new(verifier: Verifier, rule: GuardRule) -> Self {
        Self { verifier, rule }
    }
}

impl<S> Layer<S> for RequireToken {
    type Service = TokenRequired<S>;

    fn layer(&self, inner: S) -> TokenRequired<S> {
        TokenRequired { inner, verifier: self.verifier.clone(), rule: self.rule.clone() }
    }
}

// === impl TokenRequired ===

impl<S, B, R> Service<Request<B>> for TokenRequired<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Either<R, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes along; its copy has to become ready first.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let (verifier, rule) = (self.verifier.clone(), self.rule.clone());
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match verifier.check(&head, &rule).await {
                Ok(passed) => {
                    head.extensions.insert(passed.authenticated());
                    verifier.name(&mut head.headers, &passed);
                    let mut response = inner.call(Request::from_parts(head, body)).await?;
                    verifier.name(response.headers_mut(), &passed);
                    passed.answered(response.status());
                    Ok(response.map(Either::Left))
                }
                Err(answer) => Ok(in_form_of(&head.headers, *answer).map(Either::Right)),
            }
        })
    }
}
