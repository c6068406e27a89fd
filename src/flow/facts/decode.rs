//! From a combination of classes back to values: the event of one login.

use std::collections::BTreeMap;

use super::Facts;
use super::model::{Bits, VariableModel};
use super::time::{StampOf, USUAL_NOW};
use crate::check::masks::{ALL_FACTORS, OTHER_FACTOR, bit};
use crate::check::policy::{Absence, FactorId, PresenceId, Type, Value, VariableId};
use crate::trace::{Event, FactValue};

impl Facts<'_> {
    /// The event of a login, from the values of all binary variables. The values must be of the
    /// [world](Facts::world).
    pub(in crate::flow) fn decode(&self, values: &[bool]) -> Event {
        let reader = Reader { facts: self, values };
        let presences =
            self.policy.presences.keys().map(|presence| (presence, reader.present(presence))).collect();
        let enrolled = self.model.enrolled.iter().filter(|(_, number)| reader.bit(**number));
        let other =
            self.model.other_enrolled.filter(|number| reader.bit(*number)).map_or(0, |_| OTHER_FACTOR);
        let now = reader.now();
        Event {
            variables: reader.variables(now),
            presences,
            enrolled: enrolled.fold(other, |mask, (factor, _)| mask | bit(*factor)),
            performed: reader.performed(now),
            now,
            supported: ALL_FACTORS,
        }
    }
}

/// Reads classes out of the values of binary variables.
struct Reader<'a> {
    facts: &'a Facts<'a>,
    values: &'a [bool],
}

impl Reader<'_> {
    fn bit(&self, number: u32) -> bool {
        self.values.get(number as usize).copied().unwrap_or(false)
    }

    fn number(&self, bits: &Bits) -> u32 {
        bits.iter().fold(0, |number, bit| number << 1 | u32::from(self.bit(*bit)))
    }

    /// Whether something is there: it and all above it, as far as the model knows.
    fn present(&self, presence: PresenceId) -> bool {
        let policy = self.facts.policy;
        let mut chain = std::iter::successors(Some(presence), |at| policy.presences[*at].parent);
        chain.all(|at| self.facts.model.presences.get(&at).is_none_or(|number| self.bit(*number)))
    }

    fn now(&self) -> i64 {
        let code = self.number(&self.facts.model.now);
        let stamps: Vec<_> =
            self.facts.model.stamps.iter().map(|(of, bits)| (*of, self.number(bits))).collect();
        let fits = |((of, code), allowed): (&(StampOf, u32), &Vec<u32>)| match of {
            StampOf::Performed(_) => *code == 0 || allowed.contains(&(code - 1)),
            StampOf::Variable(variable) => !self.is_there(*variable) || allowed.contains(code),
        };
        let mut possibilities = self.facts.model.times.possibilities.iter();
        let found = possibilities.find(|p| p.now_code == code && stamps.iter().zip(&p.allowed).all(fits));
        found.map_or(USUAL_NOW, |possibility| possibility.now)
    }

    fn is_there(&self, variable: VariableId) -> bool {
        match self.facts.policy.variables[variable].absence {
            Absence::Tracked(presence) => self.present(presence),
            Absence::Refused | Absence::Default(_) => true,
        }
    }

    fn variables(&self, now: i64) -> BTreeMap<VariableId, FactValue> {
        let there = self.facts.model.variables.iter().filter(|(variable, _)| self.is_there(**variable));
        let mut values: BTreeMap<VariableId, FactValue> =
            there.map(|(variable, model)| (*variable, self.value(*variable, model, now))).collect();
        self.texts(&mut values);
        for (variable, value) in &mut values {
            if let Some(default) = self.default_of_missing(*variable) {
                *value = default.into();
            }
        }
        values
    }

    /// The default of a variable under something that is missing: that very value, where its class has others.
    fn default_of_missing(&self, variable: VariableId) -> Option<&Value> {
        let Absence::Default(default) = &self.facts.policy.variables[variable].absence else { return None };
        let mut over = self.facts.presences_over(variable);
        over.any(|presence| !self.present(presence)).then_some(default)
    }

    fn value(&self, variable: VariableId, model: &VariableModel, now: i64) -> FactValue {
        match model {
            VariableModel::Bool(number) => FactValue::Bool(self.bit(*number)),
            VariableModel::Number { cells, bits } => {
                let cell = self.number(bits);
                FactValue::Number(match self.facts.policy.variables[variable].ty {
                    Type::Duration => cells.nearest_multiple(cell, 1000),
                    _ => cells.nearest(cell, 1),
                })
            }
            VariableModel::Time => {
                let of = StampOf::Variable(variable);
                let code = self.facts.model.stamps.get(&of).map_or(0, |bits| self.number(bits));
                FactValue::Number(self.facts.model.times.witness(of, now, code).unwrap_or(now))
            }
            // Texts of one class may have to differ, so they are chosen together.
            VariableModel::Text { .. } => FactValue::Text(String::new()),
            VariableModel::Address { witnesses, bits, .. } => {
                let unspecified = std::net::Ipv4Addr::UNSPECIFIED.into();
                FactValue::Ip(witnesses.get(self.number(bits) as usize).copied().unwrap_or(unspecified))
            }
            VariableModel::Factor { bits } => {
                let code = self.number(bits).checked_sub(1);
                FactValue::Factor(code.map(FactorId::from_u32))
            }
            VariableModel::FactorSet { members, other } => {
                let members = self.facts.policy.catalog.factors.keys().zip(members);
                let inside = members.filter(|(_, number)| self.bit(**number)).map(|(factor, _)| bit(factor));
                let other = if self.bit(*other) { OTHER_FACTOR } else { 0 };
                FactValue::FactorSet(inside.fold(other, |mask, factor| mask | factor))
            }
            VariableModel::List { not_empty, elements } => {
                let chosen = elements.iter().filter(|(_, number)| self.bit(**number));
                let mut texts: Vec<String> = chosen.map(|(text, _)| text.clone()).collect();
                if texts.is_empty() && self.bit(*not_empty) {
                    texts.push(unlike(elements.keys()));
                }
                FactValue::TextList(texts)
            }
        }
    }

    /// Chooses the texts: equal strings get one text, others of their class another.
    fn texts(&self, values: &mut BTreeMap<VariableId, FactValue>) {
        for group in &self.facts.model.groups {
            let mut chosen: Vec<(usize, u32, String)> = Vec::new();
            for (place, variable) in group.members.iter().enumerate() {
                let Some(VariableModel::Text { bits, .. }) = self.facts.model.variables.get(variable) else {
                    continue;
                };
                let Some(value) = values.get_mut(variable) else { continue };
                let class = self.number(bits);
                let equal = |other: usize| {
                    let number = group.equal.get(&(other, place));
                    number.is_some_and(|number| self.bit(*number))
                };
                let known = chosen.iter().find(|(other, ..)| equal(*other)).map(|(.., text)| text.clone());
                let used = |text: &&String| {
                    !chosen.iter().any(|(_, other, known)| *other == class && known == *text)
                };
                let text = known
                    .or_else(|| group.classes.texts(class).iter().find(used).cloned())
                    .unwrap_or_default();
                *value = FactValue::Text(text.clone());
                chosen.push((place, class, text));
            }
        }
    }

    /// The stamps from before the login, in the event's order: the one that counts as last stands last.
    fn performed(&self, now: i64) -> Vec<(FactorId, i64)> {
        let last = self.facts.model.last.as_ref().and_then(|bits| self.number(bits).checked_sub(1));
        let mut stamps: Vec<(FactorId, i64)> = Vec::new();
        for (of, bits) in &self.facts.model.stamps {
            let StampOf::Performed(factor) = of else { continue };
            let Some(code) = self.number(bits).checked_sub(1) else { continue };
            stamps.push((*factor, self.facts.model.times.witness(*of, now, code).unwrap_or(now)));
        }
        stamps.sort_by_key(|(factor, stamp)| (*stamp, Some(factor.as_u32()) == last));
        stamps
    }
}

/// A text that is none of these.
fn unlike<'t>(constants: impl Iterator<Item = &'t String> + Clone) -> String {
    let mut text = "other".to_owned();
    while constants.clone().any(|constant| *constant == text) {
        text.push('-');
    }
    text
}
