//! The error index: each code's page shows a policy, its real report and the repair.
//!
//! `STEPUP_BLESS=1 cargo test --test error_pages` writes the reports into the pages.

#![allow(clippy::panic, reason = "a case that can't be read is a defect of the case")]

#[path = "support/case.rs"]
mod case;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use case::{Block, Flow, blessing, blocks, difference};
use stepup::diagnostic::{ALL_CODES, Code};
use stepup::{Format, HumanStyle};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/errors")
}

/// What a page shows.
struct Page {
    code: Code,
    text: String,
    mistake: Flow,
    report: Block,
    repair: Flow,
}

fn pages() -> Vec<Page> {
    ALL_CODES.iter().map(|code| page(*code)).collect()
}

fn page(code: Code) -> Page {
    let path = folder().join(format!("{code}.md"));
    let text = fs::read_to_string(&path).expect("each code has a page");
    let mut shown = blocks(&text).into_iter();
    let mut mistake = Flow::default().asking(code.name());
    let report = loop {
        match shown.next() {
            Some(block) if block.language == "text" => break block,
            Some(block) => mistake = with(mistake, &block),
            None => panic!("{code}: a policy, its report and the repair are expected, in this order"),
        }
    };
    let repair = shown.next().unwrap_or_else(|| panic!("{code}: the repair is expected below the report"));
    let repair = with(mistake.clone(), &repair);
    Page { code, mistake, report, repair, text }
}

/// A flow with its policy, its tenant or a file of its export as a block has it.
fn with(flow: Flow, block: &Block) -> Flow {
    match block.language.as_str() {
        "js" => Flow { actions: vec![("action.js".to_owned(), block.text.clone().into_bytes())], ..flow },
        "stepup" => Flow { files: Flow::of("policy.stepup", &block.text).files, ..flow },
        "toml" => Flow { tenant: Some(("tenant.toml".to_owned(), block.text.clone().into_bytes())), ..flow },
        other => match other.strip_prefix("json ") {
            Some(path) => {
                let mut flow = flow;
                flow.export.insert(path.to_owned(), block.text.clone().into_bytes());
                flow
            }
            None => panic!("`{other}` is no policy, no Action and no tenant"),
        },
    }
}

#[test]
fn the_first_policy_of_each_page_gives_the_report_below_it() {
    let mut failures = Vec::new();
    for Page { code, text, mistake, report, .. } in pages() {
        let checked = mistake.check();
        let codes: BTreeSet<Code> = checked.diagnostics().iter().map(|report| report.code).collect();
        assert_eq!(codes, BTreeSet::from([code]), "the page of {code} shows other mistakes too\n{checked}");
        let found = checked.render(Format::Human(HumanStyle::Plain));
        let found = format!("{}\n", found.trim_end());
        if found == report.text {
            continue;
        }
        if blessing() {
            let mut blessed = text.clone();
            blessed.replace_range(report.range.clone(), &found);
            fs::write(folder().join(format!("{code}.md")), blessed).expect("the page can be written");
        } else {
            failures.push(format!("{code}:\n{}", difference(&report.text, &found)));
        }
    }
    let advice = "STEPUP_BLESS=1 cargo test --test error_pages rewrites them";
    assert!(failures.is_empty(), "{} reports differ; {advice}\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_repair_on_each_page_repairs() {
    for Page { code, repair, .. } in pages() {
        let checked = repair.check();
        let is_left = checked.diagnostics().iter().any(|report| report.code == code);
        assert!(!is_left && !checked.has_errors(), "the repair of {code}:\n{checked}");
    }
}

#[test]
fn each_page_is_headed_by_its_code_and_title_and_explained_by_the_command() {
    for Page { code, text, .. } in pages() {
        assert_eq!(text.lines().next(), Some(format!("# {code}: {}", code.title()).as_str()));
        assert_eq!(code.page(), text);
    }
}

#[test]
fn the_index_lists_every_code_with_its_title_and_nothing_else() {
    let index = fs::read_to_string(folder().join("README.md")).expect("the index is there");
    let rows: Vec<&str> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let wanted: Vec<String> =
        ALL_CODES.iter().map(|code| format!("| [{code}]({code}.md) | {} |", code.title())).collect();
    assert_eq!(rows, wanted);
    let files = fs::read_dir(folder()).expect("the folder is there").count();
    assert_eq!(files, ALL_CODES.len() + 1, "a page without a code, or a code without a page");
}
