//! One flow, from where a set of logins stands to what each of them comes to next.

use smallvec::SmallVec;

use super::merge::{Merged, Side};
use super::offer::{OfferId, Offers, Prompt, is_enrolled};
use crate::check::policy::{Command, CommandKind, FactorId, Statement, Style};
use crate::flow::budget::Limited;
use crate::flow::condition::Conditions;
use crate::flow::diagram::{Diagrams, Formula};
use crate::flow::state::LoginState;
use crate::trace::MAX_COMMANDS;

/// The commands of a step that are not answered yet.
type Pending = SmallVec<[OfferId; MAX_COMMANDS]>;

/// Where logins stand in a flow.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Position {
    /// The step that begins once all commands are answered.
    step: usize,
    /// Commands executed.
    commands: usize,
    pending: Pending,
}

/// What logins come to next.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Next {
    /// The user is asked.
    Asks(OfferId),
    /// A step has decided; told only where the steps are compared.
    Decides(usize, Pending),
    Completes,
    Denied(String),
    /// The login fails: nothing that the command offers can be used.
    NothingUsable(CommandKind),
    /// The login fails: it would enroll while something is enrolled, and nothing was passed.
    EnrollWithoutChallenge,
    /// A step executes a fifth command.
    FifthCommand,
}

/// What is told apart.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Detail {
    /// What a user and an administrator see: prompts, the log, the end.
    #[default]
    Visible,
    /// The decision of each step, too.
    Steps,
}

/// Logins by what they come to, and where they stand then.
pub(super) type Moves = Vec<(Next, Position, Formula)>;

/// Walks one of the two flows.
pub(super) struct Walker<'a, 'c> {
    pub(super) merged: &'a Merged,
    pub(super) side: Side,
    pub(super) detail: Detail,
    pub(super) conditions: &'c Conditions<'a>,
    pub(super) offers: &'c mut Offers,
    /// What the logins have done; the conditions are asked in it.
    pub(super) state: &'c LoginState,
}

impl<'a> Walker<'a, '_> {
    fn diagrams(&self) -> &'a Diagrams {
        &self.conditions.facts.diagrams
    }

    /// Goes on until something is to be told.
    pub(super) fn next(&mut self, at: Position, logins: Formula) -> Limited<Moves> {
        let mut moves = Moves::new();
        let mut waiting = vec![(at, logins)];
        while let Some((at, logins)) = waiting.pop() {
            if logins.is_empty() {
                continue;
            }
            if let Some((due, later)) = at.pending.split_first() {
                let later = Position { pending: Pending::from_slice(later), ..at };
                let goes_on = self.due(*due, &later, logins, &mut moves)?;
                waiting.push((later, goes_on));
            } else if let Some(step) = self.merged.step(self.side, at.step) {
                for (next, position, logins) in self.step(&step.body, &at, logins)? {
                    match next {
                        Next::Decides(..) if self.detail == Detail::Visible => {
                            waiting.push((position, logins));
                        }
                        next => self.add(&mut moves, next, position, logins)?,
                    }
                }
            } else {
                self.add(&mut moves, Next::Completes, at, logins)?;
            }
        }
        Ok(moves)
    }

    fn add(&self, to: &mut Moves, next: Next, at: Position, logins: Formula) -> Limited<()> {
        if logins.is_empty() {
            return Ok(());
        }
        match to.iter_mut().find(|(other, place, _)| *other == next && *place == at) {
            Some((_, _, others)) => *others = self.diagrams().or(*others, logins)?,
            None => to.push((next, at, logins)),
        }
        Ok(())
    }

    /// Rules 2 to 5 for a command that is due; gives the logins that go on without a prompt.
    fn due(&self, due: OfferId, later: &Position, logins: Formula, moves: &mut Moves) -> Limited<Formula> {
        let diagrams = self.diagrams();
        let offer = self.offers.get(due);
        let prompt = Prompt::new(offer, self.conditions, self.state)?;
        let kind = offer.kind;
        let answered = match kind {
            CommandKind::Challenge => {
                diagrams.any(self.state.passed_factors().map(|factor| *offer.offered(factor)))?
            }
            CommandKind::Enroll => diagrams.nothing(),
        };
        let goes_on = diagrams.and(logins, answered)?;
        let logins = diagrams.minus(logins, answered)?;
        let usable = diagrams.any(prompt.usable.iter().cloned())?;
        let without = diagrams.minus(logins, usable)?;
        let asked = diagrams.and(logins, usable)?;
        let nothing_left = match (kind, offer.style) {
            (CommandKind::Enroll, Style::Any) => self.nothing_left(due, without)?,
            _ => diagrams.nothing(),
        };
        let fails = diagrams.minus(without, nothing_left)?;
        self.add(moves, Next::NothingUsable(kind), Position::default(), fails)?;
        let refused = match kind {
            CommandKind::Enroll if !self.state.any_passed => diagrams.and(asked, self.any_enrolled()?)?,
            _ => diagrams.nothing(),
        };
        let asked = diagrams.minus(asked, refused)?;
        self.add(moves, Next::EnrollWithoutChallenge, Position::default(), refused)?;
        self.add(moves, Next::Asks(due), later.clone(), asked)?;
        diagrams.or(goes_on, nothing_left)
    }

    /// Of some logins, those in which everything is enrolled that a command offers.
    fn nothing_left(&self, due: OfferId, logins: Formula) -> Limited<Formula> {
        let diagrams = self.diagrams();
        self.factors().into_iter().try_fold(logins, |left, factor| {
            let enrolled = is_enrolled(self.conditions, self.state, factor);
            let missing = diagrams.minus(*self.offers.get(due).offered(factor), enrolled)?;
            diagrams.minus(left, missing)
        })
    }

    fn any_enrolled(&self) -> Limited<Formula> {
        let factors = self.factors().into_iter();
        let each = factors.map(|factor| is_enrolled(self.conditions, self.state, factor));
        self.diagrams().any(each.chain([self.conditions.facts.other_enrolled()]))
    }

    fn factors(&self) -> Vec<FactorId> {
        self.merged.policy.catalog.factors.keys().collect()
    }

    /// Runs a step for all logins that begin it.
    fn step(&mut self, body: &'a [Statement], at: &Position, logins: Formula) -> Limited<Moves> {
        let mut run = Run {
            used: at.commands,
            executed: vec![(Pending::new(), logins)],
            denied: Vec::new(),
            walker: self,
        };
        run.block(body, logins)?;
        let Run { executed, denied, .. } = run;
        let mut moves = Moves::new();
        let mut over = logins;
        for (reason, logins) in denied {
            over = self.diagrams().minus(over, logins)?;
            self.add(&mut moves, Next::Denied(reason), Position::default(), logins)?;
        }
        for (pending, logins) in executed {
            over = self.diagrams().minus(over, logins)?;
            let commands = at.commands + pending.len();
            let next = Next::Decides(at.step, pending.clone());
            let position = Position { step: at.step + 1, commands, pending };
            self.add(&mut moves, next, position, logins)?;
        }
        self.add(&mut moves, Next::FifthCommand, Position::default(), over)?;
        Ok(moves)
    }
}

/// One run of a step's statements.
struct Run<'a, 'c, 'w> {
    walker: &'w mut Walker<'a, 'c>,
    /// Commands executed by the steps before.
    used: usize,
    /// Which logins have executed which commands. Who is over the limit or denied is in none.
    executed: Vec<(Pending, Formula)>,
    denied: Vec<(String, Formula)>,
}

impl<'a> Run<'a, '_, '_> {
    fn diagrams(&self) -> &'a Diagrams {
        self.walker.diagrams()
    }

    /// Runs statements for the logins that reach them; gives those that end the step there.
    fn block(&mut self, block: &'a [Statement], logins: Formula) -> Limited<Formula> {
        let mut ended = self.diagrams().nothing();
        let mut here = logins;
        for statement in block {
            if here.is_empty() {
                break;
            }
            let gone = self.statement(statement, here)?;
            here = self.diagrams().minus(here, gone)?;
            ended = self.diagrams().or(ended, gone)?;
        }
        Ok(ended)
    }

    fn statement(&mut self, statement: &'a Statement, here: Formula) -> Limited<Formula> {
        match statement {
            Statement::Command(command) => self.command(command, here),
            Statement::Stop(_) => Ok(here),
            Statement::Deny { reason, .. } => {
                self.take(here)?;
                self.denied.push((reason.clone(), here));
                Ok(here)
            }
            Statement::Applied { body, .. } => self.block(body, here),
            Statement::Branch { branches, otherwise, .. } => {
                let mut ended = self.diagrams().nothing();
                let mut left = here;
                for (condition, body) in branches {
                    let holds = self.walker.conditions.formula(*condition)?;
                    let taken = self.diagrams().and(left, holds)?;
                    left = self.diagrams().minus(left, taken)?;
                    let gone = self.block(body, taken)?;
                    ended = self.diagrams().or(ended, gone)?;
                }
                let gone = self.block(otherwise, left)?;
                self.diagrams().or(ended, gone)
            }
        }
    }

    /// Moves logins on by one command; gives those for which it is the fifth.
    fn command(&mut self, command: &'a Command, here: Formula) -> Limited<Formula> {
        let offer = self.walker.offers.of(command, self.walker.conditions)?;
        let mut over = self.diagrams().nothing();
        for (mut commands, logins) in self.take(here)? {
            if self.used + commands.len() >= MAX_COMMANDS {
                over = self.diagrams().or(over, logins)?;
                continue;
            }
            commands.push(offer);
            match self.executed.iter_mut().find(|(others, _)| *others == commands) {
                Some((_, others)) => *others = self.walker.diagrams().or(*others, logins)?,
                None => self.executed.push((commands, logins)),
            }
        }
        Ok(over)
    }

    /// Takes logins out of their sequences; gives them with what they have executed.
    fn take(&mut self, here: Formula) -> Limited<Vec<(Pending, Formula)>> {
        let diagrams = self.diagrams();
        let mut taken = Vec::new();
        for (commands, logins) in &mut self.executed {
            let moving = diagrams.and(*logins, here)?;
            if !moving.is_empty() {
                *logins = diagrams.minus(*logins, moving)?;
                taken.push((commands.clone(), moving));
            }
        }
        self.executed.retain(|(_, logins)| !logins.is_empty());
        Ok(taken)
    }
}
