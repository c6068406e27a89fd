//! The tables of a policy's switches: they follow its code, and code finds them by their distance.

use crate::lower::program::DecisionWord;

/// Where a table begins.
pub(super) const ALIGNMENT: usize = 8;

/// The tables of all steps, one after the other.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) bytes: Vec<u8>,
}

/// A table of unsigned numbers.
#[derive(Clone, Copy)]
pub(super) struct Table {
    /// Where it begins.
    pub(super) offset: u32,
    /// The bytes of an entry: 1, 2, 4 or 8.
    pub(super) width: usize,
}

impl Tables {
    /// Adds a table of words, with entries as narrow as its largest word allows.
    pub(super) fn add(&mut self, words: &[DecisionWord]) -> Table {
        let largest = words.iter().map(|word| word.0).max().unwrap_or(0);
        let bytes = (64 - largest.leading_zeros() as usize).div_ceil(8).max(1);
        let width = bytes.next_power_of_two();
        self.bytes.resize(self.bytes.len().next_multiple_of(width), 0);
        let offset = self.bytes.len() as u32;
        for word in words {
            self.bytes.extend_from_slice(&word.0.to_le_bytes()[..width]);
        }
        Table { offset, width }
    }
}
