//! Why a step asks for what it asks for, and not for more.
//!
//! The statements are followed once more over plain values, this time also into the branches that are not taken: each
//! command there is told with the first thing that stood in its way.

mod write;

use std::collections::VecDeque;

pub use write::{excerpt, place};

use super::seen::{Seen, View};
use crate::check::policy::{Command, ConditionId, ConditionKind, Statement, StepId, TypedPolicy};
use crate::runtime::Decision;
use crate::source::{Sources, Span};
use crate::trace::{
    Event, ExecutedCommand, Looked, MAX_COMMANDS, Met, Session, StepFacts, is_one_text, offered,
};

/// Why a step decided as it did.
///
/// It displays as lines for people. It serializes as one short object that fits a log line, with places as
/// `file:line`:
///
/// ```json
/// {"facts":{"enrolled":["otp"]},
///  "asked":[{"at":"admins.stepup:7","is":false,"of":["enrolled"]}],
///  "ran":["admins.stepup:11"],
///  "not":[{"at":"admins.stepup:8","by":"admins.stepup:7","is":false,"of":["enrolled"]}]}
/// ```
///
/// `facts` is what was looked at. `asked` has each condition with its answer and the names of what it looked at, `ran`
/// the statements beside `if` and `match`, `not` the commands that did not run, each with the condition or, without
/// `is`, the statement that stood in the way.
#[derive(Clone, Debug)]
pub struct Explanation<'a> {
    sources: &'a Sources,
    /// All that was looked at, in order.
    pub facts: Vec<Seen>,
    /// Conditions that were asked and statements that ran, in order.
    pub met: Vec<Reason>,
    /// The commands that ran.
    pub commands: Vec<ExecutedCommand<'a>>,
    /// The reason, if the step denied the login.
    pub denied: Option<&'a str>,
    /// The commands that did not run, in the order of the text.
    pub not_given: Vec<NotGiven>,
}

/// Something that was met on the way.
#[derive(Clone, PartialEq, Debug)]
pub enum Reason {
    /// A condition was asked.
    Asked(Asked),
    /// A statement ran: a command, `deny`, `stop` or `apply`.
    Ran(Span),
}

/// A condition that was asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// Its text.
    pub span: Span,
    /// The answer.
    pub holds: bool,
    /// The [names](Seen::name) of what it looked at.
    pub of: Vec<String>,
}

/// A command that did not run, and what stood in its way: the outermost branch that was not taken, or the statement
/// that ended the step before.
#[derive(Clone, PartialEq, Debug)]
pub struct NotGiven {
    /// The command.
    pub command: Span,
    /// What stood in its way.
    pub by: Reason,
}

/// Explains what a step decides for a login: the event as it was when the login began, with the clock as it stands,
/// and what the login has done since. For a first step, or one that is explained alone, that is
/// [nothing](Session::default); `performed(…) in this login` is then false.
///
/// ```
/// use stepup::{Compiler, jiff::Timestamp, play, trace::Session};
///
/// let compiled = Compiler::new().compile([("admins.stepup", "
///     if enrolled is empty then enroll otp
///     else challenge any of enrolled
/// ")])?;
/// let (typed, sources) = (&compiled.typed, compiled.report.sources());
/// let now: Timestamp = "2026-01-31T08:00:00Z".parse()?;
/// let world = play::read_event(typed, &compiled.policy, br#"{"user": {}}"#, now)?;
/// let step = typed.steps.keys().next().ok_or("a step")?;
///
/// let nothing_yet = Session::default();
/// let why = play::explain(typed, sources, step, &world.event, &nothing_yet);
/// assert_eq!(
///     serde_json::to_string(&why)?,
///     r#"{"facts":{"enrolled":[]},"asked":[{"at":"admins.stepup:2","is":true,"of":["enrolled"]}],"#.to_owned()
///         + r#""ran":["admins.stepup:2"],"#
///         + r#""not":[{"at":"admins.stepup:3","by":"admins.stepup:2","is":true,"of":["enrolled"]}]}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn explain<'a>(
    policy: &'a TypedPolicy,
    sources: &'a Sources,
    step: StepId,
    event: &'a Event,
    session: &'a Session,
) -> Explanation<'a> {
    let explanation = Explanation {
        sources,
        facts: Vec::new(),
        met: Vec::new(),
        commands: Vec::new(),
        denied: None,
        not_given: Vec::new(),
    };
    let facts = StepFacts::new(policy, event, session);
    let view = View { policy, event, session };
    let mut walk = Walk { view, facts, ended: None, waiting: VecDeque::new(), explanation };
    walk.push_all(policy.steps.get(step).map_or(&[], |step| &step.body), None);
    walk.run();
    walk.explanation
}

/// The way through a step.
struct Walk<'a> {
    view: View<'a>,
    facts: StepFacts<'a>,
    /// The statement that ended the step.
    ended: Option<Reason>,
    /// What comes next, first to last; what is not reached with its reason.
    waiting: VecDeque<(&'a Statement, Option<Reason>)>,
    explanation: Explanation<'a>,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        while let Some((statement, why)) = self.waiting.pop_front() {
            match why.or_else(|| self.ended.clone()) {
                Some(why) => self.pass(statement, &why),
                None => self.execute(statement),
            }
        }
        let looked: Vec<Looked> = self.facts.looked.iter().collect();
        for looked in looked {
            let seen = self.view.seen(looked);
            if self.explanation.facts.iter().all(|known| known.name != seen.name) {
                self.explanation.facts.push(seen);
            }
        }
    }

    /// Statements that come before all that waits.
    fn push_all(&mut self, block: &'a [Statement], why: Option<&Reason>) {
        for statement in block.iter().rev() {
            self.waiting.push_front((statement, why.cloned()));
        }
    }

    /// A statement that is not reached.
    fn pass(&mut self, statement: &'a Statement, why: &Reason) {
        match statement {
            Statement::Command(command) => {
                self.explanation.not_given.push(NotGiven { command: command.span, by: why.clone() });
            }
            Statement::Deny { .. } | Statement::Stop(_) => {}
            Statement::Applied { body, .. } => self.push_all(body, Some(why)),
            Statement::Branch { branches, otherwise, .. } => {
                self.push_all(otherwise, Some(why));
                for (_, block) in branches.iter().rev() {
                    self.push_all(block, Some(why));
                }
            }
        }
    }

    fn execute(&mut self, statement: &'a Statement) {
        if !matches!(statement, Statement::Branch { .. }) {
            self.explanation.met.push(Reason::Ran(statement.span()));
        }
        match statement {
            Statement::Command(command) => self.command(command),
            Statement::Deny { reason, span } => {
                self.explanation.denied = Some(reason);
                self.ended = Some(Reason::Ran(*span));
            }
            Statement::Stop(span) => self.ended = Some(Reason::Ran(*span)),
            Statement::Applied { body, .. } => self.push_all(body, None),
            Statement::Branch { branches, otherwise, .. } => self.branch(branches, otherwise),
        }
    }

    fn command(&mut self, command: &'a Command) {
        let offered = offered(command, &mut self.facts);
        self.explanation.commands.push(ExecutedCommand { command, offered });
        if self.view.session.commands + self.explanation.commands.len() > MAX_COMMANDS {
            self.ended = Some(Reason::Ran(command.span));
        }
    }

    fn branch(&mut self, branches: &'a [(ConditionId, Vec<Statement>)], otherwise: &'a [Statement]) {
        let mut blocks: Vec<(&'a [Statement], Option<Reason>)> = Vec::new();
        let mut taken = None;
        for (condition, block) in branches {
            if taken.is_none() {
                let holds = self.facts.holds(*condition);
                self.tell_conditions();
                let why = self.decisive(*condition, holds);
                if holds {
                    taken = Some(why);
                    blocks.push((block, None));
                } else {
                    blocks.push((block, Some(why)));
                }
            } else {
                blocks.push((block, taken.clone()));
            }
        }
        blocks.push((otherwise, taken));
        for (block, why) in blocks.into_iter().rev() {
            self.push_all(block, why.as_ref());
        }
    }

    /// Takes the conditions that were asked since.
    fn tell_conditions(&mut self) {
        let met: Vec<Met> = self.facts.met.drain(..).collect();
        for met in met {
            if let Met::Condition(condition, holds) = met {
                let asked = self.asked(condition, holds);
                self.explanation.met.push(Reason::Asked(asked));
            }
        }
    }

    /// What made a branch's condition false: the first false part of an `and`. What made it true is all of it.
    fn decisive(&self, condition: ConditionId, holds: bool) -> Reason {
        let policy = self.view.policy;
        let mut at = condition;
        while !holds
            && !is_one_text(policy, &policy.conditions[at])
            && let ConditionKind::All(parts) = &policy.conditions[at].kind
            && let Some(part) = parts.iter().find(|part| !self.probe().holds(**part))
        {
            at = *part;
        }
        Reason::Asked(self.asked(at, holds))
    }

    fn asked(&self, condition: ConditionId, holds: bool) -> Asked {
        let mut probe = self.probe();
        probe.holds(condition);
        let mut of: Vec<String> = Vec::new();
        for looked in probe.looked.iter() {
            let name = self.view.seen(looked).name;
            if !of.contains(&name) {
                of.push(name);
            }
        }
        Asked { span: self.view.policy.conditions[condition].span, holds, of }
    }

    /// The same facts, to ask again.
    fn probe(&self) -> StepFacts<'a> {
        StepFacts::new(self.view.policy, self.view.event, self.view.session)
    }
}

impl Explanation<'_> {
    /// Whether a decision is what is explained here.
    pub fn agrees_with(&self, decision: &Decision<'_>) -> bool {
        if self.denied.is_some() || decision.denied().is_some() {
            return self.denied == decision.denied();
        }
        let commands = decision.commands().map(|command| {
            let factors = command.factors.iter().map(|factor| u32::from(factor.number)).collect();
            (command.kind, command.style, factors)
        });
        let explained = self.commands.iter().map(|ExecutedCommand { command, offered }| {
            let factors: Vec<u32> = offered.iter().map(|factor| factor.as_u32()).collect();
            (command.kind, command.style, factors)
        });
        commands.eq(explained)
    }
}
