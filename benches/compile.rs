//! From policy text to native code, checks and proofs included, and to Auth0 Actions: `cargo bench --bench compile`.
//!
//! Everything a host waits for when it swaps a policy is inside the measurement: parsing, checking, the proof of the
//! four-command limit over the whole flow, lowering, machine code in place. The compiler is made once, outside.

use criterion::{Criterion, criterion_group, criterion_main};
use stepup::{Compiler, Engine};

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

fn compile(criterion: &mut Criterion) {
    let compiler = Compiler::new();
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(20);
    let mut bench = |name: &str, text: &str| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| compiler.compile([("policy.stepup", text)]).map(|compiled| compiled.policy));
        });
    };
    bench("the seed's policy", include_str!("../examples/admins.stepup"));
    for count in [10, 100, 1_000] {
        bench(&format!("{count} rules by application"), &rules_by_application(count));
    }
    group.finish();
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

fn emit(criterion: &mut Criterion) {
    let text = in_four_steps(&rules_by_application(1_000));
    let compiler = Compiler::new().with_engine(Engine::Interpreter);
    let compiled = compiler.compile([("policy.stepup", &text)]).expect("it compiles");
    let mut group = criterion.benchmark_group("emit");
    group.sample_size(20);
    group.bench_function("1000 rules in four steps, compiled before", |bencher| {
        bencher.iter(|| compiled.auth0_actions().map(|actions| actions.emitted.files()));
    });
    group.bench_function("1000 rules in four steps, from their text", |bencher| {
        bencher.iter(|| {
            let compiled = compiler.compile([("policy.stepup", &text)])?;
            compiled.auth0_actions().map(|actions| actions.emitted.files())
        });
    });
    group.finish();
}

criterion_group!(benches, compile, emit);
criterion_main!(benches);
