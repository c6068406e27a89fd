//! Coverage: which statements ran, and which conditions came out true and which false.
//!
//! What counts is the policy as it is written. A statement counts once, where it stands, whichever steps apply the rule
//! that holds it. A condition is the smallest text that a reader would call one (a leaf of `and`, `or`, `not`), and has
//! two outcomes; in a `define` it counts once, over all its uses. Arms of a `match` are conditions. Only texts of the
//! flow and of the files that it uses count, not the library's, and only what some step holds. The plain reading
//! counts; no optimiser has a part in it.

use std::collections::BTreeMap;

use cranelift_entity::SecondaryMap;

use crate::check::policy::{Block, ConditionId, ConditionKind, Statement, TypedPolicy};
use crate::compile::Compiled;
use crate::source::{FileId, Span};
use crate::trace::{Met, is_one_text};

/// What tests have met, by place.
#[derive(Clone, Default, Debug)]
pub struct Coverage {
    /// How often each statement ran, in the order of the source.
    pub statements: BTreeMap<Span, usize>,
    /// How often each condition came out either way, in the order of the source.
    pub conditions: BTreeMap<Span, Outcomes>,
}

/// How often a condition came out either way.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Outcomes {
    /// True.
    pub yes: usize,
    /// False.
    pub no: usize,
}

/// A part of a whole.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Share {
    /// How many were met.
    pub met: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    /// The whole percent, rounded down: 100 is all. Of nothing, all is met.
    pub fn percent(self) -> usize {
        (self.met * 100).checked_div(self.of).unwrap_or(100)
    }

    fn count(&mut self, hits: usize) {
        self.of += 1;
        self.met += usize::from(hits > 0);
    }
}

/// The shares of one file, or of all.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Of the statements.
    pub statements: Share,
    /// Of the outcomes of conditions, two each.
    pub outcomes: Share,
}

impl Summary {
    /// Statements and outcomes together.
    pub fn percent(&self) -> usize {
        let (statements, outcomes) = (self.statements, self.outcomes);
        Share { met: statements.met + outcomes.met, of: statements.of + outcomes.of }.percent()
    }
}

impl Coverage {
    /// The files that have something to cover, in order.
    pub fn files(&self) -> Vec<FileId> {
        let spans = self.statements.keys().chain(self.conditions.keys());
        let mut files: Vec<FileId> = spans.map(|span| span.file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The share of one file.
    pub fn of(&self, file: FileId) -> Summary {
        self.summary(|span| span.file == file)
    }

    /// The share of all files.
    pub fn total(&self) -> Summary {
        self.summary(|_| true)
    }

    fn summary(&self, counts: impl Fn(&Span) -> bool) -> Summary {
        let mut summary = Summary::default();
        for (_, hits) in self.statements.iter().filter(|(span, _)| counts(span)) {
            summary.statements.count(*hits);
        }
        for (_, outcomes) in self.conditions.iter().filter(|(span, _)| counts(span)) {
            summary.outcomes.count(outcomes.yes);
            summary.outcomes.count(outcomes.no);
        }
        summary
    }
}

/// Adds up what runs met.
pub(super) struct CoverageBuilder<'a> {
    policy: &'a TypedPolicy,
    coverage: Coverage,
}

impl<'a> CoverageBuilder<'a> {
    /// Finds what there is to cover.
    pub(super) fn new(compiled: &'a Compiled) -> Self {
        let policy = &compiled.typed;
        let mut finder = Finder {
            policy,
            coverage: Coverage::default(),
            seen: SecondaryMap::with_capacity(policy.conditions.len()),
        };
        policy.steps.values().for_each(|step| finder.block(&step.body));
        let mut coverage = finder.coverage;
        coverage.statements.retain(|span, _| compiled.is_own(span.file));
        coverage.conditions.retain(|span, _| compiled.is_own(span.file));
        CoverageBuilder { policy, coverage }
    }

    /// Counts what a run met.
    pub(super) fn add(&mut self, met: &[Met]) {
        for met in met {
            match met {
                Met::Statement(span) => {
                    if let Some(hits) = self.coverage.statements.get_mut(span) {
                        *hits += 1;
                    }
                }
                Met::Condition(id, answer) => {
                    let span = self.policy.conditions[*id].span;
                    if let Some(outcomes) = self.coverage.conditions.get_mut(&span) {
                        *(if *answer { &mut outcomes.yes } else { &mut outcomes.no }) += 1;
                    }
                }
            }
        }
    }

    pub(super) fn finish(self) -> Coverage {
        self.coverage
    }
}

/// Finds the statements and conditions that steps hold.
struct Finder<'a> {
    policy: &'a TypedPolicy,
    coverage: Coverage,
    seen: SecondaryMap<ConditionId, bool>,
}

impl Finder<'_> {
    fn block(&mut self, block: &Block) {
        let mut waiting: Vec<&Statement> = block.iter().collect();
        while let Some(statement) = waiting.pop() {
            self.coverage.statements.insert(statement.span(), 0);
            match statement {
                Statement::Applied { body, .. } => waiting.extend(body),
                Statement::Branch { branches, otherwise, .. } => {
                    for (condition, body) in branches {
                        self.condition(*condition);
                        waiting.extend(body);
                    }
                    waiting.extend(otherwise);
                }
                Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
            }
        }
    }

    fn condition(&mut self, id: ConditionId) {
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            if std::mem::replace(&mut self.seen[id], true) {
                continue;
            }
            let condition = &self.policy.conditions[id];
            match &condition.kind {
                _ if is_one_text(self.policy, condition) => {
                    let is_constant = matches!(condition.kind, ConditionKind::Constant(_));
                    if !is_constant {
                        self.coverage.conditions.insert(condition.span, Outcomes::default());
                    }
                }
                ConditionKind::Not(inner) => waiting.push(*inner),
                ConditionKind::All(parts) | ConditionKind::Any(parts) => waiting.extend(parts),
                _ => {}
            }
        }
    }
}
