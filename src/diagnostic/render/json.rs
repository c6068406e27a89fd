//! Reports for programs: one JSON object a report, one report a line, in the order of [`ordered`].
//!
//! ```json
//! {"code":"E0401","severity":"error","message":"…","primary":{LABEL},"secondary":[LABEL],"notes":["…"],
//!  "helps":[{"message":"…","edits":[{"file":"…","start":10,"end":13,"replacement":"otp"}]}]}
//! ```
//! A `LABEL` is `{"file","start","end","start_line","start_column","end_line","end_column","text"}`: `start` and `end` are byte
//! offsets into the file, lines and columns count from 1, columns count characters, ends are exclusive. All edits
//! of a help are made together: they are byte ranges of the text as it is, don't overlap, and insertions at one
//! place keep their order.

use serde::Serialize;

use super::ordered;
use crate::diagnostic::{Code, Diagnostic, Edit, Help, Label, Severity};
use crate::source::Sources;

#[derive(Serialize)]
struct Report<'a> {
    code: Code,
    severity: Severity,
    message: &'a str,
    primary: Place<'a>,
    secondary: Vec<Place<'a>>,
    notes: &'a [String],
    helps: Vec<Repair<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
}

#[derive(Serialize)]
struct Repair<'a> {
    message: &'a str,
    edits: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
struct Replacement<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    replacement: &'a str,
}

/// The reports as JSON lines: one object a line, nothing when there are none.
pub fn json(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for report in ordered(diagnostics) {
        let line = serde_json::to_string(&Report::new(sources, report));
        out.push_str(&line.expect("a report has no map whose keys are not text"));
        out.push('\n');
    }
    out
}

impl<'a> Report<'a> {
    fn new(sources: &'a Sources, report: &'a Diagnostic) -> Self {
        Report {
            code: report.code,
            severity: report.severity,
            message: &report.message,
            primary: Place::new(sources, &report.primary),
            secondary: report.secondary.iter().map(|label| Place::new(sources, label)).collect(),
            notes: &report.notes,
            helps: report.helps.iter().map(|help| Repair::new(sources, help)).collect(),
        }
    }
}

impl<'a> Place<'a> {
    fn new(sources: &'a Sources, label: &'a Label) -> Self {
        let file = sources.file(label.span.file);
        let start = file.position(label.span.start as usize);
        let end = file.position(label.span.end as usize);
        Place {
            file: file.name(),
            start: label.span.start,
            end: label.span.end,
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
            text: &label.text,
        }
    }
}

impl<'a> Repair<'a> {
    fn new(sources: &'a Sources, help: &'a Help) -> Self {
        let replacement = |edit: &'a Edit| Replacement {
            file: sources.file(edit.span.file).name(),
            start: edit.span.start,
            end: edit.span.end,
            replacement: &edit.replacement,
        };
        Repair { message: &help.message, edits: help.edits.iter().map(replacement).collect() }
    }
}
