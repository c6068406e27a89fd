//! The canonical form of a file: tree to text, with every comment of the source.
//!
//! The printer builds a [`doc::Doc`] an entry and lays it out. Comments are not in the tree, so it takes them from
//! the [source](comments) by place: before the line that begins after them, or at the end of the line that they
//! trail. A comment inside an expression moves before its statement, one inside a list stays with its element.
//! What a literal looks like is the source's own choice (`90s` stays `90s`) where it still says the same.

mod comments;
pub(crate) mod doc;
mod expressions;
mod facts;
mod items;
mod lines;
mod literals;
mod statements;
#[cfg(test)]
mod tests;

use comments::Comments;

use super::tree::{Entry, File};
use crate::source::Span;

/// The canonical text of a file; it parses to the same tree, and printing that changes nothing.
///
/// `text` is the text that `file` was parsed from, without syntax errors. A file without anything gives an empty text.
pub fn print(text: &str, file: &File) -> String {
    let mut printer = Printer { source: text, comments: Comments::new(text, doc_spans(file)), floor: 0 };
    let mut out = printer.file(file);
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What printing needs at hand: the source, and the comments not printed yet.
struct Printer<'a> {
    source: &'a str,
    comments: Comments<'a>,
    /// Where the block begins that is being printed: comments before it are for the lines around it.
    floor: usize,
}

impl Printer<'_> {
    /// The source's text of a span.
    fn source_of(&self, span: Span) -> &str {
        self.source.get(span.range()).unwrap_or("")
    }
}

/// The doc lines of a file, which are in the tree.
fn doc_spans(file: &File) -> impl Iterator<Item = Span> {
    let items = file.entries.iter().filter_map(|entry| match entry {
        Entry::Item(item) => Some(item),
        Entry::Statement(_) => None,
    });
    file.docs.iter().chain(items.flat_map(|item| &item.docs)).map(|doc| doc.span)
}
