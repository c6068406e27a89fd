//! The repaired lines below a help.
//!
//! An edit inside a line shows the line as it will be, with `+` under what came and `~` under what was replaced.
//! Anything else (text taken away, several lines) shows the lines that go after `-` and those that come after `+`.

use std::io::Write as _;
use std::ops::Range;

use codespan_reporting::term::termcolor::{Buffer, Color, ColorSpec, WriteColor as _};
use unicode_width::UnicodeWidthStr as _;

use super::excerpt::{line_index, line_range};
use super::visible::{self, VisibleLine};
use super::{HumanStyle, apply_edits};
use crate::diagnostic::Edit;
use crate::source::{FileId, SourceFile, Sources, Span};

/// The most places of one repair that are shown.
const MAX_PLACES: usize = 8;
/// The most lines of one place that are shown on either side.
const MAX_LINES: usize = 12;

/// What became of a stretch of the repaired text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Inserted,
    Replaced,
    Deleted,
}

impl Change {
    fn sign(self) -> &'static str {
        match self {
            Change::Inserted => "+",
            Change::Replaced => "~",
            Change::Deleted => "-",
        }
    }

    fn colour(self) -> Color {
        match self {
            Change::Inserted => Color::Green,
            Change::Replaced => Color::Yellow,
            Change::Deleted => Color::Red,
        }
    }
}

/// Edits that touch the same lines.
struct Place<'a> {
    source: &'a SourceFile,
    /// The lines touched, from 0.
    lines: Range<usize>,
    edits: Vec<&'a Edit>,
}

/// Appends the repaired lines of `edits`; `home` is the file that the report is about.
pub(super) fn write(text: &mut String, sources: &Sources, edits: &[Edit], home: FileId, style: HumanStyle) {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.file, edit.span.start, edit.span.end));
    let places = places(sources, &sorted);
    let last_line = places.iter().take(MAX_PLACES).map(|place| place.lines.end + MAX_LINES).max();
    let gutter = last_line.unwrap_or(0).to_string().len();
    let mut file = home;
    let mut page = Page { out: style.buffer(), gutter };
    for place in places.iter().take(MAX_PLACES) {
        if let Some(edit) = place.edits.first().filter(|edit| edit.span.file != file) {
            file = edit.span.file;
            page.line(&format!("in {}:", visible::one_line(place.source.name())));
        }
        page.place(place);
    }
    if places.len() > MAX_PLACES {
        page.line(&format!("and {} more places", places.len() - MAX_PLACES));
    }
    text.push_str(&String::from_utf8_lossy(page.out.as_slice()));
}

/// Groups sorted edits by the lines they touch.
fn places<'a>(sources: &'a Sources, sorted: &[&'a Edit]) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = Vec::new();
    let mut file = None;
    for edit in sorted {
        let source = sources.file(edit.span.file);
        let first = line_index(source, edit.span.start as usize);
        let end = line_index(source, edit.span.end as usize) + 1;
        match places.last_mut() {
            Some(place) if file == Some(edit.span.file) && first < place.lines.end => {
                place.lines.end = place.lines.end.max(end);
                place.edits.push(edit);
            }
            _ => places.push(Place { source, lines: first..end, edits: vec![edit] }),
        }
        file = Some(edit.span.file);
    }
    places
}

impl Place<'_> {
    /// The bytes of the touched lines.
    fn range(&self) -> Range<usize> {
        let first = line_range(self.source, self.lines.start);
        first.start..line_range(self.source, self.lines.end.saturating_sub(1)).end.max(first.start)
    }

    /// The touched lines as they are and as they will be; nothing when the edits don't fit them.
    fn texts(&self) -> Option<(&str, String)> {
        let range = self.range();
        let old = self.source.text().get(range.clone())?;
        let moved = |edit: &&Edit| {
            let start = (edit.span.start as usize).checked_sub(range.start)?;
            let end = (edit.span.end as usize).checked_sub(range.start)?;
            Some(Edit { span: Span::new(edit.span.file, start..end), replacement: edit.replacement.clone() })
        };
        let edits: Option<Vec<Edit>> = self.edits.iter().map(moved).collect();
        Some((old, apply_edits(old, &edits?).ok()?))
    }

    /// Whether all edits put text into one line.
    fn is_inline(&self) -> bool {
        let puts = |edit: &&Edit| !edit.replacement.is_empty() && !edit.replacement.contains('\n');
        self.lines.len() == 1 && self.edits.iter().all(puts)
    }

    /// The stretches of the repaired line that edits put there.
    fn changes(&self) -> Vec<(Range<usize>, Change)> {
        let origin = self.range().start;
        let (mut grown, mut shrunk) = (0, 0);
        let mut changes = Vec::new();
        for edit in &self.edits {
            let start = edit.span.start as usize - origin + grown - shrunk;
            let change = if edit.span.start == edit.span.end { Change::Inserted } else { Change::Replaced };
            changes.push((start..start + edit.replacement.len(), change));
            grown += edit.replacement.len();
            shrunk += edit.span.range().len();
        }
        changes
    }
}

/// What is written below a help.
struct Page {
    out: Buffer,
    /// The width of the line numbers.
    gutter: usize,
}

impl Page {
    /// A line of its own, below the help's text. A buffer takes every write, here and below.
    fn line(&mut self, text: &str) {
        let _ = write!(self.out, "\n{text}");
    }

    fn paint(&mut self, change: Change, text: &str) {
        let _ = self.out.set_color(ColorSpec::new().set_fg(Some(change.colour())));
        let _ = write!(self.out, "{text}");
        let _ = self.out.reset();
    }

    fn place(&mut self, place: &Place<'_>) {
        let Some((old, new)) = place.texts() else { return };
        if place.is_inline() { self.inline(place, &new) } else { self.diff(place, old, &new) }
    }

    /// The line as it will be, and marks under what came.
    fn inline(&mut self, place: &Place<'_>, new: &str) {
        let changes = place.changes();
        let shown = VisibleLine::new(new, changes.first().map_or(0, |(range, _)| range.start));
        self.line(&format!("{:>width$} │ {}", place.lines.start + 1, shown.text, width = self.gutter));
        self.line(&format!("{:width$} │ ", "", width = self.gutter));
        let mut column = 0;
        for (range, change) in changes {
            let (start, end) = (shown.place(range.start), shown.place(range.end));
            let width = |end: usize| shown.text.get(..end).map_or(0, |text| text.width());
            let (start, end) = (width(start), width(end));
            if end > column.max(start) {
                let _ = write!(self.out, "{}", " ".repeat(start.saturating_sub(column)));
                self.paint(change, &change.sign().repeat(end - start.max(column)));
                column = end;
            }
        }
    }

    /// The lines that go and the lines that come, without those that stay at either end.
    fn diff(&mut self, place: &Place<'_>, old: &str, new: &str) {
        let old: Vec<&str> = old.lines().collect();
        let new: Vec<&str> = new.lines().collect();
        let same_before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let shorter = old.len().min(new.len()) - same_before;
        let same_after =
            old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count().min(shorter);
        let first = place.lines.start + same_before;
        let column = place.edits.first().map_or(0, |edit| edit.span.start as usize - place.range().start);
        let focus = if same_before == 0 { column } else { 0 };
        for (lines, change) in [(old, Change::Deleted), (new, Change::Inserted)] {
            let changed = lines.get(same_before..lines.len() - same_after).unwrap_or(&[]);
            self.changed_lines(first, changed, focus, change);
        }
    }

    fn changed_lines(&mut self, first: usize, lines: &[&str], focus: usize, change: Change) {
        for (index, line) in lines.iter().take(MAX_LINES).enumerate() {
            self.line(&format!("{:>width$} ", first + index + 1, width = self.gutter));
            let shown = VisibleLine::new(line, if index == 0 { focus } else { 0 });
            self.paint(change, format!("{} {}", change.sign(), shown.text).trim_end());
        }
        if lines.len() > MAX_LINES {
            self.line(&format!("{:width$} …", "", width = self.gutter));
        }
    }
}
