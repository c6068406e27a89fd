//! Strings: finitely many classes of texts that the policy can't tell apart.
//!
//! Strings that the policy compares with each other share one space of classes. A class comes from one of three
//! sources. (1) A constant that the string is compared with is a class of its own. (2) The texts whose lower case is
//! a constant: finitely many spellings. (3) All other texts, by what they match. A class of the third kind is
//! infinite: where `w` is in it, so is `w#w` for a character `#` that the policy does not have, because prefixes,
//! suffixes, substrings and the domain of both are the same. So any number of strings can lie in it and differ,
//! which makes equality of strings exact; where a class has fewer texts than there are strings to differ, the class
//! holds all its texts and the [world](super::world) says that no more of them can differ.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::automaton::{Automaton, Matches, State};
use super::reads::TextReads;
use crate::check::policy::{TextTest, View};
use crate::flow::budget::{Budget, Limited};
use crate::trace::{matches, view_of};

/// The classes of the strings of one linked group.
#[derive(Debug)]
pub(in crate::flow) struct TextClasses {
    /// For each class some of its texts: as many as the group has strings, or all.
    texts: Vec<Vec<String>>,
    equal: HashMap<(View, String), Vec<u32>>,
    patterns: BTreeMap<(View, TextTest), Vec<u32>>,
    has_domain: Vec<u32>,
}

impl TextClasses {
    /// The classes that `reads` can tell apart, with at least `wanted` texts of each where it has so many.
    pub(super) fn new(reads: &TextReads, wanted: usize, budget: &Budget) -> Limited<Self> {
        let constants = reads.equal.iter().map(|(_, text)| text.as_str());
        let patterns = automaton_patterns(reads);
        let automaton = Automaton::new(&patterns, reads.domain, constants, budget.automaton_states)?;
        let whole: BTreeSet<&str> = constants_of(reads, View::Whole).collect();
        let lower: HashSet<&str> = constants_of(reads, View::Lower).collect();

        let mut texts: Vec<Vec<String>> = Vec::new();
        for (_, shortest) in automaton.reachable(budget.automaton_states)? {
            texts.push(infinite_class(&shortest, wanted, automaton.fresh(), &whole, &lower));
        }
        texts.extend(whole.iter().map(|text| vec![(*text).to_owned()]));
        for constant in
            constants_of(reads, View::Lower).filter(|text| !text.contains(|c: char| c.is_ascii_uppercase()))
        {
            texts.extend(spellings(&automaton, constant, wanted, &whole));
        }
        Ok(Self::index(texts, reads))
    }

    /// Works out which class answers which test, by asking the first text of each.
    fn index(texts: Vec<Vec<String>>, reads: &TextReads) -> Self {
        let mut classes = TextClasses {
            texts: Vec::new(),
            equal: HashMap::new(),
            patterns: reads.patterns.iter().map(|pattern| (pattern.clone(), Vec::new())).collect(),
            has_domain: Vec::new(),
        };
        for (class, text) in
            texts.iter().enumerate().filter_map(|(i, texts)| Some((i as u32, texts.first()?)))
        {
            for view in [View::Whole, View::Lower, View::Domain] {
                let Some(seen) = view_of(text, view) else { continue };
                classes.equal.entry((view, seen.into_owned())).or_default().push(class);
            }
            for ((view, test), members) in &mut classes.patterns {
                if view_of(text, *view).is_some_and(|seen| matches(test, &seen)) {
                    members.push(class);
                }
            }
            if text.contains('@') {
                classes.has_domain.push(class);
            }
        }
        classes.texts = texts;
        classes
    }

    /// How many classes there are.
    pub(super) fn count(&self) -> usize {
        self.texts.len()
    }

    /// The classes whose texts pass a test, sorted.
    pub(super) fn passing(&self, view: View, test: &TextTest) -> Vec<u32> {
        let TextTest::OneOf(texts) = test else {
            return self.patterns.get(&(view, test.clone())).cloned().unwrap_or_default();
        };
        let found = texts.iter().filter_map(|text| self.equal.get(&(view, text.clone())));
        let sorted: BTreeSet<u32> = found.flatten().copied().collect();
        sorted.into_iter().collect()
    }

    /// The classes whose texts have a domain, sorted.
    pub(super) fn with_domain(&self) -> &[u32] {
        &self.has_domain
    }

    /// The class of a constant that the strings are compared with.
    pub(super) fn class_of_constant(&self, text: &str) -> Option<u32> {
        self.texts.iter().position(|texts| texts.iter().any(|known| known == text)).map(|class| class as u32)
    }

    /// Some texts of a class: all of them, if they are fewer than the strings of the group.
    pub(super) fn texts(&self, class: u32) -> &[String] {
        self.texts.get(class as usize).map_or(&[], Vec::as_slice)
    }
}

fn constants_of(reads: &TextReads, wanted: View) -> impl Iterator<Item = &str> {
    reads.equal.iter().filter(move |(view, _)| *view == wanted).map(|(_, text)| text.as_str())
}

/// What the automaton has to know: all patterns, and the constants that domains are compared with.
fn automaton_patterns(reads: &TextReads) -> Vec<(View, TextTest)> {
    let domains =
        constants_of(reads, View::Domain).map(|text| (View::Domain, TextTest::OneOf(vec![text.to_owned()])));
    reads.patterns.iter().cloned().chain(domains).collect()
}

/// Texts of a class of the third kind: its shortest text, unless that is a constant's, and others.
fn infinite_class(
    shortest: &str,
    wanted: usize,
    fresh: char,
    whole: &BTreeSet<&str>,
    lower: &HashSet<&str>,
) -> Vec<String> {
    let free = !whole.contains(shortest) && !lower.contains(shortest.to_ascii_lowercase().as_str());
    let longer = (1..=wanted.max(1)).map(|n| {
        let between: String = std::iter::repeat_n(fresh, n).collect();
        format!("{shortest}{between}{shortest}")
    });
    let shortest = free.then(|| shortest.to_owned());
    shortest.into_iter().chain(longer).take(wanted.max(1)).collect()
}

/// The classes of the second kind for one constant: its spellings, apart by what they match. Spellings that are
/// constants themselves belong to those. Of each class as many texts as wanted are kept, which is all that counts.
fn spellings(
    automaton: &Automaton,
    constant: &str,
    wanted: usize,
    whole: &BTreeSet<&str>,
) -> Vec<Vec<String>> {
    let taken = whole.iter().filter(|text| text.eq_ignore_ascii_case(constant)).count();
    let enough = wanted.max(1) + taken;
    let mut written: Vec<(State, Vec<String>)> = vec![(automaton.start(), vec![String::new()])];
    for character in constant.chars() {
        let mut next: Vec<(State, Vec<String>)> = Vec::new();
        let mut places: HashMap<State, usize> = HashMap::new();
        let both = [character, character.to_ascii_uppercase()];
        let letters = if both[0] == both[1] { &both[..1] } else { &both[..] };
        for (state, texts) in &written {
            for letter in letters {
                let state = automaton.step(*state, *letter);
                let place = *places.entry(state).or_insert(next.len());
                if place == next.len() {
                    next.push((state, Vec::new()));
                }
                let Some((_, longer)) = next.get_mut(place) else { continue };
                let room = enough.saturating_sub(longer.len());
                longer.extend(texts.iter().take(room).map(|text| format!("{text}{letter}")));
            }
        }
        written = next;
    }
    let mut classes: BTreeMap<Matches, Vec<String>> = BTreeMap::new();
    for (state, texts) in written {
        let free = texts.into_iter().filter(|text| !whole.contains(text.as_str()));
        classes.entry(automaton.matches(state)).or_default().extend(free);
    }
    let kept = classes.into_values().filter(|texts| !texts.is_empty());
    kept.map(|texts| texts.into_iter().take(wanted.max(1)).collect()).collect()
}
