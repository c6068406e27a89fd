//! A host: it hands facts in as they stand, and shows what a login comes to as a line of text.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use stepup::{Availability, Compiler, Engine, Facts, LogEntry, Login, Next, Policy, Prompt, Screen};

const NOW: &str = "2026-01-31T08:00:00Z";

/// The policy of a text, in one file `test.stepup`.
pub(crate) fn policy(engine: Engine, text: &str) -> Policy {
    match Compiler::new().with_engine(engine).compile([("test.stepup", text)]) {
        Ok(compiled) => compiled.policy,
        Err(report) => panic!("{report}"),
    }
}

/// What the user does at a prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'a> {
    Passes(&'a str),
    Fails,
    GoesAway,
}

/// A user, and the clock.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// The rest of the event.
    pub(crate) event: Json,
    pub(crate) enrolled: Vec<String>,
    /// The session's second factors, with when they were passed.
    pub(crate) performed: Vec<(String, Timestamp)>,
    pub(crate) now: Timestamp,
    /// How long a user takes at a prompt.
    pub(crate) pace: SignedDuration,
    /// Factors that the tenant has not enabled.
    pub(crate) disabled: Vec<&'static str>,
    /// Factors that the browser doesn't support.
    pub(crate) unsupported: Vec<&'static str>,
}

impl Host {
    /// Of a user who has enrolled these.
    pub(crate) fn with(enrolled: &[&str]) -> Self {
        Host {
            event: json!({"user": {}}),
            enrolled: enrolled.iter().map(|&name| name.to_owned()).collect(),
            performed: Vec::new(),
            now: NOW.parse().unwrap(),
            pace: SignedDuration::from_secs(1),
            disabled: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    pub(crate) fn admin(mut self) -> Self {
        self.event["user"]["app_metadata"]["isAdmin"] = true.into();
        self
    }

    pub(crate) fn disabling(mut self, factors: &[&'static str]) -> Self {
        self.disabled.extend(factors);
        self
    }

    pub(crate) fn in_a_browser_without(mut self, factors: &[&'static str]) -> Self {
        self.unsupported.extend(factors);
        self
    }

    pub(crate) fn at_a_pace_of(mut self, seconds: i64) -> Self {
        self.pace = SignedDuration::from_secs(seconds);
        self
    }

    pub(crate) fn facts(&self, policy: &Policy) -> Facts {
        let mut event = self.event.clone();
        event["user"]["enrolledFactors"] = self.enrolled.iter().map(|name| json!({"type": name})).collect();
        let mfa = |(name, stamp): &(String, Timestamp)| json!({"name": "mfa", "type": name, "timestamp": stamp.to_string()});
        event["authentication"] = json!({"methods": self.performed.iter().map(mfa).collect::<Vec<_>>()});
        let mut facts = policy.facts();
        facts.read_from(&event).unwrap();
        facts.set_now(self.now);
        facts
    }

    pub(crate) fn availability(&self, policy: &Policy) -> Availability {
        let names = policy.interface().layout.catalog.factors.values().map(|factor| factor.name.as_str());
        let enabled: Vec<&str> = names.filter(|name| !self.disabled.contains(name)).collect();
        let availability = policy.availability().enable_only(&enabled).unwrap();
        availability.without_support(&self.unsupported).unwrap()
    }

    /// The user passed a prompt.
    pub(crate) fn passed(&mut self, factor: &str) {
        self.now += self.pace;
        self.performed.push((factor.to_owned(), self.now));
        if !self.enrolled.iter().any(|name| name == factor) {
            self.enrolled.push(factor.to_owned());
        }
    }

    /// Plays a login to its end, in both engines: what it comes to, line by line.
    pub(crate) fn plays(&self, text: &str, answers: &[Answer<'_>]) -> Vec<String> {
        let native = self.clone().play(&policy(Engine::Native, text), answers);
        assert_eq!(native, self.clone().play(&policy(Engine::Interpreter, text), answers));
        native
    }

    fn play(mut self, policy: &Policy, answers: &[Answer<'_>]) -> Vec<String> {
        let mut login = policy.login();
        let mut answers = answers.iter();
        let mut lines = Vec::new();
        loop {
            let next = login.next(&self.facts(policy), &self.availability(policy)).unwrap();
            lines.push(line(&next));
            match next {
                Next::Prompt(_) => {
                    self.answer(&mut login, answers.next().expect("an answer for each prompt"))
                }
                Next::FreshFacts { .. } => {}
                Next::Completed | Next::Denied { .. } | Next::Failed(_) => break,
            }
        }
        assert!(answers.next().is_none(), "an answer is left: {lines:#?}");
        lines
    }

    fn answer(&mut self, login: &mut Login<'_>, answer: &Answer<'_>) {
        match answer {
            Answer::Passes(factor) => {
                login.completed(factor).unwrap();
                self.passed(factor);
            }
            Answer::Fails => login.failed().unwrap(),
            Answer::GoesAway => login.abandoned().unwrap(),
        }
    }
}

/// Passing each of these in turn.
pub(crate) fn passing<'a>(factors: &[&'a str]) -> Vec<Answer<'a>> {
    factors.iter().map(|factor| Answer::Passes(factor)).collect()
}

/// What a login has come to.
pub(crate) fn line(next: &Next<'_>) -> String {
    match next {
        Next::Prompt(prompt) => prompt_line(prompt),
        Next::FreshFacts { step } => format!("facts for {step}"),
        Next::Completed => "completed".to_owned(),
        Next::Denied { reason } => format!("denied: {reason}"),
        Next::Failed(failure) => match failure.log() {
            Some(entry) => format!("failed: {}", log(&entry)),
            None => format!("failed: {failure}"),
        },
    }
}

/// `enroll: pick otp, phone`, `challenge: otp or else phone`, `challenge: otp`, with what the log says.
fn prompt_line(prompt: &Prompt<'_>) -> String {
    let kind = match prompt.kind {
        stepup::CommandKind::Enroll => "enroll",
        stepup::CommandKind::Challenge => "challenge",
    };
    let names: Vec<&str> = prompt.factors.iter().map(|factor| factor.name).collect();
    let shown = match prompt.screen {
        Screen::Only => names.join(" and "),
        Screen::DefaultFirst => names.join(" or else "),
        Screen::Picker => format!("pick {}", names.join(", ")),
    };
    match &prompt.log {
        Some(entry) => format!("{kind}: {shown} [{}]", log(entry)),
        None => format!("{kind}: {shown}"),
    }
}

/// The code, the factor, and what the message begins with.
fn log(entry: &LogEntry<'_>) -> String {
    let message = entry.to_string();
    match entry {
        LogEntry::NotSetUp { factor, .. } => format!("{} {factor}: {message}", entry.code()),
        _ => format!("{}: {message}", entry.code()),
    }
}
