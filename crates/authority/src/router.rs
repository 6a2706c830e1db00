//! Which path leads where.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{get, post};

use crate::endpoint::cors::{self, preflight};
use crate::endpoint::discovery::{metadata, unknown_path, wrong_method};
use crate::endpoint::form::MAX_BODY_BYTES;
use crate::endpoint::{
    account, approvals, authorize, bc_authorize, challenge, device, forgotten, global_revocation,
    introspect, jwks, leaks, link, login, logout, openapi, par, register, registration,
    restrictions, revoke, sign_up, signal_events, signal_poll, signals, status_list, token,
    userinfo,
};
use crate::paths::Paths;
use crate::register::policy::Policy;
use crate::state::Authority;

const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID_METADATA: &str = "/.well-known/openid-configuration";
/// Shared Signals Framework 1.0 §7.2.
const SSF_METADATA: &str = "/.well-known/ssf-configuration";

impl Authority {
    /// Every endpoint, under the issuer's path. The listener must put a
    /// [`crate::peer::PeerAddress`] into each request's extensions.
    pub fn router(&self) -> Router {
        let path = self.settings().issuer_path();
        let endpoints = endpoints(self.settings().registration.policy);
        let endpoints = endpoints.into_router().method_not_allowed_fallback(wrong_method);
        let router = if path.is_empty() {
            endpoints
        } else {
            Router::new().nest(path, endpoints).merge(metadata_beside(path))
        };
        router
            .fallback(unknown_path)
            .method_not_allowed_fallback(wrong_method)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self.clone())
    }
}

/// Every path below the issuer's.
pub(crate) fn endpoints(policy: Policy) -> Paths {
    // Where no token is needed, applications in browsers register as well.
    let (to_scripts, to_others) = match policy {
        Policy::Open | Policy::Statement => (registration(), Paths::default()),
        Policy::Off | Policy::Token => (Paths::default(), registration()),
    };
    open_endpoints()
        .merge(to_scripts)
        .map(|router| router.layer(map_response(cors::open)))
        .merge(to_others)
        .merge(closed_endpoints())
        .merge(authorize::routes())
        .merge(account::routes())
        .merge(approvals::routes())
        .merge(device::routes())
        .merge(forgotten::routes())
        .merge(link::routes())
        .merge(logout::routes())
        .merge(login::provider::routes())
        .merge(sign_up::routes())
}

/// Endpoints that applications in browsers call from their own origin.
fn open_endpoints() -> Paths {
    Paths::default()
        .route("/openapi.json", get(openapi::document).options(preflight))
        .route(OAUTH_METADATA, get(metadata).options(preflight))
        .route(OPENID_METADATA, get(metadata).options(preflight))
        .route("/.well-known/jwks.json", get(jwks::jwks).options(preflight))
        .route(SSF_METADATA, get(signals::metadata).options(preflight))
        .route("/token", post(token::token).options(preflight))
        .route("/par", post(par::par).options(preflight))
        .route("/revoke", post(revoke::revoke).options(preflight))
        .route("/status", get(status_list::lists).options(preflight))
        .route("/status/{list}", get(status_list::list).options(preflight))
        .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo).options(preflight))
}

fn registration() -> Paths {
    Paths::default().route("/register", post(register::register).options(preflight))
}

fn closed_endpoints() -> Paths {
    Paths::default()
        .route("/bc-authorize", post(bc_authorize::ask))
        .route("/challenge", post(challenge::challenge))
        .route("/device_authorization", post(device::start))
        .route("/global-token-revocation", post(global_revocation::revoke))
        .route("/introspect", post(introspect::introspect))
        .route("/leaks/github", post(leaks::github))
        .route(
            "/register/{client_id}",
            get(registration::show).put(registration::replace).delete(registration::remove),
        )
        .route("/ssf/events", post(signal_events::push))
        .route("/ssf/poll/{stream}", post(signal_poll::poll))
        .route("/restrictions", post(restrictions::restrictions))
}

/// RFC 8414 §3.1 puts the issuer's path behind the well-known name.
fn metadata_beside(path: &str) -> Router<Authority> {
    Router::new()
        .route(&format!("{OAUTH_METADATA}{path}"), get(metadata).options(preflight))
        .route(&format!("{OPENID_METADATA}{path}"), get(metadata).options(preflight))
        .route(&format!("{SSF_METADATA}{path}"), get(signals::metadata).options(preflight))
        .layer(map_response(cors::open))
}
