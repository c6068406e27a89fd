//! One concrete login between and within its steps: what it has done so far, and the rules of its prompts.
//!
//! These are the rules of "What a login means" in the language reference, over plain values. The diagrams' version
//! stands in `prompts`, beside this folder; a login that they find is replayed here.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::StepFacts;
use super::event::Event;
use crate::check::policy::{Command, CommandKind, FactorId, Statement, Step, Style, TypedPolicy, VariableId};
use crate::flow::masks::{FactorMask, bit, factors};
use crate::source::Span;

/// How many commands a flow may execute.
pub const MAX_COMMANDS: usize = 4;

/// A factor that the user has passed in this login.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Passed {
    /// The factor.
    pub factor: FactorId,
    /// How old its stamp is when a step begins, in milliseconds.
    pub age: i64,
}

/// What a login has done so far.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Session {
    /// The factors enrolled in this login.
    pub enrolled: FactorMask,
    /// The factors passed in this login, by a challenge or an enrollment, in order.
    pub passed: Vec<Passed>,
    /// The commands executed.
    pub commands: usize,
}

/// How a step went before its prompts.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct StepRun<'a> {
    /// The commands executed, in order, with what each offers.
    pub(super) commands: Vec<(&'a Command, Vec<FactorId>)>,
    /// How it ended.
    pub(super) end: StepEnd,
    /// The variables that it looked at.
    pub(super) read: Vec<VariableId>,
}

/// How a step ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StepEnd {
    /// Its prompts are due.
    Prompts,
    /// A denial, by this statement.
    Denied(Span),
    /// Its last command was the fifth of the login.
    LimitExceeded,
}

/// What a command does when it is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Prompt {
    /// A challenge that a factor passed earlier answers: no prompt.
    Answered,
    /// An `enroll any of` with nothing left to enroll: it fails, and the login goes on.
    NothingLeft,
    /// The login fails.
    LoginFails,
    /// The user passes one of these, in the order shown.
    Choice(Vec<FactorId>),
}

impl Session {
    /// Runs the statements of a step.
    pub(super) fn run<'a>(&self, policy: &'a TypedPolicy, step: &'a Step, event: &Event) -> StepRun<'a> {
        let mut facts = StepFacts::new(policy, event, self);
        let mut commands = Vec::new();
        let mut waiting: Vec<&Statement> = step.body.iter().rev().collect();
        let mut end = StepEnd::Prompts;
        while let Some(statement) = waiting.pop() {
            match statement {
                Statement::Command(command) => {
                    commands.push((command, offered(policy, command, &mut facts)));
                    if self.commands + commands.len() > MAX_COMMANDS {
                        end = StepEnd::LimitExceeded;
                        break;
                    }
                }
                Statement::Deny { span, .. } => {
                    end = StepEnd::Denied(*span);
                    break;
                }
                Statement::Stop(_) => break,
                Statement::Applied { body, .. } => waiting.extend(body.iter().rev()),
                Statement::Branch { branches, otherwise, .. } => {
                    let taken = branches.iter().find(|(condition, _)| facts.holds(*condition));
                    waiting.extend(taken.map_or(otherwise, |(_, block)| block).iter().rev());
                }
            }
        }
        StepRun { commands, end, read: facts.read.into_iter().collect() }
    }

    /// What a command does now, by rules 2 to 5.
    pub(super) fn prompt(&self, command: &Command, offered: &[FactorId], event: &Event) -> Prompt {
        let enrolled = event.enrolled | self.enrolled;
        let passed = |factor: &FactorId| self.passed.iter().any(|passed| passed.factor == *factor);
        let is_enrolled = |factor: &FactorId| enrolled & bit(*factor) != 0;
        match command.kind {
            CommandKind::Challenge if offered.iter().any(passed) => Prompt::Answered,
            CommandKind::Challenge => {
                let usable: Vec<_> = offered.iter().copied().filter(is_enrolled).collect();
                if usable.is_empty() { Prompt::LoginFails } else { Prompt::Choice(usable) }
            }
            CommandKind::Enroll => {
                let usable: Vec<_> = offered.iter().copied().filter(|factor| !is_enrolled(factor)).collect();
                match (usable.is_empty(), command.style) {
                    (true, Style::Any) => Prompt::NothingLeft,
                    (true, Style::Preferred) => Prompt::LoginFails,
                    (false, _) if enrolled != 0 && self.passed.is_empty() => Prompt::LoginFails,
                    (false, _) => Prompt::Choice(usable),
                }
            }
        }
    }

    /// The login after the user has passed a prompt.
    pub(super) fn passing(&self, command: &Command, factor: FactorId) -> Session {
        let mut next = self.clone();
        next.passed.push(Passed { factor, age: 0 });
        if command.kind == CommandKind::Enroll {
            next.enrolled |= bit(factor);
        }
        next
    }

    /// The ages that the passed factors may have when the next step begins (A2): no stamp grows younger, an older
    /// one is no younger than a newer one, and the last is as fresh as can be. Only which of a factor's `windows`
    /// have run out is told apart, so an age is the least possible or the length of one.
    pub(super) fn later(&self, windows: &BTreeMap<FactorId, BTreeSet<i64>>) -> Vec<Session> {
        let mut found = vec![Vec::new()];
        for (place, passed) in self.passed.iter().enumerate().rev() {
            let is_last = place + 1 == self.passed.len();
            let mut longer: Vec<Vec<Passed>> = Vec::new();
            for newer in &found {
                let least = newer.last().map_or(0, |newer: &Passed| newer.age).max(passed.age);
                let lengths = windows.get(&passed.factor).into_iter().flatten().copied();
                let older = lengths.filter(|length| *length > least && !is_last);
                for age in std::iter::once(least).chain(older) {
                    longer.push([newer.as_slice(), &[Passed { age, ..*passed }]].concat());
                }
            }
            found = longer;
        }
        let in_order = |reversed: Vec<Passed>| reversed.into_iter().rev().collect();
        found.into_iter().map(|reversed| Session { passed: in_order(reversed), ..self.clone() }).collect()
    }
}

/// The factors that a command offers, in the order shown as far as choices matter: those listed, then those of its
/// set that the command may name.
fn offered(policy: &TypedPolicy, command: &Command, facts: &mut StepFacts<'_>) -> Vec<FactorId> {
    let mut offered: Vec<FactorId> = command.listed.iter().map(|listed| listed.factor).collect();
    if let Some(set) = &command.rest {
        let members = facts.set(set);
        for factor in factors(&policy.catalog, members) {
            if policy.catalog.factors[factor].allows(command.kind) && !offered.contains(&factor) {
                offered.push(factor);
            }
        }
    }
    offered
}
