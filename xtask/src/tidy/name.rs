//! Names that say nothing are not given to files and modules.

use super::files::{TextFile, is_rust};
use super::scan;

/// Drawers that everything ends up in.
const EMPTY_NAMES: [&str; 9] =
    ["common", "helper", "helpers", "misc", "models", "prelude", "types", "util", "utils"];

/// What is refused.
pub(crate) fn check(files: &[TextFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        problems.extend(check_path(&file.path));
        if !file.is_rust() {
            continue;
        }
        for module in scan::modules(&file.text) {
            if EMPTY_NAMES.contains(&module.name.as_str()) {
                problems.push(refusal(&format!("{}:{}", file.path, module.line), &module.name));
            }
        }
    }
    problems
}

fn check_path(path: &str) -> Vec<String> {
    if !is_rust(path) {
        return Vec::new();
    }
    if path == "mod.rs" || path.ends_with("/mod.rs") {
        return vec![format!("{path}: no `mod.rs`: write `name.rs` beside the folder `name`")];
    }
    path.trim_end_matches(".rs")
        .split('/')
        .filter(|part| EMPTY_NAMES.contains(part))
        .map(|part| refusal(path, part))
        .collect()
}

fn refusal(place: &str, name: &str) -> String {
    format!("{place}: `{name}` says nothing: put each thing beside the noun that it serves")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        check(&[TextFile { path: path.to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn a_name_that_says_something_is_accepted() {
        assert_eq!(problems("crates/token/src/scope.rs", "mod tests { }"), 0);
        assert_eq!(problems("crates/token/src/typesetting.rs", "mod utility { }"), 0);
        assert_eq!(problems("interop/common.py", ""), 0);
    }

    #[test]
    fn an_empty_name_is_refused_as_file_folder_and_module() {
        for path in ["src/util.rs", "src/helpers.rs", "src/common/scope.rs", "src/types.rs"] {
            assert_eq!(problems(path, ""), 1, "{path}");
        }
        assert_eq!(problems("src/a.rs", "mod prelude { }"), 1);
    }

    #[test]
    fn mod_rs_is_refused() {
        assert_eq!(problems("src/scope/mod.rs", ""), 1);
        assert_eq!(problems("mod.rs", ""), 1);
        assert_eq!(problems("src/scope_mod.rs", ""), 0);
    }
}
