//! Random programs, built from a string of bytes: what proptest shrinks and what a fuzzer mutates.

use std::sync::Arc;

use cranelift_entity::{EntityRef, PrimaryMap};
use stepup::check::policy::StepId;
use stepup::lower::layout::{Layout, MAX_NUMBER, NEVER, WordSlot};
use stepup::lower::program::{Case, Interface, Node, NodeId, Program, SetFormula, StepProgram, Test};

/// The words of every program here: three of any bits, `now`, two stamps, and two numbers under 64.
const WORDS: u32 = 8;
const NOW: WordSlot = WordSlot(3);
const STAMPS: [WordSlot; 2] = [WordSlot(4), WordSlot(5)];
const SMALL: [WordSlot; 2] = [WordSlot(6), WordSlot(7)];

/// Bytes that decide what is built; zeros once they are used up.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// A number under `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()])) % end.max(1)
    }

    fn one_of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }

    fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

/// A program of one to three steps.
pub(crate) fn program(choices: &mut Choices<'_>) -> Program {
    let mut steps = PrimaryMap::new();
    for _ in 0..=choices.below(3) {
        steps.push(step(choices));
    }
    program_of(WORDS as usize, steps)
}

/// A program around steps, with nothing to show for its commands.
pub(crate) fn program_of(words: usize, steps: PrimaryMap<StepId, StepProgram>) -> Program {
    let layout = Layout { words, ..Layout::default() };
    Program { steps, interface: Interface { layout: Arc::new(layout), ..Interface::default() } }
}

/// Random words that every question here can be asked about.
pub(crate) fn facts(choices: &mut Choices<'_>) -> Vec<u64> {
    let slots = (0..WORDS).map(WordSlot);
    slots.map(|slot| value_for(choices, slot) as u64).collect()
}

fn step(choices: &mut Choices<'_>) -> StepProgram {
    let mut nodes: PrimaryMap<NodeId, Node> = PrimaryMap::new();
    nodes.push(Node::End);
    let rows = choices.below(60);
    while nodes.len() < rows && !choices.is_used_up() {
        match choices.below(12) {
            0..4 => {
                optional_command(choices, &mut nodes);
                continue;
            }
            4 => {
                rules(choices, &mut nodes);
                continue;
            }
            _ => {}
        }
        let node = node(choices, nodes.len());
        nodes.push(node);
    }
    let entry = match choices.below(8) {
        0 => NodeId::new(choices.below(nodes.len())),
        _ => NodeId::new(nodes.len() - 1),
    };
    StepProgram { entry, nodes }
}

/// A command that executes or not, then what stood last: in a row they give many words for one node.
fn optional_command(choices: &mut Choices<'_>, nodes: &mut PrimaryMap<NodeId, Node>) {
    let before = NodeId::new(nodes.len() - 1);
    let command = nodes.push(Node::Command { number: choices.one_of(&[1, 2, 3, 0xFFFE]), next: before });
    nodes.push(Node::Branch { test: test(choices), then: command, otherwise: before });
}

/// A switch with many arms that ask alike: up to four questions, each with constants of its own, then a command or a
/// denial, or else what stood last.
fn rules(choices: &mut Choices<'_>, nodes: &mut PrimaryMap<NodeId, Node>) {
    let last = NodeId::new(nodes.len() - 1);
    let end = choices.one_of(&[last, NodeId::new(0)]);
    let slot = choices.one_of(&SMALL);
    let (questions, kinds) = (choices.below(5), choices.word());
    let mut cases = Vec::new();
    for value in 0..choices.below(12) as i64 {
        let mut arm = nodes.push(match choices.below(4) {
            0 => Node::Deny(choices.one_of(&[0, 7, 300])),
            _ => Node::Command { number: choices.one_of(&[1, 2, 300]), next: end },
        });
        for question in 0..questions {
            let kind = (kinds >> (8 * question)) as usize % 6;
            let node = Node::Branch { test: test_of(choices, kind), then: arm, otherwise: end };
            arm = nodes.push(node);
        }
        cases.push(Case::of(value * choices.one_of(&[1, 1, 1, 5]) + choices.below(2) as i64, arm));
    }
    cases.sort_by_key(|case| case.low);
    cases.dedup_by_key(|case| case.low);
    nodes.push(Node::Switch { slot, cases, otherwise: end });
}

fn node(choices: &mut Choices<'_>, rows: usize) -> Node {
    match choices.below(16) {
        0 => Node::Deny(choices.one_of(&[0, 1, 7, 0xFFFD])),
        1..6 => {
            Node::Command { number: choices.one_of(&[1, 2, 3, 4, 300, 0xFFFE]), next: edge(choices, rows) }
        }
        6..8 => switch(choices, rows),
        _ => Node::Branch { test: test(choices), then: edge(choices, rows), otherwise: edge(choices, rows) },
    }
}

/// A switch over values, ranges, and what lies between and around them.
fn switch(choices: &mut Choices<'_>, rows: usize) -> Node {
    let slot = choices.one_of(&[SMALL[0], SMALL[1], WordSlot(0), STAMPS[0]]);
    let mut bounds: Vec<i64> = (0..choices.below(16)).map(|_| value_for(choices, slot)).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut cases: Vec<Case> = Vec::new();
    for (place, &low) in bounds.iter().enumerate() {
        if cases.last().is_some_and(|last| last.high >= low) {
            continue;
        }
        let high =
            if choices.below(3) == 0 { bounds.get(place + 1).copied().unwrap_or(i64::MAX) } else { low };
        cases.push(Case { low, high, target: edge(choices, rows) });
    }
    Node::Switch { slot, cases, otherwise: edge(choices, rows) }
}

/// Mostly to a row just before, so that paths are long and meet again.
fn edge(choices: &mut Choices<'_>, rows: usize) -> NodeId {
    let back = match choices.below(6) {
        0 => choices.below(rows),
        _ => choices.below(4.min(rows)),
    };
    NodeId::new(rows - 1 - back)
}

fn test(choices: &mut Choices<'_>) -> Test {
    let kind = choices.below(6);
    test_of(choices, kind)
}

fn test_of(choices: &mut Choices<'_>, kind: usize) -> Test {
    let slot = any_slot(choices);
    match kind {
        0 => Test::AnyBit { slot, mask: mask(choices) },
        1 => {
            let mask = mask(choices);
            let value = if choices.below(2) == 0 { mask } else { mask & choices.word() };
            Test::Masked { slot, mask, value }
        }
        2 => {
            let (low, high) = bounds(choices, slot);
            Test::Between { slot, low, high }
        }
        3 => Test::OneOf { slot: choices.one_of(&SMALL), mask: mask(choices) },
        4 => {
            let (low, high) = bounds(choices, STAMPS[0]);
            Test::Age { now: NOW, stamp: choices.one_of(&STAMPS), low, high }
        }
        _ => {
            let (low, high) =
                (choices.one_of(&[0, 0, 1, 1, 2, 64]), choices.one_of(&[0, 1, 3, 63, 64, u32::MAX]));
            Test::Count { set: set(choices, 0).into(), low, high }
        }
    }
}

fn bounds(choices: &mut Choices<'_>, slot: WordSlot) -> (i64, i64) {
    let low = value_for(choices, slot);
    match choices.below(5) {
        0 => (low, low),
        1 => (i64::MIN, low),
        2 => (low, i64::MAX),
        _ => (low, value_for(choices, slot)),
    }
}

fn set(choices: &mut Choices<'_>, depth: usize) -> SetFormula {
    let part = |choices: &mut Choices<'_>| Box::new(set(choices, depth + 1));
    match choices.below(if depth < 4 { 6 } else { 2 }) {
        0 => SetFormula::Word(any_slot(choices)),
        1 => SetFormula::Listed((0..choices.below(5)).map(|_| choices.below(64) as u8).collect()),
        2 => SetFormula::Intersect(part(choices), part(choices)),
        3 => SetFormula::Union(part(choices), part(choices)),
        4 => SetFormula::Except(part(choices), part(choices)),
        _ => {
            let (slot, mask) = (any_slot(choices), mask(choices));
            SetFormula::If { slot, mask, then: part(choices), otherwise: part(choices) }
        }
    }
}

fn any_slot(choices: &mut Choices<'_>) -> WordSlot {
    WordSlot(choices.below(WORDS as usize) as u32)
}

fn mask(choices: &mut Choices<'_>) -> u64 {
    match choices.below(5) {
        0 => choices.word(),
        1 => 1 << 63,
        2 => choices.word() & choices.word() & choices.word(),
        _ => 1 << choices.below(64),
    }
}

fn value_for(choices: &mut Choices<'_>, slot: WordSlot) -> i64 {
    if SMALL.contains(&slot) {
        choices.below(64) as i64
    } else if slot == NOW || STAMPS.contains(&slot) {
        let any = choices.word() as i64 % MAX_NUMBER;
        choices.one_of(&[any, 0, 1, 5000, 5001, MAX_NUMBER, -MAX_NUMBER, if slot == NOW { 0 } else { NEVER }])
    } else {
        let any = choices.word() as i64;
        choices.one_of(&[any, any & 0xFF, any & 7, 0, 1, -1, i64::MIN, i64::MAX])
    }
}
