//! The manual: each policy in `docs/language.md` compiles without errors, or gives exactly the code that heads it; those
//! in `docs/tenants.md` do so in the tenant that the page begins with.

#[path = "support/case.rs"]
mod case;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use case::{Block, Flow, blocks};

fn page(name: &str) -> Vec<Block> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    blocks(&fs::read_to_string(path).expect("the page is there"))
}

fn policies_of(page: Vec<Block>) -> Vec<Block> {
    page.into_iter().filter(|block| block.language.starts_with("stepup")).collect()
}

fn policies() -> Vec<Block> {
    policies_of(page("language.md"))
}

#[test]
fn the_policies_of_the_manual_are_what_it_says() {
    assert_are_what_it_says(policies(), &Flow::default());
}

#[test]
fn the_policies_of_the_page_on_tenants_are_what_it_says_in_its_tenant() {
    let page = page("tenants.md");
    let tenant = page.iter().find(|block| block.language == "toml").expect("the page shows a tenant");
    let tenant = Some(("tenant.toml".to_owned(), tenant.text.clone().into_bytes()));
    assert_are_what_it_says(policies_of(page), &Flow { tenant, ..Flow::default() });
}

fn assert_are_what_it_says(policies: Vec<Block>, around: &Flow) {
    let mut failures = Vec::new();
    for block in policies {
        let wanted: BTreeSet<&str> = block.language.split(',').skip(1).collect();
        let files = Flow::of("policy.stepup", &block.text).files;
        let report = Flow { files, ..around.clone() }.check();
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
