//! The proof over all logins, held to an enumeration of them that shares nothing with it.
//!
//! `generate` builds random small flows; `brute` plays each of them on every valuation of a candidate set, with every
//! choice at every prompt and every way in which windows may run out. What the analysis says must be what was seen.
//! `policies` and `questions` are written ones, through the front door; `confirmed` are random ones as text.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it tried"
)]

mod brute;
#[path = "../common/mod.rs"]
mod common;
mod confirmed;
mod generate;
mod policies;
mod questions;

use std::collections::{BTreeMap, BTreeSet};

use common::choices::Choices;
use common::{login, oracle, typed};
use cranelift_entity::EntityRef;

use brute::Claim;
use generate::Size;
use stepup::check::policy::{StepId, TypedPolicy};
use stepup::flow::{Analysis, Budget, Limit, Login, Proof, Question, Scope, analyze};
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
            confirm(seed, flow, login, Claim::FifthCommand);
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
    for lost in &analysis.lost {
        confirm(seed, flow, &lost.login, Claim::CommandsBefore(lost.denial));
    }
}

fn confirm(seed: u64, flow: &generate::Flow, login: &Login, claim: Claim) {
    if let Err(why) = brute::confirms(flow, login, claim) {
        panic!("seed {seed}: {why}: {claim:?} is not shown by {login:#?}\n{}", show(&flow.policy));
    }
}

/// The answers to questions and guarantees; the limit is proven.
fn check_answers(seed: u64, flow: &generate::Flow, analysis: &Analysis, played: &brute::Played) {
    let policy = &flow.policy;
    assert_eq!(analysis.unanswered, None, "seed {seed}");
    let claimed: BTreeSet<_> = analysis.findings.iter().map(|f| (f.span, f.question)).collect();
    let seen = brute::findings(played);
    assert_eq!(claimed, seen, "seed {seed}: findings\n{}", show(policy));
    for finding in &analysis.findings {
        confirm(seed, flow, &finding.login, Claim::Finding(finding.question, finding.span));
    }
    assert_eq!(analysis.guarantees.len(), policy.guarantees.len());
    for ((answer, guarantee), seen) in
        analysis.guarantees.iter().zip(&policy.guarantees).zip(&played.guarantees)
    {
        let name = format!("seed {seed}: {}", guarantee.name);
        match &answer.proof {
            Proof::Proven => {
                assert!(!seen.is_broken() && seen.premise_is_met, "{name} is proven\n{}", show(policy))
            }
            Proof::Vacuous => {
                assert!(!seen.is_broken() && !seen.premise_is_met, "{name} is vacuous\n{}", show(policy));
            }
            Proof::Refuted(login) => {
                assert!(seen.is_broken(), "{name} is refuted by {login:#?}\n{}", show(policy));
                confirm(seed, flow, login, Claim::Breaks(guarantee.condition));
                let prompts = login.ended.as_ref().map(|ended| ended.session.prompts);
                assert_eq!(
                    prompts,
                    seen.fewest_prompts(),
                    "{name}: not the shortest {login:#?}\n{}",
                    show(policy)
                );
            }
        }
    }
}

fn show(policy: &TypedPolicy) -> String {
    format!("{:#?}\n{:#?}", policy.conditions, policy.steps)
}

/// What random flows came to.
#[derive(Default)]
struct Tally {
    flows: u64,
    logins: u64,
    fifth: u64,
    constant: u64,
    findings: BTreeMap<Question, u64>,
    proven: u64,
    vacuous: u64,
    refuted: u64,
}

impl Tally {
    fn add(&mut self, analysis: &Analysis, played: &brute::Played) {
        self.flows += 1;
        self.logins += played.logins;
        self.fifth += u64::from(played.fifth);
        self.constant += u64::from(!analysis.constant.is_empty());
        for finding in &analysis.findings {
            *self.findings.entry(finding.question).or_default() += 1;
        }
        for answer in &analysis.guarantees {
            match answer.proof {
                Proof::Proven => self.proven += 1,
                Proof::Vacuous => self.vacuous += 1,
                Proof::Refuted(_) => self.refuted += 1,
            }
        }
    }

    fn join(mut self, other: Tally) -> Tally {
        self.flows += other.flows;
        self.logins += other.logins;
        self.fifth += other.fifth;
        self.constant += other.constant;
        for (question, count) in other.findings {
            *self.findings.entry(question).or_default() += count;
        }
        self.proven += other.proven;
        self.vacuous += other.vacuous;
        self.refuted += other.refuted;
        self
    }

    /// That the flows had enough of everything for the comparison to mean something.
    fn is_varied(&self) {
        println!(
            "{} flows, {} logins: {} over the limit, {} with constant conditions; guarantees: {} proven, {} vacuous, \
             {} refuted; findings: {:?}",
            self.flows,
            self.logins,
            self.fifth,
            self.constant,
            self.proven,
            self.vacuous,
            self.refuted,
            self.findings
        );
        if self.flows < 1_000 {
            return;
        }
        let share = |count: u64, percent: u64| {
            assert!(count * 100 > self.flows * percent, "{count} of {} flows", self.flows);
        };
        share(self.fifth, 5);
        share(self.flows - self.fifth, 50);
        share(self.constant, 5);
        [self.proven, self.vacuous, self.refuted].into_iter().for_each(|count| share(count, 10));
        assert_eq!(self.findings.len(), 7, "a question is never answered: {:?}", self.findings);
        self.findings.values().for_each(|count| share(*count, 1));
    }
}

/// Holds the analysis of some flows to the player. Nine of ten are tiny, so that there can be many.
fn hold(seeds: impl Iterator<Item = u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let flow = generate::flow(seed, if seed % 10 == 0 { Size::Small } else { Size::Tiny });
        let played = brute::play(&flow);
        let analysis = analyze(&flow.policy, Scope::Everything, &Budget::default());
        check(seed, &flow, &analysis, &played);
        if !played.fifth {
            check_answers(seed, &flow, &analysis, &played);
        }
        tally.add(&analysis, &played);
    }
    tally
}

/// `STEPUP_CASES=200000 cargo test --release --test flow` plays more; `STEPUP_SEED` says from which one on.
#[test]
fn what_the_proofs_say_of_random_flows_is_what_enumeration_sees() {
    let start: u64 = std::env::var("STEPUP_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let seeds = start..start + cases(5_000);
    let (some, others) = std::thread::scope(|scope| {
        let others = scope.spawn(|| hold(seeds.clone().filter(|seed| seed % 4 < 2)));
        (hold(seeds.clone().filter(|seed| seed % 4 >= 2)), others.join().unwrap())
    });
    some.join(others).is_varied();
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
