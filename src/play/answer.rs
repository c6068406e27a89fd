//! What a person types when asked for a fact, in the policy's literals: a bit more leniently, since the type is known.

use std::net::IpAddr;

use jiff::Timestamp;
use thiserror::Error;

use crate::check::masks::{FactorMask, bit};
use crate::check::policy::{Absence, Catalog, FactorId, Type, TypedPolicy, Variable};
use crate::diagnostic::did_you_mean;
use crate::trace::FactValue;

/// The largest integer that JSON carries without loss: 2^53 − 1.
const MAX_INTEGER: u64 = (1 << 53) - 1;
/// The units of a length of time, in milliseconds.
const UNITS: [(&str, i64); 4] = [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// The most names that are listed.
const MAX_NAMES: usize = 12;

/// An answer that is no value of the fact.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("`{text}` is not {wanted}{}", hint(.near.as_ref()))]
pub struct WrongAnswer {
    /// The part at fault.
    pub text: String,
    /// What is wanted.
    pub wanted: String,
    /// What was meant, perhaps.
    pub near: Option<String>,
}

fn hint(near: Option<&String>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// What is wanted for a type, with an example: "an instant, such as 2026-01-31T08:00:00Z".
pub fn wanted(policy: &TypedPolicy, ty: &Type) -> String {
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Int => "a whole number".to_owned(),
        Type::Text => "a text".to_owned(),
        Type::Time => "an instant, such as 2026-01-31T08:00:00Z".to_owned(),
        Type::Duration => "a length of time, such as 5s or 12h".to_owned(),
        Type::Ip => "an address, such as 10.0.0.7".to_owned(),
        Type::Factor => wanted_factor(&policy.catalog),
        Type::TextList => "texts with commas between them, or -".to_owned(),
        Type::FactorSet => "factors with commas between them, or -".to_owned(),
        Type::OpenEnum(values) => one_of(values.iter().map(String::as_str).chain(["other"])),
        Type::OrderedEnum(values) => one_of(values.iter().map(String::as_str)),
    }
}

/// The value that an answer gives a variable; `None` for `absent`, where it may be, and where it has a default.
///
/// ```
/// use stepup::{Compiler, play::read_value, trace::FactValue};
///
/// let text = "if user.isAdmin and stats.logins_count > 3 then challenge otp";
/// let typed = Compiler::new().compile([("p.stepup", text)])?.typed;
/// let count = &typed.variables[typed.facts["stats.logins_count"].variable];
/// assert_eq!(read_value(&typed, count, "5")?, Some(FactValue::Number(5)));
/// let wrong = read_value(&typed, count, "five").map_err(|wrong| wrong.to_string());
/// assert_eq!(wrong, Err("`five` is not a whole number".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When it is no value of the variable's type.
pub fn read_value(
    policy: &TypedPolicy,
    variable: &Variable,
    text: &str,
) -> Result<Option<FactValue>, WrongAnswer> {
    let text = text.trim();
    if variable.absence != Absence::Refused && text == "absent" {
        return Ok(None);
    }
    let value = match &variable.ty {
        Type::Bool => text.parse().ok().map(FactValue::Bool),
        Type::Int => integer(text).map(FactValue::Number),
        Type::Text => plain_text(text).map(FactValue::Text),
        Type::Time => text.parse::<Timestamp>().ok().map(|at| FactValue::Number(at.as_millisecond())),
        Type::Duration => length(text).map(FactValue::Number),
        Type::Ip => text.parse::<IpAddr>().ok().map(|address| FactValue::Ip(address.to_canonical())),
        Type::Factor => Some(FactValue::Factor(Some(read_factor(&policy.catalog, text)?))),
        Type::TextList => text_list(text).map(FactValue::TextList),
        Type::FactorSet => Some(FactValue::FactorSet(read_factors(policy, text)?)),
        Type::OpenEnum(values) => enum_number(values, text, Some(values.len())),
        Type::OrderedEnum(values) => enum_number(values, text, None),
    };
    value.map(Some).ok_or_else(|| {
        let names = match &variable.ty {
            Type::OpenEnum(values) | Type::OrderedEnum(values) => values.as_slice(),
            _ => &[],
        };
        let near = did_you_mean(text, names.iter().map(String::as_str)).map(str::to_owned);
        WrongAnswer { text: text.to_owned(), wanted: wanted(policy, &variable.ty), near }
    })
}

/// Factors with commas between them, in brackets or not; `-` or nothing for none.
///
/// # Errors
/// When one is not in the catalog.
pub fn read_factors(policy: &TypedPolicy, text: &str) -> Result<FactorMask, WrongAnswer> {
    elements(text).try_fold(0, |mask, name| Ok(mask | bit(read_factor(&policy.catalog, name)?)))
}

/// Factors with how long ago they were performed, as tests give them, `otp 3s ago, phone 2h ago`; `-` or nothing for
/// none. Without a time it was just now. The ages are in milliseconds.
///
/// # Errors
/// When one is not in the catalog, or its time is no length of time.
pub fn read_performed(policy: &TypedPolicy, text: &str) -> Result<Vec<(FactorId, i64)>, WrongAnswer> {
    let performed = elements(text).map(|element| {
        let (name, ago) = element.split_once(char::is_whitespace).unwrap_or((element, "0s ago"));
        let ago = ago.trim();
        let age = length(ago.strip_suffix("ago").unwrap_or(ago).trim_end());
        let wanted = || "how long ago it was, such as `3s ago`".to_owned();
        let wrong = || WrongAnswer { text: ago.to_owned(), wanted: wanted(), near: None };
        Ok((read_factor(&policy.catalog, name)?, age.ok_or_else(wrong)?))
    });
    performed.collect()
}

fn read_factor(catalog: &Catalog, name: &str) -> Result<FactorId, WrongAnswer> {
    catalog.find(name).ok_or_else(|| {
        let near = did_you_mean(name, catalog.factors.values().map(|factor| factor.name.as_str()));
        WrongAnswer { text: name.to_owned(), wanted: wanted_factor(catalog), near: near.map(str::to_owned) }
    })
}

fn wanted_factor(catalog: &Catalog) -> String {
    one_of(catalog.factors.values().map(|factor| factor.name.as_str()))
}

/// "one of a, b, c"
fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    if names.len() > MAX_NAMES {
        names.truncate(MAX_NAMES);
        names.push("…");
    }
    format!("one of {}", names.join(", "))
}

/// The inside of brackets, if there are any, split at commas.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let elements = inside.split(',').map(str::trim);
    elements.filter(move |element| !element.is_empty() && inside.trim() != "-")
}

/// A text, in quotes with JSON's escapes or as it is.
fn plain_text(text: &str) -> Option<String> {
    if text.starts_with('"') { serde_json::from_str(text).ok() } else { Some(text.to_owned()) }
}

/// Texts with commas between them; one with a comma in it needs quotes.
fn text_list(text: &str) -> Option<Vec<String>> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if inside.contains('"') {
        return serde_json::from_str(&format!("[{inside}]")).ok();
    }
    Some(elements(text).map(str::to_owned).collect())
}

fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.unsigned_abs() <= MAX_INTEGER)
}

/// A length of time in milliseconds: a number and a unit.
fn length(text: &str) -> Option<i64> {
    let (unit, milliseconds) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let length = text.strip_suffix(unit)?.trim_end().parse::<i64>().ok()?.checked_mul(*milliseconds)?;
    (length.unsigned_abs() <= MAX_INTEGER).then_some(length)
}

fn enum_number(values: &[String], text: &str, other: Option<usize>) -> Option<FactValue> {
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let known = values.iter().position(|value| value == text);
    let number = known.or(other.filter(|_| text == "other"))?;
    i64::try_from(number).ok().map(FactValue::Number)
}
