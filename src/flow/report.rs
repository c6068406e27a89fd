//! Reports on what was found.
use super::Analysis;
use crate::check::policy::TypedPolicy;
use crate::diagnostic::Diagnostic;
use crate::source::Sources;

/// Reports.
pub fn diagnose(_analysis: &Analysis, _policy: &TypedPolicy, _sources: &Sources) -> Vec<Diagnostic> {
    Vec::new()
}
