//! A login from its first step to its end: the rules of "What a login means" in the language reference, executed.
//!
//! A step decides once, on the facts as they stand when it begins. Its commands then become due one after the other,
//! and only when one is due is it looked at which factors can be used: enabled in the tenant, supported by the
//! browser, enrolled or not, passed before. What a login has done is a small value ([`state`]) that can be stored
//! between two prompts and go on elsewhere. Commands are counted over all steps, whatever the proofs have said.
//!
//! This file is the machine, over a policy's interface; who holds the policy is [`Login`](crate::Login)'s business.

mod availability;
mod log;
mod state;
#[cfg(test)]
mod tests;

pub use availability::{Availability, UnknownFactor};
pub use log::{Failure, LogEntry};
pub(crate) use state::LoginState;
pub use state::{ResumeError, SavedLogin};

use std::sync::Arc;

use smallvec::SmallVec;
use thiserror::Error;

use self::state::{Ending, FreshFacts, Pass, Position, Prompts};
use crate::check::policy::{CommandKind, StepId, Style};
use crate::lower::program::{COMMAND_LIMIT, CommandTemplate, DecisionWord, Interface, Verdict};
use crate::runtime::decision::{Decision, FactorChoice, FactorNumbers};
use crate::runtime::facts::{DecideError, Facts};

/// What a login comes to next.
#[derive(Clone, PartialEq, Debug)]
pub enum Next<'p> {
    /// The user is asked; the host answers with `completed`, `failed` or `abandoned`.
    Prompt(Prompt<'p>),
    /// This step is next, and it reads the facts as they stand when it begins: the clock has moved, and what the user
    /// has enrolled and passed is in the event. The next call takes those that it is given.
    FreshFacts {
        /// The step's name.
        step: &'p str,
    },
    /// The login is through.
    Completed,
    /// The login is denied.
    Denied {
        /// The reason, for the user.
        reason: &'p str,
    },
    /// The login failed.
    Failed(Failure<'p>),
}

/// What the user is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Prompt<'p> {
    /// Whether to enroll a factor or to pass one.
    pub kind: CommandKind,
    /// How the factors are shown.
    pub screen: Screen,
    /// The factors that can be used, in order; never empty.
    pub factors: Vec<FactorChoice<'p>>,
    /// What the tenant's log says when it is shown.
    pub log: Option<LogEntry<'p>>,
    /// The name of the step that asks.
    pub step: &'p str,
    /// Which of the step's commands asks, from 0.
    pub command: usize,
}

/// How a prompt shows its factors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Screen {
    /// Straight to the only factor.
    Only,
    /// The first factor, and the others behind "Try another method".
    DefaultFirst,
    /// A list of all factors to choose from.
    Picker,
}

/// Why a login doesn't go on. It stands where it stood.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LoginError {
    /// The step can't decide on these facts.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The availability was made for another policy.
    #[error("the availability was made for another policy")]
    ForeignAvailability,
}

/// Why an answer doesn't fit. The login stands where it stood.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AnswerError {
    /// Nothing was asked.
    #[error("the login has no prompt open")]
    NoPrompt,
    /// The factor is not one of those asked for.
    #[error("the prompt doesn't offer `{factor}`")]
    NotOffered {
        /// The factor.
        factor: String,
    },
}

/// What decides a step: the machine code or the interpreter.
pub(crate) type Decide<'d> = &'d dyn Fn(StepId, &[u64]) -> DecisionWord;

/// One call of a login: what it may look at.
pub(crate) struct Turn<'p, 'd> {
    pub(crate) interface: &'p Interface,
    pub(crate) facts: &'d Facts,
    pub(crate) availability: &'d Availability,
    pub(crate) decide: Decide<'d>,
}

impl LoginState {
    /// Goes on until the user is asked, the next step wants fresh facts, or the login ends.
    pub(crate) fn next<'p>(&mut self, turn: &Turn<'p, '_>) -> Result<Next<'p>, LoginError> {
        if !Arc::ptr_eq(&turn.availability.layout, &turn.interface.layout) {
            return Err(LoginError::ForeignAvailability);
        }
        // An open prompt reads no facts; another policy's are a mistake all the same.
        if !Arc::ptr_eq(turn.facts.layout(), &turn.interface.layout) {
            return Err(DecideError::ForeignFacts.into());
        }
        // Every round ends a command or a step.
        loop {
            match &mut self.at {
                Position::Ended(ending) => return Ok(ending.told(turn.interface)),
                Position::Before { step, facts } => {
                    let step = StepId::from_u32(*step);
                    let Some(name) = turn.interface.steps.get(step) else {
                        self.at = Position::Ended(Ending::Completed);
                        continue;
                    };
                    if std::mem::replace(facts, FreshFacts::Known) == FreshFacts::ToBeTold {
                        return Ok(Next::FreshFacts { step: name });
                    }
                    self.decide(step, turn)?;
                }
                Position::Prompts(_) => {
                    if let Some(prompt) = self.due(turn) {
                        return Ok(Next::Prompt(prompt));
                    }
                }
            }
        }
    }

    /// The step decides, once.
    fn decide(&mut self, step: StepId, turn: &Turn<'_, '_>) -> Result<(), LoginError> {
        let interface = turn.interface;
        let words = turn.facts.words_for(&interface.layout)?;
        let enrolled = turn.facts.enrolled()?;
        // A copy on the stack: the facts are the host's, and only the login knows what was passed in it.
        let own;
        let words = match interface.layout.performed_in_login {
            Some(slot) => {
                let mut copy: SmallVec<[u64; 64]> = SmallVec::from_slice(words);
                if let Some(word) = copy.get_mut(slot.0 as usize) {
                    *word = self.passed();
                }
                own = copy;
                &own[..]
            }
            None => words,
        };
        let word = (turn.decide)(step, words);
        let (executed, at) = match word.verdict() {
            Verdict::LimitExceeded => (COMMAND_LIMIT, Position::Ended(Ending::LimitExceeded)),
            Verdict::Denied { reason, executed } => (executed, Position::Ended(Ending::Denied { reason })),
            Verdict::Commands(numbers) => {
                let prompts = Prompts {
                    step: step.as_u32(),
                    word: word.0,
                    words: Decision::new(interface, step, word, words)?.into_words(),
                    enrolled,
                    done: 0,
                    asked: 0,
                };
                (numbers.len(), Position::Prompts(prompts))
            }
        };
        let commands = usize::from(self.commands) + executed;
        self.commands = commands.min(COMMAND_LIMIT) as u8;
        self.at = if commands > COMMAND_LIMIT { Position::Ended(Ending::LimitExceeded) } else { at };
        Ok(())
    }

    /// The prompt of the command that is due; without one the login has gone on or ended.
    fn due<'p>(&mut self, turn: &Turn<'p, '_>) -> Option<Prompt<'p>> {
        let passed = self.passed();
        let enrolled_here = self.enrolled_in_login();
        let any_passed = !self.passes.is_empty();
        let Position::Prompts(prompts) = &mut self.at else { return None };
        let step = StepId::from_u32(prompts.step);
        let decision =
            Decision::resumed(turn.interface, step, DecisionWord(prompts.word), prompts.words.clone());
        let Some((decision, template)) =
            decision.and_then(|decision| decision.template(prompts.done.into()).map(|t| (decision, t)))
        else {
            let next = prompts.step.saturating_add(1);
            self.at = match turn.interface.steps.is_valid(StepId::from_u32(next)) {
                true => Position::Before { step: next, facts: FreshFacts::ToBeTold },
                false => Position::Ended(Ending::Completed),
            };
            return None;
        };
        let due = Due {
            template,
            offered: decision.numbers(template),
            enrolled: prompts.enrolled | enrolled_here,
            available: turn.availability.enabled & turn.availability.supported,
            passed,
            any_passed,
        };
        match due.outcome() {
            Outcome::GoesOn => {
                prompts.done += 1;
                prompts.asked = 0;
                None
            }
            Outcome::Ends(ending) => {
                self.at = Position::Ended(ending);
                None
            }
            Outcome::Asks(usable) => {
                prompts.asked = usable.iter().fold(0, |mask, factor| mask | 1 << factor);
                Some(due.prompt(&decision, &usable, prompts.done.into()))
            }
        }
    }

    /// The user passed the open prompt with the factor of this number.
    pub(crate) fn completed(
        &mut self,
        factor: u8,
        name: &str,
        interface: &Interface,
    ) -> Result<(), AnswerError> {
        let Some(prompts) = self.open() else { return Err(AnswerError::NoPrompt) };
        if prompts.asked.checked_shr(factor.into()).unwrap_or(0) & 1 == 0 {
            return Err(AnswerError::NotOffered { factor: name.to_owned() });
        }
        let Verdict::Commands(numbers) = DecisionWord(prompts.word).verdict() else {
            return Err(AnswerError::NoPrompt);
        };
        let number = numbers.get(usize::from(prompts.done)).copied().unwrap_or(0);
        let Some(template) = interface.command(number) else { return Err(AnswerError::NoPrompt) };
        prompts.done += 1;
        prompts.asked = 0;
        self.passes.push(Pass { factor, by: template.kind.into() });
        Ok(())
    }

    /// The user did not pass the open prompt.
    pub(crate) fn failed(&mut self) -> Result<(), AnswerError> {
        self.open().ok_or(AnswerError::NoPrompt)?;
        self.at = Position::Ended(Ending::PromptFailed);
        Ok(())
    }

    /// The user went away from the open prompt.
    pub(crate) fn abandoned(&mut self) -> Result<(), AnswerError> {
        self.open().ok_or(AnswerError::NoPrompt)?;
        self.at = Position::Ended(Ending::Abandoned);
        Ok(())
    }

    /// How many commands have executed.
    pub(crate) fn commands(&self) -> usize {
        self.commands.into()
    }

    /// The numbers of the factors passed, in order.
    pub(crate) fn passed_numbers(&self) -> impl Iterator<Item = u8> + '_ {
        self.passes.iter().map(|pass| pass.factor)
    }

    fn open(&mut self) -> Option<&mut Prompts> {
        match &mut self.at {
            Position::Prompts(prompts) if prompts.asked != 0 => Some(prompts),
            _ => None,
        }
    }

    fn passed(&self) -> u64 {
        self.passes.iter().fold(0, |mask, pass| mask | 1 << pass.factor)
    }

    fn enrolled_in_login(&self) -> u64 {
        let enrollments = self.passes.iter().filter(|pass| CommandKind::from(pass.by) == CommandKind::Enroll);
        enrollments.fold(0, |mask, pass| mask | 1 << pass.factor)
    }
}

impl Ending {
    fn told(self, interface: &Interface) -> Next<'_> {
        match self {
            Ending::Completed => Next::Completed,
            Ending::Denied { reason } => {
                let reason = interface.reasons.get(usize::from(reason));
                Next::Denied { reason: reason.map_or("", |reason| reason) }
            }
            Ending::NothingUsable(by) => Next::Failed(Failure::Logged(LogEntry::NothingUsable(by.into()))),
            Ending::EnrollWithoutChallenge => Next::Failed(Failure::Logged(LogEntry::EnrollWithoutChallenge)),
            Ending::PromptFailed => Next::Failed(Failure::PromptFailed),
            Ending::Abandoned => Next::Failed(Failure::Abandoned),
            Ending::LimitExceeded => Next::Failed(Failure::LimitExceeded),
        }
    }
}

/// A command that is due, and what its factors are judged by.
struct Due<'p> {
    template: &'p CommandTemplate,
    offered: FactorNumbers,
    enrolled: u64,
    available: u64,
    passed: u64,
    any_passed: bool,
}

/// What a command comes to.
enum Outcome {
    /// No prompt: a factor passed before answers it, or everything is enrolled that it offers.
    GoesOn,
    /// The user is asked for one of these.
    Asks(FactorNumbers),
    Ends(Ending),
}

impl<'p> Due<'p> {
    /// Rules 2 to 5.
    fn outcome(&self) -> Outcome {
        let has = |mask: u64, factor: &u8| mask >> factor & 1 != 0;
        let kind = self.template.kind;
        let enrolls = kind == CommandKind::Enroll;
        if !enrolls && self.offered.iter().any(|factor| has(self.passed, factor)) {
            return Outcome::GoesOn;
        }
        let may_use = if enrolls { self.available & !self.enrolled } else { self.available & self.enrolled };
        let usable: FactorNumbers =
            self.offered.iter().copied().filter(|factor| has(may_use, factor)).collect();
        let all_enrolled = || self.offered.iter().all(|factor| has(self.enrolled, factor));
        if !usable.is_empty() {
            if enrolls && self.enrolled != 0 && !self.any_passed {
                return Outcome::Ends(Ending::EnrollWithoutChallenge);
            }
            Outcome::Asks(usable)
        } else if enrolls && self.template.style == Style::Any && all_enrolled() {
            Outcome::GoesOn
        } else {
            Outcome::Ends(Ending::NothingUsable(kind.into()))
        }
    }

    fn prompt(&self, decision: &Decision<'p>, usable: &FactorNumbers, command: usize) -> Prompt<'p> {
        let mut factors = Vec::with_capacity(usable.len());
        factors.extend(usable.iter().filter_map(|factor| decision.choice(self.template, *factor)));
        let screen = match (usable.len(), self.template.style) {
            (0 | 1, _) => Screen::Only,
            (_, Style::Preferred) => Screen::DefaultFirst,
            (_, Style::Any) => Screen::Picker,
        };
        Prompt {
            kind: self.template.kind,
            screen,
            factors,
            log: self.warning(decision, usable),
            step: decision.step(),
            command,
        }
    }

    /// A default that can't be used is told to the log; a picker has no default.
    fn warning(&self, decision: &Decision<'p>, usable: &FactorNumbers) -> Option<LogEntry<'p>> {
        let first = self.offered.first().filter(|_| self.template.style == Style::Preferred)?;
        if usable.first() == Some(first) {
            return None;
        }
        Some(LogEntry::NotSetUp { kind: self.template.kind, factor: decision.factor_name(*first)? })
    }
}

impl Facts {
    /// The factors enrolled, as a mask; an error when nobody has said.
    fn enrolled(&self) -> Result<u64, DecideError> {
        self.enrolled_mask().ok_or_else(|| DecideError::Unfilled { names: vec!["enrolled".to_owned()] })
    }
}
