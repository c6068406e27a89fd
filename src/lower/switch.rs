//! Chains of equality tests on one word become one switch.
//!
//! `if x == 1 { … } else if x == 2 { … }` is a chain of branches through their `otherwise` edges, and so is a
//! `match`. A chain is walked once from its head; its inner blocks stay only where something else leads to them.

use std::collections::BTreeMap;

use cranelift_entity::PrimaryMap;

use crate::lower::graph::{Graph, reachable};
use crate::lower::layout::WordSlot;
use crate::lower::program::{Node, NodeId, Test};

/// A chain of this many tests is better as a switch; a switch in it counts for as many.
const WORTH_IT: usize = 3;

/// All chains together may be this many times as long as the graph: blocks in the middle of a chain can be heads of
/// chains of their own, which would otherwise be quadratic.
const BUDGET: usize = 8;

/// The blocks that `entry` leads to, with their chains merged.
pub(super) fn merge(graph: &Graph, entry: NodeId) -> (PrimaryMap<NodeId, Node>, NodeId) {
    let mut budget = BUDGET * graph.len();
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
        let length = link.cases.len();
        *budget = budget.checked_sub(length)?;
        for (value, target) in link.cases {
            cases.entry(value).or_insert(target);
        }
        at = link.otherwise;
        tests += link.weight;
    }
    cases.retain(|_, target| *target != at);
    if tests < WORTH_IT || cases.is_empty() {
        return None;
    }
    Some(Node::Switch { slot, cases: cases.into_iter().collect(), otherwise: at })
}

/// A block that asks whether a word has certain values.
struct Link {
    cases: Vec<(u64, NodeId)>,
    otherwise: NodeId,
    weight: usize,
}

fn tested_word(node: &Node) -> Option<WordSlot> {
    match node {
        Node::Branch { test: Test::Between { slot, .. } | Test::OneOf { slot, .. }, .. } => Some(*slot),
        Node::Switch { slot, .. } => Some(*slot),
        _ => None,
    }
}

fn link(node: &Node, wanted: WordSlot) -> Option<Link> {
    match node {
        Node::Branch { test, then, otherwise } => {
            let cases = values(test, wanted)?.map(|value| (value, *then)).collect();
            Some(Link { cases, otherwise: *otherwise, weight: 1 })
        }
        Node::Switch { slot, cases, otherwise } if *slot == wanted => {
            Some(Link { cases: cases.clone(), otherwise: *otherwise, weight: WORTH_IT })
        }
        _ => None,
    }
}

/// The values for which a test of a word holds, if it is about equality.
fn values(test: &Test, wanted: WordSlot) -> Option<impl Iterator<Item = u64>> {
    let (values, mask) = match test {
        Test::Between { slot, low, high } if slot == &wanted && low == high => {
            (*low as u64..=*low as u64, u64::MAX)
        }
        Test::OneOf { slot, mask } if slot == &wanted => (0..=63, *mask),
        _ => return None,
    };
    Some(values.filter(move |value| *value > 63 || mask >> *value & 1 != 0))
}
