//! `stepup test --mutants`: which mistakes no test would notice.

use stepup::Compiled;
use stepup::diagnostic::render::one_line;
use stepup::testing::{Mutant, is_noticed, mutants, run_tests};

use crate::cli::Exit;
use crate::cli::output::print;

/// Tries every mutant, and lists those that no test notices.
pub(super) fn report(compiled: &Compiled) -> Exit {
    if !run_tests(compiled, "").all_passed() {
        eprintln!("error: the tests fail as it is; `stepup test` says why");
        return Exit::Findings;
    }
    let mutants = mutants(compiled);
    let unnoticed: Vec<&Mutant> = mutants.iter().filter(|mutant| !is_noticed(mutant)).collect();
    for mutant in &unnoticed {
        print(&told(compiled, mutant));
    }
    print(&format!("{} of {} mistakes are noticed", mutants.len() - unnoticed.len(), mutants.len()));
    if unnoticed.is_empty() { Exit::Fine } else { Exit::Findings }
}

fn told(compiled: &Compiled, mutant: &Mutant) -> String {
    let sources = compiled.report.sources();
    let (file, line) = (sources.file(mutant.span.file).name(), sources.position(mutant.span).line);
    let text = sources.text(mutant.span).lines().next().unwrap_or_default();
    format!("{file}:{line}: `{}`: {}", one_line(text), mutant.change)
}
