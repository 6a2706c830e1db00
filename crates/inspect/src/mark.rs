//! Which bytes of interest a value has: one look at each byte, so that ordinary values cost no more.

/// A set of kinds of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks(u32);

pub(crate) const QUOTE: u32 = 1;
pub(crate) const ANGLE: u32 = 1 << 1;
pub(crate) const PAREN: u32 = 1 << 2;
pub(crate) const SEMICOLON: u32 = 1 << 3;
pub(crate) const PIPE: u32 = 1 << 4;
pub(crate) const AMPERSAND: u32 = 1 << 5;
pub(crate) const DOLLAR: u32 = 1 << 6;
pub(crate) const TICK: u32 = 1 << 7;
pub(crate) const BRACE: u32 = 1 << 8;
pub(crate) const PERCENT: u32 = 1 << 9;
pub(crate) const BACKSLASH: u32 = 1 << 10;
pub(crate) const SLASH: u32 = 1 << 11;
pub(crate) const HASH: u32 = 1 << 12;
pub(crate) const STAR: u32 = 1 << 13;
pub(crate) const EQUALS: u32 = 1 << 14;
pub(crate) const COLON: u32 = 1 << 15;
pub(crate) const LINE: u32 = 1 << 16;
pub(crate) const CONTROL: u32 = 1 << 17;
pub(crate) const HIGH: u32 = 1 << 18;
pub(crate) const SPACE: u32 = 1 << 19;
pub(crate) const BRACKET: u32 = 1 << 20;
pub(crate) const DOT: u32 = 1 << 21;
pub(crate) const OTHER: u32 = 1 << 22;
pub(crate) const PLUS: u32 = 1 << 23;

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = kind(byte as u8);
        byte += 1;
    }
    table
}

const fn kind(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' | b',' => 0,
        b'.' => DOT,
        b'\'' | b'"' => QUOTE,
        b'<' | b'>' => ANGLE,
        b'(' | b')' => PAREN,
        b';' => SEMICOLON,
        b'|' => PIPE,
        b'&' => AMPERSAND,
        b'$' => DOLLAR,
        b'`' => TICK,
        b'{' | b'}' => BRACE,
        b'[' | b']' => BRACKET,
        b'%' => PERCENT,
        b'\\' => BACKSLASH,
        b'/' => SLASH,
        b'#' => HASH,
        b'*' => STAR,
        b'=' => EQUALS,
        b':' => COLON,
        b'+' => PLUS,
        b'\r' | b'\n' => LINE,
        b' ' | b'\t' => SPACE,
        0..=31 | 127 => CONTROL,
        128..=255 => HIGH,
        _ => OTHER,
    }
}

// === impl Marks ===

impl Marks {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |marks, byte| marks | TABLE[usize::from(byte)]))
    }

    /// Letters, digits and the signs of identifiers: nothing to break out with.
    pub(crate) fn is_plain(self) -> bool {
        self.0 & !DOT == 0
    }

    /// Whether one of `kinds` is there.
    pub(crate) fn any(self, kinds: u32) -> bool {
        self.0 & kinds != 0
    }
}
