//! The interpreter: the definition of what a [`Program`](crate::lower::program::Program) means.
//!
//! It walks a step's graph and answers each question by reading words. It is small and obvious on purpose, since
//! machine code is held to it. A word or node that does not exist reads as 0 or ends the step: no record of words
//! makes it panic.

use crate::lower::layout::{OTHER_FACTOR, WordSlot};
use crate::lower::program::{Case, DecisionWord, Node, NodeId, SetFormula, StepProgram, Test};

/// What a step decides on a record.
pub fn decide(step: &StepProgram, words: &[u64]) -> DecisionWord {
    decide_counting(step, words).0
}

/// What a step decides on a record, and how many blocks it passes for that.
pub(crate) fn decide_counting(step: &StepProgram, words: &[u64]) -> (DecisionWord, usize) {
    let (mut decided, mut blocks) = (DecisionWord::NOTHING, 0);
    let mut at = step.entry;
    while let Some(node) = step.nodes.get(at) {
        blocks += 1;
        at = match node {
            Node::End => break,
            Node::Deny(reason) => {
                decided = DecisionWord::denied(*reason, decided.len());
                break;
            }
            Node::Command { number, next } => {
                decided = decided.with(*number);
                if decided == DecisionWord::LIMIT_EXCEEDED {
                    break;
                }
                *next
            }
            Node::Branch { test, then, otherwise } => {
                if holds(test, words) {
                    *then
                } else {
                    *otherwise
                }
            }
            Node::Switch { slot, cases, otherwise } => {
                case(cases, word(words, *slot) as i64).unwrap_or(*otherwise)
            }
        };
    }
    (decided, blocks)
}

fn case(cases: &[Case], value: i64) -> Option<NodeId> {
    let place = cases.partition_point(|case| case.high < value);
    cases.get(place).filter(|case| case.low <= value).map(|case| case.target)
}

/// The answer to a question.
pub fn holds(test: &Test, words: &[u64]) -> bool {
    let signed = |slot| word(words, slot) as i64;
    match test {
        Test::AnyBit { slot, mask } => word(words, *slot) & mask != 0,
        Test::Masked { slot, mask, value } => word(words, *slot) & mask == *value,
        Test::Between { slot, low, high } => (*low..=*high).contains(&signed(*slot)),
        Test::OneOf { slot, mask } => {
            let number = word(words, *slot);
            number < 64 && mask >> number & 1 != 0
        }
        Test::Age { now, stamp, low, high } => {
            (*low..=*high).contains(&signed(*now).wrapping_sub(signed(*stamp)))
        }
        Test::Count { set, low, high } => {
            (*low..=*high).contains(&set_mask(set, &|slot| word(words, slot)).count_ones())
        }
    }
}

/// The members of a set as a mask, by the words that `read` gives.
pub fn set_mask(set: &SetFormula, read: &impl Fn(WordSlot) -> u64) -> u64 {
    match set {
        SetFormula::Listed(factors) => factors.iter().fold(0, |mask, factor| mask | factor_bit(*factor)),
        SetFormula::Word(slot) => read(*slot),
        SetFormula::Intersect(a, b) => set_mask(a, read) & set_mask(b, read),
        SetFormula::Union(a, b) => set_mask(a, read) | set_mask(b, read),
        SetFormula::Except(a, b) => set_mask(a, read) & !set_mask(b, read),
        SetFormula::If { slot, mask, then, otherwise } => {
            set_mask(if read(*slot) & mask != 0 { then } else { otherwise }, read)
        }
    }
}

/// The bit of a factor; one that no catalog can hold has none.
pub fn factor_bit(factor: u8) -> u64 {
    1u64.checked_shl(factor.into()).unwrap_or(0) & !OTHER_FACTOR
}

fn word(words: &[u64], slot: WordSlot) -> u64 {
    words.get(slot.0 as usize).copied().unwrap_or(0)
}
