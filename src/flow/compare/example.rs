//! One login, played through both flows over plain values: what a class is shown by, and a check of the diagrams by a
//! reading that shares nothing with them.

use std::collections::BTreeSet;

use super::merge::{Merged, Side};
use super::transcript::Answers;
use super::walk::Detail;
use crate::check::policy::{Command, CommandKind, FactorId, PresenceId, Statement, Step, Style, VariableId};
use crate::trace::{Event, Looked, Passed, Prompt, Refusal, Session, StepEnd, StepRun};

/// Something that a user or an administrator sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The user is asked.
    Prompt {
        /// Enroll or challenge.
        kind: CommandKind,
        /// How the factors are shown; nothing where there is one.
        style: Option<Style>,
        /// The factors in order, each with its options.
        factors: Vec<(FactorId, Vec<usize>)>,
        /// The default that can't be used, of which the log warns.
        warning: Option<FactorId>,
    },
    /// A step decides; seen only where the steps are compared.
    Decision {
        /// Which step, from 0.
        step: usize,
        /// Its commands: what each offers, in order.
        commands: Vec<SeenCommand>,
    },
    /// The login is through.
    Completed,
    /// The login is denied, for this reason.
    Denied(String),
    /// The login fails: nothing that the command offers can be used.
    NothingUsable(CommandKind),
    /// The login fails: it would enroll while something is enrolled, and nothing was passed.
    EnrollWithoutChallenge,
    /// A step executes a fifth command.
    FifthCommand,
}

/// A command of a decision, with what it offers in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenCommand {
    /// Enroll or challenge.
    pub kind: CommandKind,
    /// How the factors are shown.
    pub style: Style,
    /// The factors in order, each with its options.
    pub factors: Vec<(FactorId, Vec<usize>)>,
}

/// What one login sees of a flow.
#[derive(Clone, PartialEq, Debug)]
pub struct Played {
    /// All that it sees, up to a prompt that it has no answer for or to its end.
    pub seen: Vec<Seen>,
    /// The variables that its steps looked at.
    pub read: BTreeSet<VariableId>,
    /// Whether the clock mattered.
    pub read_now: bool,
    /// What its steps asked the presence of.
    pub asked: BTreeSet<PresenceId>,
    /// The factors passed.
    pub passed: Vec<FactorId>,
}

/// Plays a flow for one event with given answers; past them, it stops at the next prompt.
pub fn play(merged: &Merged, side: Side, event: &Event, answers: &Answers, detail: Detail) -> Played {
    let mut player = Player {
        merged,
        event,
        answers,
        detail,
        session: Session::default(),
        played: Played {
            seen: Vec::new(),
            read: BTreeSet::new(),
            read_now: false,
            asked: BTreeSet::new(),
            passed: Vec::new(),
        },
    };
    let end = merged.steps(side).enumerate().try_for_each(|(place, step)| {
        let run = player.session.run(&merged.policy, step, event);
        player.step(place, step, run)
    });
    if end.is_ok() {
        player.played.seen.push(Seen::Completed);
    }
    player.played.passed = player.session.passed.iter().map(|passed| passed.factor).collect();
    player.played
}

/// The login goes no further.
struct Stopped;

struct Player<'a> {
    merged: &'a Merged,
    event: &'a Event,
    answers: &'a Answers,
    detail: Detail,
    session: Session,
    played: Played,
}

impl Player<'_> {
    fn step(&mut self, place: usize, step: &Step, run: StepRun<'_>) -> Result<(), Stopped> {
        self.played.read.extend(run.read);
        self.played.read_now |= run.read_now;
        self.played.asked.extend(run.looked.iter().filter_map(|looked| match looked {
            Looked::Presence(presence) => Some(presence),
            _ => None,
        }));
        match run.end {
            StepEnd::Prompts => {}
            StepEnd::LimitExceeded => return self.end(Seen::FifthCommand),
            StepEnd::Denied(_) => {
                let reason = denial(step, run.end).unwrap_or_default();
                return self.end(Seen::Denied(reason));
            }
        }
        self.session.commands += run.commands.len();
        if self.detail == Detail::Steps {
            let commands = run.commands.iter().map(|executed| SeenCommand {
                kind: executed.command.kind,
                style: executed.command.style,
                factors: with_options(executed.command, &executed.offered),
            });
            let commands = commands.collect();
            self.played.seen.push(Seen::Decision { step: place, commands });
        }
        run.commands.iter().try_for_each(|executed| {
            let prompt =
                self.session.prompt(&self.merged.policy, executed.command, &executed.offered, self.event);
            let kind = executed.command.kind;
            match prompt {
                Prompt::Answered(_) | Prompt::NothingLeft => Ok(()),
                Prompt::LoginFails(Refusal::NothingUsable) => self.end(Seen::NothingUsable(kind)),
                Prompt::LoginFails(Refusal::EnrollWithoutChallenge) => self.end(Seen::EnrollWithoutChallenge),
                Prompt::Choice(usable) => self.ask(executed.command, &usable),
            }
        })
    }

    fn end(&mut self, seen: Seen) -> Result<(), Stopped> {
        self.played.seen.push(seen);
        Err(Stopped)
    }

    fn ask(&mut self, command: &Command, usable: &[FactorId]) -> Result<(), Stopped> {
        let default = command.listed.first().filter(|_| command.style == Style::Preferred);
        let warning = default.map(|listed| listed.factor).filter(|factor| usable.first() != Some(factor));
        self.played.seen.push(Seen::Prompt {
            kind: command.kind,
            style: (usable.len() > 1).then_some(command.style),
            factors: with_options(command, usable),
            warning,
        });
        let answered = self.session.passed.len();
        let Some(answer) = self.answers.factors.get(answered).filter(|answer| usable.contains(answer)) else {
            return Err(Stopped);
        };
        self.session = self.session.passing(command, *answer);
        for (place, passed) in self.session.passed.iter_mut().enumerate() {
            *passed = Passed { age: self.answers.age(answered + 1, place), ..*passed };
        }
        Ok(())
    }
}

fn with_options(command: &Command, factors: &[FactorId]) -> Vec<(FactorId, Vec<usize>)> {
    let options = |factor: &FactorId| {
        let listed = command.listed.iter().find(|listed| listed.factor == *factor);
        let mut options = listed.map_or_else(Vec::new, |listed| listed.options.clone());
        options.sort_unstable();
        options
    };
    factors.iter().map(|factor| (*factor, options(factor))).collect()
}

/// The reason of the denial that a step ended in.
fn denial(step: &Step, end: StepEnd) -> Option<String> {
    let StepEnd::Denied(wanted) = end else { return None };
    let mut waiting: Vec<&Statement> = step.body.iter().collect();
    while let Some(statement) = waiting.pop() {
        match statement {
            Statement::Deny { reason, span } if *span == wanted => return Some(reason.clone()),
            Statement::Applied { body, .. } => waiting.extend(body),
            Statement::Branch { branches, otherwise, .. } => {
                waiting.extend(branches.iter().flat_map(|(_, body)| body).chain(otherwise));
            }
            _ => {}
        }
    }
    None
}
