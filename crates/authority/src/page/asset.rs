//! Files that pages refer to, each under a name that changes with its content.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use bytes::Bytes;

use crate::settings::Settings;

/// A file that pages refer to.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    /// Its name under `/assets/`.
    pub(crate) name: String,
    /// Its content.
    pub(crate) content: Bytes,
    /// Its `Content-Type`.
    pub(crate) media_type: &'static str,
}

/// What asks a browser for a passkey: no form can.
pub(crate) static PASSKEY: LazyLock<Asset> = LazyLock::new(|| {
    let content = Bytes::from_static(include_bytes!("../../assets/passkey.js"));
    Asset::new(content, "js", "text/javascript; charset=utf-8")
});

/// What does the work that a sign-in form asks for.
pub(crate) static PUZZLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = Bytes::from_static(include_bytes!("../../assets/puzzle.js"));
    Asset::new(content, "js", "text/javascript; charset=utf-8")
});

// === impl Asset ===

impl Asset {
    /// A file of this content, ending and `Content-Type`.
    pub(crate) fn new(content: Bytes, ending: &str, media_type: &'static str) -> Self {
        let hash = digest::digest(&digest::SHA256, &content);
        let digits: String =
            hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("{digits}.{ending}"), content, media_type }
    }

    /// Its path, as browsers see it.
    pub(crate) fn path(&self, settings: &Settings) -> String {
        settings.path(&format!("/assets/{}", self.name))
    }
}

/// The asset of this name.
pub(crate) fn find<'a>(settings: &'a Settings, name: &str) -> Option<&'a Asset> {
    let scripts = || [&*PASSKEY, &*PUZZLE].into_iter().find(|asset| asset.name == name);
    settings.branding.asset(name).or_else(scripts)
}
