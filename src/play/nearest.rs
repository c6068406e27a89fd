//! The smallest changes of a login's facts that would change a decision.
//!
//! Only what the step looked at can matter, and each fact only tells apart the values that stand in the policy. So each
//! value worth trying is one near a constant that the policy compares the fact with, and few facts have to be tried:
//! first one change at a time, then, where no single one is enough, two.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::world::World;
use crate::check::masks::{bit, factors};
use crate::check::policy::{
    Absence, ConditionKind, ListTest, Moment, Number, StepId, TextTest, Type, TypedPolicy, VariableId, View,
};
use crate::trace::{FactValue, Looked, Session, StepEnd, StepRun, Words, duration, instant, quoted};

/// How many decisions are tried at most.
const MOST_TRIES: usize = 20_000;

/// A change of facts, and what the step would decide then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// The facts as they would have to be: `user.isAdmin = true`.
    pub facts: Vec<String>,
    /// The decision, as the language writes commands; `nothing`, or `denied "…"`.
    pub then: String,
}

/// The smallest changes to a login's facts with which a step would decide otherwise: single facts, or pairs where no
/// single one is enough. One entry for each other decision and fact.
///
/// ```
/// # use stepup::{Compiler, play};
/// let compiled = Compiler::new().compile([("p.stepup", "if user.isAdmin and enrolled(otp) then challenge otp")])?;
/// let world = play::World::new(&compiled.typed);
/// let step = compiled.typed.steps.keys().next().unwrap();
/// let changes = play::nearest(&compiled.typed, step, &world);
/// assert_eq!(changes[0].facts, ["user.isAdmin = true", "enrolled = [otp]"]);
/// assert_eq!(changes[0].then, "challenge otp");
/// # Ok::<(), stepup::Report>(())
/// ```
pub fn nearest(policy: &TypedPolicy, step: StepId, world: &World) -> Vec<Change> {
    let mut search = Search { policy, step, tries: 0 };
    let Some(now) = search.decide(world) else { return Vec::new() };
    let single = search.changes_of(world);
    let mut found = search.that_decide_otherwise(&now, single.iter().cloned());
    if found.is_empty() {
        let pairs = single.into_iter().flat_map(|first| {
            let more = Search { policy, step, tries: 0 }.changes_of(&first.world);
            more.into_iter().filter_map(move |second| {
                let other_fact = second.fact != first.fact;
                other_fact.then(|| Changed {
                    fact: first.fact.clone(),
                    told: [first.told.clone(), second.told].concat(),
                    world: second.world,
                })
            })
        });
        found = search.that_decide_otherwise(&now, pairs);
    }
    found
}

/// A world with one fact changed, or two.
#[derive(Clone)]
struct Changed {
    fact: Fact,
    told: Vec<String>,
    world: World,
}

/// What was changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Variable(VariableId),
    Enrolled,
    Performed,
    Now,
}

struct Search<'a> {
    policy: &'a TypedPolicy,
    step: StepId,
    tries: usize,
}

impl<'a> Search<'a> {
    fn run(&self, world: &World) -> Option<StepRun<'a>> {
        let step = self.policy.steps.get(self.step)?;
        Some(Session::default().run(self.policy, step, &world.event))
    }

    /// What the step decides, told as the language writes it; nothing once enough was tried.
    fn decide(&mut self, world: &World) -> Option<String> {
        self.tries += 1;
        if self.tries > MOST_TRIES {
            return None;
        }
        let run = self.run(world)?;
        let words = Words { policy: self.policy };
        let commands: Vec<String> =
            run.commands.iter().map(|executed| words.command(executed.command, &executed.offered)).collect();
        Some(match run.end {
            StepEnd::Denied(span) => format!("denied {}", quoted(self.policy.reason_at(span))),
            StepEnd::LimitExceeded => "a fifth command".to_owned(),
            StepEnd::Prompts if commands.is_empty() => "nothing".to_owned(),
            StepEnd::Prompts => commands.join(", "),
        })
    }

    /// The first change of each fact to each other decision.
    fn that_decide_otherwise(&mut self, now: &str, changes: impl Iterator<Item = Changed>) -> Vec<Change> {
        let mut found: BTreeMap<(String, Fact), Change> = BTreeMap::new();
        for Changed { fact, told, world } in changes {
            let Some(then) = self.decide(&world) else { break };
            if then != now {
                found.entry((then.clone(), fact)).or_insert(Change { facts: told, then });
            }
        }
        found.into_values().collect()
    }

    /// Each change of one fact that the step looks at.
    fn changes_of(&self, world: &World) -> Vec<Changed> {
        let Some(run) = self.run(world) else { return Vec::new() };
        let mut changes = Vec::new();
        for variable in &run.read {
            self.variable(*variable, world, &mut changes);
        }
        self.presences(&run, world, &mut changes);
        self.enrolled(world, &mut changes);
        self.performed(world, &mut changes);
        if run.read_now {
            self.now(world, &mut changes);
        }
        changes
    }

    fn variable(&self, variable: VariableId, world: &World, changes: &mut Vec<Changed>) {
        let row = &self.policy.variables[variable];
        let words = Words { policy: self.policy };
        let before = world.event.variables.get(&variable);
        for value in self.values(variable, world) {
            if before == Some(&value) {
                continue;
            }
            let mut changed = world.clone();
            let told = vec![format!("{} = {}", row.name, words.value(row, &value))];
            changed.set(self.policy, variable, value);
            changes.push(Changed { fact: Fact::Variable(variable), told, world: changed });
        }
        if before.is_some() && matches!(row.absence, Absence::Tracked(_)) {
            changes.push(self.absent(variable, world));
        }
    }

    /// A fact was perhaps only asked for its presence.
    fn presences(&self, run: &StepRun<'_>, world: &World, changes: &mut Vec<Changed>) {
        for (variable, row) in &self.policy.variables {
            let Absence::Tracked(presence) = row.absence else { continue };
            if world.event.presences.get(&presence) == Some(&false) {
                self.variable(variable, world, changes);
            }
        }
        let asked = run.looked.iter().filter_map(|looked| match looked {
            Looked::Presence(presence) => Some(presence),
            _ => None,
        });
        for presence in asked.filter(|presence| world.event.presences.get(presence) == Some(&true)) {
            // What stands there is absent together, so the first of it says so for all.
            let mut there = self.policy.variables.iter();
            let first = there.find(|(_, row)| row.absence == Absence::Tracked(presence));
            changes.extend(first.map(|(variable, _)| self.absent(variable, world)));
        }
    }

    fn absent(&self, variable: VariableId, world: &World) -> Changed {
        let mut changed = world.clone();
        changed.set_absent(self.policy, variable);
        let told = vec![format!("{} is absent", self.policy.variables[variable].name)];
        Changed { fact: Fact::Variable(variable), told, world: changed }
    }

    fn enrolled(&self, world: &World, changes: &mut Vec<Changed>) {
        for factor in self.policy.catalog.factors.keys() {
            let mut changed = world.clone();
            changed.event.enrolled ^= bit(factor);
            let told = format!("enrolled = [{}]", self.names(changed.event.enrolled));
            changes.push(Changed { fact: Fact::Enrolled, told: vec![told], world: changed });
        }
    }

    fn names(&self, mask: u64) -> String {
        Words { policy: self.policy }.names(mask)
    }

    /// Each factor performed just now, or not at all.
    fn performed(&self, world: &World, changes: &mut Vec<Changed>) {
        let now = world.event.now;
        for factor in self.policy.catalog.factors.keys() {
            for stamp in [None, Some(now)] {
                let mut changed = world.clone();
                changed.event.performed.retain(|(other, _)| *other != factor);
                changed.event.performed.extend(stamp.map(|stamp| (factor, stamp)));
                if changed.event.performed == world.event.performed {
                    continue;
                }
                let told = vec![format!("performed = [{}]", self.stamps(&changed))];
                changes.push(Changed { fact: Fact::Performed, told, world: changed });
            }
        }
    }

    fn stamps(&self, world: &World) -> String {
        let told = world.event.performed.iter().map(|(factor, stamp)| {
            let name = &self.policy.catalog.factors[*factor].name;
            format!("{name} {} ago", duration(world.event.now - stamp))
        });
        told.collect::<Vec<_>>().join(", ")
    }

    /// An hour at a time through a week finds every hour and weekday.
    fn now(&self, world: &World, changes: &mut Vec<Changed>) {
        let hours = (1..=168).map(|hours| world.event.now + hours * 3_600_000);
        let instants = self.numbers(|number| matches!(number, Number::Now));
        for now in hours.chain(instants.into_iter().flat_map(|at| [at - 1000, at, at + 1000])) {
            let mut changed = world.clone();
            changed.event.now = now;
            let told = vec![format!("now = {}", instant(now))];
            changes.push(Changed { fact: Fact::Now, told, world: changed });
        }
    }

    /// The constants that some number is compared with.
    fn numbers(&self, is_it: impl Fn(&Number) -> bool) -> Vec<i64> {
        let mut constants: Vec<i64> = Vec::new();
        for condition in self.policy.conditions.values() {
            match &condition.kind {
                ConditionKind::Compare(number, _, constant) if is_it(number) => constants.push(*constant),
                ConditionKind::OneOf(number, several) if is_it(number) => constants.extend(several),
                _ => {}
            }
        }
        constants.sort_unstable();
        constants.dedup();
        constants
    }

    /// The values of a fact that are worth trying.
    fn values(&self, variable: VariableId, world: &World) -> Vec<FactValue> {
        let row = &self.policy.variables[variable];
        let own = |number: &Number| *number == Number::Variable(variable);
        let around = |step: i64| {
            let constants = self.numbers(own).into_iter();
            constants.flat_map(move |c| [c, c.saturating_sub(step), c.saturating_add(step)])
        };
        match &row.ty {
            Type::Bool => [true, false].map(FactValue::Bool).to_vec(),
            Type::OpenEnum(values) => (0..=values.len() as i64).map(FactValue::Number).collect(),
            Type::OrderedEnum(values) => (0..values.len() as i64).map(FactValue::Number).collect(),
            Type::Int => around(1).map(FactValue::Number).collect(),
            Type::Duration => around(1000).map(FactValue::Number).collect(),
            Type::Time => {
                let ages = self.numbers(|number| *number == Number::Age(variable)).into_iter();
                let now = world.event.now;
                let ages = ages.flat_map(|age| [now - age, now - age - 1000, now - age + 1000]);
                let moment = Moment::Variable(variable);
                let is_calendar =
                    |number: &Number| matches!(number, Number::Weekday(m) | Number::Hour(m) if *m == moment);
                let week = if self.numbers(is_calendar).is_empty() { 0..0 } else { 0..168 };
                around(1000)
                    .chain(ages)
                    .chain(week.map(|hours| now - hours * 3_600_000))
                    .map(FactValue::Number)
                    .collect()
            }
            Type::Text => self.texts(variable, world).into_iter().map(FactValue::Text).collect(),
            Type::Ip => self.addresses(variable).into_iter().map(FactValue::Ip).collect(),
            Type::Factor => self.policy.catalog.factors.keys().map(|f| FactValue::Factor(Some(f))).collect(),
            Type::TextList => self.lists(variable, world).into_iter().map(FactValue::TextList).collect(),
            Type::FactorSet => {
                let before = match world.event.variables.get(&variable) {
                    Some(FactValue::FactorSet(mask)) => *mask,
                    _ => 0,
                };
                let toggled = factors(&self.policy.catalog, u64::MAX).map(|factor| before ^ bit(factor));
                toggled.map(FactValue::FactorSet).collect()
            }
        }
    }

    /// For each test of a string a text that passes it, and one that passes none.
    fn texts(&self, variable: VariableId, world: &World) -> Vec<String> {
        let mut texts = Vec::new();
        for condition in self.policy.conditions.values() {
            match &condition.kind {
                ConditionKind::Text(subject, test) if subject.variable == variable => {
                    let seen = match test {
                        TextTest::OneOf(constants) => constants.clone(),
                        TextTest::StartsWith(literal)
                        | TextTest::EndsWith(literal)
                        | TextTest::Contains(literal) => vec![literal.clone()],
                    };
                    let of_view = |text: String| match subject.view {
                        View::Whole | View::Lower => text,
                        View::Domain => format!("user@{text}"),
                    };
                    texts.extend(seen.into_iter().map(of_view));
                }
                ConditionKind::SameText(a, b) if *a == variable || *b == variable => {
                    let other = if *a == variable { b } else { a };
                    if let Some(FactValue::Text(text)) = world.event.variables.get(other) {
                        texts.push(text.clone());
                    }
                }
                _ => {}
            }
        }
        texts.push("something else".to_owned());
        // Some address, for who asks whether there is a domain.
        texts.push("someone@example.com".to_owned());
        texts.dedup();
        texts
    }

    fn addresses(&self, variable: VariableId) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for condition in self.policy.conditions.values() {
            if let ConditionKind::InPrefixes(found, prefixes) = &condition.kind
                && *found == variable
            {
                addresses.extend(prefixes.iter().map(ipnet::IpNet::addr));
            }
        }
        // For documentation (RFC 5737), so in no prefix that anyone means.
        addresses.push(IpAddr::from([203, 0, 113, 1]));
        addresses
    }

    /// The list with each constant added or removed, and the empty one.
    fn lists(&self, variable: VariableId, world: &World) -> Vec<Vec<String>> {
        let before = match world.event.variables.get(&variable) {
            Some(FactValue::TextList(texts)) => texts.clone(),
            _ => Vec::new(),
        };
        let mut lists = vec![Vec::new()];
        for condition in self.policy.conditions.values() {
            let ConditionKind::List(found, ListTest::ContainsAny(texts) | ListTest::ContainsAll(texts)) =
                &condition.kind
            else {
                continue;
            };
            if *found != variable {
                continue;
            }
            for text in texts {
                let mut list: Vec<String> = before.iter().filter(|known| *known != text).cloned().collect();
                if list.len() == before.len() {
                    list.push(text.clone());
                }
                lists.push(list);
            }
            let mut all = before.clone();
            all.extend(texts.iter().filter(|text| !before.contains(text)).cloned());
            lists.push(all);
        }
        lists
    }
}
