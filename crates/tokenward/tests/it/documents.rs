//! What the documentation prints is what the program takes: commands, pieces of configuration, names of metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{PROGRAM, Product, program, root, text};

/// Written by the program itself, or tried by tests of their own.
const ELSEWHERE: [&str; 3] = ["cli.md", "configuration.md", "policy.md"];

fn pages() -> Vec<(String, String)> {
    let docs = std::fs::read_dir(root().join("docs")).expect("docs");
    let docs = docs.map(|entry| entry.expect("entry").path());
    let more = ["README.md", "deploy/README.md"].map(|page| root().join(page));
    let is_page = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    let is_own = |path: &PathBuf| !ELSEWHERE.iter().any(|name| path.ends_with(name));
    docs.chain(more)
        .filter(|path| is_page(path) && is_own(path))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("page")))
        .collect()
}

/// The commands of a page, as a shell would have their words.
fn commands(page: &str) -> BTreeSet<Vec<String>> {
    let page = page.replace("\\\n", " ");
    let mut found = BTreeSet::new();
    for (position, part) in page.split("```").enumerate() {
        if position % 2 == 1 {
            let lines = part.lines().skip(1);
            found.extend(lines.filter_map(|line| line.split_once("tokenward ")).filter_map(
                |(before, rest)| {
                    let before = before.trim();
                    (before.is_empty() || before.ends_with("$(")).then(|| words(rest))
                },
            ));
        } else {
            let spans = part.split('`').skip(1).step_by(2);
            found.extend(spans.filter_map(|span| span.strip_prefix("tokenward ")).map(words));
        }
    }
    found
}

/// Up to a comment, a pipe or the end of a substitution.
fn words(rest: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in rest.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, ')' | '#' | '>') => break,
            (None, _) if character.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_is_one_of_the_program() {
    let mut tried = 0;
    for (page, content) in pages() {
        for words in commands(&content) {
            // Help comes after all that stands before it was understood, and nothing is done.
            let output = Command::new(PROGRAM).args(&words).arg("--help").output().expect("run");
            assert!(output.status.success(), "{page}: {words:?}: {}", text(&output.stderr));
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} commands");
}

#[test]
fn every_piece_of_configuration_is_understood() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("tokenward.toml");
    let mut tried = 0;
    for (page, content) in pages() {
        for block in content.split("```").skip(1).step_by(2) {
            let Some(block) = block.strip_prefix("toml\n") else { continue };
            // Texts of a language are a file of their own.
            if block.starts_with("[sign_in]") {
                continue;
            }
            std::fs::write(&file, block).expect("file");
            let output =
                program().args(["config", "check", "-c"]).arg(&file).output().expect("run");
            let said = text(&output.stderr);
            // A piece names files that are not here, and upstreams that stand beside it.
            let missing = |line: &str| {
                line.contains("No such file or directory") || line.contains("no upstream is named")
            };
            assert!(said.lines().all(missing), "{page}: {said}\n{block}");
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried} pieces");
}

/// Names of metrics between quotes in the sources.
fn metrics_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            metrics_of(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = std::fs::read_to_string(&path).expect("source");
            let quoted = source.split("\"tokenward_").skip(1).filter_map(|rest| {
                let name = rest.split_once('"')?.0;
                let plain = |byte: u8| byte == b'_' || byte.is_ascii_lowercase();
                name.bytes().all(plain).then(|| format!("tokenward_{name}"))
            });
            let quoted: Vec<String> = quoted.collect();
            for name in &quoted {
                assert!(is_described(&source, name), "{}: {name} has no words", path.display());
            }
            found.extend(quoted);
        }
    }
}

/// Whether a source gives words to a metric, by its name or by the constant that holds it.
fn is_described(source: &str, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    let held = format!(": &str = {quoted};");
    let constant = source.lines().find_map(|line| line.strip_suffix(held.as_str()));
    let constant = constant.and_then(|line| line.rsplit(' ').next());
    let plain: String = source.split_whitespace().collect();
    let said = |name: &str| {
        let described = ["counter", "gauge"].map(|kind| format!("describe_{kind}!({name},"));
        let written = format!("#HELP{{{name}}}");
        described.iter().chain([&written]).any(|words| plain.contains(words))
    };
    said(&quoted) || constant.is_some_and(said)
}

#[test]
fn every_metric_is_described_on_its_page_and_nothing_else_is() {
    let page = std::fs::read_to_string(root().join("docs/metrics.md")).expect("page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let told: BTreeMap<&str, &str> =
        rows.filter_map(|(name, rest)| Some((name, rest.split_once(' ')?.0))).collect();
    let mut counted = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates")).expect("crates") {
        let sources = entry.expect("entry").path().join("src");
        metrics_of(&sources, &mut counted);
    }
    assert_eq!(told.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), counted);

    let product = Product::start();
    product.api("/orders", &product.access_token()).expect(200);
    let shown = product.http.get(&product.admin("/metrics"), None).body;
    let mut described = 0;
    for line in shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("type");
        assert_eq!(told.get(name), Some(&kind), "{name}");
        assert!(shown.contains(&format!("# HELP {name} ")), "{name} has no words");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        described += 1;
    }
    assert!(described > 10, "{shown}");
    let series = shown.lines().filter(|line| line.starts_with("tokenward_"));
    for name in series.filter_map(|line| line.split(['{', ' ']).next()) {
        let own = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let known = |name: &str| shown.contains(&format!("# TYPE {name} "));
        assert!(known(name) || own.is_some_and(known), "{name} has no type");
    }
}

/// systemd kills what takes longer to stop than this, and the start needs what the unit says.
#[test]
fn the_unit_of_systemd_fits_the_program() {
    let unit = std::fs::read_to_string(root().join("deploy/systemd/tokenward.service"));
    let unit = unit.expect("unit");
    let said = |name: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name}")).to_owned()
    };
    let (program, words) = (said("ExecStart"), "/usr/local/bin/tokenward ");
    let words = self::words(program.strip_prefix(words).expect("program"));
    let output = Command::new(PROGRAM).args(&words).arg("--help").output().expect("run");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let reference = std::fs::read_to_string(root().join("docs/configuration.md")).expect("page");
    assert!(reference.contains("| `drain` | length of time | `\"20s\"` |"), "another drain");
    assert_eq!(said("TimeoutStopSec"), "30s");
    assert!(reference.contains("`\"/var/lib/tokenward/tokenward.db\"`"), "another place");
    assert_eq!(said("StateDirectory"), "tokenward");
}
