//! The policies of the gateway, read from their files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::{Engine, Source};

use crate::command::Failure;
use crate::config::Gateway;
use crate::config::policy::Policy;

/// A member of `gateway.policy`, and what is wrong with it.
pub(crate) type Wrong = (&'static str, String);

/// The engine with all policies, if there are to be any.
///
/// # Errors
/// Every mistake, with its file and line where they are known.
pub(crate) fn engine(part: &Gateway) -> Result<Option<Engine>, Vec<Wrong>> {
    let Some(policy) = &part.policy else { return Ok(None) };
    let sources = sources(policy).map_err(|what| vec![("files", what)])?;
    let schema = policy.schema.as_deref().map(source).transpose();
    let schema = schema.map_err(|what| vec![("schema", what)])?;
    let made = Engine::new(&sources, schema.as_ref(), &routes(part));
    let wrong = |mistakes: Vec<policy::Mistake>| {
        mistakes.iter().map(|mistake| ("files", mistake.to_string())).collect()
    };
    made.map(Some).map_err(wrong)
}

/// The same for the gateway and whoever asks. It was checked before: what is wrong now has changed since.
///
/// # Errors
/// [`Failure`] with every mistake.
pub(super) fn shared(part: &Gateway) -> Result<Option<Arc<Engine>>, Failure> {
    let made = engine(part).map_err(|wrong| {
        let words: Vec<String> = wrong.into_iter().map(|(_, what)| what).collect();
        Failure::new(format_args!("gateway.policy: {}", words.join("; ")))
    });
    Ok(made?.map(Arc::new))
}

/// The routes, as policies name them.
fn routes(part: &Gateway) -> Vec<String> {
    let named = part.routes.iter().flat_map(|route| {
        let each = route.methods.iter().map(|method| format!("{method} {}", route.path));
        let any = route.methods.is_empty().then(|| route.path.clone());
        each.chain(any)
    });
    named.collect()
}

/// The files that are read, as far as they are there.
pub(crate) fn files(policy: &Policy) -> Vec<PathBuf> {
    let patterns = policy.files.iter().map(String::as_str);
    let found = patterns.flat_map(|pattern| matching(pattern).unwrap_or_default());
    found.chain(policy.schema.clone()).collect()
}

fn sources(policy: &Policy) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    for pattern in &policy.files {
        let found = matching(pattern)?;
        if found.is_empty() {
            return Err(format!("`{pattern}` is no file: correct the path, or add a policy there"));
        }
        paths.extend(found);
    }
    paths.sort_unstable();
    paths.dedup();
    paths.iter().map(|path| source(path)).collect()
}

/// The files that a pattern means.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let path = Path::new(pattern);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if folder.to_string_lossy().contains('*') || name.matches('*').count() > 1 {
        return Err(format!("`{pattern}` may have one `*`, in its last part alone"));
    }
    let Some((begins, ends)) = name.split_once('*') else { return Ok(vec![path.to_owned()]) };
    let unread = |error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(begins));
        if rest.is_some_and(|rest| rest.ends_with(ends)) && entry.path().is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn source(path: &Path) -> Result<Source, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Source { path: path.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn a_star_stands_for_files_of_one_folder() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["a.cedar", "b.cedar", "b.txt", "cedar"] {
            std::fs::write(at(name), "").expect("file");
        }
        std::fs::create_dir(at("c.cedar")).expect("folder");
        let found = |pattern: &str| {
            let mut found = matching(&at(pattern).display().to_string()).expect(pattern);
            found.sort();
            found
        };
        assert_eq!(found("*.cedar"), [at("a.cedar"), at("b.cedar")]);
        assert_eq!(found("b.*"), [at("b.cedar"), at("b.txt")]);
        assert_eq!(found("a.cedar"), [at("a.cedar")]);
        assert_eq!(found("x*"), Vec::<std::path::PathBuf>::new());
        for pattern in ["*/a.cedar", "a*.c*r", "no folder/*.cedar"] {
            assert!(matching(&at(pattern).display().to_string()).is_err(), "{pattern}");
        }
    }
}
