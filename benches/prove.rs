//! What the questions cost: `cargo bench --bench prove`.
//!
//! Everything that `stepup check` and `stepup prove` ask of a flow beyond the limit of four commands: the built-in
//! questions and the guarantees, each found login replayed. The policy is parsed and checked outside the measurement.

#![allow(clippy::print_stdout, clippy::panic, reason = "it prints a table, of policies that compile")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use stepup::Compiler;
use stepup::flow::{Budget, Scope, analyze};

const GUARANTEES: &str = "
guarantee \"nobody fails\": never failed
guarantee \"who has a factor shows it\": initially enrolled is not empty implies prompts > 0
guarantee \"one command\": always commands <= 1
";

/// Rules by application, each with three conditions over thirty shared facts.
fn rules_by_application(count: usize) -> String {
    let mut text = String::new();
    for fact in 0..18 {
        let _ = writeln!(text, "fact flag.f{fact}: bool = event.user.app_metadata.f{fact} default false");
    }
    for fact in 0..6 {
        let _ = writeln!(text, "fact level.l{fact}: int = event.user.app_metadata.l{fact} default 0");
        let _ = writeln!(text, "fact team.t{fact}: string = event.user.app_metadata.t{fact} default \"\"");
    }
    text += "step rules {\n";
    for rule in 0..count {
        let factor = ["otp", "phone", "webauthn-roaming", "any of enrolled"][rule % 4];
        let parts = [rule, rule * 7 + 11, rule * 13 + 23].map(condition);
        let _ = writeln!(
            text,
            "  if client.id == \"app-{rule}\" and {} then challenge {factor}",
            parts.join(" and ")
        );
    }
    text + "}\n" + GUARANTEES
}

/// One of the thirty facts, tested.
fn condition(number: usize) -> String {
    let not = if number % 3 == 1 { "not " } else { "" };
    match number % 30 {
        fact @ 0..18 => format!("{not}flag.f{fact}"),
        fact @ 18..24 => format!("level.l{} > {}", fact - 18, number % 5),
        fact => format!("team.t{} == \"team-{}\"", fact - 24, number % 5),
    }
}

/// The same as cases that end a step: each rule meets what all before it have left.
fn rules_in_order(count: usize) -> String {
    let text = rules_by_application(count);
    let mut cases = String::new();
    for line in text.lines() {
        match line.split_once(" then ") {
            Some((condition, command)) => {
                let condition = condition.split_once(" and ").map_or(condition, |(_, rest)| rest);
                let _ = writeln!(cases, "  if {condition} {{ {command}  stop }}");
            }
            None => {
                let _ = writeln!(cases, "{line}");
            }
        }
    }
    cases
}

/// The fastest of some runs: other work on the machine can only add to a time.
fn fastest(runs: usize, mut run: impl FnMut()) -> Duration {
    let time = |()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    std::iter::repeat_n((), runs).map(time).min().unwrap_or_default()
}

fn row(name: &str, text: &str) {
    let compiler = Compiler::new();
    let compiled = match compiler.compile([("policy.stepup", text)]) {
        Ok(compiled) => compiled,
        Err(report) => panic!("{}", report.render(stepup::Format::Human(stepup::HumanStyle::Plain))),
    };
    let budget = Budget::default();
    let analysis = analyze(&compiled.typed, Scope::Everything, &budget);
    let runs = if text.len() > 40_000 { 3 } else { 10 };
    let limit = fastest(runs, || drop(analyze(&compiled.typed, Scope::Limit, &budget)));
    let all = fastest(runs, || drop(analyze(&compiled.typed, Scope::Everything, &budget)));
    let found = match analysis.unanswered {
        Some(exceeded) => exceeded.to_string(),
        None => analysis.logins().count().to_string(),
    };
    println!("| {name} | {limit:.1?} | {all:.1?} | {found} |");
}

fn main() {
    println!("| policy | the limit alone | with all questions | logins found |");
    println!("|---|--:|--:|--:|");
    row("the seed's policy", include_str!("../examples/admins.stepup"));
    for count in [10, 50, 100, 200, 500, 1_000, 2_000] {
        row(&format!("{count} rules by application"), &rules_by_application(count));
    }
    for count in [5, 10, 20, 40] {
        row(&format!("{count} rules in order"), &rules_in_order(count));
    }
}
