//! `docs/cli.md`: every command with its options, from the argument parser itself.

use clap::{Command, CommandFactory as _};

use crate::command::{Arguments, Failure, say};

const HEAD: &str = "# Commands

Written by `cargo xtask reference`; do not edit.

Every command that asks a running Tokenward takes `--admin URL` and `--admin-token TOKEN` (or
`TOKENWARD_ADMIN_URL` and `TOKENWARD_ADMIN_TOKEN`); without them it asks the `tokenward dev` of the
data folder. `--json` prints answers for scripts. The exit code is 0, 1 when the command failed, or
2 when it was written wrongly; of `token verify` and `jose`, 1 says that the token was refused, 2 that
the key or the input cannot be used.
";

/// Prints the document.
pub(super) fn run() -> Result<(), Failure> {
    let mut program = Arguments::command().term_width(100);
    program.build();
    let mut text = HEAD.to_owned();
    for command in program.get_subcommands().filter(|command| is_shown(command)) {
        describe(command, &format!("tokenward {}", command.get_name()), &mut text);
    }
    say(text.trim_end());
    Ok(())
}

fn describe(command: &Command, name: &str, text: &mut String) {
    let inner: Vec<&Command> = command.get_subcommands().filter(|inner| is_shown(inner)).collect();
    if !inner.is_empty() {
        for command in inner {
            describe(command, &format!("{name} {}", command.get_name()), text);
        }
        return;
    }
    let help = command.clone().render_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}
