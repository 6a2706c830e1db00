//! The part of a page that asks for a passkey. It is hidden until the script shows it.

use super::asset;
use crate::settings::Settings;

/// What a browser is asked.
#[derive(Clone, Debug)]
pub(crate) struct PasskeyPrompt {
    /// Where the answer is sent.
    pub(crate) action: String,
    /// The options of Web Authentication §5.4 or §5.5, as JSON.
    pub(crate) options: String,
    /// What the form brings back.
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// Whether there is no other way beside it.
    pub(crate) is_only: bool,
    /// Where the script is.
    pub(crate) script: String,
}

// === impl PasskeyPrompt ===

impl PasskeyPrompt {
    /// With what the form brings back.
    pub(crate) fn new(
        settings: &Settings,
        path: &str,
        options: String,
        hidden: Vec<(&'static str, String)>,
    ) -> Self {
        let script = asset::PASSKEY.path(settings);
        Self { action: settings.path(path), options, hidden, is_only: false, script }
    }
}
