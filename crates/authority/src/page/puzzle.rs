//! The part of the sign-in form that has a browser do work.

use std::fmt::Write as _;

use super::asset;
use crate::login::puzzle::{PARTS, Puzzle};
use crate::settings::Settings;

/// What the script is given, and what stands there without one.
#[derive(Clone, Debug)]
pub(crate) struct PuzzlePrompt {
    /// What the form brings back.
    pub(crate) sealed: String,
    /// What every hash begins with, in hexadecimal digits.
    pub(crate) seed: String,
    /// Zero bits of each part.
    pub(crate) bits: u32,
    /// How many parts there are.
    pub(crate) parts: u32,
    /// How long to wait where no script runs.
    pub(crate) waiting: String,
    /// Where the script is.
    pub(crate) script: String,
}

// === impl PuzzlePrompt ===

impl PuzzlePrompt {
    /// For a puzzle, with what its form brings back and what is said without a script.
    pub(crate) fn new(
        settings: &Settings,
        puzzle: &Puzzle,
        sealed: String,
        waiting: String,
    ) -> Self {
        let seed = puzzle.seed().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        let (bits, script) = (puzzle.difficulty().bits(), asset::PUZZLE.path(settings));
        Self { sealed, seed, bits, parts: PARTS, waiting, script }
    }
}
