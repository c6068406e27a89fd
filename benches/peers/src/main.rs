//! The same decisions in stepup and in its peers: `cargo run --release -p peers` prints a table.
//!
//! Each peer gets the facts in the form that it evaluates fastest, made before the clock starts: flags and numbers
//! in contexts, requests or arguments of its own. Each evaluates as its documentation advises for a policy that is
//! compiled once and asked often. Before anything is measured, all must give stepup's answers.

mod cedar;
mod common_expressions;
#[allow(dead_code, reason = "the other benches use the rest")]
#[path = "../../support/inputs.rs"]
mod inputs;
#[allow(dead_code, reason = "the other benches use the rest")]
#[path = "../../support/policies.rs"]
mod policies;
mod rego;
mod roto_script;

use std::hint::black_box;
use std::time::{Duration, Instant};

use stepup::backend::jit::{CodeMemory, JitCompiler};
use stepup::check::policy::StepId;
use stepup::lower::program::Program;

use inputs::{Random, Words};

/// Decides the login of a position: the decision word.
type Decide = Box<dyn Fn(usize) -> u64>;

/// The two policies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// The seed's Action 1.
    Action1,
    /// Fifty rules, each a command for an application.
    FiftyRules,
}

/// What Action 1 asks of a login.
#[derive(Clone, Copy)]
struct Login {
    enrolled: bool,
    security_key: bool,
    admin: bool,
}

impl Login {
    fn of(words: &Words) -> Self {
        let [enrolled, flags] = *words;
        Login {
            enrolled: enrolled != 0,
            security_key: enrolled & policies::SECURITY_KEY != 0,
            admin: flags & 1 != 0,
        }
    }
}

/// The words that Action 1 decides: nobody's and an admin's without a factor, then with one.
const ENROLL: u64 = 1;
const ENROLL_TWICE: u64 = 0x0002_0001;
const CHALLENGE: u64 = 3;
const CHALLENGE_AND_ENROLL_KEY: u64 = 0x0004_0003;

fn stepup(program: &Program, inputs: &[Words]) -> Decide {
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    let code = compiler.compile(program).expect("the program is well formed");
    let step = code.step(StepId::from_u32(0)).expect("there is one step");
    let inputs = inputs.to_vec();
    Box::new(move |login| step.decide(&inputs[login]).map_or(0, |word| word.0))
}

/// Nanoseconds a decision: the fastest pass over all logins in half a second.
fn fastest(logins: usize, decide: &Decide) -> f64 {
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < Duration::from_millis(500) {
        let pass = Instant::now();
        for login in 0..logins {
            black_box(decide(black_box(login)));
        }
        best = best.min(pass.elapsed());
    }
    best.as_nanos() as f64 / logins as f64
}

fn main() {
    println!("| policy | engine | a decision | times stepup's |");
    println!("|---|---|--:|--:|");
    let random = &mut Random(0x5EED);
    let few = |mut inputs: Vec<Words>| {
        inputs.truncate(1024);
        inputs
    };
    let action_1 = (Policy::Action1, policies::action_1(), few(inputs::action_1(random)));
    let fifty = (Policy::FiftyRules, policies::rules(50), few(inputs::applications(random, 50)));
    for (policy, program, inputs) in [action_1, fifty] {
        let ours = stepup(&program, &inputs);
        let engines = [
            ("roto 0.12", roto_script::decide(policy, &inputs)),
            ("cel 0.15", common_expressions::decide(policy, &inputs)),
            ("cedar-policy 4.14", cedar::decide(policy, &inputs)),
            ("regorus 0.14", rego::decide(policy, &inputs)),
        ];
        for (engine, decide) in &engines {
            for (login, words) in inputs.iter().enumerate() {
                assert_eq!(decide(login), ours(login), "{engine} on {words:?}");
            }
        }
        let name = if policy == Policy::Action1 { "the seed's Action 1" } else { "50 rules by application" };
        let unit = fastest(inputs.len(), &ours);
        println!("| {name} | stepup | {unit:.1} ns | 1 |");
        for (engine, decide) in &engines {
            let time = fastest(inputs.len(), decide);
            println!("| {name} | {engine} | {time:.1} ns | {:.0} |", time / unit);
        }
    }
}
