//! Finding the choices that lead one event to where the diagrams say it can get.
//!
//! The diagrams name an event; how its user answers the prompts is found here by trying, over plain values and
//! independently of them. So a finding is never reported unless the policy, read as it is written, confirms it.

use std::collections::{BTreeMap, BTreeSet};

use cranelift_entity::EntityRef;

use crate::check::policy::{
    Command, CommandKind, ConditionKind, FactorId, Step, StepId, TypedPolicy, VariableId, Window,
};
use crate::source::Span;
use crate::trace::{Event, ExecutedCommand, Passed, Prompt, Session, StepEnd, StepRun};

/// One login: its event, and what happened step by step.
#[derive(Clone, PartialEq, Debug)]
pub struct Login {
    /// What it began with.
    pub event: Event,
    /// The variables that its steps looked at.
    pub read: Vec<VariableId>,
    /// Each step that ran.
    pub steps: Vec<PlayedStep>,
}

/// What one step did.
#[derive(Clone, PartialEq, Debug)]
pub struct PlayedStep {
    /// The step.
    pub step: StepId,
    /// The factors passed earlier in this login, with the ages of their stamps as this step saw them.
    pub passed: Vec<Passed>,
    /// The commands that it executed, in order.
    pub commands: Vec<PlayedCommand>,
}

/// One executed command.
#[derive(Clone, PartialEq, Debug)]
pub struct PlayedCommand {
    /// Where it stands.
    pub span: Span,
    /// Enroll or challenge.
    pub kind: CommandKind,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The user chose among these, in the order shown, and passed.
    Passed {
        /// What was offered and could be used.
        offered: Vec<FactorId>,
        /// The choice.
        chosen: FactorId,
    },
    /// A factor passed earlier answers it.
    Answered,
    /// Everything that it offers is enrolled already: it failed, and the login went on.
    NothingLeft,
    /// The step ended in a denial or in a fifth command, so it was never shown.
    NotShown,
}

/// What to look for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    /// A fifth command.
    FifthCommand,
    /// A denial by this statement in a step that has executed a command.
    CommandsBefore(Span),
}

/// Tries the user's choices, in the order in which they are shown, until the goal is met. At most `limit` steps are
/// run.
pub(super) fn find_login(policy: &TypedPolicy, event: Event, goal: Goal, limit: usize) -> Option<Login> {
    let mut search = Search {
        policy,
        event: &event,
        goal,
        windows: windows(policy),
        seen: BTreeSet::new(),
        limit,
        read: BTreeSet::new(),
        played: Vec::new(),
    };
    let found = search.play_from(StepId::new(0), &Session::default());
    let (read, steps) = (search.read.into_iter().collect(), search.played);
    found.then_some(Login { event, read, steps })
}

/// The lengths of all windows over single factors.
fn windows(policy: &TypedPolicy) -> BTreeMap<FactorId, BTreeSet<i64>> {
    let mut windows: BTreeMap<FactorId, BTreeSet<i64>> = BTreeMap::new();
    for condition in policy.conditions.values() {
        if let ConditionKind::Performed(factor, Window::Within(length)) = condition.kind {
            windows.entry(factor).or_default().insert(length);
        }
    }
    windows
}

/// The ages that the passed factors may have when the next step begins (A2): no stamp grows younger, an older
/// one is no younger than a newer one, and the last is as fresh as can be. Only which of a factor's `windows`
/// have run out is told apart, so an age is the least possible or the length of one.
fn later(session: &Session, windows: &BTreeMap<FactorId, BTreeSet<i64>>) -> Vec<Session> {
    let mut found = vec![Vec::new()];
    for (place, passed) in session.passed.iter().enumerate().rev() {
        let is_last = place + 1 == session.passed.len();
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
    found.into_iter().map(|reversed| Session { passed: in_order(reversed), ..session.clone() }).collect()
}

struct Search<'a> {
    policy: &'a TypedPolicy,
    event: &'a Event,
    goal: Goal,
    windows: BTreeMap<FactorId, BTreeSet<i64>>,
    seen: BTreeSet<(StepId, Session)>,
    limit: usize,
    read: BTreeSet<VariableId>,
    played: Vec<PlayedStep>,
}

impl<'a> Search<'a> {
    /// Plays from the beginning of a step, with every way in which time may have passed.
    fn play_from(&mut self, id: StepId, session: &Session) -> bool {
        let policy = self.policy;
        let Some(step) = policy.steps.get(id) else { return false };
        later(session, &self.windows).into_iter().any(|session| self.step(id, step, session))
    }

    fn step(&mut self, id: StepId, step: &'a Step, session: Session) -> bool {
        if self.seen.len() >= self.limit || !self.seen.insert((id, session.clone())) {
            return false;
        }
        let mut run = session.run(self.policy, step, self.event);
        self.played.push(PlayedStep { step: id, passed: session.passed.clone(), commands: Vec::new() });
        let reads = std::mem::take(&mut run.read);
        let found = match (run.end, self.goal) {
            (StepEnd::LimitExceeded, Goal::FifthCommand) => true,
            (StepEnd::Denied(span), Goal::CommandsBefore(wanted)) => {
                span == wanted && !run.commands.is_empty()
            }
            (StepEnd::Prompts, _) => {
                let before = Session { commands: session.commands + run.commands.len(), ..session };
                self.prompts(id, &run, 0, &before)
            }
            _ => false,
        };
        if found {
            self.read.extend(reads);
            if run.end != StepEnd::Prompts {
                let shown = run.commands.iter().map(|executed| played(executed.command, Outcome::NotShown));
                self.log(id, shown.collect());
            }
        } else {
            self.played.pop();
        }
        found
    }

    /// Answers the prompts from one on, then goes to the next step.
    fn prompts(&mut self, id: StepId, run: &StepRun<'a>, at: usize, session: &Session) -> bool {
        let Some(ExecutedCommand { command, offered }) = run.commands.get(at) else {
            return self.play_from(StepId::new(id.index() + 1), session);
        };
        let outcomes = match session.prompt(self.policy, command, offered, self.event) {
            Prompt::LoginFails(_) => Vec::new(),
            Prompt::Answered(_) => vec![(Outcome::Answered, session.clone())],
            Prompt::NothingLeft => vec![(Outcome::NothingLeft, session.clone())],
            Prompt::Choice(offered) => {
                let pass = |chosen: FactorId| {
                    (Outcome::Passed { offered: offered.clone(), chosen }, session.passing(command, chosen))
                };
                offered.iter().copied().map(pass).collect()
            }
        };
        outcomes.into_iter().any(|(outcome, session)| {
            self.log(id, vec![played(command, outcome)]);
            let found = self.prompts(id, run, at + 1, &session);
            if !found {
                self.unlog(id);
            }
            found
        })
    }

    fn log(&mut self, id: StepId, commands: Vec<PlayedCommand>) {
        if let Some(step) = self.played.iter_mut().rfind(|step| step.step == id) {
            step.commands.extend(commands);
        }
    }

    fn unlog(&mut self, id: StepId) {
        if let Some(step) = self.played.iter_mut().rfind(|step| step.step == id) {
            step.commands.pop();
        }
    }
}

fn played(command: &Command, outcome: Outcome) -> PlayedCommand {
    PlayedCommand { span: command.span, kind: command.kind, outcome }
}

impl Login {
    /// All executed commands in order, each with its step.
    pub fn commands(&self) -> impl Iterator<Item = (StepId, &PlayedCommand)> {
        self.steps.iter().flat_map(|step| step.commands.iter().map(|command| (step.step, command)))
    }
}
