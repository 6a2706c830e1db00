//! The master key: what every key for data at rest is derived from.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use token::random::Random;
use zeroize::Zeroizing;

use crate::seal;

/// 32 random bytes.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum BadMasterKey {
    /// Not 32 bytes in a known notation. The text is not repeated: it may be nearly the key.
    #[error(
        "the master key must be 32 bytes, as 64 hexadecimal digits or as base64; \
         `openssl rand -hex 32` makes one"
    )]
    Form,
    /// The file cannot be read or made.
    #[error("the master key file cannot be read or made: {0}")]
    Io(#[from] io::Error),
}

// === impl MasterKey ===

impl MasterKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// From 64 hexadecimal digits; white space around them is ignored.
    ///
    /// # Errors
    /// [`BadMasterKey::Form`] when there are not 64, or other characters.
    pub fn from_hex(text: &str) -> Result<Self, BadMasterKey> {
        let digits = text.trim().as_bytes();
        if digits.len() != 64 {
            return Err(BadMasterKey::Form);
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).and_then(|value| value.try_into().ok());
                *byte = *byte << 4 | value.unwrap_or(0);
                value.map(|_: u8| ()).ok_or(BadMasterKey::Form)?;
            }
        }
        Ok(Self(bytes))
    }

    /// From base64 with padding (RFC 4648 §4); white space around it is ignored.
    ///
    /// # Errors
    /// [`BadMasterKey::Form`] when it is no base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, BadMasterKey> {
        let decoded = STANDARD.decode(text.trim()).map_err(|_| BadMasterKey::Form)?;
        let decoded = Zeroizing::new(decoded);
        let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| BadMasterKey::Form)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// Reads the key from a file, hexadecimal or base64; where there is no file, makes a key and
    /// a file that only its owner can read.
    ///
    /// # Errors
    /// [`BadMasterKey`] when the file is no key, or cannot be read or made.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, BadMasterKey> {
        let text = match fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate(random);
                key.save(path)?;
                return Ok(key);
            }
            Err(error) => return Err(error.into()),
        };
        // Mounted secrets are often readable by more than their owner; that is theirs to decide.
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "others than its owner can read the master key");
        }
        Self::from_hex(&text).or_else(|_| Self::from_base64(&text))
    }

    /// A key for one purpose and label.
    pub(crate) fn derive(&self, purpose: &str, label: &str) -> Zeroizing<[u8; 32]> {
        seal::derive(&*self.0, purpose, label)
    }

    /// Beside its place first: a start that is cut short must not leave half a key.
    fn save(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        make_private_folder(folder)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let unfinished = path.with_file_name(name);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 0x0f] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        text.push('\n');
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        File::open(folder)?.sync_all()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Makes a folder that only its owner can enter; one that exists is left as it is.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
