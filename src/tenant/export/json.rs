//! JSON with the place of each value.
//!
//! The idea: `serde_json` checks a text and hands out its values as the raw pieces of it; where a piece stands in the
//! text is where its bytes lie in memory. A piece is opened when somebody asks for what is in it, so nothing recurses.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// A value, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    file: FileId,
    text: &'t str,
    raw: &'t RawValue,
}

/// The members of an object. Of a name that is written twice, the last counts, as in JavaScript.
pub(super) struct Members<'t> {
    pub(super) whole: Value<'t>,
    members: Vec<(String, Value<'t>)>,
}

impl<'t> Value<'t> {
    /// The value that is the whole text.
    pub(super) fn parse(file: FileId, text: &'t str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(|raw| Value { file, text, raw })
    }

    /// Its place.
    pub(super) fn span(self) -> Span {
        let piece = self.raw.get();
        let start = (piece.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        Span::new(self.file, start..start + piece.len())
    }

    /// What it is, with its article.
    pub(super) fn kind(self) -> &'static str {
        match self.raw.get().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a bool",
            Some(b'n') => "`null`",
            _ => "a number",
        }
    }

    fn opened<T: Deserialize<'t>>(self) -> Option<T> {
        serde_json::from_str(self.raw.get()).ok()
    }

    fn beside(self, raw: &'t RawValue) -> Self {
        Value { raw, ..self }
    }

    pub(super) fn bool(self) -> Option<bool> {
        self.opened()
    }

    pub(super) fn string(self) -> Option<String> {
        self.opened()
    }

    pub(super) fn elements(self) -> Option<Vec<Value<'t>>> {
        let raw: Vec<&'t RawValue> = self.opened()?;
        Some(raw.into_iter().map(|raw| self.beside(raw)).collect())
    }

    pub(super) fn members(self) -> Option<Members<'t>> {
        let Pairs(pairs) = self.opened()?;
        let members = pairs.into_iter().map(|(name, raw)| (name, self.beside(raw))).collect();
        Some(Members { whole: self, members })
    }
}

impl<'t> Members<'t> {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The value of a name; `null` is none.
    pub(super) fn get(&self, name: &str) -> Option<Value<'t>> {
        let (_, value) = self.members.iter().rfind(|(other, _)| other == name)?;
        (value.kind() != "`null`").then_some(*value)
    }
}

/// An object as it is written: in order, with what is written twice.
struct Pairs<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Pairs<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Gather;

        impl<'t> Visitor<'t> for Gather {
            type Value = Pairs<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Gather)
    }
}

/// The report of a text that is not JSON.
pub(super) fn not_json(file: FileId, text: &str, error: &serde_json::Error) -> Diagnostic {
    let line_start =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = text.floor_char_boundary(line_start + error.column().saturating_sub(1));
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let span = Span::new(file, at..at + length);
    let why = error.to_string();
    let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
    let report = Diagnostic::error(Code::E0110, span, "a file of an export is JSON, and this is not")
        .here(why.replacen("EOF", "the file ends", 1).replace("expected ident", "expected value"));
    if rest.starts_with("@@") {
        let note = "`@@…@@` marks a keyword that the Deploy CLI replaces when it imports";
        return report
            .note(note)
            .help("give an export without keywords: one without `AUTH0_PRESERVE_KEYWORDS`");
    }
    report
}
