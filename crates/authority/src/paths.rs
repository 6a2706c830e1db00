//! Routes that remember their paths, so that what is routed can be held against what is described.

use axum::Router;
use axum::routing::MethodRouter;

use crate::state::Authority;

/// A router, and a list of its paths.
#[derive(Default)]
pub(crate) struct Paths {
    router: Router<Authority>,
    names: Vec<&'static str>,
}

// === impl Paths ===

impl Paths {
    /// One path more.
    pub(crate) fn route(mut self, path: &'static str, methods: MethodRouter<Authority>) -> Self {
        self.names.push(path);
        Self { router: self.router.route(path, methods), names: self.names }
    }

    /// These paths and those.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.names.extend(other.names);
        Self { router: self.router.merge(other.router), names: self.names }
    }

    /// The same paths, with something around them.
    pub(crate) fn map(self, change: impl FnOnce(Router<Authority>) -> Router<Authority>) -> Self {
        Self { router: change(self.router), names: self.names }
    }

    /// The paths.
    #[cfg(test)]
    pub(crate) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The router alone.
    pub(crate) fn into_router(self) -> Router<Authority> {
        self.router
    }
}
