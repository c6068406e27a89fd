//! What emission relies on: edges lead to earlier rows, slots lie in the record, numbers fit the decision word.
//! Machine code checks none of it.

use std::ops::RangeInclusive;

use super::JitError;
use crate::lower::layout::WordSlot;
use crate::lower::program::{MAX_COMMANDS, Node, NodeId, Program, SetFormula, Test};

/// The most words of a record: their offsets in bytes fit the displacement of an instruction.
const MAX_WORDS: usize = 1 << 24;

/// The numbers a command may have: 0 and 0xFFFF mean something else in a decision word.
const NUMBERS: RangeInclusive<usize> = 1..=MAX_COMMANDS;

/// Refuses a program whose machine code could read outside of the facts or run without end.
pub(super) fn validate(program: &Program) -> Result<(), JitError> {
    let words = program.interface.layout.words;
    if words > MAX_WORDS {
        return Err(JitError::TooLarge { what: "words of facts", limit: MAX_WORDS });
    }
    for (id, step) in &program.steps {
        let name = program.interface.steps.get(id).map_or("", |name| name);
        let malformed = |node| JitError::Malformed { step: name.to_owned(), node };
        if !step.nodes.is_valid(step.entry) {
            return Err(malformed(step.entry));
        }
        let mut rows = step.nodes.iter();
        if let Some((row, _)) =
            rows.find(|(row, node)| !(leads_back(*row, node) && reads_inside(node, words)))
        {
            return Err(malformed(row));
        }
    }
    Ok(())
}

fn leads_back(id: NodeId, node: &Node) -> bool {
    match node {
        Node::End | Node::Deny(_) => true,
        Node::Command { number, next } => NUMBERS.contains(&usize::from(*number)) && *next < id,
        Node::Branch { then, otherwise, .. } => *then < id && *otherwise < id,
        Node::Switch { cases, otherwise, .. } => {
            *otherwise < id
                && cases.iter().all(|case| case.target < id && case.low <= case.high)
                && cases.is_sorted_by(|before, after| before.high < after.low)
        }
    }
}

fn reads_inside(node: &Node, words: usize) -> bool {
    let inside = |slot: &WordSlot| (slot.0 as usize) < words;
    match node {
        Node::End | Node::Deny(_) | Node::Command { .. } => true,
        Node::Switch { slot, .. } => inside(slot),
        Node::Branch { test, .. } => match test {
            Test::AnyBit { slot, .. }
            | Test::Masked { slot, .. }
            | Test::Between { slot, .. }
            | Test::OneOf { slot, .. } => inside(slot),
            Test::Age { now, stamp, .. } => inside(now) && inside(stamp),
            Test::Count { set, .. } => formula_reads_inside(set, words),
        },
    }
}

fn formula_reads_inside(formula: &SetFormula, words: usize) -> bool {
    let mut work = vec![formula];
    while let Some(formula) = work.pop() {
        let slot = match formula {
            SetFormula::Listed(_) => continue,
            SetFormula::Word(slot) => slot,
            SetFormula::Intersect(a, b) | SetFormula::Union(a, b) | SetFormula::Except(a, b) => {
                work.extend([&**a, &**b]);
                continue;
            }
            SetFormula::If { slot, then, otherwise, .. } => {
                work.extend([&**then, &**otherwise]);
                slot
            }
        };
        if slot.0 as usize >= words {
            return false;
        }
    }
    true
}
