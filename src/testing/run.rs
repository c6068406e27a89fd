//! One run of a test: its clauses in order, each as far as the login gets.
//!
//! A clause that needs something further on lets the login go on up to it: `expect COMMANDS` to the next step's
//! decision, `choose` and `expect prompt` to the next prompt, an end to the end. It never goes on past a prompt that the
//! test has not answered, and never past a decision that contradicts it.

use super::RunOutcome;
use super::expect::{Contradiction, Offer, log_told, offers_told, outcome_told, prompt_told};
use crate::check::policy::{
    Command, Expectation, FactorId, LogEvent, Test, TestClause, TestClauseKind, TestRun, TypedPolicy,
};
use crate::compile::Compiled;
use crate::diagnostic::{Code, Diagnostic};
use crate::play::{Clock, Happening, Outcome, PlayError, Player, World};
use crate::runtime::{LogEntry, Prompt};
use crate::source::Span;
use crate::trace::{self, Met, StepEnd, StepFacts, StepRun, Words, quoted};

/// Plays one run; gives why it failed, and what was met.
pub(super) fn play(compiled: &Compiled, test: &Test, row: &TestRun) -> (RunOutcome, Vec<Met>) {
    let typed = &compiled.typed;
    let mut world = World::new(typed);
    row.given.iter().for_each(|given| world.give(typed, given));
    let mut run = Run {
        typed,
        test,
        row,
        player: Player::new(typed, &compiled.policy, world),
        met: Vec::new(),
        logs: Vec::new(),
        logged_prompt: false,
        ended: None,
    };
    let stopped = test.clauses.iter().find_map(|clause| run.clause(clause).err());
    (stopped.unwrap_or(RunOutcome::Passed), run.met)
}

/// A clause that is not met stops the run, with what came of it.
type Checked<T = ()> = Result<T, RunOutcome>;

struct Run<'p> {
    typed: &'p TypedPolicy,
    test: &'p Test,
    row: &'p TestRun,
    player: Player<'p>,
    met: Vec<Met>,
    /// What the log has said, and no clause has expected yet.
    logs: Vec<LogEntry<'p>>,
    /// Whether the open prompt's entry is among what the log has said.
    logged_prompt: bool,
    ended: Option<(Outcome<'p>, Option<Span>)>,
}

/// How far a clause lets the login go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UpTo {
    Decision,
    Prompt,
    End,
}

/// What the login came to.
enum Reached<'p> {
    Decision(StepRun<'p>, String),
    Prompt(Prompt<'p>, Span),
    End(Outcome<'p>, Option<Span>),
}

impl Reached<'_> {
    /// This came where something else was expected.
    fn instead_of(self, expected: String) -> Contradiction {
        match self {
            Reached::Decision(_, step) => {
                let actual = format!("step `{step}` decides");
                Contradiction { expected, actual, causes: Vec::new(), step: None }
            }
            Reached::Prompt(prompt, span) => {
                let actual = format!("prompt {}, still to be answered", prompt_told(&prompt));
                Contradiction { expected, actual, causes: vec![(span, "this asks")], step: None }
            }
            Reached::End(outcome, span) => {
                let causes = span.map(|span| (span, "the login ends here")).into_iter().collect();
                Contradiction { expected, actual: outcome_told(&outcome), causes, step: None }
            }
        }
    }
}

impl<'p> Run<'p> {
    fn clause(&mut self, clause: &'p TestClause) -> Checked {
        match &clause.kind {
            TestClauseKind::Given(facts) => {
                facts.iter().for_each(|given| self.player.world.give(self.typed, given));
                Ok(())
            }
            TestClauseKind::Expect(expected) => self.expect(clause, expected),
            TestClauseKind::Choose(factors) => {
                factors.iter().try_for_each(|factor| self.choose(clause, *factor))
            }
            TestClauseKind::Abandon => {
                self.prompt_for(clause, "the user can't go away")?;
                self.player.abandon().map_err(defect)?;
                self.logged_prompt = false;
                Ok(())
            }
        }
    }

    fn expect(&mut self, clause: &'p TestClause, expected: &'p Expectation) -> Checked {
        match expected {
            Expectation::Nothing => self.expect_decision(clause, &[]),
            Expectation::Commands(commands) => self.expect_decision(clause, commands),
            Expectation::Prompt(command) => self.expect_prompt(clause, command),
            Expectation::Log { event, factor } => self.expect_log(clause, *event, *factor),
            Expectation::Denied(reason) => {
                let told = format!("denied {}", quoted(reason));
                self.expect_end(clause, told, |end| matches!(end, Outcome::Denied(found) if found == reason))
            }
            Expectation::Completes => {
                self.expect_end(clause, "completes".to_owned(), |end| *end == Outcome::Completed)
            }
            Expectation::Fails => {
                self.expect_end(clause, "fails".to_owned(), |end| matches!(end, Outcome::Failed(_)))
            }
        }
    }

    /// The next step decides, and is held to what is expected of it.
    fn expect_decision(&mut self, clause: &'p TestClause, commands: &'p [Command]) -> Checked {
        let offers: Vec<Offer> = commands.iter().map(|command| self.offer(command)).collect();
        let expected = offers_told(&self.words(), &offers);
        match self.reach(clause, UpTo::Decision)? {
            Reached::Decision(run, step) => {
                let (actual, causes) = self.decided(&run);
                let did: Vec<Offer> = run.commands.iter().map(Offer::executed).collect();
                let fits = run.end == StepEnd::Prompts && did == offers;
                let contradiction = Contradiction { expected, actual, causes, step: Some(step) };
                self.compare(clause, fits, contradiction)
            }
            other => self.compare(clause, false, other.instead_of(expected)),
        }
    }

    /// What a step decided, and the statements behind it.
    fn decided(&self, run: &StepRun<'p>) -> (String, Vec<(Span, &'static str)>) {
        let did: Vec<Offer> = run.commands.iter().map(Offer::executed).collect();
        let told = offers_told(&self.words(), &did);
        let executed = did.iter().map(|offer| (offer.command.span, "this executes"));
        match run.end {
            StepEnd::Prompts => (told, executed.collect()),
            StepEnd::LimitExceeded => {
                let mut causes: Vec<_> = executed.collect();
                if let Some((_, remark)) = causes.last_mut() {
                    *remark = "this would be the fifth command";
                }
                (format!("{told}, which would be the fifth command"), causes)
            }
            StepEnd::Denied(span) => {
                let reason = self.typed.reason_at(span);
                (format!("denied {}", quoted(reason)), vec![(span, "this denies the login")])
            }
        }
    }

    fn expect_prompt(&mut self, clause: &'p TestClause, command: &'p Command) -> Checked {
        let offer = self.offer(command);
        let expected = format!("prompt {}", offers_told(&self.words(), std::slice::from_ref(&offer)));
        match self.reach(clause, UpTo::Prompt)? {
            Reached::Prompt(prompt, span) => {
                let actual = format!("prompt {}", prompt_told(&prompt));
                let contradiction =
                    Contradiction { expected, actual, causes: vec![(span, "this asks")], step: None };
                self.compare(clause, offer.is_shown_by(&prompt), contradiction)
            }
            other => self.compare(clause, false, other.instead_of(expected)),
        }
    }

    fn expect_log(&mut self, clause: &'p TestClause, event: LogEvent, factor: Option<FactorId>) -> Checked {
        if self.player.offered().is_empty() && self.ended.is_none() {
            self.reach(clause, UpTo::Prompt)?;
        }
        let code = match event {
            LogEvent::Warning => "w",
            LogEvent::MfaRequired => "mfar",
        };
        let factor = factor.map(|factor| self.typed.catalog.factors[factor].name.as_str());
        let fits = |entry: &LogEntry<'_>| {
            let named = match entry {
                LogEntry::NotSetUp { factor, .. } => Some(*factor),
                LogEntry::NothingUsable(_) | LogEntry::EnrollWithoutChallenge => None,
            };
            entry.code() == code && factor.is_none_or(|factor| named == Some(factor))
        };
        if let Some(place) = self.logs.iter().position(fits) {
            self.logs.remove(place);
            return Ok(());
        }
        let expected = match factor {
            Some(factor) => format!("log {code} for {factor}"),
            None => format!("log {code}"),
        };
        let entries: Vec<String> = self.logs.iter().map(|entry| log_told(entry)).collect();
        let actual = if entries.is_empty() { "nothing in the log".to_owned() } else { entries.join(", ") };
        self.compare(clause, false, Contradiction { expected, actual, causes: Vec::new(), step: None })
    }

    fn expect_end(
        &mut self,
        clause: &'p TestClause,
        expected: String,
        fits: impl Fn(&Outcome<'_>) -> bool,
    ) -> Checked {
        match self.reach(clause, UpTo::End)? {
            Reached::End(outcome, span) => {
                let causes = span.map(|span| (span, "the login ends here")).into_iter().collect();
                let actual = outcome_told(&outcome);
                self.compare(clause, fits(&outcome), Contradiction { expected, actual, causes, step: None })
            }
            other => self.compare(clause, false, other.instead_of(expected)),
        }
    }

    fn choose(&mut self, clause: &'p TestClause, factor: FactorId) -> Checked {
        let name = &self.typed.catalog.factors[factor].name;
        let span = self.prompt_for(clause, &format!("`{name}` can't be chosen"))?;
        if !self.player.offered().contains(&factor) {
            let names = self.player.offered().iter().map(|factor| &self.typed.catalog.factors[*factor].name);
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let message = format!("this prompt doesn't offer `{name}`");
            let report = self.report(Code::E0703, clause, message).label(span, "this asks");
            return Err(failed(report.note(format!("it offers {}", names.join(", ")))));
        }
        self.player.choose(factor).map_err(defect)?;
        self.logged_prompt = false;
        Ok(())
    }

    /// Goes on to a prompt; says what can't be done when there is none.
    fn prompt_for(&mut self, clause: &'p TestClause, cannot: &str) -> Checked<Span> {
        match self.reach(clause, UpTo::Prompt)? {
            Reached::Prompt(_, span) => Ok(span),
            Reached::Decision(..) => Ok(clause.span),
            Reached::End(outcome, span) => {
                let message = format!("{cannot}: no prompt is left");
                let mut report = self.report(Code::E0703, clause, message);
                if let Some(span) = span {
                    report = report.label(span, "the login ends here");
                }
                Err(failed(report.note(format!("the login has ended: {}", outcome_told(&outcome)))))
            }
        }
    }

    /// Lets the login go on.
    fn reach(&mut self, clause: &'p TestClause, up_to: UpTo) -> Checked<Reached<'p>> {
        if let Some((outcome, span)) = self.ended {
            return Ok(Reached::End(outcome, span));
        }
        loop {
            let happening = self.player.advance().map_err(|error| self.not_played(clause, error))?;
            match happening {
                Happening::Decided { step, run } => {
                    self.met.extend_from_slice(&run.met);
                    if up_to == UpTo::Decision {
                        return Ok(Reached::Decision(run, self.typed.steps[step].name.clone()));
                    }
                }
                Happening::Skipped { .. } => {}
                Happening::Prompt { command, prompt } => {
                    if !std::mem::replace(&mut self.logged_prompt, true) {
                        self.logs.extend(prompt.log);
                    }
                    return Ok(Reached::Prompt(prompt, command.span));
                }
                Happening::Ended { outcome, at } => {
                    if let Outcome::Failed(failure) = outcome {
                        self.logs.extend(failure.log());
                    }
                    self.ended = Some((outcome, at));
                    return Ok(Reached::End(outcome, at));
                }
            }
        }
    }

    fn words(&self) -> Words<'p> {
        Words { policy: self.typed }
    }

    /// A command of a clause, with its sets worked out as the next step sees them.
    fn offer(&self, command: &'p Command) -> Offer<'p> {
        let mut facts = StepFacts::new(self.typed, &self.player.world.event, self.player.session());
        Offer { command, offered: trace::offered(command, &mut facts) }
    }

    fn compare(&self, clause: &TestClause, fits: bool, contradiction: Contradiction) -> Checked {
        if fits {
            return Ok(());
        }
        let message = match &contradiction.step {
            Some(step) => format!("step `{step}` doesn't do what the test expects"),
            None => "the login doesn't do what the test expects".to_owned(),
        };
        let mut report = self.report(Code::E0701, clause, message).here("expected here");
        let mut labelled: Vec<Span> = Vec::new();
        for (span, text) in contradiction.causes {
            if !labelled.contains(&span) {
                labelled.push(span);
                report = report.label(span, text);
            }
        }
        let Contradiction { expected, actual, .. } = contradiction;
        Err(failed(report.note(format!("expected: {expected}\n  actual: {actual}"))))
    }

    /// The login can't go on for this test.
    fn not_played(&self, clause: &TestClause, error: PlayError) -> RunOutcome {
        let PlayError::Missing { step, variables, clock } = error else { return defect(error) };
        let step = &self.typed.steps[step].name;
        let mut names: Vec<&str> =
            variables.iter().map(|variable| self.typed.variables[*variable].name.as_str()).collect();
        if clock == Clock::Untold {
            names.push("now");
        }
        let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let them = if names.len() == 1 { "it" } else { "them" };
        let message = format!("step `{step}` looks at {list}, and the test doesn't give {them}");
        let mut report = Diagnostic::error(Code::E0702, self.row.span, message)
            .here(format!("this login needs {them}"))
            .label(clause.span, "to get here");
        for fact in self.typed.facts.values().filter(|fact| variables.contains(&fact.variable)) {
            report = report.label(fact.declared, "declared here without a default");
        }
        let example = names.first().copied().unwrap_or("now");
        failed(report.help(format!("say what it is, in a `given {example} = …`")))
    }

    fn report(&self, code: Code, clause: &TestClause, message: String) -> Diagnostic {
        let report = Diagnostic::error(code, clause.span, message);
        if self.test.runs.len() > 1 { report.label(self.row.span, "in this row") } else { report }
    }
}

fn failed(report: Diagnostic) -> RunOutcome {
    RunOutcome::Failed(Box::new(report))
}

fn defect(error: PlayError) -> RunOutcome {
    RunOutcome::Defect(error.to_string())
}
