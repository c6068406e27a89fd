//! Doc comments: to the grammar they are comments; here they find the item that they document.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{Entry, Spanned};

/// One `///` or `//!` line.
pub(super) struct DocLine {
    /// Without the marker and one space.
    pub(super) text: String,
    /// With the marker.
    pub(super) span: Span,
    /// What it documents.
    pub(super) kind: DocKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DocKind {
    /// `///`: the item below.
    Item,
    /// `//!`: the file.
    File,
}

/// Gives each item its lines, and the file its own; reports the rest. `pieces` and `lines` are in order.
pub(super) fn attach(
    pieces: &mut [(Span, Option<Entry>)],
    lines: Vec<DocLine>,
    mut report: impl FnMut(Diagnostic),
) -> Vec<Spanned<String>> {
    let mut file_docs = Vec::new();
    let mut lines = lines.into_iter().peekable();
    for (index, (span, entry)) in pieces.iter_mut().enumerate() {
        while let Some(line) = lines.next_if(|line| line.span.start < span.start) {
            match (line.kind, entry.as_mut()) {
                (DocKind::File, _) if index == 0 => file_docs.push(Spanned::new(line.text, line.span)),
                (DocKind::Item, Some(Entry::Item(item))) => {
                    item.docs.push(Spanned::new(line.text, line.span))
                }
                (DocKind::Item, None) => {}
                _ => report(stray(&line)),
            }
        }
        while let Some(line) = lines.next_if(|line| line.span.start < span.end) {
            if entry.is_some() {
                report(stray(&line));
            }
        }
    }
    for line in lines {
        match line.kind {
            DocKind::File if pieces.is_empty() => file_docs.push(Spanned::new(line.text, line.span)),
            _ => report(stray(&line)),
        }
    }
    file_docs
}

fn stray(line: &DocLine) -> Diagnostic {
    let (message, place) = match line.kind {
        DocKind::Item => ("this doc comment documents nothing", "`///` stands right before an item"),
        DocKind::File => ("this doc comment is not at the top of the file", "`//!` documents the whole file"),
    };
    let marker = Span { end: line.span.start + 3, ..line.span };
    Diagnostic::error(Code::E0106, line.span, message).here(place).fix(
        "make it a plain comment",
        marker,
        "//",
    )
}
