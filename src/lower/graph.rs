//! The graph under construction: blocks are made from the end of a step backwards, and equal blocks are one.

use std::collections::HashMap;

use cranelift_entity::{EntitySet, PrimaryMap, SecondaryMap};

use crate::lower::layout::WordSlot;
use crate::lower::program::{Case, Node, NodeId, Test};
use crate::lower::switch::join;
use crate::lower::thread::{MAX_DEPTH, Span, Threads, spans};
use crate::lower::{LowerError, MAX_NODES};

/// Blocks so far.
#[derive(Default)]
pub(super) struct Graph {
    nodes: PrimaryMap<NodeId, Node>,
    known: HashMap<Node, NodeId>,
    edges: usize,
    pub(super) threads: Threads,
}

impl Graph {
    /// The block of this content.
    pub(super) fn add(&mut self, node: Node) -> Result<NodeId, LowerError> {
        if let Some(id) = self.known.get(&node) {
            return Ok(*id);
        }
        if self.nodes.len() == MAX_NODES {
            return Err(LowerError::TooManyNodes);
        }
        let id = self.nodes.push(node.clone());
        for_each_target(&node, |_| self.edges += 1);
        self.threads.register(id, &node);
        self.known.insert(node, id);
        Ok(id)
    }

    /// A test with its two targets; none is made where they are equal. `not` is told by the targets where it can be.
    pub(super) fn branch(
        &mut self,
        test: Test,
        then: NodeId,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        match test {
            _ if then == otherwise => Ok(then),
            Test::Masked { slot, mask, value: 0 } => {
                let test = Test::AnyBit { slot, mask };
                self.add(Node::Branch { test, then: otherwise, otherwise: then })
            }
            Test::Masked { slot, mask, value } if mask == value && mask.is_power_of_two() => {
                self.add(Node::Branch { test: Test::AnyBit { slot, mask }, then, otherwise })
            }
            test => self.add(Node::Branch { test, then, otherwise }),
        }
    }

    /// A test with its two targets, the first of them as it is once the test has held: what is known of a word is
    /// not tested again.
    pub(super) fn ask(&mut self, test: Test, then: NodeId, otherwise: NodeId) -> Result<NodeId, LowerError> {
        self.ask_within(test, then, otherwise, MAX_DEPTH)
    }

    /// The same, with copies no deeper than that.
    pub(super) fn ask_within(
        &mut self,
        test: Test,
        then: NodeId,
        otherwise: NodeId,
        depth: usize,
    ) -> Result<NodeId, LowerError> {
        let Some((slot, spans)) = spans(&test) else { return self.branch(test, then, otherwise) };
        let cases = self.cases(slot, &spans, [then, otherwise], depth)?;
        match cases.first() {
            Some(Case { target, .. }) if cases.iter().all(|case| case.target == *target) => {
                self.branch(test, *target, otherwise)
            }
            _ => self.switch(slot, cases, otherwise),
        }
    }

    /// A word that is looked for in many ranges, which all lead to `then`.
    pub(super) fn ask_ranges(
        &mut self,
        slot: WordSlot,
        ranges: &[Span],
        then: NodeId,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        let cases = self.cases(slot, ranges, [then, otherwise], MAX_DEPTH)?;
        self.switch(slot, cases, otherwise)
    }

    fn cases(
        &mut self,
        slot: WordSlot,
        spans: &[Span],
        [then, otherwise]: [NodeId; 2],
        depth: usize,
    ) -> Result<Vec<Case>, LowerError> {
        let mut cases = Vec::with_capacity(spans.len());
        for span in spans {
            for piece in self.threads.pieces(otherwise, slot, *span) {
                let target = self.known(then, slot, piece, depth)?;
                cases.push(Case { low: piece.low, high: piece.high, target });
            }
        }
        Ok(join(cases))
    }

    fn switch(
        &mut self,
        slot: WordSlot,
        mut cases: Vec<Case>,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        cases.retain(|case| case.target != otherwise);
        if cases.is_empty() { Ok(otherwise) } else { self.add(Node::Switch { slot, cases, otherwise }) }
    }

    /// The content of a block.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// How many ways there are between blocks.
    pub(super) fn edges(&self) -> usize {
        self.edges
    }
}

/// Where a block may lead.
pub(super) fn for_each_target(node: &Node, mut visit: impl FnMut(NodeId)) {
    match node {
        Node::End | Node::Deny(_) => {}
        Node::Command { next, .. } => visit(*next),
        Node::Branch { then, otherwise, .. } => {
            visit(*then);
            visit(*otherwise);
        }
        Node::Switch { cases, otherwise, .. } => {
            cases.iter().for_each(|case| visit(case.target));
            visit(*otherwise);
        }
    }
}

/// The same, to be changed.
pub(super) fn for_each_target_mut(node: &mut Node, mut visit: impl FnMut(&mut NodeId)) {
    match node {
        Node::End | Node::Deny(_) => {}
        Node::Command { next, .. } => visit(next),
        Node::Branch { then, otherwise, .. } => {
            visit(then);
            visit(otherwise);
        }
        Node::Switch { cases, otherwise, .. } => {
            cases.iter_mut().for_each(|case| visit(&mut case.target));
            visit(otherwise);
        }
    }
}

/// The blocks that `entry` leads to, in the same order with new numbers; `block` gives each of them (and may have
/// shortened its ways).
pub(super) fn reachable(
    entry: NodeId,
    mut block: impl FnMut(NodeId) -> Node,
) -> (PrimaryMap<NodeId, Node>, NodeId) {
    let mut reached = EntitySet::new();
    reached.insert(entry);
    let mut kept = Vec::new();
    for index in (0..=entry.as_u32()).rev() {
        let id = NodeId::from_u32(index);
        if reached.contains(id) {
            let node = block(id);
            for_each_target(&node, |target| {
                reached.insert(target);
            });
            kept.push((id, node));
        }
    }
    let mut renamed: SecondaryMap<NodeId, NodeId> = SecondaryMap::with_default(entry);
    let mut nodes = PrimaryMap::with_capacity(kept.len());
    for (id, mut node) in kept.into_iter().rev() {
        for_each_target_mut(&mut node, |target| *target = renamed[*target]);
        renamed[id] = nodes.push(node);
    }
    let entry = renamed[entry];
    (nodes, entry)
}
