//! Findings told to the person concerned: somebody else writes the letter.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::outlet::NotTaken;

/// Asks people about findings.
pub trait Asks: Send + Sync {
    /// Asks whom a finding concerns, where there is somebody to ask.
    fn ask<'f>(&'f self, finding: &'f Value) -> Asking<'f>;
}

/// A person who is being asked.
pub type Asking<'f> = Pin<Box<dyn Future<Output = Result<(), NotTaken>> + Send + 'f>>;

/// Asks by somebody who is named later: before there is an authority there are findings already.
#[derive(Clone, Default)]
pub struct Person(Arc<OnceLock<Arc<dyn Asks>>>);

// === impl Person ===

impl Person {
    /// Names who asks; the first one stays.
    pub fn asked_by(&self, asks: Arc<dyn Asks>) {
        // Named twice is named.
        let _ = self.0.set(asks);
    }

    pub(crate) async fn send(&self, body: &str) -> Result<(), NotTaken> {
        let finding: Value = serde_json::from_str(body)
            .map_err(|error| NotTaken::ForGood(format!("it is no finding: {error}")))?;
        match self.0.get() {
            Some(asks) => asks.ask(&finding).await,
            None => Err(NotTaken::for_now("nobody asks yet")),
        }
    }
}
