//! What is sent: the same words as plain text and as HTML.

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

// === impl Letter ===

impl Letter {
    /// The subject without anything that could end its line.
    pub(crate) fn subject_line(&self) -> String {
        self.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}
