//! Rust source by its braces: functions and blocks with their lines, blind to strings and comments.

/// A function or a module with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) name: String,
    /// The line of the keyword, from 1.
    pub(crate) line: usize,
    /// Lines from the keyword to the closing brace, both counted.
    pub(crate) lines: usize,
}

/// Functions with a body, in the order of the file; nested ones are listed too.
pub(crate) fn functions(text: &str) -> Vec<Block> {
    blocks(text, "fn")
}

/// Modules written in place, `mod name { … }`.
pub(crate) fn modules(text: &str) -> Vec<Block> {
    blocks(text, "mod")
}

fn blocks(text: &str, keyword: &str) -> Vec<Block> {
    let code = code_only(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = code[at..].find(keyword) {
        let start = at + offset;
        at = start + keyword.len();
        let is_word = !code[..start].ends_with(is_word_part) && code[at..].starts_with(' ');
        let name: String =
            code[at..].trim_start().chars().take_while(|c| is_word_part(*c)).collect();
        if !is_word || name.is_empty() {
            continue;
        }
        if let Some(length) = body_end(&code[at..]) {
            found.push(Block {
                name,
                line: lines_in(&code[..start]) + 1,
                lines: lines_in(&code[start..at + length]) + 1,
            });
        }
    }
    found
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn lines_in(code: &str) -> usize {
    code.bytes().filter(|byte| *byte == b'\n').count()
}

/// Where the item's body ends, if it has one before the next `;` outside of brackets.
fn body_end(code: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0_u32, 0_u32);
    for (index, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' if braces == 0 => brackets += 1,
            b')' | b']' if braces == 0 => brackets = brackets.checked_sub(1)?,
            b';' if braces == 0 && brackets == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && brackets == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// The text with the inside of strings, characters and comments blanked; lines stay where they
/// are.
pub(crate) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_length(rest, code.chars().next_back());
        if hidden == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (inside, after) = rest.split_at(hidden);
        code.extend(inside.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    code
}

/// How many bytes from here are a string, a character or a comment; 0 for code.
fn hidden_length(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return comment_length(rest);
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + closing(inside, '"');
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    if rest.starts_with('r') && !before.is_some_and(is_word_part_of_name) {
        return raw_string_length(rest);
    }
    0
}

/// Whether a letter `r` after this one belongs to a name; `br"` and `cr"` are prefixes of strings.
fn is_word_part_of_name(before: char) -> bool {
    is_word_part(before) && before != 'b' && before != 'c'
}

fn comment_length(rest: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Bytes up to and with the closing quote; a backslash hides what follows it.
fn closing(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, c) in rest.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == quote {
            return index + c.len_utf8();
        }
    }
    rest.len()
}

/// A character such as `'{'`; a lifetime is code.
fn character_length(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) => 1 + closing(&rest[1..], '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

fn raw_string_length(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let start = 2 + hashes;
    let end = format!("\"{}", "#".repeat(hashes));
    rest[start..].find(&end).map_or(rest.len(), |offset| start + offset + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(String, usize, usize)> {
        functions(text).into_iter().map(|block| (block.name, block.line, block.lines)).collect()
    }

    #[test]
    fn a_function_is_measured_from_its_keyword_to_its_brace() {
        let text = "/// Doc.\npub(crate) fn a(\n    x: [u8; 2],\n) -> u8\nwhere\n    u8: Sized,\n{\n    1\n}\nfn b() {}\n";
        assert_eq!(named(text), [("a".to_owned(), 2, 8), ("b".to_owned(), 10, 1)]);
    }

    #[test]
    fn declarations_and_pointers_are_no_functions() {
        assert_eq!(named("trait T { fn a(&self) -> u8; }\ntype F = fn(u8) -> u8;\n"), []);
    }

    #[test]
    fn nested_functions_are_listed_too() {
        let text = "fn a() {\n    fn b() {\n    }\n    if x { y }\n}\n";
        assert_eq!(named(text), [("a".to_owned(), 1, 5), ("b".to_owned(), 2, 2)]);
    }

    #[test]
    fn braces_in_strings_characters_and_comments_do_not_count() {
        let text = concat!(
            "fn a<'a>(x: &'a str) {\n",
            "    let _ = (\"}\", '}', '\\'', b'}', \"\\\"}\", r#\"}\"}\"#, br\"}\");\n",
            "    // }\n",
            "    /* } /* } */ } */\n",
            "    let r#fn = \"\n}\n\";\n",
            "}\n",
            "// fn hidden() {}\n",
            "const S: &str = \"fn quoted() {}\";\n",
        );
        assert_eq!(named(text), [("a".to_owned(), 1, 8)]);
    }

    #[test]
    fn only_modules_with_a_body_are_modules_in_place() {
        let found = modules("mod a;\nmod tests {\n    fn b() {}\n}\n");
        assert_eq!(found, [Block { name: "tests".to_owned(), line: 2, lines: 3 }]);
    }

    #[test]
    fn blanking_keeps_every_line() {
        let text = "a \"x\ny\" /* z\n */ é // ö\nb";
        let code = code_only(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert!(!code.contains(['x', 'y', 'z', 'ö']) && code.contains('é'));
    }
}
