//! Chains of tests of one word become one switch.
//!
//! `if x == 1 { … } else if x < 5 { … }` is a chain of branches through their `otherwise` edges, and so is a
//! `match`; after [threading](super::thread), so are tests one after the other. A chain is walked once from its
//! head; its inner blocks stay only where something else leads to them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use cranelift_entity::PrimaryMap;

use crate::lower::graph::{Graph, reachable};
use crate::lower::program::{Case, Node, NodeId};
use crate::lower::thread::{link, tested_word};

/// A chain of this many tests of equality is better as a switch; a switch in it counts for as many.
const WORTH_IT: usize = 3;

/// The same where they ask for ranges, which are compared faster than they are looked up.
const RANGES_WORTH_IT: usize = 6;

/// All chains together may be this many times as long as the graph: blocks in the middle of a chain can be heads of
/// chains of their own, which would otherwise be quadratic.
const BUDGET: usize = 8;

/// The blocks that `entry` leads to, with their chains merged.
pub(super) fn merge(graph: &Graph, entry: NodeId) -> (PrimaryMap<NodeId, Node>, NodeId) {
    let mut budget = BUDGET * graph.edges();
    reachable(entry, |id| chain(graph, id, &mut budget).unwrap_or_else(|| graph.node(id).clone()))
}

/// The switch that a chain is, if one begins here.
fn chain(graph: &Graph, head: NodeId, budget: &mut usize) -> Option<Node> {
    let slot = tested_word(graph.node(head))?;
    let mut line = Line::default();
    let mut at = head;
    let mut tests = 0;
    while let Some(link) = link(graph.node(at), slot) {
        *budget = budget.checked_sub(link.cases.len())?;
        for case in link.cases {
            line.take(case);
        }
        tests += if matches!(graph.node(at), Node::Switch { .. }) { RANGES_WORTH_IT } else { 1 };
        at = link.otherwise;
    }
    let cases = line.cases(at);
    let single = cases.iter().all(|case| case.low == case.high);
    if tests < if single { WORTH_IT } else { RANGES_WORTH_IT } || cases.is_empty() {
        return None;
    }
    Some(Node::Switch { slot, cases, otherwise: at })
}

/// The numbers, of which each goes to the first that takes it.
struct Line {
    taken: Vec<Case>,
    /// What nobody has taken yet, by its least number.
    free: BTreeMap<i64, i64>,
}

impl Default for Line {
    fn default() -> Self {
        Line { taken: Vec::new(), free: BTreeMap::from([(i64::MIN, i64::MAX)]) }
    }
}

impl Line {
    /// Takes what is still free of a range. What is free is cut into as many pieces more as there are ranges at
    /// most, so all of them together cost little.
    fn take(&mut self, case: Case) {
        while let Some(free) = self.last_free(&case) {
            self.free.remove(free.start());
            let (low, high) = (case.low.max(*free.start()), case.high.min(*free.end()));
            if *free.start() < low {
                self.free.insert(*free.start(), low - 1);
            }
            if high < *free.end() {
                self.free.insert(high + 1, *free.end());
            }
            self.taken.push(Case { low, high, ..case });
        }
    }

    fn last_free(&self, case: &Case) -> Option<RangeInclusive<i64>> {
        let (low, high) = self.free.range(..=case.high).next_back()?;
        (*high >= case.low).then_some(*low..=*high)
    }

    /// What was taken by others than `otherwise`, in order; neighbours that lead to one block are one.
    fn cases(mut self, otherwise: NodeId) -> Vec<Case> {
        self.taken.retain(|case| case.target != otherwise);
        self.taken.sort_unstable_by_key(|case| case.low);
        join(self.taken)
    }
}

/// Sorted cases with neighbours joined that lead to one block.
pub(super) fn join(cases: Vec<Case>) -> Vec<Case> {
    let mut joined: Vec<Case> = Vec::with_capacity(cases.len());
    for case in cases {
        match joined.last_mut() {
            Some(last) if last.target == case.target && last.high.checked_add(1) == Some(case.low) => {
                last.high = case.high;
            }
            _ => joined.push(case),
        }
    }
    joined
}
