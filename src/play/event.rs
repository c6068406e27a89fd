//! From an event as JSON to a world.
//!
//! The facts of the policy read the event first, as a server's would, and say what is wrong with it. What they accept
//! is then read once more, plainly, so that the values can be shown and changed.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::world::World;
use crate::check::masks::{FactorMask, OTHER_FACTOR, bit};
use crate::check::policy::{Catalog, Each, Segment, Type, TypedPolicy, Variable};
use crate::policy::Policy;
use crate::runtime::{ReadError, ReadErrorKind};
use crate::trace::FactValue;

/// Reads an event of a login that begins now. What the policy's steps don't read may have any shape, and is then not
/// there.
///
/// # Errors
/// What a server's reading of the event would say.
pub fn read_event(
    typed: &TypedPolicy,
    policy: &Policy,
    event: &[u8],
    now: Timestamp,
) -> Result<World, ReadError> {
    policy.facts().read_json(event)?;
    Ok(read_plainly(typed, event, now))
}

/// Reads an event that may lack what the policy needs: such facts have no value then, for somebody to give.
///
/// # Errors
/// As [`read_event`], but for what is missing.
pub fn read_partial_event(
    typed: &TypedPolicy,
    policy: &Policy,
    event: &[u8],
    now: Timestamp,
) -> Result<World, ReadError> {
    match policy.facts().read_json(event) {
        // An element of a list that lacks its key is no fact that somebody could give.
        Err(error) if error.kind != ReadErrorKind::Missing || error.path.contains("[]") => Err(error),
        _ => Ok(read_plainly(typed, event, now)),
    }
}

fn read_plainly(typed: &TypedPolicy, event: &[u8], now: Timestamp) -> World {
    let event: Json = serde_json::from_slice(event).unwrap_or(Json::Null);
    let mut world = World::new(typed);
    // Before the stamps, which don't move with the clock: an event has instants and no ages.
    world.set_now(now.as_millisecond());
    for (presence, row) in &typed.presences {
        if at(&event, &row.path).is_some() {
            world.appear(typed, presence);
        }
    }
    for (id, variable) in &typed.variables {
        if let Some(value) = at(&event, &variable.path).and_then(|found| value(typed, variable, &found)) {
            world.set(typed, id, value);
        }
    }
    let enrolled = event.pointer("/user/enrolledFactors").and_then(Json::as_array);
    let types = enrolled.into_iter().flatten().filter_map(|entry| entry.get("type")?.as_str());
    world.event.enrolled = types.fold(0, |mask, name| mask | factor_bit(&typed.catalog, name));
    let methods = event.pointer("/authentication/methods").and_then(Json::as_array);
    let second = methods.into_iter().flatten().filter(|method| method["name"] == "mfa");
    world.event.performed = second
        .filter_map(|method| {
            let factor = typed.catalog.find(method.get("type")?.as_str()?)?;
            Some((factor, instant(method.get("timestamp")?)?))
        })
        .collect();
    world
}

/// What stands at a path; `null` is nothing. Behind `[]`, a list of what its elements have.
fn at(value: &Json, path: &[Segment]) -> Option<Json> {
    let mut found = value.clone();
    for (place, segment) in path.iter().enumerate() {
        found = found.get_mut(&segment.key).map(Json::take).filter(|inner| !inner.is_null())?;
        if segment.each == Each::Element {
            let elements = found.as_array()?;
            let rest = path.get(place + 1..).unwrap_or(&[]);
            // A path gathers once, so this ends.
            return Some(elements.iter().filter_map(|element| at(element, rest)).collect());
        }
    }
    Some(found)
}

fn value(typed: &TypedPolicy, variable: &Variable, found: &Json) -> Option<FactValue> {
    let number = |value: i64| Some(FactValue::Number(value));
    let position = |values: &[String]| {
        let text = found.as_str()?;
        Some(values.iter().position(|value| value == text))
    };
    match &variable.ty {
        Type::Bool => found.as_bool().map(FactValue::Bool),
        Type::Int => number(int(found)?),
        Type::Duration => number(int(found)?.checked_mul(1000)?),
        Type::Time => number(instant(found)?),
        Type::OpenEnum(values) => number(position(values)?.unwrap_or(values.len()) as i64),
        Type::OrderedEnum(values) => number(position(values)?? as i64),
        Type::Text => found.as_str().map(|text| FactValue::Text(text.to_owned())),
        Type::Ip => found.as_str()?.parse::<IpAddr>().ok().map(|ip| FactValue::Ip(ip.to_canonical())),
        Type::Factor => found.as_str().map(|name| FactValue::Factor(typed.catalog.find(name))),
        Type::TextList => texts(variable, found).map(FactValue::TextList),
        Type::FactorSet => {
            let names = texts(variable, found)?;
            let mask = names.iter().fold(0, |mask, name| mask | factor_bit(&typed.catalog, name));
            Some(FactValue::FactorSet(mask))
        }
    }
}

/// The items of a list, or of a text to split.
fn texts(variable: &Variable, found: &Json) -> Option<Vec<String>> {
    let whole: Vec<&str> = match found {
        Json::String(text) => vec![text],
        Json::Array(elements) => {
            let there = elements.iter().filter(|element| !element.is_null());
            there.map(Json::as_str).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let Some(separator) = &variable.split else {
        return Some(whole.into_iter().map(str::to_owned).collect());
    };
    let items = whole.into_iter().flat_map(|text| text.split(separator.as_str()));
    let items = items.map(|item| item.trim_matches(|c: char| c.is_ascii_whitespace()));
    Some(items.filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

/// An integer; `1.0` is one too.
fn int(found: &Json) -> Option<i64> {
    found.as_i64().or_else(|| {
        let float = found.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.1e15)?;
        Some(float as i64)
    })
}

fn instant(found: &Json) -> Option<i64> {
    found.as_str()?.parse::<Timestamp>().ok().map(|at| at.as_millisecond())
}

fn factor_bit(catalog: &Catalog, name: &str) -> FactorMask {
    catalog.find(name).map_or(OTHER_FACTOR, bit)
}
