//! Literals: from their text to their value, or to a report that says what the text could have meant.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::grammar::Rule;
use super::{Builder, Pair, Parts};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{Literal, Spanned};

/// The largest integer that JSON carries without loss: 2^53 − 1.
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The units of durations, with their length in milliseconds and the spellings that mean them.
const UNITS: [(&str, i64, &[&str]); 4] = [
    ("s", 1_000, &["sec", "secs", "second", "seconds", "S"]),
    ("m", 60_000, &["min", "mins", "minute", "minutes", "M"]),
    ("h", 3_600_000, &["hr", "hrs", "hour", "hours", "H"]),
    ("d", 86_400_000, &["day", "days", "D"]),
];

/// The language's unit for what people write instead, if that is one.
pub(super) fn unit_meant_by(word: &str) -> Option<&'static str> {
    let meant = |spellings: &[&str]| spellings.iter().any(|spelling| spelling.eq_ignore_ascii_case(word));
    UNITS.iter().find(|(unit, _, others)| *unit == word || meant(others)).map(|(unit, ..)| *unit)
}

impl Builder<'_> {
    /// The literal of a `boolean`, `string`, `address` or `number`; `None` when it was reported.
    pub(super) fn literal(&self, pair: Pair<'_>) -> Option<Literal> {
        match pair.as_rule() {
            Rule::boolean => Some(Literal::Bool(pair.as_str() == "true")),
            Rule::string => Some(Literal::Text(self.text(pair).node)),
            Rule::address => self.prefix(pair.as_str(), self.span(&pair)),
            _ => self.number(pair.as_str(), self.span(&pair)),
        }
    }

    /// The length in milliseconds that must stand after `within` and before `ago`; `None` when it was reported.
    pub(super) fn duration(&self, pair: Pair<'_>, usage: &str) -> Option<i64> {
        let span = self.span(&pair);
        let text = pair.as_str();
        match self.number(text, span)? {
            Literal::Duration(milliseconds) => Some(milliseconds),
            Literal::Int(_) if self.next_word(span).is_some_and(|word| unit_meant_by(word).is_some()) => None,
            Literal::Int(_) => {
                let report = self.literal_error(span, format!("`{text}` is not a length of time"));
                self.report(report.here(format!("{usage} needs a unit: `s`, `m`, `h` or `d`")));
                None
            }
            _ => {
                let report = self.literal_error(span, format!("`{text}` is not a length of time"));
                self.report(report.here(format!("{usage} needs one, such as `5s` or `12h`")));
                None
            }
        }
    }

    /// A string with its escapes undone; what is wrong in it is reported and left as it is.
    pub(super) fn text(&self, pair: Pair<'_>) -> Spanned<String> {
        let span = self.span(&pair);
        let Some(inner) = pair.parts().next() else { return Spanned::new(String::new(), span) };
        let start = inner.as_span().start();
        let (text, faults) = unescape(inner.as_str());
        for fault in faults {
            let place = Span::new(self.file, start + fault.start..start + fault.end);
            let escape = &inner.as_str()[fault.start..fault.end];
            let report = if fault.lone_surrogate {
                let report = self.literal_error(place, format!("`{escape}` is half of a character"));
                report.here("the other half must stand beside it, as in `\\ud83d\\ude00`")
            } else {
                let report = self.literal_error(place, format!("`{escape}` is no escape"));
                let doubled = escape.replacen('\\', "\\\\", 1);
                let report = report.fix("write a backslash as `\\\\`", place, doubled);
                report.note("the escapes are JSON's: `\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041`")
            };
            self.report(report);
        }
        Spanned::new(text, span)
    }

    /// What begins with a digit: its form says what it is.
    fn number(&self, text: &str, span: Span) -> Option<Literal> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &unsigned[digits..];
        if rest.is_empty() {
            return self.integer(text, span);
        }
        if rest.bytes().all(|b| b.is_ascii_alphabetic()) {
            return self.length(&text[..text.len() - rest.len()], rest, span);
        }
        if text.contains(':') && !text.contains('T') && digits != 4 || unsigned.split('.').count() == 4 {
            return self.prefix(text, span);
        }
        if digits == 4 && rest.starts_with('-') {
            return self.instant(text, span);
        }
        if text.contains(':') || text.contains('/') {
            return self.prefix(text, span);
        }
        self.report(self.odd_number(text, rest, span));
        None
    }

    fn integer(&self, text: &str, span: Span) -> Option<Literal> {
        let value = text.parse::<i64>().ok().filter(|value| value.abs() <= MAX_INTEGER);
        if value.is_none() {
            let report = self.literal_error(span, format!("`{text}` is too large for an integer"));
            self.report(report.here("integers go up to 9007199254740991, as JSON carries them"));
        }
        value.map(Literal::Int)
    }

    fn length(&self, number: &str, unit: &str, span: Span) -> Option<Literal> {
        let Some((_, factor, _)) = UNITS.iter().find(|(name, ..)| *name == unit) else {
            self.report(self.unknown_unit(number, unit, span));
            return None;
        };
        let length = number.parse::<i64>().ok().and_then(|n| n.checked_mul(*factor));
        let length = length.filter(|length| length.abs() <= MAX_INTEGER);
        if length.is_none() {
            let report = self.literal_error(span, format!("`{number}{unit}` is too long"));
            self.report(report.here("a length of time is at most 9007199254740991 milliseconds"));
        }
        length.map(Literal::Duration)
    }

    /// `5min`, `500ms`, `2weeks`
    fn unknown_unit(&self, number: &str, unit: &str, span: Span) -> Diagnostic {
        let report = self.literal_error(span, format!("`{unit}` is not a unit of time"));
        let report = report.here("the units are `s`, `m`, `h` and `d`");
        let count = number.parse::<i64>().unwrap_or(0);
        let instead = match unit.to_ascii_lowercase().as_str() {
            "ms" | "millis" | "milliseconds" if count % 1_000 == 0 => Some(format!("{}s", count / 1_000)),
            "ms" | "millis" | "milliseconds" => {
                return report.note("the shortest length of time is a second");
            }
            "w" | "week" | "weeks" => count.checked_mul(7).map(|days| format!("{days}d")),
            _ => unit_meant_by(unit).map(|unit| format!("{number}{unit}")),
        };
        match instead {
            Some(text) => report.fix(format!("write `{text}`"), span, text),
            None => report,
        }
    }

    /// Fractions, subtractions, several units, and what is nothing at all.
    fn odd_number(&self, text: &str, rest: &str, span: Span) -> Diagnostic {
        let fraction =
            rest.strip_prefix('.').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        if fraction {
            let report = self.literal_error(span, format!("`{text}` has a fraction"));
            return report.here("numbers and lengths of time are whole; a smaller unit may do");
        }
        if rest.contains('-') || rest.contains('+') {
            let report = Diagnostic::error(Code::E0101, span, "the language has no arithmetic");
            return report
                .help("compare with the result instead; `age(t) < 5m` asks how long ago something was");
        }
        if let Some(total) = sum_of_units(text) {
            let report = self.literal_error(span, format!("`{text}` has several units"));
            let whole = format!("{}s", total / 1_000);
            return report.fix(format!("a length of time has one unit: write `{whole}`"), span, whole);
        }
        let report = self.literal_error(span, format!("`{text}` is not a number"));
        report.note(
            "what begins with a digit is an integer (`42`), a length of time (`5s`, `12h`), an instant \
             (`2026-01-31T00:00:00Z`) or an address (`10.0.0.0/8`)",
        )
    }

    fn instant(&self, text: &str, span: Span) -> Option<Literal> {
        let report = match text.parse::<Timestamp>() {
            Ok(instant) if instant.subsec_nanosecond() % 1_000_000 == 0 => {
                return Some(Literal::Instant(instant.as_millisecond()));
            }
            Ok(_) => {
                let report = self.literal_error(span, format!("`{text}` is finer than a millisecond"));
                report.here("an instant has at most three digits after the point")
            }
            Err(_) => self.no_instant(text, span),
        };
        self.report(report);
        None
    }

    /// A date alone, an instant without its offset, or a day that no calendar has.
    fn no_instant(&self, text: &str, span: Span) -> Diagnostic {
        let report = self.literal_error(span, format!("`{text}` is not an instant"));
        for completed in [format!("{text}T00:00:00Z"), format!("{text}Z"), format!("{text}:00Z")] {
            if completed.parse::<Timestamp>().is_ok() {
                let report = report.here("it must say the time of day and its offset from UTC");
                return report.fix(format!("write `{completed}` for UTC"), span, completed);
            }
        }
        report
            .here("no calendar has it")
            .note("an instant is written `2026-01-31T00:00:00Z` or with an offset, `+01:00`")
    }

    /// An address or a prefix. IPv4-mapped IPv6 is IPv4.
    fn prefix(&self, text: &str, span: Span) -> Option<Literal> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            let report = self.literal_error(span, format!("`{text}` is not an address"));
            self.report(report.note("an address is written `10.0.0.7` or `2001:db8::7`"));
            return None;
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length.map(str::parse::<u8>) {
            None => most,
            Some(Ok(length)) if length <= most => length,
            Some(_) => {
                let report = self.literal_error(span, format!("`{text}` has too long a prefix"));
                self.report(report.here(format!("the number after `/` is at most {most}")));
                return None;
            }
        };
        let prefix = unmapped(address, length)?;
        if prefix.addr() != prefix.network() {
            let masked = prefix.trunc().to_string();
            let report = self.literal_error(span, format!("`{text}` has bits set after its prefix"));
            let report = report.here("it names one host, not a network");
            self.report(report.fix(format!("the network is `{masked}`"), span, masked));
            return None;
        }
        Some(Literal::Prefix(prefix))
    }

    fn literal_error(&self, span: Span, message: String) -> Diagnostic {
        Diagnostic::error(Code::E0104, span, message)
    }
}

/// The prefix, with `::ffff:a.b.c.d` as the IPv4 address that it stands for.
fn unmapped(address: IpAddr, length: u8) -> Option<IpNet> {
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
        && length >= 96
    {
        return IpNet::new(IpAddr::V4(v4), length - 96).ok();
    }
    IpNet::new(address, length).ok()
}

/// `1h30m` in milliseconds, if every part is a number and a unit.
fn sum_of_units(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
        } else {
            let (_, factor, _) = UNITS.iter().find(|(unit, ..)| unit.starts_with(c))?;
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*factor)?)?;
            number.clear();
        }
    }
    number.is_empty().then_some(total).filter(|total| *total <= MAX_INTEGER)
}

/// An escape that means nothing, at these bytes of the string's inside.
struct EscapeFault {
    start: usize,
    end: usize,
    lone_surrogate: bool,
}

/// Undoes JSON's escapes.
fn unescape(text: &str) -> (String, Vec<EscapeFault>) {
    let mut plain = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find('\\') {
        let start = at + offset;
        plain.push_str(&text[at..start]);
        match escape(&text[start..]) {
            Escape::Character(c, length) => {
                plain.push(c);
                at = start + length;
            }
            Escape::Fault { length, lone_surrogate } => {
                at = start + length;
                faults.push(EscapeFault { start, end: at, lone_surrogate });
            }
        }
    }
    plain.push_str(&text[at..]);
    (plain, faults)
}

/// What a backslash begins, and how many bytes it takes.
enum Escape {
    Character(char, usize),
    Fault { length: usize, lone_surrogate: bool },
}

/// Reads one escape; `text` begins with its backslash.
fn escape(text: &str) -> Escape {
    let Some(letter) = text.chars().nth(1) else {
        return Escape::Fault { length: 1, lone_surrogate: false };
    };
    let character = match letter {
        '"' | '\\' | '/' | '\'' => letter,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode_escape(text),
        _ => return Escape::Fault { length: 1 + letter.len_utf8(), lone_surrogate: false },
    };
    Escape::Character(character, 2)
}

/// `\u0041`, or two of them for a character outside the basic plane.
fn unicode_escape(text: &str) -> Escape {
    let unit = |at: usize| -> Option<u32> {
        let rest = text.get(at..)?.strip_prefix("\\u")?;
        let digits = rest.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else { return Escape::Fault { length: 2, lone_surrogate: false } };
    if let Some(character) = char::from_u32(first) {
        return Escape::Character(character, 6);
    }
    let second = unit(6).filter(|low| (0xDC00..0xE000).contains(low) && first < 0xDC00);
    let joined = second.and_then(|low| char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)));
    match joined {
        Some(character) => Escape::Character(character, 12),
        None => Escape::Fault { length: 6, lone_surrogate: true },
    }
}
