//! Jump threading: where a word's value is known, no further test of it is asked.
//!
//! `if x == 1 { a } if x == 2 { b }` tests `x` twice, and 10,000 such rules would test it 10,000 times. A block is
//! built after those it leads to, so when a test of equality is made, its yes-side is already there: it is copied
//! with the word's value known, up to where the word plays no part any more. Chains of equality tests remember
//! their arms by value, so that a copy finds its way through a long chain in one step.
//!
//! A copy answers as its original does, so it may end anywhere: depth and work are bounded.

use std::collections::HashMap;

use cranelift_entity::SecondaryMap;

use crate::lower::LowerError;
use crate::lower::graph::{Graph, for_each_target};
use crate::lower::layout::WordSlot;
use crate::lower::program::{Node, NodeId, Test};

/// How deep a copy follows what its first block leads to.
const MAX_DEPTH: usize = 48;

/// How many blocks all copies of a step may visit.
const MAX_WORK: usize = 1 << 18;

/// What is known of the blocks for threading.
#[derive(Default)]
pub(super) struct Threads {
    chains: Vec<Chain>,
    /// The chain that a block belongs to, and its place there.
    places: SecondaryMap<NodeId, Option<Place>>,
    /// The words that a block or one after it tests: a bit for each, shared by those 64 apart.
    tested: SecondaryMap<NodeId, u64>,
    work: usize,
}

#[derive(Clone, Copy)]
struct Place {
    chain: usize,
    position: usize,
}

/// Equality tests of one word that follow each other on their no-sides. Later ones come first when executed.
struct Chain {
    slot: WordSlot,
    /// For each value, the arms by the positions of their tests.
    arms: HashMap<u64, Vec<(usize, NodeId)>>,
    first: NodeId,
    length: usize,
    /// Where the last no leads.
    end: NodeId,
}

impl Threads {
    /// Takes note of a new block.
    pub(super) fn register(&mut self, id: NodeId, node: &Node) {
        let mut tested = 0;
        for_each_target(node, |target| tested |= self.tested[target]);
        let Some(slot) = tested_word(node) else {
            self.tested[id] = tested;
            return;
        };
        self.tested[id] = tested | bit(slot);
        let Some(link) = link(node, slot) else { return };
        let place = self.extend(slot, id, link.otherwise);
        for (value, target) in link.cases {
            self.chains[place.chain].arms.entry(value).or_default().push((place.position, target));
        }
        self.places[id] = Some(place);
    }

    /// Puts a test before the chain that its no leads to, if that is its first test; else begins a chain.
    fn extend(&mut self, slot: WordSlot, id: NodeId, otherwise: NodeId) -> Place {
        if let Some(Place { chain, .. }) = self.places[otherwise] {
            let known = &mut self.chains[chain];
            if known.slot == slot && known.first == otherwise {
                known.first = id;
                known.length += 1;
                return Place { chain, position: known.length - 1 };
            }
        }
        self.chains.push(Chain { slot, arms: HashMap::new(), first: id, length: 1, end: otherwise });
        Place { chain: self.chains.len() - 1, position: 0 }
    }

    /// Where a chain on this word leads from a block of it, for a value.
    fn through(&self, id: NodeId, slot: WordSlot, value: u64) -> Option<NodeId> {
        let Place { chain, position } = self.places[id]?;
        let chain = self.chains.get(chain).filter(|chain| chain.slot == slot)?;
        let arms = chain.arms.get(&value).map_or(&[][..], Vec::as_slice);
        let before = arms.partition_point(|(place, _)| *place <= position);
        Some(before.checked_sub(1).map_or(chain.end, |last| arms[last].1))
    }
}

impl Graph {
    /// A block as it is where a word has a known value.
    pub(super) fn known(&mut self, at: NodeId, slot: WordSlot, value: u64) -> Result<NodeId, LowerError> {
        self.known_within(at, slot, value, MAX_DEPTH)
    }

    fn known_within(
        &mut self,
        mut at: NodeId,
        slot: WordSlot,
        value: u64,
        depth: usize,
    ) -> Result<NodeId, LowerError> {
        while let Some(next) = self.answered(at, slot, value) {
            at = next;
        }
        if depth == 0 || self.threads.work == MAX_WORK || self.threads.tested[at] & bit(slot) == 0 {
            return Ok(at);
        }
        self.threads.work += 1;
        match self.node(at).clone() {
            Node::Command { number, next } => {
                let next = self.known_within(next, slot, value, depth - 1)?;
                self.add(Node::Command { number, next })
            }
            Node::Branch { test, then, otherwise } => {
                let then = self.known_within(then, slot, value, depth - 1)?;
                let otherwise = self.known_within(otherwise, slot, value, depth - 1)?;
                self.branch(test, then, otherwise)
            }
            // To copy a table for each value of another word would not pay.
            Node::End | Node::Deny(_) | Node::Switch { .. } => Ok(at),
        }
    }

    /// Where a block leads that asks only about the known word.
    fn answered(&self, at: NodeId, slot: WordSlot, value: u64) -> Option<NodeId> {
        if let Some(next) = self.threads.through(at, slot, value) {
            return Some(next);
        }
        match self.node(at) {
            Node::Branch { test: Test::Between { slot: tested, low, high }, then, otherwise }
                if *tested == slot =>
            {
                Some(if (*low..=*high).contains(&(value as i64)) { *then } else { *otherwise })
            }
            _ => None,
        }
    }
}

fn bit(slot: WordSlot) -> u64 {
    1 << (slot.0 % 64)
}

/// A block that asks whether a word has certain values.
pub(super) struct Link {
    pub(super) cases: Vec<(u64, NodeId)>,
    pub(super) otherwise: NodeId,
}

/// The word that a block asks about as a number.
pub(super) fn tested_word(node: &Node) -> Option<WordSlot> {
    match node {
        Node::Branch { test: Test::Between { slot, .. } | Test::OneOf { slot, .. }, .. } => Some(*slot),
        Node::Switch { slot, .. } => Some(*slot),
        _ => None,
    }
}

/// A block as a test of equality of a word, if it is one.
pub(super) fn link(node: &Node, wanted: WordSlot) -> Option<Link> {
    match node {
        Node::Branch { test, then, otherwise } => {
            let cases = values(test, wanted)?.map(|value| (value, *then)).collect();
            Some(Link { cases, otherwise: *otherwise })
        }
        Node::Switch { slot, cases, otherwise } if *slot == wanted => {
            Some(Link { cases: cases.clone(), otherwise: *otherwise })
        }
        _ => None,
    }
}

/// The values for which a test of a word holds, if it is about equality.
pub(super) fn values(test: &Test, wanted: WordSlot) -> Option<impl Iterator<Item = u64> + use<>> {
    let (values, mask) = match test {
        Test::Between { slot, low, high } if slot == &wanted && low == high => {
            (*low as u64..=*low as u64, u64::MAX)
        }
        Test::OneOf { slot, mask } if slot == &wanted => (0..=63, *mask),
        _ => return None,
    };
    Some(values.filter(move |value| *value > 63 || mask >> *value & 1 != 0))
}
