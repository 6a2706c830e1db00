//! The tower layer: what is behind it gets requests with a good token, and no others.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway::guard::GuardRule;
use gateway::problem::Form;
use gateway::{RequestBody, ResponseBody};
use http::{Request, Response};
use http_body::{Body, SizeHint};
use http_body_util::{Either, Full};
use tower::{Layer, Service};

use crate::verifier::Verifier;

/// Lets requests through whose token has certain scopes. Made by [`Verifier::require`].
#[derive(Clone)]
pub struct RequireToken {
    verifier: Verifier,
    rule: GuardRule,
}

/// A service behind [`RequireToken`]. A request that is let through has an
/// [`Authenticated`](crate::Authenticated) in its extensions, but on a public route. Its body ends early for the
/// reasons of [`StreamError`](gateway::StreamError), and so does the answer's.
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
    S: Service<Request<RequestBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin + Send + 'static,
    R: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin + Send + 'static,
{
    type Response = Response<Either<ResponseBody<R>, Full<Bytes>>>;
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
            let asked = Form::of(&head.headers);
            let size =
                if body.is_end_stream() { SizeHint::with_exact(0) } else { body.size_hint() };
            let checked = match verifier.admit(&head, Some(size), &rule).await {
                Ok(passed) => passed.inspect(&head, body).await,
                Err(answer) => Err(answer),
            };
            let (passed, body) = match checked {
                Ok(checked) => checked,
                Err(answer) => return Ok(own(asked.answer(*answer))),
            };
            if let Some(caller) = passed.authenticated() {
                head.extensions.insert(caller);
            }
            verifier.name(&mut head, &passed);
            let response = inner.call(Request::from_parts(head, body)).await?;
            Ok(match passed.respond(response) {
                Ok(response) => response.map(Either::Left),
                Err(answer) => own(asked.answer(*answer)),
            })
        })
    }
}

fn own<R>(answer: Response<String>) -> Response<Either<ResponseBody<R>, Full<Bytes>>> {
    answer.map(|text| Either::Right(Full::new(text.into())))
}
