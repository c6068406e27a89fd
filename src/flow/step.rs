//! Running one step for all logins of a state at once.
//!
//! A step is followed statement by statement with the set of logins that reach each. Beside it stands, for each
//! sequence of commands executed so far, the set of logins that have executed just that: branches never copy it,
//! only a command moves logins from one sequence to the next. Commands that later prompts can't tell apart share a
//! [`Template`], so a thousand rules that ask for the same factor make one sequence, not a thousand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use smallvec::SmallVec;

use super::budget::Limited;
use super::condition::Conditions;
use super::diagram::{Diagrams, Formula};
use super::facts::LoginReads;
use super::questions::{Aim, Notes, Places};
use crate::check::masks::{FactorMask, bit, factors};
use crate::check::policy::{
    Command, CommandKind, Condition, ConditionId, ConditionKind, End, Set, Statement, Style, TypedPolicy,
};
use crate::source::Span;
use crate::trace::{MAX_COMMANDS, is_one_text};

/// What a prompt can tell of a command.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Template {
    pub(super) kind: CommandKind,
    pub(super) style: Style,
    /// The factors it lists.
    pub(super) listed: FactorMask,
    /// Its set.
    pub(super) rest: Option<Set>,
}

/// All templates of a policy, numbered.
#[derive(Default)]
pub(super) struct Templates {
    known: Vec<Template>,
    numbers: HashMap<Template, u32>,
}

impl Templates {
    fn number(&mut self, command: &Command) -> u32 {
        let template = Template {
            kind: command.kind,
            style: command.style,
            listed: command.listed.iter().fold(0, |mask, listed| mask | bit(listed.factor)),
            rest: command.rest.clone(),
        };
        if let Some(number) = self.numbers.get(&template) {
            return *number;
        }
        let number = self.known.len() as u32;
        self.known.push(template.clone());
        self.numbers.insert(template, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&Template> {
        self.known.get(number as usize)
    }
}

/// The commands executed in a step, by template.
pub(super) type Executed = SmallVec<[u32; MAX_COMMANDS]>;

/// Which answers a condition has been seen to give.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Answers {
    pub(super) yes: bool,
    pub(super) no: bool,
}

/// What has been seen over all steps and states.
#[derive(Default)]
pub(super) struct Seen {
    /// For each text of a condition that was asked, its answers.
    pub(super) answers: BTreeMap<Span, Answers>,
    /// The statements that some login reaches.
    pub(super) reached: BTreeSet<Span>,
    /// Logins that execute a fifth command: the first found.
    pub(super) fifth: Option<Formula>,
    /// For each denial that follows a command in its step, some logins in which it does.
    pub(super) lost: BTreeMap<Span, Formula>,
}

/// Whether the sequence of commands matters, or only its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Detail {
    /// Later steps see what the prompts did.
    Commands,
    /// No step follows.
    Count,
}

/// What all runs of an exploration write into.
pub(super) struct Records<'c> {
    pub(super) templates: &'c mut Templates,
    pub(super) seen: &'c mut Seen,
    pub(super) noting: Option<Noting<'c>>,
}

/// Where a run writes down what it meets, for those who ask.
pub(super) struct Noting<'n> {
    pub(super) places: &'n mut Places,
    pub(super) notes: &'n mut Notes,
    /// For each condition that is one text, what it reads of the login.
    pub(super) reads: &'n LoginTexts,
}

/// What conditions read of the login itself, by their numbers; nothing of what the login can change where there is
/// no entry.
pub(super) type LoginTexts = HashMap<ConditionId, LoginReads>;

/// One run of a step.
pub(super) struct StepRun<'a, 'c> {
    policy: &'a TypedPolicy,
    conditions: &'c Conditions<'a>,
    templates: &'c mut Templates,
    seen: &'c mut Seen,
    detail: Detail,
    /// Which logins have executed which commands; together all that entered, without those over the limit. Those
    /// without a command stand first, then the sequences that changed last stand last: the next rule is often about
    /// the same logins, and is done with them soon.
    executed: Vec<(Executed, Formula)>,
    /// Who executed which command where, and what is noted; for those who ask.
    noting: Option<Noting<'c>>,
    denied: Formula,
    /// Parts of conditions that stand in several, with the logins that reached them: the logins that passed.
    passing: HashMap<(ConditionId, Formula), Formula>,
    shared: &'c [bool],
}

impl<'a, 'c> StepRun<'a, 'c> {
    /// Runs a step's statements for `logins`; gives the logins whose prompts are due, by commands.
    pub(super) fn run(
        conditions: &'c Conditions<'a>,
        records: Records<'c>,
        detail: Detail,
        shared: &'c [bool],
        body: &'a [Statement],
        logins: Formula,
    ) -> Limited<BTreeMap<Executed, Formula>> {
        let diagrams = &conditions.facts.diagrams;
        let Records { templates, seen, noting } = records;
        let mut run = StepRun {
            policy: conditions.policy,
            conditions,
            templates,
            seen,
            detail,
            executed: vec![(Executed::new(), logins)],
            noting,
            denied: diagrams.nothing(),
            passing: HashMap::new(),
            shared,
        };
        run.block(body, logins)?;
        let mut due = BTreeMap::new();
        for (commands, logins) in std::mem::take(&mut run.executed) {
            let logins = diagrams.minus(logins, run.denied)?;
            if !logins.is_empty() {
                due.insert(commands, logins);
            }
        }
        Ok(due)
    }

    fn diagrams(&self) -> &'a Diagrams {
        &self.conditions.facts.diagrams
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
            if !gone.is_empty() {
                here = self.diagrams().minus(here, gone)?;
                ended = self.diagrams().or(ended, gone)?;
            }
        }
        Ok(ended)
    }

    fn statement(&mut self, statement: &'a Statement, here: Formula) -> Limited<Formula> {
        self.seen.reached.insert(statement.span());
        if let Some(noting) = &mut self.noting {
            noting.notes.meets(Aim::Statement(statement.span()), here);
        }
        match statement {
            Statement::Command(command) => self.command(command, here),
            Statement::Stop(_) => Ok(here),
            Statement::Deny { span, .. } => {
                self.deny(*span, here)?;
                Ok(here)
            }
            Statement::Applied { body, .. } => self.block(body, here),
            Statement::Branch { branches, otherwise, .. } => {
                let mut ended = self.diagrams().nothing();
                let mut left = here;
                for (condition, body) in branches {
                    if left.is_empty() {
                        break;
                    }
                    let taken = self.ask(*condition, left)?;
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
        let diagrams = self.diagrams();
        let number = match self.detail {
            Detail::Commands => self.templates.number(command),
            Detail::Count => 0,
        };
        let mut over = diagrams.nothing();
        for (mut commands, logins) in self.take(here)? {
            if self.conditions.state().commands + commands.len() >= MAX_COMMANDS {
                self.seen.fifth.get_or_insert(logins);
                over = diagrams.or(over, logins)?;
                continue;
            }
            if let Some(noting) = &mut self.noting {
                let key = (commands.len(), command.span);
                let before = noting.places.get(&key).cloned().unwrap_or_else(|| diagrams.nothing());
                noting.places.insert(key, diagrams.or(before, logins)?);
            }
            commands.push(number);
            let place = self.executed.iter().position(|(others, _)| *others == commands);
            let together = match place.map(|place| self.executed.remove(place)) {
                Some((_, others)) => diagrams.or(others, logins)?,
                None => logins,
            };
            self.executed.push((commands, together));
        }
        if self.noting.is_some() {
            // What was asked before it is stale when it is asked again.
            self.passing.clear();
        }
        Ok(over)
    }

    /// Takes logins out of their sequences; gives them with what they have executed.
    fn take(&mut self, here: Formula) -> Limited<Vec<(Executed, Formula)>> {
        let diagrams = self.diagrams();
        let mut taken = Vec::new();
        let mut left = here;
        let (first, others) = self.executed.split_at_mut(1);
        for (commands, logins) in first.iter_mut().chain(others.iter_mut().rev()) {
            let moving = diagrams.and(*logins, left)?;
            if moving.is_empty() {
                continue;
            }
            *logins = diagrams.minus(*logins, moving)?;
            left = diagrams.minus(left, moving)?;
            taken.push((commands.clone(), moving));
            if left.is_empty() {
                break;
            }
        }
        let mut place = 0;
        self.executed.retain(|(_, logins)| {
            place += 1;
            place == 1 || !logins.is_empty()
        });
        Ok(taken)
    }

    fn deny(&mut self, span: Span, here: Formula) -> Limited<()> {
        self.denied = self.diagrams().or(self.denied, here)?;
        self.note_denials(here)?;
        if self.seen.lost.contains_key(&span) {
            return Ok(());
        }
        for (_, logins) in self.executed.iter().filter(|(commands, _)| !commands.is_empty()) {
            let lost = self.diagrams().and(*logins, here)?;
            if !lost.is_empty() {
                self.seen.lost.insert(span, lost);
                break;
            }
        }
        Ok(())
    }

    fn note_denials(&mut self, here: Formula) -> Limited<()> {
        let diagrams = self.diagrams();
        let Some(noting) = &mut self.noting else { return Ok(()) };
        for (commands, logins) in &self.executed {
            let denied = diagrams.and(*logins, here)?;
            let mut state = self.conditions.state().clone();
            state.commands += commands.len();
            noting.notes.end(diagrams, End::Denied, state, denied)?;
        }
        Ok(())
    }

    /// Notes the logins that ask a condition about factors that a command of this step can ask for, as the
    /// step sees them.
    fn note_stale(&mut self, id: ConditionId, span: Span, here: Formula) -> Limited<()> {
        let diagrams = self.diagrams();
        let Some(noting) = &mut self.noting else { return Ok(()) };
        let Some(reads) = noting.reads.get(&id) else { return Ok(()) };
        let performed = reads.performed_factors();
        for (commands, logins) in self.executed.iter().filter(|(commands, _)| !commands.is_empty()) {
            let asking = diagrams.and(*logins, here)?;
            if asking.is_empty() {
                continue;
            }
            for template in commands.iter().filter_map(|number| self.templates.get(*number)) {
                let asking = diagrams.minus(asking, self.conditions.answered(template)?)?;
                let changed = match template.kind {
                    CommandKind::Enroll => reads.enrolled | performed,
                    CommandKind::Challenge => performed,
                };
                for factor in factors(&self.policy.catalog, changed & self.policy.enabled) {
                    let usable = self.conditions.usable(template, factor)?;
                    noting.notes.stale(diagrams, span, diagrams.and(asking, usable)?)?;
                }
            }
        }
        Ok(())
    }

    /// Asks a condition of the logins that reach it, its parts left to right; gives those in which it holds.
    fn ask(&mut self, id: ConditionId, here: Formula) -> Limited<Formula> {
        if here.is_empty() {
            return Ok(here);
        }
        let policy = self.policy;
        let condition = &policy.conditions[id];
        if is_one_text(policy, condition) {
            return self.ask_text(id, condition, here);
        }
        let shared = self.shared.get(id.as_u32() as usize).copied().unwrap_or(false);
        let key = (id, here);
        if let Some(known) = self.passing.get(&key).filter(|_| shared) {
            return Ok(*known);
        }
        let passing = self.ask_parts(condition, here)?;
        if shared {
            self.passing.insert(key, passing);
        }
        Ok(passing)
    }

    fn ask_parts(&mut self, condition: &'a Condition, here: Formula) -> Limited<Formula> {
        let diagrams = self.diagrams();
        match &condition.kind {
            ConditionKind::Not(inner) => {
                let passing = self.ask(*inner, here)?;
                diagrams.minus(here, passing)
            }
            ConditionKind::All(parts) => parts.iter().try_fold(here, |here, part| self.ask(*part, here)),
            ConditionKind::Any(parts) => {
                let mut left = here;
                for part in parts {
                    let passing = self.ask(*part, left)?;
                    left = diagrams.minus(left, passing)?;
                }
                diagrams.minus(here, left)
            }
            _ => Ok(here),
        }
    }

    /// Asks a condition that is one text for a reader, and notes its answers.
    fn ask_text(&mut self, id: ConditionId, condition: &Condition, here: Formula) -> Limited<Formula> {
        self.note_stale(id, condition.span, here)?;
        let formula = self.conditions.formula(id)?;
        let passing = self.diagrams().and(here, formula)?;
        if !matches!(condition.kind, ConditionKind::Constant(_)) {
            let answers = self.seen.answers.entry(condition.span).or_default();
            answers.yes |= !passing.is_empty();
            answers.no |= passing != here;
            if let Some(noting) = &mut self.noting {
                noting.notes.meets(Aim::Condition(condition.span, true), passing);
                let failing = self.conditions.facts.diagrams.minus(here, passing)?;
                noting.notes.meets(Aim::Condition(condition.span, false), failing);
            }
        }
        Ok(passing)
    }
}

/// Which conditions are part of several, by their numbers: their answers are worth remembering.
pub(super) fn shared_conditions(policy: &TypedPolicy) -> Vec<bool> {
    let mut uses = vec![0u8; policy.conditions.len()];
    for condition in policy.conditions.values() {
        let one;
        let parts = match &condition.kind {
            ConditionKind::Not(inner) => {
                one = [*inner];
                &one[..]
            }
            ConditionKind::All(parts) | ConditionKind::Any(parts) => parts,
            _ => &[],
        };
        for part in parts {
            if let Some(count) = uses.get_mut(part.as_u32() as usize) {
                *count = count.saturating_add(1);
            }
        }
    }
    uses.into_iter().map(|count| count > 1).collect()
}
