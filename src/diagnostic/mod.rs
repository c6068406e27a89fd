//! Reports: codes, severities, labels and repairs, as plain data; and three ways to write them down.
//!
//! A stage that finds something wrong builds a [`Diagnostic`] and goes on. Messages are one lower-case sentence
//! without a full stop, with the user's text in backticks, in the policy's words. Rendering is in [`render`], the
//! only place that knows codespan-reporting.

mod codes;
pub mod render;

use serde::Serialize;

pub use codes::{ALL_CODES, Code};

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look; the policy compiles.
    Warning,
    /// The policy doesn't compile.
    Error,
}

/// One report.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// What kind it is; each code has a page.
    pub code: Code,
    /// How bad it is; a warning can be raised.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The exact text at fault, and what is to be said right there (may be empty).
    pub primary: Label,
    /// Other places that say why.
    pub secondary: Vec<Label>,
    /// What a reader should know besides; may hold several lines.
    pub notes: Vec<String>,
    /// How to mend it.
    pub helps: Vec<Help>,
}

/// A place and a remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The text.
    pub span: Span,
    /// The remark.
    pub text: String,
}

/// A way to mend it: a sentence, and the edits that carry it out where the tool knows them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Help {
    /// What to do, in one sentence.
    pub message: String,
    /// Edits, not overlapping, all to be made together; empty when it is advice alone.
    pub edits: Vec<Edit>,
}

/// A replacement of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What goes; empty to insert.
    pub span: Span,
    /// What comes.
    pub replacement: String,
}

impl Diagnostic {
    /// An error: the policy doesn't compile, or one of its tests fails.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// A warning: the policy compiles.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// Says something right at the text at fault.
    pub fn here(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Points at another place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a note.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds advice without an edit.
    pub fn help(mut self, message: impl Into<String>) -> Self {
        self.helps.push(Help { message: message.into(), edits: Vec::new() });
        self
    }

    /// Adds a repair of one edit.
    pub fn fix(mut self, message: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        let edits = vec![Edit { span, replacement: replacement.into() }];
        self.helps.push(Help { message: message.into(), edits });
        self
    }

    /// Adds a repair of several edits.
    pub fn fix_all(mut self, message: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.helps.push(Help { message: message.into(), edits });
        self
    }
}

/// Of `candidates`, the one that a misspelt `name` most likely means: the nearest by optimal string alignment,
/// if it is near enough (a third of the letters, at least one) or differs only in case or in `-`, `_` and `.`.
/// Where both begin with the same words, `user.` say, only the letters after these count.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '-' | '_' | '.')).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let bound = |candidate: &str| {
        let words = name.split_inclusive('.').zip(candidate.split_inclusive('.'));
        let common: usize = words.take_while(|(a, b)| a == b).map(|(word, _)| word.len()).sum();
        let letters = name.get(common..).unwrap_or_default().chars().count();
        (letters / 3).max(1)
    };
    let letters = name.chars().count();
    let distance = |candidate: &str| {
        if plain(candidate) == wanted {
            return Some(0);
        }
        // Names whose lengths differ by more can't be near; this spares most of the work in a long list.
        let bound = bound(candidate);
        let near = candidate.chars().count().abs_diff(letters) <= bound;
        near.then(|| strsim::osa_distance(name, candidate)).filter(|spelling| *spelling <= bound)
    };
    let others = candidates.into_iter().filter(|candidate| *candidate != name && !candidate.is_empty());
    others
        .filter_map(|candidate| Some((distance(candidate)?, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}
