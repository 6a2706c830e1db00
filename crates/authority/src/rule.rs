//! One rule of the protocol per file: plain values in, a refusal that names the rule out.

pub mod acr;
pub mod authorization_details;
pub mod claims_request;
pub mod dpop_jkt;
pub mod fresh;
pub mod max_age;
pub mod mfa;
pub(crate) mod optional_scopes;
pub mod pkce;
pub mod profile;
pub mod prompt;
pub mod redirect_uri;
pub mod resource;
pub mod response_type;
pub mod scope;
pub mod user_code;
