//! Facts as sets of logins: what every event that a host may hand in can look like, as far as the policy can tell.
//!
//! [`reads`] collects the tests that stand against each fact; [`model`] finds the classes of values that these
//! tests tell apart and numbers them in binary; [`world`] says which combinations of classes some event has;
//! [`decode`] turns a combination back into values. Each kind of value has a module for its classes: [`cells`] for
//! numbers, [`text`] over [`automaton`] for strings, [`address`] for addresses, [`time`] for all that moves with
//! `now`. The classes are exact: each has a witness, and no test separates two values of one class.

mod address;
mod automaton;
mod cells;
mod decode;
mod model;
mod reads;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod world;

use std::ops::Range;

pub(super) use model::Model;
pub(super) use reads::{LoginReads, Reads};

use self::model::{VariableModel, factor_code};
use self::time::{MomentClass, StampOf};
use super::budget::Limited;
use super::diagram::{Diagrams, Formula};
use crate::check::policy::{
    Absence, Comparison, FactorId, ListTest, Moment, Number, PresenceId, TextSubject, TextTest, Type,
    TypedPolicy, VariableId,
};

/// The facts at the start of a login, ready to be asked.
pub(super) struct Facts<'a> {
    pub(super) diagrams: Diagrams,
    policy: &'a TypedPolicy,
    model: &'a Model,
}

impl<'a> Facts<'a> {
    /// Facts over a fresh store.
    pub(super) fn new(policy: &'a TypedPolicy, model: &'a Model, diagrams: Diagrams) -> Self {
        Facts { diagrams, policy, model }
    }

    /// The logins in which something is there. What nobody asks about is.
    pub(super) fn present(&self, presence: PresenceId) -> Formula {
        let bit = self.model.presences.get(&presence);
        bit.map_or_else(|| self.diagrams.everything(), |bit| self.diagrams.variable(*bit))
    }

    /// The logins in which a bool is true.
    pub(super) fn bool(&self, variable: VariableId) -> Formula {
        match self.model.variables.get(&variable) {
            Some(VariableModel::Bool(bit)) => self.diagrams.variable(*bit),
            _ => self.diagrams.nothing(),
        }
    }

    /// The logins in which a string passes a test.
    pub(super) fn text(&self, subject: TextSubject, test: &TextTest) -> Limited<Formula> {
        match self.model.variables.get(&subject.variable) {
            Some(VariableModel::Text { group, bits, .. }) => match self.model.groups.get(*group) {
                Some(group) => {
                    let passes = self.diagrams.number_in(bits, &group.classes.passing(subject.view, test))?;
                    self.if_present(subject.variable, passes)
                }
                None => Ok(self.diagrams.nothing()),
            },
            _ => Ok(self.diagrams.nothing()),
        }
    }

    /// The logins in which a string is there and has a domain.
    pub(super) fn has_domain(&self, variable: VariableId) -> Limited<Formula> {
        let Some(VariableModel::Text { group, bits, .. }) = self.model.variables.get(&variable) else {
            return Ok(self.diagrams.nothing());
        };
        let classes = self.model.groups.get(*group).map_or(&[][..], |group| group.classes.with_domain());
        let has = self.diagrams.number_in(bits, classes)?;
        self.if_present(variable, has)
    }

    /// The logins in which two strings are there and equal.
    pub(super) fn same_text(&self, a: VariableId, b: VariableId) -> Limited<Formula> {
        let both = self.diagrams.and(self.variable_present(a)?, self.variable_present(b)?)?;
        if a == b {
            return Ok(both);
        }
        let equal = match (self.model.variables.get(&a), self.model.variables.get(&b)) {
            (
                Some(VariableModel::Text { group, place: a, .. }),
                Some(VariableModel::Text { group: other, place: b, .. }),
            ) if group == other => {
                let pairs = self.model.groups.get(*group).map(|group| &group.equal);
                pairs.and_then(|pairs| pairs.get(&(*a.min(b), *a.max(b)))).copied()
            }
            _ => None,
        };
        let equal = equal.map_or_else(|| self.diagrams.nothing(), |bit| self.diagrams.variable(bit));
        self.diagrams.and(both, equal)
    }

    /// No test holds of what is absent.
    fn if_present(&self, variable: VariableId, passes: Formula) -> Limited<Formula> {
        match self.policy.variables[variable].absence {
            Absence::Tracked(_) => self.diagrams.and(self.variable_present(variable)?, passes),
            Absence::Refused | Absence::Default(_) => Ok(passes),
        }
    }

    /// The logins in which a variable that may be absent is there.
    fn variable_present(&self, variable: VariableId) -> Limited<Formula> {
        match self.policy.variables[variable].absence {
            Absence::Tracked(_) => self.diagrams.all(self.presences_over(variable).map(|p| self.present(p))),
            Absence::Refused | Absence::Default(_) => Ok(self.diagrams.everything()),
        }
    }

    /// The logins in which a number other than a count compares so with a constant.
    pub(super) fn number(&self, number: &Number, comparison: Comparison, constant: i64) -> Limited<Formula> {
        match number {
            Number::Variable(variable) if self.policy.variables[*variable].ty != Type::Time => {
                match self.model.variables.get(variable) {
                    Some(VariableModel::Number { cells, bits }) => {
                        self.in_range(bits, cells.where_compares(comparison, constant))
                    }
                    _ => Ok(self.diagrams.nothing()),
                }
            }
            Number::Variable(variable) => self.stamp(StampOf::Variable(*variable), |moment, class| {
                moment.instants.where_compares(comparison, constant).contains(&class.instant)
            }),
            Number::Now => self.moment(Moment::Now, |moment, class| {
                moment.instants.where_compares(comparison, constant).contains(&class.instant)
            }),
            Number::Age(variable) => self.stamp(StampOf::Variable(*variable), |moment, class| {
                moment.ages.where_compares(comparison, constant).contains(&class.age)
            }),
            Number::Weekday(of) => self.moment(*of, |moment, class| {
                moment.weekdays.where_compares(comparison, constant).contains(&class.weekday)
            }),
            Number::Hour(of) => self.moment(*of, |moment, class| {
                moment.hours.where_compares(comparison, constant).contains(&class.hour)
            }),
            Number::Count(_) | Number::Prompts | Number::Commands => Ok(self.diagrams.nothing()),
        }
    }

    fn in_range(&self, bits: &[u32], range: Range<u32>) -> Limited<Formula> {
        let members: Vec<u32> = range.collect();
        self.diagrams.number_in(bits, &members)
    }

    fn moment(&self, of: Moment, test: impl Fn(&time::Moment, &MomentClass) -> bool) -> Limited<Formula> {
        match of {
            Moment::Variable(variable) => self.stamp(StampOf::Variable(variable), test),
            Moment::Now => {
                let now = &self.model.times.now;
                let passing = codes(now.classes.iter(), 0, |class| test(now, class));
                self.diagrams.number_in(&self.model.now, &passing)
            }
        }
    }

    /// The logins in which a stamp is there and its class passes a test.
    fn stamp(&self, of: StampOf, test: impl Fn(&time::Moment, &MomentClass) -> bool) -> Limited<Formula> {
        let (Some(moment), Some(bits)) = (self.model.times.stamps.get(&of), self.model.stamps.get(&of))
        else {
            return Ok(self.diagrams.nothing());
        };
        let first = u32::from(matches!(of, StampOf::Performed(_)));
        self.diagrams.number_in(bits, &codes(moment.classes.iter(), first, |class| test(moment, class)))
    }

    /// The logins in which a factor was performed before they began.
    pub(super) fn performed(&self, factor: FactorId) -> Limited<Formula> {
        self.stamp(StampOf::Performed(factor), |_, _| true)
    }

    /// The logins in which a factor was performed before they began, and is younger than `length`.
    pub(super) fn performed_within(&self, factor: FactorId, length: i64) -> Limited<Formula> {
        self.stamp(StampOf::Performed(factor), |moment, class| {
            moment.ages.where_compares(Comparison::Less, length).contains(&class.age)
        })
    }

    /// The logins in which a factor was the last that was performed before they began.
    pub(super) fn performed_last(&self, factor: FactorId) -> Limited<Formula> {
        let none = Vec::new();
        let bits = self.model.last.as_ref().unwrap_or(&none);
        if bits.is_empty() {
            Ok(self.diagrams.nothing())
        } else {
            self.diagrams.number_in(bits, &[factor_code(factor)])
        }
    }

    /// The logins in which an address lies in one of some prefixes.
    pub(super) fn in_prefixes(&self, variable: VariableId, prefixes: &[ipnet::IpNet]) -> Limited<Formula> {
        match self.model.variables.get(&variable) {
            Some(VariableModel::Address { witnesses, bits, .. }) => {
                let inside =
                    |address: &&std::net::IpAddr| prefixes.iter().any(|prefix| prefix.contains(*address));
                let inside = self.diagrams.number_in(bits, &codes(witnesses.iter(), 0, |a| inside(&a)))?;
                self.if_present(variable, inside)
            }
            _ => Ok(self.diagrams.nothing()),
        }
    }

    /// The logins in which a list passes a test.
    pub(super) fn list(&self, variable: VariableId, test: &ListTest) -> Limited<Formula> {
        let Some(VariableModel::List { not_empty, elements }) = self.model.variables.get(&variable) else {
            return Ok(self.diagrams.nothing());
        };
        let holds = |text: &String| match elements.get(text) {
            Some(bit) => self.diagrams.variable(*bit),
            None => self.diagrams.nothing(),
        };
        match test {
            ListTest::Empty => Ok(!self.diagrams.variable(*not_empty)),
            ListTest::ContainsAny(texts) => self.diagrams.any(texts.iter().map(holds)),
            ListTest::ContainsAll(texts) => self.diagrams.all(texts.iter().map(holds)),
        }
    }

    /// The logins in which a factor variable is a factor.
    pub(super) fn is_factor(&self, variable: VariableId, factor: FactorId) -> Limited<Formula> {
        match self.model.variables.get(&variable) {
            Some(VariableModel::Factor { bits }) => self.diagrams.number_in(bits, &[factor_code(factor)]),
            _ => Ok(self.diagrams.nothing()),
        }
    }

    /// For a set variable, the logins in which each factor of the catalog is in it, then those in which one
    /// outside is.
    pub(super) fn members(&self, variable: VariableId) -> Vec<Formula> {
        match self.model.variables.get(&variable) {
            Some(VariableModel::FactorSet { members, other }) => {
                members.iter().chain([other]).map(|bit| self.diagrams.variable(*bit)).collect()
            }
            _ => vec![self.diagrams.nothing(); self.policy.catalog.factors.len() + 1],
        }
    }

    /// The logins that begin with a factor enrolled.
    pub(super) fn enrolled(&self, factor: FactorId) -> Formula {
        let bit = self.model.enrolled.get(&factor);
        bit.map_or_else(|| self.diagrams.nothing(), |bit| self.diagrams.variable(*bit))
    }

    /// What makes a login telling, the most important first: it begins without stamps from before, with no factor
    /// enrolled that the catalog lacks, and with none in its sets.
    pub(super) fn preferences(&self) -> Limited<Vec<Formula>> {
        let performed = self.policy.catalog.factors.keys().map(|factor| self.performed(factor));
        let performed = self.diagrams.any(performed.collect::<Limited<Vec<_>>>()?)?;
        let sets = self.model.variables.values().filter_map(|model| match model {
            VariableModel::FactorSet { other, .. } => Some(self.diagrams.variable(*other)),
            _ => None,
        });
        let odd = [performed, self.other_enrolled(), self.diagrams.any(sets)?];
        Ok(odd.map(|odd| !odd).to_vec())
    }

    /// The logins that begin with a factor enrolled that the catalog does not have.
    pub(super) fn other_enrolled(&self) -> Formula {
        let bit = self.model.other_enrolled;
        bit.map_or_else(|| self.diagrams.nothing(), |bit| self.diagrams.variable(bit))
    }
}

/// The numbers, from `first`, of the classes that pass a test.
fn codes<'c, T: 'c>(
    classes: impl Iterator<Item = &'c T>,
    first: u32,
    test: impl Fn(&'c T) -> bool,
) -> Vec<u32> {
    classes.zip(first..).filter(|(class, _)| test(class)).map(|(_, code)| code).collect()
}
