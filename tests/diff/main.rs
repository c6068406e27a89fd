//! What a comparison says of two flows, held to an enumeration of all their logins.
//!
//! `generate` builds a random small flow and changes it. Every login of a candidate set is played through both, with
//! every answer at every prompt and every way in which windows may run out meanwhile. Each login that sees something
//! else lies in just one class, every other in none, and weaker is what can complete with less. `policies` are written
//! ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it tried"
)]

#[path = "../flow/brute/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other half is another test's")]
mod brute;
#[path = "../flow/generate.rs"]
#[allow(dead_code, reason = "the other half is another test's")]
mod generate;
mod policies;

use std::collections::{BTreeMap, BTreeSet};

use stepup::check::policy::{ConditionKind, FactorId, PresenceId, VariableId, Window};
use stepup::flow::Budget;
use stepup::flow::compare::{
    Answers, Comparison, Detail, LiteralTest, Merged, Seen, Side, Strength, When, compare, play,
};
use stepup::trace::{Event, Session, StepFacts};

/// How many random pairs a test plays; more by `STEPUP_CASES`.
fn cases(default: u64) -> u64 {
    std::env::var("STEPUP_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn event(facts: &brute::Facts) -> Event {
    let presences = [(generate::ORG, facts.org), (generate::HAS_EMAIL, facts.has_email)];
    Event {
        variables: facts
            .values
            .iter()
            .map(|(id, value)| (VariableId::from_u32(*id), value.clone()))
            .collect(),
        presences: presences.into_iter().map(|(id, there)| (PresenceId::from_u32(id), there)).collect(),
        enrolled: facts.enrolled,
        performed: facts.stamps.iter().map(|(id, stamp)| (FactorId::from_u32(*id), *stamp)).collect(),
        now: facts.now,
        supported: !0,
    }
}

/// The lengths of the windows over each factor.
fn windows(merged: &Merged) -> BTreeMap<FactorId, BTreeSet<i64>> {
    let mut windows: BTreeMap<FactorId, BTreeSet<i64>> = BTreeMap::new();
    for condition in merged.policy.conditions.values() {
        if let ConditionKind::Performed(factor, Window::Within(length)) = condition.kind {
            windows.entry(factor).or_default().insert(length);
        }
    }
    windows
}

/// The answers after one more, by how old the earlier ones are found then: an age is the least that it can be, or the
/// length of a window over its factor.
fn answered(
    answers: &Answers,
    factor: FactorId,
    windows: &BTreeMap<FactorId, BTreeSet<i64>>,
) -> Vec<Answers> {
    let mut next = answers.clone();
    next.factors.push(factor);
    let count = next.factors.len();
    let mut found = vec![next];
    for place in (0..count - 1).rev() {
        found = found
            .into_iter()
            .flat_map(|answers| {
                let newer = if place + 2 == count { 0 } else { answers.age(count, place + 1) };
                let least = newer.max(answers.age(count - 1, place));
                let own = windows.get(&answers.factors[place]).into_iter().flatten().copied();
                let ages = std::iter::once(least).chain(own.filter(move |length| *length > least));
                ages.map(|age| {
                    let mut answers = answers.clone();
                    answers.ages.insert((count, place), age);
                    answers
                })
                .collect::<Vec<_>>()
            })
            .collect();
    }
    found
}

fn holds(merged: &Merged, when: &When, event: &Event, answers: &Answers) -> bool {
    let session = Session::default();
    let mut facts = StepFacts::new(&merged.policy, event, &session);
    when.any.iter().any(|all| {
        all.iter().all(|literal| {
            let answer = match literal.test {
                LiteralTest::Fact(condition) => facts.holds(condition),
                LiteralTest::Answer(test) => answers.hold(test),
            };
            answer == literal.holds
        })
    })
}

/// The classes that a login is said to be in after some answers.
fn classes_of(comparison: &Comparison, event: &Event, answers: &Answers) -> usize {
    let here = comparison.classes.iter().filter(|class| {
        class.after_prompts == answers.factors.len() && holds(&comparison.merged, &class.when, event, answers)
    });
    here.count()
}

struct Checker<'a> {
    seed: u64,
    detail: Detail,
    comparison: &'a Comparison,
    windows: BTreeMap<FactorId, BTreeSet<i64>>,
    differences: u64,
    points: u64,
}

impl Checker<'_> {
    /// Follows one login through both flows, in every way, until it sees a difference.
    fn follow(&mut self, event: &Event, answers: &Answers) {
        self.points += 1;
        let merged = &self.comparison.merged;
        let old = play(merged, Side::Old, event, answers, self.detail);
        let new = play(merged, Side::New, event, answers, self.detail);
        let differs = old.seen != new.seen;
        let classes = classes_of(self.comparison, event, answers);
        let seed = self.seed;
        assert_eq!(
            classes,
            usize::from(differs),
            "seed {seed}: {event:?} {answers:?}\n{old:?}\n{new:?}\n{}",
            self.comparison
        );
        if differs {
            self.differences += 1;
            return;
        }
        if let Some(Seen::Prompt { factors, .. }) = old.seen.last() {
            for (factor, _) in factors {
                for answers in answered(answers, *factor, &self.windows) {
                    self.follow(event, &answers);
                }
            }
        }
    }

    /// Every way in which one flow completes.
    fn completed(&self, side: Side, event: &Event, answers: &Answers) -> Vec<(Strength, Answers)> {
        let played = play(&self.comparison.merged, side, event, answers, Detail::Visible);
        match played.seen.last() {
            Some(Seen::Completed) => {
                let catalog = &self.comparison.merged.policy.catalog;
                vec![(Strength::of(catalog, played.passed), answers.clone())]
            }
            Some(Seen::Prompt { factors, .. }) => {
                let ways = factors.iter().flat_map(|(factor, _)| answered(answers, *factor, &self.windows));
                ways.flat_map(|answers| self.completed(side, event, &answers)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a login can complete with less, and whether the comparison says so of just those.
    fn weaker(&self, event: &Event) -> bool {
        let old = self.completed(Side::Old, event, &Answers::default());
        let mut any = false;
        for (strength, answers) in self.completed(Side::New, event, &Answers::default()) {
            let is_weaker = !old.iter().any(|(other, _)| other.is_at_most(&strength));
            let is_said = self
                .comparison
                .weaker
                .as_ref()
                .is_some_and(|weaker| holds(&self.comparison.merged, &weaker.when, event, &answers));
            assert_eq!(is_said, is_weaker, "seed {}: {event:?} {answers:?}\n{}", self.seed, self.comparison);
            any |= is_weaker;
        }
        any
    }
}

/// What a pair came to.
#[derive(Default)]
struct Tally {
    different: u64,
    weaker: u64,
    points: u64,
    shortened: u64,
}

fn check(seed: u64, detail: Detail, tally: &mut Tally) {
    let old = generate::flow(seed, generate::Size::Small);
    let new = generate::changed(&old, seed.wrapping_mul(0x9e37_79b9));
    let comparison = compare(&old.policy, &new.policy, detail, &Budget::default()).unwrap();
    let windows = windows(&comparison.merged);
    let mut checker = Checker { seed, detail, comparison: &comparison, windows, differences: 0, points: 0 };
    let is_shortened = comparison.classes.iter().any(|class| class.when.shortened)
        || comparison.weaker.as_ref().is_some_and(|weaker| weaker.when.shortened);
    if is_shortened {
        tally.shortened += 1;
        return;
    }
    let mut weaker = false;
    for facts in brute::valuations(&new) {
        let event = event(&facts);
        checker.follow(&event, &Answers::default());
        weaker |= checker.weaker(&event);
    }
    assert_eq!(comparison.is_same(), checker.differences == 0, "seed {seed}\n{comparison}");
    assert_eq!(comparison.weaker.is_some(), weaker, "seed {seed}\n{comparison}");
    for (number, class) in comparison.classes.iter().enumerate() {
        let example = &class.example;
        assert_eq!(
            classes_of(&comparison, &example.event, &example.answers),
            1,
            "seed {seed}: the example of {number}\n{comparison}"
        );
        assert!(holds(&comparison.merged, &class.when, &example.event, &example.answers), "seed {seed}");
        assert_ne!(class.before, class.after, "seed {seed}\n{comparison}");
    }
    tally.different += u64::from(!comparison.is_same());
    tally.weaker += u64::from(weaker);
    tally.points += checker.points;
}

fn check_all(count: u64, detail: Detail) {
    let start = std::env::var("STEPUP_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut tally = Tally::default();
    for seed in start..start + count {
        check(seed, detail, &mut tally);
    }
    let Tally { different, weaker, points, shortened } = tally;
    println!(
        "{count} pairs, {points} comparisons: {different} differ, {weaker} are weaker, {shortened} shortened"
    );
    assert!(count < 40 || (different * 10 > count && different * 10 < count * 9), "{different} of {count}");
    assert!(count < 40 || weaker * 20 > count, "{weaker} of {count} are weaker");
    assert!(shortened * 20 <= count, "{shortened} of {count} are shortened");
}

#[test]
fn what_a_comparison_says_of_random_pairs_is_what_enumeration_sees() {
    check_all(cases(80), Detail::Visible);
}

#[test]
fn steps_are_compared_as_enumeration_sees_them() {
    check_all(cases(40), Detail::Steps);
}
