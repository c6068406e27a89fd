//! Conditions: to branches, by their two targets.
//!
//! `lower(C, yes, no)` is the block that leads to `yes` where `C` holds and to `no` where it doesn't. `A and B` is
//! `lower(A, lower(B, yes, no), no)`, so the parts are lowered from the last to the first and every edge leads to an
//! earlier block. Conditions are a graph and may be deep, so the walk keeps its own stack and its results.
//!
//! An `and` asks its most telling part first, whatever the policy's order: the one test of an application among
//! thousands, so that [threading](super::thread) finds the rules' tests one after the other. Conditions have no effects and
//! read what is absent as something, so any order gives the same answer.

use std::collections::HashMap;

use cranelift_entity::PrimaryMap;
use smallvec::SmallVec;

use crate::check::policy::{Condition, ConditionId, ConditionKind, TextTest};
use crate::lower::fuse;
use crate::lower::graph::Graph;
use crate::lower::place::Places;
use crate::lower::program::{NodeId, Test};
use crate::lower::question::Question;
use crate::lower::{LowerError, MAX_NODES};

/// A condition and where it leads.
type Routed = (ConditionId, NodeId, NodeId);

/// Lowers the conditions of one step.
pub(super) struct Conditions<'p> {
    conditions: &'p PrimaryMap<ConditionId, Condition>,
    places: &'p Places,
    done: HashMap<Routed, NodeId>,
}

/// A part that tells so many values apart comes before others.
const MANY_VALUES: usize = 16;

/// An `and` or `or` of which the last parts are done.
struct Open {
    routed: Routed,
    /// The parts still to do.
    parts: SmallVec<[ConditionId; 4]>,
    connective: Connective,
}

#[derive(Clone, Copy)]
enum Connective {
    All,
    Any,
}

impl<'p> Conditions<'p> {
    pub(super) fn new(conditions: &'p PrimaryMap<ConditionId, Condition>, places: &'p Places) -> Self {
        Conditions { conditions, places, done: HashMap::new() }
    }

    /// The block that leads to `then` where a condition holds, else to `otherwise`.
    pub(super) fn lower(
        &mut self,
        graph: &mut Graph,
        id: ConditionId,
        then: NodeId,
        otherwise: NodeId,
    ) -> Result<NodeId, LowerError> {
        let mut open: Vec<Open> = Vec::new();
        let mut next = (id, then, otherwise);
        loop {
            let mut result = match self.enter(graph, next)? {
                Entered::Done(block) => block,
                Entered::Opened(connective) => {
                    // With no part yet done, an `and` holds and an `or` doesn't.
                    let block = match connective.connective {
                        Connective::All => connective.routed.1,
                        Connective::Any => connective.routed.2,
                    };
                    open.push(connective);
                    block
                }
            };
            loop {
                let Some(top) = open.last_mut() else { return Ok(result) };
                if let Some((test, rest)) = self.fused(top.connective, &top.parts) {
                    top.parts.truncate(rest);
                    let (then, otherwise) = match top.connective {
                        Connective::All => (result, top.routed.2),
                        Connective::Any => (top.routed.1, result),
                    };
                    result = ask_test(graph, &test, then, otherwise)?;
                    continue;
                }
                if let Some(part) = top.parts.pop() {
                    next = match top.connective {
                        Connective::All => (part, result, top.routed.2),
                        Connective::Any => (part, top.routed.1, result),
                    };
                    break;
                }
                let routed = top.routed;
                result = self.keep(routed, result)?;
                open.pop();
            }
        }
    }

    fn enter(&mut self, graph: &mut Graph, routed: Routed) -> Result<Entered, LowerError> {
        let (mut id, mut then, mut otherwise) = routed;
        while let ConditionKind::Not(part) = &self.conditions[id].kind {
            (id, then, otherwise) = (*part, otherwise, then);
        }
        let routed = (id, then, otherwise);
        if then == otherwise {
            return Ok(Entered::Done(then));
        }
        if let Some(block) = self.done.get(&routed) {
            return Ok(Entered::Done(*block));
        }
        let (parts, connective) = match &self.conditions[id].kind {
            ConditionKind::All(parts) => (parts, Connective::All),
            ConditionKind::Any(parts) => (parts, Connective::Any),
            leaf => {
                let block = ask(graph, &self.places.question(leaf), then, otherwise)?;
                return Ok(Entered::Done(self.keep(routed, block)?));
            }
        };
        let mut parts = SmallVec::from_slice(parts);
        if let Connective::All = connective {
            parts.sort_by_key(|part| std::cmp::Reverse(self.tells_apart(*part)));
        }
        Ok(Entered::Opened(Open { routed, parts, connective }))
    }

    /// How many values a condition tells from others, if they are many.
    fn tells_apart(&self, id: ConditionId) -> usize {
        let values = self.places.values_told_apart(&self.conditions[id].kind);
        if values >= MANY_VALUES { values } else { 0 }
    }

    /// The last parts as one test, where two at least are one, and how many parts are before them.
    fn fused(&self, connective: Connective, parts: &[ConditionId]) -> Option<(Test, usize)> {
        let (last, mut rest) = parts.split_last()?;
        let mut fused = None;
        let mut test = self.test(*last)?;
        while let Some((part, before)) = rest.split_last() {
            let Some(longer) = self.test(*part).and_then(|part| match connective {
                Connective::All => fuse::both(&part, &test),
                Connective::Any => fuse::either(&part, &test),
            }) else {
                break;
            };
            (test, rest) = (longer.clone(), before);
            fused = Some((longer, before.len()));
        }
        fused
    }

    /// A condition as one test, if it is that.
    fn test(&self, mut id: ConditionId) -> Option<Test> {
        let mut holds = true;
        while let ConditionKind::Not(part) = &self.conditions[id].kind {
            (id, holds) = (*part, !holds);
        }
        let test = match (&self.conditions[id].kind, holds) {
            // What has parts; and long lists, which take long to look at.
            (ConditionKind::All(_) | ConditionKind::Any(_) | ConditionKind::InPrefixes(..), _)
            | (ConditionKind::Text(_, TextTest::OneOf(_)) | ConditionKind::OneOf(..), _) => return None,
            (leaf, _) => self.places.question(leaf).test()?,
        };
        if holds { Some(test) } else { fuse::negated(&test) }
    }

    /// Remembers a result; their number bounds the work that conditions used by many others can make.
    fn keep(&mut self, routed: Routed, block: NodeId) -> Result<NodeId, LowerError> {
        if self.done.len() >= 2 * MAX_NODES {
            return Err(LowerError::TooManyNodes);
        }
        self.done.insert(routed, block);
        Ok(block)
    }
}

enum Entered {
    Done(NodeId),
    Opened(Open),
}

/// The block that asks a question. (Questions are as deep as sets, and that is bounded.)
fn ask(
    graph: &mut Graph,
    question: &Question,
    then: NodeId,
    otherwise: NodeId,
) -> Result<NodeId, LowerError> {
    if then == otherwise {
        return Ok(then);
    }
    match question {
        Question::Constant(true) => Ok(then),
        Question::Constant(false) => Ok(otherwise),
        Question::Test(test) => ask_test(graph, test, then, otherwise),
        Question::InRanges(slot, ranges) => graph.ask_ranges(*slot, ranges, then, otherwise),
        Question::Not(part) => ask(graph, part, otherwise, then),
        Question::All(parts) => {
            parts.iter().rev().try_fold(then, |then, part| ask(graph, part, then, otherwise))
        }
        Question::Any(parts) => {
            parts.iter().rev().try_fold(otherwise, |otherwise, part| ask(graph, part, then, otherwise))
        }
        Question::If(bits, yes, no) => {
            let yes = ask(graph, yes, then, otherwise)?;
            let no = ask(graph, no, then, otherwise)?;
            graph.branch(Test::AnyBit { slot: bits.slot, mask: bits.mask }, yes, no)
        }
    }
}

fn ask_test(graph: &mut Graph, test: &Test, then: NodeId, otherwise: NodeId) -> Result<NodeId, LowerError> {
    match test {
        // Ranges without an end on either side.
        Test::Between { low: i64::MIN, high: i64::MAX, .. }
        | Test::Age { low: i64::MIN, high: i64::MAX, .. } => Ok(then),
        test => graph.ask(test.clone(), then, otherwise),
    }
}
