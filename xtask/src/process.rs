//! Other programs: run with a headline, or only asked.

use std::process::{Command, Output, Stdio};

use crate::failure::Failure;

/// Prints the headline that a reader of a long log looks for.
pub(crate) fn headline(words: &str) {
    println!("\n==> {words}");
}

/// Runs a program with its output visible and nothing on its standard input.
///
/// # Errors
/// When it cannot be started, or ends with anything but 0: that is then the status of the failure.
pub(crate) fn run(words: &str, command: &mut Command) -> Result<(), Failure> {
    headline(words);
    let status =
        command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure { words: format!("`{words}` failed ({status})"), status: code })
}

/// Runs a program without a word and returns what it printed on standard output.
///
/// # Errors
/// When it cannot be started, or ends with anything but 0; its standard error is in the words.
pub(crate) fn ask(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    let Output { status, stdout, stderr } = output;
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        return Err(Failure::new(format!("{} failed ({status}): {said}", shown(command))));
    }
    String::from_utf8(stdout)
        .map_err(|_| Failure::new(format!("{} printed no UTF-8", shown(command))))
}

fn shown(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    format!("`{}`", words.join(" "))
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot start {}: {error}", shown(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_gives_its_own_status() {
        let failure = run("sh", Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(failure.status, 7);
        assert_eq!(run("true", &mut Command::new("true")).map_err(|failure| failure.words), Ok(()));
    }

    #[test]
    fn what_a_failing_program_said_is_kept() {
        let failure = ask(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(failure.words.contains("why"), "{}", failure.words);
        assert_eq!(ask(Command::new("echo").arg("yes")).unwrap(), "yes\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = run("nothing", &mut Command::new("no-such-program-here")).unwrap_err();
        assert!(failure.words.contains("no-such-program-here"), "{}", failure.words);
    }
}
