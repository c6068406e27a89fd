//! Random logins for the facts of `typed`: raw values, as an event or slot by slot.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};
use stepup::check::policy::*;
use stepup::lower::layout::Layout;
use stepup::runtime::Facts;

use super::choices::Choices;
use super::typed::{APPS, INTS, NOON, SPANS, TEXTS, Vocabulary};

/// A value as the event holds it.
#[derive(Clone, PartialEq, Debug)]
pub enum Raw {
    Bool(bool),
    Int(i64),
    /// A string, a factor's name, an enum's text.
    Text(String),
    /// Milliseconds since 1970.
    Time(i64),
    /// Whole seconds.
    Seconds(i64),
    Ip(IpAddr),
    /// A list of strings, a set of factors' names.
    Texts(Vec<String>),
}

/// One entry of the session's authentication methods.
#[derive(Clone, Debug)]
pub struct Method {
    pub name: String,
    pub factor: Option<String>,
    pub stamp: i64,
}

/// One login.
#[derive(Clone, Debug)]
pub struct Login {
    /// What the event holds; `None` for what it lacks.
    pub values: BTreeMap<VariableId, Option<Raw>>,
    /// Whether a lacking value stands there as `null`.
    pub writes_null: bool,
    pub has_organization: bool,
    /// `None` without `event.authentication`.
    pub methods: Option<Vec<Method>>,
    /// `None` without `event.user.enrolledFactors`.
    pub enrolled: Option<Vec<String>>,
    pub in_login: Vec<String>,
    pub now: i64,
}

const FACTORS: [&str; 8] =
    ["otp", "phone", "email", "webauthn-roaming", "recovery-code", "push-notification", "sms-legacy", "duo"];
const ADDRESSES: [&str; 8] = [
    "10.1.2.3",
    "10.1.9.9",
    "10.9.9.9",
    "192.168.1.1",
    "8.8.8.8",
    "2001:db8:1::5",
    "2001:db8:2::5",
    "::ffff:10.1.2.3",
];

/// A random login.
pub fn login(vocabulary: &Vocabulary, choices: &mut Choices<'_>) -> Login {
    let has_organization = choices.below(2) == 0;
    let methods = (!choices.rarely(4)).then(|| methods(choices));
    let mut values = BTreeMap::new();
    for (id, variable) in vocabulary.variables.iter() {
        let value = match (variable.name.as_str(), variable.path[0].key.as_str()) {
            ("methods", _) => methods
                .as_ref()
                .map(|methods| Raw::Texts(methods.iter().map(|method| method.name.clone()).collect())),
            ("org.id" | "org.name", _) => has_organization.then(|| raw(variable, choices)),
            (_, "organization") if !has_organization => None,
            _ if variable.absence != Absence::Refused && choices.below(3) == 0 => None,
            _ => Some(raw(variable, choices)),
        };
        values.insert(id, value);
    }
    Login {
        values,
        writes_null: choices.below(2) == 0,
        has_organization,
        methods,
        enrolled: (!choices.rarely(6)).then(|| owned(choices.some_of(&FACTORS))),
        in_login: owned(choices.some_of(&FACTORS)),
        now: instant(choices),
    }
}

fn methods(choices: &mut Choices<'_>) -> Vec<Method> {
    let count = choices.below(5);
    let method = |_| {
        let is_second_factor = choices.below(4) != 0;
        Method {
            name: if is_second_factor { "mfa" } else { *choices.one_of(&["pwd", "passkey", "federated"]) }
                .to_owned(),
            factor: (is_second_factor && !choices.rarely(8)).then(|| (*choices.one_of(&FACTORS)).to_owned()),
            stamp: instant(choices) - choices.one_of(&SPANS),
        }
    };
    (0..count).map(method).collect()
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn instant(choices: &mut Choices<'_>) -> i64 {
    let day = 86_400_000;
    *choices.one_of(&[NOON, NOON - 5_000, NOON - 4_999, NOON + 1, NOON + day, NOON - 12 * 3_600_000, -1, 0])
}

fn raw(variable: &Variable, choices: &mut Choices<'_>) -> Raw {
    match &variable.ty {
        Type::Bool => Raw::Bool(choices.below(2) == 0),
        Type::Int => Raw::Int(*choices.one_of(&INTS)),
        Type::Text if variable.name == "client" => Raw::Text((*choices.one_of(&APPS)).to_owned()),
        Type::Text => Raw::Text((*choices.one_of(&TEXTS)).to_owned()),
        Type::Time => Raw::Time(instant(choices)),
        Type::Duration => Raw::Seconds(choices.one_of(&SPANS) / 1000),
        Type::Ip => Raw::Ip(choices.one_of(&ADDRESSES).parse().unwrap()),
        Type::Factor => Raw::Text((*choices.one_of(&FACTORS)).to_owned()),
        Type::TextList => {
            let mut texts = choices.some_of(&TEXTS);
            // Items of a split text are trimmed, and empty ones dropped.
            texts.retain(|text| variable.split.is_none() || !text.is_empty());
            Raw::Texts(owned(texts))
        }
        Type::FactorSet => Raw::Texts(owned(choices.some_of(&FACTORS))),
        Type::OpenEnum(_) => Raw::Text((*choices.one_of(&["low", "medium", "high", "odd"])).to_owned()),
        Type::OrderedEnum(_) => Raw::Text((*choices.one_of(&["low", "medium", "high"])).to_owned()),
    }
}

impl Login {
    /// The login as the platform's event.
    pub fn event(&self, vocabulary: &Vocabulary) -> Json {
        let mut event = Map::new();
        for (id, value) in &self.values {
            let variable = &vocabulary.variables[*id];
            let is_in_organization = variable.path[0].key == "organization";
            if variable.name == "methods" || is_in_organization && !self.has_organization {
                continue;
            }
            match value {
                Some(value) => put(&mut event, &variable.path, json(variable, value)),
                None if self.writes_null => put(&mut event, &variable.path, Json::Null),
                None => {}
            }
        }
        if let Some(methods) = &self.methods {
            let entries = methods.iter().map(|method| {
                let mut entry = Map::new();
                entry.insert("timestamp".into(), time(method.stamp));
                if let Some(factor) = &method.factor {
                    entry.insert("type".into(), factor.clone().into());
                }
                entry.insert("name".into(), method.name.clone().into());
                Json::Object(entry)
            });
            event
                .insert("authentication".into(), serde_json::json!({"methods": entries.collect::<Vec<_>>()}));
        }
        if let Some(enrolled) = &self.enrolled {
            let entries =
                enrolled.iter().map(|factor| serde_json::json!({"options": {"x": [1]}, "type": factor}));
            let user = event.entry("user").or_insert_with(|| Json::Object(Map::new()));
            user["enrolledFactors"] = entries.collect();
        }
        event.insert("extra".into(), serde_json::json!({"nested": [{"deep": null}], "user": {"email": 5}}));
        Json::Object(event)
    }

    /// Gives what no event gives.
    pub fn fill_host(&self, facts: &mut Facts) {
        facts.set_now(Timestamp::from_millisecond(self.now).unwrap());
        facts.set_performed_in_login(&self.in_login.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Fills all facts through slots, also those that the policy doesn't read.
    pub fn fill_slots(&self, vocabulary: &Vocabulary, facts: &mut Facts) {
        facts.reset();
        for (id, value) in &self.values {
            fill(facts, &vocabulary.variables[*id], value.as_ref());
        }
        let names: Vec<&str> = self.enrolled.iter().flatten().map(String::as_str).collect();
        facts.set_enrolled(&names);
        let uses =
            self.second_factors().map(|(name, stamp)| (name, Timestamp::from_millisecond(stamp).unwrap()));
        facts.set_performed(&uses.collect::<Vec<_>>());
        self.fill_host(facts);
    }

    /// The second factors passed in the session, in the event's order.
    pub fn second_factors(&self) -> impl Iterator<Item = (&str, i64)> {
        let second = self.methods.iter().flatten().filter(|method| method.name == "mfa");
        second.filter_map(|method| Some((method.factor.as_deref()?, method.stamp)))
    }
}

fn put(object: &mut Map<String, Json>, path: &[Segment], value: Json) {
    let (segment, rest) = path.split_first().expect("a path has a key");
    if rest.is_empty() {
        object.insert(segment.key.clone(), value);
        return;
    }
    let inner = object.entry(segment.key.clone()).or_insert_with(|| Json::Object(Map::new()));
    put(inner.as_object_mut().expect("parents are objects"), rest, value);
}

fn time(instant: i64) -> Json {
    Timestamp::from_millisecond(instant).unwrap().to_string().into()
}

fn json(variable: &Variable, value: &Raw) -> Json {
    match value {
        Raw::Bool(value) => (*value).into(),
        Raw::Int(value) | Raw::Seconds(value) => (*value).into(),
        Raw::Text(text) => text.clone().into(),
        Raw::Time(instant) => time(*instant),
        Raw::Ip(address) => address.to_string().into(),
        Raw::Texts(texts) => match &variable.split {
            Some(separator) => format!(" {} {separator} ", texts.join(&format!("{separator}\t "))).into(),
            None => texts.clone().into(),
        },
    }
}

fn fill(facts: &mut Facts, variable: &Variable, value: Option<&Raw>) {
    let layout = std::sync::Arc::clone(facts.layout());
    let name = variable.name.as_str();
    macro_rules! set {
        ($ty:ty, $value:expr) => {
            facts.set(&layout.slot::<$ty>(name).unwrap(), $value).unwrap()
        };
    }
    match value {
        None => absent(facts, &layout, variable),
        Some(Raw::Bool(value)) => set!(bool, *value),
        Some(Raw::Int(value)) => set!(i64, *value),
        Some(Raw::Text(text)) => set!(&str, text),
        Some(Raw::Time(instant)) => set!(Timestamp, Timestamp::from_millisecond(*instant).unwrap()),
        Some(Raw::Seconds(seconds)) => set!(SignedDuration, SignedDuration::from_secs(*seconds)),
        Some(Raw::Ip(address)) => set!(IpAddr, *address),
        Some(Raw::Texts(texts)) => set!(&[&str], &texts.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

fn absent(facts: &mut Facts, layout: &std::sync::Arc<Layout>, variable: &Variable) {
    macro_rules! absent {
        ($ty:ty) => {
            facts.set_absent(&layout.slot::<$ty>(&variable.name).unwrap()).unwrap()
        };
    }
    match variable.ty {
        Type::Bool => absent!(bool),
        Type::Int => absent!(i64),
        Type::Text | Type::Factor | Type::OpenEnum(_) | Type::OrderedEnum(_) => absent!(&str),
        Type::Time => absent!(Timestamp),
        Type::Duration => absent!(SignedDuration),
        Type::Ip => absent!(IpAddr),
        Type::TextList | Type::FactorSet => absent!(&[&str]),
    }
}
