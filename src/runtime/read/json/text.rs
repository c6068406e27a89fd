//! The small grammars inside of JSON: escapes in strings, and numbers.

use serde_json::Number;

use crate::runtime::read::scalar::Scalar;

/// What is wrong in a string, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Flaw {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// What is wrong where a string has a control character.
pub(super) const CONTROL: &str = "a control character in a string";

/// Where a string has a control character, which it may only hold as an escape.
#[inline]
pub(super) fn control(text: &str) -> Option<usize> {
    text.bytes().position(|byte| byte < 0x20)
}

/// Writes a string's text with its escapes resolved.
pub(super) fn unescape(text: &str, unescaped: &mut String) -> Result<(), Flaw> {
    unescaped.clear();
    if let Some(at) = control(text) {
        return Err(Flaw { at, what: CONTROL });
    }
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        unescaped.push_str(plain);
        let (c, after) =
            character(escape).ok_or(Flaw { at: text.len() - escape.len() - 1, what: "invalid escape" })?;
        unescaped.push(c);
        rest = after;
    }
    unescaped.push_str(rest);
    Ok(())
}

/// The character of an escape, from behind its backslash, and what follows it.
fn character(escape: &str) -> Option<(char, &str)> {
    let (letter, rest) = escape.split_at_checked(1)?;
    let c = match letter {
        "\"" => '"',
        "\\" => '\\',
        "/" => '/',
        "b" => '\u{8}',
        "f" => '\u{c}',
        "n" => '\n',
        "r" => '\r',
        "t" => '\t',
        "u" => return utf16(rest),
        _ => return None,
    };
    Some((c, rest))
}

/// The character of one or two UTF-16 units, from behind the first `\u`.
fn utf16(digits: &str) -> Option<(char, &str)> {
    let (first, rest) = unit(digits)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, rest));
    }
    let (second, rest) = unit(rest.strip_prefix("\\u")?)?;
    let pair = [first as u16, second as u16];
    let mut decoded = char::decode_utf16(pair);
    let c = decoded.next()?.ok()?;
    decoded.next().is_none().then_some((c, rest))
}

/// Four hexadecimal digits.
fn unit(digits: &str) -> Option<(u32, &str)> {
    let (digits, rest) = digits.split_at_checked(4)?;
    let unit = digits.bytes().try_fold(0, |unit, digit| Some(unit << 4 | char::from(digit).to_digit(16)?))?;
    Some((unit, rest))
}

/// The longest integers that surely fit.
const SHORT: usize = 18;

/// A number: integers as they are, and all else as serde_json has it, so that every way to read an event agrees.
pub(super) fn number(token: &str) -> Option<Scalar<'static>> {
    let digits = token.strip_prefix('-').unwrap_or(token).as_bytes();
    let is_plain = digits.len() <= SHORT && digits.iter().all(u8::is_ascii_digit);
    if is_plain && !digits.starts_with(b"0") {
        return token.parse().ok().map(|value: i64| Scalar::Int(value.into()));
    }
    let number: Number = serde_json::from_str(token).ok()?;
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    integer.map(Scalar::Int).or_else(|| number.as_f64().map(Scalar::Float))
}
