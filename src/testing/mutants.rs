//! Mutants: a flow with one small mistake in it, to see whether its tests notice.
//!
//! The mistakes are the classic ones: a condition that always gives one answer, `and` for `or`, a comparison or a
//! constant off by one, another factor, a statement that is missing. Each is made in the typed policy, at one text of
//! the source, wherever that text counts; the tests then run on it as they do on the policy itself. Of a mutant that no
//! test notices, a comparison with the policy says which login would, or that there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::run_tests;
use crate::check::policy::{
    Block, Comparison as Compares, ConditionId, ConditionKind, FactorId, FactorSubject, Set, Statement, Step,
    TextTest, TypedPolicy,
};
use crate::compile::Compiled;
use crate::flow::Budget;
use crate::flow::compare::{CompareError, Comparison, Detail, compare};
use crate::source::Span;
use crate::trace::is_one_text;

/// A flow with one mistake in it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The text that is changed.
    pub span: Span,
    /// The change: ``always true``, ``<= for <``, ``phone for otp``.
    pub change: String,
    edit: Edit,
}

/// How a typed policy is changed.
#[derive(Clone, Debug)]
enum Edit {
    /// These conditions ask this.
    Ask(Vec<ConditionId>, ConditionKind),
    /// The statement at this place is missing.
    Drop(Span),
    /// The statement at this place is this one.
    Replace(Span, Statement),
}

impl Mutant {
    /// The flow with the mistake in it; `None` where that can't be lowered.
    pub fn apply(&self, compiled: &Compiled) -> Option<Compiled> {
        let mut typed = compiled.typed.clone();
        match &self.edit {
            Edit::Ask(rows, kind) => rows.iter().for_each(|row| {
                if let Some(condition) = typed.conditions.get_mut(*row) {
                    condition.kind = kind.clone();
                }
            }),
            Edit::Drop(span) => {
                typed.steps.values_mut().for_each(|step| drop_statement(&mut step.body, *span));
            }
            Edit::Replace(span, new) => {
                typed.steps.values_mut().for_each(|step| replace_statement(&mut step.body, *span, new));
            }
        }
        compiled.with_typed(typed)
    }
}

/// Every mutant of a flow, in the order of the source. Texts of the library are not changed.
pub fn mutants(compiled: &Compiled) -> Vec<Mutant> {
    let typed = &compiled.typed;
    let mut maker = Maker { compiled, made: Vec::new() };
    for (span, rows) in conditions(typed) {
        if compiled.is_own(span.file) {
            maker.condition(span, &rows);
        }
    }
    let mut statements = BTreeMap::new();
    typed.steps.values().for_each(|step| collect(&step.body, &mut statements));
    for (span, statement) in statements {
        if compiled.is_own(span.file) {
            maker.statement(span, statement);
        }
    }
    let mut made = maker.made;
    made.sort_by_key(|mutant| mutant.span);
    made
}

/// What can be said of a mutant.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// Some test fails on it.
    Noticed,
    /// It is the same for every login, so no test could notice it.
    SameForEveryLogin,
    /// No test notices it. The classes of logins that would, each with one.
    Unnoticed(Box<Comparison>),
    /// No test notices it, and it can't be compared.
    NotCompared(CompareError),
    /// It is past a bound of what a flow may be, so nothing can be said of it.
    TooLarge,
}

/// Judges a mutant of a flow.
pub fn judge(compiled: &Compiled, mutant: &Mutant, budget: &Budget) -> Judgement {
    let Some(mistaken) = mutant.apply(compiled) else { return Judgement::TooLarge };
    if !run_tests(&mistaken, "").all_passed() {
        return Judgement::Noticed;
    }
    match compare(&compiled.typed, &mistaken.typed, Detail::Visible, budget) {
        Ok(comparison) if comparison.is_same() => Judgement::SameForEveryLogin,
        Ok(comparison) => Judgement::Unnoticed(Box::new(comparison)),
        Err(error) => Judgement::NotCompared(error),
    }
}

/// The conditions that steps ask, by their texts.
fn conditions(typed: &TypedPolicy) -> BTreeMap<Span, Vec<ConditionId>> {
    let mut waiting: Vec<ConditionId> = typed.steps.values().flat_map(Step::asked).collect();
    let mut found: BTreeMap<Span, Vec<ConditionId>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let condition = &typed.conditions[id];
        found.entry(condition.span).or_default().push(id);
        if !is_one_text(typed, condition) {
            match &condition.kind {
                ConditionKind::Not(inner) => waiting.push(*inner),
                ConditionKind::All(parts) | ConditionKind::Any(parts) => waiting.extend(parts),
                _ => {}
            }
        }
    }
    found
}

/// The statements of a block and all below it, by their texts.
fn collect<'a>(block: &'a Block, to: &mut BTreeMap<Span, &'a Statement>) {
    let mut waiting: Vec<&Statement> = block.iter().collect();
    while let Some(statement) = waiting.pop() {
        to.insert(statement.span(), statement);
        match statement {
            Statement::Applied { body, .. } => waiting.extend(body),
            Statement::Branch { branches, otherwise, .. } => {
                branches.iter().for_each(|(_, body)| waiting.extend(body));
                waiting.extend(otherwise);
            }
            Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
        }
    }
}

struct Maker<'a> {
    compiled: &'a Compiled,
    made: Vec<Mutant>,
}

impl Maker<'_> {
    fn make(&mut self, span: Span, change: impl Into<String>, edit: Edit) {
        self.made.push(Mutant { span, change: change.into(), edit });
    }

    /// Changes a condition wherever its text counts.
    fn kind(&mut self, span: Span, rows: &[ConditionId], change: String, kind: ConditionKind) {
        self.make(span, change, Edit::Ask(rows.to_vec(), kind));
    }

    fn condition(&mut self, span: Span, rows: &[ConditionId]) {
        let typed = &self.compiled.typed;
        let Some(first) = rows.first().map(|row| &typed.conditions[*row]) else { return };
        let kind = &first.kind;
        match kind {
            ConditionKind::Constant(_) => return,
            ConditionKind::All(parts) if !is_one_text(typed, first) => {
                return self.kind(span, rows, "`or` for `and`".to_owned(), ConditionKind::Any(parts.clone()));
            }
            ConditionKind::Any(parts) if !is_one_text(typed, first) => {
                return self.kind(span, rows, "`and` for `or`".to_owned(), ConditionKind::All(parts.clone()));
            }
            ConditionKind::Not(_) if !is_one_text(typed, first) => return,
            _ => {}
        }
        self.kind(span, rows, "always true".to_owned(), ConditionKind::Constant(true));
        self.kind(span, rows, "always false".to_owned(), ConditionKind::Constant(false));
        // A text that several uses read with different values is changed as a whole only.
        let is_alike = rows.iter().all(|row| typed.conditions[*row].kind == *kind);
        if is_alike {
            for (change, kind) in self.near(kind) {
                self.kind(span, rows, change, kind);
            }
        }
    }

    /// What one could have written instead of a test.
    fn near(&self, kind: &ConditionKind) -> Vec<(String, ConditionKind)> {
        let mut near = Vec::new();
        match kind {
            ConditionKind::Compare(number, comparison, constant) => {
                let other = match comparison {
                    Compares::Equal => None,
                    Compares::Less => Some(("`<=` for `<`", Compares::LessOrEqual)),
                    Compares::LessOrEqual => Some(("`<` for `<=`", Compares::Less)),
                    Compares::Greater => Some(("`>=` for `>`", Compares::GreaterOrEqual)),
                    Compares::GreaterOrEqual => Some(("`>` for `>=`", Compares::Greater)),
                };
                if let Some((change, other)) = other {
                    near.push((change.to_owned(), ConditionKind::Compare(number.clone(), other, *constant)));
                }
            }
            ConditionKind::Text(subject, TextTest::OneOf(texts)) if texts.len() > 1 => {
                for dropped in texts {
                    let left = texts.iter().filter(|text| *text != dropped).cloned().collect();
                    let change = format!("without {}", crate::trace::quoted(dropped));
                    near.push((change, ConditionKind::Text(*subject, TextTest::OneOf(left))));
                }
            }
            ConditionKind::Performed(factor, window) => {
                let other = self.another(*factor, |_| true);
                near.extend(
                    other.map(|other| (self.swap(other, *factor), ConditionKind::Performed(other, *window))),
                );
            }
            ConditionKind::Member(FactorSubject::Literal(factor), set) => {
                let other = self.another(*factor, |other| *set != Set::Literal(vec![other]));
                let member = |other| ConditionKind::Member(FactorSubject::Literal(other), set.clone());
                near.extend(other.map(|other| (self.swap(other, *factor), member(other))));
            }
            _ => {}
        }
        near
    }

    fn statement(&mut self, span: Span, statement: &Statement) {
        if !matches!(statement, Statement::Branch { .. }) {
            self.make(span, "without it", Edit::Drop(span));
        }
        let Statement::Command(command) = statement else { return };
        for (place, listed) in command.listed.iter().enumerate() {
            let catalog = &self.compiled.typed.catalog;
            let is_free = |other: FactorId| {
                catalog.factors[other].allows(command.kind)
                    && command.listed.iter().all(|listed| listed.factor != other)
            };
            let Some(other) = self.another(listed.factor, is_free) else { continue };
            let mut changed = command.clone();
            if let Some(listed) = changed.listed.get_mut(place) {
                listed.factor = other;
                listed.options.clear();
            }
            let change = self.swap(other, listed.factor);
            self.make(span, change, Edit::Replace(span, Statement::Command(changed)));
        }
    }

    /// The next factor of the catalog that would fit.
    fn another(&self, factor: FactorId, fits: impl Fn(FactorId) -> bool) -> Option<FactorId> {
        let catalog = &self.compiled.typed.catalog;
        let after = catalog.factors.keys().skip_while(|other| *other != factor).skip(1);
        after.chain(catalog.factors.keys()).find(|other| *other != factor && fits(*other))
    }

    fn swap(&self, new: FactorId, old: FactorId) -> String {
        let name = |factor: FactorId| &self.compiled.typed.catalog.factors[factor].name;
        format!("`{}` for `{}`", name(new), name(old))
    }
}

fn drop_statement(block: &mut Block, span: Span) {
    block.retain(|statement| statement.span() != span);
    inner_blocks(block, &mut |inner| drop_statement(inner, span));
}

fn replace_statement(block: &mut Block, span: Span, new: &Statement) {
    for statement in block.iter_mut().filter(|statement| statement.span() == span) {
        *statement = new.clone();
    }
    inner_blocks(block, &mut |inner| replace_statement(inner, span, new));
}

/// The checker bounds how deep blocks nest, so this recursion ends soon.
fn inner_blocks(block: &mut Block, visit: &mut dyn FnMut(&mut Block)) {
    for statement in block {
        match statement {
            Statement::Applied { body, .. } => visit(body),
            Statement::Branch { branches, otherwise, .. } => {
                branches.iter_mut().for_each(|(_, body)| visit(body));
                visit(otherwise);
            }
            Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
        }
    }
}
