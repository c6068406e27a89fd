//! A column of events: what it holds of each, checked against the policy once, and stored row by row.

use std::net::IpAddr;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::NullBuffer;
use jiff::{SignedDuration, Timestamp};
use smallvec::SmallVec;

use super::values::{Lists, Scalar, Texts, Uses, Values, durations, instants, ints};
use super::{BatchError, RowError};
use crate::check::policy::Type;
use crate::diagnostic::did_you_mean;
use crate::lower::layout::{FactPlace, Layout};
use crate::runtime::facts::Facts;
use crate::runtime::slot::SetError;

/// What a column is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Subject {
    Fact(FactPlace),
    Enrolled,
    Performed,
    PerformedInLogin,
    Now,
}

/// The names of the columns that are about no fact: as the language writes them.
const BUILT_IN: [(&str, Subject); 4] = [
    ("enrolled", Subject::Enrolled),
    ("performed", Subject::Performed),
    ("performed in this login", Subject::PerformedInLogin),
    ("now", Subject::Now),
];

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) subject: Subject,
    /// Where there is no value.
    pub(super) nulls: Option<NullBuffer>,
    pub(super) values: Values,
}

/// The columns of a batch, each about something else.
pub(super) fn columns(layout: &Layout, events: &RecordBatch) -> Result<Vec<Column>, BatchError> {
    let schema = events.schema_ref();
    let mut columns: Vec<Column> = Vec::with_capacity(events.num_columns());
    for (field, array) in schema.fields().iter().zip(events.columns()) {
        let column = Column::new(layout, field.name(), array)?;
        let is_same = |other: &&Column| other.subject == column.subject && !column.is_unread();
        if let Some(other) = columns.iter().find(is_same) {
            return Err(BatchError::Twice { columns: [other.name.clone(), column.name] });
        }
        columns.push(column);
    }
    Ok(columns)
}

impl Column {
    fn new(layout: &Layout, name: &str, array: &dyn Array) -> Result<Self, BatchError> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, subject)| *subject);
        let (subject, declared) = match (built_in, layout.fact(name)) {
            (Some(subject), _) => (subject, None),
            (None, Some((ty, place))) => (Subject::Fact(place), Some(ty)),
            (None, None) => {
                let names = layout.fact_names().chain(BUILT_IN.iter().map(|(name, _)| *name));
                let suggestion = did_you_mean(name, names).map(str::to_owned);
                return Err(BatchError::UnknownColumn { column: name.to_owned(), suggestion });
            }
        };
        let (values, expected) = match (subject, declared) {
            (Subject::Performed, _) => {
                (Lists::of_uses(array).map(Values::Uses), "lists of structs of a text and a timestamp")
            }
            (Subject::Now, _) => values_of(&Type::Time, array),
            (Subject::Fact(_), Some(ty)) => values_of(ty, array),
            (Subject::Enrolled | Subject::PerformedInLogin | Subject::Fact(_), _) => {
                values_of(&Type::FactorSet, array)
            }
        };
        let Some(values) = values else {
            let found = array.data_type().to_string();
            return Err(BatchError::WrongType { column: name.to_owned(), expected, found });
        };
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(Column { name: name.to_owned(), subject, nulls, values })
    }

    fn is_unread(&self) -> bool {
        self.subject == Subject::Fact(FactPlace::Unread)
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| row < nulls.len() && nulls.is_null(row))
    }

    /// Stores what a row has, or that it has nothing.
    pub(super) fn store_row(&self, facts: &mut Facts, row: usize) -> Result<(), RowError> {
        match self.subject {
            Subject::Fact(place) if self.is_null(row) => {
                facts.store_absent(place).map_err(|cause| self.refused(cause))
            }
            // Nothing is said, so what the policy reads stays unfilled.
            _ if self.is_null(row) => Ok(()),
            _ => self.store(facts, row),
        }
    }

    /// Stores the value of a row that has one.
    pub(super) fn store(&self, facts: &mut Facts, row: usize) -> Result<(), RowError> {
        match (&self.values, self.values.scalar(row)) {
            (_, Some(scalar)) => self.store_scalar(facts, scalar),
            (Values::Lists(lists), _) => self.store_list(facts, lists, row),
            (Values::Uses(lists), _) => self.store_uses(facts, lists, row),
            (_, None) => Ok(()),
        }
    }

    /// Stores a value of the column.
    pub(super) fn store_scalar(&self, facts: &mut Facts, scalar: Scalar<'_>) -> Result<(), RowError> {
        let place = match self.subject {
            Subject::Fact(place) => place,
            Subject::Now | Subject::Enrolled | Subject::Performed | Subject::PerformedInLogin => {
                FactPlace::Unread
            }
        };
        let stored = match scalar {
            Scalar::Bool(value) => facts.store::<bool>(place, value),
            Scalar::Int(value) => facts.store::<i64>(place, value),
            Scalar::Duration(value) => {
                facts.store::<SignedDuration>(place, SignedDuration::from_millis(value))
            }
            Scalar::Instant(value) => {
                let instant = self.instant(value)?;
                if self.subject == Subject::Now {
                    facts.set_now(instant);
                }
                facts.store::<Timestamp>(place, instant)
            }
            Scalar::Text(text) => facts.store::<&str>(place, text),
            Scalar::Address(text) => facts.store::<IpAddr>(place, self.address(text)?),
        };
        stored.map_err(|cause| self.refused(cause))
    }

    fn store_list(&self, facts: &mut Facts, lists: &Lists<Texts>, row: usize) -> Result<(), RowError> {
        let range = lists.row(row).ok_or_else(|| self.null_element())?;
        let texts: SmallVec<[&str; 16]> = range.map(|position| lists.elements.get(position)).collect();
        match self.subject {
            Subject::Enrolled => facts.set_enrolled(&texts),
            Subject::PerformedInLogin => facts.set_performed_in_login(&texts),
            Subject::Fact(place) => {
                facts.store::<&[&str]>(place, &texts).map_err(|cause| self.refused(cause))?;
            }
            Subject::Performed | Subject::Now => {}
        }
        Ok(())
    }

    fn store_uses(&self, facts: &mut Facts, lists: &Lists<Uses>, row: usize) -> Result<(), RowError> {
        let range = lists.row(row).ok_or_else(|| self.null_element())?;
        let mut uses: SmallVec<[(&str, Timestamp); 16]> = SmallVec::new();
        for position in range {
            if !lists.elements.is_whole(position) {
                return Err(self.null_element());
            }
            let stamp = self.instant(lists.elements.stamps.value(position))?;
            uses.push((lists.elements.factors.get(position), stamp));
        }
        facts.set_performed(&uses);
        Ok(())
    }

    /// An instant of `jiff`, which ends with the year 9999.
    fn instant(&self, milliseconds: i64) -> Result<Timestamp, RowError> {
        Timestamp::from_millisecond(milliseconds).map_err(|_| self.refused(SetError::OutOfRange))
    }

    fn address(&self, text: &str) -> Result<IpAddr, RowError> {
        text.parse().map_err(|_| RowError::NoAddress { column: self.name.clone(), found: text.to_owned() })
    }

    fn refused(&self, cause: SetError) -> RowError {
        RowError::Value { column: self.name.clone(), cause }
    }

    fn null_element(&self) -> RowError {
        RowError::NullElement { column: self.name.clone() }
    }
}

/// An array as values of a type, and what it has to hold for that.
fn values_of(ty: &Type, array: &dyn Array) -> (Option<Values>, &'static str) {
    use arrow_array::cast::AsArray;
    match ty {
        Type::Bool => (array.as_boolean_opt().cloned().map(Values::Bools), "booleans"),
        Type::Int => (ints(array).map(Values::Ints), "integers"),
        Type::Time => (instants(array).map(Values::Instants), "timestamps"),
        Type::Duration => (durations(array).map(Values::Durations), "durations"),
        Type::Ip => (Texts::of(array).map(Values::Addresses), "addresses as texts"),
        Type::Text | Type::Factor | Type::OpenEnum(_) | Type::OrderedEnum(_) => {
            (Texts::of(array).map(Values::Texts), "texts")
        }
        Type::TextList | Type::FactorSet => (Lists::of_texts(array).map(Values::Lists), "lists of texts"),
    }
}
