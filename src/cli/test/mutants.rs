//! `stepup test --mutants`: which mistakes no test would notice, and which login would show each.

use stepup::Compiled;
use stepup::diagnostic::render::one_line;
use stepup::flow::Budget;
use stepup::flow::compare::Comparison;
use stepup::testing::{Judgement, Mutant, judge, mutants, run_tests};

use crate::cli::Exit;
use crate::cli::output::print;

/// Tries every mutant, and lists those that no test notices.
pub(super) fn report(compiled: &Compiled) -> Exit {
    if !run_tests(compiled, "").all_passed() {
        eprintln!("error: the tests fail as it is; `stepup test` says why");
        return Exit::Findings;
    }
    let (mut noticed, mut unnoticed, mut same) = (0, 0, 0);
    for mutant in mutants(compiled) {
        match judge(compiled, &mutant, &Budget::default()) {
            Judgement::Noticed => noticed += 1,
            Judgement::SameForEveryLogin => same += 1,
            Judgement::Unnoticed(comparison) => {
                unnoticed += 1;
                print(&format!("{}\n{}", told(compiled, &mutant), login_told(&comparison)));
            }
            Judgement::TooLarge => {}
            Judgement::NotCompared(error) => {
                unnoticed += 1;
                print(&format!("{}\n  {error}", told(compiled, &mutant)));
            }
        }
    }
    print(&format!("{noticed} of {} mistakes are noticed", noticed + unnoticed));
    if same > 0 {
        print(&format!("{same} more change nothing for any login"));
    }
    if unnoticed == 0 { Exit::Fine } else { Exit::Findings }
}

fn told(compiled: &Compiled, mutant: &Mutant) -> String {
    let sources = compiled.report.sources();
    let (file, line) = (sources.file(mutant.span.file).name(), sources.position(mutant.span).line);
    let text = sources.text(mutant.span).lines().next().unwrap_or_default();
    format!("{file}:{line}: `{}`: {}", one_line(text), mutant.change)
}

/// The login that would show the mistake.
fn login_told(comparison: &Comparison) -> String {
    let Some(class) = comparison.classes.first() else { return String::new() };
    let facts = class.example.login.facts.join(", ");
    let shared = class.example.shared.iter().filter_map(|prompt| prompt.answer.as_deref());
    let passed: Vec<&str> = shared.collect();
    let after = if passed.is_empty() { String::new() } else { format!(", after {}", passed.join(", ")) };
    let side = |told: &[String]| one_line(&told.join(", then "));
    format!(
        "  a login with {}{after}\n    expects: {}\n    with it: {}",
        one_line(&facts),
        side(&class.example.before),
        side(&class.example.after)
    )
}
