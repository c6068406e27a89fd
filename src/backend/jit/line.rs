//! How a number finds its place among the ranges of a switch.
//!
//! The ranges and the gaps between them cut all numbers into pieces. Where the pieces are about as many as the numbers
//! from the first cut to the last, each number has a place of its own there; otherwise the cuts are searched.
//! (A cut takes eight bytes, a place often one or two.)

use crate::lower::layout::WordSlot;
use crate::lower::program::{Case, NodeId};

/// All numbers, cut into places; each leads to a block.
pub(super) struct Line {
    pub(super) index: Index,
    pub(super) targets: Vec<NodeId>,
}

/// How the place of a number is worked out.
#[derive(Debug)]
pub(super) enum Index {
    /// There is one place.
    Whole,
    /// `number - first`, read as unsigned, but at most `last`: what lies below shares the place of what lies above.
    Wrapped {
        /// The number with place 0.
        first: i64,
        /// The last place.
        last: u64,
    },
    /// `number` held within `low..=high`, minus `low`.
    Held {
        /// The number with place 0, and all below.
        low: i64,
        /// The number with the last place, and all above.
        high: i64,
    },
    /// How many of these numbers, in ascending order, are not greater.
    Sorted(Vec<i64>),
    /// Of each place, several, by another word.
    Nested(Box<Nested>),
}

/// Lines of one word, each at a place of another.
#[derive(Debug)]
pub(super) struct Nested {
    pub(super) outer: Index,
    /// The word of the inner lines.
    pub(super) slot: WordSlot,
    /// By the place of the outer line.
    pub(super) parts: Vec<Part>,
}

/// A line in a longer one: place `base + min(number - first, last)`, all unsigned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) first: i64,
    pub(super) last: u64,
    pub(super) base: u64,
}

impl Line {
    /// The line of a switch. Its cases are in order and don't overlap.
    pub(super) fn new(cases: &[Case], otherwise: NodeId) -> Self {
        let mut line = Pieces { starts: Vec::new(), targets: vec![otherwise] };
        for case in cases {
            line.begin(case.low, case.target);
            if let Some(after) = case.high.checked_add(1) {
                line.begin(after, otherwise);
            }
        }
        line.dense(4 * cases.len() + 64).unwrap_or_else(|| line.sorted())
    }
}

/// A line under construction: piece `i + 1` begins at `starts[i]`.
struct Pieces {
    starts: Vec<i64>,
    targets: Vec<NodeId>,
}

impl Pieces {
    fn begin(&mut self, start: i64, target: NodeId) {
        if start == i64::MIN || self.starts.last() == Some(&start) {
            self.targets.pop();
            self.targets.push(target);
        } else {
            self.starts.push(start);
            self.targets.push(target);
        }
    }

    /// A place for each number between the first cut and the last, if they are no more than `most`.
    fn dense(&self, most: usize) -> Option<Line> {
        let (&first, &last) = (self.starts.first()?, self.starts.last()?);
        let width = usize::try_from(last.abs_diff(first)).ok().filter(|width| *width <= most)?;
        let (&below, &above) = (self.targets.first()?, self.targets.last()?);
        let mut targets = Vec::with_capacity(width + 2);
        let index = if below == above {
            Index::Wrapped { first, last: width as u64 }
        } else {
            targets.push(below);
            // A cut never lies at the least number.
            Index::Held { low: first - 1, high: last }
        };
        for (piece, &start) in self.starts.iter().enumerate() {
            let length = self.starts.get(piece + 1).map_or(1, |next| next.abs_diff(start) as usize);
            targets.extend(std::iter::repeat_n(self.targets[piece + 1], length));
        }
        Some(Line { index, targets })
    }

    fn sorted(self) -> Line {
        let index = if self.starts.is_empty() { Index::Whole } else { Index::Sorted(self.starts) };
        Line { index, targets: self.targets }
    }
}
