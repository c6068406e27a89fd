//! Literals and names: the source's own text where it says the same, else the shortest that does.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::syntax::tree::Literal;

/// The units of a duration, largest first, in milliseconds.
const UNITS: [(&str, i64); 4] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

/// A literal whose source is `source`.
pub(super) fn literal(literal: &Literal, source: &str) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Text(text) => string(text),
        Literal::Duration(ms) => duration(*ms, source),
        Literal::Instant(ms) => instant(*ms, source),
        Literal::Prefix(prefix) => self::prefix(*prefix, source),
    }
}

/// A string with the escapes that JSON requires and no others.
pub(super) fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// `90s` as the source has it, or the largest unit that gives a whole number.
pub(super) fn duration(ms: i64, source: &str) -> String {
    if duration_value(source) == Some(ms) {
        return source.to_owned();
    }
    let fits = |(_, unit): &&(&str, i64)| ms % unit == 0 && ms != 0;
    let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("s", 1000));
    format!("{}{name}", ms / unit)
}

fn duration_value(source: &str) -> Option<i64> {
    let (name, unit) = UNITS.iter().find(|(name, _)| source.ends_with(name))?;
    let count: i64 = source.strip_suffix(name)?.parse().ok()?;
    count.checked_mul(*unit)
}

fn instant(ms: i64, source: &str) -> String {
    let instant = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond());
    if instant(source) == Some(ms) {
        return source.to_owned();
    }
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| source.to_owned(), |instant| instant.to_string())
}

fn prefix(prefix: IpNet, source: &str) -> String {
    let written = source.parse::<IpNet>().ok().or_else(|| source.parse::<IpAddr>().ok().map(IpNet::from));
    if written == Some(prefix) {
        return source.to_owned();
    }
    if prefix.prefix_len() == prefix.max_prefix_len() {
        prefix.addr().to_string()
    } else {
        prefix.to_string()
    }
}

/// A JSON value on one line, with a space after each comma and colon.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Object(object) => json_object(object),
        Value::Array(values) => format!("[{}]", values.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A JSON object on one line; its keys in the order written.
pub(super) fn json_object(object: &serde_json::Map<String, Value>) -> String {
    let pairs = object.iter().map(|(key, value)| format!("{}: {}", string(key), json(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// Whether a key of an event path can stand without quotes.
pub(super) fn is_bare_key(key: &str) -> bool {
    let starts = key.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
    starts && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
}
