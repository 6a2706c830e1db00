//! Envoy's external authorization (`ext_authz` v3 over gRPC): the gateway's check, in Envoy's messages.
//!
//! The messages and what they stand on are heavy, and are nowhere else.

use std::sync::Arc;

use envoy_types::ext_authz::v3::pb::{
    Authorization, AuthorizationServer, CheckRequest, CheckResponse,
};
use gateway::checker::{Checker, Decision};
use http::{Request, Response};
use tower::Service as _;

mod request;
mod response;

pub use tonic::body::Body;

/// The only method of the service.
const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";
/// The fields of a request have at most 64 KiB at the proxy.
const LARGEST_MESSAGE: usize = 256 * 1024;

/// Answers proxies that ask by gRPC. All clones are the same one.
#[derive(Clone)]
pub struct ExtAuthz(AuthorizationServer<Door>);

struct Door(Checker);

// === impl ExtAuthz ===

impl ExtAuthz {
    /// Over this check.
    pub fn new(checker: Checker) -> Self {
        let server = AuthorizationServer::from_arc(Arc::new(Door(checker)));
        Self(server.max_decoding_message_size(LARGEST_MESSAGE))
    }

    /// Whether a request with this path is a call of the service.
    pub fn answers(path: &str) -> bool {
        path == PATH
    }

    /// Answers a proxy whose word is taken.
    pub async fn answer(&self, call: Request<wire::Incoming>) -> Response<Body> {
        match self.0.clone().call(call).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

// === impl Door ===

#[tonic::async_trait]
impl Authorization for Door {
    async fn check(
        &self,
        call: tonic::Request<CheckRequest>,
    ) -> Result<tonic::Response<CheckResponse>, tonic::Status> {
        let decision = match request::described(call.into_inner()) {
            Ok(described) => self.0.decide(&described).await,
            Err(wrong) => {
                let mut asking = Request::new(());
                *asking.uri_mut() = http::Uri::from_static(PATH);
                Decision::Refused(self.0.refuse(wrong, &asking.into_parts().0))
            }
        };
        Ok(tonic::Response::new(response::of(decision)))
    }
}
