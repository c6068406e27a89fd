//! Typed slots: a fact by its name, found and checked once, then stored into without a look-up.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::check::policy::Type;
use crate::diagnostic::did_you_mean;
use crate::lower::layout::{AbsenceLayout, FactPlace, Layout, MAX_NUMBER};
use crate::runtime::facts::{FactorSet, Facts, mask_of};
use crate::runtime::record::{Input, Record};

/// A fact of one policy, as a Rust type: the key to [`Facts::set`].
///
/// A slot of a fact that no statement reads is fine: what is stored there goes nowhere.
pub struct Slot<T> {
    layout: Arc<Layout>,
    place: FactPlace,
    ty: PhantomData<fn(T)>,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot { layout: Arc::clone(&self.layout), place: self.place, ty: PhantomData }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.place).finish()
    }
}

/// Why there is no such slot.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SlotError {
    /// The policy declares no fact of this name.
    #[error("the policy has no fact `{name}`{}", suggestion.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The declared name that is most like it.
        suggestion: Option<String>,
    },
    /// The fact is of another type.
    #[error("the fact `{name}` is a `{declared}`, and a slot for `{asked}` can't hold that")]
    WrongType {
        /// The fact.
        name: String,
        /// Its type in the policy.
        declared: String,
        /// The Rust type asked for.
        asked: &'static str,
    },
}

/// Why a value was not stored. The facts are as they were.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SetError {
    /// The slot or set belongs to another policy, or to another version of this one.
    #[error("the slot belongs to another policy")]
    ForeignSlot,
    /// A number beyond ±(2^53−1), which JSON doesn't carry exactly.
    #[error("the number is out of range: it must lie within ±(2^53−1)")]
    OutOfRange,
    /// The text is no value of the fact's ordered enum.
    #[error("the fact has no value `{found}`")]
    UnknownValue {
        /// The text.
        found: String,
    },
    /// The fact is never absent.
    #[error("the fact `{name}` can't be absent")]
    NeverAbsent {
        /// The fact.
        name: String,
    },
}

/// A Rust type that slots can hold: `bool`, `i64`, `&str` (strings, enums and a factor's name), [`Timestamp`],
/// [`SignedDuration`], [`IpAddr`], `&[&str]` (lists, and sets of factors by their names) and [`FactorSet`].
pub trait FactType: sealed::Sealed {
    /// The type of a value to store.
    type Value<'v>;
    /// How the type is written.
    #[doc(hidden)]
    const NAME: &'static str;
    /// Whether a fact of this type holds such values.
    #[doc(hidden)]
    fn fits(ty: &Type) -> bool;
    /// Stores a value, or says why not before anything is changed.
    #[doc(hidden)]
    fn store(value: Self::Value<'_>, target: &mut Target<'_>) -> Result<(), SetError>;
}

/// Where a value goes.
#[doc(hidden)]
pub struct Target<'f> {
    layout: &'f Arc<Layout>,
    record: &'f mut Record,
    variable: usize,
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! fact_type {
    ($ty:ty as $value:ty, $name:literal, $types:pat, |$given:ident, $target:ident| $store:expr) => {
        impl sealed::Sealed for $ty {}
        impl FactType for $ty {
            type Value<'v> = $value;
            const NAME: &'static str = $name;

            fn fits(ty: &Type) -> bool {
                matches!(ty, $types)
            }

            fn store($given: Self::Value<'_>, $target: &mut Target<'_>) -> Result<(), SetError> {
                $store
            }
        }
    };
}

fact_type!(bool as bool, "bool", Type::Bool, |value, target| {
    target.fill();
    target.record.store_bool(target.layout, target.variable, value);
    Ok(())
});
fact_type!(i64 as i64, "i64", Type::Int, |value, target| target.number(value.into()));
fact_type!(Timestamp as Timestamp, "Timestamp", Type::Time, |value, target| {
    target.number(value.as_millisecond().into())
});
fact_type!(SignedDuration as SignedDuration, "SignedDuration", Type::Duration, |value, target| {
    target.number(value.as_millis())
});
fact_type!(IpAddr as IpAddr, "IpAddr", Type::Ip, |value, target| {
    target.fill();
    target.record.store_address(target.layout, target.variable, value);
    Ok(())
});
fact_type!(
    &str as &'v str,
    "&str",
    Type::Text | Type::OpenEnum(_) | Type::OrderedEnum(_) | Type::Factor,
    |value, target| target.text(value)
);
fact_type!(&[&str] as &'v [&'v str], "&[&str]", Type::TextList | Type::FactorSet, |value, target| {
    target.fill();
    target.record.begin_list(target.layout, target.variable);
    value.iter().for_each(|text| target.record.push_element(target.layout, target.variable, text));
    Ok(())
});
fact_type!(FactorSet as &'v FactorSet, "FactorSet", Type::FactorSet, |value, target| {
    if !Arc::ptr_eq(&value.layout, target.layout) {
        return Err(SetError::ForeignSlot);
    }
    target.fill();
    target.record.store_factors(target.layout, target.variable, value.mask);
    Ok(())
});

impl Target<'_> {
    fn fill(&mut self) {
        self.record.fill(self.layout, self.variable);
    }

    fn number(&mut self, value: i128) -> Result<(), SetError> {
        let number = in_range(value).ok_or(SetError::OutOfRange)?;
        self.fill();
        self.record.store_number(self.layout, self.variable, number);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), SetError> {
        let layout = self.layout;
        match &layout.variables[self.variable].ty {
            Type::OpenEnum(values) => {
                let number = values.iter().position(|value| value == text).unwrap_or(values.len());
                self.number(number as i128)
            }
            Type::OrderedEnum(values) => match values.iter().position(|value| value == text) {
                Some(number) => self.number(number as i128),
                None => Err(SetError::UnknownValue { found: text.to_owned() }),
            },
            Type::Factor => {
                self.fill();
                self.record.store_factors(layout, self.variable, mask_of(layout, &[text]));
                Ok(())
            }
            _ => {
                self.fill();
                self.record.store_text(layout, self.variable, text);
                Ok(())
            }
        }
    }
}

/// A number within ±(2^53−1).
pub(super) fn in_range(value: i128) -> Option<i64> {
    i64::try_from(value).ok().filter(|value| value.abs_diff(0) <= MAX_NUMBER as u64)
}

impl Layout {
    /// The slot of a fact: `layout.slot::<bool>("user.isAdmin")`.
    pub fn slot<T: FactType>(self: &Arc<Self>, name: &str) -> Result<Slot<T>, SlotError> {
        let Some((ty, place)) = self.fact(name) else {
            let near = did_you_mean(name, self.fact_names());
            return Err(SlotError::Unknown { name: name.to_owned(), suggestion: near.map(str::to_owned) });
        };
        if !T::fits(ty) {
            let declared = type_text(ty);
            return Err(SlotError::WrongType { name: name.to_owned(), declared, asked: T::NAME });
        }
        Ok(Slot { layout: Arc::clone(self), place, ty: PhantomData })
    }
}

/// A type as a policy writes it.
fn type_text(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Text => "string".to_owned(),
        Type::Time => "time".to_owned(),
        Type::Duration => "duration".to_owned(),
        Type::Ip => "ip".to_owned(),
        Type::Factor => "factor".to_owned(),
        Type::TextList => "list<string>".to_owned(),
        Type::FactorSet => "set<factor>".to_owned(),
        Type::OpenEnum(values) => format!("enum({})", values.join(", ")),
        Type::OrderedEnum(values) => format!("enum({})", values.join(" < ")),
    }
}

impl Facts {
    /// Stores a value.
    pub fn set<T: FactType>(&mut self, slot: &Slot<T>, value: T::Value<'_>) -> Result<(), SetError> {
        self.own(slot)?;
        self.store::<T>(slot.place, value)
    }

    /// Stores a value where a fact is stored that has this type.
    #[inline]
    pub(super) fn store<T: FactType>(
        &mut self,
        place: FactPlace,
        value: T::Value<'_>,
    ) -> Result<(), SetError> {
        match place {
            FactPlace::Variable(variable) => {
                T::store(value, &mut Target { layout: &self.layout, record: &mut self.record, variable })
            }
            FactPlace::Presence(presence) => {
                self.record.appear(&self.layout, presence);
                Ok(())
            }
            FactPlace::Unread => Ok(()),
        }
    }

    /// Stores a value, or that there is none.
    pub fn set_or_absent<T: FactType>(
        &mut self,
        slot: &Slot<T>,
        value: Option<T::Value<'_>>,
    ) -> Result<(), SetError> {
        match value {
            Some(value) => self.set(slot, value),
            None => self.set_absent(slot),
        }
    }

    /// Says that the event has no such value: the fact takes its default, or is absent.
    pub fn set_absent<T: FactType>(&mut self, slot: &Slot<T>) -> Result<(), SetError> {
        self.own(slot)?;
        self.store_absent(slot.place)
    }

    /// Stores that there is no value where a fact is stored.
    pub(super) fn store_absent(&mut self, place: FactPlace) -> Result<(), SetError> {
        match place {
            FactPlace::Variable(variable) => self.store_no_value(variable),
            FactPlace::Presence(presence) => {
                self.record.vanish(&self.layout, presence);
                Ok(())
            }
            FactPlace::Unread => Ok(()),
        }
    }

    fn store_no_value(&mut self, place: usize) -> Result<(), SetError> {
        let variable = &self.layout.variables[place];
        match &variable.absence {
            AbsenceLayout::Refused => Err(SetError::NeverAbsent {
                name: variable.names.first().map(|name| name.to_string()).unwrap_or_default(),
            }),
            AbsenceLayout::Default(value) => {
                self.record.store_value(&self.layout, place, value);
                self.record.mark(&self.layout, Input::Variable(place));
                Ok(())
            }
            AbsenceLayout::Tracked(presence) => {
                self.record.fill_absent(&self.layout, place, *presence);
                Ok(())
            }
        }
    }

    fn own<T>(&self, slot: &Slot<T>) -> Result<(), SetError> {
        if Arc::ptr_eq(&slot.layout, &self.layout) { Ok(()) } else { Err(SetError::ForeignSlot) }
    }
}
