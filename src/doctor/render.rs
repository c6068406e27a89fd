//! The lines for people, and as data.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Checkup, Line, Verdict};
use crate::diagnostic::render::one_line;
use crate::source::Span;

/// The longest piece of code that a line quotes, in characters.
const LONGEST: usize = 60;

/// A text on one line, cut short.
pub(super) fn shortened(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() <= LONGEST {
        return line.to_string();
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl Verdict {
    /// The word that a line begins with.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warning { .. } => "warn",
            Verdict::Fail { .. } => "fail",
            Verdict::NotInTheExport => "open",
        }
    }

    /// What to do.
    pub fn repair(&self) -> Option<&str> {
        match self {
            Verdict::Warning { advice: text } | Verdict::Fail { repair: text } => Some(text),
            Verdict::Pass | Verdict::NotInTheExport => None,
        }
    }
}

impl Checkup {
    /// Where a line's finding stands in the export: the file and the line.
    fn place(&self, span: Span) -> (&str, usize) {
        (self.texts.file(span.file).name(), self.texts.position(span).line)
    }

    /// A line for people, after its mark.
    pub fn sentence(&self, line: &Line) -> String {
        let mut text = one_line(&line.finding).to_string();
        match (&line.verdict, line.place) {
            (Verdict::NotInTheExport, _) => text.push_str(": not in the export"),
            (Verdict::Fail { .. } | Verdict::Warning { .. }, Some(span)) => {
                let (file, number) = self.place(span);
                text.push_str(&format!(" ({}:{number})", one_line(file)));
            }
            _ => {}
        }
        if let Some(repair) = line.verdict.repair() {
            text.push_str(&format!("\n      {}", one_line(repair)));
        }
        text
    }

    /// How many lines of each verdict, in one sentence.
    pub fn summary(&self) -> String {
        let count = |word: &str| self.lines.iter().filter(|line| line.verdict.word() == word).count();
        let mut parts = vec![format!("{} pass", count("pass"))];
        let others = [("fail", "fail"), ("warn", "to look at"), ("open", "not in the export")];
        parts.extend(others.into_iter().filter_map(|(word, said)| match count(word) {
            0 => None,
            number => Some(format!("{number} {said}")),
        }));
        parts.join(", ")
    }
}

/// As people read it, without colours.
impl fmt::Display for Checkup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{}  {}", line.verdict.word(), self.sentence(line))?;
        }
        writeln!(f, "{}", self.summary())
    }
}

impl Serialize for Checkup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lines: Vec<Placed<'_>> = self.lines.iter().map(|line| Placed { line, checkup: self }).collect();
        let mut data = serializer.serialize_struct("Checkup", 2)?;
        data.serialize_field("healthy", &self.is_healthy())?;
        data.serialize_field("lines", &lines)?;
        data.end()
    }
}

/// A line with its place.
struct Placed<'c> {
    line: &'c Line,
    checkup: &'c Checkup,
}

impl Serialize for Placed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Line { check, about, verdict, finding, place } = self.line;
        let place = place.map(|span| self.checkup.place(span));
        let mut data = serializer.serialize_struct("Line", 7)?;
        data.serialize_field("verdict", verdict.word())?;
        data.serialize_field("check", check)?;
        data.serialize_field("about", about)?;
        data.serialize_field("finding", finding)?;
        data.serialize_field("repair", &verdict.repair())?;
        data.serialize_field("file", &place.map(|(file, _)| file))?;
        data.serialize_field("line", &place.map(|(_, line)| line))?;
        data.end()
    }
}
