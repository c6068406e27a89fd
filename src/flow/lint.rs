//! Conditions that always answer alike, and statements that no login reaches.
//!
//! A text counts over all its uses: a condition of a `define` is constant only if every use of it is. A statement
//! that is out of reach because of a constant condition is not reported besides.

use std::collections::{BTreeMap, BTreeSet};

use super::explore::Explored;
use super::{ConstantCondition, Unreachable};
use crate::check::policy::{ConditionId, ConditionKind, Statement, StepId, TypedPolicy};
use crate::source::Span;
use crate::trace::is_one_text;

/// The conditions that gave one answer only, in the order of the source.
pub(super) fn constant_conditions(explored: &Explored) -> Vec<ConstantCondition> {
    let constant = explored.seen.answers.iter().filter(|(_, answers)| answers.yes != answers.no);
    constant.map(|(span, answers)| ConstantCondition { span: *span, always: answers.yes }).collect()
}

/// The outermost statements that no login reaches, in the order of the source.
pub(super) fn unreachable(
    policy: &TypedPolicy,
    explored: &Explored,
    constant: &[ConstantCondition],
) -> Vec<Unreachable> {
    let mut finder = Finder {
        policy,
        reached: &explored.seen.reached,
        constant: constant.iter().map(|condition| condition.span).collect(),
        blames: BTreeMap::new(),
        found: BTreeSet::new(),
    };
    let mut explained = false;
    for (id, step) in &policy.steps {
        if explored.begun.contains(&id) {
            finder.block(&step.body);
            explained |= finder.blames_a_constant(&step.body);
        } else {
            // The steps after this one are out of reach for the same reason.
            return finder.finish((!explained).then_some((id, step.declared)));
        }
    }
    finder.finish(None)
}

struct Finder<'a> {
    policy: &'a TypedPolicy,
    reached: &'a BTreeSet<Span>,
    constant: BTreeSet<Span>,
    /// Whether a condition has a constant part, for those looked at.
    blames: BTreeMap<ConditionId, bool>,
    found: BTreeSet<Span>,
}

impl<'a> Finder<'a> {
    fn finish(self, step: Option<(StepId, Span)>) -> Vec<Unreachable> {
        let statements = self.found.into_iter().map(|span| Unreachable { span, step: None });
        let steps = step.map(|(id, span)| Unreachable { span, step: Some(id) });
        statements.chain(steps).collect()
    }

    /// Looks into a block that some login reaches.
    fn block(&mut self, block: &'a [Statement]) {
        for (place, statement) in block.iter().enumerate() {
            if !self.reached.contains(&statement.span()) {
                // Those before it left some logins on, down to the last, which ended them all.
                let last = block.get(place.saturating_sub(1)).filter(|_| place > 0);
                if !last.is_some_and(|last| self.blames_a_constant(std::slice::from_ref(last))) {
                    self.found.insert(statement.span());
                }
                return;
            }
            match statement {
                Statement::Applied { body, .. } => self.block(body),
                Statement::Branch { branches, otherwise, .. } => {
                    let mut explained = false;
                    for (condition, body) in branches {
                        explained |= self.blames(*condition);
                        self.branch(body, explained);
                    }
                    self.branch(otherwise, explained);
                }
                _ => {}
            }
        }
    }

    /// Looks into a block that a condition guards.
    fn branch(&mut self, body: &'a [Statement], explained: bool) {
        let Some(first) = body.first() else { return };
        if self.reached.contains(&first.span()) {
            self.block(body);
        } else if !explained {
            self.found.insert(first.span());
        }
    }

    /// Whether a reported condition stands anywhere in some statements.
    fn blames_a_constant(&mut self, block: &'a [Statement]) -> bool {
        let mut waiting: Vec<&Statement> = block.iter().collect();
        while let Some(statement) = waiting.pop() {
            match statement {
                Statement::Applied { body, .. } => waiting.extend(body),
                Statement::Branch { branches, otherwise, .. } => {
                    for (condition, body) in branches {
                        if self.blames(*condition) {
                            return true;
                        }
                        waiting.extend(body);
                    }
                    waiting.extend(otherwise);
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a part of a condition is reported as constant.
    fn blames(&mut self, id: ConditionId) -> bool {
        if let Some(known) = self.blames.get(&id) {
            return *known;
        }
        let condition = &self.policy.conditions[id];
        let blames = if is_one_text(self.policy, condition) {
            self.constant.contains(&condition.span)
        } else {
            match &condition.kind {
                ConditionKind::Not(inner) => self.blames(*inner),
                ConditionKind::All(parts) | ConditionKind::Any(parts) => {
                    parts.iter().any(|part| self.blames(*part))
                }
                _ => false,
            }
        };
        self.blames.insert(id, blames);
        blames
    }
}
