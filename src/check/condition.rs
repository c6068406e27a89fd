//! Building conditions, and what one says about presence when it is true or false.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::Checker;
use super::policy::{Condition, ConditionId, ConditionKind, Guard};
use super::value::{Guarded, Term, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// How deep conditions may nest once definitions are expanded: later stages recurse over them.
pub(crate) const MAX_DEPTH: u32 = 512;

/// How many conditions and statements a flow may have once definitions are expanded.
pub(crate) const MAX_EXPANSION: u64 = 250_000;

/// What a condition costs when all that it refers to is written out.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Size {
    pub(crate) depth: u32,
    pub(crate) terms: u64,
}

/// What is known to be present at some point of the policy.
#[derive(Clone, Default, Debug)]
pub(crate) struct Known {
    guards: BTreeSet<Guard>,
}

impl Known {
    pub(crate) fn has(&self, guard: Guard) -> bool {
        self.guards.contains(&guard)
    }

    pub(crate) fn with(&self, more: &BTreeSet<Guard>) -> Known {
        Known { guards: self.guards.union(more).copied().collect() }
    }
}

/// Which way a condition turned out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    True,
    False,
}

impl Outcome {
    fn opposite(self) -> Outcome {
        match self {
            Outcome::True => Outcome::False,
            Outcome::False => Outcome::True,
        }
    }
}

impl Checker<'_> {
    /// Adds a condition; one that nests or expands past the bounds becomes constant and is reported.
    pub(crate) fn condition(&mut self, kind: ConditionKind, span: Span) -> ConditionId {
        let size = self.size_of(&kind);
        let kind = if size.depth > MAX_DEPTH || size.terms > MAX_EXPANSION {
            self.report_expansion(span, size);
            ConditionKind::Constant(false)
        } else {
            kind
        };
        let id = self.conditions.push(Condition { span, kind });
        self.sizes[id] = size;
        id
    }

    fn size_of(&self, kind: &ConditionKind) -> Size {
        let children: SmallVec<[ConditionId; 4]> = match kind {
            ConditionKind::Not(inner) | ConditionKind::Initially(inner) => SmallVec::from_slice(&[*inner]),
            ConditionKind::All(inner) | ConditionKind::Any(inner) => SmallVec::from_slice(inner),
            _ => SmallVec::new(),
        };
        children.iter().map(|child| self.sizes[*child]).fold(Size { depth: 1, terms: 1 }, |sum, child| Size {
            depth: sum.depth.max(child.depth + 1),
            terms: sum.terms.saturating_add(child.terms),
        })
    }

    /// Reports an expansion past a bound, once: all that follows from it would only repeat it.
    pub(crate) fn report_expansion(&mut self, span: Span, size: Size) {
        if self.expansion_reported {
            return;
        }
        self.expansion_reported = true;
        let (what, bound) = if size.terms > MAX_EXPANSION {
            ("expands to more conditions and statements than a flow may have", MAX_EXPANSION)
        } else {
            ("nests deeper than conditions may once its definitions are expanded", u64::from(MAX_DEPTH))
        };
        let report = Diagnostic::error(Code::E0208, span, format!("`{}` {what}", self.excerpt(span)))
            .here(format!("the bound is {bound}"))
            .help("use each definition fewer times, or say the same with fewer of them");
        self.diagnostics.push(report);
    }

    pub(crate) fn constant(&mut self, value: bool, span: Span) -> ConditionId {
        self.condition(ConditionKind::Constant(value), span)
    }

    pub(crate) fn not(&mut self, inner: ConditionId, span: Span) -> ConditionId {
        self.condition(ConditionKind::Not(inner), span)
    }

    /// All of these, or the one.
    pub(crate) fn all(&mut self, mut parts: Vec<ConditionId>, span: Span) -> ConditionId {
        match parts.len() {
            1 => parts.remove(0),
            _ => self.condition(ConditionKind::All(parts), span),
        }
    }

    /// Any of these, or the one.
    pub(crate) fn any(&mut self, mut parts: Vec<ConditionId>, span: Span) -> ConditionId {
        match parts.len() {
            1 => parts.remove(0),
            _ => self.condition(ConditionKind::Any(parts), span),
        }
    }

    /// All of these guards.
    pub(crate) fn present(&mut self, guards: &[Guard], span: Span) -> ConditionId {
        let parts = guards.iter().map(|guard| self.condition(ConditionKind::Present(*guard), span)).collect();
        self.all(parts, span)
    }

    /// A test of a value: the test of each of its terms, behind that term's guards.
    pub(crate) fn for_each_term(
        &mut self,
        value: &Value,
        span: Span,
        mut test: impl FnMut(&mut Self, &Term) -> ConditionId,
    ) -> ConditionId {
        let Some((last, others)) = value.terms.split_last() else { return self.constant(false, span) };
        let mut result = test(self, &last.term);
        for Guarded { guards, term } in others.iter().rev() {
            let there = self.present(guards, span);
            let yes = test(self, term);
            let missing = self.not(there, span);
            let first = self.all(vec![there, yes], span);
            let second = self.all(vec![missing, result], span);
            result = self.any(vec![first, second], span);
        }
        result
    }

    /// What is surely present where `condition` came out as `outcome`. A define's inside is not looked into.
    pub(crate) fn implied(&self, condition: ConditionId, outcome: Outcome) -> BTreeSet<Guard> {
        if self.opaque.contains(&condition) {
            return BTreeSet::new();
        }
        match (&self.conditions[condition].kind, outcome) {
            (ConditionKind::Present(guard), Outcome::True) => self.with_parents(*guard),
            (ConditionKind::Not(inner), _) => self.implied(*inner, outcome.opposite()),
            (ConditionKind::All(parts), Outcome::True) | (ConditionKind::Any(parts), Outcome::False) => {
                parts.iter().flat_map(|part| self.implied(*part, outcome)).collect()
            }
            (ConditionKind::All(parts), Outcome::False) | (ConditionKind::Any(parts), Outcome::True) => {
                let mut each = parts.iter().map(|part| self.implied(*part, outcome));
                let first = each.next().unwrap_or_default();
                each.fold(first, |common, next| common.intersection(&next).copied().collect())
            }
            _ => BTreeSet::new(),
        }
    }

    /// A guard, and all those that must hold when it does.
    fn with_parents(&self, guard: Guard) -> BTreeSet<Guard> {
        let mut all = BTreeSet::from([guard]);
        if let Guard::Path(presence) = guard {
            let path = &self.presences[presence].path;
            let shorter = self.presences.iter().filter(|(_, other)| is_prefix(&other.path, path));
            all.extend(shorter.map(|(id, _)| Guard::Path(id)));
        }
        all
    }
}

/// Whether `shorter` leads to a parent of what `longer` leads to (or to the same).
pub(crate) fn is_prefix(shorter: &[super::policy::Segment], longer: &[super::policy::Segment]) -> bool {
    shorter.len() <= longer.len()
        && shorter.iter().zip(longer).all(|(a, b)| a.key == b.key)
        && shorter
            .iter()
            .rev()
            .skip(1)
            .zip(longer[..shorter.len()].iter().rev().skip(1))
            .all(|(a, b)| a.each == b.each)
}
