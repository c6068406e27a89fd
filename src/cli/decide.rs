//! `stepup decide`: what a login is asked for.

use std::io::{self, BufRead, Read};

use clap::{Args, ValueEnum};
use serde::Serialize;
use stepup::diagnostic::render::one_line;
use stepup::jiff::Timestamp;
use stepup::play::{self, Change, Explanation};
use stepup::trace::Session;
use stepup::{CommandKind, Compiled, Decision, Engine, Facts, Policy, Step, Style};

use super::Exit;
use super::files::MAX_EVENT_BYTES;
use super::flow::Flow;
use super::output::{Color, print};

/// Decide what a step asks of a login
#[derive(Args)]
pub(super) struct Decide {
    #[command(flatten)]
    flow: Flow,
    /// The login event as JSON; `-` is standard input. Several events, one a line, give one line each
    #[arg(long, value_name = "FILE")]
    event: String,
    /// The step; by default the first
    #[arg(long, value_name = "NAME")]
    step: Option<String>,
    /// When it is decided, as in 2026-01-31T08:00:00Z; by default now
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
    /// Say why: the statements that ran, the conditions with the facts that made them true or false, and for each
    /// command not asked for the first thing that stood in its way. A later step is explained as if the login had
    /// done nothing before it
    #[arg(long)]
    explain: bool,
    /// Say which smallest changes of facts would change the decision
    #[arg(long)]
    what_if: bool,
    /// What executes the policy
    #[arg(long, value_enum, default_value_t = EngineName::Jit)]
    engine: EngineName,
    /// Who reads the decision
    #[arg(long, value_enum, default_value_t = DecisionFormat::Human)]
    format: DecisionFormat,
    #[command(flatten)]
    color: Color,
}

#[derive(ValueEnum, Clone, Copy)]
enum EngineName {
    /// Machine code, where the host allows it
    Jit,
    /// The interpreter, which gives the same answers
    Interpreter,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum DecisionFormat {
    /// People
    Human,
    /// Programs: Auth0's names, one JSON object a line
    Json,
}

impl Decide {
    pub(super) fn run(self) -> Exit {
        let engine = match self.engine {
            EngineName::Jit => Engine::Native,
            EngineName::Interpreter => Engine::Interpreter,
        };
        let compiled = match self.flow.compile(engine, self.color) {
            Ok(compiled) => compiled,
            Err(exit) => return exit,
        };
        let Some(step) = self.chosen_step(&compiled.policy) else { return Exit::Usage };
        let reader: Box<dyn Read> = match self.event.as_str() {
            "-" => Box::new(io::stdin().lock()),
            name => match std::fs::File::open(name) {
                Ok(file) => Box::new(file),
                Err(error) => {
                    eprintln!("error: `{name}` can't be read: {error}");
                    return Exit::Usage;
                }
            },
        };
        self.decide_all(&compiled, step, reader)
    }

    fn chosen_step<'p>(&self, policy: &'p Policy) -> Option<Step<'p>> {
        let Some(name) = &self.step else { return policy.steps().next() };
        let step = policy.step(name);
        if step.is_none() {
            let names: Vec<String> = policy.steps().map(|step| format!("`{}`", step.name())).collect();
            eprintln!("error: there is no step `{name}`; the steps are {}", names.join(", "));
        }
        step
    }

    /// Decides each event. One that can't be read is told, and the others are decided all the same.
    fn decide_all(&self, compiled: &Compiled, step: Step<'_>, reader: Box<dyn Read>) -> Exit {
        let mut facts = compiled.policy.facts();
        let mut exit = Exit::Fine;
        let mut count = 0_usize;
        for event in Events::new(reader) {
            count += 1;
            let decided = event
                .map_err(Problem::of)
                .and_then(|event| self.decide_one(compiled, &mut facts, step, &event));
            if let Err(Problem { text, exit: wanted }) = decided {
                eprintln!("error: `{}`, event {count}: {text}", self.event);
                exit = if exit == Exit::Internal { exit } else { wanted };
            }
        }
        if count == 0 {
            eprintln!("error: `{}` holds no event", self.event);
            return Exit::Usage;
        }
        exit
    }

    fn decide_one(
        &self,
        compiled: &Compiled,
        facts: &mut Facts,
        step: Step<'_>,
        event: &[u8],
    ) -> Result<(), Problem> {
        let now = self.now.unwrap_or_else(Timestamp::now);
        facts.read_json(event).map_err(Problem::of)?;
        facts.set_now(now);
        let decision = step.decide(facts).map_err(Problem::of)?;
        if !self.explain && !self.what_if {
            return self.write(&decision, None, None);
        }
        let typed = &compiled.typed;
        let world = play::read_event(typed, &compiled.policy, event, now).map_err(Problem::of)?;
        let found = typed.steps.iter().find(|(_, row)| row.name == step.name());
        let (step, _) = found.ok_or_else(|| Problem::defect("the step has no text"))?;
        let session = Session::default();
        let why = play::explain(typed, compiled.report.sources(), step, &world.event, &session);
        if !why.agrees_with(&decision) {
            return Err(Problem::defect("the decision is not what the policy's text says"));
        }
        let changes = self.what_if.then(|| play::nearest(typed, step, &world));
        self.write(&decision, self.explain.then_some(&why), changes.as_deref())
    }

    fn write(
        &self,
        decision: &Decision<'_>,
        explain: Option<&Explanation<'_>>,
        what_if: Option<&[Change]>,
    ) -> Result<(), Problem> {
        let text = match self.format {
            DecisionFormat::Human => {
                let why = explain.map(|why| format!("\n{why}")).unwrap_or_default();
                let changes = what_if.map(changes_told).unwrap_or_default();
                format!("{}{why}{changes}", human(decision))
            }
            DecisionFormat::Json => {
                serde_json::to_string(&Explained { decision, explain, what_if }).map_err(Problem::of)?
            }
        };
        print(&text);
        Ok(())
    }
}

/// A decision, and why, as one JSON object.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    decision: &'a Decision<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a Explanation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "whatIf")]
    what_if: Option<&'a [Change]>,
}

/// What would change a decision, a line each.
fn changes_told(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "\nno change of one or two facts that was tried would change this".to_owned();
    }
    let lines = changes.iter().map(|change| {
        format!("\n{}", one_line(&format!("  {}: {}", change.facts.join(" and "), change.then)))
    });
    format!("\nit would be otherwise with{}", lines.collect::<String>())
}

/// Why an event is not decided.
struct Problem {
    text: String,
    exit: Exit,
}

impl Problem {
    /// The event is at fault.
    fn of(error: impl ToString) -> Self {
        Problem { text: error.to_string(), exit: Exit::Usage }
    }

    /// stepup is at fault.
    fn defect(text: &str) -> Self {
        Problem { text: format!("{text}; this is a defect of stepup"), exit: Exit::Internal }
    }
}

/// A decision in words.
fn human(decision: &Decision<'_>) -> String {
    let step = decision.step();
    if let Some(reason) = decision.denied() {
        return format!("step `{step}` denies the login: {reason}");
    }
    let lines: Vec<String> = decision
        .commands()
        .enumerate()
        .map(|(number, command)| {
            let verb = match command.kind {
                CommandKind::Enroll => "enroll",
                CommandKind::Challenge => "challenge",
            };
            let factors: Vec<String> = command.factors.iter().map(factor_text).collect();
            let offer = match (command.style, factors.split_first()) {
                (_, None) => "no factor, so the command fails".to_owned(),
                (Style::Any, Some(_)) => format!("any of {}", factors.join(", ")),
                (Style::Preferred, Some((first, []))) => first.clone(),
                (Style::Preferred, Some((first, others))) => {
                    format!("{first}, or instead {}", others.join(", "))
                }
            };
            format!("  {}. {verb} {offer}", number + 1)
        })
        .collect();
    if lines.is_empty() {
        format!("step `{step}` asks for nothing")
    } else {
        format!("step `{step}` asks for\n{}", lines.join("\n"))
    }
}

pub(super) fn factor_text(factor: &stepup::FactorChoice<'_>) -> String {
    let options: Vec<String> = factor.options.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    if options.is_empty() {
        factor.name.to_owned()
    } else {
        format!("{} ({})", factor.name, options.join(", "))
    }
}

/// The events of a stream: one JSON document, or one a line when the first line is one by itself.
struct Events {
    reader: io::BufReader<Box<dyn Read>>,
    state: State,
}

enum State {
    Start,
    Lines,
    Done,
}

impl Events {
    fn new(reader: Box<dyn Read>) -> Self {
        Events { reader: io::BufReader::new(reader), state: State::Start }
    }

    /// The next line that is not blank, or what is left of a stream without line ends.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.reader).take(MAX_EVENT_BYTES + 1).read_until(b'\n', &mut line)?;
            if read == 0 || !line.trim_ascii().is_empty() {
                return Ok(line);
            }
        }
    }

    fn first(&mut self) -> io::Result<Vec<u8>> {
        let mut event = self.line()?;
        let whole_line = serde_json::from_slice::<serde::de::IgnoredAny>(&event).is_ok();
        if whole_line {
            self.state = State::Lines;
            return Ok(event);
        }
        self.state = State::Done;
        (&mut self.reader).take(MAX_EVENT_BYTES + 1).read_to_end(&mut event)?;
        Ok(event)
    }
}

impl Iterator for Events {
    type Item = Result<Vec<u8>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = match self.state {
            State::Start => self.first(),
            State::Lines => self.line(),
            State::Done => return None,
        };
        match event {
            Ok(event) if event.is_empty() => {
                self.state = State::Done;
                None
            }
            Ok(event) if event.len() as u64 > MAX_EVENT_BYTES => {
                self.state = State::Done;
                Some(Err(format!("it is longer than {MAX_EVENT_BYTES} bytes")))
            }
            Ok(event) => Some(Ok(event)),
            Err(error) => {
                self.state = State::Done;
                Some(Err(error.to_string()))
            }
        }
    }
}
