//! Finding the choices that lead one event to where the diagrams say it can get.
//!
//! The diagrams name an event; how its user answers the prompts is found here by trying, over plain values and
//! independently of them. So a finding is never reported unless the policy, read as it is written, confirms it.

use std::collections::{BTreeMap, BTreeSet};

use cranelift_entity::EntityRef;

use super::facts::Reads;
use super::questions::{Aim, Fate};
use crate::check::masks::bit;
use crate::check::policy::{
    Absence, Command, CommandKind, ConditionId, ConditionKind, End, FactorId, PresenceId, Step, StepId,
    TypedPolicy, VariableId, Window,
};
use crate::source::Span;
use crate::trace::{
    Event, ExecutedCommand, Looked, LookedAt, MAX_COMMANDS, Met, Passed, Prompt, Refusal, Session, StepEnd,
    StepFacts, StepRun, Words,
};

/// One login: its event, and what happened step by step.
#[derive(Clone, PartialEq, Debug)]
pub struct Login {
    /// What it began with.
    pub event: Event,
    /// The variables that its steps looked at.
    pub read: Vec<VariableId>,
    /// What its steps asked the presence of, where they looked at nothing that is there with it.
    pub asked: Vec<PresenceId>,
    /// Each step that ran.
    pub steps: Vec<PlayedStep>,
    /// How it ended, if it was followed to its end.
    pub ended: Option<Ended>,
}

/// How a login ended, and what it had done by then.
#[derive(Clone, PartialEq, Debug)]
pub struct Ended {
    /// How.
    pub end: End,
    /// What it had done.
    pub session: Session,
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
    /// The denial that ended it.
    pub denied: Option<Span>,
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
    /// The user is asked for one of these; the login is followed no further.
    Asks(Vec<FactorId>),
    /// A factor passed earlier answers it.
    Answered,
    /// Everything that it offers is enrolled already: it failed, and the login went on.
    NothingLeft,
    /// The login fails.
    Fails(Refusal),
    /// The step ended in a denial or in a fifth command, or the login is not followed so far: it was never shown.
    NotShown,
}

/// What to look for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    /// A fifth command.
    FifthCommand,
    /// A denial by this statement in a step that has executed a command.
    CommandsBefore(Span),
    /// This comes of the command at this place.
    Fate(Span, Fate),
    /// This condition is asked about what its step has made stale.
    Stale(Span),
    /// This is met.
    Meets(Aim),
    /// The login completes or is denied.
    GetsThrough,
    /// The login ends, and this condition does not hold: at any end, or where it completes.
    Breaks(ConditionId, Counted),
}

/// Which ends a guarantee counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counted {
    /// Logins that complete.
    Completed,
    /// All, since the guarantee names an end.
    All,
}

impl Counted {
    pub(super) fn counts(self, end: End) -> bool {
        self == Counted::All || end == End::Completed
    }
}

/// Tries the user's choices, in the order in which they are shown, until the goal is met with as few prompts as can
/// be. At most `limit` steps are run for each number of prompts.
pub(super) fn find_login(policy: &TypedPolicy, event: Event, goal: Goal, limit: usize) -> Option<Login> {
    let asked = match goal {
        Goal::Breaks(condition, _) => vec![condition],
        _ => Vec::new(),
    };
    let windows = windows(policy);
    (0..=MAX_COMMANDS).find_map(|max_prompts| {
        let mut search = Search {
            policy,
            event: &event,
            goal,
            windows: &windows,
            seen: BTreeSet::new(),
            limit,
            max_prompts,
            read: BTreeSet::new(),
            asked: BTreeSet::new(),
            played: Vec::new(),
            ended: None,
        };
        let found = search.play_from(StepId::new(0), &Session::default());
        if let Some(ended) = search.ended.clone() {
            search.look_at_the_end(&ended, &asked);
        }
        let told = |presence: &PresenceId| {
            let is_under = |read: &VariableId| policy.variables[*read].absence == Absence::Tracked(*presence);
            search.read.iter().any(is_under)
        };
        let asked = search.asked.iter().filter(|presence| !told(presence)).copied().collect();
        let (read, steps, ended) = (search.read.into_iter().collect(), search.played, search.ended);
        found.then(|| Login { event: event.clone(), read, asked, steps, ended })
    })
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
    windows: &'a BTreeMap<FactorId, BTreeSet<i64>>,
    seen: BTreeSet<(StepId, Session)>,
    limit: usize,
    max_prompts: usize,
    read: BTreeSet<VariableId>,
    asked: BTreeSet<PresenceId>,
    played: Vec<PlayedStep>,
    ended: Option<Ended>,
}

impl<'a> Search<'a> {
    fn note(&mut self, read: &BTreeSet<VariableId>, looked: &LookedAt) {
        self.read.extend(read.iter().copied());
        self.asked.extend(looked.iter().filter_map(|looked| match looked {
            Looked::Presence(presence) => Some(presence),
            _ => None,
        }));
    }

    /// Notes what conditions look at when the login has ended.
    fn look_at_the_end(&mut self, ended: &Ended, conditions: &[ConditionId]) {
        let mut facts = StepFacts::at_the_end(self.policy, self.event, &ended.session, ended.end);
        for condition in conditions {
            facts.holds(*condition);
        }
        self.note(&facts.read, &facts.looked);
    }

    /// Plays from the beginning of a step, with every way in which time may have passed.
    fn play_from(&mut self, id: StepId, session: &Session) -> bool {
        let policy = self.policy;
        let Some(step) = policy.steps.get(id) else { return self.ends(End::Completed, session) };
        later(session, self.windows).into_iter().any(|session| self.step(id, step, session))
    }

    fn step(&mut self, id: StepId, step: &'a Step, session: Session) -> bool {
        if self.seen.len() >= self.limit || !self.seen.insert((id, session.clone())) {
            return false;
        }
        let run = session.run(self.policy, step, self.event);
        let passed = session.passed.clone();
        let denied = match run.end {
            StepEnd::Denied(span) => Some(span),
            StepEnd::Prompts | StepEnd::LimitExceeded => None,
        };
        self.played.push(PlayedStep { step: id, passed, commands: Vec::new(), denied });
        let after = Session { commands: session.commands + run.commands.len(), ..session.clone() };
        let found = self.decides(&run, &session)
            || match run.end {
                StepEnd::Prompts => self.prompts(id, &run, 0, &after),
                StepEnd::Denied(_) => self.ends(End::Denied, &after),
                StepEnd::LimitExceeded => false,
            };
        if found {
            self.note(&run.read, &run.looked);
            self.log_the_rest(id, &run);
        } else {
            self.played.pop();
        }
        found
    }

    /// Whether the goal is met by what a step decides, whatever the user answers.
    fn decides(&self, run: &StepRun<'a>, session: &Session) -> bool {
        match (self.goal, run.end) {
            (Goal::FifthCommand, StepEnd::LimitExceeded) => true,
            (Goal::CommandsBefore(wanted), StepEnd::Denied(span)) => {
                span == wanted && !run.commands.is_empty()
            }
            (Goal::Meets(aim), _) => run.met.iter().any(|met| match met {
                Met::Statement(span) => aim == Aim::Statement(*span),
                Met::Condition(id, answer) => {
                    aim == Aim::Condition(self.policy.conditions[*id].span, *answer)
                }
            }),
            (Goal::Stale(span), _) => self.asks_what_is_stale(run, session, span),
            _ => false,
        }
    }

    fn asks_what_is_stale(&self, run: &StepRun<'a>, session: &Session, wanted: Span) -> bool {
        let enrolled = self.event.enrolled | session.enrolled;
        let mut executed = 0;
        run.met.iter().any(|met| match met {
            Met::Statement(span) => {
                let is_command = run.commands.get(executed).is_some_and(|next| next.command.span == *span);
                executed += usize::from(is_command);
                false
            }
            Met::Condition(id, _) if self.policy.conditions[*id].span == wanted => {
                let Ok(reads) = Reads::of(self.policy, [], &[*id], usize::MAX) else { return false };
                let performed = reads.login.performed_factors();
                run.commands.iter().take(executed).any(|ExecutedCommand { command, offered }| {
                    let passed =
                        |factor: &FactorId| session.passed.iter().any(|passed| passed.factor == *factor);
                    let (changed, usable) = match command.kind {
                        CommandKind::Enroll => (reads.login.enrolled | performed, !enrolled),
                        CommandKind::Challenge if offered.iter().any(passed) => (0, 0),
                        CommandKind::Challenge => (performed, enrolled),
                    };
                    let changed = changed & usable & self.policy.enabled;
                    offered.iter().any(|factor| changed & bit(*factor) != 0)
                })
            }
            Met::Condition(..) => false,
        })
    }

    /// The login has ended: whether that is what is looked for.
    fn ends(&mut self, end: End, session: &Session) -> bool {
        let found = match self.goal {
            Goal::GetsThrough => (end != End::Failed).then(|| session.clone()),
            Goal::Breaks(condition, counted) if counted.counts(end) => {
                let mut at_the_end = later(session, self.windows).into_iter();
                at_the_end.find(|session| {
                    !StepFacts::at_the_end(self.policy, self.event, session, end).holds(condition)
                })
            }
            _ => None,
        };
        self.ended = found.map(|session| Ended { end, session });
        self.ended.is_some()
    }

    /// Answers the prompts from one on, then goes to the next step.
    fn prompts(&mut self, id: StepId, run: &StepRun<'a>, at: usize, session: &Session) -> bool {
        let Some(ExecutedCommand { command, offered }) = run.commands.get(at) else {
            return self.play_from(StepId::new(id.index() + 1), session);
        };
        let due = session.prompt(self.policy, command, offered, self.event);
        let (fate, outcome) = fate_of(&due);
        if self.goal == Goal::Fate(command.span, fate) {
            self.log(id, vec![played(command, outcome)]);
            return true;
        }
        let outcomes = match due {
            Prompt::LoginFails(_) => {
                self.log(id, vec![played(command, outcome)]);
                let found = self.ends(End::Failed, session);
                if !found {
                    self.unlog(id);
                }
                return found;
            }
            Prompt::Answered(_) | Prompt::NothingLeft => vec![(outcome, session.clone())],
            Prompt::Choice(_) if session.prompts >= self.max_prompts => Vec::new(),
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

    /// The commands of a step that were not shown.
    fn log_the_rest(&mut self, id: StepId, run: &StepRun<'a>) {
        let logged = self.played.iter().rfind(|step| step.step == id).map_or(0, |step| step.commands.len());
        let rest = run.commands.iter().skip(logged);
        self.log(id, rest.map(|executed| played(executed.command, Outcome::NotShown)).collect());
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

fn fate_of(due: &Prompt) -> (Fate, Outcome) {
    match due {
        Prompt::Choice(offered) => (Fate::Asks, Outcome::Asks(offered.clone())),
        Prompt::Answered(_) => (Fate::Answered, Outcome::Answered),
        Prompt::NothingLeft => (Fate::NothingLeft, Outcome::NothingLeft),
        Prompt::LoginFails(refusal @ Refusal::NothingUsable) => {
            (Fate::NothingUsable, Outcome::Fails(*refusal))
        }
        Prompt::LoginFails(refusal @ Refusal::EnrollWithoutChallenge) => {
            (Fate::Unchallenged, Outcome::Fails(*refusal))
        }
    }
}

fn played(command: &Command, outcome: Outcome) -> PlayedCommand {
    PlayedCommand { span: command.span, kind: command.kind, outcome }
}

impl Login {
    /// The facts that it began with, as far as it looked at them.
    pub fn facts(&self, policy: &TypedPolicy) -> Vec<String> {
        let words = Words { policy };
        let asked = self.asked.iter().map(|presence| words.presence(*presence, &self.event));
        asked.chain(self.read.iter().map(|variable| words.fact(*variable, &self.event))).collect()
    }

    /// All executed commands in order, each with its step.
    pub fn commands(&self) -> impl Iterator<Item = (StepId, &PlayedCommand)> {
        self.steps.iter().flat_map(|step| step.commands.iter().map(|command| (step.step, command)))
    }
}
