//! Conditions over one login's values: the policy read as it is written.
//!
//! This is deliberately plain, and shares nothing with the diagrams beyond the tables of the typed policy: it
//! replays what they find.

use std::collections::BTreeSet;

use super::event::{Event, FactValue};
use super::session::Session;
use crate::check::policy::{
    ConditionId, ConditionKind, FactorId, FactorSubject, Guard, ListTest, Moment, Number, Set, TextSubject,
    TextTest, TypedPolicy, VariableId, Window,
};
use crate::flow::facts::{hour, matches, view_of, weekday};
use crate::flow::masks::{FactorMask, bit};

/// The facts as a step sees them, and which of them it has looked at.
pub(super) struct StepFacts<'a> {
    policy: &'a TypedPolicy,
    event: &'a Event,
    session: &'a Session,
    /// The variables that were looked at.
    pub(super) read: BTreeSet<VariableId>,
}

impl<'a> StepFacts<'a> {
    pub(super) fn new(policy: &'a TypedPolicy, event: &'a Event, session: &'a Session) -> Self {
        StepFacts { policy, event, session, read: BTreeSet::new() }
    }

    /// Whether a condition holds.
    pub(super) fn holds(&mut self, condition: ConditionId) -> bool {
        let policy = self.policy;
        match &policy.conditions[condition].kind {
            ConditionKind::Constant(value) => *value,
            ConditionKind::Not(inner) => !self.holds(*inner),
            ConditionKind::All(parts) => parts.iter().all(|part| self.holds(*part)),
            ConditionKind::Any(parts) => parts.iter().any(|part| self.holds(*part)),
            ConditionKind::Initially(inner) => self.holds(*inner),
            ConditionKind::Ended(_) => false,
            ConditionKind::Bool(variable) => self.value(*variable) == Some(&FactValue::Bool(true)),
            ConditionKind::Present(guard) => self.guard(*guard),
            ConditionKind::Text(subject, test) => self.text(*subject, test),
            ConditionKind::SameText(a, b) => self.value(*a).is_some_and(|text| Some(text) == self.value(*b)),
            ConditionKind::Compare(number, comparison, constant) => {
                self.number(number).is_some_and(|number| comparison.holds(number, *constant))
            }
            ConditionKind::OneOf(number, constants) => {
                self.number(number).is_some_and(|n| constants.contains(&n))
            }
            ConditionKind::InPrefixes(variable, prefixes) => match self.value(*variable) {
                Some(FactValue::Ip(address)) => prefixes.iter().any(|prefix| prefix.contains(address)),
                _ => false,
            },
            ConditionKind::List(variable, test) => self.list(*variable, test),
            ConditionKind::Member(subject, set) => {
                let members = self.set(set);
                self.factor(*subject).is_some_and(|factor| members & bit(factor) != 0)
            }
            ConditionKind::EmptySet(set) => self.set(set) == 0,
            ConditionKind::Performed(factor, window) => self.performed(*factor, *window),
            ConditionKind::AnyPerformed(window) => {
                policy.catalog.factors.keys().any(|factor| self.performed(factor, *window))
            }
        }
    }

    /// The members of a set.
    pub(super) fn set(&mut self, set: &Set) -> FactorMask {
        match set {
            Set::Enrolled => self.event.enrolled | self.session.enrolled,
            Set::Performed => {
                let factors = self.event.performed.iter().map(|(factor, _)| *factor);
                let all = factors.chain(self.session.passed.iter().map(|passed| passed.factor));
                all.fold(0, |mask, factor| mask | bit(factor))
            }
            Set::Variable(variable) => match self.value(*variable) {
                Some(FactValue::FactorSet(mask)) => *mask,
                _ => 0,
            },
            Set::Literal(factors) => factors.iter().fold(0, |mask, factor| mask | bit(*factor)),
            Set::Intersect(a, b) => self.set(a) & self.set(b),
            Set::Union(a, b) => self.set(a) | self.set(b),
            Set::Except(a, b) => self.set(a) & !self.set(b),
            Set::IfPresent { guard, then, otherwise } => {
                if self.guard(*guard) {
                    self.set(then)
                } else {
                    self.set(otherwise)
                }
            }
        }
    }

    fn value(&mut self, variable: VariableId) -> Option<&'a FactValue> {
        self.read.insert(variable);
        self.event.variables.get(&variable)
    }

    fn guard(&mut self, guard: Guard) -> bool {
        match guard {
            Guard::Path(presence) => self.event.presences.get(&presence).copied().unwrap_or(false),
            Guard::LastPerformed => self.last().is_some(),
            Guard::Domain(variable) => match self.value(variable) {
                Some(FactValue::Text(text)) => text.contains('@'),
                _ => false,
            },
        }
    }

    fn text(&mut self, subject: TextSubject, test: &TextTest) -> bool {
        match self.value(subject.variable) {
            Some(FactValue::Text(text)) => {
                view_of(text, subject.view).is_some_and(|seen| matches(test, &seen))
            }
            _ => false,
        }
    }

    fn number(&mut self, number: &Number) -> Option<i64> {
        match number {
            Number::Variable(variable) => self.plain_number(*variable),
            Number::Now => Some(self.event.now),
            Number::Age(variable) => self.plain_number(*variable).map(|stamp| self.event.now - stamp),
            Number::Weekday(moment) => self.moment(*moment).map(weekday),
            Number::Hour(moment) => self.moment(*moment).map(hour),
            Number::Count(set) => Some(i64::from(self.set(set).count_ones())),
            Number::Prompts | Number::Commands => None,
        }
    }

    fn plain_number(&mut self, variable: VariableId) -> Option<i64> {
        match self.value(variable) {
            Some(FactValue::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn moment(&mut self, moment: Moment) -> Option<i64> {
        match moment {
            Moment::Now => Some(self.event.now),
            Moment::Variable(variable) => self.plain_number(variable),
        }
    }

    fn list(&mut self, variable: VariableId, test: &ListTest) -> bool {
        let none = Vec::new();
        let list = match self.value(variable) {
            Some(FactValue::TextList(list)) => list,
            _ => &none,
        };
        match test {
            ListTest::Empty => list.is_empty(),
            ListTest::ContainsAny(texts) => texts.iter().any(|text| list.contains(text)),
            ListTest::ContainsAll(texts) => texts.iter().all(|text| list.contains(text)),
        }
    }

    fn factor(&mut self, subject: FactorSubject) -> Option<FactorId> {
        match subject {
            FactorSubject::Literal(factor) => Some(factor),
            FactorSubject::LastPerformed => self.last(),
            FactorSubject::Variable(variable) => match self.value(variable) {
                Some(FactValue::Factor(factor)) => *factor,
                _ => None,
            },
        }
    }

    /// The factor performed last: one passed in this login, or else the one with the latest stamp; of equal
    /// stamps the later in the event.
    fn last(&self) -> Option<FactorId> {
        let before =
            || self.event.performed.iter().max_by_key(|(_, stamp)| *stamp).map(|(factor, _)| *factor);
        self.session.passed.last().map(|passed| passed.factor).or_else(before)
    }

    fn performed(&self, factor: FactorId, window: Window) -> bool {
        let passed = self.session.passed.iter().find(|passed| passed.factor == factor);
        let stamps = self.event.performed.iter().filter(|(other, _)| *other == factor);
        let age =
            passed.map(|passed| passed.age).or_else(|| stamps.map(|(_, stamp)| self.event.now - stamp).min());
        match window {
            Window::Ever => age.is_some(),
            Window::Within(length) => age.is_some_and(|age| age < length),
            Window::ThisLogin => passed.is_some(),
        }
    }
}
