//! The walk driven by JSON text: one pass over its bytes, which parses what the policy reads and jumps over the rest.
//!
//! An object or array that no path leads to is passed at the speed at which its brackets are counted, a string at
//! that at which its quote is found ([`scan`]). No value is made of either. So less is asked of what is not read:
//!
//! - The whole text is UTF-8, and nothing follows the event.
//! - What the policy reads, and each object and array on the way to it, is JSON to the last byte.
//! - Of all else, a string ends at its first quote that is not escaped; an object or array where as many brackets
//!   have closed as have opened outside of strings; another value is a word of letters, digits, `+`, `-` and `.`.
//!   A key that is not read may hold any bytes, but no wrong escapes.
//!
//! A text that is JSON means what it means to every reader.

mod block;
mod scan;
mod text;

use crate::lower::paths::PathId;
use crate::runtime::read::scalar::Scalar;
use crate::runtime::read::walk::Walk;
use crate::runtime::read::{ReadError, ReadErrorKind};
use scan::{Scanner, StringEnd};

/// How deep objects and arrays may nest on the way to what is read; what is passed over may nest as it likes.
const MAX_DEPTH: u32 = 127;

/// Reads one text.
pub(super) struct Reader<'t, 'w, 'f> {
    text: &'t str,
    /// The next byte.
    at: usize,
    scanner: Scanner<'t>,
    walk: &'w mut Walk<'f>,
    /// For strings with escapes; it keeps its buffer.
    unescaped: &'w mut String,
    /// How many more objects and arrays may open.
    depth: u32,
}

type Read<T = ()> = Result<T, ReadError>;

/// What follows a value of an object or array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Another,
    End,
}

impl<'t, 'w, 'f> Reader<'t, 'w, 'f> {
    pub(super) fn new(text: &'t str, walk: &'w mut Walk<'f>, unescaped: &'w mut String) -> Self {
        let scanner = Scanner::new(text.as_bytes());
        Reader { text, at: 0, scanner, walk, unescaped, depth: MAX_DEPTH }
    }

    /// Reads the value of a node, and that nothing follows it.
    pub(super) fn event(mut self, node: PathId) -> Read {
        self.value(node)?;
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.wrong("trailing characters")),
        }
    }

    /// Reads a value. This recurses, as deep as [`MAX_DEPTH`].
    fn value(&mut self, node: PathId) -> Read {
        match self.next() {
            Some(b'"') => self.text_value(node),
            Some(b'{') => self.nested(|reader| reader.object(node)),
            Some(b'[') => self.nested(|reader| reader.array(node)),
            Some(b'-' | b'0'..=b'9') => self.number(node),
            Some(b't') => self.word("true").and_then(|()| self.walk.scalar(node, Scalar::Bool(true))),
            Some(b'f') => self.word("false").and_then(|()| self.walk.scalar(node, Scalar::Bool(false))),
            Some(b'n') => self.word("null"),
            _ => Err(self.wrong("expected a value")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read) -> Read {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.wrong("recursion limit exceeded"))?;
        read(self)?;
        self.depth += 1;
        Ok(())
    }

    fn object(&mut self, node: PathId) -> Read {
        self.walk.object(node)?;
        if !self.walk.layout.paths.node(node).has_keys() {
            self.pass_container()?;
            return self.walk.object_end(node);
        }
        self.at += 1;
        if self.next() == Some(b'}') {
            self.at += 1;
            return self.walk.object_end(node);
        }
        loop {
            self.member(node)?;
            if self.after_value(b'}', "expected `,` or `}`")? == Follows::End {
                return self.walk.object_end(node);
            }
        }
    }

    /// A key and its value.
    fn member(&mut self, node: PathId) -> Read {
        let part = self.key(node)?;
        if self.next() != Some(b':') {
            return Err(self.wrong("expected `:`"));
        }
        self.at += 1;
        match part {
            Some(part) => self.value(part),
            None => self.pass_value(),
        }
    }

    /// A key, and where its value is read.
    fn key(&mut self, node: PathId) -> Read<Option<PathId>> {
        if self.next() != Some(b'"') {
            return Err(self.wrong("expected a key"));
        }
        let paths = &self.walk.layout.paths;
        let (begin, end) = self.string()?;
        let part = if end.has_escapes {
            self.unescape(begin, end)?;
            paths.node(node).key(self.unescaped)
        } else {
            let key = self.plain(begin, end);
            let part = paths.node(node).key(key);
            part.map_or(Ok(()), |_| self.no_controls(begin, key))?;
            part
        };
        part.map_or(Ok(()), |part| self.walk.key(part))?;
        Ok(part)
    }

    fn array(&mut self, node: PathId) -> Read {
        let Some(element) = self.walk.array(node)? else { return self.pass_container() };
        self.at += 1;
        if self.next() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(element)?;
            if self.after_value(b']', "expected `,` or `]`")? == Follows::End {
                return Ok(());
            }
        }
    }

    /// Passes a comma or the end.
    fn after_value(&mut self, end: u8, wanted: &'static str) -> Read<Follows> {
        let follows = match self.next() {
            Some(b',') => Follows::Another,
            Some(byte) if byte == end => Follows::End,
            _ => return Err(self.wrong(wanted)),
        };
        self.at += 1;
        Ok(follows)
    }

    fn text_value(&mut self, node: PathId) -> Read {
        let (begin, end) = self.string()?;
        if end.has_escapes {
            self.unescape(begin, end)?;
            return self.walk.scalar(node, Scalar::Text(self.unescaped));
        }
        let text = self.plain(begin, end);
        self.no_controls(begin, text)?;
        self.walk.scalar(node, Scalar::Text(text))
    }

    /// Passes a string: where its text begins, and where it ends.
    fn string(&mut self) -> Read<(usize, StringEnd)> {
        let begin = self.at;
        let end = self.scanner.string_end(begin).ok_or_else(|| self.unfinished("a string"))?;
        self.at = end.quote + 1;
        Ok((begin + 1, end))
    }

    /// The text of a string without escapes.
    fn plain(&self, begin: usize, end: StringEnd) -> &'t str {
        self.text.get(begin..end.quote).unwrap_or_default()
    }

    /// Unescapes a string into the buffer.
    fn unescape(&mut self, begin: usize, end: StringEnd) -> Read {
        let text = self.plain(begin, end);
        text::unescape(text, self.unescaped).map_err(|flaw| self.wrong_at(begin + flaw.at, flaw.what))
    }

    fn no_controls(&self, begin: usize, text: &str) -> Read {
        match text::control(text) {
            None => Ok(()),
            Some(at) => Err(self.wrong_at(begin + at, text::CONTROL)),
        }
    }

    fn number(&mut self, node: PathId) -> Read {
        let begin = self.at;
        let token = self.token();
        let number = text::number(token).ok_or_else(|| self.wrong_at(begin, "invalid number"))?;
        self.walk.scalar(node, number)
    }

    /// Passes exactly this word.
    fn word(&mut self, word: &str) -> Read {
        let begin = self.at;
        if self.token() == word { Ok(()) } else { Err(self.wrong_at(begin, "expected a value")) }
    }

    /// Passes a value that nothing reads.
    fn pass_value(&mut self) -> Read {
        match self.next() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{' | b'[') => self.pass_container(),
            _ if self.token().is_empty() => Err(self.wrong("expected a value")),
            _ => Ok(()),
        }
    }

    fn pass_container(&mut self) -> Read {
        let end = self.scanner.container_end(self.at);
        self.at = end.ok_or_else(|| self.unfinished("an object or array"))? + 1;
        Ok(())
    }

    /// Passes letters, digits and the signs of numbers.
    fn token(&mut self) -> &'t str {
        let begin = self.at;
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.') = self.byte() {
            self.at += 1;
        }
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// The next byte that is no white space; the reader stands on it.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                byte => return byte,
            }
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[cold]
    fn wrong(&self, what: &str) -> ReadError {
        match self.byte() {
            Some(_) => self.wrong_at(self.at, what),
            None => self.unfinished("the event"),
        }
    }

    #[cold]
    fn unfinished(&self, what: &str) -> ReadError {
        self.wrong_at(self.text.len(), &format!("the text ends within {what}"))
    }

    #[cold]
    fn wrong_at(&self, at: usize, what: &str) -> ReadError {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        ReadError {
            kind: ReadErrorKind::Malformed,
            ..ReadError::malformed(format_args!("{what} at line {line} column {column}"))
        }
    }
}
