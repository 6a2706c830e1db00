//! The page that hands an answer to a client by a form (OAuth 2.0 Form Post Response Mode 1.0 §4).

use askama::Template;

use super::policy::{Leads, SEND};
use super::{Rendered, render};

/// The page; it sends itself, or has a button where scripts are off.
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
pub(crate) struct FormPostPage<'a> {
    action: &'a str,
    fields: &'a [(&'a str, &'a str)],
    script: &'static str,
}

// === impl FormPostPage ===

impl<'a> FormPostPage<'a> {
    pub(crate) fn new(action: &'a str, fields: &'a [(&'a str, &'a str)]) -> Self {
        Self { action, fields, script: SEND }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Straight(self.action))
    }
}
