//! Randomness as an argument, so that tests can be repeated.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A source of bytes that nobody can predict.
pub trait Random: Send + Sync + 'static {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The generator of the cryptographic library, seeded by the operating system.
#[derive(Debug, Default, Clone)]
pub struct OsRandom(());

// === impl OsRandom ===

impl OsRandom {
    /// The system's generator.
    pub fn new() -> Self {
        Self(())
    }
}

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // aws-lc aborts the process itself when the system has no entropy; there is no
        // way to go on safely without it.
        #[expect(clippy::expect_used, reason = "no safe way to continue without entropy")]
        SystemRandom::new().fill(buffer).expect("the system's random generator failed");
    }
}
