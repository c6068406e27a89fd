//! The record: the words of one login's facts, and which of them are filled.
//!
//! A value is worked out when it is stored: a string becomes its number in a pool and a bit for each pattern, a
//! time its weekday. What may be missing has three states (unknown, there, not there), and what stands under it is
//! there exactly when it is: when it changes sides, what was stored under it is unfilled again, so that no record
//! holds half of one login and half of another.

use crate::lower::layout::{AbsenceLayout, EnrolledFor, Layout, NEVER};

/// Something that a login has to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// The event was read to its end, or not at all.
    Event,
    Enrolled,
    Performed,
    Now,
    /// Whether this may-be-missing thing is there.
    Presence(usize),
    Variable(usize),
}

impl Input {
    fn index(self, layout: &Layout) -> usize {
        match self {
            Input::Event => 0,
            Input::Enrolled => 1,
            Input::Performed => 2,
            Input::Now => 3,
            Input::Presence(place) => 4 + place,
            Input::Variable(place) => 4 + layout.presences.len() + place,
        }
    }

    /// Whether no step decides without it.
    fn is_required(self, layout: &Layout) -> bool {
        self != Input::Enrolled || layout.enrolled_for == EnrolledFor::Deciding
    }

    /// All inputs that a layout requires.
    pub(super) fn all(layout: &Layout) -> impl Iterator<Item = Input> {
        let built_in = [
            (Input::Event, true),
            (Input::Enrolled, layout.enrolled_for == EnrolledFor::Deciding),
            (Input::Performed, layout.performed.is_read()),
            (Input::Now, layout.now.is_some()),
        ];
        let built_in = built_in.into_iter().filter(|(_, is_read)| *is_read).map(|(input, _)| input);
        let presences = (0..layout.presences.len()).map(Input::Presence);
        built_in.chain(presences).chain((0..layout.variables.len()).map(Input::Variable))
    }
}

/// A string that is kept whole, because another is compared with it.
#[derive(Clone, Default, Debug)]
pub(super) struct KeptText {
    pub(super) is_there: bool,
    pub(super) text: String,
}

/// The words and what is filled of them.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) words: Vec<u64>,
    /// A bit for each input that is filled.
    filled: Vec<u64>,
    /// How many inputs are not.
    unfilled: usize,
    /// The latest stamp of a performed factor.
    pub(super) latest: i64,
    pub(super) kept: Vec<KeptText>,
    /// For lowered texts; it keeps its buffer.
    pub(super) lowered: String,
}

impl Record {
    /// A record of a layout with nothing filled but what has a default.
    pub(super) fn new(layout: &Layout) -> Self {
        let inputs = 4 + layout.presences.len() + layout.variables.len();
        let mut record = Record {
            words: vec![0; layout.words],
            filled: vec![0; inputs.div_ceil(64)],
            unfilled: Input::all(layout).count(),
            latest: NEVER,
            kept: vec![KeptText::default(); layout.kept_texts],
            lowered: String::new(),
        };
        record.mark(layout, Input::Event);
        record.clear_performed(layout);
        for (place, variable) in layout.variables.iter().enumerate() {
            record.clear(layout, place);
            if let AbsenceLayout::Default(value) = &variable.absence {
                record.store_value(layout, place, value);
                record.mark(layout, Input::Variable(place));
            }
        }
        record
    }

    /// Becomes a copy of a record of the same layout, in its own buffers.
    pub(super) fn copy_from(&mut self, other: &Record) {
        self.words.copy_from_slice(&other.words);
        self.filled.copy_from_slice(&other.filled);
        self.unfilled = other.unfilled;
        self.latest = other.latest;
        for (kept, other) in self.kept.iter_mut().zip(&other.kept) {
            kept.is_there = other.is_there;
            kept.text.clone_from(&other.text);
        }
    }

    /// How many inputs are not filled.
    pub(super) fn unfilled(&self) -> usize {
        self.unfilled
    }

    pub(super) fn is_filled(&self, layout: &Layout, input: Input) -> bool {
        let index = input.index(layout);
        self.filled[index / 64] & 1 << (index % 64) != 0
    }

    pub(super) fn mark(&mut self, layout: &Layout, input: Input) {
        let index = input.index(layout);
        let (word, bit) = (&mut self.filled[index / 64], 1 << (index % 64));
        self.unfilled -= usize::from(*word & bit == 0 && input.is_required(layout));
        *word |= bit;
    }

    pub(super) fn unmark(&mut self, layout: &Layout, input: Input) {
        let index = input.index(layout);
        let (word, bit) = (&mut self.filled[index / 64], 1 << (index % 64));
        self.unfilled += usize::from(*word & bit != 0 && input.is_required(layout));
        *word &= !bit;
    }

    /// A variable is about to get its value: all is there that it stands under.
    pub(super) fn fill(&mut self, layout: &Layout, variable: usize) {
        if let AbsenceLayout::Tracked(presence) = layout.variables[variable].absence {
            self.appear(layout, presence);
        }
        self.mark(layout, Input::Variable(variable));
    }

    /// A variable has no value: what it stands under is not there.
    pub(super) fn fill_absent(&mut self, layout: &Layout, variable: usize, presence: usize) {
        self.vanish(layout, presence);
        self.clear(layout, variable);
        self.mark(layout, Input::Variable(variable));
    }

    /// Something is there, and so is all above it.
    pub(super) fn appear(&mut self, layout: &Layout, presence: usize) {
        let mut at = Some(presence);
        // What is there was marked, and so was all above it.
        while let Some(presence) = at.filter(|presence| !self.is_there(layout, *presence)) {
            if self.is_filled(layout, Input::Presence(presence)) {
                self.unfill_under(layout, presence);
            }
            self.mark(layout, Input::Presence(presence));
            self.set_bit(layout.presences[presence].bit, true);
            at = layout.presences[presence].parent;
        }
    }

    /// Something is not there, and so is nothing below it.
    pub(super) fn vanish(&mut self, layout: &Layout, presence: usize) {
        if self.is_there(layout, presence) {
            self.unfill_under(layout, presence);
        }
        self.mark(layout, Input::Presence(presence));
        self.set_bit(layout.presences[presence].bit, false);
        for below in 0..layout.presences.len() {
            if self.is_there(layout, below) && is_below(layout, below, presence) {
                self.unfill_under(layout, below);
                self.unmark(layout, Input::Presence(below));
                self.set_bit(layout.presences[below].bit, false);
            }
        }
    }

    pub(super) fn is_there(&self, layout: &Layout, presence: usize) -> bool {
        self.has_bit(layout.presences[presence].bit)
    }

    fn unfill_under(&mut self, layout: &Layout, presence: usize) {
        for &variable in &layout.presences[presence].variables {
            self.clear(layout, variable as usize);
            self.unmark(layout, Input::Variable(variable as usize));
        }
    }
}

/// Whether `upper` stands above a presence.
fn is_below(layout: &Layout, presence: usize, upper: usize) -> bool {
    let parent = |presence: &usize| layout.presences[*presence].parent;
    std::iter::successors(parent(&presence), parent).any(|above| above == upper)
}
