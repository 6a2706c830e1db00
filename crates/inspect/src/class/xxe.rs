//! Document types, entities and inclusions: what makes an XML parser read elsewhere.

use crate::finding::Class;
use crate::judge::{Strength, Suspicion, Value};

/// What a style sheet has that reads elsewhere, runs code or asks what it runs in (XSLT 1.0, 12; 2.0, 16).
const REACHES: [&str; 8] = [
    "system-property(",
    "document(",
    "unparsed-text(",
    "php:function",
    "<xsl:include",
    "<xsl:import",
    "msxsl:script",
    "xmlns:java=",
];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let suspicion = document(&value.lower)?;
    let is_document = value.lower.trim_start().starts_with('<');
    if suspicion.strength == Strength::Sure && !is_document && value.is_free() {
        return Suspicion::working(suspicion.class, suspicion.rule);
    }
    Some(suspicion)
}

/// A message needs no document type, be it one that does nothing yet: only pages have one.
pub(crate) fn doctype(lower: &str) -> Option<Suspicion> {
    let (_, rest) = lower.split_once("<!doctype")?;
    if rest.trim_start().starts_with("html") {
        return None;
    }
    Suspicion::sure(Class::Xxe, "doctype")
}

/// The same for a whole document in lower case.
pub(crate) fn document(lower: &str) -> Option<Suspicion> {
    if let Some(at) = lower.find("<!entity") {
        let rest = lower[at + 8..].trim_start();
        if rest.starts_with(|c: char| c == '%' || c.is_alphabetic() || c == '_') {
            return Suspicion::sure(Class::Xxe, "entity");
        }
    }
    if let Some(at) = lower.find("<!doctype") {
        let rest = &lower[at + 9..];
        let subset = rest.split('>').next().unwrap_or_default();
        let is_html =
            rest.trim_start().starts_with("html") || rest.trim_start().starts_with("svg public");
        if !is_html
            && (subset.contains('[') || subset.contains("system") || subset.contains("public"))
        {
            return Suspicion::sure(Class::Xxe, "doctype");
        }
    }
    if lower.contains("<xsl:") && REACHES.iter().any(|name| lower.contains(name)) {
        return Suspicion::working(Class::Xxe, "stylesheet");
    }
    if lower.contains("w3.org/2001/xinclude") || lower.contains("<xi:include") {
        return Suspicion::sure(Class::Xxe, "xinclude");
    }
    for word in ["schemalocation=", "<xs:include", "<xs:import", "<?xml-stylesheet"] {
        let Some(at) = lower.find(word) else { continue };
        let rest = &lower[at..floor(lower, at + 300)];
        // A schema's name and its address stand in pairs; an address alone is there to be fetched.
        let value = rest.split(['"', '\'']).nth(1).unwrap_or_default();
        if word.starts_with("schema") && value.split_ascii_whitespace().count() > 1 {
            continue;
        }
        // Schemas of standards bodies are named by every other document.
        let ordinary =
            ["w3.org", "xmlsoap.org", "maven.apache.org", "springframework.org", "oasis"];
        if ["http:", "https:", "file:", "ftp:", "//"].iter().any(|scheme| rest.contains(scheme))
            && !ordinary.iter().any(|host| rest.contains(host))
        {
            return Suspicion::likely(Class::Xxe, "schema_location");
        }
    }
    None
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
