//! The proof over all logins, held to an enumeration of them that shares nothing with it.
//!
//! `generate` builds random small flows; `brute` plays each of them on every valuation of a candidate set, with every
//! choice at every prompt and every way in which windows may run out. What the analysis says must be what was seen.
//! `policies` are written ones, through the front door.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it tried"
)]

mod brute;
#[path = "../common/mod.rs"]
mod common;
mod generate;
mod policies;

use std::collections::BTreeSet;

use common::choices::Choices;
use common::{login, oracle, typed};
use cranelift_entity::EntityRef;

use stepup::check::policy::{StepId, TypedPolicy};
use stepup::flow::{Analysis, Budget, Limit, Scope, analyze};
use stepup::source::Span;

/// How many random flows a test plays; more by `STEPUP_CASES`.
fn cases(default: u64) -> u64 {
    std::env::var("STEPUP_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The constants that were seen, of those texts that the analysis counts.
fn seen_constants(played: &brute::Played) -> BTreeSet<(Span, bool)> {
    played.answers.iter().filter(|(_, (yes, no))| yes != no).map(|(span, (yes, _))| (*span, *yes)).collect()
}

fn check(seed: u64, flow: &generate::Flow, analysis: &Analysis, played: &brute::Played) {
    let policy = &flow.policy;
    match &analysis.limit {
        Limit::Proven => assert!(!played.fifth, "seed {seed}: a fifth command was missed\n{}", show(policy)),
        Limit::FifthCommand(login) => {
            assert!(
                brute::confirms(policy, login),
                "seed {seed}: no such login {login:#?}\n{}",
                show(policy)
            );
            assert!(played.fifth, "seed {seed}: a fifth command was invented {login:#?}\n{}", show(policy));
        }
        Limit::BudgetExceeded(exceeded) => panic!("seed {seed}: {exceeded}"),
    }
    let claimed: BTreeSet<_> = analysis.constant.iter().map(|c| (c.span, c.always)).collect();
    assert_eq!(claimed, seen_constants(played), "seed {seed}: constants\n{}", show(policy));
    for unreachable in analysis.unreachable.iter().filter(|u| u.step.is_none()) {
        assert!(
            !played.reached.contains(&unreachable.span),
            "seed {seed}: reached {unreachable:?}\n{}",
            show(policy)
        );
    }
    if played.fifth || !analysis.constant.is_empty() {
        // What follows from these is not reported.
    } else {
        let claimed: BTreeSet<_> = analysis.unreachable.iter().map(|u| u.span).collect();
        assert_eq!(claimed, brute::unreached(policy, played), "seed {seed}: unreachable\n{}", show(policy));
    }
    let lost: BTreeSet<_> = analysis.lost.iter().map(|lost| lost.denial).collect();
    assert_eq!(lost, played.lost, "seed {seed}: lost commands\n{}", show(policy));
}

fn show(policy: &TypedPolicy) -> String {
    format!("{:#?}\n{:#?}", policy.conditions, policy.steps)
}

#[test]
fn what_the_proof_says_of_random_flows_is_what_enumeration_sees() {
    let start = std::env::var("STEPUP_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let (mut fifth, mut constant, mut logins) = (0, 0, 0);
    let count = cases(300);
    for seed in start..start + count {
        let flow = generate::flow(seed);
        let played = brute::play(&flow);
        let analysis = analyze(&flow.policy, Scope::Everything, &Budget::default());
        check(seed, &flow, &analysis, &played);
        fifth += u64::from(played.fifth);
        constant += u64::from(!analysis.constant.is_empty());
        logins += played.logins;
    }
    println!("{count} flows, {logins} logins: {fifth} over the limit, {constant} with constant conditions");
    assert!(count < 100 || (fifth * 10 > count && fifth * 10 < count * 9), "{fifth} of {count} flows");
    assert!(count < 100 || constant * 20 > count, "{constant} of {count} flows have constant conditions");
}

/// Policies over facts of every type and every kind of absence: too many logins to play them all, so some are drawn.
/// What the analysis finds it replays itself, and a debug build panics where it can't.
#[test]
fn no_drawn_login_executes_a_fifth_command_in_a_flow_that_is_proven() {
    let (mut fifth, mut drawn, mut too_large) = (0, 0, 0);
    let count = cases(150);
    for seed in 0..count {
        let mut random = generate::Random::new(seed);
        let mut bytes = |length: usize| (0..length).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
        let policy = typed::typed_policy(&mut Choices(&bytes(2_000)));
        let analysis = analyze(&policy, Scope::Everything, &Budget::default());
        let is_proven = match &analysis.limit {
            Limit::Proven => true,
            Limit::FifthCommand(_) => false,
            // Six strings linked by equality and everything else beside: rare, but it happens.
            Limit::BudgetExceeded(_) => {
                too_large += 1;
                continue;
            }
        };
        fifth += u64::from(!is_proven);
        let vocabulary = typed::vocabulary();
        for _ in 0..40 {
            let mut login = login::login(&vocabulary, &mut Choices(&bytes(200)));
            // Nothing is passed before the first step.
            login.in_login.clear();
            let exceeds = oracle::decide(&policy, &login, StepId::new(0)) == oracle::Outcome::LimitExceeded;
            assert!(!(exceeds && is_proven), "seed {seed}: {login:?} was missed\n{}", show(&policy));
            drawn += u64::from(exceeds);
        }
    }
    println!("{count} flows: {fifth} over the limit, seen by {drawn} drawn logins; {too_large} too large");
    assert!(too_large * 50 <= count, "{too_large} of {count} flows are too large");
    assert!(count < 100 || (fifth * 10 > count && fifth * 10 < count * 9), "{fifth} of {count} flows");
}
