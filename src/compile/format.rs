//! A policy in its canonical form.

use super::Report;
use crate::source::Sources;
use crate::syntax::{parse, print};

/// What formatting gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Formatted {
    /// The text is in its canonical form already.
    Same,
    /// The canonical form.
    Changed(String),
}

/// Puts one file into its canonical form; comments stay. `name` is for reports.
///
/// # Errors
/// What the syntax has against it: a text that can't be read is not rewritten.
pub fn format_policy(name: &str, text: &[u8]) -> Result<Formatted, Report> {
    let mut sources = Sources::new();
    let (decoded, problem) = parse::decode(crate::source::FileId(0), text);
    let file = sources.add(name, decoded);
    let (tree, mut diagnostics) = parse::parse(file, sources.file(file).text());
    diagnostics.extend(problem);
    let text = sources.file(file).text();
    if diagnostics.is_empty() {
        let printed = print::print(text, &tree);
        return Ok(if printed == text { Formatted::Same } else { Formatted::Changed(printed) });
    }
    Err(Report::new(sources, diagnostics))
}
