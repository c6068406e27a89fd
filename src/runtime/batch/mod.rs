//! Batches: a column of events under one policy.
//!
//! Who wants to know what a policy asks of a whole population has columns, in Arrow's form. A [column](column) is held to
//! the policy once; its values then become the same words as through slots, for many logins at a time ([`fill`]), and
//! each login is decided by the same code. What can't be stored, or is missing, refuses its login and no other; why, is
//! found again by storing that login alone.

mod column;
mod fill;
mod values;

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use thiserror::Error;

use crate::check::policy::StepId;
use crate::lower::layout::Layout;
use crate::lower::program::{DecisionWord, Interface};
use crate::runtime::facts::Listed;
use crate::runtime::{DecideError, Decision, Facts, SetError};
use column::{Column, columns};
use fill::Filler;

/// Why a batch was not decided at all.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The policy has no fact of a column's name.
    #[error("the policy has no fact `{column}`{}", suggestion.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownColumn {
        /// The column.
        column: String,
        /// The name that is most like it.
        suggestion: Option<String>,
    },
    /// A column's type can't hold the fact's values.
    #[error("the column `{column}` has the type {found}, and {expected} are needed")]
    WrongType {
        /// The column.
        column: String,
        /// What is needed.
        expected: &'static str,
        /// Its Arrow type.
        found: String,
    },
    /// Two columns are about the same value of the event.
    #[error("the columns `{}` and `{}` are about the same value", .columns[0], .columns[1])]
    Twice {
        /// Their names.
        columns: [String; 2],
    },
    /// The policy reads what no column gives.
    #[error("the policy reads facts that no column gives: {}", Listed(.names))]
    Missing {
        /// The facts, or the paths of the event, by name.
        names: Vec<String>,
    },
}

/// Why one login of a batch was not decided.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RowError {
    /// A value can't be stored.
    #[error("column `{column}`: {cause}")]
    Value {
        /// The column.
        column: String,
        /// Why not.
        cause: SetError,
    },
    /// A text is no address.
    #[error("column `{column}`: `{found}` is no IP address")]
    NoAddress {
        /// The column.
        column: String,
        /// The text.
        found: String,
    },
    /// A list has a null among its elements.
    #[error("column `{column}`: an element of the list is null")]
    NullElement {
        /// The column.
        column: String,
    },
    /// The facts decide nothing.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The batch has no such row.
    #[error("the batch has {rows} rows")]
    NoSuchRow {
        /// How many it has.
        rows: usize,
    },
}

/// What a policy decided for each login of a batch, step by step.
///
/// It keeps eight bytes a login and step, and the columns, which it shares with the batch.
pub struct BatchDecisions<'p> {
    interface: &'p Interface,
    columns: Vec<Column>,
    rows: usize,
    /// A bit for each login that was not decided.
    refused: Vec<u64>,
    /// The words of each step.
    words: Vec<ScalarBuffer<u64>>,
}

impl<'p> BatchDecisions<'p> {
    /// Decides all steps of a policy on all rows of a batch; `steps` are what executes each.
    pub(crate) fn decide(
        interface: &'p Interface,
        events: &RecordBatch,
        steps: &[impl Fn(&[u64]) -> DecisionWord],
    ) -> Result<Self, BatchError> {
        let rows = events.num_rows();
        let columns = columns(&interface.layout, events)?;
        let mut filler = Filler::new(&interface.layout, &columns, rows)?;
        let mut words: Vec<Vec<u64>> = steps.iter().map(|_| Vec::with_capacity(rows)).collect();
        let mut refused = Vec::with_capacity(rows.div_ceil(64));
        let (mut tile, logins) = filler.tile();
        for begin in (0..rows).step_by(logins) {
            filler.fill(begin..rows.min(begin + logins), &mut tile);
            for (decide, words) in steps.iter().zip(&mut words) {
                words.extend(tile.rows().map(|row| decide(row).0));
            }
            refused.extend_from_slice(tile.refused());
        }
        drop(filler);
        let words = words.into_iter().map(ScalarBuffer::from).collect();
        Ok(BatchDecisions { interface, columns, rows, refused, words })
    }

    /// How many logins there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The logins that were not decided, by their rows; [`decision`](Self::decision) says why.
    pub fn refused(&self) -> impl Iterator<Item = usize> {
        (0..self.rows).filter(|row| self.is_refused(*row))
    }

    fn is_refused(&self, row: usize) -> bool {
        self.refused.get(row / 64).is_none_or(|word| word >> (row % 64) & 1 != 0)
    }

    /// The [words](DecisionWord) of a step for all logins, null for those that were not decided: as few different
    /// numbers as the step has decisions, to count or to group by. `None` when the policy has no such step.
    pub fn words(&self, step: &str) -> Option<UInt64Array> {
        let words = self.words.get(self.step(step)?.as_u32() as usize)?;
        let is_any_refused = self.refused.iter().any(|word| *word != 0);
        let decided = || BooleanBuffer::collect_bool(self.rows, |row| !self.is_refused(row));
        Some(UInt64Array::new(words.clone(), is_any_refused.then(|| NullBuffer::new(decided()))))
    }

    /// What a step decided for a login.
    ///
    /// # Errors
    /// When this login was not decided, there is no such row or step, or the step would execute a fifth command.
    pub fn decision(&self, step: &str, row: usize) -> Result<Decision<'p>, RowError> {
        let step = self.step(step).ok_or(DecideError::UnknownStep)?;
        if row >= self.rows {
            return Err(RowError::NoSuchRow { rows: self.rows });
        }
        let layout: &Arc<Layout> = &self.interface.layout;
        let mut facts = Facts::new(layout);
        self.columns.iter().try_for_each(|column| column.store_row(&mut facts, row))?;
        let words = facts.words_for(layout)?;
        let word = self.words.get(step.as_u32() as usize).and_then(|words| words.get(row));
        let word = DecisionWord(*word.ok_or(DecideError::UnknownStep)?);
        Ok(Decision::new(self.interface, step, word, words)?)
    }

    fn step(&self, name: &str) -> Option<StepId> {
        self.interface.steps.iter().find(|(_, step)| ***step == *name).map(|(id, _)| id)
    }
}

impl std::fmt::Debug for BatchDecisions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchDecisions").field("rows", &self.rows).finish_non_exhaustive()
    }
}
