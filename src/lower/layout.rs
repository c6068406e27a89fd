//! The layout: what the facts record of one policy holds, and how an event fills it.
//!
//! The record is a list of 64-bit words. The layout has only what the policy reads, once for a path, and says for
//! each value what is worked out when it is stored: a string's number in a pool of constants, one bit for each
//! prefix, suffix and substring asked about, the weekday of an instant. Evaluation then compares integers, and its
//! cost doesn't depend on how long the texts are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::check::policy::{Catalog, Type, Value, View};
use crate::lower::paths::{Consumer, PathTree};
use crate::lower::pool::{PatternSearch, PrefixPool, TextPool};

/// The bit of a factor mask that stands for the factors outside the catalog.
pub const OTHER_FACTOR: u64 = 1 << 63;

/// The stamp of a factor that was never performed: so long ago that no window reaches it.
pub const NEVER: i64 = -(1 << 61);

/// The range of an instant or an int: ±(2^53−1), as JSON carries integers.
pub const MAX_NUMBER: i64 = (1 << 53) - 1;

/// A word of the record, by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct WordSlot(pub u32);

/// One bit of the record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BitSlot {
    /// The word.
    pub word: WordSlot,
    /// The bit in it, from 0.
    pub bit: u8,
}

impl BitSlot {
    /// The bit as a mask of its word.
    pub fn mask(self) -> u64 {
        1 << self.bit
    }
}

/// What a record holds.
#[derive(Clone, Default, Debug)]
pub struct Layout {
    /// How many words.
    pub words: usize,
    /// The values that come from the event, in an order of the compiler's own.
    pub variables: Box<[VariableLayout]>,
    /// What may be missing, and the bit that says it is there.
    pub presences: Box<[PresenceLayout]>,
    /// Pairs of strings of which the policy asks whether they are equal.
    pub equalities: Box<[TextEquality]>,
    /// `enrolled`: a factor mask. Laid out where the policy reads it or executes a command.
    pub enrolled: Option<WordSlot>,
    /// What `enrolled` is needed for.
    pub enrolled_for: EnrolledFor,
    /// `performed` in all its forms.
    pub performed: PerformedLayout,
    /// `performed … in this login`: a factor mask that the host hands in.
    pub performed_in_login: Option<WordSlot>,
    /// `now`, if the policy reads it or any age.
    pub now: Option<MomentLayout>,
    /// The catalog; factor `i` is bit `i` of a factor mask.
    pub catalog: Arc<Catalog>,
    /// The facts of the policy that stand for no variable here, in the order of their names.
    pub facts: Box<[(Box<str>, FactLayout)]>,
    /// The library's facts, for those that are the name of no variable and not among [`facts`](Self::facts): no
    /// statement reads them.
    pub unread: Arc<BTreeMap<String, Type>>,
    /// How many strings are kept whole, for the equalities between them.
    pub kept_texts: usize,
    /// The keys of the event that are read.
    pub paths: PathTree,
}

impl Layout {
    /// Where the event holds a variable, as a policy writes it.
    pub(crate) fn path_of(&self, variable: usize) -> String {
        let value = self.paths.text_of(Consumer::Variable(variable));
        let elements = || {
            self.paths.text_of(Consumer::Element(variable)).map(|path| path.trim_end_matches("[]").to_owned())
        };
        value.or_else(elements).unwrap_or_else(|| "event".to_owned())
    }

    /// A fact's type and what is stored of it; `None` where the policy has no fact of this name.
    pub(crate) fn fact(&self, name: &str) -> Option<(&Type, FactPlace)> {
        let is_named = |variable: &VariableLayout| variable.names.iter().any(|known| **known == *name);
        let stored = self.variables.iter().position(is_named);
        let stored = stored.map(|place| (&self.variables[place].ty, FactPlace::Variable(place)));
        let not_stored = || {
            let place = self.facts.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
            self.facts.get(place).map(|(_, fact)| (&fact.ty, fact.place))
        };
        let unread = || self.unread.get(name).map(|ty| (ty, FactPlace::Unread));
        stored.or_else(not_stored).or_else(unread)
    }

    /// The names of all facts; one may come more than once.
    pub(crate) fn fact_names(&self) -> impl Iterator<Item = &str> {
        let stored = self.variables.iter().flat_map(|variable| &variable.names);
        let names = stored.chain(self.facts.iter().map(|(name, _)| name)).map(|name| &**name);
        names.chain(self.unread.keys().map(String::as_str))
    }
}

/// What `enrolled` is needed for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum EnrolledFor {
    /// The policy reads it: no step decides without it.
    Deciding,
    /// The policy doesn't read it. Which factors its prompts can use depends on it all the same.
    #[default]
    Prompting,
}

/// A fact of which no value is stored.
#[derive(Clone, Debug)]
pub struct FactLayout {
    /// Its type.
    pub ty: Type,
    /// What of it is stored.
    pub place: FactPlace,
}

/// What is stored of a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FactPlace {
    /// Its value: a position in [`Layout::variables`].
    Variable(usize),
    /// Only whether it is there: a position in [`Layout::presences`].
    Presence(usize),
    /// Nothing: no statement reads it.
    Unread,
}

/// One value of the event.
#[derive(Clone, Debug)]
pub struct VariableLayout {
    /// The names of the facts that stand for it; the first is for reports.
    pub names: Box<[Box<str>]>,
    /// Its type.
    pub ty: Type,
    /// For `split ","`: the separator.
    pub split: Option<Box<str>>,
    /// What it is when the event lacks it.
    pub absence: AbsenceLayout,
    /// Where it is stored.
    pub slots: VariableSlots,
}

/// What a variable is when the event has no value (or `null`) on its path.
#[derive(Clone, PartialEq, Debug)]
pub enum AbsenceLayout {
    /// An error that names the path.
    Refused,
    /// This value is stored.
    Default(Value),
    /// The slots are cleared; position in [`Layout::presences`].
    Tracked(usize),
}

/// Where a value is stored, by its type. `None` where the policy doesn't ask.
#[derive(Clone, Debug)]
pub enum VariableSlots {
    /// A bit.
    Bool(BitSlot),
    /// An int, a duration in milliseconds, or an enum's number.
    Number(WordSlot),
    /// A time.
    Time(MomentLayout),
    /// A string, stored as what the policy asks of it.
    Text(Box<TextLayout>),
    /// A list of strings.
    List(Box<ListLayout>),
    /// A factor mask.
    FactorSet(WordSlot),
    /// A factor mask with one bit, or 0 when absent or outside the catalog.
    Factor(WordSlot),
    /// The number of the smallest prefix of the policy that holds the address.
    Ip {
        /// The word.
        slot: WordSlot,
        /// The prefixes: prefix `i` has the number `i + 1`, and 0 is an address in none (or absent).
        prefixes: PrefixPool,
    },
}

impl VariableSlots {
    /// Each word that a value is stored in, and which of its bits; a word may come more than once. What a text shares
    /// with another text, whether they are equal, is not among them.
    pub fn each_word(&self, mut each: impl FnMut(WordSlot, u64)) {
        match self {
            VariableSlots::Bool(bit) => each(bit.word, bit.mask()),
            VariableSlots::Number(slot)
            | VariableSlots::FactorSet(slot)
            | VariableSlots::Factor(slot)
            | VariableSlots::Ip { slot, .. } => each(*slot, u64::MAX),
            VariableSlots::Time(moment) => moment.slots().for_each(|slot| each(slot, u64::MAX)),
            VariableSlots::Text(text) => {
                text.numbers.iter().for_each(|number| each(number.slot, u64::MAX));
                text.pattern_bits.iter().for_each(|(slot, mask)| each(*slot, *mask));
                text.firsts.iter().flat_map(|first| &first.slots).for_each(|slot| each(*slot, u64::MAX));
                text.has_domain.iter().for_each(|bit| each(bit.word, bit.mask()));
            }
            VariableSlots::List(list) => {
                list.not_empty.iter().chain(&list.elements).for_each(|bit| each(bit.word, bit.mask()));
                list.firsts.iter().flat_map(|first| &first.slots).for_each(|slot| each(*slot, u64::MAX));
            }
        }
    }
}

/// What a policy asks of a list.
#[derive(Clone, Default, Debug)]
pub struct ListLayout {
    /// Set when the list has an element.
    pub not_empty: Option<BitSlot>,
    /// The constants.
    pub pool: TextPool,
    /// For each constant, the bit that says the list holds it.
    pub elements: Box<[BitSlot]>,
    /// Which constants the list holds first.
    pub firsts: Vec<FirstOf>,
}

/// An instant: its milliseconds since 1970 and what is derived from them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct MomentLayout {
    /// Milliseconds since 1970.
    pub value: Option<WordSlot>,
    /// 0 for Monday to 6 for Sunday, in UTC.
    pub weekday: Option<WordSlot>,
    /// 0 to 23, in UTC.
    pub hour: Option<WordSlot>,
}

impl MomentLayout {
    /// Its words.
    pub fn slots(self) -> impl Iterator<Item = WordSlot> {
        [self.value, self.weekday, self.hour].into_iter().flatten()
    }
}

/// What a policy asks of one string.
#[derive(Clone, Default, Debug)]
pub struct TextLayout {
    /// For each view compared with constants: its number in a pool.
    pub numbers: Vec<TextNumber>,
    /// For each pattern a bit; sorted by view, kind and literal.
    pub patterns: Vec<TextPattern>,
    /// How they are found.
    pub searches: Vec<PatternSearch>,
    /// All their bits: words, each once, and masks.
    pub pattern_bits: Vec<(WordSlot, u64)>,
    /// Which patterns match first.
    pub firsts: Vec<FirstOf>,
    /// Set when the string has an `@`, so that `domain(…)` is present.
    pub has_domain: Option<BitSlot>,
    /// Its number among the strings that are kept whole.
    pub kept: Option<usize>,
}

/// Which of a list's constants, or a text's patterns, are there first, in an order that the policy asks in.
#[derive(Clone, Debug)]
pub struct FirstOf {
    /// The words of the least ranks that are there, each once, in ascending order; [`none`](Self::none) where there is
    /// no more.
    pub slots: Vec<WordSlot>,
    /// The rank of each constant or pattern, by its position. What isn't asked for has `none`.
    pub ranks: Vec<u32>,
    /// One more than the greatest rank.
    pub none: u32,
}

/// A string's number among the constants it is compared with.
#[derive(Clone, Debug)]
pub struct TextNumber {
    /// The view that is looked up.
    pub view: View,
    /// The constants; text `i` has the number `i`, and any other text, or none, `pool.len()`.
    pub pool: TextPool,
    /// The word.
    pub slot: WordSlot,
}

/// A pattern of a string and its bit.
#[derive(Clone, Debug)]
pub struct TextPattern {
    /// The view that is searched.
    pub view: View,
    /// The kind.
    pub kind: PatternKind,
    /// What is looked for.
    pub literal: String,
    /// Set when it is there.
    pub bit: BitSlot,
}

/// Where a pattern has to lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the language's own words")]
pub enum PatternKind {
    StartsWith,
    EndsWith,
    Contains,
}

/// Something that may be missing.
#[derive(Clone, Debug)]
pub struct PresenceLayout {
    /// Set when it is there.
    pub bit: BitSlot,
    /// The nearest thing above it that may be missing too; a position in [`Layout::presences`].
    pub parent: Option<usize>,
    /// The variables that are there exactly when it is; positions in [`Layout::variables`].
    pub variables: Box<[u32]>,
}

/// Two strings of which the policy asks whether they are equal.
#[derive(Clone, Copy, Debug)]
pub struct TextEquality {
    /// Positions in [`Layout::variables`].
    pub variables: [usize; 2],
    /// Set when both are there and equal, byte by byte.
    pub bit: BitSlot,
}

/// What is kept of the session's performed factors.
#[derive(Clone, Default, Debug)]
pub struct PerformedLayout {
    /// A factor mask of those with a stamp.
    pub mask: Option<WordSlot>,
    /// The latest stamp of a factor, by its number; [`NEVER`] without one.
    pub stamps: Box<[(u8, WordSlot)]>,
    /// The latest stamp of any factor; [`NEVER`] without one.
    pub latest: Option<WordSlot>,
    /// A factor mask with the one bit of the factor that has the latest stamp, or 0.
    pub last: Option<WordSlot>,
}

impl PerformedLayout {
    /// Whether the policy reads any of it.
    pub fn is_read(&self) -> bool {
        self.mask.is_some() || !self.stamps.is_empty() || self.latest.is_some() || self.last.is_some()
    }
}
