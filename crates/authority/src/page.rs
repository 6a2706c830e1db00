//! The pages that people see: every text from outside escaped by the template engine. None needs a script: one
//! asks a browser for a passkey, the other does work in place of waiting.

pub(crate) mod account;
pub(crate) mod approvals;
pub(crate) mod asset;
mod client_links;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod done;
pub(crate) mod enrolment;
pub(crate) mod factors;
pub(crate) mod fields;
pub(crate) mod form_post;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod passkey;
mod policy;
pub(crate) mod problem;
pub(crate) mod providers;
pub(crate) mod puzzle;
pub(crate) mod qr;
pub(crate) mod second;
pub(crate) mod sign_ins;
pub(crate) mod tokens;

use std::sync::Arc;

use askama::Template;

use self::policy::Leads;
use crate::branding;
use crate::language::words::Words;
use crate::language::{Language, Reader};

/// A page as it is sent.
#[derive(Debug)]
pub(crate) struct Html {
    /// Its text.
    pub(crate) html: String,
    /// Its `Content-Security-Policy`.
    pub(crate) policy: String,
    /// What it is written in.
    pub(crate) language: Language,
}

/// What rendering gives; it can only fail for lack of memory.
pub(crate) type Rendered = Result<Html, askama::Error>;

/// What is around every page.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Whose page it is: the operator's name, else the issuer's host.
    host: String,
    words: Arc<Words>,
    style: String,
    icon: String,
    icon_type: &'static str,
    logo: Option<ShownLogo>,
    links: Vec<branding::Shown>,
}

/// The operator's logo, by its paths.
#[derive(Debug)]
struct ShownLogo {
    light: String,
    /// Empty where it is the same.
    dark: String,
}

// === impl Frame ===

impl Frame {
    fn new(reader: &Reader<'_>) -> Self {
        let settings = reader.settings;
        let own = &settings.branding;
        let logo = own.logo.as_ref().map(|logo| ShownLogo {
            light: logo.path(settings),
            dark: own.logo_dark.as_ref().map(|dark| dark.path(settings)).unwrap_or_default(),
        });
        Self {
            host: settings.shown_name().to_owned(),
            words: Arc::clone(&reader.words),
            style: own.style.path(settings),
            icon: own.icon.path(settings),
            icon_type: own.icon.media_type,
            logo,
            links: own.links.shown(&reader.words),
        }
    }

    /// What is said on the page.
    fn words(&self) -> &Words {
        &self.words
    }

    fn language(&self) -> &'static str {
        self.words.language.tag()
    }
}

fn render(frame: &Frame, page: &impl Template, form: Leads<'_>) -> Rendered {
    render_with(frame, page, form, false)
}

fn render_with(frame: &Frame, page: &impl Template, form: Leads<'_>, has_script: bool) -> Rendered {
    let policy = policy::of(form, has_script);
    Ok(Html { html: page.render()?, policy, language: frame.words.language })
}

/// The letter that stands for a name.
fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| c.is_alphanumeric());
    letter.map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect())
}

#[cfg(test)]
mod tests;
