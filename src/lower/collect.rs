//! What a policy reads: every variable, presence and clock that its statements' conditions and commands ask about,
//! and what they ask. Guarantees and tests are proven and run before a login, so they read nothing here.
//!
//! Conditions refer to earlier rows only: one pass from the last to the first finds all that are reached, without
//! recursion. Blocks and sets are trees; the first walk over them is this one, and it bounds their depth.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::check::policy::{
    Block, Command, Condition, ConditionId, ConditionKind, FactorSubject, Guard, ListTest, Moment, Number,
    PresenceId, Set, Statement, TextTest, TypedPolicy, VariableId, View, Window,
};
use crate::lower::layout::PatternKind;
use crate::lower::{LowerError, MAX_DEPTH};

/// What is asked of one variable; which parts are used follows from its type.
#[derive(Default)]
pub(super) struct VariableReads<'p> {
    /// The value itself: of a number, a time, a bool, a set, a factor.
    pub(super) value: bool,
    pub(super) weekday: bool,
    pub(super) hour: bool,
    /// The constants that each view of a string is compared with.
    pub(super) constants: BTreeMap<View, BTreeSet<&'p str>>,
    pub(super) patterns: BTreeSet<(View, PatternKind, &'p str)>,
    pub(super) has_domain: bool,
    /// Whether a list is empty.
    pub(super) emptiness: bool,
    /// The constants that a list is searched for.
    pub(super) elements: BTreeSet<&'p str>,
    pub(super) prefixes: BTreeSet<IpNet>,
}

/// What is asked of `now`.
#[derive(Default)]
pub(super) struct NowReads {
    pub(super) value: bool,
    pub(super) weekday: bool,
    pub(super) hour: bool,
}

/// What is asked of the session's performed factors.
#[derive(Default)]
pub(super) struct PerformedReads {
    pub(super) mask: bool,
    /// The factors whose stamp is read.
    pub(super) stamps: BTreeSet<u8>,
    pub(super) latest: bool,
    pub(super) last: bool,
    pub(super) in_login: bool,
}

/// All that a policy reads.
#[derive(Default)]
pub(super) struct Reads<'p> {
    pub(super) variables: BTreeMap<VariableId, VariableReads<'p>>,
    pub(super) presences: BTreeSet<PresenceId>,
    /// Pairs of strings, the lower first.
    pub(super) equalities: BTreeSet<(VariableId, VariableId)>,
    pub(super) enrolled: bool,
    /// Whether any command may execute: its prompt asks what is enrolled.
    pub(super) prompts: bool,
    pub(super) now: NowReads,
    pub(super) performed: PerformedReads,
}

/// Finds all that the steps of a policy read.
pub(super) fn collect(policy: &TypedPolicy) -> Result<Reads<'_>, LowerError> {
    let mut reads = Reads::default();
    let mut reached = vec![false; policy.conditions.len()];
    for step in policy.steps.values() {
        reads.block(&step.body, &mut reached, MAX_DEPTH)?;
    }
    for (id, condition) in policy.conditions.iter().rev() {
        if reached.get(id.as_u32() as usize).copied().unwrap_or(false) {
            for part in parts(condition) {
                mark(&mut reached, *part);
            }
            reads.condition(&condition.kind)?;
        }
    }
    Ok(reads)
}

fn mark(reached: &mut [bool], id: ConditionId) {
    if let Some(entry) = reached.get_mut(id.as_u32() as usize) {
        *entry = true;
    }
}

/// The conditions that a condition is made of.
fn parts(condition: &Condition) -> &[ConditionId] {
    match &condition.kind {
        ConditionKind::Not(part) => std::slice::from_ref(part),
        ConditionKind::All(parts) | ConditionKind::Any(parts) => parts,
        _ => &[],
    }
}

impl<'p> Reads<'p> {
    fn block(&mut self, block: &'p Block, reached: &mut [bool], depth: usize) -> Result<(), LowerError> {
        let depth = depth.checked_sub(1).ok_or(LowerError::TooDeep)?;
        for statement in block {
            match statement {
                Statement::Command(command) => self.command(command)?,
                Statement::Deny { .. } | Statement::Stop(_) => {}
                Statement::Branch { branches, otherwise, .. } => {
                    for (condition, body) in branches {
                        mark(reached, *condition);
                        self.block(body, reached, depth)?;
                    }
                    self.block(otherwise, reached, depth)?;
                }
                Statement::Applied { body, .. } => self.block(body, reached, depth)?,
            }
        }
        Ok(())
    }

    fn command(&mut self, command: &'p Command) -> Result<(), LowerError> {
        self.prompts = true;
        command.rest.as_ref().map_or(Ok(()), |set| self.set(set, MAX_DEPTH))
    }

    fn condition(&mut self, kind: &'p ConditionKind) -> Result<(), LowerError> {
        match kind {
            ConditionKind::Bool(variable) => self.variable(*variable).value = true,
            ConditionKind::Present(guard) => self.guard(*guard),
            ConditionKind::Text(subject, test) => self.text(subject.variable, subject.view, test),
            ConditionKind::SameText(a, b) => {
                self.variable(*a);
                self.variable(*b);
                self.equalities.insert((*a.min(b), *a.max(b)));
            }
            ConditionKind::Compare(number, ..) | ConditionKind::OneOf(number, _) => self.number(number)?,
            ConditionKind::InPrefixes(variable, prefixes) => {
                self.variable(*variable).prefixes.extend(prefixes.iter().map(IpNet::trunc));
            }
            ConditionKind::List(variable, test) => self.list(*variable, test),
            ConditionKind::Member(subject, set) => {
                self.factor(*subject);
                self.set(set, MAX_DEPTH)?;
            }
            ConditionKind::EmptySet(set) => self.set(set, MAX_DEPTH)?,
            ConditionKind::Performed(factor, window) => match window {
                Window::Ever => self.performed.mask = true,
                Window::Within(_) => {
                    self.now.value = true;
                    self.performed.stamps.insert(factor.as_u32() as u8);
                }
                Window::ThisLogin => self.performed.in_login = true,
            },
            ConditionKind::AnyPerformed(window) => match window {
                Window::Ever => self.performed.mask = true,
                Window::Within(_) => {
                    self.now.value = true;
                    self.performed.latest = true;
                }
                Window::ThisLogin => self.performed.in_login = true,
            },
            // Their parts are rows of their own; the last two stand under guarantees only.
            ConditionKind::Constant(_) | ConditionKind::Not(_) | ConditionKind::All(_) => {}
            ConditionKind::Any(_) | ConditionKind::Initially(_) | ConditionKind::Ended(_) => {}
        }
        Ok(())
    }

    fn variable(&mut self, id: VariableId) -> &mut VariableReads<'p> {
        self.variables.entry(id).or_default()
    }

    fn guard(&mut self, guard: Guard) {
        match guard {
            Guard::Path(presence) => {
                self.presences.insert(presence);
            }
            Guard::LastPerformed => self.performed.mask = true,
            Guard::Domain(variable) => self.variable(variable).has_domain = true,
        }
    }

    fn text(&mut self, variable: VariableId, view: View, test: &'p TextTest) {
        let reads = self.variable(variable);
        let (kind, literal) = match test {
            TextTest::OneOf(texts) => {
                reads.constants.entry(view).or_default().extend(texts.iter().map(String::as_str));
                return;
            }
            TextTest::StartsWith(literal) => (PatternKind::StartsWith, literal),
            TextTest::EndsWith(literal) => (PatternKind::EndsWith, literal),
            TextTest::Contains(literal) => (PatternKind::Contains, literal),
        };
        reads.patterns.insert((view, kind, literal));
    }

    fn number(&mut self, number: &'p Number) -> Result<(), LowerError> {
        match number {
            Number::Variable(variable) => self.variable(*variable).value = true,
            Number::Now => self.now.value = true,
            Number::Age(variable) => {
                self.now.value = true;
                self.variable(*variable).value = true;
            }
            Number::Weekday(Moment::Now) => self.now.weekday = true,
            Number::Weekday(Moment::Variable(variable)) => self.variable(*variable).weekday = true,
            Number::Hour(Moment::Now) => self.now.hour = true,
            Number::Hour(Moment::Variable(variable)) => self.variable(*variable).hour = true,
            Number::Count(set) => self.set(set, MAX_DEPTH)?,
            Number::Prompts | Number::Commands => {}
        }
        Ok(())
    }

    fn list(&mut self, variable: VariableId, test: &'p ListTest) {
        let reads = self.variable(variable);
        match test {
            ListTest::Empty => reads.emptiness = true,
            ListTest::ContainsAny(texts) | ListTest::ContainsAll(texts) => {
                reads.elements.extend(texts.iter().map(String::as_str));
            }
        }
    }

    fn factor(&mut self, subject: FactorSubject) {
        match subject {
            FactorSubject::Literal(_) => {}
            FactorSubject::Variable(variable) => self.variable(variable).value = true,
            FactorSubject::LastPerformed => self.performed.last = true,
        }
    }

    fn set(&mut self, set: &'p Set, depth: usize) -> Result<(), LowerError> {
        let depth = depth.checked_sub(1).ok_or(LowerError::TooDeep)?;
        match set {
            Set::Enrolled => self.enrolled = true,
            Set::Performed => self.performed.mask = true,
            Set::Variable(variable) => self.variable(*variable).value = true,
            Set::Literal(_) => {}
            Set::Intersect(a, b) | Set::Union(a, b) | Set::Except(a, b) => {
                self.set(a, depth)?;
                self.set(b, depth)?;
            }
            Set::IfPresent { guard, then, otherwise } => {
                self.guard(*guard);
                self.set(then, depth)?;
                self.set(otherwise, depth)?;
            }
        }
        Ok(())
    }
}
