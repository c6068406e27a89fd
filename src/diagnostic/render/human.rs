//! Reports for people: the source with the place marked, why, and the repaired text.

use codespan_reporting::diagnostic::{Diagnostic as Drawing, Label as Mark, Severity as Colour};
use codespan_reporting::term::{self, Config, termcolor::Buffer};

use super::excerpt::{Excerpts, LINES_AFTER_START, LINES_BEFORE_END};
use super::{ordered, suggestion, visible};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{FileId, Sources};

/// The most reports that are written out; of the others, only the number is told.
pub const MAX_RENDERED: usize = 100;
/// The most places that one report points at.
const MAX_LABELS: usize = 24;
/// The most notes, and the most helps, of one report.
const MAX_REMARKS: usize = 24;

/// How a report is set off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HumanStyle {
    /// Text alone.
    Plain,
    /// With ANSI colours, for a terminal.
    Ansi,
}

impl HumanStyle {
    /// A buffer that takes colours or drops them.
    pub(super) fn buffer(self) -> Buffer {
        match self {
            HumanStyle::Plain => Buffer::no_color(),
            HumanStyle::Ansi => Buffer::ansi(),
        }
    }
}

/// The reports for a reader, each followed by an empty line, in the order of [`ordered`]. Beyond [`MAX_RENDERED`],
/// errors come before warnings, and the last line says how many are not shown.
pub fn human(sources: &Sources, diagnostics: &[Diagnostic], style: HumanStyle) -> String {
    let reports = ordered(diagnostics);
    let errors = reports.iter().filter(|report| report.severity == Severity::Error).count();
    let mut errors_left = errors.min(MAX_RENDERED);
    let mut warnings_left = MAX_RENDERED - errors_left;
    let mut out = String::new();
    for report in &reports {
        let left = match report.severity {
            Severity::Error => &mut errors_left,
            Severity::Warning => &mut warnings_left,
        };
        if *left > 0 {
            *left -= 1;
            out.push_str(&draw(sources, report, style));
        }
    }
    if reports.len() > MAX_RENDERED {
        out.push_str(&format!("and {} more\n", reports.len() - MAX_RENDERED));
    }
    out
}

/// One report.
fn draw(sources: &Sources, report: &Diagnostic, style: HumanStyle) -> String {
    let labels: Vec<&Label> =
        std::iter::once(&report.primary).chain(&report.secondary).take(MAX_LABELS).collect();
    let excerpts = Excerpts::new(sources, &labels);
    let drawing = Drawing::new(match report.severity {
        Severity::Error => Colour::Error,
        Severity::Warning => Colour::Warning,
    })
    .with_code(report.code)
    .with_message(visible::one_line(&report.message))
    .with_labels(marks(&excerpts, &labels))
    .with_notes(remarks(sources, report, style));
    let config = Config {
        start_context_lines: LINES_AFTER_START,
        end_context_lines: LINES_BEFORE_END,
        ..Config::default()
    };
    let mut buffer = style.buffer();
    match term::emit_to_write_style(&mut buffer, &config, &excerpts, &drawing) {
        Ok(()) => without_trailing_space(&String::from_utf8_lossy(buffer.as_slice())),
        // A buffer takes everything and an excerpt holds every label, so this is not reached; the words suffice.
        Err(_) => format!("{}: {}\n\n", report.code, visible::one_line(&report.message)),
    }
}

/// codespan fills some lines with spaces up to their labels.
fn without_trailing_space(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The labels in codespan's form; the first is the primary one.
fn marks(excerpts: &Excerpts<'_>, labels: &[&Label]) -> Vec<Mark<FileId>> {
    let mark = |(index, label): (usize, &&Label)| {
        let place = excerpts.place(label.span);
        let mark = match index {
            0 => Mark::primary(label.span.file, place),
            _ => Mark::secondary(label.span.file, place),
        };
        mark.with_message(visible::one_line(&label.text))
    };
    labels.iter().enumerate().map(mark).collect()
}

/// Notes, then helps with their repaired lines.
fn remarks(sources: &Sources, report: &Diagnostic, style: HumanStyle) -> Vec<String> {
    let notes = report.notes.iter().take(MAX_REMARKS).map(|note| hanging("note: ", &visible::lines(note)));
    let helps = report.helps.iter().take(MAX_REMARKS).map(|help| {
        let mut text = hanging("help: ", &visible::lines(&help.message));
        suggestion::write(&mut text, sources, &help.edits, report.primary.span.file, style);
        text
    });
    notes.chain(helps).collect()
}

/// `text` after `lead`, its further lines below its first.
fn hanging(lead: &str, text: &str) -> String {
    let indent = format!("\n{}", " ".repeat(lead.len()));
    format!("{lead}{}", text.replace('\n', &indent))
}
