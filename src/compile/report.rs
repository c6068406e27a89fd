//! What a compile has to say.

use std::fmt;

use crate::diagnostic::render::{self, HumanStyle};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Errors and warnings about a flow, with the texts that they point into.
#[derive(Clone, Debug)]
pub struct Report {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

/// How a report is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Human(HumanStyle),
    /// For programs: one JSON document, whose edits can be applied.
    Json,
    /// For code hosts: SARIF 2.1.0.
    Sarif,
}

impl Report {
    pub(crate) fn new(sources: Sources, diagnostics: Vec<Diagnostic>) -> Self {
        Report { sources, diagnostics }
    }

    /// These reports, which point into these texts.
    pub fn of(sources: &Sources, diagnostics: Vec<Diagnostic>) -> Self {
        Report::new(sources.clone(), diagnostics)
    }

    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether something is said of exactly this text already.
    pub(crate) fn has_at(&self, span: Span) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.primary.span == span)
    }

    /// The texts.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What there is to say, in the order in which it is written: by file and place.
    pub fn diagnostics(&self) -> Vec<&Diagnostic> {
        render::ordered(&self.diagnostics)
    }

    /// Whether nothing is to be said.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Whether the flow doesn't compile.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Writes it down.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Human(style) => render::human(&self.sources, &self.diagnostics, style),
            Format::Json => render::json(&self.sources, &self.diagnostics),
            Format::Sarif => render::sarif(&self.sources, &self.diagnostics),
        }
    }

    /// How many errors and warnings, in one line; `None` without any.
    pub fn summary(&self, name: &str) -> Option<String> {
        render::summary(&self.diagnostics, name)
    }
}

/// As people read it, without colours.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Format::Human(HumanStyle::Plain)))
    }
}

impl std::error::Error for Report {}
