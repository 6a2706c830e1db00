//! Lookups of logging libraries: `${jndi:…}`, however its letters are hidden.

use crate::finding::Class;
use crate::judge::{Suspicion, Value};

/// Each round resolves one lookup; a real one needs a letter each.
const ROUNDS: usize = 64;
const SCHEMES: [&str; 8] = ["ldap", "rmi", "dns", "iiop", "corba", "nis", "nds", "http"];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    if !value.lower.contains("${") && !value.lower.contains("$\\{") {
        return None;
    }
    let resolved = resolve(&value.lower.replace("\\{", "{").replace("\\}", "}"));
    for (at, _) in resolved.match_indices("jnd") {
        // The letter after `d` may be one that only becomes an `i`.
        let Some((letter, rest)) = resolved[at + 3..].split_once(':') else { continue };
        if letter.chars().count() != 1 {
            continue;
        }
        if SCHEMES.iter().any(|scheme| rest.starts_with(scheme)) || rest.starts_with("${") {
            return Suspicion::sure(Class::Lookup, "jndi");
        }
    }
    let inner = [
        "${env:",
        "${sys:",
        "${java:",
        "${ctx:",
        "${main:",
        "${bundle:",
        "${jndi:",
        "${script:",
        "${url:",
        "${docker:",
        "${k8s:",
        "${spring:",
        "${log4j:",
        "${lower:",
        "${upper:",
        "${dns:",
        "${base64:",
        "${::-",
        "${${",
    ];
    if inner.iter().any(|lookup| value.lower.contains(lookup)) {
        return Suspicion::working(Class::Lookup, "lookup");
    }
    None
}

/// Lookups that only give back letters, `${lower:j}` and `${x:-j}`, resolved from the inside out.
fn resolve(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let Some((start, end, read)) = innermost(&text) else { break };
        text.replace_range(start..end, &read);
    }
    text
}

fn innermost(text: &str) -> Option<(usize, usize, String)> {
    let mut from = 0;
    while let Some(end) = text[from..].find('}').map(|at| from + at) {
        if let Some(start) = text[..end].rfind("${") {
            let body = &text[start + 2..end];
            let read = body
                .split_once(":-")
                .map(|(_, read)| read)
                .or_else(|| body.strip_prefix("lower:"))
                .or_else(|| body.strip_prefix("upper:"))
                .or_else(|| body.strip_prefix("date:'")?.strip_suffix('\''));
            if let Some(read) = read {
                return Some((start, end + 1, read.to_owned()));
            }
        }
        from = end + 1;
    }
    None
}
