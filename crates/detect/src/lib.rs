//! The watcher: detectors over the event stream, findings, and what is done about them.
//!
//! Detectors are small pure state machines, `(state, event) → sighting?`, driven by the event's
//! own time: the same events give the same findings, live or replayed. Requests never wait for
//! this crate, and it knows no HTTP.

pub mod detector;
pub mod engine;
pub mod feedback;
pub mod incidents;
pub mod origin;
pub mod policy;
mod program;
pub mod queue;
pub mod replay;
pub mod respond;
pub mod simulate;
mod sketch;
pub mod stream;
