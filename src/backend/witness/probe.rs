//! Probes: the nearest words on both sides of a question's constants. Whoever has a bound, a mask or a table wrong
//! by a little decides them wrong.

use crate::lower::layout::WordSlot;
use crate::lower::program::{Node, Test};

/// Visits records of words near an answer that was just given; each differs in one word. Of a switch, the cases are
/// visited when they are given, and all that lies around them when none is.
pub(super) fn each_neighbour(
    node: &Node,
    arm: usize,
    words: &mut [u64],
    visit: &mut impl FnMut(WordSlot, &[u64]),
) {
    match node {
        Node::Branch { test, .. } => around_test(test, words, visit),
        Node::Switch { slot, cases, .. } => {
            let cases = match cases.get(arm) {
                Some(case) => std::slice::from_ref(case),
                None => cases,
            };
            for case in cases {
                for value in edges(case.low, case.high) {
                    with(words, *slot, value as u64, visit);
                }
            }
        }
        Node::End | Node::Deny(_) | Node::Command { .. } => {}
    }
}

fn around_test(test: &Test, words: &mut [u64], visit: &mut impl FnMut(WordSlot, &[u64])) {
    let word = |words: &[u64], slot: WordSlot| words.get(slot.0 as usize).copied().unwrap_or(0);
    match test {
        Test::AnyBit { slot, mask } | Test::Masked { slot, mask, .. } => {
            let value = word(words, *slot);
            with(words, *slot, value ^ !mask, visit);
            with(words, *slot, value & !mask, visit);
            with(words, *slot, value | mask, visit);
            for bit in (0..64).filter(|bit| mask >> bit & 1 != 0) {
                with(words, *slot, value ^ 1 << bit, visit);
                with(words, *slot, value & !mask | 1 << bit, visit);
            }
        }
        Test::Between { slot, low, high } => {
            for value in edges(*low, *high) {
                with(words, *slot, value as u64, visit);
            }
        }
        Test::OneOf { slot, .. } => {
            for number in 0..64 {
                with(words, *slot, number, visit);
            }
        }
        Test::Age { now, stamp, low, high } => {
            let at = word(words, *now) as i64;
            for age in edges(*low, *high) {
                with(words, *stamp, at.wrapping_sub(age) as u64, visit);
            }
        }
        Test::Count { set, .. } => {
            for slot in super::solve::words_of_set(set) {
                let value = word(words, slot);
                with(words, slot, 0, visit);
                with(words, slot, u64::MAX, visit);
                for bit in 0..64 {
                    with(words, slot, value ^ 1 << bit, visit);
                }
            }
        }
    }
}

/// The numbers around and at the ends of a range.
fn edges(low: i64, high: i64) -> [i64; 4] {
    [low.saturating_sub(1), low, high, high.saturating_add(1)]
}

/// Visits the words with one of them changed.
fn with(words: &mut [u64], slot: WordSlot, value: u64, visit: &mut impl FnMut(WordSlot, &[u64])) {
    let Some(word) = words.get_mut(slot.0 as usize) else { return };
    let before = std::mem::replace(word, value);
    visit(slot, words);
    if let Some(word) = words.get_mut(slot.0 as usize) {
        *word = before;
    }
}
