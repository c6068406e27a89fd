//! Storing: a value becomes what the policy asks of it.
//!
//! Each function writes all slots of one variable, so that nothing of an older value stays. None allocates, but for
//! buffers that grow and stay.

use std::net::IpAddr;

use crate::check::policy::{FactorId, Value, View};
use crate::lower::layout::{
    BitSlot, FirstOf, Layout, ListLayout, MomentLayout, NEVER, OTHER_FACTOR, TextLayout, VariableSlots,
    WordSlot,
};
use crate::runtime::record::Record;

const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 60 * 60 * 1000;

impl Record {
    pub(super) fn set_bit(&mut self, bit: BitSlot, value: bool) {
        let word = &mut self.words[bit.word.0 as usize];
        *word = *word & !bit.mask() | if value { bit.mask() } else { 0 };
    }

    pub(super) fn has_bit(&self, bit: BitSlot) -> bool {
        self.words[bit.word.0 as usize] & bit.mask() != 0
    }

    pub(super) fn set_word(&mut self, slot: WordSlot, value: u64) {
        self.words[slot.0 as usize] = value;
    }

    /// Empties a variable's slots, as an absent value leaves them.
    pub(super) fn clear(&mut self, layout: &Layout, variable: usize) {
        match &layout.variables[variable].slots {
            VariableSlots::Bool(bit) => self.set_bit(*bit, false),
            VariableSlots::Number(slot)
            | VariableSlots::FactorSet(slot)
            | VariableSlots::Factor(slot)
            | VariableSlots::Ip { slot, .. } => self.set_word(*slot, 0),
            VariableSlots::Time(moment) => moment.slots().for_each(|slot| self.set_word(slot, 0)),
            VariableSlots::Text(text) => {
                text.numbers.iter().for_each(|number| self.set_word(number.slot, number.pool.len() as u64));
                self.forget_patterns(text);
                text.has_domain.into_iter().for_each(|bit| self.set_bit(bit, false));
                self.keep(layout, variable, text, None);
            }
            VariableSlots::List(_) => self.begin_list(layout, variable),
        }
    }

    /// Stores a value that the policy wrote down.
    pub(super) fn store_value(&mut self, layout: &Layout, variable: usize, value: &Value) {
        match value {
            Value::Bool(value) => self.store_bool(layout, variable, *value),
            Value::Number(value) => self.store_number(layout, variable, *value),
            Value::Text(text) => self.store_text(layout, variable, text),
            Value::Ip(address) => self.store_address(layout, variable, *address),
            Value::Factor(factor) => self.store_factors(layout, variable, factor_bit(*factor)),
            Value::FactorSet(factors) => {
                let mask = factors.iter().fold(0, |mask, factor| mask | factor_bit(*factor));
                self.store_factors(layout, variable, mask);
            }
            Value::TextList(texts) => {
                self.begin_list(layout, variable);
                texts.iter().for_each(|text| self.push_element(layout, variable, text));
            }
        }
    }

    pub(super) fn store_bool(&mut self, layout: &Layout, variable: usize, value: bool) {
        if let VariableSlots::Bool(bit) = &layout.variables[variable].slots {
            self.set_bit(*bit, value);
        }
    }

    /// Stores an int, a time or duration in milliseconds, or an enum's number.
    pub(super) fn store_number(&mut self, layout: &Layout, variable: usize, value: i64) {
        match &layout.variables[variable].slots {
            VariableSlots::Number(slot) => self.set_word(*slot, value as u64),
            VariableSlots::Time(moment) => self.store_moment(*moment, value),
            _ => {}
        }
    }

    /// Stores an instant, in milliseconds since 1970, and what is derived from it.
    pub(super) fn store_moment(&mut self, moment: MomentLayout, instant: i64) {
        if let Some(slot) = moment.value {
            self.set_word(slot, instant as u64);
        }
        if let Some(slot) = moment.weekday {
            // 1970-01-01 was a Thursday.
            self.set_word(slot, (instant.div_euclid(DAY) + 3).rem_euclid(7) as u64);
        }
        if let Some(slot) = moment.hour {
            self.set_word(slot, (instant.rem_euclid(DAY) / HOUR) as u64);
        }
    }

    pub(super) fn store_address(&mut self, layout: &Layout, variable: usize, address: IpAddr) {
        if let VariableSlots::Ip { slot, prefixes } = &layout.variables[variable].slots {
            self.set_word(*slot, prefixes.number(address) as u64);
        }
    }

    /// Stores a set of factors, or a factor as the set of it alone; one outside the catalog is none.
    pub(super) fn store_factors(&mut self, layout: &Layout, variable: usize, mask: u64) {
        match &layout.variables[variable].slots {
            VariableSlots::FactorSet(slot) => self.set_word(*slot, mask),
            VariableSlots::Factor(slot) => self.set_word(*slot, mask & !OTHER_FACTOR),
            _ => {}
        }
    }

    pub(super) fn store_text(&mut self, layout: &Layout, variable: usize, text: &str) {
        let VariableSlots::Text(slots) = &layout.variables[variable].slots else { return };
        for number in &slots.numbers {
            let found = match number.view {
                View::Whole => number.pool.number(text),
                view => see(view, text, &mut self.lowered)
                    .map_or(number.pool.len(), |text| number.pool.number(text)),
            };
            self.set_word(number.slot, found as u64);
        }
        if !slots.patterns.is_empty() {
            self.store_patterns(slots, text);
        }
        if let Some(bit) = slots.has_domain {
            self.set_bit(bit, text.contains('@'));
        }
        self.keep(layout, variable, slots, Some(text));
    }

    /// Stores which patterns a text has.
    fn store_patterns(&mut self, slots: &TextLayout, text: &str) {
        self.forget_patterns(slots);
        let mut lowered = std::mem::take(&mut self.lowered);
        for search in &slots.searches {
            let Some(text) = see(search.view, text, &mut lowered) else { continue };
            search.find(&slots.patterns, text, |position| {
                self.set_bit(slots.patterns[position].bit, true);
                self.note_first(&slots.firsts, position);
            });
        }
        self.lowered = lowered;
    }

    fn forget_patterns(&mut self, slots: &TextLayout) {
        for (slot, mask) in &slots.pattern_bits {
            self.words[slot.0 as usize] &= !mask;
        }
        self.forget_firsts(&slots.firsts);
    }

    /// Keeps a text whole if another is compared with it, and compares.
    fn keep(&mut self, layout: &Layout, variable: usize, slots: &TextLayout, text: Option<&str>) {
        let Some(place) = slots.kept else { return };
        let kept = &mut self.kept[place];
        kept.is_there = text.is_some();
        kept.text.clear();
        kept.text.push_str(text.unwrap_or(""));
        for equality in layout.equalities.iter().filter(|equality| equality.variables.contains(&variable)) {
            let [a, b] = equality.variables.map(|variable| self.kept_text(layout, variable));
            self.set_bit(equality.bit, a.is_some() && a == b);
        }
    }

    fn kept_text(&self, layout: &Layout, variable: usize) -> Option<&str> {
        let VariableSlots::Text(slots) = &layout.variables[variable].slots else { return None };
        let kept = self.kept.get(slots.kept?)?;
        kept.is_there.then_some(kept.text.as_str())
    }

    /// Begins a list or a set of factors: it has no element yet.
    pub(super) fn begin_list(&mut self, layout: &Layout, variable: usize) {
        match &layout.variables[variable].slots {
            VariableSlots::List(list) => {
                let ListLayout { not_empty, elements, firsts, .. } = &**list;
                not_empty.iter().chain(elements).for_each(|bit| self.set_bit(*bit, false));
                self.forget_firsts(firsts);
            }
            VariableSlots::FactorSet(slot) => self.set_word(*slot, 0),
            _ => {}
        }
    }

    /// Adds an element to a list or, by its name, to a set of factors.
    pub(super) fn push_element(&mut self, layout: &Layout, variable: usize, text: &str) {
        match &layout.variables[variable].slots {
            VariableSlots::List(list) => {
                let ListLayout { not_empty, pool, elements, firsts } = &**list;
                let position = pool.number(text);
                let bits = not_empty.iter().chain(elements.get(position));
                bits.for_each(|bit| self.set_bit(*bit, true));
                self.note_first(firsts, position);
            }
            VariableSlots::FactorSet(slot) => self.words[slot.0 as usize] |= factor_named(layout, text),
            _ => {}
        }
    }

    /// Nothing of a list or text is there yet.
    fn forget_firsts(&mut self, firsts: &[FirstOf]) {
        for first in firsts {
            first.slots.iter().for_each(|slot| self.set_word(*slot, first.none.into()));
        }
    }

    /// A constant or pattern is there.
    fn note_first(&mut self, firsts: &[FirstOf], position: usize) {
        for first in firsts {
            let mut rank = u64::from(first.ranks.get(position).copied().unwrap_or(first.none));
            for slot in &first.slots {
                let known = self.words[slot.0 as usize];
                if known == rank {
                    break;
                }
                self.set_word(*slot, known.min(rank));
                rank = known.max(rank);
            }
        }
    }

    /// Adds an enrolled factor.
    pub(super) fn push_enrolled(&mut self, layout: &Layout, name: &str) {
        if let Some(slot) = layout.enrolled {
            self.words[slot.0 as usize] |= factor_named(layout, name);
        }
    }

    /// Forgets all uses of factors.
    pub(super) fn clear_performed(&mut self, layout: &Layout) {
        self.latest = NEVER;
        let performed = &layout.performed;
        let masks = performed.mask.into_iter().chain(performed.last);
        masks.for_each(|slot| self.set_word(slot, 0));
        let stamps = performed.stamps.iter().map(|(_, slot)| *slot).chain(performed.latest);
        stamps.for_each(|slot| self.set_word(slot, NEVER as u64));
    }

    /// Adds a use of a factor, in milliseconds since 1970. Factors outside the catalog are ignored.
    pub(super) fn push_performed(&mut self, layout: &Layout, factor: u64, stamp: i64) {
        if factor == OTHER_FACTOR {
            return;
        }
        let performed = &layout.performed;
        if let Some(slot) = performed.mask {
            self.words[slot.0 as usize] |= factor;
        }
        let number = factor.trailing_zeros();
        if let Some((_, slot)) = performed.stamps.iter().find(|(known, _)| u32::from(*known) == number) {
            let known = self.words[slot.0 as usize] as i64;
            self.set_word(*slot, known.max(stamp) as u64);
        }
        self.push_latest(layout, factor, stamp);
    }

    /// Keeps the latest stamp and whose it is; of equal stamps, the one that comes later.
    fn push_latest(&mut self, layout: &Layout, factor: u64, stamp: i64) {
        if stamp >= self.latest {
            self.latest = stamp;
            if let Some(slot) = layout.performed.latest {
                self.set_word(slot, stamp as u64);
            }
            if let Some(slot) = layout.performed.last {
                self.set_word(slot, factor);
            }
        }
    }
}

/// A text seen through a function; `None` where it has no such part.
fn see<'t>(view: View, text: &'t str, lowered: &'t mut String) -> Option<&'t str> {
    let part = match view {
        View::Whole => return Some(text),
        View::Lower => text,
        View::Domain => text.rsplit_once('@')?.1,
    };
    lowered.clear();
    lowered.push_str(part);
    lowered.make_ascii_lowercase();
    Some(lowered)
}

/// The bit of a factor by its name.
pub(super) fn factor_named(layout: &Layout, name: &str) -> u64 {
    layout.catalog.find(name).map_or(OTHER_FACTOR, factor_bit)
}

fn factor_bit(factor: FactorId) -> u64 {
    1u64.checked_shl(factor.as_u32()).unwrap_or(0)
}
