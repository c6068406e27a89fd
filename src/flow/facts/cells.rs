//! A line of numbers, cut into the stretches within which every test of the policy has one answer.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::check::policy::Comparison;

/// The largest int, duration or instant, and with a minus the smallest: what JSON carries exactly.
pub(in crate::flow) const MAX_NUMBER: i64 = (1 << 53) - 1;

/// Where comparisons change their answer: each cut is the first number of a stretch.
pub(in crate::flow) type Cuts = BTreeSet<i64>;

/// Adds the cuts of one comparison.
pub(super) fn cut(cuts: &mut Cuts, comparison: Comparison, constant: i64) {
    let after = constant.saturating_add(1);
    match comparison {
        Comparison::Equal => cuts.extend([constant, after]),
        Comparison::Less | Comparison::GreaterOrEqual => cuts.extend([constant]),
        Comparison::LessOrEqual | Comparison::Greater => cuts.extend([after]),
    }
}

/// A cut line: cell `i` reaches from start `i` to the next start.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::flow) struct Cells {
    starts: Vec<i64>,
    end: i64,
}

impl Cells {
    /// Cuts a range, which must not be empty.
    pub(super) fn new(range: Range<i64>, cuts: &Cuts) -> Self {
        let inside = cuts.range(range.start.saturating_add(1)..range.end.max(range.start + 1));
        let starts = std::iter::once(range.start).chain(inside.copied()).collect();
        Cells { starts, end: range.end }
    }

    /// How many cells there are; at least one.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Where the cells begin.
    pub(super) fn starts(&self) -> &[i64] {
        &self.starts
    }

    /// The cell of a number. (Numbers outside the range fall into the nearest.)
    pub(super) fn cell_of(&self, number: i64) -> u32 {
        self.starts.partition_point(|&start| start <= number).saturating_sub(1) as u32
    }

    /// The numbers of a cell.
    pub(super) fn range(&self, cell: u32) -> Range<i64> {
        let at = |index: usize| self.starts.get(index).copied();
        let start = at(cell as usize).unwrap_or(self.end - 1);
        start..at(cell as usize + 1).unwrap_or(self.end)
    }

    /// The number of a cell that is nearest to `wish`.
    pub(super) fn nearest(&self, cell: u32, wish: i64) -> i64 {
        let range = self.range(cell);
        wish.clamp(range.start, range.end - 1)
    }

    /// The number of a cell that is nearest to `unit`, a multiple of it where the cell has one.
    pub(super) fn nearest_multiple(&self, cell: u32, unit: i64) -> i64 {
        let number = self.nearest(cell, unit);
        let below = number - number.rem_euclid(unit);
        let range = self.range(cell);
        [below, below + unit].into_iter().find(|multiple| range.contains(multiple)).unwrap_or(number)
    }

    /// The cells whose numbers compare so with a constant that was cut for.
    pub(super) fn where_compares(&self, comparison: Comparison, constant: i64) -> Range<u32> {
        let before = |bound: i64| self.starts.partition_point(|&start| start < bound) as u32;
        let (count, next) = (self.count() as u32, constant.saturating_add(1));
        match comparison {
            Comparison::Less => 0..before(constant),
            Comparison::LessOrEqual => 0..before(next),
            Comparison::Greater => before(next)..count,
            Comparison::GreaterOrEqual => before(constant)..count,
            Comparison::Equal if constant < self.range(0).start || constant >= self.end => 0..0,
            Comparison::Equal => self.cell_of(constant)..self.cell_of(constant) + 1,
        }
    }
}
