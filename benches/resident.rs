//! Many policies in one process: what each takes, how long all take to make, and what a decision of a cold one costs.
//!
//! `cargo bench --bench resident` prints the table; `README.md` here says how it is made. A program of its own, since
//! it counts what the process allocates.
#![allow(clippy::print_stdout, reason = "a bench reports")]
#![allow(unsafe_code, reason = "the functions that it compares with are copied")]

#[path = "support/cold.rs"]
mod cold;
#[path = "support/counting.rs"]
mod counting;
#[path = "support/inputs.rs"]
#[allow(dead_code, reason = "other benches use the rest")]
mod inputs;
#[path = "support/process.rs"]
mod process;
#[path = "support/scattered.rs"]
mod scattered;
#[path = "support/tenants.rs"]
mod tenants;

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use stepup::{Compiler, Facts, Policy};

use cold::Function;
use inputs::Random;
use tenants::{compiled, facts_of};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// How many policies there are.
const POLICIES: usize = 100_000;

/// How many decide or are called in a row, each for the first time since the caches were emptied.
const COLD: usize = cold::FUNCTIONS.len();

/// More memory than the caches hold, in words.
const SWEPT: usize = 16 << 20;

/// All policies, made by two threads.
fn compile_all(compiler: &Compiler, count: usize) -> Vec<Policy> {
    let compile = |tenant: usize| compiled(compiler, tenant);
    let middle = count / 2;
    thread::scope(|scope| {
        let upper = scope.spawn(move || (middle..count).map(compile).collect::<Vec<_>>());
        let mut policies: Vec<Policy> = Vec::with_capacity(count);
        policies.extend((0..middle).map(compile));
        policies.extend(upper.join().expect("the other half compiles"));
        policies
    })
}

/// Empties the caches of what was there.
fn sweep(memory: &mut [u64]) {
    memory.iter_mut().for_each(|word| *word = word.wrapping_add(1));
    black_box(memory);
}

/// Nanoseconds for a decision, each by another policy that no cache holds, on facts that no cache holds.
fn cold_decision(policies: &[Policy], memory: &mut [u64]) -> f64 {
    let random = &mut Random(7);
    let chosen = (0..COLD).map(|_| &policies[random.below(policies.len() as u64) as usize]);
    let chosen: Vec<&Policy> = chosen.collect();
    let facts: Vec<Facts> = (0..).zip(&chosen).map(|(login, policy)| facts_of(policy, login)).collect();
    let steps: Vec<_> = chosen.iter().map(|policy| policy.steps().next().expect("it has two")).collect();
    sweep(memory);
    let start = Instant::now();
    let mut sum = 0u64;
    for (step, facts) in steps.iter().zip(&facts) {
        let word = step.decide_word(facts).map_or(0, |word| word.0);
        sum = black_box(sum.wrapping_add(word));
    }
    start.elapsed().as_nanos() as f64 / COLD as f64
}

/// Nanoseconds for a call of a Rust function through a pointer, each of another function, on words that no cache holds.
fn cold_call(functions: &[Function], memory: &mut [u64]) -> f64 {
    let random = &mut Random(7);
    let chosen = |_| functions[random.below(functions.len() as u64) as usize];
    let functions: Vec<Function> = (0..COLD).map(chosen).collect();
    let words: Vec<Box<[u64; 8]>> = (0..COLD as u64).map(words_of).collect();
    sweep(memory);
    let start = Instant::now();
    let mut sum = 0u64;
    for (function, words) in functions.iter().zip(&words) {
        sum = black_box(sum.wrapping_add(function(words)));
    }
    start.elapsed().as_nanos() as f64 / COLD as f64
}

/// The words of a login.
fn words_of(login: u64) -> Box<[u64; 8]> {
    Box::new([login & 2, login & 1, 0, 0, 0, 0, 0, 0])
}

/// Copies of the functions, as many as policies and as far apart as their code. They answer as the originals do.
fn copies(count: usize, distance: usize) -> Vec<Function> {
    // SAFETY: the functions are a few comparisons of numbers, and calculate with constants of their own.
    let copies = unsafe { scattered::scattered(cold::FUNCTIONS, count, distance) };
    let copies = copies.expect("memory for the copies");
    for (copy, function) in copies.iter().zip(cold::FUNCTIONS.iter().cycle()) {
        assert!((0..4).map(words_of).all(|words| copy(&words) == function(&words)), "a copy is as good");
    }
    copies
}

/// The least of each of three times.
fn least(rounds: impl Iterator<Item = [f64; 3]>) -> [f64; 3] {
    rounds.fold([f64::INFINITY; 3], |least, times| std::array::from_fn(|at| least[at].min(times[at])))
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (count, rounds) = if is_quick { (2_000, 2) } else { (POLICIES, 20) };
    let compiler = Compiler::new();
    drop(compile_all(&compiler, 16));
    let (heap, resident) = (counting::live(), process::resident());
    let start = Instant::now();
    let policies = compile_all(&compiler, count);
    let seconds = start.elapsed().as_secs_f64();
    let resident = process::resident().saturating_sub(resident) / count;
    let (heap, code) = ((counting::live() - heap) / count, compiler.code_usage().used / count);
    let mut memory = vec![0u64; SWEPT];
    let copies = copies(count, code);
    // All take turns, so that none has the quieter machine.
    let rounds = (0..rounds).map(|_| {
        let decision = cold_decision(&policies, &mut memory);
        [decision, cold_call(&copies, &mut memory), cold_call(cold::FUNCTIONS, &mut memory)]
    });
    let [decision, apart, together] = least(rounds);
    println!("\n| {count} policies of the seed's size, each different | each |");
    println!("|---|--:|");
    println!("| machine code | {code} B |");
    println!("| all else that is allocated | {heap} B |");
    println!("| resident in all | {resident} B |");
    println!("| a decision of a cold one | {decision:.0} ns |");
    println!("| a cold call of a Rust function pointer, {count} functions as far apart | {apart:.0} ns |");
    println!("| ratio to it | {:.2} |", decision / apart);
    println!("| the same, {COLD} functions side by side | {together:.0} ns |");
    println!("| ratio to that | {:.2} |", decision / together);
    println!("| all from source, on two threads | {seconds:.1} s |");
}
