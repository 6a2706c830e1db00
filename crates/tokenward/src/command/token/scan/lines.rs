//! Bytes line by line in bounded memory, and the tokens in them: as text, in UTF-16, and within what is no text.

use std::collections::HashSet;
use std::io::{self, BufRead, Read as _};

use ::token::opaque::{Family, OpaqueHash};

/// A longer line comes in pieces of this many bytes.
const PIECE: usize = 1 << 20;
/// Pieces of one line overlap by more than a token and the characters around it, in UTF-16 too.
const OVERLAP: usize = 128;
const TOKEN: usize = 53;

/// A line, or a piece of one.
pub(super) struct Piece<'b> {
    pub(super) number: u64,
    pub(super) bytes: &'b [u8],
    /// Whether it begins where its line does.
    pub(super) begins: bool,
    ends: bool,
}

/// Shows every line, without its end.
///
/// # Errors
/// What the reader says.
pub(super) fn each(reader: &mut impl BufRead, mut see: impl FnMut(&Piece<'_>)) -> io::Result<()> {
    let (mut buffer, mut number, mut begins) = (Vec::new(), 1, true);
    loop {
        let room = PIECE.saturating_sub(buffer.len()) as u64;
        let read = reader.by_ref().take(room).read_until(b'\n', &mut buffer)?;
        let newline = buffer.last() == Some(&b'\n') && read > 0;
        let ends = newline || read == 0;
        if read == 0 && buffer.is_empty() {
            return Ok(());
        }
        let bytes = if newline { &buffer[..buffer.len() - 1] } else { &buffer[..] };
        see(&Piece { number, bytes, begins, ends });
        if read == 0 {
            return Ok(());
        }
        if newline {
            buffer.clear();
            number += 1;
            begins = true;
        } else if buffer.len() >= PIECE {
            buffer.drain(..buffer.len() - OVERLAP);
            begins = false;
        }
    }
}

/// The whole tokens of a piece. What is cut off at a seam is whole in the piece beside it.
pub(super) fn tokens(
    piece: &Piece<'_>,
    seen: &mut HashSet<(u64, OpaqueHash)>,
    mut found: impl FnMut(&str, Family),
) {
    within(piece, seen, &mut found);
    // Every other byte of a token in UTF-16 is zero.
    if piece.bytes.contains(&0) {
        let text: Vec<u8> = piece.bytes.iter().copied().filter(|byte| *byte != 0).collect();
        within(&Piece { bytes: &text, ..*piece }, seen, &mut found);
    }
}

fn within(
    piece: &Piece<'_>,
    seen: &mut HashSet<(u64, OpaqueHash)>,
    found: &mut impl FnMut(&str, Family),
) {
    let bytes = piece.bytes;
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(|b| *b == b'_')) {
        let underscore = from + at;
        from = underscore + 1;
        let Some(start) = underscore.checked_sub(3) else { continue };
        let Some(text) = bytes.get(start..start + TOKEN) else { continue };
        let before = start.checked_sub(1).map(|place| bytes[place]);
        let after = bytes.get(start + TOKEN).copied();
        let seam = (before.is_none() && !piece.begins) || (after.is_none() && !piece.ends);
        if seam || [before, after].into_iter().flatten().any(is_word) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(text) else { continue };
        if let Ok(family) = Family::of(text)
            && seen.insert((piece.number, OpaqueHash::of(text)))
        {
            found(text, family);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
