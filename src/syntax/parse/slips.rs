//! Slips that people make, each with its own report.

use super::Builder;
use super::explain::{Failure, Gap};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Builder<'_> {
    /// The report of a slip that is known, if this is one.
    pub(super) fn known_slip(&self, _bad: Span, _failure: &Failure, _gap: Gap) -> Option<Diagnostic> {
        None
    }
}
