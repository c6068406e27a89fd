//! Filling: columns become the words of many logins, a tile of them at a time.
//!
//! A column is written into all rows of a tile before the next, so what it asks of the policy is found once. Where it has
//! few different values, these are stored once each, through [`Facts`], and what they left is copied: an *image*. What
//! has no way of its own is stored into facts row by row, and its image copied too; so no value is worked out by other
//! code than that of slots, but for the three that are most common.
//!
//! What may be absent can't be seen column by column: whether rows are whole is worked out from all columns' nulls.

use std::ops::Range;
use std::slice::ChunksExact;
use std::sync::Arc;

use super::BatchError;
use super::column::{Column, Subject};
use super::values::{Distinct, Lists, Texts, Values};
use crate::check::policy::{Value, View};
use crate::lower::layout::{
    AbsenceLayout, FactPlace, Layout, MomentLayout, OTHER_FACTOR, TextNumber, VariableSlots, WordSlot,
};
use crate::lower::pool::{ShortTexts, TextPool};
use crate::runtime::facts::{Facts, mask_of};
use crate::runtime::record::Input;

/// About so many words are filled at a time: they lie in the cache of the first level.
const TILE_WORDS: usize = 2048;

/// So many elements of a list are looked at without asking how many it has: most users have no more factors.
const AT_ONCE: usize = 4;

/// For each count of elements, which of the first are there.
static THERE: [[u64; AT_ONCE]; AT_ONCE + 1] = {
    let mut there = [[0; AT_ONCE]; AT_ONCE + 1];
    let mut count = 1;
    while count <= AT_ONCE {
        there[count] = there[count - 1];
        there[count][count - 1] = u64::MAX;
        count += 1;
    }
    there
};

/// The most words that the images of a column may take: 8 MiB.
const MOST_IMAGES: usize = 1 << 20;

/// The words of some logins, one after the other.
pub(super) struct Tile {
    words: Vec<u64>,
    /// How many a login has: one, where the policy reads nothing.
    stride: usize,
    /// A bit for each login that can't be decided.
    refused: Vec<u64>,
}

/// A value that can't be stored; the login is refused.
struct Refused;

impl Tile {
    /// The words of each login.
    pub(super) fn rows(&self) -> ChunksExact<'_, u64> {
        self.words.chunks_exact(self.stride)
    }

    /// A bit for each login that can't be decided.
    pub(super) fn refused(&self) -> &[u64] {
        &self.refused
    }

    fn begin(&mut self, blank: &[u64], logins: usize) {
        self.words.clear();
        self.words.extend_from_slice(&blank[..logins * self.stride]);
        self.refused.clear();
        self.refused.resize(logins.div_ceil(64), 0);
    }
}

/// Fills tiles from columns.
pub(super) struct Filler<'c> {
    layout: Arc<Layout>,
    writers: Vec<Writer<'c>>,
    /// How many words a login has, and logins a tile: a multiple of 64.
    stride: usize,
    logins: usize,
    /// A tile of logins of which nothing is known but defaults.
    blank: Vec<u64>,
    scratch: Facts,
    /// A word for each login of a tile.
    values: Vec<u64>,
    presences: Vec<Presence<'c>>,
    equalities: Vec<[Operand<'c>; 2]>,
}

/// A column and how it is written.
struct Writer<'c> {
    column: &'c Column,
    /// The words that it fills, and which of their bits.
    slots: Vec<(WordSlot, u64)>,
    way: Way<'c>,
    on_null: OnNull,
}

/// What a login is that has no value in a column.
#[derive(Clone, Copy)]
enum OnNull {
    /// As if the column weren't there: the default, or what is absent.
    Blank,
    Refused,
}

enum Way<'c> {
    /// There is nothing to write.
    Nothing,
    /// One word, and what each different value leaves there.
    Image { distinct: Distinct<'c>, words: Vec<u64> },
    /// What each different value leaves in all words, one after the other, and which can't be stored.
    Images { distinct: Distinct<'c>, words: Vec<u64>, refused: Vec<bool> },
    /// A bit for each element, none of which is null.
    Factors { lists: &'c Lists<Texts>, bits: FactorBits, kept: u64 },
    /// A text's number, and nothing else of it.
    Number { texts: &'c Texts, pool: ShortTexts },
    /// Through facts.
    Each,
}

/// The bit of a factor, by the element of a list.
enum FactorBits {
    /// By the key of a dictionary.
    Keyed(Vec<u64>),
    /// By the name.
    Named(ShortTexts),
}

/// What may be missing, and the columns that tell.
struct Presence<'c> {
    columns: Vec<&'c Column>,
    there: Vec<u64>,
    absent: Vec<u64>,
}

/// A side of an equality between texts.
struct Operand<'c> {
    column: Option<(&'c Column, &'c Texts)>,
    default: Option<&'c str>,
}

impl Operand<'_> {
    fn text(&self, row: usize) -> Option<&str> {
        match self.column {
            Some((column, texts)) if !column.is_null(row) => Some(texts.get(row)),
            _ => self.default,
        }
    }
}

impl<'c> Filler<'c> {
    /// Fills records of a layout from columns; an error names what no column gives.
    pub(super) fn new(
        layout: &'c Arc<Layout>,
        columns: &'c [Column],
        rows: usize,
    ) -> Result<Self, BatchError> {
        let mut scratch = Facts::new(layout);
        let presences = Presence::all(layout, columns);
        let given = |input: &Input| is_given(layout, columns, &presences, *input);
        let missing: Vec<_> = Input::all(layout).filter(|input| !given(input)).collect();
        if !missing.is_empty() {
            let names = missing.into_iter().map(|input| scratch.input_name(input)).collect();
            return Err(BatchError::Missing { names });
        }
        let stride = layout.words.max(1);
        let logins = (TILE_WORDS / stride).clamp(64, 1024).next_multiple_of(64);
        let mut blank = scratch.record.words.clone();
        blank.resize(stride, 0);
        let blank = blank.repeat(logins);
        let writers = columns.iter().map(|column| Writer::new(layout, column, rows, &mut scratch)).collect();
        let operand = |variable: usize| Operand {
            column: columns.iter().find_map(|column| match &column.values {
                Values::Texts(texts) if column.subject == variable_subject(variable) => Some((column, texts)),
                _ => None,
            }),
            default: match &layout.variables[variable].absence {
                AbsenceLayout::Default(Value::Text(text)) => Some(text),
                _ => None,
            },
        };
        let equalities = layout.equalities.iter().map(|equality| equality.variables.map(operand)).collect();
        Ok(Filler {
            layout: Arc::clone(layout),
            writers,
            stride,
            logins,
            blank,
            scratch,
            values: Vec::new(),
            presences,
            equalities,
        })
    }

    /// A tile, and how many logins it takes.
    pub(super) fn tile(&self) -> (Tile, usize) {
        let words = Vec::with_capacity(self.stride * self.logins);
        (Tile { words, stride: self.stride, refused: Vec::new() }, self.logins)
    }

    /// Fills a tile with these rows.
    pub(super) fn fill(&mut self, rows: Range<usize>, tile: &mut Tile) {
        tile.begin(&self.blank, rows.len());
        for writer in &self.writers {
            writer.write(rows.clone(), tile, &mut self.scratch, &mut self.values);
        }
        self.fill_presences(rows.clone(), tile);
        for (equality, [a, b]) in self.layout.equalities.iter().zip(&self.equalities) {
            let (slot, mask) = (equality.bit.word.0 as usize, equality.bit.mask());
            for (row, words) in rows.clone().zip(tile.words.chunks_exact_mut(tile.stride)) {
                let text = a.text(row);
                let is_equal = text.is_some() && text == b.text(row);
                words[slot] = words[slot] & !mask | if is_equal { mask } else { 0 };
            }
        }
    }

    /// Says what is there, and refuses logins of which the columns say too little, or both.
    fn fill_presences(&mut self, rows: Range<usize>, tile: &mut Tile) {
        self.presences.iter_mut().for_each(|presence| presence.look(rows.clone()));
        for place in 0..self.presences.len() {
            let there = std::mem::take(&mut self.presences[place].there);
            let mut above = self.layout.presences[place].parent;
            while let Some(parent) = above {
                let parent_there = self.presences[parent].there.iter_mut();
                parent_there.zip(&there).for_each(|(parent, there)| *parent |= there);
                above = self.layout.presences[parent].parent;
            }
            self.presences[place].there = there;
        }
        for (presence, layout) in self.presences.iter().zip(&self.layout.presences) {
            let sides = presence.there.iter().zip(&presence.absent);
            for (refused, (there, absent)) in tile.refused.iter_mut().zip(sides) {
                *refused |= there & absent | !(there | absent);
            }
            let (slot, mask) = (layout.bit.word.0 as usize, layout.bit.mask());
            for (place, words) in tile.words.chunks_exact_mut(tile.stride).enumerate() {
                let is_there = presence.there[place / 64] >> (place % 64) & 1;
                words[slot] |= mask & is_there.wrapping_neg();
            }
        }
    }
}

impl<'c> Presence<'c> {
    fn all(layout: &Layout, columns: &'c [Column]) -> Vec<Self> {
        let tells = |column: &Column, place: usize| match column.subject {
            Subject::Fact(FactPlace::Presence(presence)) => presence == place,
            Subject::Fact(FactPlace::Variable(variable)) => {
                matches!(layout.variables[variable].absence, AbsenceLayout::Tracked(presence) if presence == place)
            }
            _ => false,
        };
        let presence = |place| Presence {
            columns: columns.iter().filter(|column| tells(column, place)).collect(),
            there: Vec::new(),
            absent: Vec::new(),
        };
        (0..layout.presences.len()).map(presence).collect()
    }

    /// What its own columns say.
    fn look(&mut self, rows: Range<usize>) {
        let words = rows.len().div_ceil(64);
        for side in [&mut self.there, &mut self.absent] {
            side.clear();
            side.resize(words, 0);
        }
        for column in &self.columns {
            for (place, row) in rows.clone().enumerate() {
                let is_null = u64::from(column.is_null(row));
                self.there[place / 64] |= (is_null ^ 1) << (place % 64);
                self.absent[place / 64] |= is_null << (place % 64);
            }
        }
    }
}

fn variable_subject(variable: usize) -> Subject {
    Subject::Fact(FactPlace::Variable(variable))
}

/// Whether columns can give an input.
fn is_given(layout: &Layout, columns: &[Column], presences: &[Presence<'_>], input: Input) -> bool {
    let has = |subject| columns.iter().any(|column| column.subject == subject);
    match input {
        Input::Event => true,
        Input::Enrolled => has(Subject::Enrolled),
        Input::Performed => has(Subject::Performed),
        Input::Now => has(Subject::Now),
        Input::Variable(place) => {
            let has_default = matches!(layout.variables[place].absence, AbsenceLayout::Default(_));
            has_default || has(variable_subject(place))
        }
        Input::Presence(place) => {
            let is_at_or_above = |below: usize| {
                let parent = |place: &usize| layout.presences[*place].parent;
                std::iter::successors(Some(below), parent).any(|above| above == place)
            };
            let told = |below: &usize| !presences[*below].columns.is_empty() && is_at_or_above(*below);
            (0..presences.len()).any(|below| told(&below))
        }
    }
}

impl<'c> Writer<'c> {
    fn new(layout: &'c Layout, column: &'c Column, rows: usize, scratch: &mut Facts) -> Self {
        let slots = slots_of(layout, column.subject);
        let way = Way::of(layout, column, rows, &slots, scratch);
        Writer { column, slots, way, on_null: on_null(layout, column.subject) }
    }

    fn write(&self, rows: Range<usize>, tile: &mut Tile, scratch: &mut Facts, values: &mut Vec<u64>) {
        values.clear();
        match &self.way {
            Way::Nothing => self.each(rows, tile, |_, _| Ok(())),
            Way::Image { distinct, words } => {
                distinct.read(rows.clone(), words, 0, values);
                self.put_all(rows, tile, values);
            }
            Way::Images { distinct, words, refused } => {
                self.each(rows, tile, |row, at| self.copy(words, refused, distinct.key(at), row));
            }
            Way::Factors { lists, bits, kept } => {
                bits.read(lists, rows.clone(), *kept, values);
                self.put_all(rows, tile, values);
            }
            Way::Number { texts, pool } => {
                texts.values(pool, rows.clone(), values);
                self.put_all(rows, tile, values);
            }
            Way::Each => self.each(rows, tile, |row, at| {
                self.column.store(scratch, at).map_err(|_| Refused)?;
                for (slot, mask) in &self.slots {
                    put(row, *slot, *mask, scratch.record.words[slot.0 as usize] & mask);
                }
                Ok(())
            }),
        }
    }

    /// Writes a value into the column's first word, for all rows that have one.
    fn put_all(&self, rows: Range<usize>, tile: &mut Tile, values: &[u64]) {
        let Some((slot, mask)) = self.slots.first().copied() else { return };
        if self.column.nulls.is_none() {
            // A login has one word, and this is it.
            if tile.words.len() == values.len() && mask == u64::MAX {
                return tile.words.copy_from_slice(values);
            }
            let words = tile.words.iter_mut().skip(slot.0 as usize).step_by(tile.stride).zip(values);
            return words.for_each(|(word, value)| *word = *word & !mask | value & mask);
        }
        let begin = rows.start;
        self.each(rows, tile, |row, at| {
            put(row, slot, mask, *values.get(at - begin).ok_or(Refused)?);
            Ok(())
        });
    }

    /// Writes all rows that have a value.
    fn each(
        &self,
        rows: Range<usize>,
        tile: &mut Tile,
        mut write: impl FnMut(&mut [u64], usize) -> Result<(), Refused>,
    ) {
        for (place, (row, words)) in rows.zip(tile.words.chunks_exact_mut(tile.stride)).enumerate() {
            let outcome = match (self.column.is_null(row), self.on_null) {
                (false, _) => write(words, row),
                (true, OnNull::Blank) => Ok(()),
                (true, OnNull::Refused) => Err(Refused),
            };
            if outcome.is_err() {
                tile.refused[place / 64] |= 1 << (place % 64);
            }
        }
    }

    #[inline]
    fn copy(&self, images: &[u64], refused: &[bool], value: usize, row: &mut [u64]) -> Result<(), Refused> {
        let begin = value * self.slots.len();
        let image = images.get(begin..begin + self.slots.len()).ok_or(Refused)?;
        for ((slot, mask), bits) in self.slots.iter().zip(image) {
            put(row, *slot, *mask, *bits);
        }
        if refused.get(value).copied().unwrap_or(true) { Err(Refused) } else { Ok(()) }
    }
}

#[inline]
fn put(row: &mut [u64], slot: WordSlot, mask: u64, bits: u64) {
    let word = &mut row[slot.0 as usize];
    *word = *word & !mask | bits;
}

impl<'c> Way<'c> {
    fn of(
        layout: &'c Layout,
        column: &'c Column,
        rows: usize,
        slots: &[(WordSlot, u64)],
        scratch: &mut Facts,
    ) -> Self {
        let is_any_fine = matches!(
            column.values,
            Values::Bools(_) | Values::Ints(_) | Values::Durations(_) | Values::Texts(_)
        );
        if slots.is_empty() && is_any_fine && !matches!(column.subject, Subject::Fact(FactPlace::Variable(_)))
        {
            return Way::Nothing;
        }
        if let Some(images) = Way::images(column, rows, slots, scratch) {
            return images;
        }
        let factors = |lists: &'c Lists<Texts>, kept| match FactorBits::of(layout, lists) {
            Some(bits) => Way::Factors { lists, bits, kept },
            None => Way::Each,
        };
        match (column.subject, &column.values) {
            (Subject::Enrolled, Values::Lists(lists)) if !slots.is_empty() => factors(lists, u64::MAX),
            (Subject::PerformedInLogin, Values::Lists(lists)) if !slots.is_empty() => {
                factors(lists, !OTHER_FACTOR)
            }
            (Subject::Fact(FactPlace::Variable(place)), values) => {
                match (&layout.variables[place].slots, values) {
                    (VariableSlots::FactorSet(_), Values::Lists(lists)) => factors(lists, u64::MAX),
                    (VariableSlots::Text(text), Values::Texts(texts)) => {
                        let number = match &text.numbers[..] {
                            [number] if number.view == View::Whole && slots.len() == 1 => Some(number),
                            _ => None,
                        };
                        // The table is made anew for each batch; a few rows aren't worth it.
                        let number = number.filter(|number| number.pool.len() <= rows);
                        let pool = number.and_then(|TextNumber { pool, .. }| {
                            ShortTexts::new(pool, |number| number as u64, pool.len() as u64)
                        });
                        pool.map_or(Way::Each, |pool| Way::Number { texts, pool })
                    }
                    _ => Way::Each,
                }
            }
            _ => Way::Each,
        }
    }

    /// The images of a column with few different values.
    fn images(
        column: &'c Column,
        rows: usize,
        slots: &[(WordSlot, u64)],
        scratch: &mut Facts,
    ) -> Option<Self> {
        let distinct = column.values.distinct()?;
        if distinct.len() > rows.max(2) || distinct.len().saturating_mul(slots.len()) > MOST_IMAGES {
            return None;
        }
        let mut words = Vec::with_capacity(distinct.len() * slots.len());
        let mut refused = Vec::with_capacity(distinct.len());
        for value in 0..distinct.len() {
            refused.push(column.store_scalar(scratch, distinct.get(value)).is_err());
            words.extend(slots.iter().map(|(slot, mask)| scratch.record.words[slot.0 as usize] & mask));
        }
        Some(if slots.len() == 1 && !refused.contains(&true) {
            Way::Image { distinct, words }
        } else {
            Way::Images { distinct, words, refused }
        })
    }
}

impl FactorBits {
    /// `None` where a name is long, or an element null.
    fn of(layout: &Layout, lists: &Lists<Texts>) -> Option<Self> {
        let bit = |name: &str| mask_of(layout, &[name]);
        match &lists.elements {
            _ if lists.has_nulls() => None,
            Texts::Keyed(keys, values) if values.len() <= keys.len() => {
                Some(FactorBits::Keyed((0..values.len()).map(|value| bit(values.get(value))).collect()))
            }
            _ => {
                let names = layout.catalog.factors.values().map(|factor| factor.name.as_str());
                let pool = TextPool::new(names);
                let bits: Vec<u64> = pool.texts().into_iter().map(bit).collect();
                ShortTexts::new(&pool, |number| bits[number], OTHER_FACTOR).map(FactorBits::Named)
            }
        }
    }

    /// The set of each row. The bits of all elements are found first, then what each row has of them.
    fn read(&self, lists: &Lists<Texts>, rows: Range<usize>, kept: u64, sets: &mut Vec<u64>) {
        let elements = lists.offsets.all_of(rows.clone());
        let mut bits = Vec::with_capacity(elements.len() + AT_ONCE);
        match (self, &lists.elements) {
            (FactorBits::Keyed(by_key), Texts::Keyed(keys, _)) => {
                keys.read(elements.clone(), by_key, OTHER_FACTOR, &mut bits);
            }
            (FactorBits::Named(names), texts) => texts.values(names, elements.clone(), &mut bits),
            (FactorBits::Keyed(_), _) => {}
        }
        // So that a row's first elements can be read at once, however many there are.
        bits.extend([0; AT_ONCE]);
        let set = |range: Range<usize>| {
            let (begin, count) = (range.start - elements.start, range.len());
            let of_row = bits.get(begin..).unwrap_or_default();
            let first = of_row.first_chunk::<AT_ONCE>().copied().unwrap_or_default();
            let there = &THERE[count.min(AT_ONCE)];
            let mut set = (0..AT_ONCE).fold(0, |set, at| set | first[at] & there[at]);
            if count > AT_ONCE {
                set |= of_row.iter().take(count).fold(0, |set, bit| set | bit);
            }
            set & kept
        };
        lists.offsets.map(rows, set, sets);
    }
}

fn on_null(layout: &Layout, subject: Subject) -> OnNull {
    let is_required = |input| Input::all(layout).any(|required| required == input);
    let is_refused = match subject {
        Subject::Fact(FactPlace::Variable(place)) => {
            layout.variables[place].absence == AbsenceLayout::Refused
        }
        Subject::Fact(_) | Subject::PerformedInLogin => false,
        Subject::Enrolled => is_required(Input::Enrolled),
        Subject::Performed => is_required(Input::Performed),
        Subject::Now => is_required(Input::Now),
    };
    if is_refused { OnNull::Refused } else { OnNull::Blank }
}

/// The words that a column fills, each once, and which of their bits.
fn slots_of(layout: &Layout, subject: Subject) -> Vec<(WordSlot, u64)> {
    let mut slots = Vec::new();
    let mut add = |slot: WordSlot, mask: u64| match slots.iter_mut().find(|(known, _)| *known == slot) {
        Some((_, known)) => *known |= mask,
        None => slots.push((slot, mask)),
    };
    match subject {
        Subject::Fact(FactPlace::Variable(place)) => {
            layout.variables[place].slots.each_word(add);
        }
        Subject::Fact(FactPlace::Presence(_) | FactPlace::Unread) => {}
        Subject::Enrolled => layout.enrolled.into_iter().for_each(|slot| add(slot, u64::MAX)),
        Subject::PerformedInLogin => {
            layout.performed_in_login.into_iter().for_each(|slot| add(slot, u64::MAX));
        }
        Subject::Performed => {
            let performed = &layout.performed;
            let stamps = performed.stamps.iter().map(|(_, slot)| *slot);
            let others = [performed.mask, performed.latest, performed.last];
            stamps.chain(others.into_iter().flatten()).for_each(|slot| add(slot, u64::MAX));
        }
        Subject::Now => {
            let slots = layout.now.into_iter().flat_map(MomentLayout::slots);
            slots.for_each(|slot| add(slot, u64::MAX));
        }
    }
    slots
}
