//! Text to tree.
//!
//! Three passes, each simple because of the others. [`scan`] looks at characters alone: it bounds the nesting, pairs
//! the brackets, and finds what belongs to other languages. [`grammar`] is the parser that pest makes of
//! `grammar/stepup.pest`; it never fails, since what it can't read becomes a `bad_…` node. The builder (one file a
//! level of the language) makes the tree of its nodes, and [`explain`] parses each bad piece again, alone, to say
//! where it went wrong and what was expected there.
//!
//! Every text has a tree, of what was understood; what was not is reported once, and stages after this one don't
//! see it.

mod clauses;
mod docs;
mod explain;
mod expressions;
mod grammar;
mod items;
mod json;
mod literals;
mod scan;
mod slips;
mod statements;
mod words;

use std::cell::RefCell;
use std::ops::Range;

use pest::Parser;

use self::grammar::{Grammar, Rule};
use crate::diagnostic::{Code, Diagnostic, Label};
use crate::source::{FileId, MAX_SOURCE_BYTES, Span};
use crate::stack::{DEEPEST_TEXT, with_room};
use crate::syntax::tree::{Entry, File, Item, ItemKind, Literal, Name};

/// How deep brackets, `then if`, `implies` and `not` may nest: more than any policy needs, and so little that the
/// recursion of every stage, pest's included, fits a thread's stack.
pub const MAX_NESTING: usize = 128;

/// The most reports about one file's syntax; a file with more is not a policy.
const MAX_REPORTS: usize = 64;

type Pair<'i> = pest::iterators::Pair<'i, Rule>;

/// The parts of a node.
trait Parts<'i> {
    /// The parts, without the signs between them.
    fn parts(self) -> impl Iterator<Item = Pair<'i>> + Clone;
}

impl<'i> Parts<'i> for Pair<'i> {
    fn parts(self) -> impl Iterator<Item = Pair<'i>> + Clone {
        self.into_inner().filter(|part| {
            !matches!(
                part.as_rule(),
                Rule::colon
                    | Rule::comma
                    | Rule::assign
                    | Rule::arrow
                    | Rule::open_paren
                    | Rule::close_paren
                    | Rule::open_bracket
                    | Rule::close_bracket
                    | Rule::open_brace
                    | Rule::close_brace
            )
        })
    }
}

/// Parses a file. The tree holds what was understood; the reports, in the order of the text, say what was not.
pub fn parse(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    with_room(DEEPEST_TEXT, || parse_here(file, text))
}

fn parse_here(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    let empty = File { file, docs: Vec::new(), entries: Vec::new() };
    if text.len() > MAX_SOURCE_BYTES {
        let message = format!("a policy is at most {MAX_SOURCE_BYTES} bytes long");
        let here = format!("this one has {}", text.len());
        return (empty, vec![Diagnostic::error(Code::E0108, Span::new(file, 0..0), message).here(here)]);
    }
    let scan = match scan::scan(file, text) {
        Ok(scan) => scan,
        Err(too_deep) => return (empty, vec![too_deep.report()]),
    };
    let builder = Builder { file, text, reports: RefCell::new(scan.reports), comments: scan.comments };
    let mut pieces = builder.read();
    let docs = docs::attach(&mut pieces, scan.docs, |stray| builder.report(stray));
    let entries: Vec<Entry> = pieces.into_iter().filter_map(|(_, entry)| entry).collect();
    builder.check_statements_beside_steps(&entries);
    let mut reports = builder.reports.into_inner();
    reports.sort_by_key(|report| report.primary.span.start);
    (File { file, docs, entries }, reports)
}

/// The text of a file's bytes. Where they are not UTF-8, the text holds U+FFFD in their place, and there is a report.
pub fn decode(file: FileId, bytes: &[u8]) -> (String, Option<Diagnostic>) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let report = std::str::from_utf8(bytes).err().map(|error| {
        let start = error.valid_up_to();
        let replacement = start..start + char::REPLACEMENT_CHARACTER.len_utf8();
        let byte = bytes.get(start).copied().unwrap_or_default();
        let report =
            Diagnostic::error(Code::E0101, Span::new(file, replacement), "this file is not UTF-8 text");
        report.here(format!("the byte 0x{byte:02X} begins no character"))
    });
    (text, report)
}

/// The value of a text that is an integer, a length of time, an instant, an address or a prefix, and nothing else.
pub fn literal(text: &str) -> Option<Literal> {
    let whole = |rule| Grammar::parse(rule, text).ok()?.next().filter(|pair| pair.as_str() == text);
    let pair = [Rule::number, Rule::address].into_iter().find_map(whole)?;
    Builder { file: FileId(0), text, reports: RefCell::default(), comments: Vec::new() }.literal(pair)
}

/// Makes the tree of pest's nodes, and gathers the reports.
struct Builder<'t> {
    file: FileId,
    text: &'t str,
    reports: RefCell<Vec<Diagnostic>>,
    comments: Vec<Range<usize>>,
}

impl<'t> Builder<'t> {
    fn read(&self) -> Vec<(Span, Option<Entry>)> {
        match Grammar::parse(Rule::file, self.text) {
            Ok(mut pairs) => pairs.next().map(|file| self.pieces(file)).unwrap_or_default(),
            // The grammar reads every text.
            Err(_) => {
                let whole = Span::new(self.file, 0..0);
                let message = "this file can't be read: this is a defect of stepup";
                self.report(Diagnostic::error(Code::E0108, whole, message));
                Vec::new()
            }
        }
    }

    fn report(&self, report: Diagnostic) {
        let mut reports = self.reports.borrow_mut();
        if reports.len() < MAX_REPORTS {
            reports.push(report);
        }
    }

    /// Whether something in `span` was reported, or nothing more will be.
    fn is_reported(&self, span: Span) -> bool {
        let reports = self.reports.borrow();
        let inside = |other: Span| span.start <= other.start && other.start < span.end;
        reports.len() >= MAX_REPORTS || reports.iter().any(|report| inside(report.primary.span))
    }

    /// The exact text of a node. (pest looks for a rule's optional end past white space and comments, and leaves
    /// them in the node when there is none.)
    fn span(&self, pair: &Pair<'_>) -> Span {
        let start = pair.as_span().start();
        self.trimmed(Span::new(self.file, start..pair.as_span().end()))
    }

    /// A span without white space and comments at its end.
    fn trimmed(&self, span: Span) -> Span {
        let Range { start, mut end } = span.range();
        loop {
            let text = self.text.get(start..end).unwrap_or_default().trim_end();
            end = start + text.len();
            match self.comments.binary_search_by_key(&end, |comment| comment.end) {
                Ok(index) if start < end => {
                    end = self.comments.get(index).map_or(end, |c| c.start.max(start))
                }
                _ => return Span::new(self.file, start..end),
            }
        }
    }

    fn slice(&self, span: Span) -> &'t str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn name(&self, pair: &Pair<'_>) -> Name {
        Name::new(pair.as_str().to_owned(), self.span(pair))
    }

    /// The first part of a rule; the grammar says that it is there.
    fn part<'i>(&self, pair: Pair<'i>, rule: Rule) -> Option<Pair<'i>> {
        pair.parts().find(|part| part.as_rule() == rule)
    }

    /// The word that stands next, if it is one.
    fn next_word(&self, span: Span) -> Option<&'t str> {
        let rest = self.text.get(span.range().end..)?.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).filter(|word| !word.is_empty())
    }

    /// A file has steps, or is one.
    fn check_statements_beside_steps(&self, entries: &[Entry]) {
        let statement = entries.iter().find_map(|entry| match entry {
            Entry::Statement(statement) => Some(statement.span),
            Entry::Item(_) => None,
        });
        let step = entries.iter().find_map(|entry| match entry {
            Entry::Item(Item { kind: ItemKind::Step(step), .. }) => Some(step.name.span),
            _ => None,
        });
        let (Some(statement), Some(step)) = (statement, step) else { return };
        // A stray brace or a missing one leaves statements outside: one report is enough.
        let explains = |report: &Diagnostic| {
            let in_block = |label: &Label| label.text == scan::BLOCK_IS_OPEN;
            report.code == Code::E0103 || report.secondary.iter().any(in_block)
        };
        if self.reports.borrow().iter().any(explains) {
            return;
        }
        let report = Diagnostic::error(Code::E0105, statement, "this statement stands outside a step");
        let report = report.label(step, "the file has steps, so each statement belongs into one");
        self.report(report.help("write `step NAME { … }` around it"));
    }
}
