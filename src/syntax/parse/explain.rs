//! Says what is wrong with a piece of text that the grammar could not read.
//!
//! The grammar passes over such a piece and goes on, which loses what was expected. Here the piece is parsed again,
//! alone and to its end; pest then knows the furthest place that it reached, and what could have stood there.

use std::ops::Range;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

use super::Builder;
use super::grammar::{Grammar, Rule};
use super::slips::{self, Slip};
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
    /// The words that open what should have stood there.
    fn words(self) -> &'static [&'static str] {
        match self {
            Place::Entry => &[
                "enroll",
                "challenge",
                "deny",
                "stop",
                "if",
                "match",
                "let",
                "apply",
                "use",
                "fact",
                "factor",
                "define",
                "rule",
                "step",
                "guarantee",
                "test",
            ],
            Place::Statement | Place::Body => {
                &["enroll", "challenge", "deny", "stop", "if", "match", "let", "apply"]
            }
            Place::Arm => &["else"],
            Place::Clause => &["given", "expect", "choose", "abandon"],
        }
    }

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

/// The pieces of a list that could not be read, put together: what begins a line goes on with the bad piece before it,
/// unless its first word means to open something.
pub(super) struct Gaps<'b, 't> {
    builder: &'b Builder<'t>,
    place: Place,
    before: Option<Span>,
    bad: Option<Span>,
}

impl<'b, 't> Gaps<'b, 't> {
    pub(super) fn new(builder: &'b Builder<'t>, place: Place) -> Self {
        Gaps { builder, place, before: None, bad: None }
    }

    /// A piece that was read.
    pub(super) fn good(&mut self, span: Span) {
        self.end();
        self.before = Some(span);
    }

    /// A piece that was not.
    pub(super) fn bad(&mut self, span: Span) {
        match self.bad {
            Some(open) if !self.builder.means_to_open(span, self.place) => self.bad = Some(open.to(span)),
            Some(_) => {
                self.end();
                self.bad = Some(span);
            }
            None => self.bad = Some(span),
        }
    }

    /// Something that nothing goes on with, or the end of the list.
    pub(super) fn end(&mut self) {
        if let Some(bad) = self.bad {
            self.builder.explain(Gap { bad, before: self.before, place: self.place });
        }
        self.before = None;
        self.bad = None;
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
        let alone = words::expected(&failure.expected);
        let goes_on = failure.found.start == bad.start && self.stands_behind(gap.before, bad);
        let failure = if goes_on { self.failure(whole, bad, gap.place) } else { failure };
        let slip =
            Slip { builder: self, failure: &failure, first: self.first_word(failure.read), place: gap.place };
        let report = slip.report().unwrap_or_else(|| {
            let mut expected = words::expected(&failure.expected);
            expected.guess_also(&alone);
            if failure.found.start == bad.start {
                expected.guess_words(gap.place.words());
                expected.guess_also(&words::expected(&self.failure(whole, bad, gap.place).expected));
            }
            self.unexpected(&failure, &expected, gap.place)
        });
        self.report(report);
    }

    /// Whether a piece begins with a word that opens what stands in such a place, or with one that resembles it.
    fn means_to_open(&self, piece: Span, place: Place) -> bool {
        let word = self.first_word(piece);
        let words = place.words();
        place == Place::Arm
            || words.contains(&word)
            || slips::is_foreign(word)
            || guess(word, words.iter().copied()).is_some()
    }

    /// Whether a piece stands on the line where the one before it ends, as if to go on with it, or begins with a
    /// word that only goes on.
    fn stands_behind(&self, before: Option<Span>, bad: Span) -> bool {
        let Some(before) = before else { return false };
        let between = self.text.get(before.range().end..bad.range().start).unwrap_or_default();
        !between.contains('\n') || !self.slice(bad).starts_with(|c: char| c.is_alphabetic())
    }

    /// The word that a piece begins with; of an empty piece, the word at its place.
    fn first_word(&self, piece: Span) -> &str {
        let token = self.token(piece.range().start..self.text.len());
        self.text.get(token).unwrap_or_default()
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
    pub(super) fn token(&self, range: Range<usize>) -> Range<usize> {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let length = match text.chars().next() {
            None => 0,
            Some(first) if first.is_alphanumeric() || first == '_' => word_length(text),
            Some('"' | '\'') => text.find(['\n', '\r']).unwrap_or(text.len()).min(closed(text)),
            Some(first) => first.len_utf8(),
        };
        range.start..range.start + length
    }

    /// The general report: what was found, what could have stood there, what the word may have meant.
    fn unexpected(&self, failure: &Failure, expected: &Expected, place: Place) -> Diagnostic {
        let found = self.slice(failure.found);
        let condition = failure.expected.contains(&Rule::kw_then);
        let sentence =
            if condition { "`then` or `{` after the condition".to_owned() } else { expected.sentence() };
        if found.is_empty() {
            let last = self.last_word(failure.read);
            let message = match sentence.as_str() {
                "" => format!("something is missing after `{}`", self.slice(last)),
                _ if condition => format!("expected {sentence}"),
                _ => format!("expected {sentence} after `{}`", self.slice(last)),
            };
            return Diagnostic::error(Code::E0101, last.after(), message).here("missing here");
        }
        let begins = failure.read.start == failure.found.start;
        let message = match place {
            Place::Entry if begins => format!("`{found}` begins no statement and no item"),
            Place::Statement | Place::Body if begins => format!("`{found}` begins no statement"),
            Place::Clause if begins => format!("`{found}` begins no clause of a test"),
            Place::Arm if begins => format!("`{found}` begins no arm of a `match`"),
            _ if sentence.is_empty() => format!("`{found}` can't stand here"),
            _ => format!("expected {sentence}, found `{found}`"),
        };
        let report = Diagnostic::error(Code::E0101, failure.found, message);
        match guess(found, expected.keywords()) {
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

/// The word that was meant; nobody means one by a very long word.
fn guess<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() <= 32 { did_you_mean(word, candidates) } else { None }
}

/// How long the word is that begins a text, inner hyphens and dots included.
fn word_length(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let word = text.find(|c| !is_word(c)).and_then(|end| text.get(..end)).unwrap_or(text);
    word.trim_end_matches(['-', '.']).len()
}

/// How long a text in quotes is, if it is closed.
fn closed(text: &str) -> usize {
    let quote = text.chars().next().unwrap_or('"');
    text.get(1..).and_then(|inside| inside.find(quote)).map_or(text.len(), |end| end + 2)
}
