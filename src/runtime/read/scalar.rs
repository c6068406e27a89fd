//! Single values: what an event may hold where a policy wants a value of a type.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::check::policy::Type;
use crate::lower::layout::VariableLayout;
use crate::runtime::read::ReadErrorKind;
use crate::runtime::slot::in_range;

/// A value of an event that has no parts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'a str),
    Bytes,
}

/// Why a value is not the one wanted: what it is, and what is the matter.
pub(super) type Refusal = (String, ReadErrorKind);

/// A longer text is cut in a message.
const SHOWN: usize = 40;

impl Scalar<'_> {
    /// What it is, for a message.
    pub(super) fn found(self) -> &'static str {
        match self {
            Scalar::Bool(_) => "a bool",
            Scalar::Int(_) => "an integer",
            Scalar::Float(_) => "a number with a fraction",
            Scalar::Text(_) => "a string",
            Scalar::Bytes => "bytes",
        }
    }

    fn wrong_type(self) -> Refusal {
        (self.found().to_owned(), ReadErrorKind::WrongType)
    }

    pub(super) fn bool(self) -> Result<bool, Refusal> {
        match self {
            Scalar::Bool(value) => Ok(value),
            _ => Err(self.wrong_type()),
        }
    }

    /// An integer; `1.0` is one too, as formats write them so.
    pub(super) fn int(self) -> Result<i64, Refusal> {
        let value = match self {
            Scalar::Int(value) => value,
            Scalar::Float(value) if value.fract() == 0.0 => value as i128,
            _ => return Err(self.wrong_type()),
        };
        in_range(value).ok_or_else(|| (self.number_text(), ReadErrorKind::OutOfRange))
    }

    fn number_text(self) -> String {
        match self {
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => format!("{value:e}"),
            _ => String::new(),
        }
    }

    /// A duration in milliseconds, from whole seconds.
    pub(super) fn duration(self) -> Result<i64, Refusal> {
        let milliseconds = i128::from(self.int()?) * 1000;
        in_range(milliseconds).ok_or_else(|| (self.number_text(), ReadErrorKind::OutOfRange))
    }

    /// An instant in milliseconds since 1970.
    pub(super) fn instant(self) -> Result<i64, Refusal> {
        let text = self.text()?;
        let instant = is_rfc3339(text).then(|| text.parse::<Timestamp>().ok()).flatten();
        let instant = instant.ok_or_else(|| (shown(text), ReadErrorKind::BadInstant))?;
        Ok(instant.as_millisecond())
    }

    pub(super) fn address(self) -> Result<IpAddr, Refusal> {
        let text = self.text()?;
        text.parse().map_err(|_| (shown(text), ReadErrorKind::BadAddress))
    }

    /// The number of a value of an enum that has no others.
    pub(super) fn one_of(self, values: &[String]) -> Result<i64, Refusal> {
        let text = self.text()?;
        let number = values.iter().position(|value| value == text);
        number.map(|n| n as i64).ok_or_else(|| (shown(text), ReadErrorKind::UnknownValue))
    }
}

impl<'a> Scalar<'a> {
    pub(super) fn text(self) -> Result<&'a str, Refusal> {
        match self {
            Scalar::Text(text) => Ok(text),
            _ => Err(self.wrong_type()),
        }
    }
}

/// A text in a message; cut where it is long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", &text[..end]),
    }
}

/// Whether a text has the shape `2026-01-31T00:00:00[.123](Z|+01:00)`. (A time zone library reads more than that.)
fn is_rfc3339(text: &str) -> bool {
    let Some((date_time, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let fraction =
        rest.strip_prefix(b".").map(|digits| digits.iter().take_while(|b| b.is_ascii_digit()).count());
    let offset = match fraction {
        None => rest,
        Some(0) => return false,
        Some(digits) => &rest[1 + digits..],
    };
    has_shape(date_time, b"0000-00-00T00:00:00")
        && (offset.eq_ignore_ascii_case(b"z") || has_shape(offset, b"+00:00") || has_shape(offset, b"-00:00"))
}

/// Whether a text has a digit where the shape has `0`, and the same letter elsewhere.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len()
        && text.iter().zip(shape).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(like),
        })
}

/// What a variable wants, for a message.
pub(super) fn wanted(variable: &VariableLayout) -> String {
    let wanted = match &variable.ty {
        Type::TextList | Type::FactorSet if variable.split.is_some() => "a string to split",
        Type::Bool => "a bool",
        Type::Int => "an integer within ±(2^53−1)",
        Type::Text => "a string",
        Type::Time => "an RFC 3339 instant",
        Type::Duration => "a whole number of seconds",
        Type::Ip => "an IP address",
        Type::Factor => "a factor's name",
        Type::TextList => "a list of strings",
        Type::FactorSet => "a list of factors",
        Type::OpenEnum(_) => "a string",
        Type::OrderedEnum(values) => {
            return format!("one of {}", crate::runtime::facts::Listed(values));
        }
    };
    wanted.to_owned()
}
