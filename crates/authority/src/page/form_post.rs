//! The page that hands an answer to a client by a form (OAuth 2.0 Form Post Response Mode 1.0 §4).

use std::sync::Arc;

use askama::Template;

use super::policy::{self, Leads, SEND};
use super::{Html, Rendered};
use crate::language::Reader;
use crate::language::words::Words;

/// The page; it sends itself, or has a button where scripts are off.
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
pub(crate) struct FormPostPage<'a> {
    words: Arc<Words>,
    action: &'a str,
    fields: &'a [(&'a str, &'a str)],
    script: &'static str,
}

// === impl FormPostPage ===

impl<'a> FormPostPage<'a> {
    pub(crate) fn new(
        reader: &Reader<'_>,
        action: &'a str,
        fields: &'a [(&'a str, &'a str)],
    ) -> Self {
        Self { words: Arc::clone(&reader.words), action, fields, script: SEND }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        let policy = policy::of(Leads::Straight(self.action), false);
        Ok(Html { html: self.render()?, policy, language: self.words.language })
    }
}
