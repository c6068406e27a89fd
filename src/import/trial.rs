//! Logins to try Action and policy on: random ones, and one for each thing that the flow's proofs say a login can meet.
//!
//! A random event has what the typings demand, each optional part or not, and in the places that the policy reads the
//! values that the code compares with, and others. It begins with a number, so that the same import tries the same.

use serde_json::{Map, Value as Json, json};

use super::factor::Factor;
use super::facts::{Facts, Kind};
use super::uses::Uses;
use crate::check::masks::factors;
use crate::check::policy::{Absence, Each, Segment, Type, TypedPolicy, Variable};
use crate::trace::{Event, FactValue, instant};

/// What events are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Trials {
    places: Vec<Place>,
    /// Windows and ages that the code asks for, in milliseconds.
    ages: Vec<i64>,
    /// The names of methods that the code asks for.
    methods: Vec<String>,
}

/// What of the optional parts an event has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// Some, by chance.
    Some,
    All,
}

/// A place of the event.
#[derive(Clone, Debug)]
struct Place {
    /// Each key, and whether the value under it may be absent.
    keys: Vec<(String, bool)>,
    kind: Kind,
    separator: Option<String>,
    texts: Vec<String>,
    numbers: Vec<i64>,
    is_read: bool,
}

/// A Saturday at noon.
const NOON: i64 = 1_769_860_800_000;
const HOUR: i64 = 3_600_000;

impl Trials {
    pub(super) fn new(facts: &Facts, uses: &Uses) -> Trials {
        let typed = facts.leaves().map(|(path, place)| (path.clone(), place.kind));
        let read = uses.facts.keys().filter(|path| facts.is_metadata(path));
        let metadata = read.map(|path| (path.to_vec(), facts.kind(path).unwrap_or(Kind::Bool)));
        let places = typed.chain(metadata).map(|(path, kind)| {
            let keys = path.iter().enumerate();
            let keys = keys.map(|(at, key)| (key.clone(), facts.is_optional_at(&path, at + 1))).collect();
            let path = std::rc::Rc::new(path);
            Place {
                keys,
                kind,
                separator: facts.separator(&path).map(str::to_owned),
                texts: uses.texts.get(&path).into_iter().flatten().cloned().collect(),
                numbers: uses.numbers.get(&path).into_iter().flatten().copied().collect(),
                is_read: uses.facts.contains_key(&path),
            }
        });
        let methods = uses.texts.get(&super::lists::methods_path());
        Trials {
            places: places.collect(),
            ages: uses.ages.iter().copied().collect(),
            methods: methods.into_iter().flatten().cloned().collect(),
        }
    }

    /// An event, and its instant.
    pub(super) fn event(&self, parts: Parts, chance: &mut Chance) -> (Json, i64) {
        let now = NOON + chance.below(24 * 14) as i64 * HOUR + chance.below(3) as i64;
        let mut event = json!({});
        let mut absent: Vec<Vec<String>> = Vec::new();
        for place in &self.places {
            let mut path: Vec<String> = Vec::new();
            let mut at = &mut event;
            let last = place.keys.len().saturating_sub(1);
            for (index, (key, may_be_absent)) in place.keys.iter().enumerate() {
                path.push(key.clone());
                if absent.contains(&path) {
                    break;
                }
                let is_there = at.get(key).is_some();
                if !is_there && *may_be_absent && parts == Parts::Some && chance.below(4) == 0 {
                    absent.push(path.clone());
                    break;
                }
                let object = match at {
                    Json::Object(object) => object,
                    other => {
                        *other = json!({});
                        let Json::Object(object) = other else { break };
                        object
                    }
                };
                if index == last && place.kind != Kind::Object {
                    object.insert(key.clone(), self.value(place, now, chance));
                    break;
                }
                at = object.entry(key.clone()).or_insert_with(|| json!({}));
            }
        }
        (event, now)
    }

    fn value(&self, place: &Place, now: i64, chance: &mut Chance) -> Json {
        match place.kind {
            Kind::Bool => json!(chance.below(2) == 0),
            Kind::Int => {
                let bounds = place.numbers.iter().flat_map(|bound| [bound - 1, *bound, bound + 1]);
                let all: Vec<i64> = bounds.chain([0, 1, 7]).collect();
                json!(chance.one_of(&all).copied().unwrap_or(1))
            }
            Kind::Text => json!(place.text(chance)),
            Kind::Words(words) => json!(chance.one_of(words).copied().unwrap_or_default()),
            Kind::Ip => json!(place.address(chance)),
            Kind::Time => json!(instant(self.time(place, now, chance))),
            Kind::Texts => place.list(chance),
            Kind::FactorTexts => place.joined(some_factors(chance)),
            Kind::Enrolled => some_factors(chance).into_iter().map(|name| json!({"type": name})).collect(),
            Kind::Methods => self.some_methods(now, chance),
            Kind::Unread => json!([]),
            Kind::Object => json!({}),
        }
    }

    fn time(&self, place: &Place, now: i64, chance: &mut Chance) -> i64 {
        let instants = place.numbers.iter().flat_map(|bound| [bound - 1, *bound, bound + 1]);
        let ages = self.ages.iter().flat_map(|age| [age - 1, *age, age + 1]).map(|age| now - age);
        let all: Vec<i64> = instants.chain(ages).chain([now - 1000, now - 400 * 24 * HOUR]).collect();
        chance.one_of(&all).copied().unwrap_or(now)
    }

    /// Each factor at most once, and never exactly at the end of a window: there a policy may differ, and says so.
    fn some_methods(&self, now: i64, chance: &mut Chance) -> Json {
        let mut names = vec!["pwd", "federated", "passkey", "sms", "email"];
        names.extend(self.methods.iter().map(String::as_str).filter(|name| *name != "mfa"));
        let stamp = |chance: &mut Chance| {
            let ages = self.ages.iter().flat_map(|age| [age - 1, age + 1, age - 1000]);
            let all: Vec<i64> = ages.chain([1000, 40 * 24 * HOUR]).collect();
            instant(now - chance.one_of(&all).copied().unwrap_or(1000))
        };
        let mut methods = Vec::new();
        for _ in 0..chance.below(3) {
            let name = chance.one_of(&names).copied().unwrap_or("pwd");
            methods.push(json!({"name": name, "timestamp": stamp(chance)}));
        }
        for factor in some_factors(chance) {
            methods.push(json!({"name": "mfa", "type": factor, "timestamp": stamp(chance)}));
        }
        Json::Array(methods)
    }
}

impl Place {
    fn text(&self, chance: &mut Chance) -> String {
        let known = chance.one_of(&self.texts).cloned().filter(|_| chance.below(4) != 0);
        match known {
            Some(text) if chance.below(8) == 0 => text.to_uppercase(),
            Some(text) => text,
            None if !self.is_read => "something".to_owned(),
            None => chance
                .one_of(&["something", "user@elsewhere.org", ""])
                .copied()
                .unwrap_or_default()
                .to_owned(),
        }
    }

    fn address(&self, chance: &mut Chance) -> String {
        let known = self.texts.iter().map(|text| match text.split_once('/') {
            Some((network, _)) => {
                format!("{}9", network.trim_end_matches(".0").to_owned() + ".0.0.0.").replace("..", ".")
            }
            None => text.clone(),
        });
        let known = known.map(|text| first_four(&text));
        let all: Vec<String> = known.chain(["198.51.100.7".to_owned(), "2001:db8::1".to_owned()]).collect();
        chance.one_of(&all).cloned().unwrap_or_default()
    }

    fn list(&self, chance: &mut Chance) -> Json {
        let mut texts: Vec<String> = self.texts.iter().filter(|_| chance.below(3) == 0).cloned().collect();
        if chance.below(3) == 0 {
            texts.push("something".to_owned());
        }
        self.joined(texts)
    }

    fn joined(&self, texts: Vec<String>) -> Json {
        match &self.separator {
            Some(separator) => json!(texts.join(separator)),
            None => json!(texts),
        }
    }
}

/// The first four numbers of an address that has too many; any other stays.
fn first_four(address: &str) -> String {
    if address.contains(':') {
        return address.to_owned();
    }
    address.split('.').filter(|part| !part.is_empty()).take(4).collect::<Vec<_>>().join(".")
}

/// In the catalog's order, as a policy shows them.
fn some_factors(chance: &mut Chance) -> Vec<String> {
    match chance.below(5) {
        0 => Vec::new(),
        1 => Factor::all().nth(chance.below(7)).into_iter().map(|factor| factor.name().to_owned()).collect(),
        _ => Factor::all().filter(|_| chance.below(3) == 0).map(|factor| factor.name().to_owned()).collect(),
    }
}

/// Numbers that look random and are not (splitmix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another; 0 below 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound.max(1)
    }

    fn one_of<'c, T>(&mut self, choices: &'c [T]) -> Option<&'c T> {
        let at = self.below(choices.len());
        choices.get(at)
    }
}

// -- logins that the proofs name ----------------------------------------------------------------------------------------

/// A login of the proofs as an event, over an event that has the rest.
pub(super) fn event_of(typed: &TypedPolicy, login: &Event, base: &Json) -> Json {
    let mut event = base.clone();
    for (id, presence) in &typed.presences {
        if login.presences.get(&id) != Some(&true) {
            remove(&mut event, &presence.path);
        }
    }
    let is_there = |path: &[Segment]| {
        let leads_there = typed.presences.iter().filter(|(_, presence)| path.starts_with(&presence.path));
        leads_there.into_iter().all(|(id, _)| login.presences.get(&id) == Some(&true))
    };
    for (id, variable) in &typed.variables {
        match login.variables.get(&id) {
            // A default says that there is nothing, and nothing is what leads there.
            _ if !is_there(&variable.path) => {}
            Some(value) => {
                let value = json_of(typed, variable, value);
                put(&mut event, &variable.path, value);
            }
            None if matches!(variable.absence, Absence::Tracked(at) if login.presences.get(&at) != Some(&true)) =>
            {
                remove(&mut event, &variable.path);
            }
            // The login doesn't care, and the typings demand some value.
            None => {}
        }
    }
    let names =
        |mask| factors(&typed.catalog, mask).map(|factor| typed.catalog.factors[factor].name.as_str());
    let enrolled: Vec<Json> = names(login.enrolled).map(|name| json!({"type": name})).collect();
    if let Some(user) = event.get_mut("user").and_then(Json::as_object_mut) {
        user.insert("enrolledFactors".to_owned(), Json::Array(enrolled));
    }
    let performed = login.performed.iter().map(|(factor, stamp)| {
        json!({"name": "mfa", "type": typed.catalog.factors[*factor].name, "timestamp": instant(*stamp)})
    });
    let performed: Vec<Json> = performed.collect();
    add_methods(&mut event, performed);
    event
}

/// The methods of a login: those of its names, with the second factors.
fn add_methods(event: &mut Json, performed: Vec<Json>) {
    let methods =
        event.pointer("/authentication/methods").and_then(Json::as_array).cloned().unwrap_or_default();
    let others = methods.into_iter().filter(|method| method.get("name").is_some_and(|name| name != "mfa"));
    let all: Vec<Json> = others.chain(performed).collect();
    if all.is_empty() && event.get("authentication").is_none() {
        return;
    }
    if let Some(event) = event.as_object_mut() {
        let authentication = event.entry("authentication").or_insert_with(|| json!({}));
        if let Some(authentication) = authentication.as_object_mut() {
            authentication.insert("methods".to_owned(), Json::Array(all));
        }
    }
}

fn json_of(typed: &TypedPolicy, variable: &Variable, value: &FactValue) -> Json {
    let joined = |texts: Vec<String>| match &variable.split {
        Some(separator) => json!(texts.join(separator)),
        None => json!(texts),
    };
    match (value, &variable.ty) {
        (FactValue::Bool(value), _) => json!(value),
        (FactValue::Number(number), Type::Time) => json!(instant(*number)),
        (FactValue::Number(number), Type::Duration) => json!(number / 1000),
        (FactValue::Number(number), Type::OpenEnum(words) | Type::OrderedEnum(words)) => {
            let word = usize::try_from(*number).ok().and_then(|at| words.get(at));
            json!(word.map_or("another word", String::as_str))
        }
        (FactValue::Number(number), _) => json!(number),
        (FactValue::Text(text), _) => json!(text),
        (FactValue::Ip(address), _) => json!(address.to_string()),
        (FactValue::Factor(factor), _) => {
            json!(factor.map_or("another factor", |factor| typed.catalog.factors[factor].name.as_str()))
        }
        (FactValue::TextList(texts), _) => joined(texts.clone()),
        (FactValue::FactorSet(mask), _) => {
            let names =
                factors(&typed.catalog, *mask).map(|factor| typed.catalog.factors[factor].name.clone());
            joined(names.collect())
        }
    }
}

fn put(event: &mut Json, path: &[Segment], value: Json) {
    let Some((segment, rest)) = path.split_first() else {
        *event = value;
        return;
    };
    if !event.is_object() {
        *event = json!({});
    }
    let Json::Object(object) = event else { return };
    let inner: &mut Json = object.entry(segment.key.clone()).or_insert_with(|| json!({}));
    if segment.each == Each::Element {
        let values = value.as_array().cloned().unwrap_or_default();
        let elements = values.into_iter().map(|value| {
            let mut element = Json::Object(Map::new());
            put(&mut element, rest, value);
            element
        });
        *inner = elements.collect();
        return;
    }
    put(inner, rest, value);
}

fn remove(event: &mut Json, path: &[Segment]) {
    let Some((segment, rest)) = path.split_first() else { return };
    let Json::Object(object) = event else { return };
    if rest.is_empty() || segment.each == Each::Element {
        object.remove(&segment.key);
    } else if let Some(inner) = object.get_mut(&segment.key) {
        remove(inner, rest);
    }
}
