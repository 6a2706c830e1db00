//! Lines of every length, and the tokens in them.

use std::collections::HashSet;
use std::io::BufReader;

use ::token::opaque::Family;
use ::token::random::OsRandom;

use super::lines;

/// Line and family of every token in a text.
fn found(text: &str) -> Vec<(u64, Family)> {
    found_in(text.as_bytes())
}

fn found_in(bytes: &[u8]) -> Vec<(u64, Family)> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    // A small buffer, so that every line comes in many reads.
    let mut reader = BufReader::with_capacity(16, bytes);
    lines::each(&mut reader, |piece| {
        lines::tokens(piece, &mut seen, |_, family| found.push((piece.number, family)));
    })
    .expect("read");
    found
}

#[test]
fn every_kind_is_found_wherever_it_stands() {
    let random = OsRandom::new();
    for family in Family::ALL {
        let token = family.generate(&random);
        let token = token.expose();
        let text = format!("a\n\"{token}\"\n{token}\nkey={token};\n\n{token}");
        let lines: Vec<u64> = found(&text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3, 4, 6], "{family:?}");
        assert!(found(&text).iter().all(|(_, found)| *found == family));
        let two = format!("{token} {token} {}", Family::Personal.generate(&random).expose());
        assert_eq!(found(&two).len(), 2, "each once a line");
    }
}

#[test]
fn what_only_looks_like_one_is_not_told() {
    let token = Family::Personal.generate(&OsRandom::new());
    let token = token.expose();
    let altered = format!("{}{}", &token[..52], if token.ends_with('0') { "1" } else { "0" });
    for text in [
        &altered,
        &token[..52],
        &format!("x{token}"),
        &format!("{token}x"),
        &format!("_{token}"),
        "twp_",
        "",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn what_is_no_text_and_text_of_two_bytes_hide_nothing() {
    let token = Family::Personal.generate(&OsRandom::new());
    let token = token.expose();
    let binary = [b"\x7fELF\0\xff\n\0", token.as_bytes(), b"\0\0other"].concat();
    assert_eq!(found_in(&binary), [(2, Family::Personal)]);
    let piece = 1 << 20;
    for at in [0, piece / 2 - 60, piece / 2 - 53, piece / 2 - 1] {
        let text = format!("{} \"{token}\"", "x".repeat(at));
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(found_in(&little), [(1, Family::Personal)], "{at}");
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(found_in(&big), [(1, Family::Personal)], "{at}");
    }
}

#[test]
fn a_line_of_any_length_is_read_in_pieces_that_hide_nothing() {
    let token = Family::Refresh.generate(&OsRandom::new());
    let token = token.expose();
    let piece = 1 << 20;
    for at in
        [piece - 120, piece - 64, piece - 54, piece - 53, piece - 20, piece - 1, piece, 2 * piece]
    {
        let text = format!("{} {token} {}\n{token}", "x".repeat(at), "y".repeat(100));
        assert_eq!(found(&text), [(1, Family::Refresh), (2, Family::Refresh)], "{at}");
        let last = format!("{} {token}", "x".repeat(at));
        assert_eq!(found(&last), [(1, Family::Refresh)], "{at}, at the end");
    }
}
