//! `cargo xtask reference`: the documents that are made from the code.

use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::place::Place;
use crate::process;

/// Each document and the command that prints it.
const DOCUMENTS: [(&str, &[&str]); 4] = [
    ("docs/cli.md", &["cli-reference"]),
    ("docs/configuration.md", &["config", "reference"]),
    ("docs/openapi.json", &["openapi"]),
    ("docs/oauth-openapi.json", &["openapi", "oauth"]),
];

/// Writes every document, or with `check` only compares.
///
/// # Errors
/// Names the documents that are not what the code says.
pub(crate) fn run(place: &Place, check: bool) -> Result<(), Failure> {
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--package", "tokenward"]).current_dir(&place.root);
    process::run("cargo build --package tokenward", &mut build)?;
    let program = place.target.join("debug/tokenward");
    let mut stale = Vec::new();
    for (document, arguments) in DOCUMENTS {
        let printed = process::ask(Command::new(&program).args(arguments))?;
        let text = format!("{}\n", printed.trim_end());
        let path = place.root.join(document);
        if std::fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            continue;
        }
        stale.push(document);
        if !check {
            write(&path, &text)?;
            println!("{document}: written");
        }
    }
    match stale.is_empty() || !check {
        true => Ok(()),
        false => {
            let words = format!("not what the code says: {}", stale.join(", "));
            Err(Failure::new(format!("{words}. To mend it: cargo xtask reference")))
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::file("write", path, &error))
}
