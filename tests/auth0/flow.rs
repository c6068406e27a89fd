//! A login, carried from Action to Action as the platform does: each sees the event as it is when it begins, and what
//! earlier ones wrote into the transaction's metadata.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use stepup::backend::auth0::Emitted;
use stepup::sandbox::Run;
use stepup::{Compiled, Report};

use super::case::Case;
use super::common::choices::Choices;
use super::reference::{Reference, Stamp};

/// The Actions of a policy.
pub(crate) fn emit(compiled: &Compiled) -> Result<Emitted, Report> {
    compiled.auth0_actions().map(|written| written.emitted)
}

/// The Actions of a flow beside what they are held to.
pub(crate) struct Emission<'p> {
    pub(crate) about: Arc<str>,
    pub(crate) codes: Vec<Arc<str>>,
    pub(crate) reference: Reference<'p>,
}

impl<'p> Emission<'p> {
    pub(crate) fn new(about: &str, emitted: &Emitted, reference: Reference<'p>) -> Self {
        let codes = emitted.actions.iter().map(|action| action.code.as_str().into());
        Emission { about: about.into(), codes: codes.collect(), reference }
    }

    /// Plays a login with the sandbox's runs, a case a step, until one denies. After each command the user may pass with
    /// a factor that it offers, whether or not the platform would let them.
    pub(crate) fn play(&self, event: &Json, now: i64, choices: &mut Choices<'_>) -> Vec<Case> {
        let mut login = Login { event: event.clone(), now, passed: Vec::new() };
        let mut cases = Vec::new();
        for (step, code) in self.codes.iter().enumerate() {
            let expected = self.reference.calls(step, &login.event, login.now, &login.passed);
            let (about, code) = (Arc::clone(&self.about), Arc::clone(code));
            let case = Case { about, code, event: login.event.clone(), now: login.now, expected };
            let run = case.run();
            let goes_on = login.go_on(&case.expected, &run, choices);
            cases.push(case);
            if !goes_on {
                break;
            }
        }
        cases
    }
}

/// A login between two Actions.
pub(crate) struct Login {
    pub(crate) event: Json,
    pub(crate) now: i64,
    /// What was passed in this login.
    pub(crate) passed: Vec<Stamp>,
}

impl Login {
    /// The user answers, time passes; false where the login is over.
    fn go_on(&mut self, calls: &[Json], run: &Run, choices: &mut Choices<'_>) -> bool {
        if calls.iter().any(|call| call.get("deny").is_some()) {
            return false;
        }
        if !self.keep(&run.metadata) {
            return false;
        }
        for call in calls {
            let offered = offered(call);
            if offered.is_empty() || choices.rarely(4) {
                continue;
            }
            let factor = choices.one_of(&offered).clone();
            let is_new = self.passed.iter().all(|(passed, _)| *passed != factor);
            let enrolls = call["command"].as_str().is_some_and(|command| command.starts_with("enroll"));
            if is_new && !self.pass(&factor, enrolls) {
                return false;
            }
        }
        self.now += [0, 3_000, 700_000][choices.below(3)];
        true
    }

    /// What the transaction carries from one Action to the next. An event without a transaction gets one; false where
    /// it has something else in its place.
    fn keep(&mut self, metadata: &Map<String, Json>) -> bool {
        if metadata.is_empty() {
            return true;
        }
        if self.event["transaction"].is_null() {
            self.event["transaction"] = json!({});
        }
        let Some(transaction) = self.event["transaction"].as_object_mut() else { return false };
        transaction.insert("metadata".to_owned(), metadata.clone().into());
        true
    }

    /// The user passes a prompt just now; false where the event is too odd to say so.
    pub(crate) fn pass(&mut self, factor: &str, enrolls: bool) -> bool {
        let at = self.passed.last().map_or(self.now, |(_, at)| *at).max(self.now) + 20;
        let stamp = jiff::Timestamp::from_millisecond(at).unwrap().to_string();
        let method = json!({"name": "mfa", "type": factor, "timestamp": stamp});
        let enrolled =
            !enrolls || append(&mut self.event["user"], "enrolledFactors", json!({"type": factor}));
        self.passed.push((factor.to_owned(), at));
        enrolled && append(&mut self.event["authentication"], "methods", method)
    }
}

/// The factors that a command offers.
fn offered(call: &Json) -> Vec<String> {
    let one = call.get("factor").into_iter();
    let lists = ["factors", "additionalFactors"].into_iter().filter_map(|key| call.get(key)?.as_array());
    let all = one.chain(lists.flatten());
    all.filter_map(|factor| Some(factor["type"].as_str()?.to_owned())).collect()
}

/// Adds to a list of an object, either of which may be missing.
fn append(object: &mut Json, key: &str, value: Json) -> bool {
    if object.is_null() {
        *object = json!({});
    }
    let Some(object) = object.as_object_mut() else { return false };
    let list = object.entry(key).or_insert(Json::Null);
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut().map(|list| list.push(value)).is_some()
}
