//! The comments of a text. They are not in the tree; the printer takes each from here as it comes to its place.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::source::Span;

/// A `//` comment.
#[derive(Clone, Debug)]
pub(super) struct Comment {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// `//` and what follows, without white space at the end.
    pub(super) text: String,
}

/// The comments not printed yet, by where they begin.
pub(super) struct Comments<'a> {
    source: &'a str,
    /// Where all comments and doc lines stand, in order.
    all: Vec<Range<usize>>,
    left: BTreeMap<usize, Comment>,
}

impl<'a> Comments<'a> {
    /// All comments of a text but its doc lines.
    pub(super) fn new(source: &'a str, docs: impl Iterator<Item = Span>) -> Self {
        let mut left = scan(source);
        let all = left.values().map(|comment| comment.range.clone()).collect();
        for doc in docs {
            let range = doc.range();
            let line = left.range(..=range.start).next_back().filter(|(_, c)| range.start <= c.range.end);
            if let Some(start) = line.map(|(start, _)| *start) {
                left.remove(&start);
            }
        }
        Comments { source, all, left }
    }

    /// Takes the comments that begin in `range`.
    pub(super) fn take(&mut self, range: Range<usize>) -> Vec<Comment> {
        if range.is_empty() {
            return Vec::new();
        }
        let starts: Vec<usize> = self.left.range(range).map(|(start, _)| *start).collect();
        starts.iter().filter_map(|start| self.left.remove(start)).collect()
    }

    /// Takes the comment that ends the line on which something ends at `end`; a comma may stand between.
    pub(super) fn take_trailing(&mut self, end: usize) -> Option<Comment> {
        let (start, _) = self.left.range(end..).next()?;
        let start = *start;
        let between = self.source.get(end..start)?;
        let trails = between.chars().all(|c| matches!(c, ' ' | '\t' | ','));
        if trails { self.left.remove(&start) } else { None }
    }

    /// Where the first `{` at or after `from` ends: comments on its line belong to it.
    pub(super) fn after_brace(&self, from: usize) -> usize {
        let mut from = from;
        let next = self.all.partition_point(|comment| comment.start < from);
        for comment in self.all.iter().skip(next) {
            match self.source.get(from..comment.start).and_then(|text| text.find('{')) {
                Some(found) => return from + found + 1,
                None => from = comment.end,
            }
        }
        let rest = self.source.get(from..).unwrap_or("");
        rest.find('{').map_or(self.source.len(), |found| from + found + 1)
    }

    /// Whether an empty line stands between two places.
    pub(super) fn blank_between(&self, end: usize, start: usize) -> bool {
        let between = self.source.get(end..start).unwrap_or("");
        between.bytes().filter(|byte| *byte == b'\n').nth(1).is_some()
    }
}

/// Finds the comments of a text: `//` outside strings, to the end of the line.
fn scan(source: &str) -> BTreeMap<usize, Comment> {
    let mut comments = BTreeMap::new();
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at + 1),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let line = source.get(at..).and_then(|rest| rest.lines().next()).unwrap_or("");
                let text = line.trim_end().to_owned();
                comments.insert(at, Comment { range: at..at + text.len(), text });
                at += line.len().max(2);
            }
            _ => at += 1,
        }
    }
    comments
}

/// Where a string ends that begins before `at`; one without an end ends with its line.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    at
}
