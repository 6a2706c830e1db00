//! What the gateway's requests are served by: one snapshot, replaced whole while they come.

use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway::{Gateway, Worker};
use http::Request;

use super::auth::AuthTerms;
use super::door::CertificateField;
use crate::listen::Connection;

/// The snapshot of now. A request takes it once and ends with it.
pub(super) struct Live(ArcSwap<Snapshot>);

/// A gateway with all that its threads need of it; never changed.
pub(super) struct Snapshot {
    pub(super) gateway: Gateway,
    /// By the numbers of the threads.
    workers: Box<[Arc<Worker>]>,
    /// Where proxies of other makers may ask.
    auth: Option<Arc<AuthTerms>>,
    /// Where proxies in front say which certificate a client has shown.
    field: CertificateField,
}

// === impl Snapshot ===

impl Snapshot {
    /// The first one, for so many threads.
    pub(super) fn first(
        gateway: Gateway,
        threads: usize,
        auth: Option<AuthTerms>,
        field: CertificateField,
    ) -> Self {
        let workers = (0..threads).map(|_| Arc::new(gateway.worker())).collect();
        Self { workers, gateway, auth: auth.map(Arc::new), field }
    }

    /// The one that comes after this, with its connections and streams.
    pub(super) fn successor(
        &self,
        gateway: Gateway,
        auth: Option<AuthTerms>,
        field: CertificateField,
    ) -> Self {
        let workers = self.workers.iter().map(|worker| Arc::new(gateway.worker_after(worker)));
        Self { workers: workers.collect(), gateway, auth: auth.map(Arc::new), field }
    }
}

// === impl Live ===

impl Live {
    pub(super) fn new(first: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// The worker of a thread. One count for each, which no other thread touches.
    pub(super) fn worker(&self, thread: usize) -> Arc<Worker> {
        Arc::clone(&self.0.load().workers[thread])
    }

    /// Notes what a request's connection says of its client, as [`CertificateField::note`].
    pub(super) fn note<B>(&self, request: &mut Request<B>, connection: &Connection) {
        self.0.load().field.note(request, connection);
    }

    /// On what terms proxies of other makers ask.
    pub(super) fn auth(&self) -> Option<Arc<AuthTerms>> {
        self.0.load().auth.clone()
    }

    /// All of it.
    pub(super) fn current(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// From the next request on this counts.
    pub(super) fn replace(&self, next: Snapshot) {
        self.0.store(Arc::new(next));
    }
}
