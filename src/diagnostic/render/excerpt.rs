//! The lines of source that one report shows, as a small text of their own.
//!
//! codespan-reporting reads whole files and draws every line it touches as it stands. It is given this instead: the
//! lines that the labels need, made [visible](super::visible), with the line numbers and columns of the real file.

use std::collections::BTreeSet;
use std::ops::Range;

use codespan_reporting::files::{Error, Files, Location};

use super::visible::{self, VisibleLine};
use crate::diagnostic::Label;
use crate::source::{FileId, SourceFile, Sources, Span};

/// How many lines of a label of several lines are shown from its beginning, after the first.
pub(super) const LINES_AFTER_START: usize = 3;
/// How many are shown before its last.
pub(super) const LINES_BEFORE_END: usize = 1;

/// The excerpts of all files of a report.
pub(super) struct Excerpts<'a> {
    files: Vec<Excerpt<'a>>,
}

/// The shown lines of one file.
struct Excerpt<'a> {
    id: FileId,
    source: &'a SourceFile,
    text: String,
    lines: Vec<Line>,
    /// Where the foremost label begins: what stands in the heading of the excerpt.
    location: Location,
}

/// A line of an excerpt.
struct Line {
    /// Its number in the file, from 1.
    number: usize,
    /// Where it begins in the file.
    source_start: usize,
    /// Where it begins in the excerpt.
    start: usize,
    shown: VisibleLine,
}

impl<'a> Excerpts<'a> {
    /// The excerpts that `labels` need, the foremost label first.
    pub(super) fn new(sources: &'a Sources, labels: &[&Label]) -> Self {
        let mut files: Vec<Excerpt<'a>> = Vec::new();
        for label in labels {
            let id = label.span.file;
            if files.iter().all(|file| file.id != id) {
                let spans: Vec<Span> = labels.iter().map(|l| l.span).filter(|span| span.file == id).collect();
                files.push(Excerpt::new(id, sources.file(id), &spans));
            }
        }
        Excerpts { files }
    }

    /// Where a label is in its excerpt.
    pub(super) fn place(&self, span: Span) -> Range<usize> {
        self.files.iter().find(|file| file.id == span.file).map_or(0..0, |file| file.place(span))
    }

    fn file(&self, id: FileId) -> Result<&Excerpt<'a>, Error> {
        self.files.iter().find(|file| file.id == id).ok_or(Error::FileMissing)
    }
}

impl<'a> Excerpt<'a> {
    fn new(id: FileId, source: &'a SourceFile, spans: &[Span]) -> Self {
        let first = spans.first().map_or(0, |span| span.start as usize);
        let position = source.position(first);
        let location = Location { line_number: position.line, column_number: position.column };
        let mut excerpt = Excerpt { id, source, text: String::new(), lines: Vec::new(), location };
        let mut previous = None;
        for index in shown_lines(source, spans) {
            match previous {
                Some(previous) if index == previous + 2 => excerpt.push_line(index - 1, spans),
                Some(previous) if index > previous + 2 => excerpt.push_gap(previous + 1),
                _ => {}
            }
            excerpt.push_line(index, spans);
            previous = Some(index);
        }
        excerpt
    }

    /// Adds a line of the file.
    fn push_line(&mut self, index: usize, spans: &[Span]) {
        let range = line_range(self.source, index);
        let here = |start: &usize| (range.start..=range.end).contains(start);
        let focus = spans.iter().map(|span| span.start as usize).find(here);
        let focus = focus.unwrap_or(range.start) - range.start;
        let line = self.source.text().get(range.clone()).unwrap_or("");
        self.push(index + 1, range.start, VisibleLine::new(line, focus));
    }

    /// Adds lines that are not shown: enough for codespan to see a gap.
    fn push_gap(&mut self, index: usize) {
        for index in [index, index + 1] {
            let start = line_range(self.source, index).start;
            self.push(index + 1, start, VisibleLine::new("", 0));
        }
    }

    fn push(&mut self, number: usize, source_start: usize, shown: VisibleLine) {
        let start = self.text.len();
        self.text.push_str(&shown.text);
        self.text.push('\n');
        self.lines.push(Line { number, source_start, start, shown });
    }

    fn place(&self, span: Span) -> Range<usize> {
        let span = trimmed(self.source, span);
        let start = self.place_offset(span.start);
        start..self.place_offset(span.end).max(start)
    }

    fn place_offset(&self, offset: usize) -> usize {
        let next = self.lines.partition_point(|line| line.source_start <= offset);
        let line = next.checked_sub(1).and_then(|index| self.lines.get(index));
        line.map_or(0, |line| line.start + line.shown.place(offset - line.source_start))
    }
}

/// The lines that labels need, from 0: a label's own, or the first and last of a label of many.
fn shown_lines(source: &SourceFile, spans: &[Span]) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for span in spans {
        let range = trimmed(source, *span);
        let (first, last) = (line_index(source, range.start), line_index(source, range.end));
        lines.extend(first..=last.min(first + LINES_AFTER_START));
        lines.extend(first.max(last.saturating_sub(LINES_BEFORE_END))..=last);
    }
    lines
}

/// The bytes of a span without white space at its end, inside the file.
fn trimmed(source: &SourceFile, span: Span) -> Range<usize> {
    let length = source.text().len();
    let (start, end) = ((span.start as usize).min(length), (span.end as usize).min(length));
    let text = source.text().get(start..end).unwrap_or("");
    start..start + text.trim_end().len()
}

/// The line of an offset, from 0.
pub(super) fn line_index(source: &SourceFile, offset: usize) -> usize {
    source.line_starts().partition_point(|start| *start <= offset).saturating_sub(1)
}

/// The bytes of a line, from 0, without its line end.
pub(super) fn line_range(source: &SourceFile, index: usize) -> Range<usize> {
    let end = source.text().len();
    let start = source.line_starts().get(index).copied().unwrap_or(end);
    let next = source.line_starts().get(index + 1).copied().unwrap_or(end);
    let line = source.text().get(start..next).unwrap_or("");
    start..start + line.trim_end_matches(['\n', '\r']).len()
}

impl<'a> Files<'a> for Excerpts<'_> {
    type FileId = FileId;
    type Name = String;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<String, Error> {
        Ok(visible::one_line(self.file(id)?.source.name()))
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        Ok(&self.file(id)?.text)
    }

    fn line_index(&'a self, id: FileId, offset: usize) -> Result<usize, Error> {
        let lines = &self.file(id)?.lines;
        Ok(lines.partition_point(|line| line.start <= offset).saturating_sub(1))
    }

    fn line_number(&'a self, id: FileId, index: usize) -> Result<usize, Error> {
        Ok(self.file(id)?.lines.get(index).map_or(index + 1, |line| line.number))
    }

    fn line_range(&'a self, id: FileId, index: usize) -> Result<Range<usize>, Error> {
        let file = self.file(id)?;
        let too_large = Error::LineTooLarge { given: index, max: file.lines.len() };
        let start = file.lines.get(index).ok_or(too_large)?.start;
        Ok(start..file.lines.get(index + 1).map_or(file.text.len(), |next| next.start))
    }

    fn location(&'a self, id: FileId, _offset: usize) -> Result<Location, Error> {
        let Location { line_number, column_number } = self.file(id)?.location;
        Ok(Location { line_number, column_number })
    }
}
