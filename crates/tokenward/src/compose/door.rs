//! From a listener's request to the room that answers it.

use authority::peer::PeerAddress;
use axum::Router;
use axum::body::Body;
use gateway::{Peer, ResponseBody, Worker};
use http::{Request, Response};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use crate::listen::{Connection, Handler};

/// Authority and admin API.
#[derive(Clone)]
pub(crate) struct ControlDoor(Router);

/// The gateway, on one of its threads.
#[derive(Clone)]
pub(super) struct GatewayDoor(Worker);

// === impl ControlDoor ===

impl ControlDoor {
    pub(crate) fn new(router: Router) -> Self {
        Self(router)
    }
}

impl Handler for ControlDoor {
    type Body = Body;

    async fn handle(&self, request: Request<Incoming>, connection: Connection) -> Response<Body> {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(PeerAddress(connection.address));
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

// === impl GatewayDoor ===

impl GatewayDoor {
    pub(super) fn new(worker: Worker) -> Self {
        Self(worker)
    }
}

impl Handler for GatewayDoor {
    type Body = ResponseBody;

    async fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> Response<ResponseBody> {
        self.0.handle(request, Peer { address: connection.address, tls: connection.tls }).await
    }
}
