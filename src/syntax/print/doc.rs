//! Text with choices of where to break its lines, after Wadler's "A prettier printer".
//!
//! A [`Doc::Group`] is laid out on one line when it fits, and else with every [`Doc::Line`] of its own as a line
//! break; groups inside decide for themselves. A comment runs to the end of its line, so it breaks its group.

use std::borrow::Cow;

/// The longest line, in characters.
const MAX_WIDTH: usize = 100;
/// What a level of nesting indents.
const INDENT: usize = 2;

/// A text that can be laid out in several ways.
#[derive(Clone, Debug)]
pub(crate) enum Doc {
    /// Words, without a line break.
    Text(Cow<'static, str>),
    /// A comment, `//` and all; a line break follows.
    Comment(String),
    /// A line break, or this text when its group is on one line.
    Line(&'static str),
    /// A line break always.
    Break,
    /// An empty line.
    Blank,
    /// This text when its group is broken.
    IfBroken(&'static str),
    /// One after the other.
    Concat(Vec<Doc>),
    /// The same, lines inside indented.
    Nest(Vec<Doc>),
    /// The same, on one line if it fits.
    Group(Vec<Doc>),
}

impl Doc {
    /// Words.
    pub(crate) fn text(text: impl Into<Cow<'static, str>>) -> Doc {
        Doc::Text(text.into())
    }

    /// A space, or a line break in a broken group.
    pub(crate) fn line() -> Doc {
        Doc::Line(" ")
    }

    /// The words that it begins with.
    pub(crate) fn first_text(&self) -> &str {
        match self {
            Doc::Text(text) => text,
            Doc::Concat(docs) | Doc::Nest(docs) | Doc::Group(docs) => {
                docs.first().map_or("", Doc::first_text)
            }
            Doc::Comment(_) | Doc::Line(_) | Doc::Break | Doc::Blank | Doc::IfBroken(_) => "",
        }
    }
}

/// Whether the line breaks of a group are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

/// A piece still to be laid out.
type Piece<'a> = (usize, Mode, &'a Doc);

/// Lays a document out from the left margin; it ends without a line break.
pub(crate) fn layout(doc: &Doc) -> String {
    let mut page = Page { out: String::new(), column: 0, indent: 0 };
    let mut pieces: Vec<Piece<'_>> = vec![(0, Mode::Broken, doc)];
    while let Some((indent, mode, doc)) = pieces.pop() {
        match doc {
            Doc::Text(text) => page.text(text),
            Doc::Comment(text) => page.text(text),
            Doc::Line(flat) if mode == Mode::Flat => page.text(flat),
            Doc::Line(_) | Doc::Break => page.line_break(indent),
            Doc::Blank => page.blank_line(indent),
            Doc::IfBroken(text) if mode == Mode::Broken => page.text(text),
            Doc::IfBroken(_) => {}
            Doc::Concat(docs) => push(&mut pieces, indent, mode, docs),
            Doc::Nest(docs) => push(&mut pieces, indent + INDENT, mode, docs),
            Doc::Group(docs) => {
                let column = page.column.max(page.indent);
                let fits = mode == Mode::Flat || fits(docs, column, &pieces);
                push(&mut pieces, indent, if fits { Mode::Flat } else { Mode::Broken }, docs);
            }
        }
    }
    page.out.truncate(page.out.trim_end().len());
    page.out
}

fn push<'a>(pieces: &mut Vec<Piece<'a>>, indent: usize, mode: Mode, docs: &'a [Doc]) {
    pieces.extend(docs.iter().rev().map(|doc| (indent, mode, doc)));
}

/// Whether `docs` fit on the line from `column` on, with what follows up to the next line break.
fn fits(docs: &[Doc], column: usize, following: &[Piece<'_>]) -> bool {
    let mut room = MAX_WIDTH.saturating_sub(column);
    let mut open = vec![docs.iter()];
    while let Some(top) = open.last_mut() {
        let width = match top.next() {
            Some(Doc::Text(text)) => text.chars().count(),
            Some(Doc::Line(flat)) => flat.len(),
            Some(Doc::IfBroken(_)) => 0,
            Some(Doc::Comment(_) | Doc::Break | Doc::Blank) => return false,
            Some(Doc::Concat(docs) | Doc::Nest(docs) | Doc::Group(docs)) => {
                open.push(docs.iter());
                0
            }
            None => {
                open.pop();
                0
            }
        };
        match room.checked_sub(width) {
            Some(left) => room = left,
            None => return false,
        }
    }
    following_fits(room, following)
}

/// Whether what follows a group, up to where the line can end, fits into `room`. A group that follows can end the
/// line at its first chance.
fn following_fits(mut room: usize, following: &[Piece<'_>]) -> bool {
    for (_, _, doc) in following.iter().rev() {
        let mut open = vec![std::slice::from_ref(*doc).iter()];
        while let Some(top) = open.last_mut() {
            let width = match top.next() {
                Some(Doc::Text(text)) => text.chars().count(),
                Some(Doc::Line(_) | Doc::Comment(_) | Doc::Break | Doc::Blank) => return true,
                Some(Doc::IfBroken(text)) => text.len(),
                Some(Doc::Concat(docs) | Doc::Nest(docs) | Doc::Group(docs)) => {
                    open.push(docs.iter());
                    0
                }
                None => {
                    open.pop();
                    0
                }
            };
            match room.checked_sub(width) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }
    true
}

/// What has been laid out.
struct Page {
    out: String,
    /// The characters on the last line.
    column: usize,
    /// What the last line is indented when something comes to stand on it.
    indent: usize,
}

impl Page {
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.column == 0 {
            self.out.push_str(&" ".repeat(self.indent));
            self.column = self.indent;
        }
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn line_break(&mut self, indent: usize) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if !self.out.is_empty() && self.column > 0 {
            self.out.push('\n');
        }
        self.column = 0;
        self.indent = indent;
    }

    fn blank_line(&mut self, indent: usize) {
        self.line_break(indent);
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }
}
