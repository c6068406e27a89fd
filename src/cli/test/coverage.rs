//! Coverage for people and for tools: a summary, the source with marks, an lcov tracefile.

use std::collections::BTreeMap;
use std::fmt::Write;

use unicode_width::UnicodeWidthStr as _;

use crate::cli::output::Paint;
use stepup::diagnostic::render::one_line;
use stepup::source::{FileId, Span};
use stepup::testing::coverage::{Coverage, Share};
use stepup::{Compiled, HumanStyle};

/// One line.
pub(super) fn summary(coverage: &Coverage) -> String {
    let total = coverage.total();
    let share = |Share { met, of }: Share| format!("{met} of {of}");
    format!(
        "coverage {} %: {} statements ran, {} outcomes of conditions were met\n",
        total.percent(),
        share(total.statements),
        share(total.outcomes)
    )
}

/// The source of each file with how often each statement ran, and what was never met under its line.
pub(super) fn marked(compiled: &Compiled, coverage: &Coverage, style: HumanStyle) -> String {
    let mut text = String::new();
    for file in coverage.files() {
        let source = compiled.report.sources().file(file);
        let _ = writeln!(text, "{}: {} %", source.name(), coverage.of(file).percent());
        let hits = hits_by_line(compiled, coverage, file);
        let gaps = gaps_by_line(compiled, coverage, file);
        for (index, line) in source.text().lines().enumerate() {
            let number = index + 1;
            let count = match hits.get(&number) {
                Some(0) => style.bad("     0×"),
                Some(hits) => style.good(&format!("{hits:>6}×")),
                None => " ".repeat(7),
            };
            let _ = writeln!(text, "{count} {number:>4} │ {}", one_line(line));
            for gap in gaps.get(&number).into_iter().flatten() {
                let _ = writeln!(text, "{}│ {}", " ".repeat(13), style.bad(&gap.mark(compiled)));
            }
        }
    }
    text
}

/// How often the statements that begin on each line ran: the one that ran most. A part of it that never ran is a gap.
fn hits_by_line(compiled: &Compiled, coverage: &Coverage, file: FileId) -> BTreeMap<usize, usize> {
    let mut lines: BTreeMap<usize, usize> = BTreeMap::new();
    for (span, hits) in coverage.statements.iter().filter(|(span, _)| span.file == file) {
        let most = lines.entry(compiled.report.sources().position(*span).line).or_insert(*hits);
        *most = (*most).max(*hits);
    }
    lines
}

/// Something that was never met.
struct Gap {
    span: Span,
    remark: &'static str,
}

impl Gap {
    /// The marks that stand under its line, as wide as the text is shown.
    fn mark(&self, compiled: &Compiled) -> String {
        let sources = compiled.report.sources();
        let source = sources.file(self.span.file).text();
        let start = self.span.range().start;
        let line = source.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let shown = |text: Option<&str>| one_line(text.unwrap_or_default()).width();
        let first_line = sources.text(self.span).lines().next().map(str::trim_end);
        let (column, width) = (shown(source.get(line..start)), shown(first_line));
        format!("{}{} {}", " ".repeat(column), "^".repeat(width.max(1)), self.remark)
    }
}

/// What was never met, by the line it begins on. What stands inside a statement that never runs goes without saying.
fn gaps_by_line(compiled: &Compiled, coverage: &Coverage, file: FileId) -> BTreeMap<usize, Vec<Gap>> {
    let statements = coverage.statements.iter().filter(|(_, hits)| **hits == 0);
    let statements = statements.map(|(span, _)| (*span, "never runs", span.end));
    let conditions = coverage.conditions.iter().filter_map(|(span, outcomes)| {
        let remark = match (outcomes.yes, outcomes.no) {
            (0, 0) => "never asked",
            (0, _) => "never true",
            (_, 0) => "never false",
            _ => return None,
        };
        Some((*span, remark, span.start))
    });
    let mut gaps: Vec<_> = statements.chain(conditions).filter(|(span, ..)| span.file == file).collect();
    gaps.sort_unstable();
    let mut lines: BTreeMap<usize, Vec<Gap>> = BTreeMap::new();
    let mut said_up_to = 0;
    for (span, remark, says_up_to) in gaps {
        if span.start >= said_up_to {
            let line = compiled.report.sources().position(span).line;
            lines.entry(line).or_default().push(Gap { span, remark });
            said_up_to = says_up_to;
        }
    }
    lines
}

/// An lcov tracefile: statements as lines, the outcomes of conditions as branches.
pub(super) fn lcov(compiled: &Compiled, coverage: &Coverage) -> String {
    let sources = compiled.report.sources();
    let mut text = String::new();
    for file in coverage.files() {
        let _ = writeln!(text, "TN:\nSF:{}", sources.file(file).name());
        let conditions = coverage.conditions.iter().filter(|(span, _)| span.file == file);
        for (block, (span, outcomes)) in conditions.enumerate() {
            let line = sources.position(*span).line;
            let asked = outcomes.yes + outcomes.no > 0;
            for (branch, hits) in [outcomes.yes, outcomes.no].into_iter().enumerate() {
                let taken = if asked { hits.to_string() } else { "-".to_owned() };
                let _ = writeln!(text, "BRDA:{line},{block},{branch},{taken}");
            }
        }
        let summary = coverage.of(file);
        let _ = writeln!(text, "BRF:{}\nBRH:{}", summary.outcomes.of, summary.outcomes.met);
        let lines = hits_by_line(compiled, coverage, file);
        for (line, hits) in &lines {
            let _ = writeln!(text, "DA:{line},{hits}");
        }
        let hit = lines.values().filter(|hits| **hits > 0).count();
        let _ = writeln!(text, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
    }
    text
}
