//! Playing all logins of a small flow, one by one, and noting what is asked of them.
//!
//! This is docs/model.md once more, over plain values and as slowly as can be. It shares no code with what it judges.
//! [`valuations`] draws the events, [`holds`] asks conditions, [`judge`] says what was seen of the questions and the
//! guarantees, [`confirm`] follows the logins that the analysis shows.

mod confirm;
mod holds;
mod judge;
mod valuations;

use std::collections::{BTreeMap, BTreeSet};

use stepup::check::policy::*;
use stepup::source::Span;
use stepup::trace::FactValue;

use super::generate::*;
pub(crate) use confirm::{Claim, confirms};
use holds::holds;
pub(crate) use judge::{GuaranteeSeen, findings};
pub(crate) use valuations::valuations;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const OTHER: u64 = 1 << 63;

/// What was seen.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) fifth: bool,
    /// For each test, whether it was seen to hold, and not to hold.
    pub(crate) answers: BTreeMap<Span, (bool, bool)>,
    pub(crate) reached: BTreeSet<Span>,
    /// Steps that a login began, by position.
    pub(crate) begun: BTreeSet<u32>,
    /// Denials after commands of their step.
    pub(crate) lost: BTreeSet<Span>,
    pub(crate) logins: u64,
    /// What came of each command, in logins without a factor outside the catalog (A7), as all below but the last.
    fates: BTreeMap<Span, BTreeSet<Fate>>,
    /// Commands that failed logins of whom no choice gets through.
    locked_out: BTreeSet<Span>,
    /// Conditions that were asked about what their step had made stale.
    stale: BTreeSet<Span>,
    pub(crate) guarantees: Vec<GuaranteeSeen>,
}

/// What came of a command when its prompt was due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fate {
    Asks,
    Answered,
    NothingLeft,
    NothingUsable,
    Unchallenged,
}

impl Fate {
    fn fails(self) -> bool {
        matches!(self, Fate::NothingUsable | Fate::Unchallenged)
    }
}

/// The facts of one login.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) values: BTreeMap<u32, FactValue>,
    pub(crate) org: bool,
    pub(crate) has_email: bool,
    pub(crate) enrolled: u64,
    pub(crate) stamps: Vec<(u32, i64)>,
    pub(crate) now: i64,
}

impl Facts {
    /// Whether the catalog has all enrolled factors (A7).
    fn are_known(&self) -> bool {
        self.enrolled & OTHER == 0
    }

    /// Whether an example of it is easily told: nothing performed before, and the catalog's factors alone.
    fn are_ordinary(&self) -> bool {
        let allowed = match self.values.get(&ALLOWED) {
            Some(FactValue::FactorSet(mask)) => *mask,
            _ => 0,
        };
        self.are_known() && self.stamps.is_empty() && allowed & OTHER == 0
    }
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Session {
    enrolled: u64,
    /// Factors passed, with the number of windows that have run out for each.
    passed: Vec<(u32, usize)>,
    used: usize,
}

/// All logins of one event.
struct Life<'p> {
    facts: &'p Facts,
    /// Steps that were played, by what the login had done.
    known: BTreeSet<(usize, Session)>,
    ends: BTreeSet<(End, Session)>,
    /// Commands that failed it.
    failing: BTreeSet<Span>,
}

/// Plays every login.
pub(crate) fn play(flow: &Flow) -> Played {
    let policy = &flow.policy;
    let guarantees = policy.guarantees.iter().map(|_| GuaranteeSeen::default()).collect();
    let played = Played { guarantees, ..Played::default() };
    let mut player = Player { policy, windows: windows(policy), played };
    for facts in valuations(flow) {
        player.played.logins += 1;
        let mut life =
            Life { facts: &facts, known: BTreeSet::new(), ends: BTreeSet::new(), failing: BTreeSet::new() };
        player.step(&mut life, 0, Session::default());
        player.judge(&life);
    }
    player.played
}

/// The lengths of all windows, shortest first.
fn windows(policy: &TypedPolicy) -> Vec<i64> {
    let lengths = policy.conditions.values().filter_map(|condition| match condition.kind {
        ConditionKind::Performed(_, Window::Within(length))
        | ConditionKind::AnyPerformed(Window::Within(length)) => Some(length),
        _ => None,
    });
    lengths.filter(|length| *length > 0).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The outermost statements that no login reached: the first of each block, and the first step that none begins.
pub(crate) fn unreached(policy: &TypedPolicy, played: &Played) -> BTreeSet<Span> {
    let mut found = BTreeSet::new();
    for (id, step) in &policy.steps {
        if !played.begun.contains(&id.as_u32()) {
            found.insert(step.declared);
            break;
        }
        let mut blocks = vec![&step.body];
        while let Some(block) = blocks.pop() {
            for statement in block {
                let (span, inner): (Span, Vec<&Block>) = match statement {
                    Statement::Command(command) => (command.span, vec![]),
                    Statement::Deny { span, .. } | Statement::Stop(span) => (*span, vec![]),
                    Statement::Applied { body, span } => (*span, vec![body]),
                    Statement::Branch { branches, otherwise, span } => {
                        (*span, branches.iter().map(|(_, body)| body).chain([otherwise]).collect())
                    }
                };
                if !played.reached.contains(&span) {
                    found.insert(span);
                    break;
                }
                blocks.extend(inner);
            }
        }
    }
    found
}

struct Player<'a> {
    policy: &'a TypedPolicy,
    windows: Vec<i64>,
    played: Played,
}

enum Flowing {
    On,
    Stopped,
    Denied,
    Fifth,
}

struct Run<'a, 'p> {
    player: &'p mut Player<'a>,
    facts: &'p Facts,
    session: &'p Session,
    executed: Vec<&'a Command>,
}

impl<'a> Player<'a> {
    fn step(&mut self, life: &mut Life<'_>, number: usize, session: Session) {
        let policy = self.policy;
        let Some(step) = policy.steps.values().nth(number) else {
            life.ends.insert((End::Completed, session));
            return;
        };
        self.played.begun.insert(number as u32);
        for session in aged(&session, self.windows.len()) {
            if !life.known.insert((number, session.clone())) {
                continue;
            }
            let mut run = Run { player: self, facts: life.facts, session: &session, executed: Vec::new() };
            let flowing = run.block(&step.body);
            let commands = run.executed;
            let used = Session { used: session.used + commands.len(), ..session.clone() };
            match flowing {
                Flowing::Fifth => self.played.fifth = true,
                Flowing::Denied => {
                    life.ends.insert((End::Denied, used));
                }
                Flowing::On | Flowing::Stopped => {
                    for end in self.prompts(life, &session, used, &commands) {
                        self.step(life, number + 1, end);
                    }
                }
            }
        }
    }

    /// Answers the prompts of a step in every way; gives the logins that go on.
    fn prompts(
        &mut self,
        life: &mut Life<'_>,
        seen: &Session,
        start: Session,
        commands: &[&Command],
    ) -> Vec<Session> {
        let offers = commands.iter().map(|command| offered(self.policy, life.facts, seen, command));
        let mut due = vec![start];
        for (command, offer) in commands.iter().zip(offers) {
            let mut next = Vec::new();
            for session in due {
                let (fate, ways) = prompt(self.policy, life.facts, &session, command, &offer);
                if life.facts.are_known() {
                    self.played.fates.entry(command.span).or_default().insert(fate);
                }
                if fate.fails() {
                    life.failing.insert(command.span);
                    life.ends.insert((End::Failed, session));
                }
                next.extend(ways);
            }
            due = next;
        }
        due
    }
}

/// Every way in which windows over passed factors may have run out when the next step begins.
fn aged(session: &Session, windows: usize) -> Vec<Session> {
    let mut found = vec![session.clone()];
    let count = session.passed.len();
    for place in 0..count.saturating_sub(1) {
        found = found
            .into_iter()
            .flat_map(|session| {
                let least = session.passed[place].1;
                (least..=windows).map(move |age| {
                    let mut next = session.clone();
                    next.passed[place].1 = age;
                    next
                })
            })
            .collect();
    }
    found.retain(|session| session.passed.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    found
}

/// What comes of a command, and how logins go on.
fn prompt(
    policy: &TypedPolicy,
    facts: &Facts,
    session: &Session,
    command: &Command,
    offer: &[u32],
) -> (Fate, Vec<Session>) {
    let enrolled = facts.enrolled | session.enrolled;
    let has = |factor: &u32| enrolled >> factor & 1 == 1;
    let is_on = |factor: &u32| policy.enabled >> factor & 1 == 1;
    let pass = |factor: u32| {
        let mut next = session.clone();
        next.passed.push((factor, 0));
        if command.kind == CommandKind::Enroll {
            next.enrolled |= 1 << factor;
        }
        next
    };
    let usable: Vec<u32> = if command.kind == CommandKind::Challenge {
        if offer.iter().any(|factor| session.passed.iter().any(|(passed, _)| passed == factor)) {
            return (Fate::Answered, vec![session.clone()]);
        }
        offer.iter().copied().filter(has).filter(is_on).collect()
    } else {
        if command.style == Style::Any && offer.iter().all(has) {
            return (Fate::NothingLeft, vec![session.clone()]);
        }
        offer.iter().copied().filter(|factor| !has(factor) && is_on(factor)).collect()
    };
    if usable.is_empty() {
        return (Fate::NothingUsable, vec![]);
    }
    if command.kind == CommandKind::Enroll && enrolled != 0 && session.passed.is_empty() {
        return (Fate::Unchallenged, vec![]);
    }
    (Fate::Asks, usable.into_iter().map(pass).collect())
}

fn offered(policy: &TypedPolicy, facts: &Facts, session: &Session, command: &Command) -> Vec<u32> {
    let mut offer: Vec<u32> = command.listed.iter().map(|listed| listed.factor.as_u32()).collect();
    if let Some(set) = &command.rest {
        let members = set_members(facts, session, set);
        for (factor, row) in &policy.catalog.factors {
            let number = factor.as_u32();
            if members >> number & 1 == 1 && row.commands.contains(&command.kind) && !offer.contains(&number)
            {
                offer.push(number);
            }
        }
    }
    offer
}

fn set_members(facts: &Facts, session: &Session, set: &Set) -> u64 {
    let inner = |set: &Set| set_members(facts, session, set);
    match set {
        Set::Enrolled => facts.enrolled | session.enrolled,
        Set::Performed => {
            let before = facts.stamps.iter().map(|(factor, _)| *factor);
            before
                .chain(session.passed.iter().map(|(factor, _)| *factor))
                .fold(0, |mask, factor| mask | 1 << factor)
        }
        Set::Variable(variable) => match facts.values.get(&variable.as_u32()) {
            Some(FactValue::FactorSet(mask)) => *mask,
            _ => 0,
        },
        Set::Literal(list) => list.iter().fold(0, |mask, factor| mask | 1 << factor.as_u32()),
        Set::Intersect(a, b) => inner(a) & inner(b),
        Set::Union(a, b) => inner(a) | inner(b),
        Set::Except(a, b) => inner(a) & !inner(b),
        Set::IfPresent { .. } => unreachable!("not generated"),
    }
}

impl<'a> Run<'a, '_> {
    fn block(&mut self, block: &'a [Statement]) -> Flowing {
        for statement in block {
            match self.statement(statement) {
                Flowing::On => {}
                end => return end,
            }
        }
        Flowing::On
    }

    fn statement(&mut self, statement: &'a Statement) -> Flowing {
        match statement {
            Statement::Command(command) => {
                self.player.played.reached.insert(command.span);
                if self.session.used + self.executed.len() == 4 {
                    return Flowing::Fifth;
                }
                self.executed.push(command);
                Flowing::On
            }
            Statement::Deny { span, .. } => {
                self.player.played.reached.insert(*span);
                if !self.executed.is_empty() {
                    self.player.played.lost.insert(*span);
                }
                Flowing::Denied
            }
            Statement::Stop(span) => {
                self.player.played.reached.insert(*span);
                Flowing::Stopped
            }
            Statement::Applied { body, span } => {
                self.player.played.reached.insert(*span);
                self.block(body)
            }
            Statement::Branch { branches, otherwise, span } => {
                self.player.played.reached.insert(*span);
                for (condition, body) in branches {
                    if self.holds(*condition) {
                        return self.block(body);
                    }
                }
                self.block(otherwise)
            }
        }
    }

    fn holds(&mut self, id: ConditionId) -> bool {
        let policy = self.player.policy;
        let condition = &policy.conditions[id];
        if !is_one_text(policy, condition) {
            return match &condition.kind {
                ConditionKind::Not(part) => !self.holds(*part),
                ConditionKind::All(parts) => parts.iter().all(|part| self.holds(*part)),
                ConditionKind::Any(parts) => parts.iter().any(|part| self.holds(*part)),
                _ => unreachable!("a test is one text"),
            };
        }
        let answer = self.text_holds(id);
        if self.facts.are_known() && judge::reads_what_is_stale(self, id) {
            self.player.played.stale.insert(condition.span);
        }
        let seen = self.player.played.answers.entry(condition.span).or_default();
        seen.0 |= answer;
        seen.1 |= !answer;
        answer
    }

    /// A text's answer, without those of what the checker made of it.
    fn text_holds(&self, id: ConditionId) -> bool {
        let policy = self.player.policy;
        match &policy.conditions[id].kind {
            ConditionKind::Not(part) => !self.text_holds(*part),
            ConditionKind::All(parts) => parts.iter().all(|part| self.text_holds(*part)),
            ConditionKind::Any(parts) => parts.iter().any(|part| self.text_holds(*part)),
            test => holds(policy, &self.player.windows, self.facts, self.session, test),
        }
    }
}

/// Whether a reader sees one condition: a test, or what the checker made of one.
fn is_one_text(policy: &TypedPolicy, condition: &Condition) -> bool {
    let of_this_text = |part: &ConditionId| policy.conditions[*part].span == condition.span;
    match &condition.kind {
        ConditionKind::Not(part) => of_this_text(part),
        ConditionKind::All(parts) | ConditionKind::Any(parts) => parts.iter().all(of_this_text),
        _ => true,
    }
}
