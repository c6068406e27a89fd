//! Test results for programs: JSON, and the XML of JUnit that continuous integration reads.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Value as Json, json};
use stepup::diagnostic::render::one_line;
use stepup::testing::coverage::{Coverage, Summary};
use stepup::testing::{RunOutcome, RunResult, TestResults};
use stepup::{Compiled, Format, HumanStyle, Report};

/// The name of a run: its test's, and the row.
pub(super) fn name(run: &RunResult) -> String {
    match run.row {
        Some(row) => format!("{}, row {row}", run.test),
        None => run.test.clone(),
    }
}

/// One JSON document.
pub(super) fn json(compiled: &Compiled, results: &TestResults) -> String {
    let runs: Vec<Json> = results.runs.iter().map(|run| run_json(compiled, run)).collect();
    let passed = results.runs.iter().filter(|run| run.outcome == RunOutcome::Passed).count();
    let whole = json!({
        "passed": passed,
        "failed": results.runs.len() - passed,
        "runs": runs,
        "coverage": coverage_json(compiled, &results.coverage),
    });
    whole.to_string()
}

fn run_json(compiled: &Compiled, run: &RunResult) -> Json {
    let sources = compiled.report.sources();
    let mut entry = json!({
        "test": run.test,
        "row": run.row,
        "file": sources.file(run.span.file).name(),
        "line": sources.position(run.span).line,
        "outcome": outcome_word(&run.outcome),
    });
    match &run.outcome {
        RunOutcome::Passed => {}
        RunOutcome::Failed(failure) => {
            let report = Report::of(compiled.report.sources(), vec![(**failure).clone()]);
            entry["report"] = serde_json::from_str(&report.render(Format::Json)).unwrap_or(Json::Null);
        }
        RunOutcome::Defect(what) => entry["defect"] = what.as_str().into(),
    }
    entry
}

fn outcome_word(outcome: &RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Passed => "passed",
        RunOutcome::Failed(_) => "failed",
        RunOutcome::Defect(_) => "defect",
    }
}

fn coverage_json(compiled: &Compiled, coverage: &Coverage) -> Json {
    let share = |summary: Summary| {
        json!({
            "percent": summary.percent(),
            "statements": {"met": summary.statements.met, "of": summary.statements.of},
            "outcomes": {"met": summary.outcomes.met, "of": summary.outcomes.of},
        })
    };
    let files = coverage.files().into_iter().map(|file| {
        let mut entry = share(coverage.of(file));
        entry["file"] = compiled.report.sources().file(file).name().into();
        entry
    });
    let files: Vec<Json> = files.collect();
    let mut whole = share(coverage.total());
    whole["files"] = files.into();
    whole
}

/// JUnit's XML: a suite a file, a case a run.
pub(super) fn junit(compiled: &Compiled, results: &TestResults) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing into memory doesn't fail.
    let _ = write_junit(&mut writer, compiled, results);
    String::from_utf8_lossy(&writer.into_inner()).into_owned()
}

fn write_junit(writer: &mut Writer<Vec<u8>>, compiled: &Compiled, results: &TestResults) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let sources = compiled.report.sources();
    let mut files: Vec<_> = results.runs.iter().map(|run| run.span.file).collect();
    files.dedup();
    writer.create_element("testsuites").write_inner_content(|writer| {
        for file in files {
            let runs: Vec<&RunResult> = results.runs.iter().filter(|run| run.span.file == file).collect();
            let count =
                |word: &str| runs.iter().filter(|run| outcome_word(&run.outcome) == word).count().to_string();
            let suite = writer
                .create_element("testsuite")
                .with_attribute(("name", sources.file(file).name()))
                .with_attribute(("tests", runs.len().to_string().as_str()))
                .with_attribute(("failures", count("failed").as_str()))
                .with_attribute(("errors", count("defect").as_str()));
            suite.write_inner_content(|writer| {
                runs.iter().try_for_each(|run| write_case(writer, compiled, run))
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, compiled: &Compiled, run: &RunResult) -> io::Result<()> {
    let sources = compiled.report.sources();
    let case = writer
        .create_element("testcase")
        // XML has no way to write most control characters.
        .with_attribute(("name", one_line(&name(run)).as_str()))
        .with_attribute(("classname", sources.file(run.span.file).name()))
        .with_attribute(("line", sources.position(run.span).line.to_string().as_str()));
    match &run.outcome {
        RunOutcome::Passed => case.write_empty()?,
        RunOutcome::Failed(failure) => {
            let report = Report::of(sources, vec![(**failure).clone()]);
            let text = report.render(Format::Human(HumanStyle::Plain));
            case.write_inner_content(|writer| {
                let element = writer
                    .create_element("failure")
                    .with_attribute(("message", failure.message.as_str()))
                    .with_attribute(("type", failure.code.name()));
                element.write_text_content(BytesText::new(&text))?;
                Ok(())
            })?
        }
        RunOutcome::Defect(what) => case.write_inner_content(|writer| {
            writer.create_element("error").write_text_content(BytesText::new(what))?;
            Ok(())
        })?,
    };
    Ok(())
}
