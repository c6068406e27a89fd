//! Writing tests: logins that together meet every statement and every outcome of a condition, with what the policy does
//! in them, for a person to read.
//!
//! The exploration names a login for each thing that any login can meet; each is played to its end, and as few of them
//! as a greedy choice finds are kept. What they expect is what the policy does, so they say nothing about whether that
//! is right: a reader does.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::Ipv4Addr;

use super::cover::{Bits, Candidate, few_that_cover};
use crate::check::masks::factors;
use crate::check::policy::{Absence, CommandKind, PresenceId, Type, TypedPolicy, Variable, VariableId};
use crate::compile::Compiled;
use crate::flow::{Aim, Budget, Login, Outcome as Came, Scope, analyze};
use crate::play::{Clock, Happening, Outcome, PlayError, Player, Skip, World};
use crate::runtime::{LogEntry, Prompt, Screen};
use crate::source::FileId;
use crate::trace::{Event, FactValue, Looked, Met, StepEnd, StepRun, Words, instant, quoted};

/// Tests that cover a flow.
#[derive(Clone, PartialEq, Debug)]
pub struct GeneratedTests {
    /// The `test` items, as policy text.
    pub text: String,
    /// How many there are.
    pub count: usize,
    /// What some login meets and no test that can be written does: a stamp between two seconds, a time that passes
    /// between two steps.
    pub missed: Vec<Aim>,
}

/// Writes tests for a flow, or says which budget was too small to find its logins.
///
/// ```
/// let compiled = stepup::Compiler::new().compile([("phone.stepup", "if enrolled(phone) then challenge phone")])?;
/// let tests = stepup::testing::generate_tests(&compiled, &stepup::Budget::default()).unwrap();
/// assert_eq!(tests.count, 2);
/// assert!(tests.text.contains("expect challenge phone\n"));
/// # Ok::<(), stepup::Report>(())
/// ```
pub fn generate_tests(
    compiled: &Compiled,
    budget: &Budget,
) -> Result<GeneratedTests, crate::flow::BudgetExceeded> {
    let typed = &compiled.typed;
    let analysis = analyze(typed, Scope::Coverage, budget);
    if let Some(exceeded) = analysis.unanswered {
        return Err(exceeded);
    }
    let witnesses = analysis.witnesses.iter();
    let aims: BTreeSet<Aim> =
        witnesses.map(|(aim, _)| *aim).filter(|aim| compiled.is_own(file_of(aim))).collect();
    let aims: Vec<Aim> = aims.into_iter().collect();
    let mut candidates: Vec<Candidate> = Vec::new();
    for (_, login) in &analysis.witnesses {
        if let Some(written) = write(compiled, login).ok().flatten() {
            let places = written.met.iter().filter_map(|aim| aims.binary_search(aim).ok());
            let met = Bits::of(places, aims.len());
            candidates.push(Candidate { name: written.name, clauses: written.clauses, met });
        }
    }
    let kept = few_that_cover(&candidates, aims.len());
    let covered = |place: usize| kept.iter().any(|test| test.met.has(place));
    let missed = aims.iter().enumerate().filter(|(place, _)| !covered(*place)).map(|(_, aim)| *aim);
    Ok(GeneratedTests { text: text_of(&kept), count: kept.len(), missed: missed.collect() })
}

fn file_of(aim: &Aim) -> FileId {
    match aim {
        Aim::Statement(span) | Aim::Condition(span, _) => span.file,
    }
}

/// A login as a test, with all that it meets.
struct Written {
    name: String,
    clauses: String,
    met: BTreeSet<Aim>,
}

fn text_of(tests: &[&Candidate]) -> String {
    let mut text = String::new();
    for (place, test) in tests.iter().enumerate() {
        let same = tests.iter().take(place).filter(|other| other.name == test.name).count();
        let name = if same == 0 { test.name.clone() } else { format!("{} ({})", test.name, same + 1) };
        let _ = write!(text, "test {} {{\n{}}}\n\n", quoted(&name), test.clauses);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Writes a login down; nothing where the language has no words for it.
fn write(compiled: &Compiled, login: &Login) -> Result<Option<Written>, PlayError> {
    let typed = &compiled.typed;
    // No test can let time pass between two steps as the model does.
    if login.steps.iter().any(|step| step.passed.iter().any(|passed| passed.age > 0)) {
        return Ok(None);
    }
    let world = World { event: login.event.clone(), clock: Clock::Given };
    let mut writer = Writer {
        typed,
        player: Player::new(typed, &compiled.policy, world),
        clauses: String::new(),
        met: BTreeSet::new(),
        read: login.read.iter().copied().collect(),
        asked: BTreeSet::new(),
        read_now: false,
        choices: choices(login),
        chosen: Vec::new(),
    };
    writer.play()?;
    let Some(given) = writer.given(&login.event) else { return Ok(None) };
    let name = writer.name(&login.event);
    let given = match given.as_slice() {
        [] => String::new(),
        given => format!("  given {}\n", given.join(", ")),
    };
    Ok(Some(Written { name, clauses: format!("{given}{}", writer.clauses), met: writer.met }))
}

/// What the user chooses, prompt by prompt, as far as the login was followed.
fn choices(login: &Login) -> Vec<crate::check::policy::FactorId> {
    let passed = login.commands().filter_map(|(_, command)| match command.outcome {
        Came::Passed { chosen, .. } => Some(chosen),
        _ => None,
    });
    passed.collect()
}

struct Writer<'p> {
    typed: &'p TypedPolicy,
    player: Player<'p>,
    clauses: String,
    met: BTreeSet<Aim>,
    read: BTreeSet<VariableId>,
    /// What it asks the presence of.
    asked: BTreeSet<PresenceId>,
    read_now: bool,
    choices: Vec<crate::check::policy::FactorId>,
    chosen: Vec<String>,
}

impl<'p> Writer<'p> {
    fn play(&mut self) -> Result<(), PlayError> {
        let mut prompts = 0;
        loop {
            match self.player.advance()? {
                Happening::Decided { run, .. } => self.decided(&run),
                Happening::Skipped { why: Skip::Answered(_) | Skip::EverythingEnrolled, .. } => {}
                Happening::Prompt { prompt, .. } => {
                    self.log(prompt.log);
                    let offered = self.player.offered().to_vec();
                    let wanted = self.choices.get(prompts).filter(|factor| offered.contains(factor));
                    let Some(factor) = wanted.or(offered.first()).copied() else { return Ok(()) };
                    prompts += 1;
                    self.prompt(&prompt);
                    self.chosen.push(self.typed.catalog.factors[factor].name.clone());
                    self.player.choose(factor)?;
                }
                Happening::Ended { outcome, .. } => {
                    self.choose();
                    self.end(&outcome);
                    return Ok(());
                }
            }
        }
    }

    fn line(&mut self, clause: &str) {
        let _ = writeln!(self.clauses, "  {clause}");
    }

    fn decided(&mut self, run: &StepRun<'_>) {
        self.choose();
        self.read.extend(run.read.iter().copied());
        self.asked.extend(run.looked.iter().filter_map(|looked| match looked {
            Looked::Presence(presence) => Some(presence),
            _ => None,
        }));
        self.read_now |= run.read_now;
        for met in &run.met {
            self.met.insert(match met {
                Met::Statement(span) => Aim::Statement(*span),
                Met::Condition(id, answer) => Aim::Condition(self.typed.conditions[*id].span, *answer),
            });
        }
        let words = Words { policy: self.typed };
        let told: Vec<String> =
            run.commands.iter().map(|executed| words.command(executed.command, &executed.offered)).collect();
        match run.end {
            // How it ends says it all.
            StepEnd::Denied(_) | StepEnd::LimitExceeded => {}
            // An empty offer can't be written down.
            StepEnd::Prompts if run.commands.iter().any(|executed| executed.offered.is_empty()) => {}
            StepEnd::Prompts if told.is_empty() => self.line("expect nothing"),
            StepEnd::Prompts => self.line(&format!("expect {}", told.join(", "))),
        }
    }

    /// What the user is shown is worth a line where it isn't what the command says.
    fn prompt(&mut self, prompt: &Prompt<'_>) {
        if prompt.screen == Screen::DefaultFirst || prompt.log.is_some() {
            self.choose();
            let names: Vec<&str> = prompt.factors.iter().map(|choice| choice.name).collect();
            let verb = match prompt.kind {
                CommandKind::Enroll => "enroll",
                CommandKind::Challenge => "challenge",
            };
            let list = match prompt.screen {
                Screen::Only | Screen::DefaultFirst => names.join(" or "),
                Screen::Picker => format!("any of [{}]", names.join(", ")),
            };
            self.line(&format!("expect prompt {verb} {list}"));
        }
    }

    fn log(&mut self, entry: Option<LogEntry<'_>>) {
        if let Some(LogEntry::NotSetUp { factor, .. }) = entry {
            self.choose();
            self.line(&format!("expect log w for {factor}"));
        }
    }

    /// Writes the choices made since the last line.
    fn choose(&mut self) {
        if !self.chosen.is_empty() {
            let chosen = std::mem::take(&mut self.chosen).join(", ");
            self.line(&format!("choose {chosen}"));
        }
    }

    fn end(&mut self, outcome: &Outcome<'_>) {
        match outcome {
            Outcome::Completed => self.line("expect completes"),
            Outcome::Denied(reason) => self.line(&format!("expect denied {}", quoted(reason))),
            Outcome::Failed(failure) => {
                if failure.log().is_some() {
                    self.line("expect log mfar");
                }
                self.line("expect fails");
            }
        }
    }

    /// What the login brings, as a test writes it; `None` where it can't.
    fn given(&self, event: &Event) -> Option<Vec<String>> {
        let mut given = Vec::new();
        let mut untouched = World::new(self.typed).event;
        untouched.now = event.now;
        for variable in &self.read {
            let row = &self.typed.variables[*variable];
            match event.variables.get(variable) {
                value if value == untouched.variables.get(variable) => {}
                Some(value) => given.push(format!("{} = {}", row.name, written(self.typed, row, value)?)),
                None if matches!(row.absence, Absence::Refused) => return None,
                None => {}
            }
        }
        given.extend(self.given_to_be_there(event)?);
        if event.enrolled != 0 {
            let names = factors(&self.typed.catalog, event.enrolled);
            if event.enrolled >> 63 != 0 {
                return None;
            }
            let names = names.map(|factor| self.typed.catalog.factors[factor].name.as_str());
            given.push(format!("enrolled = [{}]", names.collect::<Vec<_>>().join(", ")));
        }
        if !event.performed.is_empty() {
            let stamps = event.performed.iter().map(|(factor, stamp)| {
                let age = event.now - stamp;
                let name = &self.typed.catalog.factors[*factor].name;
                (age >= 0 && age % 1000 == 0).then(|| format!("{name} {}s ago", age / 1000))
            });
            given.push(format!("performed = [{}]", stamps.collect::<Option<Vec<_>>>()?.join(", ")));
        }
        if self.read_now {
            given.push(format!("now = {}", instant(event.now)));
        }
        Some(given)
    }

    /// Some value for what is only asked to be there: `is present` reads none.
    fn given_to_be_there(&self, event: &Event) -> Option<Vec<String>> {
        let is_there = |presence: &PresenceId| event.presences.get(presence) == Some(&true);
        let with_parents = |presence: PresenceId| {
            std::iter::successors(Some(presence), |at| self.typed.presences[*at].parent)
        };
        let given = self.read.iter().filter(|variable| event.variables.contains_key(variable));
        let tracked = given.filter_map(|variable| match self.typed.variables[*variable].absence {
            Absence::Tracked(presence) => Some(presence),
            Absence::Refused | Absence::Default(_) => None,
        });
        let mut told: BTreeSet<PresenceId> = tracked.flat_map(with_parents).collect();
        let mut given = Vec::new();
        // A value says of all above it that they are there, so the lowest come first.
        for presence in self.asked.iter().rev().filter(|presence| is_there(presence)) {
            if told.contains(presence) {
                continue;
            }
            let mut under = self.typed.variables.values();
            let row = under.find(|row| row.absence == Absence::Tracked(*presence))?;
            given.push(format!("{} = {}", row.name, some_value(self.typed, row)?));
            told.extend(with_parents(*presence));
        }
        Some(given)
    }

    /// What is particular about the login.
    fn name(&self, event: &Event) -> String {
        let words = Words { policy: self.typed };
        let mut parts: Vec<String> = self
            .read
            .iter()
            .filter(|variable| event.variables.contains_key(variable))
            .map(|variable| words.fact(*variable, event))
            .collect();
        parts.truncate(3);
        parts.push(match words.names(event.enrolled) {
            names if names.is_empty() => "nothing enrolled".to_owned(),
            names => format!("{names} enrolled"),
        });
        parts.join(", ")
    }
}

/// A value as a test gives it; `None` for one that the language can't write.
fn written(typed: &TypedPolicy, variable: &Variable, value: &FactValue) -> Option<String> {
    match (value, &variable.ty) {
        (FactValue::Number(number), Type::Duration) if *number >= 0 && number % 1000 == 0 => {
            Some(format!("{}s", number / 1000))
        }
        (FactValue::Number(_), Type::Duration) | (FactValue::Factor(None), _) => None,
        (FactValue::FactorSet(mask), _) if mask >> 63 != 0 => None,
        _ => Some(Words { policy: typed }.value(variable, value)),
    }
}

/// Any value, as a test gives it.
fn some_value(typed: &TypedPolicy, variable: &Variable) -> Option<String> {
    let value = match &variable.ty {
        Type::Bool => FactValue::Bool(false),
        Type::Int | Type::Time | Type::Duration | Type::OpenEnum(_) | Type::OrderedEnum(_) => {
            FactValue::Number(0)
        }
        Type::Text => FactValue::Text("some".to_owned()),
        Type::Ip => FactValue::Ip(Ipv4Addr::UNSPECIFIED.into()),
        Type::Factor => FactValue::Factor(typed.catalog.factors.keys().next()),
        Type::TextList => FactValue::TextList(Vec::new()),
        Type::FactorSet => FactValue::FactorSet(0),
    };
    written(typed, variable, &value)
}
