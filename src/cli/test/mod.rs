//! `stepup test`: the tests of a flow, played.

mod coverage;
mod formats;
mod mutants;

use std::fs;
use std::num::ParseIntError;

use clap::{Args, ValueEnum};
use stepup::diagnostic::render::one_line;
use stepup::flow::{Aim, Budget};
use stepup::testing::{RunOutcome, TestResults, generate_tests, run_tests};
use stepup::{Compiled, Engine, Format};

use super::Exit;
use super::flow::Flow;
use super::output::{Color, Paint, print};

/// Run the tests of a flow: each `test` item is a login, played as a server would
#[derive(Args)]
pub(super) struct Test {
    #[command(flatten)]
    flow: Flow,
    /// Run only the tests whose names hold this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Who reads the results
    #[arg(long, value_enum, default_value_t = ResultFormat::Human)]
    format: ResultFormat,
    /// Write tests that cover the flow, for a person to read: they expect what the policy does now
    #[arg(long, conflicts_with_all = ["filter", "coverage", "lcov", "fail_under", "format"])]
    generate: bool,
    /// Make one small mistake after the other in the flow, and list those that no test notices
    #[arg(long, conflicts_with_all = ["generate", "filter", "coverage", "lcov", "fail_under", "format"])]
    mutants: bool,
    /// Show the policy with what no test has met marked in it
    #[arg(long)]
    coverage: bool,
    /// Write the coverage as an lcov tracefile
    #[arg(long, value_name = "FILE")]
    lcov: Option<String>,
    /// Exit with 1 when the tests cover less than this, in percent of statements and outcomes of conditions
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_under: Option<usize>,
    #[command(flatten)]
    color: Color,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum ResultFormat {
    /// People
    Human,
    /// Programs: one JSON document
    Json,
    /// Continuous integration: JUnit's XML
    Junit,
}

fn percent(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|error: ParseIntError| error.to_string())?;
    if number <= 100 { Ok(number) } else { Err("a percentage is at most 100".to_owned()) }
}

/// Prints tests that cover a flow.
fn generate(compiled: &Compiled) -> Exit {
    let tests = match generate_tests(compiled, &Budget::default()) {
        Ok(tests) => tests,
        Err(exceeded) => {
            eprintln!("error: this flow is too large to find its logins: {exceeded}");
            return Exit::Findings;
        }
    };
    print(&tests.text);
    let sources = compiled.report.sources();
    for aim in &tests.missed {
        let (span, what) = match aim {
            Aim::Statement(span) => (span, "runs"),
            Aim::Condition(span, true) => (span, "is true"),
            Aim::Condition(span, false) => (span, "is false"),
        };
        let (file, line) = (sources.file(span.file).name(), sources.position(*span).line);
        let text = one_line(sources.text(*span).lines().next().unwrap_or_default());
        eprintln!("note: {file}:{line}: `{text}` {what} in a login that no test can tell");
    }
    Exit::Fine
}

impl Test {
    pub(super) fn run(self) -> Exit {
        let compiled = match self.flow.compile(Engine::Native, self.color) {
            Ok(compiled) => compiled,
            Err(exit) => return exit,
        };
        if self.generate {
            return generate(&compiled);
        }
        if self.mutants {
            return mutants::report(&compiled);
        }
        let results = run_tests(&compiled, &self.filter);
        if results.runs.is_empty() && !self.filter.is_empty() {
            eprintln!("error: no test's name holds `{}`", self.filter);
            return Exit::Usage;
        }
        match self.format {
            ResultFormat::Human => self.print_human(&compiled, &results),
            ResultFormat::Json => print(&formats::json(&compiled, &results)),
            ResultFormat::Junit => print(&formats::junit(&compiled, &results)),
        }
        if let Some(file) = &self.lcov
            && let Err(error) = fs::write(file, coverage::lcov(&compiled, &results.coverage))
        {
            eprintln!("error: `{file}` can't be written: {error}");
            return Exit::Usage;
        }
        self.exit(&results)
    }

    fn print_human(&self, compiled: &Compiled, results: &TestResults) {
        let style = self.color.style_of_output();
        let mut text = String::new();
        for run in &results.runs {
            let mark = match run.outcome {
                RunOutcome::Passed => style.good("ok  "),
                RunOutcome::Failed(_) => style.bad("FAIL"),
                RunOutcome::Defect(_) => style.bad("????"),
            };
            text.push_str(&format!("{mark}  {}\n", one_line(&formats::name(run))));
        }
        let report = results.report(compiled);
        if !report.is_empty() {
            text.push_str(&format!("\n{}\n", report.render(Format::Human(style)).trim_end()));
        }
        if self.coverage {
            text.push_str(&format!("\n{}", coverage::marked(compiled, &results.coverage, style)));
        }
        let passed = results.runs.iter().filter(|run| run.outcome == RunOutcome::Passed).count();
        text.push_str(&format!("\n{passed} passed, {} failed\n", results.runs.len() - passed));
        text.push_str(&coverage::summary(&results.coverage));
        print(&text);
    }

    fn exit(&self, results: &TestResults) -> Exit {
        for run in &results.runs {
            if let RunOutcome::Defect(what) = &run.outcome {
                eprintln!("internal error: {}: {what}", one_line(&formats::name(run)));
                return Exit::Internal;
            }
        }
        let covered = results.coverage.total().percent();
        if let Some(wanted) = self.fail_under.filter(|wanted| covered < *wanted) {
            eprintln!("error: the tests cover {covered} %, and {wanted} % are wanted");
            return Exit::Findings;
        }
        if results.all_passed() { Exit::Fine } else { Exit::Findings }
    }
}
