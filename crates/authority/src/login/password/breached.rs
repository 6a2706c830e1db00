//! Lists of passwords that were stolen elsewhere (NIST SP 800-63B-4 §3.1.1.2), as their operator has them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use unicode_normalization::UnicodeNormalization as _;

/// Hexadecimal digits of SHA-1.
const DIGITS: usize = 40;
/// No line of hashes is longer, its count and its end included.
const LINE: usize = 64;
/// The longest list of plain passwords, in bytes; it is held in memory, eight bytes a password.
const MAX_PLAIN_BYTES: u64 = 64 * 1024 * 1024;
/// So many places of a list of hashes are looked at to see whether it is in order.
const PROBES: u64 = 256;

/// A list.
#[derive(Debug)]
pub enum Breached {
    /// SHA-1 hashes in order, as Pwned Passwords gives them out; searched where it lies, however large.
    Hashes {
        /// The file.
        file: File,
        /// Its length in bytes.
        bytes: u64,
    },
    /// Passwords, one a line: the first 64 bits of the SHA-256 of each, in order.
    Plain(Vec<u64>),
}

/// Why a file is no list.
#[derive(Debug, thiserror::Error)]
pub enum BadList {
    /// It is empty.
    #[error("there is no password in it")]
    Empty,
    /// The system's error.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Too many passwords to be held in memory.
    #[error("it has more than 64 MiB of passwords; use a list of SHA-1 hashes in order instead")]
    Large,
    /// A list of hashes in another order.
    #[error("its hashes are not in order; take the version ordered by hash, or sort it")]
    Unordered,
}

// === impl Breached ===

impl Breached {
    /// Opens a file of either kind: it has hashes when its first line is one.
    ///
    /// # Errors
    /// [`BadList`] says why it cannot be used.
    pub fn open(path: &Path) -> Result<Self, BadList> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut head = [0; LINE];
        let read = file.read_at(&mut head, 0)?;
        let head = head.get(..read).unwrap_or_default();
        if hash_of(head).is_some() {
            check_order(&file, bytes)?;
            return Ok(Self::Hashes { file, bytes });
        }
        if bytes > MAX_PLAIN_BYTES {
            return Err(BadList::Large);
        }
        let text = std::fs::read(path)?;
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| !line.is_empty());
        let mut known: Vec<u64> =
            lines.map(|line| short_hash(&line.nfkc().collect::<String>())).collect();
        known.sort_unstable();
        known.dedup();
        if known.is_empty() { Err(BadList::Empty) } else { Ok(Self::Plain(known)) }
    }

    /// Whether a password is on it.
    pub(super) fn contains(&self, password: &str) -> io::Result<bool> {
        match self {
            Self::Plain(known) => Ok(known.binary_search(&short_hash(password)).is_ok()),
            Self::Hashes { file, bytes } => {
                let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
                let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
                search(file, *bytes, hash.as_bytes())
            }
        }
    }
}

fn short_hash(password: &str) -> u64 {
    let hash = digest(&SHA256, password.as_bytes());
    hash.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The hash that a line begins with.
fn hash_of(line: &[u8]) -> Option<[u8; DIGITS]> {
    let mut hash: [u8; DIGITS] = line.get(..DIGITS)?.try_into().ok()?;
    hash.make_ascii_uppercase();
    let ended = matches!(line.get(DIGITS), None | Some(b':' | b'\r' | b'\n'));
    (ended && hash.iter().all(u8::is_ascii_hexdigit)).then_some(hash)
}

/// The first line that begins at or after a place, and where it begins; `None` behind the last.
fn line_from(file: &File, place: u64) -> io::Result<Option<(u64, [u8; DIGITS])>> {
    let mut buffer = [0; 2 * LINE];
    // One byte earlier: a line that begins at the place itself has its predecessor's end there.
    let from = place.saturating_sub(1);
    let read = file.read_at(&mut buffer, from)?;
    let buffer = buffer.get(..read).unwrap_or_default();
    let skipped = match place {
        0 => 0,
        _ => match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None => return Ok(None),
        },
    };
    let line = buffer.get(skipped..).unwrap_or_default();
    if line.is_empty() {
        return Ok(None);
    }
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a line is no SHA-1 hash");
    let hash = hash_of(line).ok_or_else(wrong)?;
    Ok(Some((from + u64::try_from(skipped).unwrap_or(u64::MAX), hash)))
}

fn search(file: &File, bytes: u64, wanted: &[u8]) -> io::Result<bool> {
    let (mut low, mut high) = (0, bytes);
    while low < high {
        let middle = low + (high - low) / 2;
        match line_from(file, middle)? {
            Some((_, hash)) if hash.as_slice() == wanted => return Ok(true),
            Some((at, hash)) if hash.as_slice() < wanted => low = at + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(false)
}

fn check_order(file: &File, bytes: u64) -> Result<(), BadList> {
    let mut last = None;
    for probe in 0..PROBES {
        let place = bytes / PROBES * probe + bytes % PROBES * probe / PROBES;
        let Some((at, hash)) = line_from(file, place)? else { break };
        if last.is_some_and(|(before, known)| at > before && hash <= known) {
            return Err(BadList::Unordered);
        }
        last = Some((at, hash));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::Write as _;

    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    use tempfile::NamedTempFile;

    use super::{BadList, Breached};

    fn sha1(password: &str) -> String {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn open(text: &str) -> Result<Breached, BadList> {
        let mut file = NamedTempFile::new().expect("file");
        file.write_all(text.as_bytes()).expect("write");
        Breached::open(file.path())
    }

    #[test]
    fn every_hash_of_an_ordered_list_is_found_and_no_other() {
        for (count, end) in [(1, "\n"), (2, "\r\n"), (500, "\n"), (501, "\r\n")] {
            let mut hashes: Vec<String> = (0..count).map(|n| sha1(&format!("word {n}"))).collect();
            hashes.sort();
            let mut text = String::new();
            for (position, hash) in hashes.iter().enumerate() {
                write!(text, "{hash}:{}{end}", position * 7919).expect("text");
            }
            for text in [text.as_str(), text.trim_end()] {
                let list = open(text).expect("list");
                for n in 0..count {
                    assert!(list.contains(&format!("word {n}")).expect("read"), "{n} of {count}");
                    assert!(!list.contains(&format!("other {n}")).expect("read"));
                }
            }
        }
    }

    #[test]
    fn a_plain_list_is_read_too() {
        let list = open("hunter2hunter2\n\ncaf\u{e9} au lait\r\n").expect("list");
        for password in ["hunter2hunter2", "café au lait"] {
            assert!(list.contains(password).expect("read"), "{password}");
        }
        for password in ["", "hunter2", "Hunter2hunter2"] {
            assert!(!list.contains(password).expect("read"), "{password}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(matches!(open(""), Err(BadList::Empty)));
        let (one, two) = (sha1("a").max(sha1("b")), sha1("a").min(sha1("b")));
        assert!(matches!(open(&format!("{one}:1\n{two}:1\n")), Err(BadList::Unordered)));
        assert!(matches!(open(&format!("{two}:1\nrubbish\n")), Err(BadList::Io(_))));
        assert!(matches!(Breached::open("/nonexistent".as_ref()), Err(BadList::Io(_))));
    }
}
