//! What is sent: the same words as plain text and as HTML.

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// A letter. Its words come from templates; it has neither images nor anything that is fetched when it is
/// opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Whom it is for.
    pub to: Address,
    /// What it is about: one line.
    pub subject: String,
    /// The words.
    pub text: String,
    /// The same words, as a page.
    pub html: String,
}

/// How a letter waits.
#[derive(Serialize, Deserialize)]
struct Packed {
    to: String,
    subject: String,
    text: String,
    html: String,
}

// === impl Letter ===

impl Letter {
    /// As bytes, to be read by [`Letter::unpack`].
    pub fn pack(&self) -> Vec<u8> {
        let packed = Packed {
            to: self.to.to_string(),
            subject: self.subject.clone(),
            text: self.text.clone(),
            html: self.html.clone(),
        };
        // Four texts are always JSON.
        serde_json::to_vec(&packed).unwrap_or_default()
    }

    /// Reads what [`Letter::pack`] wrote; `None` when it is something else.
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let Packed { to, subject, text, html } = serde_json::from_slice(bytes).ok()?;
        Some(Self { to: Address::parse(&to).ok()?, subject, text, html })
    }

    /// The subject without anything that could end its line.
    pub(crate) fn subject_line(&self) -> String {
        self.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}
