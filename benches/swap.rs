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

/// How many pairs of quiet and swapping decisions there are.
const PAIRS: usize = 10;

/// A pair takes turns so often, since the machine's own pace changes from second to second.
const TURNS: usize = 20;

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

/// What the other core does meanwhile.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    Idles,
    /// Compiles policies as fast as it can, and swaps them in.
    Swaps,
    /// Compiles as fast, and drops what it has.
    Compiles,
}

/// What the windows of one side of a pair took, in nanoseconds a decision.
#[derive(Default)]
struct Windows(Vec<f64>);

impl Windows {
    /// Decides until the time is up, each window on the policy then in force.
    fn decide(&mut self, in_force: &InForce, length: Duration) {
        let mut policy = in_force.now();
        let mut facts: Vec<Facts> = (0..8).map(|login| facts_of(&policy, login)).collect();
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
            self.0.push(start.elapsed().as_nanos() as f64 / f64::from(WINDOW));
        }
    }

    /// The same beside another core; how many policies that compiled.
    fn decide_beside(
        &mut self,
        other: Other,
        compiler: &Compiler,
        in_force: &InForce,
        length: Duration,
    ) -> usize {
        let (done, compiles) = (AtomicBool::new(other == Other::Idles), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let policy = compiled(compiler, compiles.fetch_add(1, Ordering::Relaxed));
                    if other == Other::Swaps {
                        in_force.swap(policy);
                    }
                }
            });
            self.decide(in_force, length);
            done.store(true, Ordering::Relaxed);
        });
        compiles.into_inner()
    }

    /// The mean, and the 99.9th percentile.
    fn mean_and_tail(mut self) -> [f64; 2] {
        let windows = &mut self.0;
        windows.sort_unstable_by(f64::total_cmp);
        [windows.iter().sum::<f64>() / windows.len() as f64, windows[windows.len() * 999 / 1_000]]
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn swapping(compiler: &Compiler, pairs: usize, turn: Duration) {
    const SIDES: [Other; 3] = [Other::Idles, Other::Swaps, Other::Compiles];
    let in_force = InForce(RwLock::new(compiled(compiler, 0)));
    let mut swaps = 0;
    // By pair: by side, the mean and the tail.
    let figures: Vec<[[f64; 2]; 3]> = (0..pairs)
        .map(|_| {
            let mut windows: [Windows; 3] = Default::default();
            // Each side comes first, second and last as often.
            for place in (0..TURNS).flat_map(|turn| (turn..turn + SIDES.len()).map(|at| at % SIDES.len())) {
                let count = windows[place].decide_beside(SIDES[place], compiler, &in_force, turn);
                swaps += if SIDES[place] == Other::Swaps { count } else { 0 };
            }
            windows.map(Windows::mean_and_tail)
        })
        .collect();
    let ratio = |side: usize, what: usize| {
        median(figures.iter().map(|pair| pair[side][what] / pair[0][what]).collect())
    };
    println!(
        "\n| a decision while the other core swaps | ratio to a quiet one, median of {pairs} pairs | \
         the same where it compiles and swaps nothing |"
    );
    println!("|---|--:|--:|");
    let quiet = median(figures.iter().map(|pair| pair[0][0]).collect());
    for (what, name) in
        [format!("mean ({quiet:.2} ns when quiet)"), format!("99.9th percentile of windows of {WINDOW}")]
            .into_iter()
            .enumerate()
    {
        println!("| {name} | {:.3} | {:.3} |", ratio(1, what), ratio(2, what));
    }
    let swapping = turn.as_secs_f64() * (pairs * TURNS) as f64;
    println!("\n{} swaps a second", (swaps as f64 / swapping) as u64);
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
    swapping(&compiler, pairs, length / TURNS as u32);
    // As in a server, some policy is in force: else each compile has the system map the memory for code, and each drop
    // has it taken back.
    let _in_force = compiled(&compiler, 0);
    compiling(&compiler, pairs, length);
}
