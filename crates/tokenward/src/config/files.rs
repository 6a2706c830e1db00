//! The files that a configuration names and that are read again when they change.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use contract::Contract;

use crate::compose::policies;
use crate::config::gateway::Gateway;
use crate::config::{Config, Tls};

/// A file, and the option that names it.
pub(crate) type Named = (String, PathBuf);

/// What tells a file from one that was there before: inode and device too, since a symbolic link may lead
/// elsewhere (as those of Kubernetes do) to a file that is as old and as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Files as they were when somebody looked; `None` for one that was not there.
pub(crate) type Looked = BTreeMap<PathBuf, Option<Stamp>>;

/// Those of the certificates of every listener.
pub(crate) fn certificates(config: &Config) -> Vec<Named> {
    let mut named = Vec::new();
    for (section, tls) in listeners(config) {
        named.push((format!("{section}.tls.certificate"), tls.certificate.clone()));
        named.push((format!("{section}.tls.key"), tls.key.clone()));
    }
    named
}

/// Every listener with TLS, by its section.
pub(crate) fn listeners(config: &Config) -> impl Iterator<Item = (&'static str, &Tls)> {
    let gateway = config.gateway.as_ref();
    let auth = gateway.and_then(|part| part.auth.as_ref()).and_then(|part| part.tls.as_ref());
    let all = [
        ("authority", config.authority.tls.as_ref()),
        ("admin", config.admin.as_ref().and_then(|part| part.tls.as_ref())),
        ("gateway", gateway.and_then(|part| part.tls.as_ref())),
        ("gateway.auth", auth),
    ];
    all.into_iter().filter_map(|(section, tls)| Some((section, tls?)))
}

/// All of them. Documents of APIs are read to find out to which other files they refer.
pub(crate) fn all(config: &Config) -> Vec<Named> {
    let mut named = certificates(config);
    if let Some(part) = &config.gateway {
        of_gateway(part, &mut named);
    }
    named
}

fn of_gateway(part: &Gateway, named: &mut Vec<Named>) {
    for (position, api) in part.apis.iter().enumerate() {
        let key = format!("gateway.api[{position}].openapi");
        named.extend(Contract::files(&api.openapi).into_iter().map(|file| (key.clone(), file)));
    }
    let policies = part.policy.iter().flat_map(policies::files);
    named.extend(policies.map(|file| ("gateway.policy.files".to_owned(), file)));
    for (position, file) in part.decryption_keys.iter().enumerate() {
        named.push((format!("gateway.decryption_keys[{position}]"), file.clone()));
    }
    if let Some(file) = &part.internal_token.key_file {
        named.push(("gateway.internal_token.key_file".to_owned(), file.clone()));
    }
    for (position, issuer) in part.issuers.iter().enumerate() {
        let file = issuer.jwks_file.iter();
        named.extend(
            file.map(|file| (format!("gateway.issuer[{position}].jwks_file"), file.clone())),
        );
    }
    for (name, upstream) in &part.upstreams {
        let Some(tls) = upstream.tls() else { continue };
        for (member, file) in [
            ("ca_file", &tls.ca_file),
            ("client_certificate_file", &tls.client_certificate_file),
            ("client_key_file", &tls.client_key_file),
        ] {
            let key = format!("gateway.upstreams.{name}.tls.{member}");
            named.extend(file.iter().map(|file| (key.clone(), file.clone())));
        }
    }
}

/// Those that are named by a pattern, which others may fit later.
pub(crate) fn by_pattern(config: &Config) -> Vec<PathBuf> {
    let policy = config.gateway.as_ref().and_then(|part| part.policy.as_ref());
    policy.map(policies::files).unwrap_or_default()
}

/// Looks at files.
pub(crate) fn look<'f>(files: impl IntoIterator<Item = &'f Path>) -> Looked {
    files.into_iter().map(|file| (file.to_owned(), Stamp::of(file))).collect()
}

/// The options whose files are not as they were. `gone` are files that were named and are not any more: of an
/// option that is still there, that is a change too.
pub(crate) fn changed(
    named: &[Named],
    gone: &[Named],
    before: &Looked,
    now: &Looked,
) -> Vec<String> {
    let differs = |(_, file): &&Named| before.get(file) != now.get(file);
    let is_there = |(key, _): &&Named| named.iter().any(|(other, _)| other == key);
    let gone = gone.iter().filter(|one| !named.contains(one)).filter(is_there);
    let keys = named.iter().filter(differs).chain(gone).map(|(key, _)| key.clone());
    let mut keys: Vec<String> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

// === impl Stamp ===

impl Stamp {
    fn of(file: &Path) -> Option<Self> {
        let found = file.metadata().ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::{changed, look};

    #[test]
    fn a_link_that_leads_elsewhere_is_a_change() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["one", "other"] {
            std::fs::create_dir(at(name)).expect("folder");
            std::fs::write(at(name).join("file"), "same").expect("file");
        }
        symlink("one", at("..data")).expect("link");
        symlink("..data/file", at("file")).expect("link");
        let (file, missing) = (at("file"), at("missing"));
        let named = [("a".to_owned(), file.clone()), ("b".to_owned(), missing.clone())];
        let seen = || look([file.as_path(), missing.as_path()]);
        let before = seen();
        assert!(changed(&named, &named, &before, &seen()).is_empty());
        symlink("other", at("..data_tmp")).expect("link");
        std::fs::rename(at("..data_tmp"), at("..data")).expect("swap");
        assert_eq!(changed(&named, &[], &before, &seen()), ["a"]);
        std::fs::write(&missing, "").expect("file");
        assert_eq!(changed(&named, &[], &before, &seen()), ["a", "b"]);
        let gone = [("b".to_owned(), at("gone")), ("c".to_owned(), at("gone"))];
        assert_eq!(changed(&named, &gone, &seen(), &seen()), ["b"]);
    }
}
