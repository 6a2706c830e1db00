//! The endpoints from outside: requests in, answers, restrictions and events out.

pub(crate) mod support;

mod answers;
mod arbitrary;
mod authorization_details;
mod authorize;
mod browser;
mod ciba;
mod client_credentials;
mod code;
mod consent;
mod description;
mod device;
mod discovery;
mod dpop;
mod foreign;
mod id_token;
mod introspect;
mod limits;
mod logout;
mod metadata_document;
mod mutual_tls;
mod par;
mod pkce;
mod private_key_jwt;
mod profile;
mod refresh;
mod register;
mod request_object;
mod resources;
mod restrictions;
mod revoke;
mod sign_in;
mod software_statement;
mod token_exchange;
mod userinfo;
mod wire;
