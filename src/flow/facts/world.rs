//! Which combinations of classes some event has: the logins that there are.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Facts;
use super::model::{Bits, TextGroup, VariableModel, factor_code, lies_under};
use super::time::StampOf;
use crate::check::policy::{
    Absence, FactorId, PresenceId, Segment, Trait, Type, Value, Variable, VariableId,
};
use crate::flow::budget::Limited;
use crate::flow::diagram::Formula;

impl Facts<'_> {
    /// The logins that some event describes. (A1 is one of the assumptions in `docs/model.md`.)
    pub(in crate::flow) fn world(&self) -> Limited<Formula> {
        let mut parts = vec![self.presences()?];
        for (variable, model) in &self.model.variables {
            parts.push(self.valid(model)?);
            parts.push(self.absences(*variable)?);
        }
        for group in &self.model.groups {
            parts.push(self.equalities(group)?);
        }
        parts.push(self.possible_times()?);
        parts.push(self.last_performed()?);
        parts.push(self.implicit_factors()?);
        self.diagrams.all(parts)
    }

    /// What lies under something missing is missing.
    fn presences(&self) -> Limited<Formula> {
        let mut all = self.diagrams.everything();
        for (presence, bit) in &self.model.presences {
            let parents =
                std::iter::successors(Some(*presence), |at| self.policy.presences[*at].parent).skip(1);
            let here = self.diagrams.variable(*bit);
            for parent in parents.filter_map(|parent| self.model.presences.get(&parent)) {
                let implied = self.diagrams.implies(here, self.diagrams.variable(*parent))?;
                all = self.diagrams.and(all, implied)?;
            }
        }
        Ok(all)
    }

    /// Numbers of classes are numbers of classes.
    fn valid(&self, model: &VariableModel) -> Limited<Formula> {
        let below = |bits: &Bits, count: usize| {
            let members: Vec<u32> = (0..count as u32).collect();
            self.diagrams.number_in(bits, &members)
        };
        match model {
            VariableModel::Bool(_) | VariableModel::Time | VariableModel::FactorSet { .. } => {
                Ok(self.diagrams.everything())
            }
            VariableModel::Number { cells, bits } => below(bits, cells.count()),
            VariableModel::Text { group, bits, .. } => {
                below(bits, self.model.groups.get(*group).map_or(0, |group| group.classes.count()))
            }
            VariableModel::Address { witnesses, bits, .. } => below(bits, witnesses.len()),
            VariableModel::Factor { bits } => below(bits, self.policy.catalog.factors.len() + 1),
            VariableModel::List { not_empty, elements } => {
                let some = self.diagrams.any(elements.values().map(|bit| self.diagrams.variable(*bit)))?;
                self.diagrams.implies(some, self.diagrams.variable(*not_empty))
            }
        }
    }

    /// Where something above a variable is missing, the variable is absent: its default, or nothing. A variable
    /// without either makes the event unreadable then, so no such login is decided.
    fn absences(&self, variable: VariableId) -> Limited<Formula> {
        let mut all = self.diagrams.everything();
        for presence in self.presences_over(variable) {
            let here = self.present(presence);
            let allowed = match &self.policy.variables[variable].absence {
                Absence::Refused => here,
                Absence::Tracked(_) => self.diagrams.or(here, self.is_value(variable, None)?)?,
                Absence::Default(value) => self.diagrams.or(here, self.is_value(variable, Some(value))?)?,
            };
            all = self.diagrams.and(all, allowed)?;
        }
        Ok(all)
    }

    /// The presences of the model at or above a variable.
    pub(super) fn presences_over(&self, variable: VariableId) -> impl Iterator<Item = PresenceId> + '_ {
        let path = &self.policy.variables[variable].path;
        let over = move |presence: &PresenceId| lies_under(path, &self.policy.presences[*presence].path);
        self.model.presences.keys().copied().filter(over)
    }

    /// The logins in which a variable is in the class of a value; of `None`, in the one that stands for absent.
    pub(super) fn is_value(&self, variable: VariableId, value: Option<&Value>) -> Limited<Formula> {
        let number = match value {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        match self.model.variables.get(&variable) {
            None => Ok(self.diagrams.everything()),
            Some(VariableModel::Bool(bit)) => {
                let bit = self.diagrams.variable(*bit);
                Ok(if value == Some(&Value::Bool(true)) { bit } else { !bit })
            }
            Some(VariableModel::Number { cells, bits }) => {
                self.diagrams.number_in(bits, &[number.map_or(0, |number| cells.cell_of(number))])
            }
            Some(VariableModel::Time) => self.is_instant(variable, number),
            Some(VariableModel::Text { group, bits, .. }) => self.is_text(*group, bits, value),
            Some(VariableModel::Address { prefixes, witnesses, bits }) => {
                let region = match value {
                    Some(Value::Ip(address)) => region_of(prefixes, witnesses, *address),
                    _ => 0,
                };
                self.diagrams.number_in(bits, &[region])
            }
            Some(VariableModel::Factor { bits }) => {
                let code = if let Some(Value::Factor(factor)) = value { factor_code(*factor) } else { 0 };
                self.diagrams.number_in(bits, &[code])
            }
            Some(VariableModel::FactorSet { members, other }) => {
                let none = Vec::new();
                let set = if let Some(Value::FactorSet(factors)) = value { factors } else { &none };
                let bits = self.policy.catalog.factors.keys().zip(members);
                let member = bits.map(|(factor, bit)| (*bit, set.contains(&factor)));
                self.bits_are(member.chain([(*other, false)]))
            }
            Some(VariableModel::List { not_empty, elements }) => {
                let none = Vec::new();
                let list = if let Some(Value::TextList(texts)) = value { texts } else { &none };
                let element = elements.iter().map(|(text, bit)| (*bit, list.contains(text)));
                self.bits_are(element.chain([(*not_empty, !list.is_empty())]))
            }
        }
    }

    fn is_text(&self, group: usize, bits: &Bits, value: Option<&Value>) -> Limited<Formula> {
        let classes = self.model.groups.get(group).map(|group| &group.classes);
        let class = match value {
            Some(Value::Text(text)) => classes.and_then(|classes| classes.class_of_constant(text)),
            _ => None,
        };
        self.diagrams.number_in(bits, &[class.unwrap_or(0)])
    }

    fn bits_are(&self, bits: impl Iterator<Item = (u32, bool)>) -> Limited<Formula> {
        let mut all = self.diagrams.everything();
        for (bit, value) in bits {
            let bit = self.diagrams.variable(bit);
            all = if value { self.diagrams.and(all, bit)? } else { self.diagrams.minus(all, bit)? };
        }
        Ok(all)
    }

    fn is_instant(&self, variable: VariableId, instant: Option<i64>) -> Limited<Formula> {
        let of = StampOf::Variable(variable);
        match (instant, self.model.stamps.get(&of)) {
            (_, None) => Ok(self.diagrams.everything()),
            // A default has a cell of its own, so its ages follow from `now` alone.
            (Some(instant), _) => {
                self.stamp(of, |moment, class| moment.instants.cell_of(instant) == class.instant)
            }
            (None, Some(bits)) => self.diagrams.number_in(bits, &[0]),
        }
    }

    /// Equal strings are in one class, equality is transitive, and no more strings differ than a class has texts.
    fn equalities(&self, group: &TextGroup) -> Limited<Formula> {
        let mut all = self.diagrams.everything();
        for ((a, b), bit) in &group.equal {
            let same_class = self.same_class(group, *a, *b)?;
            let equal = self.diagrams.variable(*bit);
            all = self.diagrams.and(all, self.diagrams.implies(equal, same_class)?)?;
            for c in (0..group.members.len()).filter(|c| c != a && c != b) {
                let both = self.diagrams.and(self.equal(group, *a, c), self.equal(group, c, *b))?;
                all = self.diagrams.and(all, self.diagrams.implies(both, equal)?)?;
            }
        }
        let places = group.members.len();
        if places < 2 {
            return Ok(all);
        }
        for class in 0..group.classes.count() as u32 {
            let texts = group.classes.texts(class).len();
            for chosen in subsets(places, texts + 1) {
                let differ = self.all_differ_in(group, &chosen, class)?;
                all = self.diagrams.minus(all, differ)?;
            }
        }
        Ok(all)
    }

    fn equal(&self, group: &TextGroup, a: usize, b: usize) -> Formula {
        let bit = group.equal.get(&(a.min(b), a.max(b)));
        bit.map_or_else(|| self.diagrams.everything(), |bit| self.diagrams.variable(*bit))
    }

    fn bits_of(&self, group: &TextGroup, place: usize) -> &[u32] {
        match group.members.get(place).and_then(|variable| self.model.variables.get(variable)) {
            Some(VariableModel::Text { bits, .. }) => bits,
            _ => &[],
        }
    }

    fn same_class(&self, group: &TextGroup, a: usize, b: usize) -> Limited<Formula> {
        let pairs = self.bits_of(group, a).iter().zip(self.bits_of(group, b));
        let mut all = self.diagrams.everything();
        for (a, b) in pairs {
            let same = self.diagrams.same(self.diagrams.variable(*a), self.diagrams.variable(*b))?;
            all = self.diagrams.and(all, same)?;
        }
        Ok(all)
    }

    fn all_differ_in(&self, group: &TextGroup, places: &[usize], class: u32) -> Limited<Formula> {
        let mut all = self.diagrams.everything();
        for (index, &place) in places.iter().enumerate() {
            let inside = self.diagrams.number_in(self.bits_of(group, place), &[class])?;
            all = self.diagrams.and(all, inside)?;
            for &other in places.iter().take(index) {
                all = self.diagrams.minus(all, self.equal(group, place, other))?;
            }
        }
        Ok(all)
    }

    /// `now` and all stamps fit together. Absent time variables fit with anything.
    fn possible_times(&self) -> Limited<Formula> {
        let mut sum = self.diagrams.nothing();
        for possibility in &self.model.times.possibilities {
            let mut all = self.diagrams.number_in(&self.model.now, &[possibility.now_code])?;
            for ((of, bits), allowed) in self.model.stamps.iter().zip(&possibility.allowed) {
                all = self.diagrams.and(all, self.stamp_allowed(*of, bits, allowed)?)?;
            }
            sum = self.diagrams.or(sum, all)?;
        }
        Ok(sum)
    }

    fn stamp_allowed(&self, of: StampOf, bits: &Bits, allowed: &[u32]) -> Limited<Formula> {
        match of {
            StampOf::Performed(_) => {
                let codes: Vec<u32> = std::iter::once(0).chain(allowed.iter().map(|code| code + 1)).collect();
                self.diagrams.number_in(bits, &codes)
            }
            StampOf::Variable(variable) => {
                let possible = self.diagrams.number_in(bits, allowed)?;
                match self.policy.variables[variable].absence {
                    Absence::Tracked(_) => {
                        let absent = self.is_value(variable, None)?;
                        self.diagrams.choose(self.variable_present(variable)?, possible, absent)
                    }
                    Absence::Refused | Absence::Default(_) => Ok(possible),
                }
            }
        }
    }

    /// The factor performed last has none younger than itself; stamps of one class may stand in any order.
    fn last_performed(&self) -> Limited<Formula> {
        let Some(last) = &self.model.last else { return Ok(self.diagrams.everything()) };
        let factors: Vec<FactorId> = self.policy.catalog.factors.keys().collect();
        let performed = factors.iter().map(|factor| self.performed(*factor)).collect::<Limited<Vec<_>>>()?;
        let none = !self.diagrams.any(performed.iter().copied())?;
        let mut sum = self.diagrams.and(self.diagrams.number_in(last, &[0])?, none)?;
        for factor in &factors {
            let is_last = self.diagrams.number_in(last, &[factor_code(*factor)])?;
            let case = self.diagrams.and(is_last, self.none_younger(*factor, &factors)?)?;
            sum = self.diagrams.or(sum, case)?;
        }
        Ok(sum)
    }

    fn none_younger(&self, factor: FactorId, all: &[FactorId]) -> Limited<Formula> {
        let of = StampOf::Performed(factor);
        let ages = self.model.times.stamps.get(&of).map_or(0, |moment| moment.ages.count() as u32);
        let mut sum = self.diagrams.nothing();
        for age in 0..ages {
            let mut case = self.stamp(of, |_, class| class.age == age)?;
            for other in all.iter().filter(|other| **other != factor) {
                let younger = self.stamp(StampOf::Performed(*other), |_, class| class.age < age)?;
                case = self.diagrams.minus(case, younger)?;
            }
            sum = self.diagrams.or(sum, case)?;
        }
        Ok(sum)
    }

    /// A1: an email factor is enrolled exactly when the event has a verified address, as far as the policy reads
    /// these facts.
    fn implicit_factors(&self) -> Limited<Formula> {
        let catalog = &self.policy.catalog;
        let Some(email) =
            catalog.find("email").filter(|factor| catalog.factors[*factor].has(Trait::Implicit))
        else {
            return Ok(self.diagrams.everything());
        };
        if !self.model.enrolled.contains_key(&email) {
            return Ok(self.diagrams.everything());
        }
        let enrolled = self.enrolled(email);
        let address = self.address_known(&["user", "email"])?;
        let verified = self.verified_known(&["user", "email_verified"]);
        let mut all = self.diagrams.everything();
        for fact in [&address, &verified] {
            all = self.diagrams.and(all, self.diagrams.implies(enrolled, fact.possible)?)?;
        }
        let surely = self.diagrams.and(address.certain, verified.certain)?;
        self.diagrams.and(all, self.diagrams.implies(surely, enrolled)?)
    }

    fn variable_on(&self, path: &[&str]) -> Option<(VariableId, &Variable)> {
        self.policy.variables.iter().find(|(_, variable)| is_path(&variable.path, path))
    }

    /// Whether the event has an address.
    fn address_known(&self, path: &[&str]) -> Limited<Known> {
        let presence = self.model.presences.keys().find(|p| is_path(&self.policy.presences[**p].path, path));
        if let Some(presence) = presence {
            return Ok(Known::exactly(self.present(*presence)));
        }
        let unknown = Known { possible: self.diagrams.everything(), certain: self.diagrams.nothing() };
        let read = self.variable_on(path).filter(|(id, _)| self.model.variables.contains_key(id));
        match read {
            Some((_, Variable { absence: Absence::Refused, .. })) => {
                Ok(Known::exactly(self.diagrams.everything()))
            }
            // The default may come from the event or from its lack; any other text comes from the event.
            Some((id, Variable { absence: Absence::Default(value), .. })) => {
                let certain = !self.is_value(id, Some(value))?;
                Ok(Known { certain, ..unknown })
            }
            _ => Ok(unknown),
        }
    }

    /// Whether the event says that the address is verified.
    fn verified_known(&self, path: &[&str]) -> Known {
        let read = self.variable_on(path).filter(|(_, variable)| variable.ty == Type::Bool);
        match read.filter(|(id, _)| self.model.variables.contains_key(id)) {
            Some((id, Variable { absence: Absence::Default(Value::Bool(true)), .. })) => {
                Known { possible: self.bool(id), certain: self.diagrams.nothing() }
            }
            Some((id, _)) => Known::exactly(self.bool(id)),
            None => Known { possible: self.diagrams.everything(), certain: self.diagrams.nothing() },
        }
    }
}

/// What the facts that are read say of one that may not be.
struct Known {
    /// The logins in which it can hold.
    possible: Formula,
    /// The logins in which it must.
    certain: Formula,
}

impl Known {
    fn exactly(holds: Formula) -> Self {
        Known { possible: holds, certain: holds }
    }
}

/// The region of an address that need not be a witness: the one whose witness lies in the same prefixes.
fn region_of(prefixes: &BTreeSet<IpNet>, witnesses: &[IpAddr], address: IpAddr) -> u32 {
    let same = |witness: &IpAddr| {
        witness.is_ipv4() == address.is_ipv4()
            && prefixes.iter().all(|prefix| prefix.contains(witness) == prefix.contains(&address))
    };
    witnesses.iter().position(same).unwrap_or(0) as u32
}

fn is_path(path: &[Segment], keys: &[&str]) -> bool {
    path.len() == keys.len() && path.iter().zip(keys).all(|(segment, key)| segment.key == *key)
}

/// All subsets of `0..count` with `size` members.
fn subsets(count: usize, size: usize) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let longer = |chosen: &Vec<usize>| {
            let next = chosen.last().map_or(0, |last| last + 1);
            (next..count).map(|member| [chosen.as_slice(), &[member]].concat()).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(longer).collect();
    }
    found
}
