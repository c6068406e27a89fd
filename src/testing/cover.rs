//! Choosing few of many tests that together meet what all of them do.
//!
//! A flow of a thousand rules has some thousand candidates, each of which meets a thousand things, so what they meet is
//! a set of bits, and what a candidate adds is counted again only when it would be the next to be taken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A login as a test, with what it meets by its number.
pub(super) struct Candidate {
    pub name: String,
    pub clauses: String,
    pub met: Bits,
}

/// Candidates that together meet what all do: the one that adds most, then the one that adds most to it, and so on; of
/// equals, the shorter.
pub(super) fn few_that_cover(candidates: &[Candidate], aims: usize) -> Vec<&Candidate> {
    let mut covered = Bits::none(aims);
    let rank = |place: usize, adds: usize| {
        let length = candidates.get(place).map_or(0, |test| test.clauses.len());
        (adds, Reverse(length), place)
    };
    let all = candidates.iter().enumerate();
    let mut waiting: BinaryHeap<_> = all.map(|(place, test)| rank(place, test.met.count())).collect();
    let mut kept = Vec::new();
    // What a candidate adds only falls, so one that still adds what it did is the best of all.
    while let Some((added, _, place)) = waiting.pop() {
        let Some(test) = candidates.get(place) else { continue };
        match test.met.count_outside(&covered) {
            0 => {}
            adds if adds == added => {
                covered.add(&test.met);
                kept.push(test);
            }
            adds => waiting.push(rank(place, adds)),
        }
    }
    drop_what_others_cover(&mut kept, aims);
    kept
}

/// A test chosen early may have become needless by those chosen later.
fn drop_what_others_cover(kept: &mut Vec<&Candidate>, aims: usize) {
    let mut times: Vec<usize> =
        (0..aims).map(|place| kept.iter().filter(|test| test.met.has(place)).count()).collect();
    kept.retain(|test| {
        let met: Vec<usize> = (0..aims).filter(|place| test.met.has(*place)).collect();
        let is_needed = met.iter().any(|place| times.get(*place) == Some(&1));
        if !is_needed {
            met.iter().filter_map(|place| times.get_mut(*place).map(|times| *times -= 1)).for_each(drop);
        }
        is_needed
    });
}

/// A set of small numbers.
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn none(length: usize) -> Bits {
        Bits(vec![0; length.div_ceil(64)])
    }

    /// Some of the numbers below a length.
    pub(super) fn of(numbers: impl Iterator<Item = usize>, length: usize) -> Bits {
        let mut bits = Bits::none(length);
        for number in numbers {
            if let Some(word) = bits.0.get_mut(number / 64) {
                *word |= 1 << (number % 64);
            }
        }
        bits
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn add(&mut self, others: &Bits) {
        self.0.iter_mut().zip(&others.0).for_each(|(word, other)| *word |= other);
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn count_outside(&self, others: &Bits) -> usize {
        self.0.iter().zip(&others.0).map(|(word, other)| (word & !other).count_ones() as usize).sum()
    }
}
