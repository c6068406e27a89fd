//! The event of one login, as plain values.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::check::masks::{FactorMask, bit};
use crate::check::policy::{FactorId, PresenceId, Value, VariableId};

/// What a login begins with, as far as the policy reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// The values of the variables that are there; an absent one has no entry.
    pub variables: BTreeMap<VariableId, FactValue>,
    /// What is there of the things that may be missing.
    pub presences: BTreeMap<PresenceId, bool>,
    /// The enrolled factors.
    pub enrolled: FactorMask,
    /// The factors performed before this login in the same session, with their stamps in milliseconds since 1970,
    /// in the event's order.
    pub performed: Vec<(FactorId, i64)>,
    /// The clock, in milliseconds since 1970.
    pub now: i64,
    /// The factors that the user's browser supports.
    pub supported: FactorMask,
}

/// The value of a variable.
#[derive(Clone, PartialEq, Debug)]
pub enum FactValue {
    /// A bool.
    Bool(bool),
    /// An int; a time or duration in milliseconds; an enum's number.
    Number(i64),
    /// A string.
    Text(String),
    /// An address.
    Ip(IpAddr),
    /// A factor; `None` for one outside the catalog.
    Factor(Option<FactorId>),
    /// A list of strings.
    TextList(Vec<String>),
    /// A set of factors.
    FactorSet(FactorMask),
}

impl From<&Value> for FactValue {
    fn from(value: &Value) -> FactValue {
        match value {
            Value::Bool(value) => FactValue::Bool(*value),
            Value::Number(number) => FactValue::Number(*number),
            Value::Text(text) => FactValue::Text(text.clone()),
            Value::Ip(address) => FactValue::Ip(*address),
            Value::Factor(factor) => FactValue::Factor(Some(*factor)),
            Value::TextList(texts) => FactValue::TextList(texts.clone()),
            Value::FactorSet(factors) => {
                FactValue::FactorSet(factors.iter().fold(0, |mask, factor| mask | bit(*factor)))
            }
        }
    }
}
