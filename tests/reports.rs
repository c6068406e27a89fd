//! Every report, as a person reads it: `tests/reports/CODE-what.txt` holds a policy and its report, together.
//!
//! `STEPUP_BLESS=1 cargo test --test reports` rewrites the reports; read the difference before you commit it. The
//! other tests hold what must be true of all reports: their repairs repair, the formats for programs say the same,
//! the words are the policy's.

#![allow(clippy::panic, reason = "a case that can't be read is a defect of the case")]

#[path = "support/case.rs"]
mod case;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use case::{Case, Flow, blessing, difference};
use serde_json::Value;
use stepup::diagnostic::render::apply_edits;
use stepup::diagnostic::{ALL_CODES, Diagnostic, Edit};
use stepup::{Format, HumanStyle, Report};

/// A case, its flow, and what checking says about it.
struct Checked {
    case: Case,
    flow: Flow,
    report: Report,
}

fn cases() -> &'static [Checked] {
    static CASES: LazyLock<Vec<Checked>> = LazyLock::new(|| {
        let cases = Case::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports"));
        cases
            .into_iter()
            .map(|case| {
                let flow = case.flow().asking(case.name().split('-').next().unwrap_or_default());
                Checked { report: flow.check(), flow, case }
            })
            .collect()
    });
    &CASES
}

#[test]
fn each_report_is_as_it_was_read() {
    let mut failures = Vec::new();
    for Checked { case, report, .. } in cases() {
        let found = report.render(Format::Human(HumanStyle::Plain));
        if found == case.report {
            continue;
        }
        if blessing() {
            case.bless(&found);
        } else {
            failures.push(format!("{}:\n{}", case.path.display(), difference(&case.report, &found)));
        }
    }
    let advice = "STEPUP_BLESS=1 cargo test --test reports rewrites them";
    assert!(failures.is_empty(), "{} reports differ; {advice}\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn each_case_is_named_after_a_code_that_it_shows() {
    let mut failures = Vec::new();
    for Checked { case, report, .. } in cases() {
        let name = case.name();
        let code = name.split('-').next().unwrap_or_default();
        let codes: BTreeSet<&str> = report.diagnostics().iter().map(|report| report.code.name()).collect();
        if !codes.contains(code) {
            failures.push(format!("{name} shows {codes:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_code_has_a_case() {
    let reports = cases().iter().flat_map(|checked| checked.report.diagnostics());
    let shown: BTreeSet<&str> = reports.map(|report| report.code.name()).collect();
    let missing: Vec<&str> =
        ALL_CODES.iter().map(|code| code.name()).filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn the_cases_show_more_than_a_hundred_different_reports() {
    let different: BTreeSet<String> = cases().iter().flat_map(|checked| shapes(&checked.report)).collect();
    assert!(different.len() > 100, "only {} reports differ in more than names", different.len());
}

/// The messages with the user's own words left out, so that one message about two names counts once.
fn shapes(report: &Report) -> Vec<String> {
    let plain = |report: &&Diagnostic| {
        let helps: Vec<String> = report.helps.iter().map(|help| without_quotes(&help.message)).collect();
        let notes: Vec<String> = report.notes.iter().map(|note| without_quotes(note)).collect();
        let labels: Vec<String> =
            report.secondary.iter().chain([&report.primary]).map(|l| without_quotes(&l.text)).collect();
        format!("{} {} {labels:?} {notes:?} {helps:?}", report.code, without_quotes(&report.message))
    };
    report.diagnostics().iter().map(plain).collect()
}

// -- repairs ------------------------------------------------------------------------------------------------------

#[test]
fn each_repair_makes_its_report_disappear() {
    let (mut repairs, mut failures) = (0, Vec::new());
    for Checked { case, flow, report } in cases() {
        for (line, diagnostic) in report.render(Format::Json).lines().zip(report.diagnostics()) {
            let said: Value = serde_json::from_str(line).expect("a report is JSON");
            for (position, help) in said["helps"].as_array().into_iter().flatten().enumerate() {
                let edits: Vec<&Value> = help["edits"].as_array().into_iter().flatten().collect();
                if edits.is_empty() {
                    continue;
                }
                repairs += 1;
                let repaired = repaired(flow, &edits);
                assert_same_by_library(flow, report, &diagnostic.helps[position].edits, &repaired);
                let problem = problem_after(diagnostic, &diagnostic.helps[position].edits, &repaired.check());
                failures.extend(problem.map(|problem| format!("{}: {problem}", case.name())));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(repairs > 60, "only {repairs} repairs were tried");
}

/// The flow with the edits of one help made, by what the JSON says alone.
fn repaired(flow: &Flow, edits: &[&Value]) -> Flow {
    let mut sorted = edits.to_vec();
    sorted.sort_by_key(|edit| (edit["file"].as_str(), edit["start"].as_u64()));
    let mut repaired = flow.clone();
    for edit in sorted.iter().rev() {
        let name = edit["file"].as_str().expect("an edit names its file");
        let offset = |key: &str| edit[key].as_u64().expect("an edit has its bytes") as usize;
        let mut text =
            repaired.text(name).unwrap_or_else(|| panic!("an edit of `{name}`, which is not the user's"));
        text.replace_range(offset("start")..offset("end"), edit["replacement"].as_str().unwrap_or_default());
        repaired = repaired.with_text(name, &text);
    }
    repaired
}

/// `apply_edits` and a program that reads the JSON come to the same text.
fn assert_same_by_library(flow: &Flow, report: &Report, edits: &[Edit], repaired: &Flow) {
    let files: BTreeSet<_> = edits.iter().map(|edit| edit.span.file).collect();
    for file in files {
        let name = report.sources().file(file).name();
        let of_file: Vec<Edit> = edits.iter().filter(|edit| edit.span.file == file).cloned().collect();
        let text = flow.text(name).unwrap_or_default();
        assert_eq!(apply_edits(&text, &of_file).ok(), repaired.text(name));
    }
}

/// What is wrong with a repair: its report is still there, or what it wrote is no policy text.
fn problem_after(repaired: &Diagnostic, edits: &[Edit], after: &Report) -> Option<String> {
    let same = |report: &&&Diagnostic| {
        (report.code, &report.message) == (repaired.code, &repaired.message)
            && report.primary.span.start == repaired.primary.span.start
    };
    let written = |report: &&&Diagnostic| {
        let span = report.primary.span;
        let is_inside = |edit: &&Edit| {
            let end = edit.span.start + edit.replacement.len() as u32;
            edit.span.file == span.file && edit.span.start <= span.start && span.start < end
        };
        report.code.name().starts_with("E01") && edits.iter().any(|edit| is_inside(&edit))
    };
    let reports = after.diagnostics();
    let left = reports.iter().find(same).map(|_| format!("the repair leaves `{}`", repaired.message));
    let broken = reports
        .iter()
        .find(written)
        .map(|report| format!("the repair of `{}` brings `{}`", repaired.message, report.message));
    left.or(broken)
}

// -- formats for programs -----------------------------------------------------------------------------------------

#[test]
fn json_and_sarif_point_at_the_same_texts() {
    for Checked { case, report, .. } in cases() {
        let json: Vec<Value> = report
            .render(Format::Json)
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        let sarif: Value = serde_json::from_str(&report.render(Format::Sarif)).expect("SARIF is JSON");
        let results = sarif["runs"][0]["results"].as_array().cloned().unwrap_or_default();
        assert_eq!(json.len(), results.len(), "{}", case.name());
        for (said, result) in json.iter().zip(&results) {
            assert_eq!(said["code"], result["ruleId"]);
            assert_eq!(said["severity"], result["level"]);
            let text = result["message"]["text"].as_str().unwrap_or_default();
            assert!(text.starts_with(said["message"].as_str().unwrap_or("?")), "{text}");
            assert_same_place(&said["primary"], &result["locations"][0]);
            let secondary = said["secondary"].as_array().into_iter().flatten();
            let related = result["relatedLocations"].as_array().into_iter().flatten();
            secondary.zip(related).for_each(|(label, location)| assert_same_place(label, location));
        }
    }
}

fn assert_same_place(label: &Value, location: &Value) {
    let region = &location["physicalLocation"]["region"];
    let number = |value: &Value| value.as_u64().expect("a place is made of numbers");
    assert_eq!(label["start"], region["byteOffset"]);
    assert_eq!(number(&label["end"]) - number(&label["start"]), number(&region["byteLength"]));
    assert_eq!(label["start_line"], region["startLine"]);
    assert_eq!(label["start_column"], region["startColumn"]);
    assert_eq!(label["end_line"], region["endLine"]);
    assert_eq!(label["end_column"], region["endColumn"]);
}

// -- the words ----------------------------------------------------------------------------------------------------

#[test]
fn reports_speak_of_the_policy_in_its_own_words() {
    for Checked { case, report, .. } in cases() {
        for diagnostic in report.diagnostics() {
            let labels = diagnostic.secondary.iter().chain([&diagnostic.primary]).map(|label| &label.text);
            let helps = diagnostic.helps.iter().map(|help| &help.message);
            let sentences =
                [&diagnostic.message].into_iter().chain(labels).chain(&diagnostic.notes).chain(helps);
            for sentence in sentences.filter(|sentence| !sentence.is_empty()) {
                assert_well_said(&case.name(), sentence);
            }
        }
    }
}

/// Words of compilers, and of this one's own inside.
const FOREIGN_WORDS: [&str; 18] = [
    "token",
    "ast",
    "node",
    "parser",
    "parse",
    "lexer",
    "identifier",
    "operand",
    "literal",
    "eoi",
    "pest",
    "expr",
    "expression",
    "option<",
    "vec<",
    "usize",
    "struct",
    "syntax",
];

fn assert_well_said(case: &str, sentence: &str) {
    let first = sentence.chars().next().unwrap_or_default();
    assert!(!first.is_uppercase(), "{case}: a capital begins `{sentence}`");
    assert!(!sentence.trim_end().ends_with('.'), "{case}: a full stop ends `{sentence}`");
    assert!(
        sentence.matches('`').count().is_multiple_of(2),
        "{case}: a backtick is left open in `{sentence}`"
    );
    let plain = without_quotes(sentence).to_lowercase();
    let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric() && !"<(".contains(c)).collect();
    for word in FOREIGN_WORDS {
        assert!(!words.contains(&word), "{case}: `{word}` in `{sentence}`");
    }
}

/// A sentence without what stands in backticks.
fn without_quotes(sentence: &str) -> String {
    sentence.split('`').step_by(2).collect::<Vec<_>>().join("``")
}
