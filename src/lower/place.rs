//! Where everything lies: what a policy reads becomes a [`Layout`].
//!
//! Single bits share words, and those words come first, then the factor masks and numbers, so that what one login
//! touches lies together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::policy::{Absence, Each, PresenceId, Type, TypedPolicy, Variable, VariableId};
use crate::lower::collect::{NowReads, PerformedReads, Reads, VariableReads};
use crate::lower::layout::{
    AbsenceLayout, BitSlot, EnrolledFor, FactLayout, FactPlace, Layout, MomentLayout, PerformedLayout,
    PresenceLayout, TextEquality, TextLayout, TextNumber, TextPattern, VariableLayout, VariableSlots,
    WordSlot,
};
use crate::lower::paths::{PathTree, PathTreeBuilder};
use crate::lower::pool::{PatternSearch, PrefixPool, TextPool};

/// A layout, and the positions in it of what the policy knows by its own ids.
pub(super) struct Places {
    pub(super) layout: Layout,
    pub(super) variables: BTreeMap<VariableId, usize>,
    pub(super) presences: BTreeMap<PresenceId, usize>,
    pub(super) equalities: BTreeMap<(VariableId, VariableId), BitSlot>,
}

/// Lays out what a policy reads.
pub(super) fn place(policy: &TypedPolicy, reads: &Reads<'_>) -> Places {
    let read = read_presences(policy, reads);
    let presences: BTreeMap<_, _> = read.into_iter().enumerate().map(|(place, id)| (id, place)).collect();
    let variables: BTreeMap<_, _> =
        reads.variables.keys().enumerate().map(|(place, id)| (*id, place)).collect();
    let bit_words = bit_words(policy, reads, presences.len());
    let mut words = Words { bits: 0, bit_words, next: bit_words };
    let presence_bits: Vec<_> = presences.values().map(|_| words.bit()).collect();
    let equalities: BTreeMap<_, _> = reads.equalities.iter().map(|pair| (*pair, words.bit())).collect();
    let mut layout = Layout {
        enrolled: (reads.enrolled || reads.prompts).then(|| words.word()),
        enrolled_for: if reads.enrolled { EnrolledFor::Deciding } else { EnrolledFor::Prompting },
        performed: performed(&reads.performed, &mut words),
        performed_in_login: reads.performed.in_login.then(|| words.word()),
        now: now(&reads.now, &mut words),
        ..Layout::default()
    };
    for (id, read) in &reads.variables {
        let variable = &policy.variables[*id];
        let kept = reads.equalities.iter().any(|(a, b)| a == id || b == id);
        let kept = kept.then_some(layout.kept_texts);
        layout.kept_texts += usize::from(kept.is_some());
        let slots = slots(&variable.ty, read, kept, &mut words);
        layout.variables.push(variable_layout(variable, slots, &presences));
    }
    layout.words = words.next as usize;
    layout.catalog = Arc::clone(&policy.catalog);
    layout.unread = Arc::clone(&policy.unread);
    layout.equalities = equalities
        .iter()
        .map(|((a, b), bit)| TextEquality { variables: [variables[a], variables[b]], bit: *bit })
        .collect();
    let mut places = Places { layout, variables, presences, equalities };
    places.presences(policy, &presence_bits);
    places.facts(policy);
    places.layout.paths = paths(&places.layout);
    places
}

/// The presences asked about, and those of the variables that are read.
fn read_presences(policy: &TypedPolicy, reads: &Reads<'_>) -> std::collections::BTreeSet<PresenceId> {
    let of_variables = reads.variables.keys().filter_map(|id| match &policy.variables[*id].absence {
        Absence::Tracked(presence) => Some(*presence),
        Absence::Refused | Absence::Default(_) => None,
    });
    reads.presences.iter().copied().chain(of_variables).collect()
}

/// So many bits of one variable have words of their own.
const MANY_BITS: usize = 8;

/// Hands out words and bits.
struct Words {
    bits: u32,
    bit_words: u32,
    next: u32,
}

impl Words {
    fn bit(&mut self) -> BitSlot {
        let bit = BitSlot { word: WordSlot(self.bits / 64), bit: (self.bits % 64) as u8 };
        self.bits += 1;
        debug_assert!(bit.word.0 < self.bit_words, "bits were counted before they are handed out");
        bit
    }

    /// Bits of one variable. Where they are many they share no word with others, so that a test of them is about
    /// nothing else.
    fn own_bits(&mut self, count: usize) -> Vec<BitSlot> {
        if count < MANY_BITS {
            return (0..count).map(|_| self.bit()).collect();
        }
        self.bits = self.bits.next_multiple_of(64);
        let bits = (0..count).map(|_| self.bit()).collect();
        self.bits = self.bits.next_multiple_of(64);
        bits
    }

    fn word(&mut self) -> WordSlot {
        self.next += 1;
        WordSlot(self.next - 1)
    }
}

/// How many words the bits take at most.
fn bit_words(policy: &TypedPolicy, reads: &Reads<'_>, presences: usize) -> u32 {
    let own = |count: usize| if count < MANY_BITS { count } else { (count + 63).next_multiple_of(64) };
    let of_variable = |(id, read): (&VariableId, &VariableReads<'_>)| {
        usize::from(policy.variables[*id].ty == Type::Bool)
            + own(read.patterns.len())
            + usize::from(read.has_domain)
            + usize::from(read.emptiness)
            + own(read.elements.len())
    };
    let bits = presences + reads.equalities.len() + reads.variables.iter().map(of_variable).sum::<usize>();
    bits.div_ceil(64) as u32
}

fn performed(reads: &PerformedReads, words: &mut Words) -> PerformedLayout {
    PerformedLayout {
        mask: reads.mask.then(|| words.word()),
        stamps: reads.stamps.iter().map(|factor| (*factor, words.word())).collect(),
        latest: reads.latest.then(|| words.word()),
        last: reads.last.then(|| words.word()),
    }
}

fn now(reads: &NowReads, words: &mut Words) -> Option<MomentLayout> {
    let moment = moment(reads.value, reads.weekday, reads.hour, words);
    (moment != MomentLayout::default()).then_some(moment)
}

fn moment(value: bool, weekday: bool, hour: bool, words: &mut Words) -> MomentLayout {
    MomentLayout {
        value: value.then(|| words.word()),
        weekday: weekday.then(|| words.word()),
        hour: hour.then(|| words.word()),
    }
}

fn slots(ty: &Type, reads: &VariableReads<'_>, kept: Option<usize>, words: &mut Words) -> VariableSlots {
    match ty {
        Type::Bool => VariableSlots::Bool(words.bit()),
        Type::Int | Type::Duration | Type::OpenEnum(_) | Type::OrderedEnum(_) => {
            VariableSlots::Number(words.word())
        }
        Type::Time => VariableSlots::Time(moment(reads.value, reads.weekday, reads.hour, words)),
        Type::Text => VariableSlots::Text(text(reads, kept, words)),
        Type::TextList => VariableSlots::List {
            not_empty: reads.emptiness.then(|| words.bit()),
            pool: TextPool::new(reads.elements.iter().copied()),
            elements: words.own_bits(reads.elements.len()),
            firsts: Vec::new(),
        },
        Type::FactorSet => VariableSlots::FactorSet(words.word()),
        Type::Factor => VariableSlots::Factor(words.word()),
        Type::Ip => VariableSlots::Ip {
            slot: words.word(),
            prefixes: PrefixPool::new(reads.prefixes.iter().copied().collect()),
        },
    }
}

fn text(reads: &VariableReads<'_>, kept: Option<usize>, words: &mut Words) -> TextLayout {
    let numbers = reads.constants.iter().map(|(view, constants)| TextNumber {
        view: *view,
        pool: TextPool::new(constants.iter().copied()),
        slot: words.word(),
    });
    let numbers = numbers.collect();
    let bits = words.own_bits(reads.patterns.len());
    let patterns = reads.patterns.iter().zip(bits).map(|((view, kind, literal), bit)| TextPattern {
        view: *view,
        kind: *kind,
        literal: (*literal).to_owned(),
        bit,
    });
    let patterns: Vec<TextPattern> = patterns.collect();
    let searches = PatternSearch::all(&patterns);
    let pattern_bits = masks(patterns.iter().map(|pattern| pattern.bit));
    let has_domain = reads.has_domain.then(|| words.bit());
    TextLayout { numbers, patterns, searches, pattern_bits, firsts: Vec::new(), has_domain, kept }
}

/// Bits that stand in ascending order, by their words.
fn masks(bits: impl Iterator<Item = BitSlot>) -> Vec<(WordSlot, u64)> {
    let mut masks: Vec<(WordSlot, u64)> = Vec::new();
    for bit in bits {
        match masks.last_mut() {
            Some((word, mask)) if *word == bit.word => *mask |= bit.mask(),
            _ => masks.push((bit.word, bit.mask())),
        }
    }
    masks
}

fn variable_layout(
    variable: &Variable,
    slots: VariableSlots,
    presences: &BTreeMap<PresenceId, usize>,
) -> VariableLayout {
    VariableLayout {
        names: vec![variable.name.clone()],
        path: variable.path.clone(),
        ty: variable.ty.clone(),
        split: variable.split.clone(),
        absence: match &variable.absence {
            Absence::Refused => AbsenceLayout::Refused,
            Absence::Default(value) => AbsenceLayout::Default(value.clone()),
            Absence::Tracked(presence) => AbsenceLayout::Tracked(presences[presence]),
        },
        slots,
    }
}

impl Places {
    fn presences(&mut self, policy: &TypedPolicy, bits: &[BitSlot]) {
        for (id, bit) in self.presences.keys().zip(bits) {
            let ancestors =
                std::iter::successors(policy.presences[*id].parent, |id| policy.presences[*id].parent);
            let place = self.layout.presences.len();
            let under = self.layout.variables.iter().enumerate();
            let under = under.filter(|(_, variable)| variable.absence == AbsenceLayout::Tracked(place));
            self.layout.presences.push(PresenceLayout {
                path: policy.presences[*id].path.clone(),
                bit: *bit,
                parent: ancestors.filter_map(|ancestor| self.presences.get(&ancestor).copied()).next(),
                variables: under.map(|(variable, _)| variable).collect(),
            });
        }
    }

    fn facts(&mut self, policy: &TypedPolicy) {
        for (name, fact) in &policy.facts {
            let variable = &policy.variables[fact.variable];
            let place = match (self.variables.get(&fact.variable), &variable.absence) {
                (Some(place), _) => FactPlace::Variable(*place),
                (None, Absence::Tracked(presence)) => self
                    .presences
                    .get(presence)
                    .map_or(FactPlace::Unread, |place| FactPlace::Presence(*place)),
                (None, Absence::Refused | Absence::Default(_)) => FactPlace::Unread,
            };
            if let FactPlace::Variable(place) = place {
                let names = &mut self.layout.variables[place].names;
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            self.layout.facts.insert(name.clone(), FactLayout { ty: variable.ty.clone(), place });
        }
    }
}

/// The tree of all keys that a layout reads.
fn paths(layout: &Layout) -> PathTree {
    let mut paths = PathTreeBuilder::default();
    for (place, presence) in layout.presences.iter().enumerate() {
        paths.add_presence(&presence.path, place);
    }
    for (place, variable) in layout.variables.iter().enumerate() {
        let is_array = variable.split.is_none() || variable.path.iter().any(|key| key.each == Each::Element);
        if is_array && matches!(variable.ty, Type::TextList | Type::FactorSet) {
            paths.add_elements(&variable.path, place);
        } else {
            paths.add_value(&variable.path, place);
        }
    }
    if layout.enrolled.is_some() {
        paths.add_enrolled();
    }
    if layout.performed.is_read() {
        paths.add_performed();
    }
    paths.finish()
}
