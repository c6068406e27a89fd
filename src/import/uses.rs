//! What a policy asks of each fact, and so how the fact has to be declared.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Condition, Number, Test, Text, TextTest};
use super::factor::Factors;
use super::facts::{Facts, Kind, Path};
use super::outline::{Offer, Outline};

/// How a fact is declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// It is always there.
    Required,
    /// It has a default that no test tells apart from absence.
    Default,
    /// It may be absent.
    Optional,
}

/// The facts that a policy reads, and the names that it uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Each with whether its absence is told apart from all values.
    pub(super) facts: BTreeMap<Path, bool>,
    /// The texts that a fact or a list is compared with, for trying them out.
    pub(super) texts: BTreeMap<Path, BTreeSet<String>>,
    pub(super) numbers: BTreeMap<Path, BTreeSet<i64>>,
    pub(super) names: BTreeSet<String>,
    /// What is asked for and has no fact.
    pub(super) unsaid: BTreeSet<Path>,
    /// Windows and ages, in milliseconds.
    pub(super) ages: BTreeSet<i64>,
}

impl Uses {
    pub(super) fn outlines(&mut self, facts: &Facts, outlines: &[Outline]) {
        for outline in outlines {
            match outline {
                Outline::If(branches, otherwise) => {
                    for (condition, body) in branches {
                        self.condition(facts, condition);
                        self.outlines(facts, body);
                    }
                    self.outlines(facts, otherwise);
                }
                Outline::Command(_, Offer::Preferred(_, Some(set)) | Offer::In(set)) => self.set(set),
                Outline::Command(..)
                | Outline::Comment(_)
                | Outline::Let(..)
                | Outline::Deny(_)
                | Outline::Stop => {}
            }
        }
    }

    fn condition(&mut self, facts: &Facts, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::Test(test) => self.test(facts, test),
            Condition::Not(inner) => self.condition(facts, inner),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| self.condition(facts, part));
            }
            Condition::Named(named) => {
                if self.names.insert(named.name.clone()) {
                    self.condition(facts, &named.condition);
                }
            }
        }
    }

    fn read(&mut self, path: &Path) {
        self.facts.entry(path.clone()).or_default();
    }

    fn needs_presence(&mut self, path: &Path) {
        self.facts.insert(path.clone(), true);
    }

    fn text(&mut self, path: &Path, text: &str) {
        self.texts.entry(path.clone()).or_default().insert(text.to_owned());
    }

    fn test(&mut self, facts: &Facts, test: &Test) {
        match test {
            Test::Present(path) => match asked_through(facts, path) {
                Some(fact) => self.needs_presence(&fact),
                None => drop(self.unsaid.insert(path.clone())),
            },
            // A list that is there counts as true, also an empty one; a text that is split does not.
            Test::Truthy(path)
                if matches!(facts.kind(path), Some(Kind::Texts | Kind::FactorTexts))
                    && facts.separator(path).is_none() =>
            {
                self.needs_presence(path);
            }
            Test::Truthy(path) | Test::IsTrue(path) | Test::EmptyList(path) => self.read(path),
            Test::Text(text, test) => self.text_test(text, test),
            Test::SameText(a, b) => {
                self.needs_presence(a);
                self.needs_presence(b);
            }
            Test::Contains(path, text) => {
                self.read(path);
                self.text(path, text);
            }
            Test::Number(Number::Fact(path), _, bound) => {
                self.needs_presence(path);
                self.numbers.entry(path.clone()).or_default().insert(*bound);
            }
            Test::Number(Number::Count(set), ..) | Test::Member(_, set) | Test::EmptySet(set) => {
                self.set(set)
            }
            Test::Age(path, _, bound) => {
                self.needs_presence(path);
                self.ages.insert(*bound);
            }
            Test::Instant(path, _, bound) => {
                self.needs_presence(path);
                self.numbers.entry(path.clone()).or_default().insert(*bound);
            }
            Test::Performed(_, within) | Test::AnyPerformed(within) => self.ages.extend(within),
            Test::Number(Number::Hour, ..) | Test::Now(..) | Test::Weekday(_) | Test::Recent(_) => {}
        }
    }

    fn text_test(&mut self, text: &Text, test: &TextTest) {
        let path = match text {
            Text::Fact(path) => path,
            Text::Lower(path) | Text::AfterAt(path) | Text::Domain(path) => path,
            Text::Element => return,
        };
        let (parts, holds_for_nothing): (Vec<String>, bool) = match test {
            TextTest::OneOf(values) => (values.clone(), values.contains(&String::new())),
            TextTest::StartsWith(part) | TextTest::EndsWith(part) | TextTest::Contains(part) => {
                (vec![part.clone(), format!("{part}x"), format!("x{part}")], part.is_empty())
            }
        };
        for part in parts {
            let tried = match text {
                Text::Domain(_) | Text::AfterAt(_) => format!("user@{part}"),
                _ => part,
            };
            self.text(path, &tried);
        }
        if holds_for_nothing || matches!(text, Text::Domain(_) | Text::AfterAt(_)) {
            self.needs_presence(path);
        } else {
            self.read(path);
        }
    }

    fn set(&mut self, set: &Factors) {
        match set {
            Factors::Fact(path) => self.read(path),
            Factors::Intersect(a, b) | Factors::Union(a, b) | Factors::Except(a, b) => {
                self.set(a);
                self.set(b);
            }
            Factors::Enrolled | Factors::Performed | Factors::Literal(_) => {}
        }
    }

    /// How a fact is declared.
    pub(super) fn reading(&self, facts: &Facts, path: &Path) -> Reading {
        if !facts.may_be_absent(path) {
            return Reading::Required;
        }
        let needs = self.facts.get(path).copied().unwrap_or(false);
        let has_default = match facts.place(path) {
            Some(place) => place.has_default,
            None => !matches!(facts.kind(path), Some(Kind::Int | Kind::Time)),
        };
        if has_default && !needs { Reading::Default } else { Reading::Optional }
    }
}

/// The fact through which the presence of a place is asked.
pub(super) fn asked_through(facts: &Facts, path: &Path) -> Option<Path> {
    let has_fact =
        facts.place(path).is_some_and(|place| place.fact.is_some() || place.kind == Kind::Enrolled);
    if has_fact || facts.is_metadata(path) { Some(path.clone()) } else { facts.witness(path) }
}

/// The names that are used, of those that outlines declare, left in place; the others go.
pub(super) fn without_unused(outlines: Vec<Outline>, names: &BTreeSet<String>) -> Vec<Outline> {
    let kept = outlines.into_iter().filter_map(|outline| match outline {
        Outline::Let(name, _) if !names.contains(&name) => None,
        Outline::If(branches, otherwise) => {
            let each = branches.into_iter().map(|(condition, body)| (condition, without_unused(body, names)));
            Some(Outline::If(each.collect(), without_unused(otherwise, names)))
        }
        other => Some(other),
    });
    kept.collect()
}
