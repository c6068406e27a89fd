//! Writing reports down: for people, for programs, for code hosts.
//!
//! The three writers share one order ([`ordered`]): by file, then by place, errors and warnings together, identical
//! reports once. They know sources and reports and nothing of the language. [`human`] alone knows
//! codespan-reporting, and gives it an [excerpt] made harmless first, never the user's file.

mod edits;
mod excerpt;
mod human;
mod json;
mod sarif;
mod suggestion;
#[cfg(test)]
mod tests;
mod visible;

use std::cmp::Ordering;

pub use edits::{EditError, apply_edits};
pub use human::{HumanStyle, MAX_RENDERED, human};
pub use json::json;
pub use sarif::sarif;
pub use visible::one_line;

use super::{Diagnostic, Help, Label, Severity};
use crate::source::Span;

/// The reports as every writer gives them: by file, then by place, each once.
pub fn ordered(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut reports: Vec<&Diagnostic> = diagnostics.iter().collect();
    reports.sort_by(|a, b| compare(a, b));
    reports.dedup();
    reports
}

/// How many there are of each, in one line, such as ``2 errors and 1 warning in `admins.stepup` ``; nothing when
/// there are none. `name` is the policy's, as the user wrote it.
pub fn summary(diagnostics: &[Diagnostic], name: &str) -> Option<String> {
    let reports = ordered(diagnostics);
    let errors = reports.iter().filter(|report| report.severity == Severity::Error).count();
    let parts = [counted(errors, "error"), counted(reports.len() - errors, "warning")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{} in `{}`", parts.join(" and "), visible::one_line(name)))
}

/// `1 error`, `2 errors`; nothing for none.
fn counted(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    }
}

/// A total order in which only identical reports are equal, so that those stand side by side.
fn compare(a: &Diagnostic, b: &Diagnostic) -> Ordering {
    let place = a.primary.span.cmp(&b.primary.span);
    let kind = || b.severity.cmp(&a.severity).then(a.code.cmp(&b.code));
    let words = || a.message.cmp(&b.message).then_with(|| a.primary.text.cmp(&b.primary.text));
    let labels = || a.secondary.iter().map(label_key).cmp(b.secondary.iter().map(label_key));
    let notes = || a.notes.cmp(&b.notes);
    let helps = || a.helps.iter().map(help_key).cmp(b.helps.iter().map(help_key));
    place.then_with(kind).then_with(words).then_with(labels).then_with(notes).then_with(helps)
}

fn label_key(label: &Label) -> (Span, &str) {
    (label.span, &label.text)
}

fn help_key(help: &Help) -> (&str, Vec<(Span, &str)>) {
    (&help.message, help.edits.iter().map(|edit| (edit.span, edit.replacement.as_str())).collect())
}
