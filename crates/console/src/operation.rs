//! The one table of operations: what is routed is what is described.

use axum::Router;
use axum::routing::{delete, get, patch, post, put};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::Console;
use crate::endpoint::{
    audit, clients, configuration, deliveries, factors, findings, health, honeytokens, identities,
    incidents, invitations, keys, mailbox, outlets, personal_tokens, requests, restrictions,
    tokens, tolerances, users,
};
use crate::problem::Problem;

macro_rules! operations {
    ($($method:ident $path:literal $room:ident::$handler:ident;)*) => {
        /// Every operation, below `/api/v1`.
        pub(crate) fn routes() -> Router<Console> {
            Router::new()$(.route($path, $method($room::$handler)))*
        }

        /// Method and path of every operation.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "Tokenward admin API",
                description = "Clients, people, invitations, letters, tokens, requests, restrictions, findings, whom \
                    they are told, keys and configuration. \
                    Every operation takes an access token of this Tokenward: reading needs the \
                    scope `tokenward:read` or `tokenward:admin`, changing `tokenward:admin`. \
                    Every refusal is a problem document (RFC 9457). Lists come in pages: `next` \
                    is what to give as `after` or `before` for the next one.",
            ),
            servers((url = "/api/v1")),
            paths($($room::$handler),*),
            components(schemas(Problem)),
            security(("access_token" = [])),
            modifiers(&Refusals)
        )]
        struct Document;
    };
}

operations! {
    get "/audit" audit::list;
    get "/clients" clients::list;
    post "/clients" clients::create;
    get "/clients/{client_id}" clients::show;
    patch "/clients/{client_id}" clients::update;
    delete "/clients/{client_id}" clients::remove;
    post "/clients/{client_id}/secret" clients::replace_secret;
    get "/config" configuration::show;
    post "/config/reload" configuration::reload;
    get "/deliveries" deliveries::list;
    delete "/deliveries/{id}" deliveries::remove;
    post "/deliveries/{id}/retry" deliveries::retry;
    get "/findings" findings::list;
    get "/findings/{id}" findings::show;
    post "/findings/{id}/feedback" findings::judge;
    post "/findings/{id}/undo" findings::undo;
    get "/health" health::show;
    get "/honeytokens" honeytokens::list;
    post "/honeytokens" honeytokens::create;
    get "/invitations" invitations::list;
    post "/invitations" invitations::create;
    delete "/invitations/{id}" invitations::remove;
    get "/incidents" incidents::list;
    get "/incidents/{id}" incidents::show;
    post "/incidents/{id}/undo" incidents::undo;
    get "/keys" keys::list;
    post "/keys/rotate" keys::rotate;
    get "/mailbox" mailbox::list;
    get "/mailbox/{id}" mailbox::show;
    get "/outlets" outlets::list;
    post "/outlets/{name}/test" outlets::test;
    get "/personal-tokens" personal_tokens::list;
    post "/personal-tokens" personal_tokens::create;
    get "/personal-tokens/{jti}" personal_tokens::show;
    delete "/personal-tokens/{jti}" personal_tokens::remove;
    post "/personal-tokens/{jti}/narrow" personal_tokens::narrow;
    post "/personal-tokens/{jti}/rotate" personal_tokens::rotate;
    get "/requests/{id}" requests::show;
    get "/restrictions" restrictions::list;
    post "/restrictions" restrictions::add;
    delete "/restrictions/{seq}" restrictions::lift;
    get "/tokens/{jti}" tokens::show;
    get "/tolerances" tolerances::list;
    delete "/tolerances/{seq}" tolerances::remove;
    get "/users" users::list;
    post "/users" users::create;
    get "/users/{id}" users::show;
    patch "/users/{id}" users::update;
    delete "/users/{id}" users::remove;
    get "/users/{id}/factors" factors::show_factors;
    delete "/users/{id}/factors" factors::remove_factors;
    delete "/users/{id}/factors/{factor}" factors::remove_factor;
    get "/users/{id}/identities" identities::show_identities;
    delete "/users/{id}/identities/{identity}" identities::remove_identity;
    post "/users/{id}/identities/{identity}/tokens" identities::read_identity_tokens;
    put "/users/{id}/password" users::set_password;
}

/// RFC 9457 §3.
const PROBLEM: &str = "application/problem+json";

/// What every operation shares: how to authenticate, and how a refusal looks.
struct Refusals;

// === impl Refusals ===

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("access_token", scheme);
        for item in document.paths.paths.values_mut() {
            let operations =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            for operation in operations.into_iter().flatten() {
                // Handlers of several rooms have the same name; ids must be unique.
                let room = operation.tags.iter().flatten().next();
                operation.operation_id = room
                    .zip(operation.operation_id.as_ref())
                    .map(|(room, id)| format!("{room}_{id}"));
                for (status, response) in &mut operation.responses.responses {
                    if let RefOr::T(response) = response
                        && status.starts_with('4')
                    {
                        let content = std::mem::take(&mut response.content).into_values();
                        response.content =
                            content.map(|problem| (PROBLEM.to_owned(), problem)).collect();
                    }
                }
                let refusals = [
                    ("400", "The request is wrong; `detail` says where"),
                    ("401", "No access token, or one that cannot be used"),
                    ("403", "The access token lacks the scope"),
                    ("default", "Any other refusal"),
                ];
                for (status, words) in refusals {
                    let response = refusal(words).into();
                    operation.responses.responses.insert(status.to_owned(), response);
                }
            }
        }
    }
}

fn refusal(words: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(words).content(PROBLEM, content).build()
}

/// The OpenAPI document.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}
