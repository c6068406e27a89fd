//! Conditions over one login's values, and what was met on the way.

use std::collections::BTreeSet;

use super::event::{Event, FactValue};
use super::looked::{Looked, LookedAt};
use super::session::Session;
use super::values::{hour, matches, view_of, weekday};
use crate::check::masks::{FactorMask, bit, factors};
use crate::check::policy::{
    Absence, Condition, ConditionId, ConditionKind, End, FactorId, FactorSubject, Guard, ListTest, Moment,
    Number, PresenceId, Set, TextSubject, TextTest, TypedPolicy, VariableId, Window,
};
use crate::source::Span;

/// Something that a reader meets when following a login through a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Met {
    /// A condition that is [one text](is_one_text), with its answer.
    Condition(ConditionId, bool),
    /// A statement that runs.
    Statement(Span),
}

/// The facts as a step sees them, and what it has met.
#[derive(Debug)]
pub struct StepFacts<'a> {
    policy: &'a TypedPolicy,
    event: &'a Event,
    session: &'a Session,
    /// The variables that were looked at.
    pub read: BTreeSet<VariableId>,
    /// All that was looked at, in order.
    pub looked: LookedAt,
    /// Conditions and statements, in order.
    pub met: Vec<Met>,
    /// Those of them that should have a value, and the event has none.
    pub missing: BTreeSet<VariableId>,
    /// How the login ended, for those who ask at its end.
    ended: Option<End>,
    /// Whether the clock mattered beyond the windows over performed factors, whose ages are known without it.
    pub read_now: bool,
}

/// What a login has done before its first step.
static AT_THE_START: Session = Session { enrolled: 0, passed: Vec::new(), commands: 0, prompts: 0 };

/// Whether a condition is the smallest text that a reader would call a condition: a test, or what the checker made
/// of one (`x ?? y == "a"` has become a choice of two tests that bear its text, `x != y` a negated one).
pub fn is_one_text(policy: &TypedPolicy, condition: &Condition) -> bool {
    let is_of_text = |part: &ConditionId| {
        let part = &policy.conditions[*part];
        part.span == condition.span && is_one_text(policy, part)
    };
    match &condition.kind {
        ConditionKind::Not(inner) => is_of_text(inner),
        ConditionKind::All(parts) | ConditionKind::Any(parts) => parts.iter().any(is_of_text),
        _ => true,
    }
}

impl<'a> StepFacts<'a> {
    /// The facts of an event and of what the login has done, with nothing met.
    pub fn new(policy: &'a TypedPolicy, event: &'a Event, session: &'a Session) -> Self {
        StepFacts {
            policy,
            event,
            session,
            read: BTreeSet::new(),
            looked: LookedAt::default(),
            met: Vec::new(),
            ended: None,
            missing: BTreeSet::new(),
            read_now: false,
        }
    }

    /// The facts as they stand when a login has ended, for what a guarantee says.
    pub fn at_the_end(policy: &'a TypedPolicy, event: &'a Event, session: &'a Session, end: End) -> Self {
        StepFacts { ended: Some(end), ..StepFacts::new(policy, event, session) }
    }

    /// Whether a condition holds.
    pub fn holds(&mut self, id: ConditionId) -> bool {
        let policy = self.policy;
        let condition = &policy.conditions[id];
        if is_one_text(policy, condition) {
            // What the checker made of a text is not met besides.
            let met = self.met.len();
            let holds = self.kind_holds(&condition.kind);
            self.met.truncate(met);
            self.met.push(Met::Condition(id, holds));
            return holds;
        }
        self.kind_holds(&condition.kind)
    }

    fn kind_holds(&mut self, kind: &'a ConditionKind) -> bool {
        let policy = self.policy;
        match kind {
            ConditionKind::Constant(value) => *value,
            ConditionKind::Not(inner) => !self.holds(*inner),
            ConditionKind::All(parts) => parts.iter().all(|part| self.holds(*part)),
            ConditionKind::Any(parts) => parts.iter().any(|part| self.holds(*part)),
            ConditionKind::Initially(inner) => {
                StepFacts::new(self.policy, self.event, &AT_THE_START).holds(*inner)
            }
            ConditionKind::Ended(end) => self.ended == Some(*end),
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
    pub fn set(&mut self, set: &Set) -> FactorMask {
        match set {
            Set::Enrolled => {
                self.looked.note(Looked::Enrolled);
                self.event.enrolled | self.session.enrolled
            }
            Set::Performed => {
                self.looked.note(Looked::Performed);
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

    /// The members of a set that the catalog has, in the set's order.
    pub(super) fn in_order(&mut self, set: &Set) -> Vec<FactorId> {
        match set {
            Set::Literal(listed) => listed.clone(),
            Set::Enrolled | Set::Performed | Set::Variable(_) => {
                let members = self.set(set);
                factors(&self.policy.catalog, members).collect()
            }
            Set::Intersect(a, b) => {
                let others = self.set(b);
                self.in_order(a).into_iter().filter(|factor| others & bit(*factor) != 0).collect()
            }
            Set::Except(a, b) => {
                let others = self.set(b);
                self.in_order(a).into_iter().filter(|factor| others & bit(*factor) == 0).collect()
            }
            Set::Union(a, b) => {
                let mut members = self.in_order(a);
                let more = self.in_order(b).into_iter().filter(|factor| !members.contains(factor));
                let more: Vec<FactorId> = more.collect();
                members.extend(more);
                members
            }
            Set::IfPresent { guard, then, otherwise } => {
                if self.guard(*guard) {
                    self.in_order(then)
                } else {
                    self.in_order(otherwise)
                }
            }
        }
    }

    /// The policy that is read.
    pub(super) fn policy(&self) -> &'a TypedPolicy {
        self.policy
    }

    fn value(&mut self, variable: VariableId) -> Option<&'a FactValue> {
        self.read.insert(variable);
        self.looked.note(Looked::Variable(variable));
        let value = self.event.variables.get(&variable);
        if value.is_none() && self.should_be_there(variable) {
            self.missing.insert(variable);
        }
        value
    }

    fn should_be_there(&self, variable: VariableId) -> bool {
        match self.policy.variables[variable].absence {
            Absence::Refused | Absence::Default(_) => true,
            Absence::Tracked(presence) => self.is_present(presence),
        }
    }

    fn is_present(&self, presence: PresenceId) -> bool {
        self.event.presences.get(&presence).copied().unwrap_or(false)
    }

    fn now(&mut self) -> i64 {
        self.read_now = true;
        self.looked.note(Looked::Now);
        self.event.now
    }

    fn guard(&mut self, guard: Guard) -> bool {
        match guard {
            Guard::Path(presence) => {
                self.looked.note(Looked::Presence(presence));
                self.is_present(presence)
            }
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
            Number::Now => Some(self.now()),
            Number::Age(variable) => self.plain_number(*variable).map(|stamp| self.now() - stamp),
            Number::Weekday(moment) => self.moment(*moment).map(weekday),
            Number::Hour(moment) => self.moment(*moment).map(hour),
            Number::Count(set) => Some(i64::from(self.set(set).count_ones())),
            Number::Prompts => Some(self.session.prompts as i64),
            Number::Commands => Some(self.session.commands as i64),
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
            Moment::Now => Some(self.now()),
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
    fn last(&mut self) -> Option<FactorId> {
        self.looked.note(Looked::Performed);
        let before =
            || self.event.performed.iter().max_by_key(|(_, stamp)| *stamp).map(|(factor, _)| *factor);
        self.session.passed.last().map(|passed| passed.factor).or_else(before)
    }

    fn performed(&mut self, factor: FactorId, window: Window) -> bool {
        self.looked.note(match window {
            Window::Ever | Window::Within(_) => Looked::Performed,
            Window::ThisLogin => Looked::Passed,
        });
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
