//! Tests of plain values, as the language reference words them: what a function of a string gives, whether it passes
//! a test, and the hour and weekday of an instant.

use std::borrow::Cow;

use crate::check::policy::{TextTest, View};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// What a view of a text is; `None` for the domain of a text without `@`.
pub fn view_of(text: &str, view: View) -> Option<Cow<'_, str>> {
    match view {
        View::Whole => Some(Cow::Borrowed(text)),
        View::Lower => Some(Cow::Owned(text.to_ascii_lowercase())),
        View::Domain => text.rfind('@').map(|at| Cow::Owned(text.split_at(at + 1).1.to_ascii_lowercase())),
    }
}

/// Whether a view of a text passes a test.
pub fn matches(test: &TextTest, seen: &str) -> bool {
    match test {
        TextTest::OneOf(texts) => texts.iter().any(|text| text == seen),
        TextTest::StartsWith(literal) => seen.starts_with(literal.as_str()),
        TextTest::EndsWith(literal) => seen.ends_with(literal.as_str()),
        TextTest::Contains(literal) => seen.contains(literal.as_str()),
    }
}

/// The hour of an instant in UTC, 0 to 23.
pub fn hour(instant: i64) -> i64 {
    instant.div_euclid(HOUR).rem_euclid(24)
}

/// The weekday of an instant in UTC, 0 for Monday. (1 January 1970 was a Thursday.)
pub fn weekday(instant: i64) -> i64 {
    (instant.div_euclid(DAY) + 3).rem_euclid(7)
}
