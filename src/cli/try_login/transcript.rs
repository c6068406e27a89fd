//! What a login came to, written down: for people, and as JSON.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use stepup::check::policy::{FactorId, StepId};
use stepup::diagnostic::render::one_line;
use stepup::play::{Outcome, Seen, View, excerpt, place};
use stepup::source::{Sources, Span};
use stepup::trace::{Event, Looked, Session, StepEnd, StepRun, Words};
use stepup::{Compiled, Failure, LogEntry};

/// A login from its beginning.
pub(super) struct Transcript<'p> {
    compiled: &'p Compiled,
    /// What was looked at, as it was when it first was.
    facts: Vec<Seen>,
    steps: Vec<PlayedStep<'p>>,
    outcome: Option<Outcome<'p>>,
}

struct PlayedStep<'p> {
    name: &'p str,
    commands: Vec<PlayedCommand<'p>>,
    denial: Option<Span>,
}

struct PlayedCommand<'p> {
    span: Span,
    /// With what it offered, as the language writes it.
    told: String,
    came: Came,
    log: Option<LogEntry<'p>>,
}

/// What came of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// The login ended before it was due.
    NeverDue,
    /// A factor passed before answered it.
    Answered(FactorId),
    /// It failed, and the login went on.
    EverythingEnrolled,
    /// The login failed at it.
    FailsTheLogin,
    /// The user passed a challenge.
    Passed(FactorId),
    /// The user enrolled.
    Enrolled(FactorId),
    /// The user did not pass.
    NotPassed,
    /// The user went away.
    Abandoned,
}

impl Came {
    fn name(self) -> &'static str {
        match self {
            Came::NeverDue => "never-due",
            Came::Answered(_) => "answered",
            Came::EverythingEnrolled => "everything-enrolled",
            Came::FailsTheLogin => "fails-the-login",
            Came::Passed(_) => "passed",
            Came::Enrolled(_) => "enrolled",
            Came::NotPassed => "not-passed",
            Came::Abandoned => "abandoned",
        }
    }

    fn factor(self) -> Option<FactorId> {
        match self {
            Came::Answered(factor) | Came::Passed(factor) | Came::Enrolled(factor) => Some(factor),
            _ => None,
        }
    }
}

impl<'p> Transcript<'p> {
    pub(super) fn new(compiled: &'p Compiled) -> Self {
        Transcript { compiled, facts: Vec::new(), steps: Vec::new(), outcome: None }
    }

    /// A step has decided; none of its commands is due yet.
    pub(super) fn decided(&mut self, step: StepId, run: &StepRun<'p>, event: &Event, session: &Session) {
        let policy = &self.compiled.typed;
        let view = View { policy, event, session };
        // What is enrolled decides about prompts too.
        let looked = std::iter::once(Looked::Enrolled).chain(run.looked.iter());
        for seen in looked.map(|looked| view.seen(looked)) {
            if self.facts.iter().all(|known| known.name != seen.name) {
                self.facts.push(seen);
            }
        }
        let words = Words { policy };
        let commands = run.commands.iter().map(|executed| PlayedCommand {
            span: executed.command.span,
            told: words.command(executed.command, &executed.offered),
            came: Came::NeverDue,
            log: None,
        });
        let denial = match run.end {
            StepEnd::Denied(span) => Some(span),
            StepEnd::Prompts | StepEnd::LimitExceeded => None,
        };
        let name = policy.steps.get(step).map_or("", |step| step.name.as_str());
        self.steps.push(PlayedStep { name, commands: commands.collect(), denial });
    }

    /// The command that is due next, or failed the login.
    pub(super) fn due(&mut self) -> Option<Span> {
        self.next().map(|command| command.span)
    }

    /// What came of the command that is due.
    pub(super) fn came(&mut self, came: Came, log: Option<LogEntry<'p>>) {
        if let Some(command) = self.next() {
            command.came = came;
            command.log = log;
        }
    }

    pub(super) fn ended(&mut self, outcome: Outcome<'p>) {
        self.outcome = Some(outcome);
    }

    fn next(&mut self) -> Option<&mut PlayedCommand<'p>> {
        let step = self.steps.last_mut()?;
        step.commands.iter_mut().find(|command| command.came == Came::NeverDue)
    }

    /// What came of a command, in words.
    pub(super) fn told(&self, came: &Came) -> String {
        let name = |factor: FactorId| &self.compiled.typed.catalog.factors[factor].name;
        match *came {
            Came::NeverDue => "never shown: the login ended before".to_owned(),
            Came::Answered(factor) => format!("answered by {}, passed before", name(factor)),
            Came::EverythingEnrolled => "everything is enrolled that it offers; the login goes on".to_owned(),
            Came::FailsTheLogin => "no prompt: the login fails".to_owned(),
            Came::Passed(factor) => format!("the user passes with {}", name(factor)),
            Came::Enrolled(factor) => format!("the user enrolls {}", name(factor)),
            Came::NotPassed => "the user does not pass".to_owned(),
            Came::Abandoned => "the user goes away".to_owned(),
        }
    }

    fn sources(&self) -> &Sources {
        self.compiled.report.sources()
    }
}

/// For people. The commands are numbered over the whole login, since it may have four.
impl fmt::Display for Transcript<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "transcript")?;
        let facts: Vec<String> = self.facts.iter().map(|seen| one_line(&seen.words)).collect();
        if !facts.is_empty() {
            writeln!(f, "  facts: {}", facts.join(", "))?;
        }
        let all = || self.steps.iter().flat_map(|step| &step.commands);
        let places = all().map(|command| place(self.sources(), command.span).chars().count());
        let (places, texts) = (places.max().unwrap_or(0), all().map(|command| command.told.len()));
        let texts = texts.max().unwrap_or(0);
        let mut number = 0;
        for (position, step) in self.steps.iter().enumerate() {
            let nothing = step.commands.is_empty() && step.denial.is_none();
            let asks = if nothing { " asks for nothing" } else { "" };
            writeln!(f, "  step {}, `{}`{asks}", position + 1, step.name)?;
            for command in &step.commands {
                number += 1;
                let (at, told) = (one_line(&place(self.sources(), command.span)), &command.told);
                writeln!(f, "    {number}. {at:places$}  {told:texts$}  {}", self.told(&command.came))?;
                if let Some(entry) = &command.log {
                    writeln!(f, "       log {}: {entry}", entry.code())?;
                }
            }
            if let Some(span) = step.denial {
                let at = one_line(&place(self.sources(), span));
                writeln!(f, "       {at:places$}  {}", excerpt(self.sources(), span))?;
            }
        }
        self.outcome.as_ref().map_or(Ok(()), |outcome| writeln!(f, "  {}", super::told(outcome)))
    }
}

/// For programs: `{"facts": {…}, "steps": [{"step", "commands": [{"at", "command", "came", "factor"?, "log"?}],
/// "denial"?}], "end", "reason"?}`.
impl Serialize for Transcript<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let steps: Vec<WrittenStep<'_>> = self.steps.iter().map(|step| WrittenStep(self, step)).collect();
        let (end, reason) = match &self.outcome {
            Some(Outcome::Completed) | None => ("completed", None),
            Some(Outcome::Denied(reason)) => ("denied", Some((*reason).to_owned())),
            Some(Outcome::Failed(Failure::Logged(entry))) => ("failed", Some(entry.code().to_owned())),
            Some(Outcome::Failed(failure)) => ("failed", Some(failure.to_string())),
        };
        let facts: serde_json::Map<String, serde_json::Value> =
            self.facts.iter().map(|seen| (seen.name.clone(), seen.value.clone())).collect();
        let mut written = serializer.serialize_struct("Transcript", 4)?;
        written.serialize_field("facts", &facts)?;
        written.serialize_field("steps", &steps)?;
        written.serialize_field("end", end)?;
        written.serialize_field("reason", &reason)?;
        written.end()
    }
}

struct WrittenStep<'a>(&'a Transcript<'a>, &'a PlayedStep<'a>);

impl Serialize for WrittenStep<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WrittenStep(transcript, step) = self;
        let commands: Vec<WrittenCommand<'_>> =
            step.commands.iter().map(|command| WrittenCommand(transcript, command)).collect();
        let mut written = serializer.serialize_map(None)?;
        written.serialize_entry("step", step.name)?;
        written.serialize_entry("commands", &commands)?;
        if let Some(span) = step.denial {
            written.serialize_entry("denial", &place(transcript.sources(), span))?;
        }
        written.end()
    }
}

struct WrittenCommand<'a>(&'a Transcript<'a>, &'a PlayedCommand<'a>);

impl Serialize for WrittenCommand<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WrittenCommand(transcript, command) = self;
        let mut written = serializer.serialize_map(None)?;
        written.serialize_entry("at", &place(transcript.sources(), command.span))?;
        written.serialize_entry("command", &command.told)?;
        written.serialize_entry("came", command.came.name())?;
        if let Some(factor) = command.came.factor() {
            written.serialize_entry("factor", &transcript.compiled.typed.catalog.factors[factor].name)?;
        }
        if let Some(entry) = &command.log {
            written.serialize_entry("log", entry)?;
        }
        written.end()
    }
}
