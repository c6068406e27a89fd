//! Events that between them show every combination of answers that a flow's tests can have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use stepup::check::policy::*;
use stepup::trace::FactValue;

use super::holds::{holds, text_holds};
use super::{DAY, Facts, HOUR, OTHER, Session};
use crate::generate::*;

/// The facts that a topic varies: partial valuations.
type Part = Vec<(u32, FactValue)>;

/// Facts that between them show every combination of answers that the tests can have.
pub(crate) fn valuations(flow: &Flow) -> Vec<Facts> {
    let base = Facts {
        values: BTreeMap::new(),
        org: true,
        has_email: true,
        enrolled: 0,
        stamps: Vec::new(),
        now: SATURDAY + 12 * HOUR,
    };
    let mut all = vec![base];
    for topic in &flow.topics {
        all = all.iter().flat_map(|facts| varied(flow, *topic, facts)).collect();
    }
    let implicit = flow.policy.catalog.factors[FactorId::from_u32(MAIL)].has(Trait::Implicit);
    let reads_email = flow.topics.contains(&Topic::Email);
    let mut enrolled = Vec::new();
    for facts in all {
        for mask in 0..16u64 {
            let mask = (mask & 7) | if mask & 8 != 0 { OTHER } else { 0 };
            let verified = facts.values.get(&VERIFIED) == Some(&FactValue::Bool(true)) && facts.has_email;
            if !(implicit && reads_email) || (mask >> MAIL & 1 == 1) == verified {
                enrolled.push(Facts { enrolled: mask, ..facts.clone() });
            }
        }
    }
    enrolled
}

fn with(facts: &Facts, part: Part) -> Facts {
    let mut facts = facts.clone();
    facts.values.extend(part);
    facts
}

fn varied(flow: &Flow, topic: Topic, facts: &Facts) -> Vec<Facts> {
    let bools = || [false, true].map(FactValue::Bool);
    let numbers = |list: &[i64]| -> Vec<FactValue> {
        let near = list.iter().flat_map(|n| [n - 1, *n, n + 1]).collect::<BTreeSet<_>>();
        near.into_iter().map(FactValue::Number).collect()
    };
    let each = |variable: u32, values: Vec<FactValue>| -> Vec<Facts> {
        values.into_iter().map(|value| with(facts, vec![(variable, value)])).collect()
    };
    match topic {
        Topic::Flag => each(FLAG, bools().to_vec()),
        Topic::Count => each(COUNT, numbers(&[0, 3, 4, -7])),
        Topic::Organization => organizations(facts),
        Topic::Email => emails(flow, facts),
        Topic::Name => {
            let texts = texts(flow, &[NAME], 1).into_iter().map(FactValue::Text).collect();
            each(NAME, texts)
        }
        Topic::SameNames => same_names(flow, facts),
        Topic::Risk => each(RISK, [0, 1, 2].map(FactValue::Number).to_vec()),
        Topic::Created => {
            let near = |list: Vec<i64>| list.into_iter().flat_map(|n| [n - 1, n, n + 1]).collect::<Vec<_>>();
            let points = near(vec![SATURDAY, SATURDAY + 5_000]);
            let nows =
                near(points.iter().flat_map(|at| AGES.map(|age| at + age)).chain(points.clone()).collect());
            times(flow, facts, &nows, &points)
        }
        Topic::Calendar => {
            let hours = [0, 1, 12, 23];
            let points: Vec<i64> = (-7..8)
                .flat_map(|day| hours.map(|hour| SATURDAY + day * DAY + hour * HOUR))
                .flat_map(|at| [at - 1, at])
                .chain([SATURDAY + 4_999, SATURDAY + 5_000])
                .collect();
            let nows =
                points.iter().flat_map(|at| AGES.map(|age| at + age)).flat_map(|at| [at - 1, at, at + 1]);
            let nows: Vec<i64> = nows.chain(points.clone()).collect();
            times(flow, facts, &nows, &points)
        }
        Topic::Roles => {
            let lists = (0..16).map(|mask| {
                let texts =
                    ["a", "b", "c", "other"].iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
                FactValue::TextList(texts.map(|(_, text)| (*text).to_owned()).collect())
            });
            each(ROLES, lists.collect())
        }
        Topic::Allowed => {
            let masks =
                (0..16u64).map(|mask| FactValue::FactorSet((mask & 7) | if mask > 7 { OTHER } else { 0 }));
            each(ALLOWED, masks.collect())
        }
        Topic::Address => {
            let list = ["10.0.0.1", "10.1.0.1", "10.200.0.1", "11.0.0.1", "2001:db8::1", "2002::1"];
            each(ADDRESS, list.map(|text| FactValue::Ip(text.parse::<IpAddr>().unwrap())).to_vec())
        }
        Topic::Preferred => {
            let factors = [Some(OTP), Some(KEY), Some(MAIL), None];
            each(PREFERRED, factors.map(|factor| FactValue::Factor(factor.map(FactorId::from_u32))).to_vec())
        }
        Topic::Fresh => stamps_of_two(facts),
        Topic::Performed => stamps(facts, false),
        Topic::Last => stamps(facts, true),
    }
}

fn organizations(facts: &Facts) -> Vec<Facts> {
    let mut all = vec![Facts { org: false, ..with(facts, vec![(ORG_LEVEL, FactValue::Number(2))]) }];
    for flag in [false, true] {
        for level in 0..5 {
            all.push(with(
                facts,
                vec![(ORG_FLAG, FactValue::Bool(flag)), (ORG_LEVEL, FactValue::Number(level))],
            ));
        }
    }
    all
}

fn emails(flow: &Flow, facts: &Facts) -> Vec<Facts> {
    let mut all = Vec::new();
    for verified in [false, true].map(FactValue::Bool) {
        all.push(Facts { has_email: false, ..with(facts, vec![(VERIFIED, verified.clone())]) });
        for text in texts(flow, &[EMAIL], 1) {
            all.push(with(facts, vec![(VERIFIED, verified.clone()), (EMAIL, FactValue::Text(text))]));
        }
    }
    all
}

/// For each combination of answers to the tests of some strings, `count` texts that give it.
fn texts(flow: &Flow, variables: &[u32], count: usize) -> Vec<String> {
    let mut tests = Vec::new();
    for condition in flow.policy.conditions.values() {
        match &condition.kind {
            ConditionKind::Text(subject, test) if variables.contains(&subject.variable.as_u32()) => {
                tests.push((subject.view, test.clone()));
            }
            _ => {}
        }
    }
    let mut found: BTreeMap<Vec<bool>, BTreeSet<String>> = BTreeMap::new();
    let mut candidates = vec![String::new()];
    let mut longest = candidates.clone();
    for _ in 0..6 {
        longest = longest
            .iter()
            .flat_map(|text| ["a", "A", "b", "B", "@", "x"].map(|letter| format!("{text}{letter}")))
            .filter(|text| text.len() < 5 || !text.contains('B') && !text.contains('x'))
            .collect();
        candidates.extend(longest.iter().cloned());
    }
    for text in candidates {
        let mut answers: Vec<bool> =
            tests.iter().map(|(view, test)| text_holds(&text, *view, test)).collect();
        answers.push(text.contains('@'));
        let known = found.entry(answers).or_default();
        if known.len() < count {
            known.insert(text);
        }
    }
    found.into_values().flatten().collect()
}

fn same_names(flow: &Flow, facts: &Facts) -> Vec<Facts> {
    let texts = texts(flow, &[NAME, NICK], 2);
    let pairs = texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b)));
    let both = |(a, b): (&String, &String)| {
        with(facts, vec![(NAME, FactValue::Text(a.clone())), (NICK, FactValue::Text(b.clone()))])
    };
    pairs.map(both).collect()
}

/// `now` and `created`: one pair for each combination of answers to the tests of both.
fn times(flow: &Flow, facts: &Facts, nows: &[i64], points: &[i64]) -> Vec<Facts> {
    let tests: Vec<&ConditionKind> = flow
        .policy
        .conditions
        .values()
        .map(|condition| &condition.kind)
        .filter(|kind| match kind {
            ConditionKind::Compare(number, ..) | ConditionKind::OneOf(number, _) => match number {
                Number::Now | Number::Age(_) | Number::Weekday(_) | Number::Hour(_) => true,
                Number::Variable(variable) => variable.as_u32() == CREATED,
                _ => false,
            },
            _ => false,
        })
        .collect();
    let mut found: BTreeMap<Vec<bool>, Facts> = BTreeMap::new();
    let mut candidate = facts.clone();
    for now in nows {
        let near = AGES.iter().flat_map(|age| [now - age - 1, now - age, now - age + 1]);
        for created in points.iter().copied().chain(near) {
            candidate.now = *now;
            candidate.values.insert(CREATED, FactValue::Number(created));
            let session = Session::default();
            let answers =
                tests.iter().map(|test| holds(&flow.policy, &[], &candidate, &session, test)).collect();
            found.entry(answers).or_insert_with(|| candidate.clone());
        }
    }
    found.into_values().collect()
}

/// Ages of stamps: none, and one for each class that the windows make.
const STAMP_AGES: [Option<i64>; 5] = [None, Some(-1), Some(0), Some(5_000), Some(60_000)];

fn stamps_of_two(facts: &Facts) -> Vec<Facts> {
    let pairs = STAMP_AGES.into_iter().flat_map(|a| STAMP_AGES.map(|b| [(OTP, a), (KEY, b)]));
    let stamp = |(factor, age): (u32, Option<i64>)| age.map(|age| (factor, facts.now - age));
    pairs
        .map(|pair| Facts { stamps: pair.into_iter().filter_map(stamp).collect(), ..facts.clone() })
        .collect()
}

/// Stamps from before the login; where the last of them matters, with each of the youngest as the last.
fn stamps(facts: &Facts, lasts: bool) -> Vec<Facts> {
    let mut all = Vec::new();
    for a in STAMP_AGES {
        for b in STAMP_AGES {
            for c in STAMP_AGES {
                let list = [(OTP, a), (KEY, b), (MAIL, c)];
                let stamps: Vec<(u32, i64)> = list
                    .iter()
                    .filter_map(|(factor, age)| age.map(|age| (*factor, facts.now - age)))
                    .collect();
                let youngest = stamps.iter().map(|(_, stamp)| *stamp).max();
                let mut places: Vec<usize> =
                    (0..stamps.len()).filter(|place| Some(stamps[*place].1) == youngest).collect();
                if !lasts || places.is_empty() {
                    places = vec![0];
                }
                for place in places {
                    let mut stamps = stamps.clone();
                    if lasts && !stamps.is_empty() {
                        let last = stamps.remove(place);
                        stamps.push(last);
                    }
                    all.push(Facts { stamps, ..facts.clone() });
                }
            }
        }
    }
    all
}
