//! Conditions as sets of logins: for a login in a given state, the initial facts under which each holds.
//!
//! Within a step nothing changes, so a condition is one formula over the facts at the start. What the login has done
//! since (enrolled, performed) is known, and enters as constants. Formulas that don't depend on it are kept for all
//! states.

use std::cell::RefCell;
use std::collections::HashMap;

use super::budget::Limited;
use super::diagram::{Diagrams, Formula};
use super::facts::Facts;
use super::state::LoginState;
use super::step::Template;
use crate::check::masks::bit;
use crate::check::policy::{
    CommandKind, Comparison, ConditionId, ConditionKind, End, FactorId, FactorSubject, Guard, Number, Set,
    TypedPolicy, Window,
};

/// A factor of the catalog, or all those outside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Element {
    /// One of the catalog.
    Of(FactorId),
    /// Those outside the catalog, which count as one.
    Other,
}

/// The conditions of a policy, asked by logins in one state.
pub(super) struct Conditions<'a> {
    pub(super) policy: &'a TypedPolicy,
    pub(super) facts: &'a Facts<'a>,
    state: LoginState,
    /// How the logins ended that are asked, for conditions on the end.
    ended: Option<End>,
    /// Formulas that hold in every state.
    always: RefCell<HashMap<ConditionId, Formula>>,
    /// Formulas that hold in this state.
    now: RefCell<HashMap<ConditionId, Formula>>,
}

impl<'a> Conditions<'a> {
    /// Conditions at the start of a login.
    pub(super) fn new(policy: &'a TypedPolicy, facts: &'a Facts<'a>) -> Self {
        Conditions {
            policy,
            facts,
            state: LoginState::default(),
            ended: None,
            always: RefCell::default(),
            now: RefCell::default(),
        }
    }

    /// From now on, asks for logins in this state.
    pub(super) fn enter(&mut self, state: LoginState) {
        if self.state != state {
            self.now.borrow_mut().clear();
            self.state = state;
        }
    }

    /// From now on, asks for logins that have ended so in this state.
    pub(super) fn enter_end(&mut self, state: LoginState, end: End) {
        self.now.borrow_mut().clear();
        self.state = state;
        self.ended = Some(end);
    }

    /// The state that is asked for.
    pub(super) fn state(&self) -> &LoginState {
        &self.state
    }

    fn diagrams(&self) -> &Diagrams {
        &self.facts.diagrams
    }

    /// The logins in which a condition holds.
    pub(super) fn formula(&self, condition: ConditionId) -> Limited<Formula> {
        let known = self.always.borrow().get(&condition).cloned();
        if let Some(known) = known.or_else(|| self.now.borrow().get(&condition).cloned()) {
            return Ok(known);
        }
        let kind = &self.policy.conditions[condition].kind;
        let formula = match kind {
            ConditionKind::Constant(value) => self.diagrams().constant(*value),
            ConditionKind::Not(inner) => !self.formula(*inner)?,
            ConditionKind::All(parts) => {
                parts.iter().try_fold(self.diagrams().everything(), |all, part| {
                    if all.is_empty() { Ok(all) } else { self.diagrams().and(all, self.formula(*part)?) }
                })?
            }
            ConditionKind::Any(parts) => parts.iter().try_fold(self.diagrams().nothing(), |any, part| {
                if any.is_everything() { Ok(any) } else { self.diagrams().or(any, self.formula(*part)?) }
            })?,
            ConditionKind::Initially(inner) => Conditions::new(self.policy, self.facts).formula(*inner)?,
            ConditionKind::Ended(end) => self.diagrams().constant(self.ended == Some(*end)),
            test => self.test(test)?,
        };
        let memo = if is_about_facts(kind) { &self.always } else { &self.now };
        memo.borrow_mut().insert(condition, formula);
        Ok(formula)
    }

    fn test(&self, test: &ConditionKind) -> Limited<Formula> {
        match test {
            ConditionKind::Bool(variable) => Ok(self.facts.bool(*variable)),
            ConditionKind::Present(guard) => self.guard(*guard),
            ConditionKind::Text(subject, test) => self.facts.text(*subject, test),
            ConditionKind::SameText(a, b) => self.facts.same_text(*a, *b),
            ConditionKind::Compare(number, comparison, constant) => {
                self.number(number, *comparison, *constant)
            }
            ConditionKind::OneOf(number, constants) => {
                let each = constants.iter().map(|constant| self.number(number, Comparison::Equal, *constant));
                self.diagrams().any(each.collect::<Limited<Vec<_>>>()?)
            }
            ConditionKind::InPrefixes(variable, prefixes) => self.facts.in_prefixes(*variable, prefixes),
            ConditionKind::List(variable, test) => self.facts.list(*variable, test),
            ConditionKind::Member(subject, set) => self.subject_in(*subject, set),
            ConditionKind::EmptySet(set) => self.any_in(set).map(|any| !any),
            ConditionKind::Performed(factor, window) => self.performed(*factor, *window),
            ConditionKind::AnyPerformed(window) => self.any_performed(*window),
            _ => Ok(self.diagrams().nothing()),
        }
    }

    pub(super) fn guard(&self, guard: Guard) -> Limited<Formula> {
        match guard {
            Guard::Path(presence) => Ok(self.facts.present(presence)),
            Guard::LastPerformed => self.any_performed(Window::Ever),
            Guard::Domain(variable) => self.facts.has_domain(variable),
        }
    }

    fn number(&self, number: &Number, comparison: Comparison, constant: i64) -> Limited<Formula> {
        let set = match number {
            Number::Count(set) => set,
            Number::Prompts => return Ok(self.counted(self.state.prompts, comparison, constant)),
            Number::Commands => return Ok(self.counted(self.state.commands, comparison, constant)),
            other => return self.facts.number(other, comparison, constant),
        };
        let sizes = self.sizes(set)?.into_iter().zip(0i64..);
        let fitting = sizes.filter(|(_, size)| comparison.holds(*size, constant));
        self.diagrams().any(fitting.map(|(formula, _)| formula))
    }

    fn counted(&self, count: usize, comparison: Comparison, constant: i64) -> Formula {
        self.diagrams().constant(comparison.holds(count as i64, constant))
    }

    /// For each size from 0, the logins in which a set has it.
    fn sizes(&self, set: &Set) -> Limited<Vec<Formula>> {
        let mut sizes = vec![self.diagrams().everything()];
        for element in self.elements() {
            let inside = self.member(set, element)?;
            let mut next = Vec::with_capacity(sizes.len() + 1);
            let mut before = self.diagrams().nothing();
            for size in sizes.into_iter().chain([self.diagrams().nothing()]) {
                next.push(self.diagrams().choose(inside, before, size)?);
                before = size;
            }
            sizes = next;
        }
        Ok(sizes)
    }

    fn elements(&self) -> impl Iterator<Item = Element> + use<'a> {
        self.policy.catalog.factors.keys().map(Element::Of).chain([Element::Other])
    }

    /// The logins in which an element is in a set, as the step sees it.
    pub(super) fn member(&self, set: &Set, element: Element) -> Limited<Formula> {
        match (set, element) {
            (Set::Enrolled, Element::Of(factor)) if self.state.enrolled & bit(factor) != 0 => {
                Ok(self.diagrams().everything())
            }
            (Set::Enrolled, Element::Of(factor)) => Ok(self.facts.enrolled(factor)),
            (Set::Enrolled, Element::Other) => Ok(self.facts.other_enrolled()),
            (Set::Performed, Element::Of(factor)) => self.performed(factor, Window::Ever),
            (Set::Performed | Set::Literal(_), Element::Other) => Ok(self.diagrams().nothing()),
            (Set::Literal(factors), Element::Of(factor)) => {
                Ok(self.diagrams().constant(factors.contains(&factor)))
            }
            (Set::Variable(variable), element) => {
                let position = self.elements().position(|other| other == element);
                let members = self.facts.members(*variable);
                Ok(position
                    .and_then(|at| members.get(at).cloned())
                    .unwrap_or_else(|| self.diagrams().nothing()))
            }
            (Set::Intersect(a, b), _) => {
                self.diagrams().and(self.member(a, element)?, self.member(b, element)?)
            }
            (Set::Union(a, b), _) => self.diagrams().or(self.member(a, element)?, self.member(b, element)?),
            (Set::Except(a, b), _) => {
                self.diagrams().minus(self.member(a, element)?, self.member(b, element)?)
            }
            (Set::IfPresent { guard, then, otherwise }, _) => {
                let (then, otherwise) = (self.member(then, element)?, self.member(otherwise, element)?);
                self.diagrams().choose(self.guard(*guard)?, then, otherwise)
            }
        }
    }

    /// The logins in which a command offers a factor.
    pub(super) fn offers(&self, template: &Template, factor: FactorId) -> Limited<Formula> {
        let listed = template.listed & bit(factor) != 0;
        match &template.rest {
            Some(set) if !listed && self.policy.catalog.factors[factor].allows(template.kind) => {
                self.member(set, Element::Of(factor))
            }
            _ => Ok(self.diagrams().constant(listed)),
        }
    }

    /// The logins in which a command offers a factor that it can ask for, as the step sees them.
    pub(super) fn usable(&self, template: &Template, factor: FactorId) -> Limited<Formula> {
        let offers = self.offers(template, factor)?;
        let enrolled = self.member(&Set::Enrolled, Element::Of(factor))?;
        match template.kind {
            CommandKind::Enroll => self.diagrams().minus(offers, enrolled),
            CommandKind::Challenge => self.diagrams().and(offers, enrolled),
        }
    }

    /// The logins in which a factor that they have passed answers a challenge.
    pub(super) fn answered(&self, template: &Template) -> Limited<Formula> {
        match template.kind {
            CommandKind::Enroll => Ok(self.diagrams().nothing()),
            CommandKind::Challenge => {
                let passed = self.state.passed_factors().map(|factor| self.offers(template, factor));
                self.diagrams().any(passed.collect::<Limited<Vec<_>>>()?)
            }
        }
    }

    fn any_in(&self, set: &Set) -> Limited<Formula> {
        let each = self.elements().map(|element| self.member(set, element)).collect::<Limited<Vec<_>>>()?;
        self.diagrams().any(each)
    }

    fn subject_in(&self, subject: FactorSubject, set: &Set) -> Limited<Formula> {
        if let FactorSubject::Literal(factor) = subject {
            return self.member(set, Element::Of(factor));
        }
        let mut sum = self.diagrams().nothing();
        for factor in self.policy.catalog.factors.keys() {
            let is = self.subject_is(subject, factor)?;
            let both = self.diagrams().and(is, self.member(set, Element::Of(factor))?)?;
            sum = self.diagrams().or(sum, both)?;
        }
        Ok(sum)
    }

    fn subject_is(&self, subject: FactorSubject, factor: FactorId) -> Limited<Formula> {
        match subject {
            FactorSubject::Literal(literal) => Ok(self.diagrams().constant(literal == factor)),
            FactorSubject::Variable(variable) => self.facts.is_factor(variable, factor),
            // What is passed in this login is later than all before it (A4).
            FactorSubject::LastPerformed if self.state.any_passed => {
                Ok(self.diagrams().constant(self.state.last_passed() == Some(factor)))
            }
            FactorSubject::LastPerformed => self.facts.performed_last(factor),
        }
    }

    /// The newest stamp of a factor counts: the one of this login, if it has one.
    fn performed(&self, factor: FactorId, window: Window) -> Limited<Formula> {
        match (window, self.state.age(factor)) {
            (Window::Within(length), Some(age)) => Ok(self.diagrams().constant(age < length)),
            (Window::Ever | Window::ThisLogin, Some(_)) => Ok(self.diagrams().everything()),
            (Window::ThisLogin, None) => Ok(self.diagrams().nothing()),
            (Window::Ever, None) => self.facts.performed(factor),
            (Window::Within(length), None) => self.facts.performed_within(factor, length),
        }
    }

    fn any_performed(&self, window: Window) -> Limited<Formula> {
        let just_now = match window {
            Window::Ever | Window::ThisLogin => true,
            Window::Within(length) => length > 0,
        };
        if self.state.any_passed && just_now {
            return Ok(self.diagrams().everything());
        }
        let factors = self.policy.catalog.factors.keys();
        let each = factors.map(|factor| self.performed(factor, window)).collect::<Limited<Vec<_>>>()?;
        self.diagrams().any(each)
    }
}

/// Whether a test is about the facts at the start alone. (What is built of other conditions is cheap to build again.)
fn is_about_facts(kind: &ConditionKind) -> bool {
    match kind {
        ConditionKind::Constant(_)
        | ConditionKind::Bool(_)
        | ConditionKind::Text(..)
        | ConditionKind::SameText(..)
        | ConditionKind::InPrefixes(..)
        | ConditionKind::List(..)
        | ConditionKind::Present(Guard::Path(_) | Guard::Domain(_)) => true,
        ConditionKind::Compare(number, ..) | ConditionKind::OneOf(number, _) => {
            !matches!(number, Number::Count(_) | Number::Prompts | Number::Commands)
        }
        _ => false,
    }
}
