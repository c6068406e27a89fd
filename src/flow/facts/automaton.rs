//! One automaton that reads a string and knows which of the policy's patterns it matches.
//!
//! For each view of the string there are two tries: an anchored one for what it starts with (and, for its domain,
//! what it equals), and a floating one with failure links (Aho and Corasick, 1975) for what it ends with and
//! contains. A state is a position in each, and the substrings seen so far. The domain's part begins anew at each
//! `@`. Characters that no pattern has all act like one [fresh](Automaton::fresh) character, so a breadth-first
//! walk over the few characters that matter finds every reachable state, with a shortest text for each.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::check::policy::{TextTest, View};
use crate::flow::budget::{BudgetExceeded, Limited};

/// The most substrings of one string that are told apart.
const MAX_SUBSTRINGS: usize = 128;

/// What the text read so far matches: numbers of patterns, sorted. Two states with equal outputs stand for texts
/// that the policy can't tell apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Matches {
    patterns: Vec<u32>,
    has_domain: bool,
}

/// A set of literals as a tree of characters.
#[derive(Default)]
struct Trie {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    children: BTreeMap<char, u32>,
    /// The longest proper suffix that is in the trie.
    fallback: u32,
    /// The nearest node at or above this one at which a prefix is complete; the root where none is.
    settled: u32,
    parent: u32,
    /// Patterns that are complete here and stay so: prefixes, substrings.
    lasting: Vec<u32>,
    /// Patterns that hold while the text ends here: suffixes, equalities.
    momentary: Vec<u32>,
    /// Positions in the state's set of substrings.
    substrings: u128,
}

impl Trie {
    fn new() -> Self {
        Trie { nodes: vec![Node::default()] }
    }

    fn node(&self, index: u32) -> &Node {
        // Nodes are never removed, and every index comes from `insert`.
        &self.nodes[index as usize]
    }

    fn insert(&mut self, literal: &str) -> &mut Node {
        let mut at = 0u32;
        for character in literal.chars() {
            let next = self.nodes.len() as u32;
            let child = *self.nodes[at as usize].children.entry(character).or_insert(next);
            if child == next {
                self.nodes.push(Node { parent: at, ..Node::default() });
            }
            at = child;
        }
        &mut self.nodes[at as usize]
    }

    /// Fills in fallbacks and settled prefixes, breadth first.
    fn link(&mut self) {
        let mut queue = VecDeque::from([0u32]);
        while let Some(at) = queue.pop_front() {
            let node = self.node(at);
            let settled = if node.lasting.is_empty() { self.node(node.parent).settled } else { at };
            let children: Vec<_> = node.children.iter().map(|(c, child)| (*c, *child)).collect();
            for (character, child) in children {
                let fallback = if at == 0 { 0 } else { self.float(self.node(at).fallback, character) };
                self.nodes[child as usize].fallback = fallback;
                self.nodes[child as usize].substrings |= self.node(fallback).substrings;
                queue.push_back(child);
            }
            self.nodes[at as usize].settled = settled;
        }
    }

    /// Where a floating search goes on a character.
    fn float(&self, mut at: u32, character: char) -> u32 {
        loop {
            let node = self.node(at);
            match node.children.get(&character) {
                Some(child) => return *child,
                None if at == 0 => return 0,
                None => at = node.fallback,
            }
        }
    }

    /// The nodes of a floating search: this one and its fallbacks, the root last.
    fn suffixes(&self, at: u32) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(at), |&at| (at != 0).then(|| self.node(at).fallback))
            .map(|at| self.node(at))
    }

    /// The nodes above and at this one, the root last.
    fn prefixes(&self, at: u32) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(at), |&at| (at != 0).then(|| self.node(at).parent)).map(|at| self.node(at))
    }
}

/// The two tries of a view.
struct Tries {
    anchored: Trie,
    floating: Trie,
}

/// Where a view's search stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Position {
    anchor: Anchor,
    floating: u32,
    substrings: u128,
}

/// Where the anchored search stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Anchor {
    /// The text so far is this node's literal.
    On(u32),
    /// The text has left the trie; this was the last complete prefix.
    Off(u32),
}

impl Tries {
    fn new() -> Self {
        Tries { anchored: Trie::new(), floating: Trie::new() }
    }

    fn start(&self) -> Position {
        Position { anchor: Anchor::On(0), floating: 0, substrings: self.floating.node(0).substrings }
    }

    fn step(&self, from: Position, character: char) -> Position {
        let anchor = match from.anchor {
            Anchor::On(at) => match self.anchored.node(at).children.get(&character) {
                Some(child) => Anchor::On(*child),
                None => Anchor::Off(self.anchored.node(at).settled),
            },
            off => off,
        };
        let floating = self.floating.float(from.floating, character);
        let substrings = from.substrings | self.floating.node(floating).substrings;
        Position { anchor, floating, substrings }
    }

    /// The characters on which this position does not act as on a fresh one.
    fn characters(&self, at: Position) -> impl Iterator<Item = char> {
        let anchored = match at.anchor {
            Anchor::On(node) => Some(self.anchored.node(node)),
            Anchor::Off(_) => None,
        };
        let nodes = anchored.into_iter().chain(self.floating.suffixes(at.floating));
        nodes.flat_map(|node| node.children.keys().copied())
    }

    fn matches(&self, at: Position, substrings: &[u32], matches: &mut Vec<u32>) {
        let settled = match at.anchor {
            Anchor::On(node) => {
                matches.extend(&self.anchored.node(node).momentary);
                node
            }
            Anchor::Off(node) => node,
        };
        matches.extend(self.anchored.prefixes(settled).flat_map(|node| &node.lasting));
        matches.extend(self.floating.suffixes(at.floating).flat_map(|node| &node.momentary));
        let seen = substrings.iter().enumerate().filter(|(index, _)| at.substrings >> index & 1 == 1);
        matches.extend(seen.map(|(_, pattern)| pattern));
    }
}

/// A state: where each view's search stands, the domain's only after an `@`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    whole: Position,
    lower: Position,
    domain: Option<Position>,
}

/// The automaton of one string's patterns.
pub(super) struct Automaton {
    whole: Tries,
    lower: Tries,
    domain: Tries,
    /// Whether anything is asked of the domain, or of upper-case letters as such.
    reads_domain: bool,
    reads_case: bool,
    /// For each bit of the set of substrings, its pattern.
    substrings: Vec<u32>,
    fresh: char,
}

impl Automaton {
    /// Builds it. `OneOf` is allowed for domains alone. `reads_domain` says whether somebody asks if there is one;
    /// `constants` are texts in which the fresh character must not occur.
    pub(super) fn new<'a>(
        patterns: &[(View, TextTest)],
        reads_domain: bool,
        constants: impl Iterator<Item = &'a str>,
        limit: usize,
    ) -> Limited<Self> {
        let mut used: BTreeSet<char> = constants.flat_map(str::chars).collect();
        let mut automaton = Automaton {
            whole: Tries::new(),
            lower: Tries::new(),
            domain: Tries::new(),
            reads_domain,
            reads_case: patterns.iter().any(|(view, _)| *view == View::Whole),
            substrings: Vec::new(),
            fresh: 'x',
        };
        for (number, (view, test)) in patterns.iter().enumerate() {
            automaton.insert(*view, test, number as u32, &mut used);
        }
        if automaton.substrings.len() > MAX_SUBSTRINGS {
            return Err(BudgetExceeded::AutomatonStates { limit });
        }
        for tries in [&mut automaton.whole, &mut automaton.lower, &mut automaton.domain] {
            tries.anchored.link();
            tries.floating.link();
        }
        automaton.fresh = fresh(&used);
        Ok(automaton)
    }

    fn insert(&mut self, view: View, test: &TextTest, number: u32, used: &mut BTreeSet<char>) {
        let tries = match view {
            View::Whole => &mut self.whole,
            View::Lower => &mut self.lower,
            View::Domain => &mut self.domain,
        };
        match test {
            TextTest::OneOf(texts) => {
                for text in texts {
                    tries.anchored.insert(text).momentary.push(number);
                    used.extend(text.chars());
                }
            }
            TextTest::StartsWith(literal) => tries.anchored.insert(literal).lasting.push(number),
            TextTest::EndsWith(literal) => tries.floating.insert(literal).momentary.push(number),
            TextTest::Contains(literal) => {
                let position = self.substrings.len();
                tries.floating.insert(literal).substrings |= 1u128.checked_shl(position as u32).unwrap_or(0);
                self.substrings.push(number);
            }
        }
        if let TextTest::StartsWith(literal) | TextTest::EndsWith(literal) | TextTest::Contains(literal) =
            test
        {
            used.extend(literal.chars());
        }
    }

    /// A character that stands in no pattern and no constant, in either case.
    pub(super) fn fresh(&self) -> char {
        self.fresh
    }

    /// The state before the first character.
    pub(super) fn start(&self) -> State {
        State { whole: self.whole.start(), lower: self.lower.start(), domain: None }
    }

    /// The state after one more character.
    pub(super) fn step(&self, from: State, character: char) -> State {
        let lowered = character.to_ascii_lowercase();
        let domain = match character {
            '@' if self.reads_domain => Some(self.domain.start()),
            _ => from.domain.map(|at| self.domain.step(at, lowered)),
        };
        State {
            whole: self.whole.step(from.whole, character),
            lower: self.lower.step(from.lower, lowered),
            domain,
        }
    }

    /// What the text read so far matches.
    pub(super) fn matches(&self, state: State) -> Matches {
        let mut patterns = Vec::new();
        let mine = |tries: &Tries, at: Position, patterns: &mut Vec<u32>| {
            tries.matches(at, &self.substrings, patterns);
        };
        mine(&self.whole, state.whole, &mut patterns);
        mine(&self.lower, state.lower, &mut patterns);
        if let Some(at) = state.domain {
            mine(&self.domain, at, &mut patterns);
        }
        patterns.sort_unstable();
        patterns.dedup();
        Matches { patterns, has_domain: state.domain.is_some() }
    }

    /// Every set of matches that some text has, with a shortest such text, in the order of their length.
    pub(super) fn reachable(&self, limit: usize) -> Limited<Vec<(Matches, String)>> {
        let mut states = vec![(self.start(), 0usize, self.fresh)];
        let mut known: HashMap<State, ()> = HashMap::from([(self.start(), ())]);
        let mut found: BTreeMap<Matches, usize> = BTreeMap::new();
        let mut done = 0;
        while let Some(&(state, ..)) = states.get(done) {
            found.entry(self.matches(state)).or_insert(done);
            for character in self.characters(state) {
                let next = self.step(state, character);
                if known.insert(next, ()).is_none() {
                    states.push((next, done, character));
                }
            }
            if states.len() > limit {
                return Err(BudgetExceeded::AutomatonStates { limit });
            }
            done += 1;
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, state)| *state);
        Ok(found.into_iter().map(|(matches, state)| (matches, text_of(&states, state))).collect())
    }

    /// The characters worth trying from a state: all others act like the fresh one.
    fn characters(&self, state: State) -> BTreeSet<char> {
        let mut characters: BTreeSet<char> = self.whole.characters(state.whole).collect();
        let domain = state.domain.into_iter().flat_map(|at| self.domain.characters(at));
        for lowered in self.lower.characters(state.lower).chain(domain) {
            // A lowered view never shows an upper-case letter.
            if !lowered.is_ascii_uppercase() {
                characters.insert(lowered);
                if self.reads_case {
                    characters.insert(lowered.to_ascii_uppercase());
                }
            }
        }
        if self.reads_domain {
            characters.insert('@');
        }
        characters.insert(self.fresh);
        characters
    }
}

/// The text that led to a state, along the states before it.
fn text_of<S>(states: &[(S, usize, char)], mut at: usize) -> String {
    let mut reversed = Vec::new();
    while let Some((_, before, character)) = states.get(at).filter(|_| at != 0) {
        reversed.push(*character);
        at = *before;
    }
    reversed.into_iter().rev().collect()
}

/// A character that is not used, nor its other case: a letter or digit if one is left.
fn fresh(used: &BTreeSet<char>) -> char {
    let unused = |c: &char| !used.contains(c) && !used.contains(&c.to_ascii_uppercase());
    let plain = ('a'..='z').rev().skip(2).chain(['y', 'z']).chain('0'..='9');
    // Texts hold finitely many characters, so one is left somewhere in Unicode.
    plain.chain('\u{c0}'..=char::MAX).find(unused).unwrap_or('\u{10fffd}')
}
