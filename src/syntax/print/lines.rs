//! What has lines of its own (entries, statements, arms, clauses) and what lists hold, each with its comments.

use std::ops::Range;

use super::Printer;
use super::comments::Comment;
use super::doc::Doc;

/// One or more lines, and where in the source they come from.
pub(super) struct Lines {
    /// The bytes of the source.
    pub(super) range: Range<usize>,
    /// The lines.
    pub(super) doc: Doc,
}

/// One element of a list.
pub(super) struct Element {
    /// The bytes of the source.
    pub(super) range: Range<usize>,
    /// The element.
    pub(super) doc: Doc,
}

/// How a list is written.
pub(super) struct Brackets {
    /// What opens it.
    pub(super) open: &'static str,
    /// What closes it.
    pub(super) close: &'static str,
    /// What stands inside the brackets on one line.
    pub(super) padding: &'static str,
    /// What follows the last of several lines.
    pub(super) last: &'static str,
}

/// `[a, b]`
pub(super) const SQUARE: Brackets = Brackets { open: "[", close: "]", padding: "", last: "," };
/// `f(a, b)`
pub(super) const ROUND: Brackets = Brackets { open: "(", close: ")", padding: "", last: "," };
/// `(a, b)`, a row of a table
pub(super) const ROW: Brackets = Brackets { open: "(", close: ")", padding: "", last: "" };
/// `{ a, b }`
pub(super) const CURLY: Brackets = Brackets { open: "{", close: "}", padding: " ", last: "," };

impl Printer<'_> {
    /// Adds something with lines of its own to `lines`: first the comments before it and in it that have no better
    /// place, then itself, with the comment that trails it.
    pub(super) fn push_lines(&mut self, lines: &mut Vec<Lines>, range: Range<usize>, doc: Doc) {
        for comment in self.comments.take(self.floor..range.end) {
            let start = comment.range.start.min(range.start);
            let end = comment.range.end.min(range.start);
            lines.push(Lines { range: start..end, doc: Doc::Comment(comment.text) });
        }
        let (doc, end) = self.with_trailing(doc, range.end);
        lines.push(Lines { range: range.start..end, doc });
    }

    /// Adds the comments before `end`, each on its line.
    pub(super) fn push_comments(&mut self, lines: &mut Vec<Lines>, end: usize) {
        let comments = self.comments.take(self.floor..end);
        lines.extend(comments.into_iter().map(|c| Lines { range: c.range, doc: Doc::Comment(c.text) }));
    }

    /// Adds the comment that trails what ends at `end`, and says where the line ends now.
    pub(super) fn with_trailing(&mut self, doc: Doc, end: usize) -> (Doc, usize) {
        match self.comments.take_trailing(end) {
            Some(Comment { range, text }) => {
                (Doc::Concat(vec![doc, Doc::text(" "), Doc::Comment(text)]), range.end)
            }
            None => (doc, end),
        }
    }

    /// One below the other, with an empty line where the source has one.
    pub(super) fn stack(&self, lines: Vec<Lines>) -> Doc {
        let mut docs = Vec::new();
        let mut previous_end = None;
        for line in lines {
            match previous_end {
                Some(end) if self.comments.blank_between(end, line.range.start) => docs.push(Doc::Blank),
                Some(_) => docs.push(Doc::Break),
                None => {}
            }
            docs.push(line.doc);
            previous_end = Some(line.range.end);
        }
        Doc::Concat(docs)
    }

    /// `{`, lines, `}`. `open` is where the brace ends, `end` where the closing one does.
    pub(super) fn braced(
        &mut self,
        open: usize,
        end: usize,
        fill: impl FnOnce(&mut Self, &mut Vec<Lines>),
    ) -> Doc {
        let (head, _) = self.with_trailing(Doc::text("{"), open);
        let outer = std::mem::replace(&mut self.floor, open);
        let mut lines = Vec::new();
        fill(self, &mut lines);
        self.push_comments(&mut lines, end.saturating_sub(1));
        self.floor = outer;
        if lines.is_empty() {
            return match head {
                Doc::Text(_) => Doc::text("{}"),
                _ => Doc::Concat(vec![head, Doc::Break, Doc::text("}")]),
            };
        }
        let body = self.stack(lines);
        Doc::Concat(vec![head, Doc::Nest(vec![Doc::Break, body]), Doc::Break, Doc::text("}")])
    }

    /// A list in brackets: on one line, or one element a line with a comma after each. `range` is the source's,
    /// brackets included.
    pub(super) fn list(&mut self, brackets: Brackets, range: Range<usize>, elements: Vec<Element>) -> Doc {
        let mut docs = vec![Doc::Line(brackets.padding)];
        let mut from = range.start;
        let count = elements.len();
        for (index, element) in elements.into_iter().enumerate() {
            for comment in self.comments.take(from..element.range.end) {
                docs.extend([Doc::Comment(comment.text), Doc::Break]);
            }
            docs.push(element.doc);
            let is_last = index + 1 == count;
            docs.push(if is_last { Doc::IfBroken(brackets.last) } else { Doc::text(",") });
            if let Some(comment) = self.comments.take_trailing(element.range.end) {
                docs.extend([Doc::text(" "), Doc::Comment(comment.text)]);
            }
            docs.extend((!is_last).then(Doc::line));
            from = element.range.end;
        }
        for comment in self.comments.take(from..range.end) {
            docs.extend([Doc::Break, Doc::Comment(comment.text)]);
        }
        if docs.len() == 1 {
            return Doc::text(format!("{}{}", brackets.open, brackets.close));
        }
        let (open, close) = (Doc::text(brackets.open), Doc::text(brackets.close));
        Doc::Group(vec![open, Doc::Nest(docs), Doc::Line(brackets.padding), close])
    }
}
