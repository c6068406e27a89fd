//! Says what is wrong with a piece of text that the grammar could not read.
//!
//! The grammar passes over such a piece and goes on, which loses what was expected. Here the piece is parsed again,
//! alone and to its end; pest then knows the furthest place that it reached, and what could have stood there.

use std::ops::Range;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

use super::Builder;
use super::grammar::{Grammar, Rule};
use super::words::{self, Expected};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

/// Where a bad piece stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At file level.
    Entry,
    /// In a block.
    Statement,
    /// After `then`, `else` or `=>`.
    Body,
    /// In a `match`.
    Arm,
    /// In a test.
    Clause,
}

impl Place {
    /// The rule of what should have stood there, alone.
    fn rule(self) -> Rule {
        match self {
            Place::Entry => Rule::one_entry,
            Place::Statement | Place::Body => Rule::one_statement,
            Place::Arm => Rule::one_arm,
            Place::Clause => Rule::one_clause,
        }
    }
}

/// Text that could not be read.
#[derive(Clone, Copy)]
pub(super) struct Gap {
    /// The text, perhaps with white space at its end.
    pub(super) bad: Span,
    /// What stands right before it, which could be what it should have gone on.
    pub(super) before: Option<Span>,
    /// Where it stands.
    pub(super) place: Place,
}

/// Where a piece alone could not be read on, and what could have stood there.
pub(super) struct Failure {
    /// The word or sign found, empty at the end of the piece.
    pub(super) found: Span,
    /// From the beginning of the piece to the failure.
    pub(super) read: Span,
    pub(super) expected: Vec<Rule>,
}

impl Builder<'_> {
    /// Reports a bad piece, unless something in it was reported already.
    pub(super) fn explain(&self, gap: Gap) {
        let bad = self.trimmed(gap.bad);
        let text = self.slice(bad);
        let whole = gap.before.map_or(bad, |before| before.to(bad));
        let braces_alone = text.chars().all(|c| c == '}' || c.is_whitespace());
        if braces_alone || self.is_reported(bad) {
            return;
        }
        let failure = self.failure(bad, bad, gap.place);
        let report = self.known_slip(bad, &failure, gap);
        let report = report.unwrap_or_else(|| {
            let continued = whole != bad && failure.found.start == bad.start;
            let failure = if continued { self.failure(whole, bad, gap.place) } else { failure };
            self.unexpected(&failure, gap)
        });
        self.report(report);
    }

    /// Parses `piece` alone; a failure before `bad` counts as one at its beginning.
    fn failure(&self, piece: Span, bad: Span, place: Place) -> Failure {
        let base = piece.range().start;
        let (at, expected) = match Grammar::parse(place.rule(), self.slice(piece)) {
            Ok(_) => (bad.range().start, Vec::new()),
            Err(error) => {
                let offset = match error.location {
                    InputLocation::Pos(at) => at,
                    InputLocation::Span((at, _)) => at,
                };
                let expected = match error.variant {
                    ErrorVariant::ParsingError { positives, .. } => positives,
                    ErrorVariant::CustomError { .. } => Vec::new(),
                };
                (base + offset, expected)
            }
        };
        let at = at.max(bad.range().start).min(piece.range().end);
        let found = Span::new(self.file, self.token(at..piece.range().end));
        Failure { found, read: Span { end: found.start, ..piece }, expected }
    }

    /// The word or sign at the beginning of a range.
    fn token(&self, range: Range<usize>) -> Range<usize> {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match text.chars().next() {
            None => 0,
            Some(first) if is_word(first) => text.find(|c| !is_word(c) && c != '-').unwrap_or(text.len()),
            Some('"' | '\'') => text.find(['\n', '\r']).unwrap_or(text.len()).min(closed(text)),
            Some(first) => first.len_utf8(),
        };
        range.start..range.start + length
    }

    /// The general report: what was found, what could have stood there, what the word may have meant.
    fn unexpected(&self, failure: &Failure, gap: Gap) -> Diagnostic {
        let expected = words::expected(&failure.expected);
        let found = self.slice(failure.found);
        let sentence = expected.sentence();
        if found.is_empty() {
            let last = self.last_word(failure.read);
            let message = match sentence.as_str() {
                "" => "something is missing here".to_owned(),
                _ => format!("expected {sentence} after `{}`", self.slice(last)),
            };
            return Diagnostic::error(Code::E0101, last.after(), message).here("missing here");
        }
        let begins = failure.read.start == failure.found.start;
        let message = match gap.place {
            Place::Entry if begins => format!("`{found}` begins no statement and no item"),
            Place::Statement | Place::Body if begins => format!("`{found}` begins no statement"),
            Place::Clause if begins => format!("`{found}` begins no clause of a test"),
            _ if sentence.is_empty() => format!("`{found}` can't stand here"),
            _ => format!("expected {sentence}, found `{found}`"),
        };
        let report = Diagnostic::error(Code::E0101, failure.found, message);
        self.meant(report, failure, &expected)
    }

    /// Adds "did you mean".
    fn meant(&self, report: Diagnostic, failure: &Failure, expected: &Expected) -> Diagnostic {
        let found = self.slice(failure.found);
        match did_you_mean(found, expected.keywords()) {
            Some(word) => report.fix(format!("did you mean `{word}`?"), failure.found, word),
            None => report,
        }
    }

    /// The last word or sign of a piece.
    pub(super) fn last_word(&self, piece: Span) -> Span {
        let text = self.slice(piece).trim_end();
        let end = piece.range().start + text.len();
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"');
        let mut start = text.len();
        for (index, c) in text.char_indices().rev() {
            if !is_word(c) && start < text.len() {
                break;
            }
            start = index;
            if !is_word(c) {
                break;
            }
        }
        Span::new(self.file, piece.range().start + start..end)
    }
}

/// How long a text in quotes is, if it is closed.
fn closed(text: &str) -> usize {
    let quote = text.chars().next().unwrap_or('"');
    text.get(1..).and_then(|inside| inside.find(quote)).map_or(text.len(), |end| end + 2)
}
