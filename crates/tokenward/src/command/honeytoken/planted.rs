//! Where bait is put, and how it looks there.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::command::Failure;

/// Where bait is put.
pub(super) struct Place {
    /// What it is called there.
    name: String,
    kind: Kind,
}

enum Kind {
    Env,
    Json(PathBuf),
    Lines(PathBuf),
    Response(String),
}

// === impl Place ===

impl Place {
    /// A place that can be used. Nothing is changed yet: bait that cannot be put anywhere is not made.
    ///
    /// # Errors
    /// [`Failure`] says why it cannot be put there.
    pub(super) fn new(
        name: &str,
        file: Option<PathBuf>,
        response: Option<String>,
    ) -> Result<Self, Failure> {
        let is_word = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let begins = name.chars().next().is_some_and(|first| !first.is_ascii_digit());
        if !begins || !name.chars().all(is_word) {
            let words = "--name must be letters, digits and `_`, and not begin with a digit";
            return Err(Failure::usage(words));
        }
        let kind = match (file, response) {
            (Some(file), _) => in_file(file)?,
            (None, Some(response)) => Kind::Response(response),
            (None, None) => Kind::Env,
        };
        Ok(Self { name: name.to_owned(), kind })
    }

    /// Where it is, for whoever reads the finding.
    pub(super) fn label(&self, what: &str) -> String {
        let (host, name) = (host(), &self.name);
        let label = match &self.kind {
            Kind::Env => format!("{what} as the variable {name} on {host}"),
            Kind::Json(file) | Kind::Lines(file) => {
                format!("{what} as {name} in {} on {host}", file.display())
            }
            Kind::Response(answer) => format!("{what} as {name} in the answer to {answer}"),
        };
        label.chars().filter(|one| !one.is_control()).take(200).collect()
    }

    /// Puts it there; the text to be printed, where it is that.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be written.
    pub(super) fn put(&self, token: &str) -> Result<Option<String>, Failure> {
        let name = &self.name;
        let (file, text, is_new) = match &self.kind {
            Kind::Env => return Ok(Some(format!("export {name}={token}"))),
            Kind::Response(_) => return Ok(Some(json!({ name: token }).to_string())),
            Kind::Json(file) => (file, format!("{{\n  \"{name}\": \"{token}\"\n}}\n"), true),
            Kind::Lines(file) => {
                let joint = if ends_within_a_line(file)? { "\n" } else { "" };
                (file, format!("{joint}{name}={token}\n"), false)
            }
        };
        let mut options = OpenOptions::new();
        // What is somebody's already is never replaced.
        options.append(true).create(!is_new).create_new(is_new);
        let written = options.open(file).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map(|()| None).map_err(|error| {
            let words = "the bait is made, but is in no file";
            Failure::new(format_args!("{}: {error}: {words}", file.display()))
        })
    }
}

fn in_file(file: PathBuf) -> Result<Kind, Failure> {
    let unusable =
        |error: std::io::Error| Failure::new(format_args!("{}: {error}", file.display()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().map_err(unusable)?;
    let last = file
        .file_name()
        .ok_or_else(|| Failure::usage(format_args!("{} does not name a file", file.display())))?;
    let whole = folder.join(last);
    if whole.extension().is_none_or(|end| !end.eq_ignore_ascii_case("json")) {
        return Ok(Kind::Lines(whole));
    }
    if whole.exists() {
        let words = "is there already; bait makes a new JSON file and changes none";
        return Err(Failure::usage(format_args!("{} {words}", whole.display())));
    }
    Ok(Kind::Json(whole))
}

fn ends_within_a_line(file: &Path) -> Result<bool, Failure> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(bytes.last().is_some_and(|last| *last != b'\n')),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::new(format_args!("{}: {error}", file.display()))),
    }
}

/// What this machine is called.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "an unnamed machine".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_line_is_added_and_what_is_there_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join(".env");
        std::fs::write(&file, "A=1\nB=2").expect("file");
        let place = Place::new("API_TOKEN", Some(file.clone()), None).expect("place");
        assert_eq!(place.put("twp_x").expect("put"), None);
        assert_eq!(std::fs::read_to_string(&file).expect("file"), "A=1\nB=2\nAPI_TOKEN=twp_x\n");
        let label = place.label("personal_token");
        let canonical = file.canonicalize().expect("path");
        let start = format!("personal_token as API_TOKEN in {} on ", canonical.display());
        assert!(label.starts_with(&start), "{label}");
    }

    #[test]
    fn a_json_file_is_made_and_never_replaced() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("config.json");
        let place = Place::new("token", Some(file.clone()), None).expect("place");
        place.put("twa_x").expect("put");
        let text = std::fs::read_to_string(&file).expect("file");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["token"], "twa_x");
        assert!(place.put("twa_y").is_err());
        assert!(Place::new("token", Some(file), None).is_err());
    }

    #[test]
    fn variables_and_answers_are_printed() {
        let env = Place::new("DEPLOY_TOKEN", None, None).expect("place");
        assert_eq!(env.put("twp_x").expect("put").as_deref(), Some("export DEPLOY_TOKEN=twp_x"));
        let answer = Place::new("key", None, Some("GET /debug".to_owned())).expect("place");
        assert_eq!(answer.put("twp_x").expect("put").as_deref(), Some(r#"{"key":"twp_x"}"#));
        assert_eq!(answer.label("x"), "x as key in the answer to GET /debug");
        for name in ["", "1a", "a b", "a;b", "a=b"] {
            assert!(Place::new(name, None, None).is_err(), "{name}");
        }
    }
}
