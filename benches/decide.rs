//! A decision in machine code against the same decision written by hand in Rust, in one run.
//!
//! `cargo bench --bench decide` measures with criterion and prints a table; `README.md` here says how.

#[path = "support/inputs.rs"]
mod inputs;
#[path = "support/native.rs"]
mod native;
#[path = "support/policies.rs"]
mod policies;
#[path = "support/report.rs"]
mod report;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use stepup::backend::interpret;
use stepup::lower::program::Program;

use inputs::{Order, Random, Words};
use policies::{ARITHMETIC, BRANCHES, TABLE};

/// A policy, the logins it decides, and its decisions by hand.
struct Case {
    name: &'static str,
    program: Program,
    inputs: Vec<Words>,
    /// In each way that suits it.
    by_hand: Vec<(&'static str, ByHand)>,
}

type ByHand = fn(&Words) -> u64;

fn cases() -> Vec<Case> {
    let random = &mut Random(0x5EED);
    let action_1 = Case {
        name: "the seed's Action 1",
        program: policies::action_1(),
        inputs: inputs::action_1(random),
        by_hand: vec![
            (BRANCHES, policies::action_1_by_hand),
            (ARITHMETIC, policies::action_1_by_arithmetic),
            (TABLE, policies::action_1_by_table),
        ],
    };
    let rules = Case {
        name: "50 rules by application",
        program: policies::rules(50),
        inputs: inputs::applications(random, 50),
        by_hand: vec![(BRANCHES, policies::fifty_rules_by_hand), (TABLE, policies::fifty_rules_by_table)],
    };
    let conditions = Case {
        name: "50 rules, 3 conditions each",
        program: policies::rules_with_conditions(50),
        inputs: inputs::applications(random, 50),
        by_hand: vec![
            (BRANCHES, policies::fifty_rules_with_conditions_by_hand),
            (TABLE, policies::fifty_rules_with_conditions_by_table),
        ],
    };
    let many = Case {
        name: "10,000 rules, 3 conditions each",
        program: policies::rules_with_conditions(10_000),
        inputs: inputs::applications(random, 10_000),
        by_hand: Vec::new(),
    };
    vec![action_1, rules, conditions, many]
}

fn measure(criterion: &mut Criterion, case: &Case) {
    let native = native::native(&case.program);
    let native = |words: &Words| native.decide(words).map_or(0, |word| word.0);
    let step = case.program.steps.values().next().expect("there is one step");
    let interpreted = |words: &Words| interpret::decide(step, words).0;
    for words in &case.inputs {
        assert_eq!(native(words), interpreted(words));
        for (way, by_hand) in &case.by_hand {
            assert_eq!(by_hand(words), native(words), "{} by {way}", case.name);
        }
    }
    let mut group = criterion.benchmark_group(case.name);
    group.throughput(Throughput::Elements(inputs::INPUTS as u64));
    for order in [Order::Predictable, Order::Unpredictable] {
        let mut inputs = case.inputs.clone();
        if order == Order::Predictable {
            inputs.sort_by_key(|words| (native(words), *words));
        }
        let random = &mut Random(1);
        let order_name = format!("{order:?}").to_lowercase();
        group.bench_function(BenchmarkId::new("machine code", &order_name), |bencher| {
            bencher.iter(|| inputs::pass(black_box(&inputs), order, random, native));
        });
        // A policy that can be swapped is called through a pointer, whoever wrote it.
        for (way, by_hand) in &case.by_hand {
            let by_hand = black_box(*by_hand);
            group.bench_function(BenchmarkId::new(*way, &order_name), |bencher| {
                bencher.iter(|| inputs::pass(black_box(&inputs), order, random, by_hand));
            });
        }
        group.bench_function(BenchmarkId::new("interpreter", &order_name), |bencher| {
            bencher.iter(|| inputs::pass(black_box(&inputs), order, random, interpreted));
        });
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let cases = cases();
    for case in &cases {
        measure(&mut criterion, case);
    }
    criterion.final_summary();
    report::print(&cases.iter().map(|case| case.name).collect::<Vec<_>>());
}
