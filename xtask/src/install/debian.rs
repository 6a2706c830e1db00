//! Programs that come as Debian packages.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// A program, how to see that it is there, and the Debian packages that bring it.
#[derive(Clone, Copy)]
pub(super) struct Program {
    what: &'static str,
    /// A shell command that succeeds when nothing has to be installed.
    present: &'static str,
    packages: &'static [&'static str],
}

/// Debian's name and that of other systems.
const CHROMIUM_PRESENT: &str = "command -v chromium || command -v google-chrome";

pub(super) const CHROMIUM: Program =
    Program { what: "Chromium", present: CHROMIUM_PRESENT, packages: &["chromium"] };
pub(super) const CURL: Program =
    Program { what: "curl", present: "command -v curl", packages: &["curl"] };
/// Debian has it outside of the PATH of people who are not root.
const HAPROXY_PRESENT: &str = "command -v haproxy || ls /usr/sbin/haproxy";
const NGINX_PRESENT: &str = "command -v nginx || ls /usr/sbin/nginx";

pub(super) const HAPROXY: Program =
    Program { what: "HAProxy", present: HAPROXY_PRESENT, packages: &["haproxy"] };
pub(super) const NGINX: Program =
    Program { what: "nginx", present: NGINX_PRESENT, packages: &["nginx-light"] };
pub(super) const NODE: Program =
    Program { what: "Node.js", present: "command -v node", packages: &["nodejs"] };
pub(super) const NPM: Program =
    Program { what: "npm", present: "command -v npm", packages: &["npm"] };
pub(super) const OPENSSL: Program = Program {
    what: "OpenSSL's headers",
    present: "pkg-config --exists openssl",
    packages: &["libssl-dev", "pkg-config"],
};
pub(super) const PYTHON: Program = Program {
    what: "Python 3 with venv",
    present: "python3 -c 'import venv, ensurepip'",
    packages: &["python3", "python3-venv"],
};

/// Installs the packages of those programs that are not there; root only.
///
/// # Errors
/// Names every missing program and the command that brings it.
pub(super) fn provide(programs: &[Program]) -> Result<(), Failure> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    if !succeeds("test \"$(id -u)\" = 0 && command -v apt-get") {
        return Err(cannot(&missing, "only root on Debian can have it installed"));
    }
    let packages = packages(&missing);
    let words = format!("installing Debian packages: {}", packages.join(" "));
    process::run("apt-get update", apt_get().arg("update"))?;
    let arguments = ["install", "--yes", "--no-install-recommends"];
    process::run(&words, apt_get().args(arguments).args(&packages))?;
    let still = self::missing(&missing);
    if still.is_empty() {
        return Ok(());
    }
    Err(cannot(&still, "installed its packages, but it cannot be found: see PATH"))
}

/// Where a program is that was found by a command that prints its path.
///
/// # Errors
/// When it is not there.
pub(super) fn path(program: Program) -> Result<PathBuf, Failure> {
    let found = process::ask(Command::new("sh").args(["-c", program.present]))?;
    Ok(PathBuf::from(found.lines().next().unwrap_or_default()))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn missing(programs: &[Program]) -> Vec<Program> {
    programs.iter().filter(|program| !succeeds(program.present)).copied().collect()
}

fn succeeds(shell: &str) -> bool {
    process::ask(Command::new("sh").args(["-c", shell])).is_ok()
}

fn packages(programs: &[Program]) -> Vec<&'static str> {
    programs.iter().flat_map(|program| program.packages).copied().collect()
}

fn cannot(missing: &[Program], why: &str) -> Failure {
    let names: Vec<_> = missing.iter().map(|program| program.what).collect();
    Failure::new(format!(
        "missing: {} ({why}). To mend it: sudo apt-get install {}",
        names.join(", "),
        packages(missing).join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Program =
        Program { what: "Absent", present: "command -v no-such-program", packages: &["absent"] };
    const SHELL: Program = Program { what: "sh", present: "command -v sh", packages: &["dash"] };

    #[test]
    fn only_what_is_absent_is_missing() {
        let missing = missing(&[SHELL, ABSENT]);
        assert_eq!(packages(&missing), ["absent"]);
    }

    #[test]
    fn what_is_there_needs_no_right_to_install() {
        assert!(provide(&[SHELL]).is_ok());
    }

    #[test]
    fn a_refusal_names_the_program_and_the_command() {
        let words = cannot(&[ABSENT], "why").words;
        assert!(words.contains("Absent") && words.contains("apt-get install absent"), "{words}");
    }
}
