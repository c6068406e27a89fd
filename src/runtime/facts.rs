//! The facts of one login.

use std::sync::Arc;
use std::{fmt, ptr};

use jiff::Timestamp;
use thiserror::Error;

use crate::lower::layout::{Layout, OTHER_FACTOR};
use crate::lower::paths::Consumer;
use crate::runtime::read::Met;
use crate::runtime::record::{Input, Record};
use crate::runtime::slot::SetError;
use crate::runtime::store::factor_named;

/// The facts of one login, laid out by one policy.
///
/// A policy decides only on facts of its own layout with everything filled that it reads: the facts under
/// [slots](crate::runtime::Slot) or an event, `enrolled` and `performed` (an event gives them), and `now`, which the
/// host always gives with [`set_now`](Self::set_now).
///
/// - A fact with a default is filled from the start; all others have to be set, and one that may be absent has to be
///   set or said to be absent.
/// - Facts under one parent that may be missing (`event.organization?.…`) are there together or not at all. To set
///   one of them where another was absent (or the other way round) unfills the others.
/// - Reading an event begins with a [`reset`](Self::reset).
///
/// Kept and reused, facts allocate nothing: their buffers stay.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(super) layout: Arc<Layout>,
    pub(super) record: Record,
    /// For each node of the layout's paths, what the event at hand has of it.
    pub(super) met: Vec<Met>,
    /// For texts of an event that are written with escapes.
    pub(super) unescaped: String,
    /// The record with nothing filled but what has a default.
    blank: Record,
}

/// Why a policy didn't decide.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DecideError {
    /// The facts are laid out by another policy, or by another version of this one.
    #[error("the facts were made for another policy")]
    ForeignFacts,
    /// Not everything is filled that the policy reads.
    #[error("the policy reads facts that were not given: {}", Listed(.names))]
    Unfilled {
        /// The facts, or the paths of the event, by name.
        names: Vec<String>,
    },
    /// The step would have executed a fifth command.
    #[error("the step would have executed a fifth command, and the platform allows four")]
    LimitExceeded,
    /// The policy has no such step.
    #[error("the policy has no such step")]
    UnknownStep,
}

/// Names in backticks, with commas.
pub(super) struct Listed<'a>(pub(super) &'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}

/// A set of factors of one layout, worked out once and stored many times.
#[derive(Clone, Debug)]
pub struct FactorSet {
    pub(super) layout: Arc<Layout>,
    pub(super) mask: u64,
}

impl Layout {
    /// The set of these factors. Factors outside the catalog count as one together.
    pub fn factor_set(self: &Arc<Self>, names: &[&str]) -> FactorSet {
        FactorSet { layout: Arc::clone(self), mask: mask_of(self, names) }
    }
}

/// The factors of these names as a mask.
pub(super) fn mask_of(layout: &Layout, names: &[&str]) -> u64 {
    names.iter().fold(0, |mask, name| mask | factor_named(layout, name))
}

impl Facts {
    /// Facts of a layout, with nothing filled but what has a default.
    pub fn new(layout: &Arc<Layout>) -> Self {
        let record = Record::new(layout);
        Facts {
            layout: Arc::clone(layout),
            met: vec![Met::Nothing; layout.paths.len()],
            unescaped: String::new(),
            blank: record.clone(),
            record,
        }
    }

    /// The layout.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Forgets the login: nothing is filled but what has a default.
    pub fn reset(&mut self) {
        self.record.copy_from(&self.blank);
    }

    /// When the login is decided.
    pub fn set_now(&mut self, now: Timestamp) {
        if let Some(moment) = self.layout.now {
            self.record.store_moment(moment, now.as_millisecond());
            self.record.mark(&self.layout, Input::Now);
        }
    }

    /// The factors that the user has enrolled. Factors outside the catalog count as one together.
    pub fn set_enrolled(&mut self, names: &[&str]) {
        self.store_enrolled(mask_of(&self.layout, names));
    }

    /// The factors that the user has enrolled, as a set worked out before.
    pub fn set_enrolled_set(&mut self, factors: &FactorSet) -> Result<(), SetError> {
        if !Arc::ptr_eq(&factors.layout, &self.layout) {
            return Err(SetError::ForeignSlot);
        }
        self.store_enrolled(factors.mask);
        Ok(())
    }

    /// The factors enrolled, as a mask, once somebody has said.
    pub(super) fn enrolled_mask(&self) -> Option<u64> {
        let Some(slot) = self.layout.enrolled else { return Some(0) };
        let is_filled = self.record.is_filled(&self.layout, Input::Enrolled);
        is_filled.then(|| self.record.words.get(slot.0 as usize).copied().unwrap_or(0))
    }

    pub(super) fn store_enrolled(&mut self, mask: u64) {
        if let Some(slot) = self.layout.enrolled {
            self.record.set_word(slot, mask);
            self.record.mark(&self.layout, Input::Enrolled);
        }
    }

    /// The second factors passed in this session and when, in the event's order. Factors outside the catalog are
    /// ignored.
    pub fn set_performed(&mut self, uses: &[(&str, Timestamp)]) {
        if !self.layout.performed.is_read() {
            return;
        }
        self.record.clear_performed(&self.layout);
        for (name, stamp) in uses {
            let factor = factor_named(&self.layout, name);
            self.record.push_performed(&self.layout, factor, stamp.as_millisecond());
        }
        self.record.mark(&self.layout, Input::Performed);
    }

    /// The factors passed at prompts of this login; none until this is called. Factors outside the catalog are
    /// ignored.
    pub fn set_performed_in_login(&mut self, names: &[&str]) {
        if let Some(slot) = self.layout.performed_in_login {
            let mask = mask_of(&self.layout, names) & !OTHER_FACTOR;
            self.record.set_word(slot, mask);
        }
    }

    /// The words for a policy of this layout, if all is filled.
    #[inline]
    pub fn words_for(&self, layout: &Layout) -> Result<&[u64], DecideError> {
        if !ptr::eq(layout, &*self.layout) {
            return Err(DecideError::ForeignFacts);
        }
        if self.record.unfilled() != 0 {
            return Err(self.unfilled());
        }
        Ok(&self.record.words)
    }

    #[cold]
    fn unfilled(&self) -> DecideError {
        let unfilled = Input::all(&self.layout).filter(|input| !self.record.is_filled(&self.layout, *input));
        DecideError::Unfilled { names: unfilled.map(|input| self.input_name(input)).collect() }
    }

    pub(super) fn input_name(&self, input: Input) -> String {
        match input {
            Input::Event => "event".to_owned(),
            Input::Enrolled => "enrolled".to_owned(),
            Input::Performed => "performed".to_owned(),
            Input::Now => "now".to_owned(),
            Input::Presence(place) => {
                self.layout.paths.text_of(Consumer::Presence(place)).unwrap_or_default()
            }
            Input::Variable(place) => {
                let variable = &self.layout.variables[place];
                variable.names.first().map_or_else(|| self.layout.path_of(place), |name| name.to_string())
            }
        }
    }
}
