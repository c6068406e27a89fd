//! Each kind of class, held to trying values.

use std::collections::{BTreeMap, BTreeSet};

use super::address::region_witnesses;
use super::cells::{Cells, Cuts};
use super::reads::{MomentReads, TextReads};
use super::text::TextClasses;
use super::time::{StampOf, Times};
use crate::check::policy::{Comparison, TextTest, VariableId, View};
use crate::flow::budget::{Budget, BudgetExceeded};
use crate::trace::{matches, view_of};

/// A sequence of numbers that looks random.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |end| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % end as u64) as usize
    }
}

/// All texts over some characters up to a length.
fn words(alphabet: &[char], length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut longest = all.clone();
    for _ in 0..length {
        longest =
            longest.iter().flat_map(|word| alphabet.iter().map(move |c| format!("{word}{c}"))).collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// What a policy sees of a text.
fn answers(reads: &TextReads, text: &str) -> Vec<bool> {
    let equal =
        reads.equal.iter().map(|(view, constant)| view_of(text, *view).is_some_and(|seen| seen == *constant));
    let patterns =
        reads.patterns.iter().map(|(view, test)| view_of(text, *view).is_some_and(|s| matches(test, &s)));
    equal.chain(patterns).chain([text.contains('@') && reads.domain]).collect()
}

fn random_reads(seed: u64) -> TextReads {
    let mut below = numbers(seed);
    let mut reads = TextReads::default();
    for _ in 0..1 + below(4) {
        let view = [View::Whole, View::Lower, View::Domain][below(3)];
        let literal = ["", "a", "A", "ab", "aB", "@", "@a", "ba", "bb"][below(9)].to_owned();
        reads.domain |= view == View::Domain;
        match below(4) {
            0 => drop(reads.patterns.insert((view, TextTest::StartsWith(literal)))),
            1 => drop(reads.patterns.insert((view, TextTest::EndsWith(literal)))),
            2 => drop(reads.patterns.insert((view, TextTest::Contains(literal)))),
            _ => drop(reads.equal.insert((view, literal))),
        }
    }
    reads
}

#[test]
fn every_text_lies_in_a_class_and_every_class_has_its_texts() {
    let texts = words(&['a', 'A', 'b', 'B', '@', 'x'], 5);
    for seed in 1..120 {
        let reads = random_reads(seed);
        let classes = TextClasses::new(&reads, 3, &Budget::default()).expect("few patterns");
        let mut by_answers: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
        for class in 0..classes.count() as u32 {
            let kinds: BTreeSet<_> = classes.texts(class).iter().map(|text| answers(&reads, text)).collect();
            assert_eq!(
                kinds.len(),
                1,
                "texts of one class are alike: {:?} in {reads:?}",
                classes.texts(class)
            );
            let distinct: BTreeSet<_> = classes.texts(class).iter().collect();
            assert_eq!(distinct.len(), classes.texts(class).len(), "texts of a class differ");
            let before = by_answers.insert(kinds.into_iter().next().unwrap_or_default(), class);
            assert_eq!(before, None, "two classes are told apart: {reads:?}");
        }
        for text in &texts {
            let class = by_answers.get(&answers(&reads, text));
            assert!(class.is_some(), "{text:?} is in no class of {reads:?}");
            let known = class.map_or(&[][..], |class| classes.texts(*class));
            // A class with fewer texts than wanted has no others.
            assert!(known.len() == 3 || known.contains(text), "{text:?} is not among {known:?} of {reads:?}");
        }
    }
}

#[test]
fn a_suffix_with_one_domain_excludes_another() {
    let reads = TextReads {
        equal: BTreeSet::from([(View::Domain, "b.com".to_owned())]),
        patterns: BTreeSet::from([(View::Whole, TextTest::EndsWith("@a.com".to_owned()))]),
        domain: true,
    };
    let classes = TextClasses::new(&reads, 1, &Budget::default()).expect("few patterns");
    let ends = classes.passing(View::Whole, &TextTest::EndsWith("@a.com".to_owned()));
    let domain = classes.passing(View::Domain, &TextTest::OneOf(vec!["b.com".to_owned()]));
    assert!(!ends.is_empty() && !domain.is_empty());
    assert!(ends.iter().all(|class| !domain.contains(class)));
}

#[test]
fn substrings_that_multiply_exceed_the_budget_of_states() {
    let literals = (b'a'..b'a' + 24).map(|c| String::from_utf8_lossy(&[c, c + 1]).into_owned());
    let patterns = literals.map(|literal| (View::Whole, TextTest::Contains(literal))).collect();
    let reads = TextReads { patterns, ..TextReads::default() };
    let budget = Budget { automaton_states: 1_000, ..Budget::default() };
    let error = TextClasses::new(&reads, 1, &budget).expect_err("too many states");
    assert_eq!(error, BudgetExceeded::AutomatonStates { limit: 1_000 });
}

#[test]
fn a_thousand_constants_are_a_thousand_classes_and_all_else() {
    let equal: BTreeSet<_> = (0..1_000).map(|n| (View::Whole, format!("app-{n}"))).collect();
    let reads = TextReads { equal, ..TextReads::default() };
    let classes = TextClasses::new(&reads, 1, &Budget::default()).expect("no patterns");
    assert_eq!(classes.count(), 1_001);
    assert_eq!(classes.passing(View::Whole, &TextTest::OneOf(vec!["app-7".to_owned()])).len(), 1);
}

#[test]
fn comparisons_select_whole_cells() {
    let cells = Cells::new(-10..11, &Cuts::from([0, 1, 5]));
    for comparison in [Comparison::Equal, Comparison::Less, Comparison::LessOrEqual] {
        for number in -10..11 {
            let inside = cells.where_compares(comparison, 0).contains(&cells.cell_of(number));
            assert_eq!(inside, comparison.holds(number, 0), "{number} {comparison:?} 0");
        }
    }
}

#[test]
fn each_region_of_addresses_has_one_witness() {
    let all = [
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.0.0.0/9",
        "10.128.0.0/9",
        "0.0.0.0/0",
        "::/0",
        "2001:db8::/32",
        "::ffff:0:0/95",
    ];
    for mask in 0..1u32 << all.len() {
        let chosen = all.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
        let prefixes: BTreeSet<ipnet::IpNet> =
            chosen.map(|(_, text)| text.parse().expect("a prefix")).collect();
        let inside = |address: &std::net::IpAddr| -> (bool, Vec<bool>) {
            (address.is_ipv4(), prefixes.iter().map(|prefix| prefix.contains(address)).collect())
        };
        let witnesses = region_witnesses(&prefixes);
        let regions: BTreeSet<_> = witnesses.iter().map(inside).collect();
        assert_eq!(regions.len(), witnesses.len(), "{prefixes:?}");
        for text in ["10.1.2.3", "10.2.0.0", "10.200.0.0", "11.0.0.0", "2001:db8::1", "2002::", "::fffe:0:1"]
        {
            let address = text.parse().expect("an address");
            assert!(regions.contains(&inside(&address)), "{text} in {prefixes:?}");
        }
    }
}

#[test]
fn every_pair_of_instants_lies_in_a_possibility_and_every_possibility_has_instants() {
    const SATURDAY: i64 = 1_768_003_200_000;
    for seed in 1..60 {
        let mut below = numbers(seed);
        let mut moment = |ages: bool| {
            let mut reads = MomentReads::default();
            for _ in 0..1 + below(3) {
                match below(if ages { 4 } else { 3 }) {
                    0 => drop(reads.instants.insert(SATURDAY + [0, 1, 5_000][below(3)])),
                    1 => drop(reads.weekdays.insert([5, 6][below(2)])),
                    2 => drop(reads.hours.insert([8, 18][below(2)])),
                    _ => drop(reads.ages.insert([0, 5_000, 90_000_000, 700_000_000][below(4)])),
                }
            }
            reads
        };
        let now = moment(false);
        let of = [0, 1].map(|number| StampOf::Variable(VariableId::from_u32(number)));
        let stamps = BTreeMap::from([(of[0], moment(true)), (of[1], moment(true))]);
        let times = Times::new(&now, &stamps, &Budget::default()).expect("few cells");
        for possibility in &times.possibilities {
            for (of, allowed) in times.stamps.keys().zip(&possibility.allowed) {
                let has_witness = |code: &u32| times.witness(*of, possibility.now, *code).is_some();
                assert!(
                    !allowed.is_empty() && allowed.iter().all(has_witness),
                    "seed {seed}: {possibility:?}"
                );
            }
        }
        for _ in 0..3_000 {
            let near = |below: &mut dyn FnMut(usize) -> usize| {
                let hours = below(500) as i64 - 250;
                SATURDAY + hours * 3_600_000 + [0, -1, 1, 5_000, 4_999][below(5)]
            };
            let now = near(&mut below);
            let at =
                [now - [0, 5_000, 90_000_000, 700_000_000][below(4)] + below(3) as i64 - 1, near(&mut below)];
            assert!(times.holds(now, &at), "seed {seed}: now {now}, stamps {at:?}\n{times:#?}");
        }
    }
}
