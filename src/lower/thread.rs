//! Jump threading: where a word's value is known to lie in a range, no test is asked that the range answers.
//!
//! `if x == 1 { a } if x == 2 { b }` tests `x` twice, and 10,000 such rules would test it 10,000 times. A block is
//! built after those it leads to, so when a test of a number is made, its yes-side is already there: it is copied
//! with the word's range known, up to where the word plays no part any more. Chains of tests of one word remember
//! which range leads where, so that a copy finds its way through a long chain in one step.
//!
//! A copy answers as its original does, so it may end anywhere: depth and work are bounded.

use std::collections::BTreeMap;

use cranelift_entity::SecondaryMap;
use smallvec::{SmallVec, smallvec};

use crate::lower::LowerError;
use crate::lower::graph::{Graph, for_each_target};
use crate::lower::layout::WordSlot;
use crate::lower::program::{Case, Node, NodeId, Test};

/// How deep a copy follows what its first block leads to.
pub(super) const MAX_DEPTH: usize = 48;

/// The same where the word may still have several values, so that a copy answers less.
const MAX_RANGE_DEPTH: usize = 12;

/// How many tests of another word may follow each other in a copy.
const MAX_COPIED_CHAIN: usize = 4;

/// How many blocks all copies of a step may visit.
const MAX_WORK: usize = 1 << 18;

/// Into how many pieces the tests of a chain may cut one range.
const MAX_PIECES: usize = 16;

/// A range of a word's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) low: i64,
    pub(super) high: i64,
}

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

/// Tests of one word that follow each other on their no-sides. Later ones come first when executed.
struct Chain {
    slot: WordSlot,
    /// Ranges by their least number, of which some test says yes to all.
    pieces: BTreeMap<i64, Piece>,
    first: NodeId,
    length: usize,
    /// Where the last no leads.
    end: NodeId,
}

#[derive(Clone)]
struct Piece {
    high: i64,
    /// Where it leads from tests that say yes to it, by their positions.
    arms: SmallVec<[(usize, NodeId); 1]>,
}

impl Chain {
    /// The pieces that a range meets.
    fn met(&self, span: Span) -> impl Iterator<Item = (Span, &Piece)> {
        let before = self.pieces.range(..span.low).next_back().filter(|(_, piece)| piece.high >= span.low);
        let met = before.into_iter().chain(self.pieces.range(span.low..=span.high.max(span.low)));
        met.map(|(low, piece)| (Span { low: *low, high: piece.high }, piece))
    }

    /// Notes that the test at a position says yes to a range.
    fn add(&mut self, case: Case, position: usize) {
        self.cut(case.low);
        if let Some(after) = case.high.checked_add(1) {
            self.cut(after);
        }
        let mut gaps: SmallVec<[(i64, i64); 4]> = SmallVec::new();
        let mut from = Some(case.low);
        for (&low, piece) in self.pieces.range_mut(case.low..=case.high) {
            gaps.extend(from.filter(|from| *from < low).map(|from| (from, low - 1)));
            piece.arms.push((position, case.target));
            from = piece.high.checked_add(1);
        }
        gaps.extend(from.filter(|from| *from <= case.high).map(|from| (from, case.high)));
        for (low, high) in gaps {
            self.pieces.insert(low, Piece { high, arms: smallvec![(position, case.target)] });
        }
    }

    /// Makes a piece begin at a number, if one holds it.
    fn cut(&mut self, at: i64) {
        let Some((_, piece)) = self.pieces.range_mut(..at).next_back().filter(|(_, piece)| piece.high >= at)
        else {
            return;
        };
        let upper = piece.clone();
        piece.high = at - 1;
        self.pieces.insert(at, upper);
    }
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
        let place = self.extend(slot, id, &link);
        for case in link.cases {
            self.chains[place.chain].add(case, place.position);
        }
        self.places[id] = Some(place);
    }

    /// Puts a test before the chain that its no leads to, if that is its first test; else begins a chain.
    fn extend(&mut self, slot: WordSlot, id: NodeId, link: &Link) -> Place {
        if let Some(Place { chain, .. }) = self.places[link.otherwise] {
            let known = &mut self.chains[chain];
            let met = |case: &Case| known.met(case.span()).take(MAX_PIECES + 1).count();
            if known.slot == slot
                && known.first == link.otherwise
                && link.cases.iter().all(|case| met(case) <= MAX_PIECES)
            {
                known.first = id;
                known.length += 1;
                return Place { chain, position: known.length - 1 };
            }
        }
        let chain = Chain { slot, pieces: BTreeMap::new(), first: id, length: 1, end: link.otherwise };
        self.chains.push(chain);
        Place { chain: self.chains.len() - 1, position: 0 }
    }

    /// Whether a block is followed by so many tests of its word that they will be a table. To copy that for each value of
    /// another word would not pay.
    fn begins_chain(&self, id: NodeId) -> bool {
        self.places[id].is_some_and(|place| place.position >= MAX_COPIED_CHAIN)
    }

    fn chain(&self, id: NodeId, slot: WordSlot) -> Option<(&Chain, usize)> {
        let Place { chain, position } = self.places[id]?;
        let chain = self.chains.get(chain).filter(|chain| chain.slot == slot)?;
        Some((chain, position))
    }

    /// Where a chain on this word leads from a block of it, if it is one block for the whole range.
    fn through(&self, id: NodeId, slot: WordSlot, span: Span) -> Option<NodeId> {
        let (chain, position) = self.chain(id, slot)?;
        let target = |piece: &Piece| {
            let before = piece.arms.partition_point(|(place, _)| *place <= position);
            before.checked_sub(1).map_or(chain.end, |last| piece.arms[last].1)
        };
        let mut common = None;
        let mut agrees = |target| *common.get_or_insert(target) == target;
        let mut from = Some(span.low);
        for (met, piece) in chain.met(span).take(MAX_PIECES) {
            let gap = from.is_some_and(|from| from < met.low);
            if gap && !agrees(chain.end) || !agrees(target(piece)) {
                return None;
            }
            from = met.high.checked_add(1);
        }
        let rest = from.is_some_and(|from| from <= span.high);
        (!rest || agrees(chain.end)).then_some(common).flatten()
    }

    /// A range in the pieces into which the chain of a block cuts it.
    pub(super) fn pieces(&self, id: NodeId, slot: WordSlot, span: Span) -> SmallVec<[Span; 1]> {
        let mut pieces = SmallVec::new();
        let mut from = Some(span.low);
        let chain = self.chain(id, slot).map(|(chain, _)| chain.met(span).take(MAX_PIECES));
        for (met, _) in chain.into_iter().flatten() {
            if let Some(low) = from.filter(|from| *from < met.low) {
                pieces.push(Span { low, high: met.low - 1 });
            }
            let high = met.high.min(span.high);
            pieces.push(Span { low: met.low.max(span.low), high });
            from = high.checked_add(1);
        }
        if let Some(low) = from.filter(|from| *from <= span.high) {
            pieces.push(Span { low, high: span.high });
        }
        pieces
    }
}

impl Graph {
    /// A block as it is where a word is known to lie in a range. The recursion is bounded by `depth`.
    pub(super) fn known(
        &mut self,
        at: NodeId,
        slot: WordSlot,
        span: Span,
        depth: usize,
    ) -> Result<NodeId, LowerError> {
        let depth = if span.low == span.high { depth } else { depth.min(MAX_RANGE_DEPTH) };
        self.known_within(at, slot, span, depth)
    }

    fn known_within(
        &mut self,
        mut at: NodeId,
        slot: WordSlot,
        span: Span,
        depth: usize,
    ) -> Result<NodeId, LowerError> {
        while self.threads.work < MAX_WORK
            && let Some(next) = self.answered(at, slot, span)
        {
            self.threads.work += 1;
            at = next;
        }
        let is_done = depth == 0 || self.threads.work >= MAX_WORK || self.threads.tested[at] & bit(slot) == 0;
        if is_done || self.threads.begins_chain(at) {
            return Ok(at);
        }
        self.threads.work += 1;
        match self.node(at).clone() {
            Node::Command { number, next } => {
                let next = self.known_within(next, slot, span, depth - 1)?;
                self.add(Node::Command { number, next })
            }
            Node::Branch { test, then, otherwise } => {
                let copied = self.known_within(then, slot, span, depth - 1)?;
                let otherwise = self.known_within(otherwise, slot, span, depth - 1)?;
                if copied == then {
                    return self.branch(test, then, otherwise);
                }
                // The copy may have come to tests that this one answers.
                self.ask_within(test, copied, otherwise, depth - 1)
            }
            // Neither would a copy of a table that is one already.
            Node::End | Node::Deny(_) | Node::Switch { .. } => Ok(at),
        }
    }

    /// Where a block leads that asks only about the known word.
    fn answered(&self, at: NodeId, slot: WordSlot, span: Span) -> Option<NodeId> {
        if let Some(next) = self.threads.through(at, slot, span) {
            return Some(next);
        }
        match self.node(at) {
            Node::Branch { test: Test::Between { slot: tested, low, high }, then, otherwise }
                if *tested == slot =>
            {
                let meets = *low <= span.high && span.low <= *high;
                match (*low <= span.low && span.high <= *high, meets) {
                    (true, _) => Some(*then),
                    (_, false) => Some(*otherwise),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn bit(slot: WordSlot) -> u64 {
    1 << (slot.0 % 64)
}

impl Case {
    fn span(&self) -> Span {
        Span { low: self.low, high: self.high }
    }
}

/// A block that asks whether a word lies in certain ranges.
pub(super) struct Link {
    pub(super) cases: Vec<Case>,
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

/// A block as a test of a word's number, if it is one.
pub(super) fn link(node: &Node, wanted: WordSlot) -> Option<Link> {
    match node {
        Node::Branch { test, then, otherwise } => {
            let (_, spans) = spans(test).filter(|(slot, _)| *slot == wanted)?;
            let cases = spans.iter().map(|span| Case { low: span.low, high: span.high, target: *then });
            Some(Link { cases: cases.collect(), otherwise: *otherwise })
        }
        Node::Switch { slot, cases, otherwise } if *slot == wanted => {
            Some(Link { cases: cases.clone(), otherwise: *otherwise })
        }
        _ => None,
    }
}

/// The word and the ranges, in ascending order, for which a test holds, if it is about a number.
pub(super) fn spans(test: &Test) -> Option<(WordSlot, SmallVec<[Span; 2]>)> {
    match test {
        Test::Between { slot, low, high } => {
            let span = (low <= high).then_some(Span { low: *low, high: *high });
            Some((*slot, span.into_iter().collect()))
        }
        Test::OneOf { slot, mask } => Some((*slot, runs_of_bits(*mask))),
        _ => None,
    }
}

/// The runs of set bits.
fn runs_of_bits(mut mask: u64) -> SmallVec<[Span; 2]> {
    let mut runs = SmallVec::new();
    while mask != 0 {
        let low = mask.trailing_zeros();
        let length = (mask >> low).trailing_ones();
        runs.push(Span { low: low.into(), high: (low + length - 1).into() });
        mask &= u64::MAX.checked_shl(low + length).unwrap_or(0);
    }
    runs
}
