//! The style sheet, the icon and the script for passkeys, each under a name that changes with its content.

use std::sync::LazyLock;

use aws_lc_rs::digest;

/// A file that pages refer to.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name under `/assets/`.
    pub(crate) name: String,
    /// Its content.
    pub(crate) content: &'static str,
    /// Its `Content-Type`.
    pub(crate) media_type: &'static str,
}

/// How everything looks.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/page.css");
    Asset { name: name(content, "css"), content, media_type: "text/css; charset=utf-8" }
});

/// The shield in the browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/icon.svg");
    Asset { name: name(content, "svg"), content, media_type: "image/svg+xml" }
});

/// What asks a browser for a passkey: no form can.
pub(crate) static PASSKEY: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/passkey.js");
    Asset { name: name(content, "js"), content, media_type: "text/javascript; charset=utf-8" }
});

/// The asset of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    [&*STYLE, &*ICON, &*PASSKEY].into_iter().find(|asset| asset.name == name)
}

fn name(content: &str, kind: &str) -> String {
    let hash = digest::digest(&digest::SHA256, content.as_bytes());
    let digits: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}.{kind}")
}
