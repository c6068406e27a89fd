//! Two flows over one table of facts, so that one model and one store of diagrams hold the logins of both.
//!
//! Facts are the same where they read the same: by path, type and what they are when absent. The conditions of the new
//! flow follow those of the old one, and so do its steps.

use std::collections::BTreeSet;
use std::ops::Range;

use cranelift_entity::EntityRef;

use super::CompareError;
use crate::check::policy::{
    Absence, Catalog, Command, Condition, ConditionId, ConditionKind, FactorSubject, Guard, Moment, Number,
    Presence, PresenceId, Segment, Set, Statement, Step, TextSubject, TypedPolicy, Variable, VariableId,
};
use crate::flow::facts::Reads;

/// Both flows as one policy.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The steps of the old flow, then those of the new one.
    pub policy: TypedPolicy,
    old_steps: usize,
}

/// One of the two flows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each is named as it is called")]
pub enum Side {
    Old,
    New,
}

impl Merged {
    /// The steps of a flow, in order.
    pub fn steps(&self, side: Side) -> impl ExactSizeIterator<Item = &Step> {
        let all = self.policy.steps.values().as_slice();
        all.get(self.places(side)).unwrap_or(&[]).iter()
    }

    /// The step at a place of a flow.
    pub(super) fn step(&self, side: Side, place: usize) -> Option<&Step> {
        self.steps(side).nth(place)
    }

    fn places(&self, side: Side) -> Range<usize> {
        match side {
            Side::Old => 0..self.old_steps,
            Side::New => self.old_steps..self.policy.steps.len(),
        }
    }
}

/// Writes two flows into one policy.
pub(super) fn merge(old: &TypedPolicy, new: &TypedPolicy, depth: usize) -> Result<Merged, CompareError> {
    if !same_catalog(&old.catalog, &new.catalog) {
        return Err(CompareError::Catalogs);
    }
    if old.enabled != new.enabled {
        return Err(CompareError::Tenants);
    }
    let read = |policy: &TypedPolicy| -> Result<BTreeSet<VariableId>, CompareError> {
        Ok(Reads::of(policy, policy.steps.values(), &[], depth)?.variables.into_iter().collect())
    };
    let (old_reads, new_reads) = (read(old)?, read(new)?);
    let mut merger = Merger { merged: old.clone(), new, presences: Vec::new(), variables: Vec::new() };
    merger.presences();
    merger.variables(&old_reads, &new_reads)?;
    let first = merger.merged.conditions.len();
    for condition in new.conditions.values() {
        let kind = merger.condition(&condition.kind, first);
        merger.merged.conditions.push(Condition { span: condition.span, kind });
    }
    let old_steps = old.steps.len();
    for step in new.steps.values() {
        let body = merger.block(&step.body, first);
        merger.merged.steps.push(Step { body, ..step.clone() });
    }
    let policy = TypedPolicy { guarantees: Vec::new(), tests: Vec::new(), ..merger.merged };
    Ok(Merged { policy, old_steps })
}

fn same_catalog(old: &Catalog, new: &Catalog) -> bool {
    old.factors.len() == new.factors.len()
        && old.factors.values().zip(new.factors.values()).all(|(a, b)| {
            let options = a.options.iter().zip(&b.options);
            a.name == b.name
                && a.commands == b.commands
                && a.traits == b.traits
                && a.options.len() == b.options.len()
                && options.into_iter().all(|(a, b)| (&a.name, a.only, &a.json) == (&b.name, b.only, &b.json))
        })
}

struct Merger<'a> {
    merged: TypedPolicy,
    new: &'a TypedPolicy,
    /// For each row of the new flow, its row in the merged policy.
    presences: Vec<PresenceId>,
    variables: Vec<VariableId>,
}

/// Whether two paths lead to one place; how missing parents are marked is no part of that.
fn same_place(a: &[Segment], b: &[Segment]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && a.each == b.each)
}

impl Merger<'_> {
    fn presences(&mut self) {
        for presence in self.new.presences.values() {
            let known = self.merged.presences.iter().find(|(_, row)| same_place(&row.path, &presence.path));
            let row = match known.map(|(id, _)| id) {
                Some(id) => id,
                None => self.merged.presences.push(Presence { path: presence.path.clone(), parent: None }),
            };
            self.presences.push(row);
        }
        self.link_parents();
    }

    /// The next shorter path that may be missing, now that the paths of both flows are known.
    fn link_parents(&mut self) {
        let paths: Vec<_> = self.merged.presences.iter().map(|(id, row)| (id, row.path.clone())).collect();
        for presence in self.merged.presences.values_mut() {
            let above = paths.iter().filter(|(_, path)| {
                path.len() < presence.path.len()
                    && presence.path.get(..path.len()).is_some_and(|start| same_place(start, path))
            });
            presence.parent = above.max_by_key(|(_, path)| path.len()).map(|(id, _)| *id);
        }
    }

    /// Finds each variable of the new flow among those of the old one. Where the two read one value differently and
    /// both look at it, no login can be told to be the same to both.
    fn variables(
        &mut self,
        old_reads: &BTreeSet<VariableId>,
        new_reads: &BTreeSet<VariableId>,
    ) -> Result<(), CompareError> {
        for (id, row) in &self.new.variables {
            let absence = match &row.absence {
                Absence::Tracked(presence) => Absence::Tracked(self.presence(*presence)),
                other => other.clone(),
            };
            let row = Variable { absence, ..row.clone() };
            let on_path = self
                .merged
                .variables
                .iter_mut()
                .find(|(_, known)| same_place(&known.path, &row.path) && known.split == row.split);
            let merged = match on_path {
                None => self.merged.variables.push(row),
                Some((known, there)) => {
                    let agree = there.ty == row.ty && there.absence == row.absence;
                    match (agree, old_reads.contains(&known), new_reads.contains(&id)) {
                        (false, true, true) => {
                            return Err(CompareError::Fact { name: row.name, old_name: there.name.clone() });
                        }
                        (false, false, _) => *there = row,
                        _ => {}
                    }
                    known
                }
            };
            self.variables.push(merged);
        }
        Ok(())
    }

    fn presence(&self, id: PresenceId) -> PresenceId {
        self.presences.get(id.index()).copied().unwrap_or(id)
    }

    fn variable(&self, id: VariableId) -> VariableId {
        self.variables.get(id.index()).copied().unwrap_or(id)
    }

    fn condition(&self, kind: &ConditionKind, first: usize) -> ConditionKind {
        let shift = |id: &ConditionId| ConditionId::new(id.index() + first);
        match kind {
            ConditionKind::Not(inner) => ConditionKind::Not(shift(inner)),
            ConditionKind::All(parts) => ConditionKind::All(parts.iter().map(shift).collect()),
            ConditionKind::Any(parts) => ConditionKind::Any(parts.iter().map(shift).collect()),
            ConditionKind::Initially(inner) => ConditionKind::Initially(shift(inner)),
            ConditionKind::Bool(variable) => ConditionKind::Bool(self.variable(*variable)),
            ConditionKind::Present(guard) => ConditionKind::Present(self.guard(*guard)),
            ConditionKind::Text(subject, test) => {
                let variable = self.variable(subject.variable);
                ConditionKind::Text(TextSubject { variable, ..*subject }, test.clone())
            }
            ConditionKind::SameText(a, b) => ConditionKind::SameText(self.variable(*a), self.variable(*b)),
            ConditionKind::Compare(number, comparison, constant) => {
                ConditionKind::Compare(self.number(number), *comparison, *constant)
            }
            ConditionKind::OneOf(number, constants) => {
                ConditionKind::OneOf(self.number(number), constants.clone())
            }
            ConditionKind::InPrefixes(variable, prefixes) => {
                ConditionKind::InPrefixes(self.variable(*variable), prefixes.clone())
            }
            ConditionKind::List(variable, test) => {
                ConditionKind::List(self.variable(*variable), test.clone())
            }
            ConditionKind::Member(FactorSubject::Variable(variable), set) => {
                ConditionKind::Member(FactorSubject::Variable(self.variable(*variable)), self.set(set))
            }
            ConditionKind::Member(subject, set) => ConditionKind::Member(*subject, self.set(set)),
            ConditionKind::EmptySet(set) => ConditionKind::EmptySet(self.set(set)),
            ConditionKind::Constant(_)
            | ConditionKind::Performed(..)
            | ConditionKind::AnyPerformed(_)
            | ConditionKind::Ended(_) => kind.clone(),
        }
    }

    fn guard(&self, guard: Guard) -> Guard {
        match guard {
            Guard::Path(presence) => Guard::Path(self.presence(presence)),
            Guard::LastPerformed => Guard::LastPerformed,
            Guard::Domain(variable) => Guard::Domain(self.variable(variable)),
        }
    }

    fn number(&self, number: &Number) -> Number {
        let moment = |moment: &Moment| match moment {
            Moment::Now => Moment::Now,
            Moment::Variable(variable) => Moment::Variable(self.variable(*variable)),
        };
        match number {
            Number::Variable(variable) => Number::Variable(self.variable(*variable)),
            Number::Age(variable) => Number::Age(self.variable(*variable)),
            Number::Weekday(of) => Number::Weekday(moment(of)),
            Number::Hour(of) => Number::Hour(moment(of)),
            Number::Count(set) => Number::Count(self.set(set)),
            Number::Now | Number::Prompts | Number::Commands => number.clone(),
        }
    }

    /// (How deep sets nest is bounded: [`Reads::of`] has walked them.)
    fn set(&self, set: &Set) -> Set {
        let inner = |set: &Set| Box::new(self.set(set));
        match set {
            Set::Variable(variable) => Set::Variable(self.variable(*variable)),
            Set::Intersect(a, b) => Set::Intersect(inner(a), inner(b)),
            Set::Union(a, b) => Set::Union(inner(a), inner(b)),
            Set::Except(a, b) => Set::Except(inner(a), inner(b)),
            Set::IfPresent { guard, then, otherwise } => {
                Set::IfPresent { guard: self.guard(*guard), then: inner(then), otherwise: inner(otherwise) }
            }
            Set::Enrolled | Set::Performed | Set::Literal(_) => set.clone(),
        }
    }

    fn block(&self, block: &[Statement], first: usize) -> Vec<Statement> {
        block.iter().map(|statement| self.statement(statement, first)).collect()
    }

    fn statement(&self, statement: &Statement, first: usize) -> Statement {
        match statement {
            Statement::Command(command) => {
                let rest = command.rest.as_ref().map(|set| self.set(set));
                Statement::Command(Command { rest, ..command.clone() })
            }
            Statement::Branch { branches, otherwise, span } => {
                let branch = |(condition, body): &(ConditionId, Vec<Statement>)| {
                    (ConditionId::new(condition.index() + first), self.block(body, first))
                };
                Statement::Branch {
                    branches: branches.iter().map(branch).collect(),
                    otherwise: self.block(otherwise, first),
                    span: *span,
                }
            }
            Statement::Applied { body, span } => {
                Statement::Applied { body: self.block(body, first), span: *span }
            }
            Statement::Deny { .. } | Statement::Stop(_) => statement.clone(),
        }
    }
}
