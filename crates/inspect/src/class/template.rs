//! Template engines: the signs of an expression, and inside them something to compute or to reach.

use crate::class::template_expression::{
    acts, calls_constant, compares_constants, filters_constant, joins_constants,
};
use crate::class::xss::window;
use crate::finding::Class;
use crate::judge::{Suspicion, Value};

/// Openings with their ends.
const SIGNS: [(&str, &str); 14] = [
    ("%{", "}"),
    ("@{", "}"),
    ("{{", "}}"),
    ("${", "}"),
    ("#{", "}"),
    ("*{", "}"),
    ("<%", "%>"),
    ("{%", "%}"),
    ("[[", "]]"),
    ("@(", ")"),
    ("[=", "]"),
    ("~[", "]"),
    ("{=", "}"),
    ("$(", ")"),
];
/// Names through which engines reach the machine.
const REACHES: &[&str] = &[
    "__class__",
    "__mro__",
    "__globals__",
    "__subclasses__",
    "__builtins__",
    "__import__",
    "__init__",
    "constructor",
    "popen",
    "system(",
    "exec(",
    "getclass",
    "forname",
    "getruntime",
    "runtime",
    "processbuilder",
    "request.application",
    "config.items",
    "config.__",
    "self.__",
    "self._",
    "lipsum",
    "cycler",
    "joiner",
    "_self",
    "registerundefinedfiltercallback",
    "getfilter",
    "app.request",
    "file_excerpt",
    "t(java",
    "java.lang",
    "freemarker.template",
    "?new()",
    "?eval",
    "_memberaccess",
    "#context",
    "ognl.",
    "process.mainmodule",
    "require(",
    "child_process",
    "global.process",
    "scriptengine",
    "os.environ",
    "settings.secret",
    "|attr(",
    "['__",
    "url_for.",
    "get_flashed_messages",
    "request.environ",
    "request|attr",
    "file.read",
    "file.open",
    "dir.entries",
    "`id`",
    "phpinfo",
    "eval(",
    "range.constructor",
    "debug()",
    "sleep(",
    "@print(",
    ".subclasses",
    ".class.",
    "touppercase()",
    "config.iteritems",
    "smarty.version",
    "|filter('",
    "|map('",
    "|sort('",
    "|reduce('",
    "|filter(\"",
    "|map(\"",
    "|sort(\"",
    "|reduce(\"",
    "|map([",
    "system.shell(",
    "system.cmd(",
    "os.cmd(",
    "code.eval_string(",
    "groovyclassloader",
    "groovyshell",
    "messages.storages",
    "get_admin_log",
    "%x|",
    "__base__",
];
/// Names that are an attack when they are all that an expression has.
const LONE: [&str; 10] = [
    "config",
    "self",
    "settings",
    "request",
    "_self",
    "dump(app)",
    "debug",
    "this",
    "_self.env",
    "app",
];
/// The same of pages and scripts on servers.
const LONE_SCOPES: [&str; 9] = [
    "applicationscope",
    "env",
    "initparam",
    "pagecontext",
    "process.env",
    "requestscope",
    "self",
    "sessionscope",
    "settings",
];

/// Names of Python's own that lead from a value to everything.
const DUNDERS: [&str; 6] =
    ["__builtins__", "__class__", "__globals__", "__init__", "__mro__", "__subclasses__"];
/// Openings of different engines: a probe that has to make one of them fail has several.
const ENGINES: [&str; 10] = ["{{", "${", "#{", "<%", "{%", "[[", "@(", "{#", "*{", "~["];
/// Comments of engines directly behind an expression, and the next one directly behind them.
const COMMENTS: [(&str, &str); 4] =
    [("}<#--", "-->${"), ("}}{#", "#}{{"), ("%><%#", "%><%"), ("}{*", "*}{")];
/// So many of them stand in no honest value.
const FEWEST_ENGINES: usize = 3;
/// A probe is not longer.
const LONGEST_PROBE: usize = 160;
/// Longer values are texts, or not for people at all.
const LONGEST_VALUE: usize = 1_024;
/// Words beside an expression beyond which it is a text with something put in.
const MOST_WORDS: usize = 2;

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let escaped = value.lower.contains("$\\").then(|| unescaped(&value.lower));
    let text = escaped.as_deref().unwrap_or(&value.lower);
    let mut found = None;
    for (open, close) in SIGNS {
        for (at, _) in text.match_indices(open) {
            // Of openings in a row the last one has the expression.
            if text[at + open.len()..].starts_with(open) {
                continue;
            }
            let inner = window(&text[at + open.len()..], 512);
            let end = inner.find(close).unwrap_or(inner.len());
            // What begins within is looked at by itself: so the work grows with length alone.
            let inner = &inner[..inner[..end].find(open).unwrap_or(end)];
            let inner = inner.trim_matches(|c: char| {
                c.is_whitespace() || c == '-' || c == '=' || c == '{' || c == '$'
            });
            found = Suspicion::stronger(found, expression(value, open, inner));
        }
    }
    let directive = [
        "<#assign",
        "[#assign",
        "{$smarty",
        "#set($",
        "#set ($",
        "{php}",
        "<#include",
        "#include(",
        "#parse(",
        "#evaluate(",
        "#foreach($",
        "#foreach ($",
        "#foreach( $",
        "{literal}<",
        "{if system",
        "{system(",
    ];
    // `#if(1==1)a#end`, on one line; in others both stand on lines of their own.
    let choice = text.contains("#end") && text.contains("#if(") && !text.contains('\n');
    if choice || directive.iter().any(|word| text.contains(word)) {
        let sure = REACHES.iter().any(|name| text.contains(name));
        let other = if sure {
            Suspicion::sure(Class::Template, "directive")
        } else {
            Suspicion::likely(Class::Template, "directive")
        };
        found = Suspicion::stronger(found, other);
    }
    let found = Suspicion::stronger(found, in_braces(text));
    found.or_else(|| at_sign(value, text)).or_else(|| probe(value, text))
}

/// `{7*7}`, `{system('id')}`, `{a.__class__}`: one brace is the whole sign of some engines.
fn in_braces(text: &str) -> Option<Suspicion> {
    let dunder = |inner: &str| DUNDERS.iter().any(|name| inner.contains(name));
    let pieces = text.split('{').skip(1).filter_map(|piece| Some(piece.split_once('}')?.0));
    if text.contains("__") && pieces.clone().any(dunder) {
        return Suspicion::working(Class::Template, "reach");
    }
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let inner = inner.trim_matches(['!', ' ']);
    // `{$x|system}`: what a variable holds is given to the machine.
    let run = ["system", "exec", "passthru", "shell_exec", "popen", "eval", "assert"];
    let given = inner.strip_prefix('$').and_then(|rest| rest.split_once('|'));
    if given.is_some_and(|(_, filter)| run.contains(&filter.split(':').next().unwrap_or(filter))) {
        return Suspicion::likely(Class::Template, "filter");
    }
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let sum = inner.split_once('*').is_some_and(|(left, right)| {
        let left = left.trim().rsplit(['+', '-']).next().unwrap_or_default();
        number(left) && number(right.trim().split(['+', '-']).next().unwrap_or_default())
    });
    let condition = inner.split_once('}').map_or(inner, |(condition, _)| condition);
    let call = condition.strip_prefix("if ").unwrap_or(condition);
    if sum {
        Suspicion::likely(Class::Template, "arithmetic")
    } else if calls_constant(call) || call.len() < condition.len() && acts(call, true) {
        Suspicion::likely(Class::Template, "call")
    } else {
        None
    }
}

/// `@System.IO.File.ReadAllText("…")`: a sign, a path of names, and a call of it with a text.
fn at_sign(value: &Value<'_>, text: &str) -> Option<Suspicion> {
    let rest = text.trim().strip_prefix('@')?;
    let path = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'.').count();
    let called = rest[..path].matches('.').count() >= 2 && rest[path..].starts_with("(\"");
    (called && !value.is_free()).then_some(())?;
    Suspicion::likely(Class::Template, "call")
}

/// Signs of several engines in a row, or what one engine leaves out between two expressions.
fn probe(value: &Value<'_>, text: &str) -> Option<Suspicion> {
    let comment = |(sign, end): &(&str, &str)| {
        text.split_once(sign).is_some_and(|(_, rest)| rest.contains(end))
    };
    if text.len() <= LONGEST_PROBE && COMMENTS.iter().any(comment) && !value.is_free() {
        return Suspicion::likely(Class::Template, "comment");
    }
    let engines = || ENGINES.iter().filter(|sign| text.contains(**sign)).count();
    let short = text.len() <= LONGEST_PROBE;
    (short && engines() >= FEWEST_ENGINES && !value.is_free()).then_some(())?;
    Suspicion::likely(Class::Template, "engines")
}

/// `$\A{…}`: a letter that some engines take off between the signs.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split("$\\");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push('$');
        let letters = piece.bytes().take_while(u8::is_ascii_alphabetic).count();
        out.push_str(if letters <= 1 { &piece[letters..] } else { piece });
    }
    out
}

fn expression(value: &Value<'_>, open: &str, inner: &str) -> Option<Suspicion> {
    if inner.is_empty() {
        return None;
    }
    if matches!(open, "$(" | "@(" | "@{" | "[[" | "[=" | "~[" | "{=" | "*{") {
        return behind_ordinary_sign(value, open, inner);
    }
    if let Some(found) = reach(value, inner) {
        return Some(found);
    }
    if computes(inner) {
        return Suspicion::working(Class::Template, "arithmetic");
    }
    lone(value, open, inner).or_else(|| by_grammar(value, open, inner))
}

/// A shell's `$(…)`, Thymeleaf's `*{…}` and a link's `[[…]]` are ordinary signs: sums count, and what reaches.
fn behind_ordinary_sign(value: &Value<'_>, open: &str, inner: &str) -> Option<Suspicion> {
    if computes(inner) && value.text.len() < 60 {
        return Suspicion::working(Class::Template, "arithmetic");
    }
    let engine = matches!(open, "*{" | "[=" | "{=");
    if engine && REACHES.iter().any(|name| inner.contains(name)) {
        return Suspicion::working(Class::Template, "reach");
    }
    let whole = matches!(open, "*{" | "@{" | "~[") && value.text.len() <= inner.len() + 4;
    (whole && acts(inner, false)).then_some(())?;
    Suspicion::likely(Class::Template, "call")
}

/// Names through which engines reach the machine.
fn reach(value: &Value<'_>, inner: &str) -> Option<Suspicion> {
    let name = REACHES.iter().find(|name| inner.contains(**name))?;
    let strong = name.starts_with("__")
        || matches!(
            *name,
            "t(java" | "popen" | "registerundefinedfiltercallback" | "?new()" | "getruntime"
        );
    let only = matches!(*name, "__globals__" | "__subclasses__" | "__mro__" | "__builtins__");
    if strong && (only || !value.is_free()) {
        Suspicion::sure(Class::Template, "reach")
    } else {
        Suspicion::working(Class::Template, "reach")
    }
}

/// An expression that is the whole value, and that says much with one name.
fn lone(value: &Value<'_>, open: &str, inner: &str) -> Option<Suspicion> {
    if value.text.len() > inner.len() + 12 {
        return None;
    }
    let name = match open {
        "{{" => {
            let (name, filter) = inner.split_once('|').unwrap_or((inner, ""));
            let asked = matches!(name.trim(), "config" | "self" | "request" | "_self");
            !filter.is_empty() && asked
                || LONE.contains(&inner)
                || inner.starts_with("config.")
                || inner.starts_with("settings.")
        }
        "${" => LONE_SCOPES.contains(&inner) || is_special(inner),
        "<%" => LONE_SCOPES.contains(&inner),
        "{%" => inner == "debug",
        _ => false,
    };
    if name {
        return Suspicion::likely(Class::Template, "lone_name");
    }
    if open == "<%" && inner.starts_with(['`', '@']) {
        return Suspicion::working(Class::Template, "reach");
    }
    let filter = inner.contains("|join") || inner.contains(")|") && inner.contains('\'');
    (open == "{{" && filter).then_some(())?;
    Suspicion::likely(Class::Template, "filter")
}

/// `.version`, `a?upper_case`: a variable of FreeMarker's own, or one of its functions behind a name.
fn is_special(inner: &str) -> bool {
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    inner.strip_prefix('.').is_some_and(name)
        || inner.split_once('?').is_some_and(|(value, function)| name(value) && name(function))
}

/// What an expression does, whatever it names.
fn by_grammar(value: &Value<'_>, open: &str, inner: &str) -> Option<Suspicion> {
    if value.text.len() > LONGEST_VALUE {
        return None;
    }
    // In Ruby what stands between ticks is a command.
    if matches!(open, "#{" | "<%") && inner.matches('`').count() == 2 {
        return Suspicion::working(Class::Template, "shell");
    }
    if open == "{%" && includes(inner) {
        return Suspicion::likely(Class::Template, "include");
    }
    if compares_constants(inner) {
        return Suspicion::likely(Class::Template, "constant_condition");
    }
    if (filters_constant(inner) || joins_constants(inner)) && !value.is_free() {
        return Suspicion::likely(Class::Template, "constant");
    }
    let alone = words_beside(&value.lower) <= MOST_WORDS && !value.is_free();
    (alone && acts(inner, open != "${")).then_some(())?;
    Suspicion::likely(Class::Template, "call")
}

/// `include '/etc/passwd'`: from elsewhere than where templates are kept.
fn includes(inner: &str) -> bool {
    let mut words = inner.split_ascii_whitespace();
    let first = words.next().is_some_and(|word| matches!(word, "include" | "extends" | "embed"));
    let name = words.next().unwrap_or_default().trim_start_matches(['\'', '"', '(']);
    first && (name.starts_with('/') || name.contains("..") || name.contains("://"))
}

/// Words outside of the signs of engines.
fn words_beside(text: &str) -> usize {
    let (mut words, mut rest) = (0, text);
    loop {
        let open = SIGNS.iter().filter_map(|(open, close)| Some((rest.find(open)?, *close))).min();
        let Some((at, close)) = open else { return words + rest.split_whitespace().count() };
        words += rest[..at].split_whitespace().count();
        let Some(end) = rest[at..].find(close) else { return words };
        rest = &rest[at + end + close.len()..];
    }
}

/// Two constants and an operator between them: what a probe sends to see whether it is computed.
fn computes(inner: &str) -> bool {
    inner.match_indices(['*', '+', '-', '/']).any(|(at, _)| {
        let constant = |c: Option<char>| {
            c.is_some_and(|c| c.is_ascii_digit() || matches!(c, '\'' | '"' | ')'))
        };
        let left = inner[..at].trim_end();
        let right = inner[at + 1..].trim_start();
        let number = |text: &str| {
            text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .next()
                .is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()))
        };
        // `7**7` is a power.
        let leads = right.trim_start_matches(['\'', '"', '(', '*']);
        (number(left) || left.ends_with(['\'', '"']) && inner[at..].starts_with('*'))
            && constant(left.chars().next_back())
            && leads.starts_with(|c: char| c.is_ascii_digit())
            && (inner[at..].starts_with('*') || inner.len() < 16)
            && !leads.starts_with("0-")
            && inner.matches('-').count() < 2
    })
}
