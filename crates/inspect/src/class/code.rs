//! Statements of scripting languages in place of a value: `;exit(md5('x'));#`, `printf(7*7);`.

/// Names by which code is run, a shell is reached, or a result is shown.
const CALLS: &[&str] = &[
    "$_get[",
    "$_post[",
    "$_request[",
    "eval(request",
    "system(",
    "shell_exec(",
    "passthru(",
    "popen(",
    "proc_open(",
    "os.system",
    "subprocess.run(",
    "subprocess.call(",
    "subprocess.popen",
    "subprocess.check_",
    "child_process.",
    "child_process')",
    "child_process\")",
    "runtime.getruntime",
    "getruntime().exec",
    "processbuilder",
    "getclass().forname(",
    "java.lang.runtime",
    "phpinfo()",
    "pcntl_exec(",
    "__import__(",
    "t(java.",
    "@java.lang.",
    "#_memberaccess",
    "_memberaccess.",
    "ognl.ognlcontext",
    "process.mainmodule",
    "process.binding(",
    ".constructor(\"return",
    ".constructor('return",
    "diagnostics.process",
    "net.webclient",
    "function('return",
    "function(\"return",
    "command::new(",
    "exec.command(",
    "deno.run(",
    "deno.command(",
    "bun.spawn",
    "xwork.methodaccessor",
    "opensymphony.xwork2",
];
/// Modules of Node.js through which code reaches files, processes and other code.
const MODULES: [&str; 7] = ["child_process", "fs", "fs/promises", "module", "net", "os", "vm"];
/// By these a file is known for a program.
const OPENINGS: [&str; 2] = ["<?php", "<?="];
/// Calls that show that code was run, where their argument is one that is computed.
const SHOWS: [&str; 9] =
    ["print(", "printf(", "print_r(", "var_dump(", "exit(", "die(", "eval(", "assert(", "echo("];
/// What probes have computed.
const COMPUTED: [&str; 6] = ["md5(", "base64_decode(", "chr(", "hexdec(", "$_", "phpversion("];

/// Whether `text`, in lower case, calls what only code calls.
pub(super) fn runs(text: &str) -> bool {
    OPENINGS.iter().any(|opening| text.contains(opening)) || acts(text)
}

/// The same of the text of a program.
pub(crate) fn acts(text: &str) -> bool {
    CALLS.iter().any(|call| text.contains(call))
        || loads(text)
        || SHOWS.iter().any(|call| shows(text, call))
}

/// `require('fs').readFileSync(…)`: a module that reaches the machine, loaded and used in one breath.
fn loads(text: &str) -> bool {
    text.match_indices("require(").any(|(at, call)| {
        let rest = text[at + call.len()..].trim_start();
        let Some(quoted) = rest.strip_prefix(['\'', '"', '`']) else { return false };
        let Some((name, after)) = quoted.split_once(['\'', '"', '`']) else { return false };
        let name = name.strip_prefix("node:").unwrap_or(name);
        let used = after
            .trim_start()
            .strip_prefix(')')
            .is_some_and(|rest| rest.strip_prefix('.').is_some_and(|call| call.contains('(')));
        used && MODULES.contains(&name)
    })
}

fn shows(text: &str, call: &str) -> bool {
    text.match_indices(call).any(|(at, _)| {
        let alone = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let argument = &text[at + call.len()..];
        let inner = argument.trim_start_matches(['(', ' ', '@', '"', '\'']);
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        let operator = inner[digits..].trim_start().strip_prefix(['*', '+', '-']);
        let sum = digits > 0
            && operator
                .is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()));
        alone && (sum || COMPUTED.iter().any(|name| inner.starts_with(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_talk_of_them() {
        for text in ["subprocess.run(['id'])", "child_process.exec('id')", "bun.spawn(['id'])"] {
            assert!(acts(text), "{text}");
        }
        for text in ["runs in a subprocess.", "add child_process injection", "a process builder"] {
            assert!(!acts(text), "{text}");
        }
    }

    #[test]
    fn modules_that_reach_the_machine_are_known() {
        assert!(
            loads("a;require('fs').appendfilesync('/tmp/a','b')")
                && loads("require(\"node:vm\").run(1)")
        );
        for text in
            ["const fs = require('fs');", "require('dotenv').config()", "require('fs').promises"]
        {
            assert!(!loads(text), "{text}");
        }
    }
}
