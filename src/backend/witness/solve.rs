//! Finding words: those that come to a question as others did, and answer it differently.
//!
//! Words are changed one at a time. What a path asks of one word, the others being as they are, is solved exactly: a mask
//! of bits that have to be set or not, and the ends of ranges as candidates. That is enough for nearly all
//! questions, since few are about two words; those are tried from either side, and what that breaks is mended.

use cranelift_entity::{EntityRef, EntitySet, SecondaryMap};
use smallvec::{SmallVec, smallvec};

use crate::backend::interpret::{holds, set_mask};
use crate::lower::layout::{MAX_NUMBER, NEVER, WordSlot};
use crate::lower::program::{Case, Node, NodeId, SetFormula, StepProgram, Test};

/// How often what a change has broken is mended.
const MAX_ROUNDS: usize = 12;

/// How many gaps between the cases of a switch are tried.
const MAX_GAPS: usize = 8;

/// A question and the answer to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    pub(super) node: NodeId,
    /// Of a test 0 for yes and 1 for no; of a switch the case, and their number for none.
    pub(super) arm: usize,
}

impl Asked {
    /// How many answers a block has.
    pub(super) fn arms(node: &Node) -> usize {
        match node {
            Node::End | Node::Deny(_) | Node::Command { .. } => 0,
            Node::Branch { .. } => 2,
            Node::Switch { cases, .. } => cases.len() + 1,
        }
    }

    /// Where an answer leads.
    pub(super) fn target(node: &Node, arm: usize) -> NodeId {
        match node {
            Node::Branch { then, .. } if arm == 0 => *then,
            Node::Branch { otherwise, .. } => *otherwise,
            Node::Switch { cases, otherwise, .. } => cases.get(arm).map_or(*otherwise, |case| case.target),
            Node::End | Node::Deny(_) | Node::Command { .. } => unreachable!("it asks nothing"),
        }
    }

    /// The answer that words give.
    pub(super) fn answer(node: &Node, words: &[u64]) -> usize {
        match node {
            Node::Branch { test, .. } => usize::from(!holds(test, words)),
            Node::Switch { slot, cases, .. } => {
                let value = read(words, *slot) as i64;
                let place = cases.partition_point(|case| case.high < value);
                if cases.get(place).is_some_and(|case| case.low <= value) { place } else { cases.len() }
            }
            Node::End | Node::Deny(_) | Node::Command { .. } => 0,
        }
    }

    /// Whether words give this answer.
    fn is_given(self, step: &StepProgram, words: &[u64]) -> bool {
        match (&step.nodes[self.node], self.arm) {
            (Node::Switch { slot, cases, .. }, arm) if arm < cases.len() => {
                (cases[arm].low..=cases[arm].high).contains(&(read(words, *slot) as i64))
            }
            (node, arm) => Asked::answer(node, words) == arm,
        }
    }
}

/// What words may hold, so that what engines may rely on is true of them.
pub(super) struct Limits {
    /// Words that are numbers under 64.
    small: EntitySet<Slot>,
    /// Words that are instants.
    instants: EntitySet<Slot>,
}

/// A word as an index.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot(WordSlot);

impl EntityRef for Slot {
    fn new(index: usize) -> Self {
        Slot(WordSlot(index as u32))
    }

    fn index(self) -> usize {
        self.0.0 as usize
    }
}

impl Limits {
    pub(super) fn new(step: &StepProgram) -> Self {
        let mut limits = Limits { small: EntitySet::new(), instants: EntitySet::new() };
        for node in step.nodes.values() {
            match node {
                Node::Branch { test: Test::OneOf { slot, .. }, .. } => {
                    limits.small.insert(Slot(*slot));
                }
                Node::Branch { test: Test::Age { now, stamp, .. }, .. } => {
                    limits.instants.insert(Slot(*now));
                    limits.instants.insert(Slot(*stamp));
                }
                _ => {}
            }
        }
        limits
    }

    /// Whether a word holds what it may.
    pub(super) fn allow(&self, slot: WordSlot, words: &[u64]) -> bool {
        let value = read(words, slot);
        let instant = value as i64;
        let is_instant = (-MAX_NUMBER..=MAX_NUMBER).contains(&instant) || instant == NEVER;
        (value < 64 || !self.small.contains(Slot(slot)))
            && (is_instant || !self.instants.contains(Slot(slot)))
    }
}

/// The way of some words: its questions, and what they are about.
pub(super) struct Path {
    pub(super) asked: Vec<Asked>,
    /// For each word, the positions of the questions about it.
    about: SecondaryMap<Slot, Vec<usize>>,
}

impl Path {
    pub(super) fn new(step: &StepProgram, asked: Vec<Asked>) -> Self {
        let mut about: SecondaryMap<Slot, Vec<usize>> = SecondaryMap::new();
        for (position, asked) in asked.iter().enumerate() {
            for slot in slots(&step.nodes[asked.node]) {
                about[Slot(slot)].push(position);
            }
        }
        Path { asked, about }
    }

    /// Words that answer the first questions as this path does, and then one as it is wanted. Counts how often it has
    /// looked at a question.
    pub(super) fn solve(
        &self,
        step: &StepProgram,
        limits: &Limits,
        words: &[u64],
        before: usize,
        wanted: Asked,
    ) -> (Option<Vec<u64>>, usize) {
        let words = words.to_vec();
        let mut search = Search { path: self, step, limits, words, before, wanted, looks: 0 };
        let is_found = search.run().is_some();
        let looks = search.looks;
        (is_found.then_some(search.words), looks)
    }

    /// The questions about a word among the first ones.
    fn about(&self, slot: WordSlot, before: usize) -> impl Iterator<Item = Asked> {
        let positions = self.about[Slot(slot)].iter().take_while(move |at| **at < before);
        positions.map(|at| self.asked[*at])
    }
}

struct Search<'a> {
    path: &'a Path,
    step: &'a StepProgram,
    limits: &'a Limits,
    words: Vec<u64>,
    before: usize,
    wanted: Asked,
    looks: usize,
}

impl Search<'_> {
    /// Changes the words until they are as they should be.
    fn run(&mut self) -> Option<()> {
        if self.change_for(self.wanted, None) {
            return Some(());
        }
        let mut last = None;
        for round in 0..MAX_ROUNDS {
            let Some(broken) = self.broken() else { return Some(()) };
            last = self.force(broken, last, round)?.into();
        }
        None
    }

    /// The first answer that the words don't give.
    fn broken(&mut self) -> Option<Asked> {
        let mut all = std::iter::once(&self.wanted).chain(&self.path.asked[..self.before]);
        all.find(|asked| {
            self.looks += 1;
            !asked.is_given(self.step, &self.words)
        })
        .copied()
    }

    /// Changes one word so that it gives an answer and all others about that word.
    fn change_for(&mut self, asked: Asked, not: Option<WordSlot>) -> bool {
        let slots = slots(&self.step.nodes[asked.node]);
        slots.into_iter().filter(|slot| Some(*slot) != not).any(|slot| {
            let mut wanted: SmallVec<[Asked; 8]> = smallvec![self.wanted];
            wanted.extend(self.path.about(slot, self.before));
            self.change(slot, &wanted)
        })
    }

    /// Mends an answer, at the cost of others if it can't be helped. Gives the word that was changed.
    fn force(&mut self, broken: Asked, last: Option<WordSlot>, round: usize) -> Option<WordSlot> {
        let slots = slots(&self.step.nodes[broken.node]);
        let count = slots.len();
        let turned = (0..count).map(|place| slots[(place + round) % count]);
        let other = turned.clone().find(|slot| Some(*slot) != last).or(turned.clone().next())?;
        let mut wanted: SmallVec<[Asked; 8]> = smallvec![broken];
        wanted.extend(self.path.about(other, self.before));
        if self.change(other, &wanted) || self.change(other, &[broken]) {
            return Some(other);
        }
        let rest = turned.filter(|slot| *slot != other);
        rest.into_iter().find(|slot| self.change(*slot, &[broken]))
    }

    /// Finds a value of a word for which all these answers are given; the first is the hardest.
    fn change(&mut self, slot: WordSlot, wanted: &[Asked]) -> bool {
        self.looks += wanted.len();
        let before = read(&self.words, slot);
        if let Some(bits) = self.bits(slot, wanted)
            && self.fits(slot, bits, wanted)
        {
            return true;
        }
        let mut candidates: SmallVec<[i64; 16]> = SmallVec::new();
        for asked in wanted.iter().take(MAX_ROUNDS) {
            self.numbers(slot, *asked, &mut candidates);
        }
        let found = candidates.into_iter().any(|candidate| self.fits(slot, candidate as u64, wanted));
        if !found {
            write(&mut self.words, slot, before);
        }
        found
    }

    /// Whether a value of a word gives these answers; the word then has it.
    fn fits(&mut self, slot: WordSlot, value: u64, wanted: &[Asked]) -> bool {
        write(&mut self.words, slot, value);
        self.limits.allow(slot, &self.words)
            && wanted.iter().all(|asked| {
                self.looks += 1;
                asked.is_given(self.step, &self.words)
            })
    }

    /// Numbers at the ends of what an answer wants of a word.
    fn numbers(&mut self, slot: WordSlot, asked: Asked, found: &mut SmallVec<[i64; 16]>) {
        let is_yes = asked.arm == 0;
        let range = |low: i64, high: i64| {
            if is_yes { [low, high] } else { [low.saturating_sub(1), high.saturating_add(1)] }
        };
        match &self.step.nodes[asked.node] {
            Node::Switch { cases, .. } => match cases.get(asked.arm) {
                Some(case) => found.extend([case.low, case.high]),
                None => found.extend(outside(cases, &mut self.looks)),
            },
            Node::Branch { test, .. } => match test {
                Test::Between { low, high, .. } => found.extend(range(*low, *high)),
                Test::OneOf { mask, .. } => {
                    let mask = if is_yes { *mask } else { !mask };
                    found.extend((0..64).filter(|number| mask >> number & 1 != 0));
                }
                Test::Age { now, stamp, low, high } => {
                    let at = read(&self.words, *now) as i64;
                    let then = read(&self.words, *stamp) as i64;
                    let ages = range(*low, *high).into_iter().chain([0, 1]);
                    found.extend(ages.map(|age| {
                        if slot == *stamp { at.wrapping_sub(age) } else { then.wrapping_add(age) }
                    }));
                    found.push(NEVER);
                }
                // Where a word is a number too, that of many bits, of none, or the nearest.
                Test::AnyBit { mask, .. } | Test::Masked { mask, .. } => {
                    let nearest = read(&self.words, slot) ^ mask;
                    found.extend([0, -1, NEVER, nearest as i64, *mask as i64]);
                }
                Test::Count { .. } => found.extend([0, -1, NEVER]),
            },
            Node::End | Node::Deny(_) | Node::Command { .. } => {}
        }
    }

    /// A word with the bits that these answers want set and not set.
    fn bits(&mut self, slot: WordSlot, wanted: &[Asked]) -> Option<u64> {
        let mut bits = Bits::default();
        let mut counts: SmallVec<[(&Test, bool); 2]> = SmallVec::new();
        for asked in wanted {
            let Node::Branch { test, .. } = &self.step.nodes[asked.node] else { return None };
            match (test, asked.arm == 0) {
                (Test::AnyBit { mask, .. }, true) => bits.any.push(*mask),
                (Test::AnyBit { mask, .. }, false) => bits.clear |= mask,
                (Test::Masked { mask, value, .. }, true) => {
                    bits.set |= value;
                    bits.clear |= mask & !value;
                }
                (Test::Masked { mask, value, .. }, false) => bits.not.push((*mask, *value)),
                (Test::Count { .. }, yes) => counts.push((test, yes)),
                _ => return None,
            }
        }
        let mut value = bits.solve(read(&self.words, slot))?;
        let free = !(bits.set | bits.clear);
        for (test, yes) in counts {
            value = self.counted(slot, value, free, test, yes);
        }
        Some(value)
    }

    /// A word with free bits changed until a count is as wanted, as far as that goes.
    fn counted(&mut self, slot: WordSlot, mut value: u64, free: u64, test: &Test, yes: bool) -> u64 {
        let Test::Count { set, low, high } = test else { return value };
        let goals = if yes {
            [*low..=*high, *low..=*high]
        } else {
            [0..=low.saturating_sub(1), high.saturating_add(1)..=64]
        };
        let count = |words: &mut Vec<u64>, value: u64| {
            write(words, slot, value);
            set_mask(set, &|slot| read(words, slot)).count_ones()
        };
        for goal in goals {
            if !yes && *goal.start() == 0 && *low == 0 {
                continue;
            }
            let away = |count: u32| goal.start().saturating_sub(count) + count.saturating_sub(*goal.end());
            let mut distance = away(count(&mut self.words, value));
            for bit in (0..64).map(|bit| 1u64 << bit).filter(|bit| free & bit != 0) {
                let closer = away(count(&mut self.words, value ^ bit));
                if distance > 0 && closer < distance {
                    (value, distance) = (value ^ bit, closer);
                }
            }
            if distance == 0 {
                break;
            }
        }
        value
    }
}

/// What is wanted of the bits of a word.
#[derive(Default)]
struct Bits {
    set: u64,
    clear: u64,
    /// Of each mask, some bit is set.
    any: SmallVec<[u64; 4]>,
    /// Of each mask, the bits are not exactly those.
    not: SmallVec<[(u64, u64); 4]>,
}

impl Bits {
    /// A word like another that has all this, if there is one that is found by looking at each in turn.
    fn solve(&mut self, like: u64) -> Option<u64> {
        self.any.sort_by_key(|mask| mask.count_ones());
        for mask in self.any.iter().filter(|mask| mask.is_power_of_two()) {
            self.set |= mask;
        }
        if self.set & self.clear != 0 {
            return None;
        }
        let mut value = like & !self.clear | self.set;
        for mask in &self.any {
            if value & mask == 0 {
                let free = mask & !self.clear;
                value |= free & free.wrapping_neg();
                if free == 0 {
                    return None;
                }
            }
        }
        for (mask, wrong) in &self.not {
            if value & mask == *wrong {
                let free = mask & !(self.set | self.clear);
                value ^= free & free.wrapping_neg();
                if free == 0 {
                    return None;
                }
            }
        }
        Some(value)
    }
}

/// Numbers that are in no case: around all of them, and in some gaps. Where cases lie without gaps, it looks at all.
fn outside(cases: &[Case], looks: &mut usize) -> SmallVec<[i64; 8]> {
    let mut numbers = SmallVec::new();
    numbers.extend(cases.last().and_then(|last| last.high.checked_add(1)));
    numbers.extend(cases.first().and_then(|first| first.low.checked_sub(1)));
    let gaps = cases.windows(2).inspect(|_| *looks += 1).filter_map(|pair| {
        let after = pair[0].high.checked_add(1)?;
        (after < pair[1].low).then_some(after)
    });
    numbers.extend(gaps.take(MAX_GAPS));
    numbers
}

/// The words that a block asks about.
fn slots(node: &Node) -> SmallVec<[WordSlot; 4]> {
    match node {
        Node::End | Node::Deny(_) | Node::Command { .. } => SmallVec::new(),
        Node::Switch { slot, .. } => smallvec![*slot],
        Node::Branch { test, .. } => match test {
            Test::AnyBit { slot, .. }
            | Test::Masked { slot, .. }
            | Test::Between { slot, .. }
            | Test::OneOf { slot, .. } => smallvec![*slot],
            Test::Age { now, stamp, .. } => smallvec![*stamp, *now],
            Test::Count { set, .. } => words_of_set(set),
        },
    }
}

/// The words that a block asks about, and which of their bits.
pub(super) fn each_read(node: &Node, mut read: impl FnMut(WordSlot, u64)) {
    match node {
        Node::Branch { test: Test::AnyBit { slot, mask } | Test::Masked { slot, mask, .. }, .. } => {
            read(*slot, *mask);
        }
        node => slots(node).into_iter().for_each(|slot| read(slot, u64::MAX)),
    }
}

/// The words that a set is worked out from, each once. A policy may chain as many sets as it likes, so this doesn't
/// recurse.
pub(super) fn words_of_set(set: &SetFormula) -> SmallVec<[WordSlot; 4]> {
    let mut words = SmallVec::new();
    let mut work = vec![set];
    while let Some(set) = work.pop() {
        let slot = match set {
            SetFormula::Listed(_) => continue,
            SetFormula::Word(slot) => slot,
            SetFormula::Intersect(a, b) | SetFormula::Union(a, b) | SetFormula::Except(a, b) => {
                work.extend([&**b, &**a]);
                continue;
            }
            SetFormula::If { slot, then, otherwise, .. } => {
                work.extend([&**otherwise, &**then]);
                slot
            }
        };
        if !words.contains(slot) {
            words.push(*slot);
        }
    }
    words
}

fn read(words: &[u64], slot: WordSlot) -> u64 {
    words.get(slot.0 as usize).copied().unwrap_or(0)
}

fn write(words: &mut [u64], slot: WordSlot, value: u64) {
    if let Some(word) = words.get_mut(slot.0 as usize) {
        *word = value;
    }
}
