//! The pages that people see: every text from outside escaped by the template engine. None needs a script;
//! the only one asks a browser for a passkey.

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
mod provider_texts;
pub(crate) mod providers;
pub(crate) mod qr;
pub(crate) mod second;
pub(crate) mod tokens;

use askama::Template;
use token::time::Timestamp;

use self::passkey::PasskeyPrompt;
use self::policy::Leads;
use crate::settings::Settings;

/// A page as it is sent.
#[derive(Debug)]
pub(crate) struct Html {
    /// Its text.
    pub(crate) html: String,
    /// Its `Content-Security-Policy`.
    pub(crate) policy: String,
}

/// What rendering gives; it can only fail for lack of memory.
pub(crate) type Rendered = Result<Html, askama::Error>;

/// What is around every page.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Whose page it is: the issuer's host.
    host: String,
    style: String,
    icon: String,
}

// === impl Frame ===

impl Frame {
    fn new(settings: &Settings) -> Self {
        let after_scheme = settings.issuer.split_once("://").map_or("", |(_, rest)| rest);
        let asset = |asset: &asset::Asset| settings.path(&format!("/assets/{}", asset.name));
        Self {
            host: after_scheme.to_owned(),
            style: asset(&asset::STYLE),
            icon: asset(&asset::ICON),
        }
    }
}

fn render(page: &impl Template, form: Leads<'_>) -> Rendered {
    Ok(Html { html: page.render()?, policy: policy::of(form, false) })
}

fn render_with(page: &impl Template, form: Leads<'_>, prompt: Option<&PasskeyPrompt>) -> Rendered {
    Ok(Html { html: page.render()?, policy: policy::of(form, prompt.is_some()) })
}

/// A day as text, such as `2026-11-28`.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// The letter that stands for a name.
fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| c.is_alphanumeric());
    letter.map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect())
}

#[cfg(test)]
mod tests;
