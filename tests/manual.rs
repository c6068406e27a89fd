//! The manual: each policy in `docs/language.md` compiles without errors, or gives exactly the code that heads it.

#[path = "support/case.rs"]
mod case;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use case::{Block, Flow, blocks};

fn policies() -> Vec<Block> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let page = fs::read_to_string(path).expect("the manual is there");
    blocks(&page).into_iter().filter(|block| block.language.starts_with("stepup")).collect()
}

#[test]
fn the_policies_of_the_manual_are_what_it_says() {
    let mut failures = Vec::new();
    for block in policies() {
        let wanted: BTreeSet<&str> = block.language.split(',').skip(1).collect();
        let report = Flow::of("policy.stepup", &block.text).check();
        let found: BTreeSet<&str> = report.diagnostics().iter().map(|report| report.code.name()).collect();
        if found != wanted {
            failures.push(format!("line {}: {found:?} instead of {wanted:?}\n{report}", block.line));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_manual_has_policies_that_compile_and_policies_that_do_not() {
    let (fine, wrong): (Vec<Block>, Vec<Block>) =
        policies().into_iter().partition(|block| block.language == "stepup");
    assert!(fine.len() > 10 && wrong.len() > 4, "{} and {}", fine.len(), wrong.len());
}
