//! From policy text to native code, checks and proofs included, and to Auth0 Actions: `cargo bench --bench compile`.
//!
//! Everything a host waits for when it swaps a policy is inside the measurement: parsing, checking, the proof of the
//! four-command limit over the whole flow, lowering, machine code in place. The compiler is made once, outside.
//! `README.md` here says how the tables are made.
#![allow(clippy::print_stdout, reason = "a bench reports")]

#[path = "support/clock.rs"]
mod clock;

use clock::{Contender, fastest, time_for};
use stepup::{Compiler, Engine, Policy, Validation};

/// For how long a row is measured, in seconds.
const TIME: f64 = 3.0;

/// The steps of the seed's policy with its guarantee and tests.
const WHOLE_FILE: &str = include_str!("../examples/admins.stepup");

/// Rules by application with three conditions each over ten shared facts.
fn rules_by_application(count: usize) -> String {
    const FACTS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let mut text = String::new();
    for fact in FACTS {
        text += &format!("fact flag.{fact}: bool = event.user.app_metadata.{fact} default false\n");
    }
    text += "step rules {\n";
    for rule in 0..count {
        // Three different facts, spread over all triples, each negated or not by the rule's number.
        let (first, second, third) =
            (rule % 10, (rule + 1 + rule / 10 % 4) % 10, (rule + 5 + rule / 40 % 4) % 10);
        let not = |bit: usize| if rule >> bit & 1 == 1 { "not " } else { "" };
        text += &format!(
            "  if client.id == \"app-{rule}\" and {}flag.{} and {}flag.{} and {}flag.{} then challenge otp\n",
            not(0),
            FACTS[first],
            not(1),
            FACTS[second],
            not(2),
            FACTS[third],
        );
    }
    text + "}\n"
}

fn policy(compiler: &Compiler, text: &str) -> Policy {
    compiler.compile([("policy.stepup", text)]).expect("the policy is well formed").policy
}

/// A pass of a contender: one compile, and the dropping of the policy.
fn compiles<'a>(name: &'static str, compiler: &'a Compiler, text: &'a str) -> Contender<'a> {
    Contender::new(name, || u64::from(policy(compiler, text).engine() == Engine::Native))
}

/// A time in three digits.
fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        ..1e-3 => (seconds * 1e6, "µs"),
        1e-3..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = match value {
        ..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

fn compile() {
    let (steps, _) = WHOLE_FILE.split_once("\nguarantee").expect("it has a guarantee");
    let compiler = Compiler::new();
    let validating = Compiler::new().with_validation(Validation::On);
    // As in a server, a policy is in force throughout. Else each compile would have the system map the code's memory,
    // and each drop unmap it.
    let in_force = [&compiler, &validating].map(|compiler| policy(compiler, steps));
    println!("\n| policy | text to native code | a rule |");
    println!("|---|--:|--:|");
    let both = &mut [compiles("as it is", &compiler, steps), compiles("validated", &validating, steps)];
    let both = fastest(both, time_for(TIME));
    println!("| the seed's policy | {} | |", time(both[0]));
    println!("| what `with_validation` adds to it | {} | |", time(both[1] - both[0]));
    let whole = fastest(&mut [compiles("whole", &compiler, WHOLE_FILE)], time_for(TIME));
    println!("| its guarantee and eleven tests | {} | |", time(whole[0]));
    for (name, count) in [("10", 10), ("100", 100), ("1,000", 1_000), ("10,000", 10_000)] {
        let text = rules_by_application(count);
        let taken = fastest(&mut [compiles("rules", &compiler, &text)], time_for(TIME));
        println!("| {name} rules | {} | {} |", time(taken[0]), time(taken[0] / count as f64));
    }
    drop(in_force);
}

/// The same rules in four steps, since one Action has room for some hundreds of them.
fn in_four_steps(rules: &str) -> String {
    let quarter = rules.lines().count() / 4;
    let mut text = String::new();
    for (line, rule) in rules.lines().enumerate() {
        let begins = (line % quarter == 0 && line > 0 && line / quarter < 4)
            .then(|| format!("}}\nstep rules{line} {{\n"));
        text += &begins.unwrap_or_default();
        text += rule;
        text.push('\n');
    }
    text
}

fn emit() {
    let text = in_four_steps(&rules_by_application(1_000));
    let compiler = Compiler::new().with_engine(Engine::Interpreter);
    let compiled = || compiler.compile([("policy.stepup", &text)]).expect("it compiles");
    let before = compiled();
    let files = |compiled: &stepup::Compiled| {
        let actions = compiled.auth0_actions().expect("the steps fit into Actions");
        actions.emitted.files().len() as u64
    };
    let taken = fastest(
        &mut [
            Contender::new("compiled before", || files(&before)),
            Contender::new("from its text", || files(&compiled())),
        ],
        time_for(TIME),
    );
    println!("\n| 1,000 rules in four steps | to Auth0 Actions |");
    println!("|---|--:|");
    println!("| compiled before | {} |", time(taken[0]));
    println!("| from their text | {} |", time(taken[1]));
}

fn main() {
    compile();
    emit();
}
