//! Reports that say no more than that something could not be read.
//!
//! A text that could not be read was reported. It may have held the step that is then missing, the declaration of a
//! name that nothing else declares, or the use of one that nothing else uses: to report these too would be three
//! reports on one mistake.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{FileId, Sources};

/// The words that declare a name.
const DECLARING: [&str; 5] = ["fact", "let", "define", "rule", "factor"];

/// What was lost before checking began.
pub(super) struct Lost {
    anything: bool,
    /// The files with a `use` that found nothing.
    uses: Vec<FileId>,
    /// The first of the tenant's files, which stand last and may name what was lost in any of the others.
    tenant: Option<FileId>,
}

impl Lost {
    /// What the reports of reading and loading say that was lost.
    pub(super) fn of(reports: &[Diagnostic], tenant: Option<FileId>) -> Self {
        let uses = reports.iter().filter(|report| report.code == Code::E0204);
        Lost {
            anything: reports.iter().any(|report| report.severity == Severity::Error),
            uses: uses.map(|report| report.primary.span.file).collect(),
            tenant,
        }
    }

    /// Whether a report of the checker only repeats that.
    pub(super) fn explains(&self, report: &Diagnostic, sources: &Sources) -> bool {
        let span = report.primary.span;
        self.anything
            && match report.code {
                Code::E0207 | Code::W0604 => true,
                Code::E0201 | Code::E0401 if self.tenant.is_some_and(|first| first <= span.file) => true,
                Code::E0201 if self.uses.contains(&span.file) => true,
                Code::E0201 | Code::E0401 => is_declared(sources.text(span), sources.file(span.file).text()),
                _ => false,
            }
    }
}

/// Whether `text` seems to declare `name` somewhere.
fn is_declared(name: &str, text: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let word = before.trim_end_matches([' ', '\t']);
        let after = text.get(at + name.len()..).unwrap_or_default();
        let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        ends && word.len() < before.len() && DECLARING.iter().any(|keyword| word.ends_with(keyword))
    })
}
