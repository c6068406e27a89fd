//! Two cores: decisions on one while the other compiles and swaps policies, and compiles on both at once.
//!
//! `cargo bench --bench swap` prints the tables; `README.md` here says how they are made. A program of its own, since
//! it is about threads.
#![allow(clippy::print_stdout, reason = "a bench reports")]

#[path = "support/tenants.rs"]
mod tenants;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use stepup::{Compiler, Facts, Policy};

use tenants::{compiled, facts_of};

/// How many decisions one reading of the clock is about.
const WINDOW: u32 = 1_024;

/// How many pairs of a quiet and a swapping stretch there are, and how long each stretch is.
const PAIRS: usize = 10;

/// The policy that is in force, as a server holds it: whoever decides takes a clone for each batch of logins.
struct InForce(RwLock<Policy>);

impl InForce {
    fn now(&self) -> Policy {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }
}

/// What the windows of a stretch took, for one decision.
struct Stretch {
    mean: f64,
    /// The 99.9th percentile of the windows.
    tail: f64,
}

/// Decides until the time is up, each window on the policy then in force.
fn decide(in_force: &InForce, length: Duration) -> Stretch {
    let mut policy = in_force.now();
    let mut facts: Vec<Facts> = (0..8).map(|login| facts_of(&policy, login)).collect();
    let mut windows: Vec<f64> = Vec::with_capacity(1 << 20);
    let end = Instant::now() + length;
    while Instant::now() < end {
        let current = in_force.now();
        if current.digest() != policy.digest() {
            facts = (0..8).map(|login| facts_of(&current, login)).collect();
            policy = current;
        }
        let step = policy.steps().next().expect("it has two steps");
        let start = Instant::now();
        let mut sum = 0u64;
        for decision in 0..WINDOW {
            let word = step.decide_word(&facts[decision as usize % 8]).map_or(0, |word| word.0);
            sum = sum.wrapping_add(word);
        }
        black_box(sum);
        windows.push(start.elapsed().as_nanos() as f64 / f64::from(WINDOW));
    }
    windows.sort_unstable_by(f64::total_cmp);
    let mean = windows.iter().sum::<f64>() / windows.len() as f64;
    Stretch { mean, tail: windows[windows.len() * 999 / 1_000] }
}

/// What the other core does with the policies that it compiles.
#[derive(Clone, Copy, PartialEq)]
enum Compiled {
    Swapped,
    Dropped,
}

/// A stretch in which the other core compiles as fast as it can; and how often it did.
fn decide_beside_compiles(
    compiler: &Compiler,
    in_force: &InForce,
    then: Compiled,
    length: Duration,
) -> (Stretch, usize) {
    let (done, compiles) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let policy = compiled(compiler, compiles.fetch_add(1, Ordering::Relaxed));
                match then {
                    Compiled::Swapped => in_force.swap(policy),
                    Compiled::Dropped => drop(policy),
                }
            }
        });
        let stretch = decide(in_force, length);
        done.store(true, Ordering::Relaxed);
        (stretch, compiles.load(Ordering::Relaxed))
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The means and tails of some stretches.
#[derive(Default)]
struct Stretches {
    means: Vec<f64>,
    tails: Vec<f64>,
}

impl Stretches {
    /// Notes a stretch as so many times a quiet one.
    fn note(&mut self, stretch: &Stretch, quiet: &Stretch) {
        self.means.push(stretch.mean / quiet.mean);
        self.tails.push(stretch.tail / quiet.tail);
    }
}

fn swapping(compiler: &Compiler, pairs: usize, length: Duration) {
    let in_force = InForce(RwLock::new(compiled(compiler, 0)));
    let (mut swapping, mut compiling) = (Stretches::default(), Stretches::default());
    let (mut quiet_means, mut swaps) = (Vec::new(), 0);
    for pair in 0..pairs {
        // Which of the two comes first changes from pair to pair.
        let before = (pair % 2 == 0).then(|| decide(&in_force, length));
        let (swapped, count) = decide_beside_compiles(compiler, &in_force, Compiled::Swapped, length);
        let (beside, _) = decide_beside_compiles(compiler, &in_force, Compiled::Dropped, length);
        let quiet = before.unwrap_or_else(|| decide(&in_force, length));
        swapping.note(&swapped, &quiet);
        compiling.note(&beside, &quiet);
        quiet_means.push(quiet.mean);
        swaps += count;
    }
    println!(
        "\n| a decision while the other core swaps | ratio to a quiet one, median of {pairs} pairs | \
         the same where it compiles and swaps nothing |"
    );
    println!("|---|--:|--:|");
    let [mean, tail] = [swapping.means, swapping.tails].map(median);
    let [mean_beside, tail_beside] = [compiling.means, compiling.tails].map(median);
    println!("| mean ({:.2} ns when quiet) | {mean:.3} | {mean_beside:.3} |", median(quiet_means));
    println!("| 99.9th percentile of windows of {WINDOW} | {tail:.3} | {tail_beside:.3} |");
    println!("\n{} swaps a second", (swaps as f64 / (length.as_secs_f64() * pairs as f64)) as u64);
}

/// How often two threads do some work in a while, to how often one does.
fn gain(work: impl Fn(usize) + Sync, length: Duration) -> f64 {
    let count = |threads: usize| {
        let end = Instant::now() + length;
        let run = |thread: usize| {
            let mut times = 0;
            while Instant::now() < end {
                work(thread * 1_000_000 + times);
                times += 1;
            }
            times
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || run(thread))).collect();
            run(0) + others.into_iter().map(|other| other.join().expect("it counts")).sum::<usize>()
        })
    };
    let alone = count(1);
    count(2) as f64 / alone as f64
}

/// Work that touches no memory.
fn arithmetic(seed: usize) {
    let mut number = seed as u64 | 1;
    for _ in 0..50_000 {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
    }
    black_box(number);
}

fn compiling(compiler: &Compiler, pairs: usize, length: Duration) {
    let (mut compiles, mut controls) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        controls.push(gain(arithmetic, length));
        compiles.push(gain(|number| drop(compiled(compiler, number)), length));
    }
    let (compiles, control) = (median(compiles), median(controls));
    println!("\n| two threads to one, allocator: the system's (glibc) | gain |");
    println!("|---|--:|");
    println!("| arithmetic alone | {control:.2} |");
    println!("| compiles | {compiles:.2} |");
    println!("| ratio | {:.2} |", compiles / control);
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (pairs, length) = if is_quick { (1, 20) } else { (PAIRS, 500) };
    let length = Duration::from_millis(length);
    let compiler = Compiler::new();
    swapping(&compiler, pairs, length);
    // As in a server, some policy is in force: else each compile has the system map the memory for code, and each drop
    // has it taken back.
    let _in_force = compiled(&compiler, 0);
    compiling(&compiler, pairs, length);
}
