//! Where everything lies: what a policy reads becomes a [`Layout`].
//!
//! Single bits share words, and those words come first, then the factor masks and numbers, so that what one login
//! touches lies together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::policy::{Absence, Each, Fact, PresenceId, Type, TypedPolicy, Variable, VariableId};
use crate::lower::collect::{NowReads, PerformedReads, Reads, VariableReads};
use crate::lower::layout::{
    AbsenceLayout, BitSlot, EnrolledFor, FactLayout, FactPlace, Layout, ListLayout, MomentLayout,
    PerformedLayout, PresenceLayout, TextEquality, TextLayout, TextNumber, TextPattern, VariableLayout,
    VariableSlots, WordSlot,
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
    let names = names(policy);
    let mut rows = Vec::with_capacity(reads.variables.len());
    for (id, read) in &reads.variables {
        let variable = &policy.variables[*id];
        let kept = reads.equalities.iter().any(|(a, b)| a == id || b == id);
        let kept = kept.then_some(layout.kept_texts);
        layout.kept_texts += usize::from(kept.is_some());
        let slots = slots(&variable.ty, read, kept, &mut words);
        let names = names.get(id).into_iter().flatten().copied();
        rows.push(variable_layout(variable, names, slots, &presences));
    }
    layout.variables = rows.into();
    layout.words = words.next as usize;
    layout.catalog = Arc::clone(&policy.catalog);
    layout.unread = Arc::clone(&policy.unread);
    layout.equalities = equalities
        .iter()
        .map(|((a, b), bit)| TextEquality { variables: [variables[a], variables[b]], bit: *bit })
        .collect();
    let mut places = Places { layout, variables, presences, equalities };
    places.layout.presences = places.presence_rows(policy, &presence_bits);
    places.layout.facts = places.fact_rows(policy);
    places.layout.paths = places.paths(policy);
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
        Type::Text => VariableSlots::Text(text(reads, kept, words).into()),
        Type::TextList => VariableSlots::List(Box::new(ListLayout {
            not_empty: reads.emptiness.then(|| words.bit()),
            pool: TextPool::new(reads.elements.iter().copied()),
            elements: words.own_bits(reads.elements.len()).into(),
            firsts: Vec::new(),
        })),
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

/// The names of each variable: that of the fact that it was made for comes first.
fn names(policy: &TypedPolicy) -> BTreeMap<VariableId, Vec<&str>> {
    let mut names: BTreeMap<VariableId, Vec<&str>> = BTreeMap::new();
    for (id, variable) in &policy.variables {
        names.entry(id).or_default().push(&variable.name);
    }
    for (name, fact) in &policy.facts {
        let of_variable = names.entry(fact.variable).or_default();
        if !of_variable.contains(&name.as_str()) {
            of_variable.push(name);
        }
    }
    names
}

fn variable_layout<'p>(
    variable: &Variable,
    names: impl Iterator<Item = &'p str>,
    slots: VariableSlots,
    presences: &BTreeMap<PresenceId, usize>,
) -> VariableLayout {
    VariableLayout {
        names: names.map(Box::from).collect(),
        ty: variable.ty.clone(),
        split: variable.split.as_deref().map(Box::from),
        absence: match &variable.absence {
            Absence::Refused => AbsenceLayout::Refused,
            Absence::Default(value) => AbsenceLayout::Default(value.clone()),
            Absence::Tracked(presence) => AbsenceLayout::Tracked(presences[presence]),
        },
        slots,
    }
}

impl Places {
    fn presence_rows(&self, policy: &TypedPolicy, bits: &[BitSlot]) -> Box<[PresenceLayout]> {
        let row = |(place, (id, bit)): (usize, (&PresenceId, &BitSlot))| {
            let parent = |id: &PresenceId| policy.presences[*id].parent;
            let ancestors = std::iter::successors(parent(id), parent);
            let under = (0u32..).zip(&self.layout.variables);
            let under = under.filter(|(_, variable)| variable.absence == AbsenceLayout::Tracked(place));
            PresenceLayout {
                bit: *bit,
                parent: ancestors.filter_map(|ancestor| self.presences.get(&ancestor).copied()).next(),
                variables: under.map(|(variable, _)| variable).collect(),
            }
        };
        self.presences.keys().zip(bits).enumerate().map(row).collect()
    }

    fn fact_rows(&self, policy: &TypedPolicy) -> Box<[(Box<str>, FactLayout)]> {
        let row = |(name, fact): (&String, &Fact)| {
            let variable = &policy.variables[fact.variable];
            let of_presence =
                |presence| self.presences.get(presence).map(|place| FactPlace::Presence(*place));
            let place = match &variable.absence {
                Absence::Tracked(presence) => of_presence(presence).unwrap_or(FactPlace::Unread),
                Absence::Refused | Absence::Default(_) => FactPlace::Unread,
            };
            (name.as_str().into(), FactLayout { ty: variable.ty.clone(), place })
        };
        let stored = |fact: &Fact| self.variables.contains_key(&fact.variable);
        policy.facts.iter().filter(|(_, fact)| !stored(fact)).map(row).collect()
    }

    /// The tree of all keys that are read.
    fn paths(&self, policy: &TypedPolicy) -> PathTree {
        let mut paths = PathTreeBuilder::default();
        for (id, place) in &self.presences {
            paths.add_presence(&policy.presences[*id].path, *place);
        }
        for (id, place) in &self.variables {
            let Variable { path, ty, split, .. } = &policy.variables[*id];
            let is_array = split.is_none() || path.iter().any(|key| key.each == Each::Element);
            if is_array && matches!(ty, Type::TextList | Type::FactorSet) {
                paths.add_elements(path, *place);
            } else {
                paths.add_value(path, *place);
            }
        }
        if self.layout.enrolled.is_some() {
            paths.add_enrolled();
        }
        if self.layout.performed.is_read() {
            paths.add_performed();
        }
        paths.finish()
    }
}
