//! JSON text of a login event to a decision, against what a server could write by hand, in one run.
//!
//! `cargo bench --bench read` prints two tables; `README.md` here says how they are made.
#![allow(clippy::print_stdout, reason = "a bench reports")]

#[path = "support/applications.rs"]
mod applications;
#[path = "support/clock.rs"]
mod clock;
#[path = "support/events.rs"]
mod events;
#[allow(dead_code, reason = "the logins are those of other benches")]
#[path = "support/inputs.rs"]
mod inputs;

use std::collections::BTreeSet;
use std::hint::black_box;

use clock::{Contender, fastest, time_for};
use events::{Action1, ByApplication, EVENTS};
use inputs::Random;
use serde::de::IgnoredAny;
use stepup::lower::program::DecisionWord;
use stepup::{Compiler, Facts, Policy};

/// How many events are read in a pass, picked at random.
const PICKS: usize = 8192;

/// A policy, and the same decision in Rust from what serde reads.
struct Case {
    name: &'static str,
    policy: Policy,
    by_hand: fn(&[u8]) -> u64,
}

fn cases() -> [Case; 2] {
    [
        Case { name: "the seed's Action 1", policy: policy(events::ACTION_1), by_hand: action_1_by_hand },
        Case {
            name: "50 rules by application",
            policy: policy(&events::fifty_rules()),
            by_hand: fifty_rules_by_hand,
        },
    ]
}

fn policy(text: &str) -> Policy {
    Compiler::new().compile([("bench.stepup", text)]).expect("the policy compiles").policy
}

/// Action 1, with command numbers of its own.
fn action_1_by_hand(event: &[u8]) -> u64 {
    let Action1 { user } = serde_json::from_slice(event).expect("an event");
    let (is_admin, enrolled) = (user.app_metadata.is_admin, user.enrolled);
    match (enrolled.is_empty, is_admin) {
        (false, true) if !enrolled.has_key => 0x0003_0002,
        (false, _) => 2,
        (true, true) => 0x0001_0001,
        (true, false) => 1,
    }
}

fn fifty_rules_by_hand(event: &[u8]) -> u64 {
    let ByApplication { client } = serde_json::from_slice(event).expect("an event");
    applications::NUMBERS.get(&*client.client_id).map_or(0, |number| 1 + number % 4)
}

/// Reads an event and decides.
fn decide(policy: &Policy, facts: &mut Facts, event: &[u8]) -> u64 {
    facts.read_json(event).expect("an event");
    let step = policy.steps().next().expect("a step");
    step.decide_word(facts).map_or(0, |DecisionWord(word)| word)
}

/// Asserts that both decide alike: each decision of one is always the same of the other.
fn alike(ours: impl Iterator<Item = u64>, by_hand: impl Iterator<Item = u64>) {
    let pairs: BTreeSet<(u64, u64)> = ours.zip(by_hand).collect();
    let ours: BTreeSet<u64> = pairs.iter().map(|(ours, _)| *ours).collect();
    let by_hand: BTreeSet<u64> = pairs.iter().map(|(_, by_hand)| *by_hand).collect();
    assert!(pairs.len() == ours.len() && pairs.len() == by_hand.len(), "{pairs:?}");
}

/// Reads events in an order that differs from pass to pass.
fn pass<'e>(events: &'e [String], mut read: impl FnMut(&'e [u8]) -> u64 + 'e) -> impl FnMut() -> u64 + 'e {
    let mut random = Random(1);
    move || {
        (0..PICKS).fold(0, |sum: u64, _| {
            sum.wrapping_add(read(black_box(events[random.below(EVENTS as u64) as usize].as_bytes())))
        })
    }
}

fn readers() {
    let random = &mut Random(0x5EED);
    let events: Vec<String> = (0..EVENTS).map(|_| events::event(random)).collect();
    let size = events.iter().map(String::len).sum::<usize>() / EVENTS;
    println!("\n| policy, {size} bytes of JSON | reader | an event | ratio |");
    println!("|---|---|--:|--:|");
    for Case { name, policy, by_hand } in cases() {
        let mut facts = policy.facts();
        let decide_all = events.iter().map(|event| decide(&policy, &mut facts, event.as_bytes()));
        alike(decide_all, events.iter().map(|event| by_hand(event.as_bytes())));
        let mut contenders = [
            Contender::new("serde into a borrowed struct, native Rust", pass(&events, by_hand)),
            Contender::new("stepup", pass(&events, |event| decide(&policy, &mut facts, event))),
            Contender::new(
                "serde_json skips all",
                pass(&events, |event| serde_json::from_slice::<IgnoredAny>(event).map_or(0, |_| 1)),
            ),
            Contender::new(
                "sonic-rs to a value",
                pass(&events, |event| sonic_rs::from_slice::<sonic_rs::Value>(event).map_or(0, |_| 1)),
            ),
            Contender::new(
                "serde_json to a value",
                pass(&events, |event| serde_json::from_slice::<serde_json::Value>(event).map_or(0, |_| 1)),
            ),
        ];
        let times = fastest(&mut contenders, time_for(5.0));
        for (contender, time) in contenders.iter().zip(&times) {
            let (nanoseconds, ratio) = (time * 1e9 / PICKS as f64, time / times[0]);
            println!("| {name} | {} | {nanoseconds:.0} ns | {ratio:.2} |", contender.name);
        }
    }
}

/// How the time grows with parts of the event that nothing reads.
fn growth() {
    let policy = policy(events::ACTION_1);
    println!("\n| event | a scan for one byte | stepup | ratio | serde_json skips all | ratio |");
    println!("|--:|--:|--:|--:|--:|--:|");
    for bytes in [3_600, 36_000, 360_000, 3_600_000] {
        let event = events::event_of(&mut Random(7), bytes);
        let event = event.as_bytes();
        let times = 3_600_000 / bytes;
        let mut facts = policy.facts();
        let mut contenders = [
            Contender::new("scan", || {
                repeated(times, event, |event| memchr::memchr(0, event).map_or(1, |_| 0))
            }),
            Contender::new("stepup", || repeated(times, event, |event| decide(&policy, &mut facts, event))),
            Contender::new("serde_json", || {
                repeated(times, event, |event| serde_json::from_slice::<IgnoredAny>(event).map_or(0, |_| 1))
            }),
        ];
        let times_taken = fastest(&mut contenders, time_for(2.0));
        let speed = |time: &f64| (event.len() * times) as f64 / time / 1e9;
        let [scan, stepup, serde] = [0, 1, 2].map(|place| speed(&times_taken[place]));
        println!(
            "| {} KB | {scan:.1} GB/s | {stepup:.1} GB/s | {:.1} | {serde:.1} GB/s | {:.1} |",
            event.len() as f64 / 1000.0,
            scan / stepup,
            scan / serde
        );
    }
}

fn repeated(times: usize, event: &[u8], mut read: impl FnMut(&[u8]) -> u64) -> u64 {
    (0..times).fold(0, |sum: u64, _| sum.wrapping_add(read(black_box(event))))
}

fn main() {
    readers();
    growth();
}
