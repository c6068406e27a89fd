//! Chains of equality tests on one word become one switch.
//!
//! `if x == 1 { … } else if x == 2 { … }` is a chain of branches through their `otherwise` edges, and so is a
//! `match`; after [threading](super::thread), so are tests one after the other. A chain is walked once from its
//! head; its inner blocks stay only where something else leads to them.

use std::collections::BTreeMap;

use cranelift_entity::PrimaryMap;

use crate::lower::graph::{Graph, reachable};
use crate::lower::program::{Node, NodeId};
use crate::lower::thread::{link, tested_word};

/// A chain of this many tests is better as a switch; a switch in it counts for as many.
const WORTH_IT: usize = 3;

/// All chains together may be this many times as long as the graph: blocks in the middle of a chain can be heads of
/// chains of their own, which would otherwise be quadratic.
const BUDGET: usize = 8;

/// The blocks that `entry` leads to, with their chains merged.
pub(super) fn merge(graph: &Graph, entry: NodeId) -> (PrimaryMap<NodeId, Node>, NodeId) {
    let mut budget = BUDGET * graph.edges();
    reachable(graph, entry, |graph, id| {
        chain(graph, id, &mut budget).unwrap_or_else(|| graph.node(id).clone())
    })
}

/// The switch that a chain is, if one begins here.
fn chain(graph: &Graph, head: NodeId, budget: &mut usize) -> Option<Node> {
    let slot = tested_word(graph.node(head))?;
    let mut cases: BTreeMap<u64, NodeId> = BTreeMap::new();
    let mut at = head;
    let mut tests = 0;
    while let Some(link) = link(graph.node(at), slot) {
        *budget = budget.checked_sub(link.cases.len())?;
        for (value, target) in link.cases {
            cases.entry(value).or_insert(target);
        }
        tests += if matches!(graph.node(at), Node::Switch { .. }) { WORTH_IT } else { 1 };
        at = link.otherwise;
    }
    cases.retain(|_, target| *target != at);
    if tests < WORTH_IT || cases.is_empty() {
        return None;
    }
    Some(Node::Switch { slot, cases: cases.into_iter().collect(), otherwise: at })
}
