//! `stepup try`: a login, played in the terminal.
//!
//! [`facts`] asks for what the login looks at, [`screen`] shows its prompts, [`user`] answers them (a person with a
//! [`menu`], a script, or lines of a pipe), [`transcript`] is what is left in the end. All that is said and asked goes
//! through [`talk`].

mod facts;
mod menu;
mod screen;
mod talk;
mod transcript;
mod user;

use clap::{Args, ValueEnum};
use stepup::check::policy::{Command, StepId};
use stepup::diagnostic::render::one_line;
use stepup::jiff::Timestamp;
use stepup::play::{Happening, Outcome, PlayError, Player, Skip, World, excerpt, place, read_partial_event};
use stepup::source::Span;
use stepup::trace::{StepEnd, StepRun, Words, quoted};
use stepup::{CommandKind, Compiled, Engine, LogEntry, Prompt};

use self::facts::Questions;
use self::talk::Talk;
use self::transcript::{Came, Transcript};
use self::user::{Answer, User};
use super::Exit;
use super::files::read_event_bytes;
use super::flow::Flow;
use super::output::{Color, print};

/// Play a login: answer its prompts as the user would, and see which line of the policy asks
///
/// Facts are asked for when the login first looks at them. Answers are the policy's literals: `true`, `5s`, `10.0.0.7`,
/// `2026-01-31T08:00:00Z`, a text with or without quotes, factors with commas between them. Enter takes what is in
/// brackets. No time passes while a login is played.
///
/// At a prompt, choose with the arrow keys and Enter, or with the number. Without a terminal each line of the input is
/// an answer: to a prompt the factor or its number, `fail` or `abandon`. Where the input ends, facts are as in an empty
/// login, and the user goes away.
#[derive(Args)]
pub(super) struct Try {
    #[command(flatten)]
    flow: Flow,
    /// Take the facts from a login event as JSON (`-` is standard input); only what the policy needs and the event
    /// lacks is asked for
    #[arg(long, value_name = "FILE")]
    event: Option<String>,
    /// What the user does at the prompts, in order, as in "otp, webauthn-roaming": factors, `fail`, `abandon`
    #[arg(long, value_name = "CHOICES")]
    script: Option<String>,
    /// When the login happens, as in 2026-01-31T08:00:00Z; by default now
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
    /// Who reads the transcript; for programs, all else goes to standard error
    #[arg(long, value_enum, default_value_t = TranscriptFormat::Human)]
    format: TranscriptFormat,
    #[command(flatten)]
    color: Color,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum TranscriptFormat {
    /// People
    Human,
    /// Programs: one JSON object
    Json,
}

/// Why a login is not played to its end.
enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// What was given does not fit the login.
    Findings(String),
    /// Something is needed that nobody gives.
    Usage(String),
    /// stepup is at fault.
    Defect(String),
}

impl Stop {
    fn tell(self) -> Exit {
        let (text, exit) = match self {
            Stop::Interrupted => return Exit::Interrupted,
            Stop::Findings(text) => (text, Exit::Findings),
            Stop::Usage(text) => (text, Exit::Usage),
            Stop::Defect(text) => (format!("{text}; this is a defect of stepup"), Exit::Internal),
        };
        eprintln!("error: {text}");
        exit
    }
}

impl Try {
    pub(super) fn run(self) -> Exit {
        match self.flow.compile(Engine::Native, self.color) {
            Ok(compiled) => self.play(&compiled).unwrap_or_else(Stop::tell),
            Err(exit) => exit,
        }
    }

    fn play(&self, compiled: &Compiled) -> Result<Exit, Stop> {
        let user = User::new(self.script.as_deref(), &compiled.typed)?;
        let Some((world, questions)) = self.begin(compiled)? else { return Ok(Exit::Usage) };
        let talk = match self.format {
            TranscriptFormat::Human => Talk::on_output(),
            TranscriptFormat::Json => Talk::on_error(),
        };
        let mut play = Play {
            compiled,
            player: Player::new(&compiled.typed, &compiled.policy, world),
            questions,
            talk,
            user,
            transcript: Transcript::new(compiled),
        };
        play.run()?;
        match self.format {
            TranscriptFormat::Human => play.talk.say(&format!("\n{}", play.transcript)),
            TranscriptFormat::Json => {
                print(&serde_json::to_string(&play.transcript).map_err(|e| Stop::Defect(e.to_string()))?);
            }
        }
        play.user.is_done().map(|()| Exit::Fine)
    }

    /// The world before the login, and what is still to be asked; `None` when the event can't be had.
    fn begin(&self, compiled: &Compiled) -> Result<Option<(World, Questions)>, Stop> {
        let typed = &compiled.typed;
        let now = self.now.unwrap_or_else(Timestamp::now);
        let Some(name) = &self.event else {
            let mut world = World::new(typed);
            world.set_now(now.as_millisecond());
            return Ok(Some((world, Questions::all(typed))));
        };
        let Some(event) = read_event_bytes(name) else { return Ok(None) };
        let world = read_partial_event(typed, &compiled.policy, &event, now)
            .map_err(|error| Stop::Usage(format!("`{name}`: {}", one_line(&error.to_string()))))?;
        let questions = Questions::missing(typed, &world);
        Ok(Some((world, questions)))
    }
}

/// A login that is being played.
struct Play<'p> {
    compiled: &'p Compiled,
    player: Player<'p>,
    questions: Questions,
    talk: Talk,
    user: User,
    transcript: Transcript<'p>,
}

impl<'p> Play<'p> {
    fn run(&mut self) -> Result<(), Stop> {
        self.questions.ask_enrolled(&self.compiled.typed, &mut self.player.world, &mut self.talk)?;
        loop {
            if let Some(step) = self.player.next_step() {
                self.before(step);
                self.questions.ask(&self.compiled.typed, &mut self.player, &mut self.talk)?;
            }
            match self.player.advance().map_err(defect)? {
                Happening::Decided { step, run } => self.decided(step, &run),
                Happening::Skipped { command, why } => self.skipped(command, why),
                Happening::Prompt { command, prompt } => self.prompt(command, &prompt)?,
                Happening::Ended { outcome, .. } => {
                    self.ended(outcome);
                    return Ok(());
                }
            }
        }
    }

    /// Between two steps the flow pauses.
    fn before(&mut self, step: StepId) {
        if step.as_u32() > 0 {
            let words = Words { policy: &self.compiled.typed };
            let enrolled = words.names(self.player.event_now().enrolled);
            self.talk.say("");
            self.talk.say(&format!(
                "the flow pauses; enrolled and performed are read anew: enrolled = [{enrolled}]"
            ));
        }
    }

    fn decided(&mut self, step: StepId, run: &StepRun<'p>) {
        let typed = &self.compiled.typed;
        let name = typed.steps.get(step).map_or("", |step| &step.name);
        self.talk.say(&format!("\nstep `{name}`, {} of {}", step.as_u32() + 1, typed.steps.len()));
        self.transcript.decided(step, run, &self.player.world.event, self.player.session());
        match run.end {
            StepEnd::Denied(span) => self.talk.say(&format!("  {}", self.line(span))),
            StepEnd::Prompts if run.commands.is_empty() => self.talk.say("  asks for nothing"),
            StepEnd::Prompts | StepEnd::LimitExceeded => {}
        }
    }

    fn skipped(&mut self, command: &Command, why: Skip) {
        let came = match why {
            Skip::Answered(factor) => Came::Answered(factor),
            Skip::EverythingEnrolled => Came::EverythingEnrolled,
        };
        self.talk.say(&format!("  {}", self.line(command.span)));
        self.talk.say(&format!("  no prompt: {}", self.transcript.told(&came)));
        self.transcript.came(came, None);
    }

    fn prompt(&mut self, command: &'p Command, prompt: &Prompt<'p>) -> Result<(), Stop> {
        for line in screen::drawn(prompt) {
            self.talk.say(&line);
        }
        self.talk.say(&format!("  {}", self.line(command.span)));
        if let Some(entry) = &prompt.log {
            self.log(entry);
        }
        let asked = self.line(command.span);
        let answer = self.user.answer(prompt, self.player.offered(), &asked, &mut self.talk)?;
        let came = match answer {
            Answer::Pass(factor) => self.player.choose(factor).map(|()| match command.kind {
                CommandKind::Enroll => Came::Enrolled(factor),
                CommandKind::Challenge => Came::Passed(factor),
            }),
            Answer::Fail => self.player.fail().map(|()| Came::NotPassed),
            Answer::Abandon => self.player.abandon().map(|()| Came::Abandoned),
        };
        let came = came.map_err(defect)?;
        self.talk.say(&format!("  {}", self.transcript.told(&came)));
        self.transcript.came(came, prompt.log);
        Ok(())
    }

    fn ended(&mut self, outcome: Outcome<'p>) {
        if let Outcome::Failed(failure) = outcome
            && let Some(entry) = failure.log()
        {
            if let Some(span) = self.transcript.due() {
                self.talk.say(&format!("  {}", self.line(span)));
            }
            self.log(&entry);
            self.transcript.came(Came::FailsTheLogin, Some(entry));
        }
        self.talk.say(&format!("\n{}", told(&outcome)));
        self.transcript.ended(outcome);
    }

    fn log(&mut self, entry: &LogEntry<'_>) {
        self.talk.say(&format!("  log {}: {entry}", entry.code()));
    }

    /// `file:line  text`
    fn line(&self, span: Span) -> String {
        let sources = self.compiled.report.sources();
        format!("{}  {}", one_line(&place(sources, span)), excerpt(sources, span))
    }
}

/// How a login ended, in words.
fn told(outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Completed => "the login completes".to_owned(),
        Outcome::Denied(reason) => format!("the login is denied: {}", one_line(&quoted(reason))),
        Outcome::Failed(failure) if failure.log().is_some() => "the login fails".to_owned(),
        Outcome::Failed(failure) => format!("the login fails: {failure}"),
    }
}

fn defect(error: PlayError) -> Stop {
    Stop::Defect(error.to_string())
}
