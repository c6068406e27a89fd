//! The graph under construction: blocks are made from the end of a step backwards, and equal blocks are one.

use std::collections::HashMap;

use cranelift_entity::{EntitySet, PrimaryMap, SecondaryMap};

use crate::lower::layout::WordSlot;
use crate::lower::program::{Node, NodeId, Test};
use crate::lower::thread::{Threads, values};
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

    /// A test with its two targets; none is made where they are equal.
    pub(super) fn branch(
        &mut self,
        test: Test,
        then: NodeId,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        if then == otherwise { Ok(then) } else { self.add(Node::Branch { test, then, otherwise }) }
    }

    /// A test with its two targets, the first of them as it is once the test has held: where a word has a known
    /// value, it is not tested again.
    pub(super) fn ask(&mut self, test: Test, then: NodeId, otherwise: NodeId) -> Result<NodeId, LowerError> {
        let slot = match &test {
            Test::Between { slot, low, high } if low == high => *slot,
            Test::OneOf { slot, .. } => *slot,
            _ => return self.branch(test, then, otherwise),
        };
        let values: Vec<u64> = values(&test, slot).into_iter().flatten().collect();
        let cases = self.cases(slot, &values, then)?;
        match cases.first() {
            Some((_, then)) if cases.iter().all(|(_, target)| target == then) => {
                self.branch(test, *then, otherwise)
            }
            _ => self.switch(slot, cases, otherwise),
        }
    }

    /// A word compared with many values, which all lead to `then`.
    pub(super) fn ask_values(
        &mut self,
        slot: WordSlot,
        values: &[u64],
        then: NodeId,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        let cases = self.cases(slot, values, then)?;
        self.switch(slot, cases, otherwise)
    }

    fn cases(
        &mut self,
        slot: WordSlot,
        values: &[u64],
        then: NodeId,
    ) -> Result<Vec<(u64, NodeId)>, LowerError> {
        values.iter().map(|value| Ok((*value, self.known(then, slot, *value)?))).collect()
    }

    fn switch(
        &mut self,
        slot: WordSlot,
        mut cases: Vec<(u64, NodeId)>,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        cases.retain(|(_, target)| *target != otherwise);
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
            cases.iter().for_each(|(_, target)| visit(*target));
            visit(*otherwise);
        }
    }
}

/// The blocks that `entry` leads to, in the same order with new numbers, after `rewrite` has had each of them
/// (and may have shortened its ways).
pub(super) fn reachable(
    graph: &Graph,
    entry: NodeId,
    mut rewrite: impl FnMut(&Graph, NodeId) -> Node,
) -> (PrimaryMap<NodeId, Node>, NodeId) {
    let mut reached = EntitySet::new();
    reached.insert(entry);
    let mut kept = Vec::new();
    for index in (0..=entry.as_u32()).rev() {
        let id = NodeId::from_u32(index);
        if reached.contains(id) {
            let node = rewrite(graph, id);
            for_each_target(&node, |target| {
                reached.insert(target);
            });
            kept.push((id, node));
        }
    }
    let mut renamed: SecondaryMap<NodeId, NodeId> = SecondaryMap::with_default(entry);
    let mut nodes = PrimaryMap::with_capacity(kept.len());
    for (id, mut node) in kept.into_iter().rev() {
        rename(&mut node, &renamed);
        renamed[id] = nodes.push(node);
    }
    let entry = renamed[entry];
    (nodes, entry)
}

fn rename(node: &mut Node, renamed: &SecondaryMap<NodeId, NodeId>) {
    let new = |target: &mut NodeId| *target = renamed[*target];
    match node {
        Node::End | Node::Deny(_) => {}
        Node::Command { next, .. } => new(next),
        Node::Branch { then, otherwise, .. } => {
            new(then);
            new(otherwise);
        }
        Node::Switch { cases, otherwise, .. } => {
            cases.iter_mut().for_each(|(_, target)| new(target));
            new(otherwise);
        }
    }
}
