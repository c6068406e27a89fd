//! The player: one login, a happening at a time.

use cranelift_entity::EntityRef;
use thiserror::Error;

use super::fill;
use super::world::{Clock, World, enrolled_by};
use crate::check::masks::OTHER_FACTOR;
use crate::check::policy::{Command, FactorId, StepId, TypedPolicy, VariableId};
use crate::policy::Login;
use crate::policy::Policy;
use crate::runtime::{self, Facts, Failure, LogEntry, Next};
use crate::source::Span;
use crate::trace::{self, ExecutedCommand, Passed, Refusal, Session, StepEnd, StepRun};

/// Plays a login. Between two happenings the [world](Self::world) may be changed; a step sees it as it is when it
/// begins.
#[derive(Debug)]
pub struct Player<'p> {
    typed: &'p TypedPolicy,
    login: Login<'p>,
    facts: Facts,
    /// The event as the next step will see it, and the browser.
    pub world: World,
    session: Session,
    /// When each factor was passed, beside [`Session::passed`].
    stamps: Vec<i64>,
    stage: Stage<'p>,
}

/// Where the login stands.
#[derive(Clone, Debug)]
enum Stage<'p> {
    /// A step is about to begin.
    Before(StepId),
    /// The commands of a step are due, from this one on; and what `Login` says comes next.
    Due { step: StepId, run: StepRun<'p>, at: usize, ahead: Next<'p> },
    /// The user is asked for one of these.
    Asked { step: StepId, run: StepRun<'p>, at: usize, offered: Vec<FactorId> },
    /// It has ended.
    Ended(Outcome<'p>),
}

/// What happens next in a login.
#[derive(Clone, Debug)]
pub enum Happening<'p> {
    /// A step has decided.
    Decided {
        /// The step.
        step: StepId,
        /// What it did.
        run: StepRun<'p>,
    },
    /// A command is done without a prompt.
    Skipped {
        /// The command.
        command: &'p Command,
        /// Why.
        why: Skip,
    },
    /// The user is asked.
    Prompt {
        /// The command that asks.
        command: &'p Command,
        /// What is shown.
        prompt: runtime::Prompt<'p>,
    },
    /// The login has ended.
    Ended {
        /// How.
        outcome: Outcome<'p>,
        /// The statement that ended it: the denial, or the command at which it failed.
        at: Option<Span>,
    },
}

/// Why a command shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Skip {
    /// This factor, passed earlier in the login, answers it.
    Answered(FactorId),
    /// Everything is enrolled that it offers.
    EverythingEnrolled,
}

/// How a login ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<'p> {
    /// It is through.
    Completed,
    /// It was denied, for this reason.
    Denied(&'p str),
    /// It failed.
    Failed(Failure<'p>),
}

/// Why a login can't be played on.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum PlayError {
    /// The next step looks at something that nobody has given. The world may be told, and the login goes on.
    #[error("the login looks at facts that were not given")]
    Missing {
        /// The step.
        step: StepId,
        /// The facts.
        variables: Vec<VariableId>,
        /// Whether it looks at the clock too, and nobody has said what time it is.
        clock: Clock,
    },
    /// The answer is not one that the prompt offers.
    #[error(transparent)]
    Answer(#[from] runtime::AnswerError),
    /// The machine and the plain reading of the policy differ: a defect of stepup.
    #[error("machine and policy disagree: {0}")]
    Disagreement(String),
}

impl<'p> Player<'p> {
    /// A login from its beginning.
    pub fn new(typed: &'p TypedPolicy, policy: &'p Policy, world: World) -> Self {
        Player {
            typed,
            login: policy.login(),
            facts: policy.facts(),
            world,
            session: Session::default(),
            stamps: Vec::new(),
            stage: Stage::Before(StepId::new(0)),
        }
    }

    /// What happens next. With a prompt open it says the prompt again.
    ///
    /// # Errors
    /// When the next step looks at something that nobody has given.
    pub fn advance(&mut self) -> Result<Happening<'p>, PlayError> {
        match std::mem::replace(&mut self.stage, Stage::Before(StepId::new(0))) {
            Stage::Before(step) => {
                self.stage = Stage::Before(step);
                self.begin(step)
            }
            Stage::Due { step, run, at, ahead } => self.due(step, run, at, ahead),
            Stage::Asked { step, run, at, offered: _ } => {
                let ahead = self.ask_login()?;
                self.due(step, run, at, ahead)
            }
            Stage::Ended(outcome) => {
                self.stage = Stage::Ended(outcome);
                Ok(Happening::Ended { outcome, at: None })
            }
        }
    }

    /// The user passes the open prompt with a factor.
    ///
    /// # Errors
    /// When no prompt is open, or it doesn't offer the factor.
    pub fn choose(&mut self, factor: FactorId) -> Result<(), PlayError> {
        self.login.completed(&self.typed.catalog.factors[factor].name)?;
        let stage = std::mem::replace(&mut self.stage, Stage::Before(StepId::new(0)));
        let Stage::Asked { step, run, at, .. } = stage else {
            return Err(PlayError::Disagreement("a prompt is open that was never shown".to_owned()));
        };
        if let Some(executed) = run.commands.get(at) {
            let kind = executed.command.kind;
            self.session.enrolled |= enrolled_by(kind, factor);
            self.session.passed.push(Passed { factor, age: 0 });
            self.session.prompts += 1;
            self.stamps.push(self.world.event.now);
        }
        let ahead = self.ask_login()?;
        self.stage = Stage::Due { step, run, at: at + 1, ahead };
        Ok(())
    }

    /// The user doesn't pass the open prompt.
    ///
    /// # Errors
    /// When no prompt is open.
    pub fn fail(&mut self) -> Result<(), PlayError> {
        self.login.failed()?;
        self.stage = Stage::Ended(Outcome::Failed(Failure::PromptFailed));
        Ok(())
    }

    /// The user goes away from the open prompt.
    ///
    /// # Errors
    /// When no prompt is open.
    pub fn abandon(&mut self) -> Result<(), PlayError> {
        self.login.abandoned()?;
        self.stage = Stage::Ended(Outcome::Failed(Failure::Abandoned));
        Ok(())
    }

    /// The stamps of the factors passed are by now so old, in milliseconds, the first passed first.
    pub fn age_passed(&mut self, ages: &[i64]) {
        let now = self.world.event.now;
        for (stamp, age) in self.stamps.iter_mut().zip(ages) {
            *stamp = now.saturating_sub(*age);
        }
    }

    /// The factors that the open prompt offers, in order; none without one.
    pub fn offered(&self) -> &[FactorId] {
        match &self.stage {
            Stage::Asked { offered, .. } => offered,
            _ => &[],
        }
    }

    /// The step that is to begin next, if nothing more comes before it and the login has not ended.
    pub fn next_step(&self) -> Option<StepId> {
        let next = match &self.stage {
            Stage::Before(step) => *step,
            Stage::Due { step, run, at, .. } if run.end == StepEnd::Prompts && *at >= run.commands.len() => {
                StepId::new(step.index() + 1)
            }
            Stage::Due { .. } | Stage::Asked { .. } | Stage::Ended(_) => return None,
        };
        self.typed.steps.is_valid(next).then_some(next)
    }

    /// What the [next step](Self::next_step) would do in the world as it is, and what it would look at for that.
    pub fn look_ahead(&mut self) -> Option<StepRun<'p>> {
        let typed = self.typed;
        let step = self.next_step()?;
        self.age_passes();
        Some(self.session.run(typed, typed.steps.get(step)?, &self.world.event))
    }

    /// What the login has done.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The facts as the next step sees them: what was enrolled and passed is in the event by now.
    pub fn event_now(&self) -> trace::Event {
        let mut event = self.world.event.clone();
        event.enrolled |= self.session.enrolled;
        event
    }

    fn begin(&mut self, step: StepId) -> Result<Happening<'p>, PlayError> {
        let typed = self.typed;
        let Some(body) = typed.steps.get(step) else {
            return self.end(Outcome::Completed, None);
        };
        self.age_passes();
        let run = self.session.run(typed, body, &self.world.event);
        let asks_time = run.read_now && self.world.clock == Clock::Untold;
        if asks_time || !run.missing.is_empty() {
            return Err(PlayError::Missing {
                step,
                variables: run.missing.into_iter().collect(),
                clock: if asks_time { Clock::Untold } else { Clock::Given },
            });
        }
        self.fill()?;
        let ahead = self.ask_login()?;
        self.session.commands += run.commands.len();
        self.stage = Stage::Due { step, run: run.clone(), at: 0, ahead };
        Ok(Happening::Decided { step, run })
    }

    /// What was passed has the age that the clock gives it.
    fn age_passes(&mut self) {
        for (passed, stamp) in self.session.passed.iter_mut().zip(&self.stamps) {
            passed.age = self.world.event.now.saturating_sub(*stamp);
        }
    }

    /// Fills the facts as a host does that reads a fresh event.
    fn fill(&mut self) -> Result<(), PlayError> {
        let mut world = self.world.clone();
        world.event = self.event_now();
        let passed = self.session.passed.iter().map(|passed| passed.factor).zip(self.stamps.iter().copied());
        world.event.performed.extend(passed);
        fill::fill(self.typed, &world, &mut self.facts)
            .map_err(|error| PlayError::Disagreement(error.to_string()))
    }

    fn ask_login(&mut self) -> Result<Next<'p>, PlayError> {
        let supported = fill::names(self.typed, self.world.event.supported & !OTHER_FACTOR);
        let availability = self.login.policy().availability().support_only(&supported);
        let availability = availability.map_err(|error| PlayError::Disagreement(error.to_string()))?;
        let next = self.login.next(&self.facts, &availability);
        next.map_err(|error| PlayError::Disagreement(error.to_string()))
    }

    /// The command at a position of the step is due.
    fn due(
        &mut self,
        step: StepId,
        run: StepRun<'p>,
        at: usize,
        ahead: Next<'p>,
    ) -> Result<Happening<'p>, PlayError> {
        match run.end {
            StepEnd::LimitExceeded => {
                let fifth = run.commands.last().map(|executed| executed.command.span);
                return self.ends(ahead, Outcome::Failed(Failure::LimitExceeded), fifth);
            }
            StepEnd::Denied(span) => {
                let Next::Denied { reason } = ahead else { return disagree("the step denies the login") };
                return self.end(Outcome::Denied(reason), Some(span));
            }
            StepEnd::Prompts => {}
        }
        let Some(ExecutedCommand { command, offered }) = run.commands.get(at) else {
            return self.after(step, ahead);
        };
        let command: &'p Command = command;
        match self.session.prompt(self.typed, command, offered, &self.world.event) {
            trace::Prompt::Answered(factor) => {
                self.stage = Stage::Due { step, run, at: at + 1, ahead };
                Ok(Happening::Skipped { command, why: Skip::Answered(factor) })
            }
            trace::Prompt::NothingLeft => {
                self.stage = Stage::Due { step, run, at: at + 1, ahead };
                Ok(Happening::Skipped { command, why: Skip::EverythingEnrolled })
            }
            trace::Prompt::LoginFails(refusal) => {
                let entry = match refusal {
                    Refusal::NothingUsable => LogEntry::NothingUsable(command.kind),
                    Refusal::EnrollWithoutChallenge => LogEntry::EnrollWithoutChallenge,
                };
                self.ends(ahead, Outcome::Failed(Failure::Logged(entry)), Some(command.span))
            }
            trace::Prompt::Choice(offered) => {
                let Next::Prompt(prompt) = ahead else { return disagree("a prompt is due") };
                let shown = prompt.factors.iter().map(|choice| FactorId::new(choice.number.into()));
                if prompt.kind != command.kind || !shown.eq(offered.iter().copied()) {
                    return disagree("another prompt is due");
                }
                self.stage = Stage::Asked { step, run, at, offered };
                Ok(Happening::Prompt { command, prompt })
            }
        }
    }

    /// All commands of a step are done.
    fn after(&mut self, step: StepId, ahead: Next<'p>) -> Result<Happening<'p>, PlayError> {
        let next = StepId::new(step.index() + 1);
        match (self.typed.steps.get(next), ahead) {
            (None, Next::Completed) => self.end(Outcome::Completed, None),
            (Some(body), Next::FreshFacts { step }) if body.name == step => {
                self.stage = Stage::Before(next);
                self.begin(next)
            }
            (_, other) => disagree(&format!("a step is done, and {other:?} comes")),
        }
    }

    /// The login ends as `Login` says it does.
    fn ends(
        &mut self,
        ahead: Next<'p>,
        outcome: Outcome<'p>,
        at: Option<Span>,
    ) -> Result<Happening<'p>, PlayError> {
        match (ahead, outcome) {
            (Next::Failed(found), Outcome::Failed(wanted)) if found == wanted => self.end(outcome, at),
            (other, _) => disagree(&format!("{outcome:?} is due, and {other:?} comes")),
        }
    }

    fn end(&mut self, outcome: Outcome<'p>, at: Option<Span>) -> Result<Happening<'p>, PlayError> {
        self.stage = Stage::Ended(outcome);
        Ok(Happening::Ended { outcome, at })
    }
}

fn disagree<T>(what: &str) -> Result<T, PlayError> {
    Err(PlayError::Disagreement(what.to_owned()))
}
