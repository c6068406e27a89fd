//! The values of a column, read by row.
//!
//! Arrow has several encodings for one kind of value; here each kind has one form. Nothing is copied but numbers that
//! are not yet 64 bits in our unit, and the keys of dictionaries.

use std::iter;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrowPrimitiveType, BooleanArray, GenericStringArray, Int64Array, LargeStringArray,
    OffsetSizeTrait, StringArray, StringViewArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use crate::lower::pool::ShortTexts;

/// What no number of a policy is: out of range, whatever asks.
const OUT_OF_RANGE: i64 = i64::MAX;

/// Texts, by position.
#[derive(Debug)]
pub(super) enum Texts {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    /// The text of a row is that of its key.
    Keyed(Keys, Box<Texts>),
}

/// For each row, the position of its value in a dictionary. Where there is no value, it is any.
#[derive(Debug)]
pub(super) enum Keys {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    /// Of any other type, widened.
    Wide(Vec<usize>),
}

impl Keys {
    fn new(array: &dyn Array) -> Option<Self> {
        if let Some(dictionary) = array.as_dictionary_opt::<Int8Type>() {
            return Some(Keys::I8(dictionary.keys().values().clone()));
        }
        if let Some(dictionary) = array.as_dictionary_opt::<Int16Type>() {
            return Some(Keys::I16(dictionary.keys().values().clone()));
        }
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
            return Some(Keys::I32(dictionary.keys().values().clone()));
        }
        let dictionary = array.as_any_dictionary_opt()?;
        // An empty dictionary has no keys that could be clamped to it.
        let keys =
            if dictionary.values().is_empty() { vec![0; array.len()] } else { dictionary.normalized_keys() };
        Some(Keys::Wide(keys))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Keys::I8(keys) => keys.len(),
            Keys::I16(keys) => keys.len(),
            Keys::I32(keys) => keys.len(),
            Keys::Wide(keys) => keys.len(),
        }
    }

    /// What a table has for the keys of some rows; keys beyond it have `other`.
    pub(super) fn read(&self, rows: Range<usize>, table: &[u64], other: u64, into: &mut Vec<u64>) {
        let of = |key: usize| table.get(key).copied().unwrap_or(other);
        match self {
            Keys::I8(keys) => into.extend(keys[rows].iter().map(|key| of(*key as usize))),
            Keys::I16(keys) => into.extend(keys[rows].iter().map(|key| of(*key as usize))),
            Keys::I32(keys) => into.extend(keys[rows].iter().map(|key| of(*key as usize))),
            Keys::Wide(keys) => into.extend(keys[rows].iter().map(|key| of(*key))),
        }
    }

    #[inline]
    pub(super) fn of(&self, row: usize) -> usize {
        let key = match self {
            Keys::I8(keys) => keys.get(row).map(|key| *key as usize),
            Keys::I16(keys) => keys.get(row).map(|key| *key as usize),
            Keys::I32(keys) => keys.get(row).map(|key| *key as usize),
            Keys::Wide(keys) => keys.get(row).copied(),
        };
        key.unwrap_or(usize::MAX)
    }
}

impl Texts {
    pub(super) fn of(array: &dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt().cloned().map(Texts::Small),
            DataType::LargeUtf8 => array.as_string_opt().cloned().map(Texts::Large),
            DataType::Utf8View => array.as_string_view_opt().cloned().map(Texts::View),
            DataType::Dictionary(..) => {
                let values = Texts::of(array.as_any_dictionary_opt()?.values())?;
                Some(Texts::Keyed(Keys::new(array)?, Box::new(values)))
            }
            _ => None,
        }
    }

    /// The text of a position; an empty one beyond the end.
    #[inline]
    pub(super) fn get(&self, position: usize) -> &str {
        match self {
            Texts::Small(array) if position < array.len() => array.value(position),
            Texts::Large(array) if position < array.len() => array.value(position),
            Texts::View(array) if position < array.len() => array.value(position),
            Texts::Keyed(keys, values) => values.get(keys.of(position)),
            Texts::Small(_) | Texts::Large(_) | Texts::View(_) => "",
        }
    }

    /// What stands for some texts.
    pub(super) fn values(&self, known: &ShortTexts, positions: Range<usize>, into: &mut Vec<u64>) {
        match self {
            Texts::Small(array) => values(known, array, positions, into),
            Texts::Large(array) => values(known, array, positions, into),
            Texts::View(_) | Texts::Keyed(..) => positions.for_each(|position| {
                let text = self.get(position);
                known.values(text.as_bytes(), iter::once(0..text.len()), into);
            }),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Texts::Small(array) => array.len(),
            Texts::Large(array) => array.len(),
            Texts::View(array) => array.len(),
            Texts::Keyed(keys, _) => keys.len(),
        }
    }
}

fn values<O: OffsetSizeTrait>(
    known: &ShortTexts,
    texts: &GenericStringArray<O>,
    positions: Range<usize>,
    into: &mut Vec<u64>,
) {
    let offsets = &texts.value_offsets()[positions.start..=positions.end];
    let ranges = offsets.windows(2).map(|bounds| bounds[0].as_usize()..bounds[1].as_usize());
    known.values(texts.value_data(), ranges, into);
}

/// Whole numbers; those that 64 bits don't hold are out of any range.
pub(super) fn ints(array: &dyn Array) -> Option<Int64Array> {
    fn wide<T: ArrowPrimitiveType<Native: TryInto<i64>>>(array: &dyn Array) -> Option<Int64Array> {
        let array = array.as_primitive_opt::<T>()?;
        Some(array.unary(|value| value.try_into().unwrap_or(OUT_OF_RANGE)))
    }
    match array.data_type() {
        DataType::Int8 => wide::<Int8Type>(array),
        DataType::Int16 => wide::<Int16Type>(array),
        DataType::Int32 => wide::<Int32Type>(array),
        DataType::Int64 => array.as_primitive_opt::<Int64Type>().cloned(),
        DataType::UInt8 => wide::<UInt8Type>(array),
        DataType::UInt16 => wide::<UInt16Type>(array),
        DataType::UInt32 => wide::<UInt32Type>(array),
        DataType::UInt64 => wide::<UInt64Type>(array),
        _ => None,
    }
}

/// Instants, in milliseconds since 1970.
pub(super) fn instants(array: &dyn Array) -> Option<Int64Array> {
    fn milliseconds<T: ArrowTimestampType>(array: &dyn Array) -> Option<Int64Array> {
        in_milliseconds::<T>(array, T::UNIT)
    }
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => milliseconds::<TimestampSecondType>(array),
        DataType::Timestamp(TimeUnit::Millisecond, _) => milliseconds::<TimestampMillisecondType>(array),
        DataType::Timestamp(TimeUnit::Microsecond, _) => milliseconds::<TimestampMicrosecondType>(array),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => milliseconds::<TimestampNanosecondType>(array),
        _ => None,
    }
}

/// Durations, in milliseconds.
pub(super) fn durations(array: &dyn Array) -> Option<Int64Array> {
    match array.data_type() {
        DataType::Duration(unit @ TimeUnit::Second) => in_milliseconds::<DurationSecondType>(array, *unit),
        DataType::Duration(unit @ TimeUnit::Millisecond) => {
            in_milliseconds::<DurationMillisecondType>(array, *unit)
        }
        DataType::Duration(unit @ TimeUnit::Microsecond) => {
            in_milliseconds::<DurationMicrosecondType>(array, *unit)
        }
        DataType::Duration(unit @ TimeUnit::Nanosecond) => {
            in_milliseconds::<DurationNanosecondType>(array, *unit)
        }
        _ => None,
    }
}

/// Parts of a millisecond are left out towards zero, as `jiff` leaves them out.
fn in_milliseconds<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    unit: TimeUnit,
) -> Option<Int64Array> {
    let array = array.as_primitive_opt::<T>()?;
    Some(match unit {
        TimeUnit::Second => array.unary(|value| value.checked_mul(1_000).unwrap_or(OUT_OF_RANGE)),
        TimeUnit::Millisecond => array.reinterpret_cast(),
        TimeUnit::Microsecond => array.unary(|value| value / 1_000),
        TimeUnit::Nanosecond => array.unary(|value| value / 1_000_000),
    })
}

/// Lists of anything: which elements a row has.
#[derive(Debug)]
pub(super) enum Offsets {
    Small(OffsetBuffer<i32>),
    Large(OffsetBuffer<i64>),
}

impl Offsets {
    #[inline]
    fn bound(&self, row: usize) -> usize {
        match self {
            Offsets::Small(offsets) => offsets.get(row).map_or(0, |offset| *offset as usize),
            Offsets::Large(offsets) => offsets.get(row).map_or(0, |offset| *offset as usize),
        }
    }

    /// The positions of a row's elements.
    #[inline]
    pub(super) fn of(&self, row: usize) -> Range<usize> {
        self.bound(row)..self.bound(row + 1)
    }

    /// The positions of all elements of some rows.
    pub(super) fn all_of(&self, rows: Range<usize>) -> Range<usize> {
        self.bound(rows.start)..self.bound(rows.end)
    }

    /// What each of some rows comes to, by the positions of its elements.
    #[inline]
    pub(super) fn map(&self, rows: Range<usize>, row: impl Fn(Range<usize>) -> u64, into: &mut Vec<u64>) {
        fn map<O: OffsetSizeTrait>(bounds: &[O], row: impl Fn(Range<usize>) -> u64, into: &mut Vec<u64>) {
            into.extend(bounds.windows(2).map(|bounds| row(bounds[0].as_usize()..bounds[1].as_usize())));
        }
        match self {
            Offsets::Small(offsets) => map(&offsets[rows.start..=rows.end], row, into),
            Offsets::Large(offsets) => map(&offsets[rows.start..=rows.end], row, into),
        }
    }
}

/// Lists of elements, some of which may be null.
#[derive(Debug)]
pub(super) struct Lists<T> {
    pub(super) offsets: Offsets,
    pub(super) elements: T,
    nulls: Option<NullBuffer>,
}

impl<T> Lists<T> {
    fn of(array: &dyn Array, elements: impl FnOnce(&dyn Array) -> Option<T>) -> Option<Self> {
        let (offsets, values) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list_opt::<i32>()?;
                (Offsets::Small(list.offsets().clone()), list.values())
            }
            DataType::LargeList(_) => {
                let list = array.as_list_opt::<i64>()?;
                (Offsets::Large(list.offsets().clone()), list.values())
            }
            _ => return None,
        };
        let nulls = values.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Some(Lists { offsets, elements: elements(values)?, nulls })
    }

    /// Whether an element of any row is null.
    pub(super) fn has_nulls(&self) -> bool {
        self.nulls.is_some()
    }

    /// The positions of a row's elements; `None` where one is null.
    #[inline]
    pub(super) fn row(&self, row: usize) -> Option<Range<usize>> {
        let mut range = self.offsets.of(row);
        let is_whole = match &self.nulls {
            Some(nulls) => range.all(|position| position < nulls.len() && nulls.is_valid(position)),
            None => true,
        };
        is_whole.then(|| self.offsets.of(row))
    }
}

impl Lists<Texts> {
    pub(super) fn of_texts(array: &dyn Array) -> Option<Self> {
        Lists::of(array, Texts::of)
    }
}

/// Factors and when they were performed, by position.
#[derive(Debug)]
pub(super) struct Uses {
    pub(super) factors: Texts,
    pub(super) stamps: Int64Array,
    /// Where either is null.
    nulls: Option<NullBuffer>,
}

impl Uses {
    /// Whether both are there.
    pub(super) fn is_whole(&self, position: usize) -> bool {
        position < self.stamps.len() && self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(position))
    }
}

impl Lists<Uses> {
    /// From structs of a text and an instant.
    pub(super) fn of_uses(array: &dyn Array) -> Option<Self> {
        Lists::of(array, |elements| {
            let pairs: &StructArray = elements.as_struct_opt()?;
            let [factors, stamps] = pairs.columns() else { return None };
            let nulls = NullBuffer::union(factors.logical_nulls().as_ref(), stamps.logical_nulls().as_ref());
            Some(Uses { factors: Texts::of(factors)?, stamps: instants(stamps)?, nulls })
        })
    }
}

/// A column's values.
#[derive(Debug)]
pub(super) enum Values {
    Bools(BooleanArray),
    Ints(Int64Array),
    /// In milliseconds since 1970.
    Instants(Int64Array),
    /// In milliseconds.
    Durations(Int64Array),
    Texts(Texts),
    Addresses(Texts),
    Lists(Lists<Texts>),
    Uses(Lists<Uses>),
}

/// One value.
#[derive(Clone, Copy)]
pub(super) enum Scalar<'v> {
    Bool(bool),
    Int(i64),
    /// In milliseconds since 1970.
    Instant(i64),
    /// In milliseconds.
    Duration(i64),
    Text(&'v str),
    Address(&'v str),
}

impl Values {
    /// The value of a row; none of a list.
    pub(super) fn scalar(&self, row: usize) -> Option<Scalar<'_>> {
        Some(match self {
            Values::Bools(bools) => Scalar::Bool(bools.value(row)),
            Values::Ints(ints) => Scalar::Int(ints.value(row)),
            Values::Instants(instants) => Scalar::Instant(instants.value(row)),
            Values::Durations(durations) => Scalar::Duration(durations.value(row)),
            Values::Texts(texts) => Scalar::Text(texts.get(row)),
            Values::Addresses(texts) => Scalar::Address(texts.get(row)),
            Values::Lists(_) | Values::Uses(_) => return None,
        })
    }

    /// The different values, where an encoding knows them.
    pub(super) fn distinct(&self) -> Option<Distinct<'_>> {
        match self {
            Values::Bools(bools) => Some(Distinct::Bools(bools)),
            Values::Texts(Texts::Keyed(keys, texts)) => Some(Distinct::Texts(keys, texts)),
            Values::Addresses(Texts::Keyed(keys, texts)) => Some(Distinct::Addresses(keys, texts)),
            _ => None,
        }
    }
}

/// The different values of a column.
#[derive(Clone, Copy)]
pub(super) enum Distinct<'v> {
    Bools(&'v BooleanArray),
    Texts(&'v Keys, &'v Texts),
    Addresses(&'v Keys, &'v Texts),
}

impl<'v> Distinct<'v> {
    /// How many there are.
    pub(super) fn len(self) -> usize {
        match self {
            Distinct::Bools(_) => 2,
            Distinct::Texts(_, texts) | Distinct::Addresses(_, texts) => texts.len(),
        }
    }

    pub(super) fn get(self, position: usize) -> Scalar<'v> {
        match self {
            Distinct::Bools(_) => Scalar::Bool(position == 1),
            Distinct::Texts(_, texts) => Scalar::Text(texts.get(position)),
            Distinct::Addresses(_, texts) => Scalar::Address(texts.get(position)),
        }
    }

    /// Which of them a row has.
    pub(super) fn key(self, row: usize) -> usize {
        match self {
            Distinct::Bools(bools) => usize::from(row < bools.len() && bools.value(row)),
            Distinct::Texts(keys, _) | Distinct::Addresses(keys, _) => keys.of(row),
        }
    }

    /// What a table has for some rows.
    pub(super) fn read(self, rows: Range<usize>, table: &[u64], other: u64, into: &mut Vec<u64>) {
        match (self, table) {
            (Distinct::Bools(bools), [no, yes, ..]) => {
                let end = into.len() + rows.len();
                let bits = bools.values().slice(rows.start, rows.len());
                for word in bits.bit_chunks().iter_padded() {
                    let of_bit = |bit: u32| no ^ (no ^ yes) & (word >> bit & 1).wrapping_neg();
                    into.extend((0..u64::BITS).map(of_bit));
                }
                into.truncate(end);
            }
            (Distinct::Bools(_), _) => into.extend(rows.map(|_| other)),
            (Distinct::Texts(keys, _) | Distinct::Addresses(keys, _), _) => {
                keys.read(rows, table, other, into)
            }
        }
    }
}
