//! The policies of `examples/`: each compiles without a finding, and stands in its canonical form.
#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

use std::fs;
use std::path::Path;

use stepup::{Compiler, Formatted, format_policy};

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
fn every_example_compiles_without_a_finding() {
    let compiler = Compiler::new();
    assert!(examples().len() > 8);
    for (name, text) in examples() {
        let report = compiler.check([(&name, &text)]);
        assert!(report.is_empty(), "{report}");
    }
}

#[test]
fn every_example_stands_in_its_canonical_form() {
    for (name, text) in examples() {
        assert_eq!(format_policy(&name, text.as_bytes()).unwrap(), Formatted::Same, "{name}");
    }
}
