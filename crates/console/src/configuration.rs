//! The configuration of the process, as the admin API sees it: somebody else holds it.

use std::pin::Pin;

use token::time::Timestamp;

/// Holds the configuration of the process.
pub trait Configuration: Send + Sync {
    /// What is in force.
    fn status(&self) -> Status;

    /// Reads it again and applies it, whole or not at all.
    fn reload(&self) -> Reloading<'_>;
}

/// A configuration that is being read again.
pub type Reloading<'c> = Pin<Box<dyn Future<Output = Result<Applied, NotApplied>> + Send + 'c>>;

/// What is in force.
#[derive(Clone, Debug)]
pub struct Status {
    /// The file; `None` where the process was started without one.
    pub file: Option<String>,
    /// 1 from the start on, and one more with every change that was applied.
    pub version: u64,
    /// Since when this version is in force.
    pub since: Timestamp,
    /// The last attempt to change it, if that was refused.
    pub refused: Option<Refused>,
}

/// A change that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// Why: at least one.
    pub mistakes: Vec<Mistake>,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The configuration file.
    pub file: String,
    /// From 1, where it is known.
    pub line: Option<usize>,
    /// From 1, where it is known.
    pub column: Option<usize>,
    /// The option, such as `gateway.route[2].upstream`, where it is known.
    pub key: Option<String>,
    /// What is wrong, and how to mend it.
    pub reason: String,
}

/// What is in force now.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its version.
    pub version: u64,
    /// The options that have changed, or whose files have; none where all is as it was.
    pub changed: Vec<String>,
}

/// Why nothing has changed.
#[derive(Clone, Debug)]
pub enum NotApplied {
    /// There is no file to read.
    NoFile,
    /// It is wrong, or needs a restart; in `words` with one line for each mistake.
    Refused {
        /// What is wrong.
        mistakes: Vec<Mistake>,
        /// The same for people.
        words: String,
    },
}
