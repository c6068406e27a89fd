//! The policies of `examples/`: each compiles without a finding, stands in its canonical form, is covered whole by its
//! own tests, and has a row in the folder's index.
#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

use std::fs;
use std::path::Path;

use stepup::source::Span;
use stepup::testing::coverage::Coverage;
use stepup::testing::run_tests;
use stepup::{Compiled, Compiler, Formatted, Validation, format_policy};

/// The names and texts of the examples, sorted by name.
fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let policies = paths.filter(|path| path.extension().is_some_and(|extension| extension == "stepup"));
    let named = policies.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    let mut examples: Vec<_> = named.collect();
    examples.sort();
    examples
}

#[test]
fn every_example_checks_without_a_finding_but_the_platforms_own() {
    let compiler = Compiler::new().with_validation(Validation::On);
    assert!(examples().len() > 8);
    for (name, text) in examples() {
        let report = compiler.check([(&name, &text)]);
        let found: Vec<&str> = report.diagnostics().iter().map(|report| report.code.name()).collect();
        // The scenario of Auth0's page as it stands there: it keeps less than its text promises.
        let wanted: &[&str] = if name == "admins.stepup" { &["E0508", "E0503"] } else { &[] };
        assert_eq!(found, wanted, "{report}");
    }
}

#[test]
fn every_example_stands_in_its_canonical_form() {
    for (name, text) in examples() {
        assert_eq!(format_policy(&name, text.as_bytes()).unwrap(), Formatted::Same, "{name}");
    }
}

#[test]
fn the_tests_of_every_example_pass_and_cover_it_whole() {
    let compiler = Compiler::new().with_validation(Validation::On);
    for (name, text) in examples() {
        let compiled = compiler.compile([(&name, &text)]).unwrap();
        let results = run_tests(&compiled, "");
        assert!(results.all_passed(), "{}", results.report(&compiled));
        assert!(!results.runs.is_empty(), "{name} has no test");
        let gaps = gaps(&compiled, &results.coverage);
        assert!(gaps.is_empty(), "no test of {name} meets\n{}", gaps.join("\n"));
        assert_eq!(results.coverage.total().percent(), 100, "{name}");
    }
}

/// What no test has met, a line each.
fn gaps(compiled: &Compiled, coverage: &Coverage) -> Vec<String> {
    let sources = compiled.report.sources();
    let told = |span: Span, what: &str| {
        let line = sources.position(span).line;
        format!("{line}: `{}` {what}", sources.text(span).lines().next().unwrap_or_default())
    };
    let statements = coverage.statements.iter().filter(|(_, hits)| **hits == 0);
    let conditions = coverage.conditions.iter().flat_map(|(span, outcomes)| {
        [(outcomes.yes, "true"), (outcomes.no, "false")].map(|(hits, what)| (*span, hits, what))
    });
    let outcomes = conditions.filter(|(_, hits, _)| *hits == 0).map(|(span, _, what)| told(span, what));
    statements.map(|(span, _)| told(*span, "runs")).chain(outcomes).collect()
}

#[test]
fn every_example_says_for_whom_it_is() {
    for (name, text) in examples() {
        let page: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(
            page.len() > 3 && page.contains(&"//!"),
            "{name} has a sentence, and a paragraph on what holds"
        );
    }
}

#[test]
fn the_index_has_a_row_for_each_example_and_for_nothing_else() {
    let index = include_str!("../examples/README.md");
    let links = index.lines().filter_map(|line| line.strip_prefix("| [`"));
    let rows: Vec<&str> = links.map(|row| row.split('`').next().unwrap()).collect();
    let files: Vec<String> = examples().into_iter().map(|(name, _)| name).collect();
    assert_eq!(rows, files);
    for file in files {
        assert!(index.contains(&format!("[`{file}`]({file})")), "{file} is linked");
    }
}
