//! What a step looked at, with what was there: in the policy's words, and as JSON.
//!
//! The values are a stranger's: long ones are cut here, and who shows them makes them harmless.

use serde_json::Value as Json;

use crate::check::masks::{FactorMask, bit};
use crate::check::policy::{FactorId, PresenceId, Type, TypedPolicy, Variable, VariableId};
use crate::lower::paths::path_text;
use crate::trace::{Event, FactValue, Looked, Session, Words, duration, instant, only_variable_of};

/// The longest text that is told whole, in bytes.
const MAX_TEXT: usize = 80;
/// The most elements of a list that are told.
const MAX_ELEMENTS: usize = 8;

/// Something that a step looked at.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Its name: a fact's, `enrolled`, `performed`, `performed in this login`, `now`, or the path of what may be
    /// missing.
    pub name: String,
    /// What was there; `null` for nothing.
    pub value: Json,
    /// Both as a policy would say it: `enrolled = [otp]`, `organization.name is absent`.
    pub words: String,
}

/// A login as a step sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The policy.
    pub policy: &'a TypedPolicy,
    /// The event when the login began, the clock as it stands.
    pub event: &'a Event,
    /// What the login has done.
    pub session: &'a Session,
}

impl View<'_> {
    /// What is there of something looked at.
    pub fn seen(&self, looked: Looked) -> Seen {
        match looked {
            Looked::Variable(variable) => self.variable(variable),
            Looked::Presence(presence) => match only_variable_of(self.policy, presence) {
                Some(variable) => self.variable(variable),
                None => self.presence(presence),
            },
            Looked::Enrolled => self.set("enrolled", self.event.enrolled | self.session.enrolled),
            Looked::Performed => self.performed(),
            Looked::Passed => {
                let passed = self.session.passed.iter().fold(0, |mask, passed| mask | bit(passed.factor));
                self.set("performed in this login", passed)
            }
            Looked::Now => {
                let now = instant(self.event.now);
                Seen { words: format!("now = {now}"), name: "now".to_owned(), value: now.into() }
            }
        }
    }

    fn words(&self) -> Words<'_> {
        Words { policy: self.policy }
    }

    fn variable(&self, variable: VariableId) -> Seen {
        let row = &self.policy.variables[variable];
        let name = row.name.clone();
        match self.event.variables.get(&variable).map(shortened) {
            Some(value) => Seen {
                words: format!("{name} = {}", self.words().value(row, &value)),
                value: self.json(row, &value),
                name,
            },
            None => Seen { words: format!("{name} is absent"), name, value: Json::Null },
        }
    }

    fn presence(&self, presence: PresenceId) -> Seen {
        let name = path_text(&self.policy.presences[presence].path);
        let is_there = self.event.presences.get(&presence).copied().unwrap_or(false);
        let words = format!("{name} is {}", if is_there { "present" } else { "absent" });
        Seen { name: format!("{name} is present"), value: is_there.into(), words }
    }

    fn set(&self, name: &str, mask: FactorMask) -> Seen {
        let words = format!("{name} = [{}]", self.words().names(mask));
        Seen { name: name.to_owned(), value: self.names(mask), words }
    }

    fn names(&self, mask: FactorMask) -> Json {
        let names = self.words().names(mask);
        names.split(", ").filter(|name| !name.is_empty()).collect()
    }

    /// The latest stamp of each factor, as tests give them: `performed = [otp 3s ago]`.
    fn performed(&self) -> Seen {
        let told =
            self.policy.catalog.factors.iter().filter_map(|(factor, row)| {
                Some(format!("{} {} ago", row.name, duration(self.age(factor)?)))
            });
        let told: Vec<String> = told.collect();
        let words = format!("performed = [{}]", told.join(", "));
        Seen { name: "performed".to_owned(), value: told.into(), words }
    }

    fn age(&self, factor: FactorId) -> Option<i64> {
        let passed = self.session.passed.iter().filter(|passed| passed.factor == factor);
        let stamps = self.event.performed.iter().filter(|(other, _)| *other == factor);
        let before = stamps.map(|(_, stamp)| self.event.now.saturating_sub(*stamp));
        passed.map(|passed| passed.age).chain(before).min()
    }

    fn json(&self, variable: &Variable, value: &FactValue) -> Json {
        match (value, &variable.ty) {
            (FactValue::Bool(value), _) => (*value).into(),
            (FactValue::Number(number), Type::Int) => (*number).into(),
            (FactValue::Text(text), _) => text.as_str().into(),
            (FactValue::TextList(texts), _) => texts.clone().into(),
            (FactValue::FactorSet(mask), _) => self.names(*mask),
            (FactValue::Number(_) | FactValue::Ip(_) | FactValue::Factor(_), _) => {
                self.words().value(variable, value).into()
            }
        }
    }
}

/// A value without what is too long to tell.
fn shortened(value: &FactValue) -> FactValue {
    match value {
        FactValue::Text(text) => FactValue::Text(shortened_text(text)),
        FactValue::TextList(texts) => {
            let mut told: Vec<String> =
                texts.iter().take(MAX_ELEMENTS).map(|text| shortened_text(text)).collect();
            if let Some(more @ 1..) = texts.len().checked_sub(MAX_ELEMENTS) {
                told.push(format!("… {more} more"));
            }
            FactValue::TextList(told)
        }
        other => other.clone(),
    }
}

fn shortened_text(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    format!("{}…", text.get(..end).unwrap_or_default())
}
