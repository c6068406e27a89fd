//! Holding a policy to its Actions: both decide the same logins, step by step.
//!
//! An Action decides on one event as a step does, with its own snapshot, so each pair is compared on single events. The
//! Action runs in the [sandbox](crate::sandbox), the policy as a server runs it; neither knows of the translation.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::trial::{Chance, Parts, Trials, event_of};
use crate::compile::Compiled;
use crate::diagnostic::{Code, Diagnostic};
use crate::flow::{Budget, Scope, analyze};
use crate::policy::Policy;
use crate::runtime::DecideError;
use crate::sandbox::{Action, Call, RunError};
use crate::source::Span;

/// An Action and the step that it became.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) step: String,
    pub(super) code: String,
    /// The handler's first line.
    pub(super) at: Span,
}

/// What came of comparing.
#[derive(Clone, PartialEq, Debug)]
pub struct Agreement {
    /// On how many logins both were run.
    pub logins: usize,
    /// In how many of them the Action failed, so that there was nothing to compare.
    pub failed: usize,
    /// A login on which they differ.
    pub difference: Option<Difference>,
}

/// A login on which an Action and its step differ.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// The step.
    pub step: String,
    /// The event, with nothing in it that could be left out.
    pub event: Json,
    /// When it is.
    pub now: Timestamp,
    /// What the Action does.
    pub action: Outcome,
    /// What the policy does.
    pub policy: Outcome,
    at: Span,
}

/// What a login is asked for.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// These commands, as the platform's calls.
    Commands(Vec<Json>),
    /// It is refused.
    Denied(String),
    /// More than four commands.
    TooMany,
    /// The event can't be read, or the policy has no such step.
    Unreadable(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Commands(none) if none.is_empty() => f.write_str("asks for nothing"),
            Outcome::Commands(commands) => {
                let texts: Vec<String> = commands.iter().map(Json::to_string).collect();
                write!(f, "asks for {}", texts.join(", then "))
            }
            Outcome::Denied(reason) => write!(f, "denies: {reason}"),
            Outcome::TooMany => f.write_str("asks for more than four commands"),
            Outcome::Unreadable(why) => write!(f, "can't decide: {why}"),
        }
    }
}

impl Difference {
    /// As a report at the Action.
    pub(super) fn report(&self) -> Diagnostic {
        let message = format!("the Action and step `{}` differ on a login", self.step);
        let event = serde_json::to_string_pretty(&self.event).unwrap_or_default();
        let lines = [
            format!("the Action {}", self.action),
            format!("the policy {}", self.policy),
            format!("at {}, on the event\n{event}", self.now),
        ];
        let report = Diagnostic::error(Code::E0905, self.at, message);
        let report = lines.into_iter().fold(report, Diagnostic::note);
        report.help("this is a defect of stepup; please report it")
    }
}

/// The platform's limit.
const MAX_COMMANDS: usize = 4;

/// Runs all pairs on random logins, and on those that the proofs name.
pub(super) fn compare(pairs: &[Pair], trials: &Trials, compiled: &Compiled, count: usize) -> Agreement {
    let mut chance = Chance(0x5eed);
    let mut agreement = Agreement { logins: 0, failed: 0, difference: None };
    let mut logins: Vec<(Json, i64)> = (0..count).map(|_| trials.event(Parts::Some, &mut chance)).collect();
    let analysis = analyze(&compiled.typed, Scope::Coverage, &Budget::default());
    for (_, login) in &analysis.witnesses {
        let (base, _) = trials.event(Parts::All, &mut chance);
        logins.push((event_of(&compiled.typed, &login.event, &base), login.event.now));
    }
    for pair in pairs {
        let action = Action::new(pair.code.as_str());
        for (event, now) in &logins {
            let Ok(now) = Timestamp::from_millisecond(*now) else { continue };
            agreement.logins += 1;
            let Some(ran) = run(&action, event, now) else {
                agreement.failed += 1;
                continue;
            };
            if decide(&compiled.policy, &pair.step, event, now) != ran {
                agreement.difference = Some(smallest(pair, &action, &compiled.policy, event, now));
                return agreement;
            }
        }
    }
    agreement
}

/// What an Action does; `None` where it fails.
fn run(action: &Action, event: &Json, now: Timestamp) -> Option<Outcome> {
    let run = match action.run(event, now) {
        Ok(run) => run,
        Err(RunError::Threw { .. }) => return None,
        Err(error) => return Some(Outcome::Unreadable(error.to_string())),
    };
    let mut commands = Vec::new();
    for call in run.calls {
        match call {
            Call::Command(command) => commands.push(without_repetition(command)),
            Call::Deny { reason } if commands.len() <= MAX_COMMANDS => return Some(Outcome::Denied(reason)),
            _ => {}
        }
    }
    Some(if commands.len() > MAX_COMMANDS { Outcome::TooMany } else { Outcome::Commands(commands) })
}

/// A factor that is listed twice is offered once.
fn without_repetition(mut command: Json) -> Json {
    let mut seen: Vec<Json> = command.pointer("/factor/type").into_iter().cloned().collect();
    for key in ["factors", "additionalFactors"] {
        if let Some(list) = command.get_mut(key).and_then(Json::as_array_mut) {
            list.retain(|factor| {
                let name = factor.get("type").cloned().unwrap_or_default();
                let is_new = !seen.contains(&name);
                seen.push(name);
                is_new
            });
        }
    }
    command
}

fn decide(policy: &Policy, step: &str, event: &Json, now: Timestamp) -> Outcome {
    let mut facts = policy.facts();
    if let Err(error) = facts.read_from(event) {
        return Outcome::Unreadable(error.to_string());
    }
    facts.set_now(now);
    let Some(step) = policy.step(step) else {
        return Outcome::Unreadable("there is no such step".to_owned());
    };
    match step.decide(&facts) {
        Ok(decision) => match decision.denied() {
            Some(reason) => Outcome::Denied(reason.to_owned()),
            None => {
                let commands =
                    decision.commands().map(|command| serde_json::to_value(command).unwrap_or_default());
                Outcome::Commands(commands.collect())
            }
        },
        Err(DecideError::LimitExceeded) => Outcome::TooMany,
        Err(error) => Outcome::Unreadable(error.to_string()),
    }
}

/// The login with all left out of it that neither of the two cares about.
fn smallest(pair: &Pair, action: &Action, policy: &Policy, event: &Json, now: Timestamp) -> Difference {
    let both = |event: &Json| (run(action, event, now), decide(policy, &pair.step, event, now));
    let wanted = both(event);
    let mut event = event.clone();
    let mut at = 0;
    loop {
        let mut paths = Vec::new();
        pointers(&event, &mut Vec::new(), &mut paths);
        let Some(path) = paths.get(at) else { break };
        let mut smaller = event.clone();
        take(&mut smaller, path);
        if both(&smaller) == wanted {
            event = smaller;
        } else {
            at += 1;
        }
    }
    let (ran, policy) = wanted;
    let action = ran.unwrap_or_else(|| Outcome::Unreadable("it fails".to_owned()));
    Difference { step: pair.step.clone(), event, now, action, policy, at: pair.at }
}

/// The keys of all objects and the places of all elements, outer ones first.
fn pointers(value: &Json, at: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &Json)> = match value {
        Json::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Json::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        at.push(key);
        all.push(at.clone());
        pointers(value, at, all);
        at.pop();
    }
}

fn take(value: &mut Json, path: &[String]) {
    let Some((key, rest)) = path.split_first() else { return };
    match value {
        Json::Object(object) if rest.is_empty() => drop(object.shift_remove(key)),
        Json::Object(object) => {
            if let Some(inner) = object.get_mut(key) {
                take(inner, rest);
            }
        }
        Json::Array(list) => {
            let Ok(at) = key.parse::<usize>() else { return };
            if rest.is_empty() {
                if at < list.len() {
                    list.remove(at);
                }
            } else if let Some(inner) = list.get_mut(at) {
                take(inner, rest);
            }
        }
        _ => {}
    }
}
