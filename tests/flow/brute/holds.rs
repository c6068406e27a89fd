//! Conditions, asked of one login.

use stepup::check::policy::*;
use stepup::trace::FactValue;

use super::{DAY, Facts, HOUR, Session, set_members};
use crate::generate::*;

pub(super) fn holds(
    policy: &TypedPolicy,
    windows: &[i64],
    facts: &Facts,
    session: &Session,
    test: &ConditionKind,
) -> bool {
    let value = |variable: &VariableId| facts.values.get(&variable.as_u32());
    let performed = |factor: u32, window: Window| {
        let here = session.passed.iter().find(|(passed, _)| *passed == factor);
        let before =
            facts.stamps.iter().filter(|(other, _)| *other == factor).map(|(_, stamp)| facts.now - stamp);
        match (window, here) {
            (Window::ThisLogin, here) => here.is_some(),
            (Window::Ever, here) => here.is_some() || before.count() > 0,
            (Window::Within(length), Some((_, out))) => {
                length > 0
                    && windows.iter().position(|window| *window == length).is_some_and(|place| place >= *out)
            }
            (Window::Within(length), None) => before.min().is_some_and(|age| age < length),
        }
    };
    let last = || {
        let mut best: Option<(u32, i64)> = None;
        for (factor, stamp) in &facts.stamps {
            if best.is_none_or(|(_, latest)| *stamp >= latest) {
                best = Some((*factor, *stamp));
            }
        }
        session.passed.last().map(|(factor, _)| *factor).or(best.map(|(factor, _)| factor))
    };
    match test {
        ConditionKind::Bool(variable) => value(variable) == Some(&FactValue::Bool(true)),
        ConditionKind::Present(Guard::Path(presence)) => {
            if presence.as_u32() == ORG {
                facts.org
            } else {
                facts.has_email
            }
        }
        ConditionKind::Present(Guard::LastPerformed) => last().is_some(),
        ConditionKind::Present(Guard::Domain(variable)) => {
            matches!(value(variable), Some(FactValue::Text(text)) if text.contains('@'))
        }
        ConditionKind::Text(subject, test) => match value(&subject.variable) {
            Some(FactValue::Text(text)) => text_holds(text, subject.view, test),
            _ => false,
        },
        ConditionKind::SameText(a, b) => value(a).is_some() && value(a) == value(b),
        ConditionKind::Compare(number, comparison, constant) => {
            comparison.holds(number_of(facts, session, number), *constant)
        }
        ConditionKind::OneOf(number, constants) => constants.contains(&number_of(facts, session, number)),
        ConditionKind::InPrefixes(variable, prefixes) => match value(variable) {
            Some(FactValue::Ip(address)) => prefixes.iter().any(|prefix| prefix.contains(address)),
            _ => false,
        },
        ConditionKind::List(variable, test) => {
            let Some(FactValue::TextList(list)) = value(variable) else { return false };
            match test {
                ListTest::Empty => list.is_empty(),
                ListTest::ContainsAny(texts) => texts.iter().any(|text| list.contains(text)),
                ListTest::ContainsAll(texts) => texts.iter().all(|text| list.contains(text)),
            }
        }
        ConditionKind::Member(subject, set) => {
            let factor = match subject {
                FactorSubject::Literal(factor) => Some(factor.as_u32()),
                FactorSubject::LastPerformed => last(),
                FactorSubject::Variable(variable) => match value(variable) {
                    Some(FactValue::Factor(factor)) => factor.map(FactorId::as_u32),
                    _ => None,
                },
            };
            factor.is_some_and(|factor| set_members(facts, session, set) >> factor & 1 == 1)
        }
        ConditionKind::EmptySet(set) => set_members(facts, session, set) == 0,
        ConditionKind::Performed(factor, window) => performed(factor.as_u32(), *window),
        ConditionKind::AnyPerformed(window) => {
            (0..policy.catalog.factors.len() as u32).any(|factor| performed(factor, *window))
        }
        _ => unreachable!("not a test"),
    }
}

pub(super) fn text_holds(text: &str, view: View, test: &TextTest) -> bool {
    let seen = match view {
        View::Whole => text.to_owned(),
        View::Lower => text.to_ascii_lowercase(),
        View::Domain => match text.rsplit_once('@') {
            Some((_, domain)) => domain.to_ascii_lowercase(),
            None => return false,
        },
    };
    match test {
        TextTest::OneOf(texts) => texts.contains(&seen),
        TextTest::StartsWith(part) => seen.starts_with(part.as_str()),
        TextTest::EndsWith(part) => seen.ends_with(part.as_str()),
        TextTest::Contains(part) => seen.contains(part.as_str()),
    }
}

fn number_of(facts: &Facts, session: &Session, number: &Number) -> i64 {
    let plain = |variable: &VariableId| match facts.values.get(&variable.as_u32()) {
        Some(FactValue::Number(number)) => *number,
        other => panic!("{variable} holds {other:?}"),
    };
    let moment = |moment: &Moment| match moment {
        Moment::Now => facts.now,
        Moment::Variable(variable) => plain(variable),
    };
    match number {
        Number::Variable(variable) => plain(variable),
        Number::Now => facts.now,
        Number::Age(variable) => facts.now - plain(variable),
        // SATURDAY is the fifth day of a week that begins on a Monday.
        Number::Weekday(of) => ((moment(of) - SATURDAY).div_euclid(DAY) + 5).rem_euclid(7),
        Number::Hour(of) => (moment(of) - SATURDAY).rem_euclid(DAY) / HOUR,
        Number::Count(set) => i64::from(set_members(facts, session, set).count_ones()),
        // Each prompt that is passed leaves its factor.
        Number::Prompts => session.passed.len() as i64,
        Number::Commands => session.used as i64,
    }
}
