//! Random policies on random logins: lowered, filled three ways and interpreted, they decide as the tree says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

mod common;

use common::choices::Choices;
use common::login::{Login, login};
use common::oracle::{self, Outcome, Shown};
use common::typed::{typed_policy, vocabulary};
use proptest::prelude::*;
use stepup::backend::interpret;
use stepup::check::policy::StepId;
use stepup::lower::lower;
use stepup::lower::program::{Node, Program, Test};
use stepup::runtime::{DecideError, Decision, Facts};

fn decide(program: &Program, step: StepId, facts: &Facts) -> Outcome {
    let words = facts.words_for(&program.interface.layout).expect("all is filled");
    let word = interpret::decide(&program.steps[step], words);
    let decision = match Decision::new(&program.interface, step, word, words) {
        Ok(decision) => decision,
        Err(DecideError::LimitExceeded) => return Outcome::LimitExceeded,
        Err(error) => panic!("{error}"),
    };
    match decision.denied() {
        Some(reason) => Outcome::Denied(reason.to_owned()),
        None => Outcome::Commands(decision.commands().map(shown).collect()),
    }
}

fn shown(command: stepup::runtime::Command<'_>) -> Shown {
    let factors = command.factors.into_iter().map(|factor| (factor.name.to_owned(), factor.options));
    Shown { kind: command.kind, style: command.style, factors: factors.collect() }
}

/// The facts of a login, by each way in; the same record is reused for all.
fn each_way(facts: &mut Facts, login: &Login, mut check: impl FnMut(&Facts, &str)) {
    let vocabulary = vocabulary();
    login.fill_slots(&vocabulary, facts);
    check(facts, "slots");
    let event = login.event(&vocabulary);
    facts.read_json(event.to_string().as_bytes()).expect("the event fits the policy");
    login.fill_host(facts);
    check(facts, "JSON text");
    facts.read_from(&event).expect("the event fits the policy");
    login.fill_host(facts);
    check(facts, "a value that serializes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_lowered_policy_decides_as_its_tree_does_on_facts_filled_any_way(
        policy in proptest::collection::vec(any::<u8>(), 0..700),
        logins in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..160), 10),
    ) {
        let policy = typed_policy(&mut Choices(&policy));
        let program = lower(&policy).expect("small policies stay within all bounds");
        let mut facts = Facts::new(&program.interface.layout);
        for bytes in logins {
            let login = login(&vocabulary(), &mut Choices(&bytes));
            each_way(&mut facts, &login, |facts, way| {
                for step in policy.steps.keys() {
                    let expected = oracle::decide(&policy, &login, step);
                    assert_eq!(decide(&program, step, facts), expected, "filled through {way}");
                }
            });
        }
    }
}

/// Bytes of a fixed series, for tests that must not depend on chance.
fn series(mut seed: u64, length: usize) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn random_policies_and_logins_reach_every_kind_of_block_test_and_outcome() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..400 {
        let policy = typed_policy(&mut Choices(&series(seed, 600)));
        let program = lower(&policy).unwrap();
        for node in program.steps.values().flat_map(|step| step.nodes.values()) {
            seen.insert(match node {
                Node::End => "end",
                Node::Deny(_) => "deny",
                Node::Command { .. } => "command",
                Node::Switch { .. } => "switch",
                Node::Branch { test: Test::AnyBit { .. }, .. } => "any bit",
                Node::Branch { test: Test::Masked { .. }, .. } => "masked",
                Node::Branch { test: Test::Between { .. }, .. } => "between",
                Node::Branch { test: Test::OneOf { .. }, .. } => "one of",
                Node::Branch { test: Test::Age { .. }, .. } => "age",
                Node::Branch { test: Test::Count { .. }, .. } => "count",
            });
        }
        let login = login(&vocabulary(), &mut Choices(&series(seed + 1000, 160)));
        for step in policy.steps.keys() {
            seen.insert(match oracle::decide(&policy, &login, step) {
                Outcome::Commands(commands) if commands.is_empty() => "nothing",
                Outcome::Commands(_) => "commands",
                Outcome::Denied(_) => "denied",
                Outcome::LimitExceeded => "limit exceeded",
            });
        }
    }
    assert_eq!(seen.len(), 14, "{seen:?}");
}
