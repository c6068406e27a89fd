//! An explanation, written down: as JSON for a log line, and as lines for people.

use std::fmt;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use unicode_width::UnicodeWidthStr;

use super::{Asked, Explanation, Reason};
use crate::diagnostic::render::one_line;
use crate::play::Seen;
use crate::source::{Sources, Span};

/// The longest piece of a policy that is shown, in characters.
const MAX_EXCERPT: usize = 64;

/// `file:line`
pub fn place(sources: &Sources, span: Span) -> String {
    format!("{}:{}", sources.file(span.file).name(), sources.position(span).line)
}

/// The policy's text under a span as one line, fit to show; a long one is cut.
pub fn excerpt(sources: &Sources, span: Span) -> String {
    let text = sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", one_line(text.get(..end).unwrap_or_default())),
        None => one_line(&text),
    }
}

impl Serialize for Explanation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let asked = self.met.iter().filter_map(|reason| match reason {
            Reason::Asked(asked) => Some(WrittenAsked::new("at", asked, self.sources)),
            Reason::Ran(_) => None,
        });
        let ran = self.met.iter().filter_map(|reason| match reason {
            Reason::Ran(span) => Some(place(self.sources, *span)),
            Reason::Asked(_) => None,
        });
        let mut written = serializer.serialize_struct("Explanation", 4)?;
        written.serialize_field("facts", &Facts(&self.facts))?;
        written.serialize_field("asked", &asked.collect::<Vec<_>>())?;
        written.serialize_field("ran", &ran.collect::<Vec<_>>())?;
        let not = self.not_given.iter().map(|not| WrittenNot {
            at: place(self.sources, not.command),
            by: match &not.by {
                Reason::Asked(asked) => WrittenAsked::new("by", asked, self.sources),
                Reason::Ran(span) => WrittenAsked { key: "by", at: place(self.sources, *span), asked: None },
            },
        });
        written.serialize_field("not", &not.collect::<Vec<_>>())?;
        written.end()
    }
}

/// Names with values.
struct Facts<'a>(&'a [Seen]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|seen| (&seen.name, &seen.value)))
    }
}

/// A place, and the answer of the condition that stands there.
struct WrittenAsked<'a> {
    key: &'static str,
    at: String,
    asked: Option<&'a Asked>,
}

impl<'a> WrittenAsked<'a> {
    fn new(key: &'static str, asked: &'a Asked, sources: &Sources) -> Self {
        WrittenAsked { key, at: place(sources, asked.span), asked: Some(asked) }
    }
}

impl Serialize for WrittenAsked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_map(None)?;
        written.serialize_entry(self.key, &self.at)?;
        if let Some(asked) = self.asked {
            written.serialize_entry("is", &asked.holds)?;
            if !asked.of.is_empty() {
                written.serialize_entry("of", &asked.of)?;
            }
        }
        written.end()
    }
}

/// A command that did not run.
#[derive(Serialize)]
struct WrittenNot<'a> {
    at: String,
    #[serde(flatten)]
    by: WrittenAsked<'a>,
}

/// A line of the table for people.
struct Line {
    place: String,
    text: String,
    told: String,
}

impl Explanation<'_> {
    fn line(&self, reason: &Reason) -> Line {
        let (span, told) = match reason {
            Reason::Ran(span) => (*span, "runs".to_owned()),
            Reason::Asked(asked) => {
                let values = self.facts.iter().filter(|seen| asked.of.contains(&seen.name));
                let values: Vec<String> = values.map(|seen| one_line(&seen.words)).collect();
                (asked.span, format!("{:<5}  {}", asked.holds, values.join(", ")))
            }
        };
        Line {
            place: one_line(&place(self.sources, span)),
            text: excerpt(self.sources, span),
            told: told.trim_end().to_owned(),
        }
    }

    fn not_given_lines(&self) -> impl Iterator<Item = Line> + '_ {
        self.not_given.iter().map(|not| {
            let told = match &not.by {
                Reason::Asked(asked) => {
                    let (at, text) = (place(self.sources, asked.span), excerpt(self.sources, asked.span));
                    format!("{}: `{text}` is {}", one_line(&at), asked.holds)
                }
                Reason::Ran(span) => {
                    let (at, text) = (place(self.sources, *span), excerpt(self.sources, *span));
                    format!("{}: `{text}` ends the step", one_line(&at))
                }
            };
            Line {
                place: one_line(&place(self.sources, not.command)),
                text: excerpt(self.sources, not.command),
                told,
            }
        })
    }
}

/// For people: the conditions and statements in order, then the commands that did not run. Every text is fit for a
/// terminal.
impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let met: Vec<Line> = self.met.iter().map(|reason| self.line(reason)).collect();
        let not: Vec<Line> = self.not_given_lines().collect();
        let all = || met.iter().chain(&not);
        let places = all().map(|line| line.place.width()).max().unwrap_or(0);
        let texts = all().map(|line| line.text.width()).max().unwrap_or(0);
        for (title, lines) in [("why", &met), ("not asked for", &not)] {
            if lines.is_empty() {
                continue;
            }
            writeln!(f, "{title}")?;
            for Line { place, text, told } in lines {
                let after_place = places.saturating_sub(place.width());
                let after_text = texts.saturating_sub(text.width());
                writeln!(f, "  {place}{:after_place$}  {text}{:after_text$}  {told}", "", "")?;
            }
        }
        Ok(())
    }
}
