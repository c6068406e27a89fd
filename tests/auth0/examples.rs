//! The policies of `examples/`: each login that their tests tell, played to its end, with the Action of each step run on
//! the event as it stands when the step begins.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use stepup::check::policy::{
    Absence, Each, Expectation, FactorId, Segment, TestClauseKind, Type, TypedPolicy, Variable,
};
use stepup::play::{Happening, Player, World};
use stepup::trace::{Event, FactValue};
use stepup::{Compiled, Compiler};

use super::case::Case;
use super::flow::{Emission, emit};
use super::node;
use super::reference::{Reference, calls_and_end};

/// The names and texts of the examples, sorted by name.
pub(crate) fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let policies = paths.filter(|path| path.extension().is_some_and(|extension| extension == "stepup"));
    let named = policies.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    let mut examples: Vec<_> = named.collect();
    examples.sort();
    examples
}

/// Plays all tests of an example; gives what was run.
fn play(name: &str, text: &str) -> Vec<Case> {
    let compiled = Compiler::new().compile([(name, text)]).unwrap();
    let emitted = emit(&compiled).unwrap_or_else(|report| panic!("{report}"));
    let emission = Emission::new(name, &emitted, Reference::of(&compiled));
    let mut cases = Vec::new();
    for test in &compiled.typed.tests {
        for row in &test.runs {
            let mut world = World::new(&compiled.typed);
            row.given.iter().for_each(|given| world.give(&compiled.typed, given));
            let about = format!("{name}: {}", test.name);
            let mut login = Told::new(&compiled, &emission, world, &about);
            test.clauses.iter().for_each(|clause| login.clause(&clause.kind));
            login.finish();
            cases.extend(login.cases);
        }
    }
    cases
}

/// A login that a test tells.
struct Told<'p> {
    typed: &'p TypedPolicy,
    emission: &'p Emission<'p>,
    player: Player<'p>,
    /// What was passed in this login, and when.
    passed: Vec<(FactorId, i64)>,
    /// The transaction's, from one Action to the next.
    metadata: Map<String, Json>,
    about: String,
    ended: bool,
    cases: Vec<Case>,
}

#[derive(Clone, Copy, PartialEq)]
enum UpTo {
    Decision,
    Prompt,
    End,
}

impl<'p> Told<'p> {
    fn new(compiled: &'p Compiled, emission: &'p Emission<'p>, world: World, about: &str) -> Self {
        Told {
            typed: &compiled.typed,
            emission,
            player: Player::new(&compiled.typed, &compiled.policy, world),
            passed: Vec::new(),
            metadata: Map::new(),
            about: about.to_owned(),
            ended: false,
            cases: Vec::new(),
        }
    }

    fn clause(&mut self, clause: &TestClauseKind) {
        match clause {
            TestClauseKind::Given(facts) => {
                facts.iter().for_each(|given| self.player.world.give(self.typed, given));
            }
            TestClauseKind::Expect(Expectation::Nothing | Expectation::Commands(_)) => {
                self.go(UpTo::Decision)
            }
            TestClauseKind::Expect(Expectation::Prompt(_)) => self.go(UpTo::Prompt),
            TestClauseKind::Expect(Expectation::Log { .. }) => {}
            TestClauseKind::Expect(_) => self.go(UpTo::End),
            TestClauseKind::Choose(factors) => factors.iter().for_each(|factor| self.choose(*factor)),
            TestClauseKind::Abandon => {
                self.go(UpTo::Prompt);
                self.player.abandon().unwrap();
                self.ended = true;
            }
        }
    }

    /// A test may end before its login does: the user then takes the first factor of each prompt.
    fn finish(&mut self) {
        while !self.ended {
            self.go(UpTo::Prompt);
            if let Some(factor) = self.player.offered().first() {
                self.choose(*factor);
            }
        }
    }

    fn choose(&mut self, factor: FactorId) {
        self.go(UpTo::Prompt);
        self.player.choose(factor).unwrap();
        self.passed.push((factor, self.player.world.event.now));
    }

    /// Lets the login go on until there is what is wanted, or it ends.
    fn go(&mut self, up_to: UpTo) {
        while !self.ended {
            let before = self.player.event_now();
            match self.player.advance().unwrap() {
                Happening::Decided { step, run } => {
                    let expected = calls_and_end(self.typed, &run);
                    self.run(step.as_u32() as usize, &before, expected);
                    if up_to == UpTo::Decision {
                        return;
                    }
                }
                Happening::Skipped { .. } => {}
                Happening::Prompt { .. } => return,
                Happening::Ended { .. } => self.ended = true,
            }
        }
    }

    /// Runs the Action of a step that has decided.
    fn run(&mut self, step: usize, before: &Event, expected: Vec<Json>) {
        let mut event = event_of(self.typed, before, &self.passed);
        if !self.metadata.is_empty() {
            put(&mut event, &["transaction", "metadata"], self.metadata.clone().into());
        }
        let about = self.about.as_str().into();
        let code = self.emission.codes[step].clone();
        let case = Case { about, code, event, now: before.now, expected };
        self.metadata = case.run().metadata;
        self.cases.push(case);
    }
}

/// The event that has these facts: what a server would have read them from.
fn event_of(typed: &TypedPolicy, facts: &Event, passed: &[(FactorId, i64)]) -> Json {
    let mut event = json!({"user": {}});
    // What may be missing and is there, also where no fact under it has a value.
    for (presence, row) in &typed.presences {
        let is_parent = typed.presences.values().any(|other| other.parent == Some(presence))
            || typed
                .variables
                .values()
                .any(|variable| variable.path.len() > row.path.len() && variable.path.starts_with(&row.path));
        if facts.presences.get(&presence).copied().unwrap_or(false) && is_parent {
            put(&mut event, &keys(&row.path), json!({}));
        }
    }
    for (id, variable) in &typed.variables {
        let is_there = match variable.absence {
            Absence::Tracked(presence) => facts.presences.get(&presence).copied().unwrap_or(false),
            Absence::Refused | Absence::Default(_) => true,
        };
        match facts.variables.get(&id) {
            Some(value) if gathers(variable) => gather(&mut event, variable, value),
            Some(value) => put(&mut event, &keys(&variable.path), written(typed, variable, value)),
            // No test gives what its login doesn't look at; an event has it all the same.
            None if is_there && gathers(variable) => {
                add(&mut event, &keys(until_array(variable)), Vec::new())
            }
            None if is_there => put(&mut event, &keys(&variable.path), some_value(variable)),
            None => {}
        }
    }
    let names = stepup::check::masks::factors(&typed.catalog, facts.enrolled);
    let enrolled: Vec<Json> = names.map(|id| json!({"type": typed.catalog.factors[id].name})).collect();
    let stamps = facts.performed.iter().chain(passed);
    let methods = stamps.map(|(factor, at)| {
        json!({"name": "mfa", "type": typed.catalog.factors[*factor].name, "timestamp": instant(*at)})
    });
    put(&mut event, &["user", "enrolledFactors"], enrolled.into());
    add(&mut event, &["authentication", "methods"], methods.collect());
    event
}

fn gathers(variable: &Variable) -> bool {
    variable.path.iter().any(|segment| segment.each == Each::Element)
}

/// The path down to the array that is gathered from.
fn until_array(variable: &Variable) -> &[Segment] {
    let array = variable.path.iter().position(|segment| segment.each == Each::Element).unwrap();
    &variable.path[..=array]
}

/// A list that is gathered from a key of each element, one element a text.
fn gather(event: &mut Json, variable: &Variable, value: &FactValue) {
    let FactValue::TextList(texts) = value else { panic!("{variable:?} gathers no texts") };
    let down = until_array(variable);
    let below = &variable.path[down.len()..];
    let elements = texts.iter().map(|text| {
        let mut element = json!(null);
        put(&mut element, &keys(below), json!(text));
        element
    });
    add(event, &keys(down), elements.collect());
}

fn written(typed: &TypedPolicy, variable: &Variable, value: &FactValue) -> Json {
    match (value, &variable.ty) {
        (FactValue::Bool(value), _) => json!(value),
        (FactValue::Number(at), Type::Time) => json!(instant(*at)),
        (FactValue::Number(length), Type::Duration) => json!(length / 1000),
        (FactValue::Number(number), Type::OpenEnum(values) | Type::OrderedEnum(values)) => {
            json!(values.get(*number as usize).map_or("a new value", String::as_str))
        }
        (FactValue::Number(number), _) => json!(number),
        (FactValue::Text(text), _) => json!(text),
        (FactValue::Ip(address), _) => json!(address.to_string()),
        (FactValue::Factor(factor), _) => {
            json!(factor.map_or("another", |factor| &typed.catalog.factors[factor].name))
        }
        (FactValue::TextList(texts), _) => listed(variable, texts.iter().map(String::as_str)),
        (FactValue::FactorSet(mask), _) => {
            let names = stepup::check::masks::factors(&typed.catalog, *mask);
            listed(variable, names.map(|id| typed.catalog.factors[id].name.as_str()))
        }
    }
}

fn some_value(variable: &Variable) -> Json {
    match &variable.ty {
        Type::Bool => json!(false),
        Type::Int | Type::Duration => json!(0),
        Type::Text | Type::Factor | Type::OpenEnum(_) => json!("another"),
        Type::OrderedEnum(values) => json!(values[0]),
        Type::Time => json!(instant(0)),
        Type::Ip => json!("::"),
        Type::TextList | Type::FactorSet => listed(variable, [].into_iter()),
    }
}

/// Texts as a list, or as one text to split.
fn listed<'a>(variable: &Variable, texts: impl Iterator<Item = &'a str>) -> Json {
    let texts: Vec<&str> = texts.collect();
    variable.split.as_ref().map_or_else(|| json!(texts), |separator| json!(texts.join(separator)))
}

fn instant(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap().to_string()
}

fn keys(path: &[Segment]) -> Vec<&str> {
    path.iter().map(|segment| segment.key.as_str()).collect()
}

/// What stands at these keys, with objects around it; nothing yet, if nothing did.
fn place<'e>(event: &'e mut Json, keys: &[&str]) -> &'e mut Json {
    keys.iter().fold(event, |at, key| &mut at[*key])
}

fn put(event: &mut Json, keys: &[&str], value: Json) {
    let place = place(event, keys);
    if place.is_null() {
        *place = value;
    }
}

/// Adds elements to a list.
fn add(event: &mut Json, keys: &[&str], elements: Vec<Json>) {
    let place = place(event, keys);
    if place.is_null() {
        *place = json!([]);
    }
    place.as_array_mut().unwrap().extend(elements);
}

#[test]
fn every_login_of_every_examples_tests_calls_what_it_decides() {
    let mut all = Vec::new();
    for (name, text) in examples() {
        let cases = play(&name, &text);
        assert!(!cases.is_empty(), "{name}");
        all.extend(cases);
    }
    node::run("examples", &all);
}
