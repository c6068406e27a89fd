//! Source text: files, spans, and the one place that turns an offset into a line and a column.
//!
//! A [`Span`] is 12 bytes and names its file, so a tree, a typed policy and a report can point into several
//! files at once. This room knows nothing of the language, and reads no disk: a host hands texts in, and
//! `use "file"` asks a [`Loader`].

mod loader;

use std::ops::Range;
use std::sync::Arc;

pub use loader::{LoadError, Loader, MemoryLoader, NoFiles};

/// The largest source text accepted, in bytes (2 MiB): a bound on what a stranger's file can make a compile spend.
pub const MAX_SOURCE_BYTES: usize = 2 * 1024 * 1024;

/// A file of a flow: an index into [`Sources`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub(crate) u32);

impl FileId {
    /// The file's position in the order in which the files were added.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The first file of a table.
    pub(crate) const FIRST: FileId = FileId(0);

    /// The id that the next file added to `sources` will have.
    pub(crate) fn of_next(sources: &Sources) -> FileId {
        FileId(sources.files.len() as u32)
    }
}

/// A stretch of bytes in one file; `start..end` lies on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span that is before all others.
    pub(crate) const FIRST: Span = Span { file: FileId(0), start: 0, end: 0 };

    /// A span of `range` in `file`. Sources are at most [`MAX_SOURCE_BYTES`] long, so offsets fit 32 bits.
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        Span { file, start: range.start as u32, end: range.end as u32 }
    }

    /// The bytes, for slicing the file's text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that holds both; they must be of one file.
    pub fn to(self, other: Span) -> Span {
        debug_assert_eq!(self.file, other.file);
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same place where its file's own table was [appended](Sources::append) to another, from `first` on.
    pub(crate) fn from(self, first: FileId) -> Span {
        Span { file: FileId(first.0 + self.file.0), ..self }
    }

    /// The empty span where this one begins: where a repair inserts text.
    pub fn before(self) -> Span {
        Span { end: self.start, ..self }
    }

    /// The empty span where this one ends.
    pub fn after(self) -> Span {
        Span { start: self.end, ..self }
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// One source file: its name as the user wrote it, its text, and where its lines begin.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<usize>,
    /// The characters before each block of [`COUNTED_BLOCK`] bytes: a column costs the same on a line of a megabyte.
    characters_before: Vec<usize>,
}

/// How many bytes are counted at most to find a column.
const COUNTED_BLOCK: usize = 256;

/// The characters that begin in `bytes`.
fn count_characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count()
}

impl SourceFile {
    /// The name: a path as given, or `std.adaptive` for a part of the standard library.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the lines begin, in bytes; the first entry is 0.
    pub fn line_starts(&self) -> &[usize] {
        &self.line_starts
    }

    /// The line and column of a byte offset; past the end, the end's.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1];
        let column = self.characters_before(offset) - self.characters_before(start) + 1;
        Position { line, column }
    }

    /// The characters that begin before a byte offset.
    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / COUNTED_BLOCK;
        let rest = self.text.as_bytes().get(block * COUNTED_BLOCK..offset).unwrap_or(&[]);
        self.characters_before.get(block).copied().unwrap_or(0) + count_characters(rest)
    }
}

/// All files of a compile, in the order added. A clone shares the texts.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Sources {
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// No files yet.
    pub fn new() -> Self {
        Sources::default()
    }

    /// Adds a file under `name`.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        let line_starts = line_starts.collect();
        let mut counted = 0;
        let blocks = text.as_bytes().chunks(COUNTED_BLOCK).map(|block| {
            counted += count_characters(block);
            counted
        });
        let characters_before = std::iter::once(0).chain(blocks).collect();
        let id = FileId::of_next(self);
        let name = name.into();
        self.files.push(Arc::new(SourceFile { name, text, line_starts, characters_before }));
        id
    }

    /// Adds the files of another table after these; gives the id that its first now has.
    pub(crate) fn append(&mut self, others: &Sources) -> FileId {
        let first = FileId::of_next(self);
        self.files.extend(others.files.iter().cloned());
        first
    }

    /// The file of an id. An id of another `Sources` gives some other file, or the last.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index().min(self.files.len() - 1)]
    }

    /// The same, for those who go on adding files while they read it.
    pub(crate) fn share(&self, id: FileId) -> Arc<SourceFile> {
        Arc::clone(&self.files[id.index().min(self.files.len() - 1)])
    }

    /// All files.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (FileId, &SourceFile)> + Clone {
        self.files.iter().enumerate().map(|(index, file)| (FileId(index as u32), &**file))
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text().get(span.range()).unwrap_or("")
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        self.file(span.file).position(span.start as usize)
    }
}
