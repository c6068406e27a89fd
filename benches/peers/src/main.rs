//! The same decisions in stepup and in its peers: `cargo run --release -p peers` prints a table.
//!
//! Each peer gets the facts in the form that it evaluates fastest, made before the clock starts: flags and numbers
//! in contexts, requests or arguments of its own. Each evaluates as its documentation advises for a policy that is
//! compiled once and asked often. Before anything is measured, all must give stepup's answers.

mod cedar;
#[path = "../../support/clock.rs"]
mod clock;
mod common_expressions;
#[allow(dead_code, reason = "the other benches use the rest")]
#[path = "../../support/inputs.rs"]
mod inputs;
#[path = "../../support/native.rs"]
mod native;
#[allow(dead_code, reason = "the other benches use the rest")]
#[path = "../../support/policies.rs"]
mod policies;
mod rego;
mod roto_script;

use std::hint::black_box;

use stepup::lower::program::Program;

use clock::{Contender, fastest, time_for};
use inputs::{INPUTS, Order, Random, Words};

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
    let step = native::native(program);
    let inputs = inputs.to_vec();
    Box::new(move |login| step.decide(&inputs[login]).map_or(0, |word| word.0))
}

/// How many logins the slow ones decide in a pass.
const FEW: usize = 1024;

/// Nanoseconds a decision of stepup's and of a rival's, which take turns.
fn side_by_side(decide: [&Decide; 2], order: Order) -> [f64; 2] {
    let mut logins: Vec<u32> = (0..INPUTS as u32).collect();
    if order == Order::Predictable {
        logins.sort_by_key(|login| decide[0](*login as usize));
    }
    let mut contenders = decide.map(|decide| {
        let (logins, mut random) = (&logins, Random(1));
        Contender::new("", move || inputs::pass(logins, order, &mut random, |login| decide(*login as usize)))
    });
    let times = fastest(&mut contenders, time_for(5.0));
    [times[0], times[1]].map(|seconds| seconds * 1e9 / INPUTS as f64)
}

/// Nanoseconds a decision: the fastest pass over a few logins.
fn alone(decide: &Decide) -> f64 {
    let pass = || (0..FEW).fold(0, |sum: u64, login| sum.wrapping_add(decide(black_box(login))));
    let times = fastest(&mut [Contender::new("", pass)], time_for(0.5));
    times[0] * 1e9 / FEW as f64
}

/// What was measured of a policy, as rows of the table.
fn measure(name: &str, policy: Policy, program: &Program, inputs: &[Words]) {
    let ours = stepup(program, inputs);
    let roto = roto_script::decide(policy, inputs);
    let few = &inputs[..FEW];
    let others = [
        ("cel 0.15", common_expressions::decide(policy, few)),
        ("cedar-policy 4.14", cedar::decide(policy, few)),
        ("regorus 0.14", rego::decide(policy, few)),
    ];
    for (login, words) in inputs.iter().enumerate() {
        assert_eq!(roto(login), ours(login), "roto on {words:?}");
    }
    for (engine, decide) in &others {
        for (login, words) in few.iter().enumerate() {
            assert_eq!(decide(login), ours(login), "{engine} on {words:?}");
        }
    }
    let mut unit = f64::NAN;
    for order in [Order::Predictable, Order::Unpredictable] {
        let [our_time, their_time] = side_by_side([&ours, &roto], order);
        let order = format!("{order:?}").to_lowercase();
        println!("| {name} | stepup | {order} | {our_time:.2} ns | 1 |");
        println!("| {name} | roto 0.12 | {order} | {their_time:.2} ns | {:.2} |", their_time / our_time);
        unit = our_time;
    }
    for (engine, decide) in &others {
        let time = alone(decide);
        println!("| {name} | {engine} | as they come | {time:.0} ns | {:.0} |", time / unit);
    }
}

fn main() {
    println!("| policy | engine | order of logins | a decision | times stepup's |");
    println!("|---|---|---|--:|--:|");
    let random = &mut Random(0x5EED);
    let (action_1, fifty) = (inputs::action_1(random), inputs::applications(random, 50));
    measure("the seed's Action 1", Policy::Action1, &policies::action_1(), &action_1);
    measure("50 rules by application", Policy::FiftyRules, &policies::rules(50), &fifty);
}
