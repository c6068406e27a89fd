//! From a world to the facts of its policy, through the slots that a server fills.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::world::World;
use crate::check::masks::{FactorMask, OTHER_FACTOR, factors};
use crate::check::policy::{Absence, Type, TypedPolicy, Variable, VariableId};
use crate::runtime::{FactType, Facts, SetError};
use crate::trace::FactValue;

/// A name that no catalog and no enum has: names hold no brackets.
const OTHER_NAME: &str = "(other)";

/// Fills all facts of a policy as a world has them. A fact without a value that should have one gets some value: who
/// plays the login has seen that it is not looked at.
pub(super) fn fill(policy: &TypedPolicy, world: &World, facts: &mut Facts) -> Result<(), SetError> {
    let event = &world.event;
    facts.reset();
    for (name, fact) in &policy.facts {
        let variable = &policy.variables[fact.variable];
        let is_there = match variable.absence {
            Absence::Tracked(presence) => event.presences.get(&presence).copied().unwrap_or(false),
            Absence::Refused | Absence::Default(_) => true,
        };
        let mut slot = Filling { policy, facts, name, variable };
        if is_there {
            slot.value(world, fact.variable)?;
        } else {
            slot.absent()?;
        }
    }
    facts.set_enrolled(&names(policy, event.enrolled));
    let stamps: Vec<(&str, Timestamp)> = event
        .performed
        .iter()
        .map(|(factor, stamp)| (policy.catalog.factors[*factor].name.as_str(), instant(*stamp)))
        .collect();
    facts.set_performed(&stamps);
    facts.set_now(instant(event.now));
    Ok(())
}

/// The names of a set's factors, as an event lists them.
pub(super) fn names(policy: &TypedPolicy, mask: FactorMask) -> Vec<&str> {
    let known = factors(&policy.catalog, mask).map(|factor| policy.catalog.factors[factor].name.as_str());
    known.chain((mask & OTHER_FACTOR != 0).then_some(OTHER_NAME)).collect()
}

/// An instant; one past what instants can be is the last that can.
fn instant(milliseconds: i64) -> Timestamp {
    let end = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(milliseconds).unwrap_or(end)
}

/// One fact that is filled.
struct Filling<'a> {
    policy: &'a TypedPolicy,
    facts: &'a mut Facts,
    name: &'a str,
    variable: &'a Variable,
}

impl Filling<'_> {
    fn set<T: FactType>(&mut self, value: T::Value<'_>) -> Result<(), SetError> {
        match Arc::clone(self.facts.layout()).slot::<T>(self.name) {
            Ok(slot) => self.facts.set(&slot, value),
            Err(_) => Ok(()),
        }
    }

    fn value(&mut self, world: &World, variable: VariableId) -> Result<(), SetError> {
        match (world.event.variables.get(&variable), &self.variable.ty) {
            (Some(FactValue::Bool(value)), _) => self.set::<bool>(*value),
            (Some(FactValue::Number(number)), Type::Time) => self.set::<Timestamp>(instant(*number)),
            (Some(FactValue::Number(number)), Type::Duration) => {
                self.set::<SignedDuration>(SignedDuration::from_millis(*number))
            }
            (Some(FactValue::Number(number)), Type::OpenEnum(values) | Type::OrderedEnum(values)) => {
                let name = usize::try_from(*number).ok().and_then(|number| values.get(number));
                self.set::<&str>(name.map_or(OTHER_NAME, String::as_str))
            }
            (Some(FactValue::Number(number)), _) => self.set::<i64>(*number),
            (Some(FactValue::Text(text)), _) => self.set::<&str>(text),
            (Some(FactValue::Ip(address)), _) => self.set::<IpAddr>(*address),
            (Some(FactValue::Factor(factor)), _) => {
                let policy = self.policy;
                self.set::<&str>(factor.map_or(OTHER_NAME, |id| &policy.catalog.factors[id].name))
            }
            (Some(FactValue::TextList(texts)), _) => {
                self.set::<&[&str]>(&texts.iter().map(String::as_str).collect::<Vec<_>>())
            }
            (Some(FactValue::FactorSet(mask)), _) => {
                let policy = self.policy;
                self.set::<&[&str]>(&names(policy, *mask))
            }
            (None, _) => self.some_value(),
        }
    }

    fn some_value(&mut self) -> Result<(), SetError> {
        match &self.variable.ty {
            Type::Bool => self.set::<bool>(false),
            Type::Int => self.set::<i64>(0),
            Type::Text | Type::Factor | Type::OpenEnum(_) => self.set::<&str>(OTHER_NAME),
            Type::OrderedEnum(values) => {
                let first = values.first().cloned().unwrap_or_default();
                self.set::<&str>(&first)
            }
            Type::Time => self.set::<Timestamp>(Timestamp::UNIX_EPOCH),
            Type::Duration => self.set::<SignedDuration>(SignedDuration::ZERO),
            Type::Ip => self.set::<IpAddr>(Ipv4Addr::UNSPECIFIED.into()),
            Type::TextList | Type::FactorSet => self.set::<&[&str]>(&[]),
        }
    }

    fn absent(&mut self) -> Result<(), SetError> {
        match &self.variable.ty {
            Type::Bool => self.clear::<bool>(),
            Type::Int => self.clear::<i64>(),
            Type::Text | Type::Factor | Type::OpenEnum(_) | Type::OrderedEnum(_) => self.clear::<&str>(),
            Type::Time => self.clear::<Timestamp>(),
            Type::Duration => self.clear::<SignedDuration>(),
            Type::Ip => self.clear::<IpAddr>(),
            Type::TextList | Type::FactorSet => self.clear::<&[&str]>(),
        }
    }

    fn clear<T: FactType>(&mut self) -> Result<(), SetError> {
        match Arc::clone(self.facts.layout()).slot::<T>(self.name) {
            Ok(slot) => self.facts.set_absent(&slot),
            Err(_) => Ok(()),
        }
    }
}
