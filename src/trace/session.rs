//! One concrete login between and within its steps: what it has done so far, and the rules of its prompts.
//!
//! These are the rules of "What a login means" in the language reference, over plain values.

use std::collections::BTreeSet;

use super::evaluate::{Met, StepFacts};
use super::event::Event;
use super::looked::LookedAt;
use crate::check::masks::{FactorMask, bit};
use crate::check::policy::{Command, CommandKind, FactorId, Statement, Step, Style, TypedPolicy, VariableId};
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
    /// The prompts that the user has passed.
    pub prompts: usize,
}

/// How a step went before its prompts.
#[derive(Clone, PartialEq, Debug)]
pub struct StepRun<'a> {
    /// The commands executed, in order.
    pub commands: Vec<ExecutedCommand<'a>>,
    /// How it ended.
    pub end: StepEnd,
    /// The conditions asked and the statements that ran, in order.
    pub met: Vec<Met>,
    /// The variables that it looked at.
    pub read: BTreeSet<VariableId>,
    /// All that it looked at, in order.
    pub looked: LookedAt,
    /// Those of them that should have a value, and the event has none.
    pub missing: BTreeSet<VariableId>,
    /// Whether the clock mattered beyond the windows over performed factors.
    pub read_now: bool,
}

/// A command that executed.
#[derive(Clone, PartialEq, Debug)]
pub struct ExecutedCommand<'a> {
    /// It.
    pub command: &'a Command,
    /// What it offers, in the order shown.
    pub offered: Vec<FactorId>,
}

/// How a step ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepEnd {
    /// Its prompts are due.
    Prompts,
    /// A denial, by this statement.
    Denied(Span),
    /// Its last command was the fifth of the login.
    LimitExceeded,
}

/// What a command does when it is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prompt {
    /// A challenge that this factor, passed earlier, answers: no prompt.
    Answered(FactorId),
    /// An `enroll any of` with everything enrolled that it offers: it fails, and the login goes on.
    NothingLeft,
    /// The login fails.
    LoginFails(Refusal),
    /// The user passes one of these, in the order shown.
    Choice(Vec<FactorId>),
}

/// Why a login fails when a command is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Nothing that it offers can be used.
    NothingUsable,
    /// It would enroll while something is enrolled, and nothing was passed in this login.
    EnrollWithoutChallenge,
}

impl Session {
    /// Runs the statements of a step.
    pub fn run<'a>(&self, policy: &'a TypedPolicy, step: &'a Step, event: &Event) -> StepRun<'a> {
        let mut facts = StepFacts::new(policy, event, self);
        let mut commands = Vec::new();
        let mut waiting: Vec<&Statement> = step.body.iter().rev().collect();
        let mut end = StepEnd::Prompts;
        while let Some(statement) = waiting.pop() {
            facts.met.push(Met::Statement(statement.span()));
            match statement {
                Statement::Command(command) => {
                    commands.push(ExecutedCommand { command, offered: offered(command, &mut facts) });
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
        let StepFacts { met, read, looked, missing, read_now, .. } = facts;
        StepRun { commands, end, met, read, looked, missing, read_now }
    }

    /// What a command does now, by rules 2 to 5.
    pub fn prompt(
        &self,
        policy: &TypedPolicy,
        command: &Command,
        offered: &[FactorId],
        event: &Event,
    ) -> Prompt {
        let enrolled = event.enrolled | self.enrolled;
        let available = policy.enabled & event.supported;
        let passed = |factor: &&FactorId| self.passed.iter().any(|passed| passed.factor == **factor);
        let is_enrolled = |factor: &FactorId| enrolled & bit(*factor) != 0;
        let is_usable = |factor: &FactorId| {
            available & bit(*factor) != 0 && is_enrolled(factor) == (command.kind == CommandKind::Challenge)
        };
        if let (CommandKind::Challenge, Some(factor)) = (command.kind, offered.iter().find(passed)) {
            return Prompt::Answered(*factor);
        }
        let usable: Vec<_> = offered.iter().copied().filter(is_usable).collect();
        let enrolls = command.kind == CommandKind::Enroll;
        if usable.is_empty() && enrolls && command.style == Style::Any && offered.iter().all(is_enrolled) {
            Prompt::NothingLeft
        } else if usable.is_empty() {
            Prompt::LoginFails(Refusal::NothingUsable)
        } else if enrolls && enrolled != 0 && self.passed.is_empty() {
            Prompt::LoginFails(Refusal::EnrollWithoutChallenge)
        } else {
            Prompt::Choice(usable)
        }
    }

    /// The login after the user has passed a prompt.
    pub fn passing(&self, command: &Command, factor: FactorId) -> Session {
        let mut next = self.clone();
        next.passed.push(Passed { factor, age: 0 });
        next.prompts += 1;
        if command.kind == CommandKind::Enroll {
            next.enrolled |= bit(factor);
        }
        next
    }
}

/// The factors that a command offers, in the order shown: those listed, then those of its set that the catalog allows
/// in it.
pub fn offered(command: &Command, facts: &mut StepFacts<'_>) -> Vec<FactorId> {
    let mut offered: Vec<FactorId> = command.listed.iter().map(|listed| listed.factor).collect();
    let rest = command.rest.as_ref().map_or_else(Vec::new, |set| facts.in_order(set));
    for factor in rest {
        if facts.policy().catalog.factors[factor].allows(command.kind) && !offered.contains(&factor) {
            offered.push(factor);
        }
    }
    offered
}
