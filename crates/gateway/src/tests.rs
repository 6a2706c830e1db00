//! The whole gateway over real sockets: raw clients in front, a recording upstream behind.

mod around;
mod bait;
mod browser_app;
mod browsers;
mod decide;
mod described;
mod dpop;
mod events;
mod explain;
mod failures;
mod foreign;
mod grpc;
mod http2;
mod https;
mod inside;
mod inspection;
mod limits;
mod metadata;
mod mutual_tls;
mod opaque;
mod partial;
mod personal;
mod places;
mod policies;
mod public;
mod request_ids;
mod rules;
mod shed;
mod sizes;
mod smuggling;
mod streams;
mod succession;
mod support;
mod target;
mod upstreams;
mod websocket;
mod wire;

/// Good settings, for the tests of single files.
pub(crate) fn support_settings() -> crate::Settings {
    support::settings("http://127.0.0.1:9")
}

/// A worker of a gateway without keys, for the tests of single files.
pub(crate) fn support_worker() -> crate::Worker {
    support::worker(support_settings())
}
