//! What a command offers, and what the user then sees of it, over all logins at once.
//!
//! Commands that offer the same to every login are one offer, wherever they stand and however they are written. So two
//! flows that ask the same compare one number, and only what differs is looked into.

use std::collections::HashMap;

use cranelift_entity::EntityRef;

use super::tell::Teller;
use crate::check::masks::bit;
use crate::check::policy::{Command, CommandKind, FactorId, Set, Style};
use crate::flow::budget::Limited;
use crate::flow::condition::{Conditions, Element};
use crate::flow::diagram::{Diagrams, Formula};
use crate::flow::state::LoginState;

/// The number of an offer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct OfferId(u32);

/// What a command offers, as the step saw it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Offer {
    pub(super) kind: CommandKind,
    pub(super) style: Style,
    /// The factor that comes first, where the style has one.
    pub(super) default: Option<FactorId>,
    /// The options of each factor of the catalog.
    options: Vec<Vec<usize>>,
    /// The logins in which each factor of the catalog is offered.
    offered: Vec<Formula>,
    /// For each two factors, the logins in which both are offered and the one lower in the catalog is shown first.
    first: Vec<Formula>,
}

/// All offers that were met.
#[derive(Default)]
pub(super) struct Offers {
    rows: Vec<(Offer, String)>,
    numbers: HashMap<Offer, OfferId>,
}

impl Offers {
    pub(super) fn get(&self, id: OfferId) -> &Offer {
        &self.rows[id.0 as usize].0
    }

    /// How the policy words the (first) command that offers this.
    pub(super) fn label(&self, id: OfferId) -> &str {
        &self.rows[id.0 as usize].1
    }

    /// What a command offers to logins in the state that the conditions are asked in.
    pub(super) fn of(&mut self, command: &Command, conditions: &Conditions<'_>) -> Limited<OfferId> {
        let offer = Offer::of(command, conditions)?;
        if let Some(known) = self.numbers.get(&offer) {
            return Ok(*known);
        }
        let id = OfferId(self.rows.len() as u32);
        let label = Teller { policy: conditions.policy }.command(command);
        self.rows.push((offer.clone(), label));
        self.numbers.insert(offer, id);
        Ok(id)
    }
}

/// The two lists of a command, listed factors before those of its set.
struct Lists<'a, 'c> {
    command: &'a Command,
    conditions: &'c Conditions<'a>,
}

impl Lists<'_, '_> {
    fn listed(&self, factor: FactorId) -> Option<usize> {
        self.command.listed.iter().position(|listed| listed.factor == factor)
    }

    fn offered(&self, factor: FactorId) -> Limited<Formula> {
        let diagrams = &self.conditions.facts.diagrams;
        match &self.command.rest {
            _ if self.listed(factor).is_some() => Ok(diagrams.everything()),
            Some(set) if self.conditions.policy.catalog.factors[factor].allows(self.command.kind) => {
                self.conditions.member(set, Element::Of(factor))
            }
            _ => Ok(diagrams.nothing()),
        }
    }

    fn is_before(&self, a: FactorId, b: FactorId) -> Limited<Formula> {
        let diagrams = &self.conditions.facts.diagrams;
        match (self.listed(a), self.listed(b), &self.command.rest) {
            (Some(a), Some(b), _) => Ok(diagrams.constant(a < b)),
            (Some(_), None, _) => Ok(diagrams.everything()),
            (None, Some(_), _) | (None, None, None) => Ok(diagrams.nothing()),
            (None, None, Some(set)) => is_before_in(self.conditions, set, a, b),
        }
    }
}

/// The logins in which one member of a set is shown before another: a literal's own order; of `A intersect B` and
/// `A except B`, A's; of `A union B`, A's then B's; of all else the catalog's.
fn is_before_in(conditions: &Conditions<'_>, set: &Set, a: FactorId, b: FactorId) -> Limited<Formula> {
    let diagrams = &conditions.facts.diagrams;
    match set {
        Set::Enrolled | Set::Performed | Set::Variable(_) => Ok(diagrams.constant(a < b)),
        Set::Literal(factors) => {
            let place = |factor| factors.iter().position(|other| *other == factor).unwrap_or(usize::MAX);
            Ok(diagrams.constant(place(a) < place(b)))
        }
        Set::Intersect(first, _) | Set::Except(first, _) => is_before_in(conditions, first, a, b),
        Set::Union(first, second) => {
            let (has_a, has_b) =
                (conditions.member(first, Element::Of(a))?, conditions.member(first, Element::Of(b))?);
            let in_first = is_before_in(conditions, first, a, b)?;
            let in_second = is_before_in(conditions, second, a, b)?;
            let with_a = diagrams.choose(has_b, in_first, diagrams.everything())?;
            let without_a = diagrams.minus(in_second, has_b)?;
            diagrams.choose(has_a, with_a, without_a)
        }
        Set::IfPresent { guard, then, otherwise } => {
            let guard = conditions.guard(*guard)?;
            let then = is_before_in(conditions, then, a, b)?;
            diagrams.choose(guard, then, is_before_in(conditions, otherwise, a, b)?)
        }
    }
}

/// For each two factors of a catalog of `count`, the lower one first.
fn pairs(count: usize) -> impl Iterator<Item = (FactorId, FactorId)> {
    (0..count).flat_map(move |a| (a + 1..count).map(move |b| (FactorId::new(a), FactorId::new(b))))
}

impl Offer {
    fn of(command: &Command, conditions: &Conditions<'_>) -> Limited<Self> {
        let diagrams = &conditions.facts.diagrams;
        let factors: Vec<FactorId> = conditions.policy.catalog.factors.keys().collect();
        let lists = Lists { command, conditions };
        let offered = factors.iter().map(|factor| lists.offered(*factor)).collect::<Limited<Vec<_>>>()?;
        let first = pairs(factors.len()).map(|(a, b)| {
            let both = diagrams.and(offered[a.index()], offered[b.index()])?;
            if both.is_empty() { Ok(both) } else { diagrams.and(both, lists.is_before(a, b)?) }
        });
        let first = first.collect::<Limited<Vec<_>>>()?;
        let options = factors.iter().map(|factor| {
            let listed = command.listed.iter().find(|listed| listed.factor == *factor);
            let mut options = listed.map_or_else(Vec::new, |listed| listed.options.clone());
            options.sort_unstable();
            options
        });
        let options = options.collect();
        let default = command.listed.first().filter(|_| command.style == Style::Preferred);
        let default = default.map(|listed| listed.factor);
        Ok(Offer { kind: command.kind, style: command.style, default, options, offered, first })
    }

    pub(super) fn options(&self, factor: FactorId) -> &[usize] {
        self.options.get(factor.index()).map_or(&[], Vec::as_slice)
    }

    /// The logins in which a factor is offered.
    pub(super) fn offered(&self, factor: FactorId) -> &Formula {
        &self.offered[factor.index()]
    }
}

/// A prompt that is due for logins in one state.
pub(super) struct Prompt<'a> {
    pub(super) offer: &'a Offer,
    /// The logins in which each factor of the catalog is offered and can be used.
    pub(super) usable: Vec<Formula>,
}

impl<'a> Prompt<'a> {
    pub(super) fn new(offer: &'a Offer, conditions: &Conditions<'_>, state: &LoginState) -> Limited<Self> {
        let diagrams = &conditions.facts.diagrams;
        let usable = conditions.policy.catalog.factors.keys().map(|factor| {
            let enrolled = is_enrolled(conditions, state, factor);
            match offer.kind {
                _ if conditions.policy.enabled & bit(factor) == 0 => Ok(diagrams.nothing()),
                CommandKind::Challenge => diagrams.and(*offer.offered(factor), enrolled),
                CommandKind::Enroll => diagrams.minus(*offer.offered(factor), enrolled),
            }
        });
        Ok(Prompt { offer, usable: usable.collect::<Limited<Vec<_>>>()? })
    }

    /// The logins in which two prompts show the same, and the log says the same of them.
    pub(super) fn same(&self, other: &Prompt<'_>, diagrams: &Diagrams) -> Limited<Formula> {
        if self.offer.kind != other.offer.kind {
            return Ok(diagrams.nothing());
        }
        let mut same = diagrams.everything();
        for (place, (a, b)) in self.usable.iter().zip(&other.usable).enumerate() {
            same = diagrams.and(same, diagrams.same(*a, *b)?)?;
            if self.offer.options.get(place) != other.offer.options.get(place) {
                same = diagrams.minus(same, *a)?;
            }
        }
        for ((a, b), firsts) in pairs(self.usable.len()).zip(self.offer.first.iter().zip(&other.offer.first))
        {
            let both = diagrams.and(self.usable[a.index()], self.usable[b.index()])?;
            let in_order = diagrams.same(*firsts.0, *firsts.1)?;
            same = diagrams.and(same, diagrams.implies(both, in_order)?)?;
            if self.offer.style != other.offer.style {
                same = diagrams.minus(same, both)?;
            }
        }
        self.same_warning(other, same, diagrams)
    }

    fn same_warning(&self, other: &Prompt<'_>, same: Formula, diagrams: &Diagrams) -> Limited<Formula> {
        let (mine, others) = (self.warning(diagrams)?, other.warning(diagrams)?);
        let same = diagrams.and(same, diagrams.same(mine, others)?)?;
        if self.offer.default == other.offer.default { Ok(same) } else { diagrams.minus(same, mine) }
    }

    /// The logins in which the log warns that the default can't be used.
    fn warning(&self, diagrams: &Diagrams) -> Limited<Formula> {
        match self.offer.default {
            Some(default) => Ok(!self.usable[default.index()]),
            None => Ok(diagrams.nothing()),
        }
    }

    /// The logins by what they are shown: the usable factors in order.
    pub(super) fn shown(
        &self,
        logins: Formula,
        diagrams: &Diagrams,
    ) -> Limited<Vec<(Vec<FactorId>, Formula)>> {
        let mut parts = vec![(Vec::new(), logins)];
        for (place, usable) in self.usable.iter().enumerate() {
            let factor = FactorId::new(place);
            let mut next = Vec::new();
            for (shown, logins) in parts {
                let without = diagrams.minus(logins, *usable)?;
                self.insert(factor, &shown, diagrams.and(logins, *usable)?, diagrams, &mut next)?;
                next.push((shown, without));
            }
            next.retain(|(_, logins): &(_, Formula)| !logins.is_empty());
            parts = next;
        }
        Ok(parts)
    }

    /// Puts a factor, the highest so far in the catalog, at each place of an order that some login has it at.
    fn insert(
        &self,
        factor: FactorId,
        shown: &[FactorId],
        logins: Formula,
        diagrams: &Diagrams,
        to: &mut Vec<(Vec<FactorId>, Formula)>,
    ) -> Limited<()> {
        let mut left = logins;
        for place in (0..=shown.len()).rev() {
            if left.is_empty() {
                break;
            }
            // At this place: after the one before it. Those that come before that one go on.
            let here = match place.checked_sub(1).and_then(|before| shown.get(before)) {
                Some(before) => diagrams.and(left, *self.first(*before, factor))?,
                None => left,
            };
            left = diagrams.minus(left, here)?;
            let (head, tail) = shown.split_at(place);
            to.push(([head, &[factor], tail].concat(), here));
        }
        Ok(())
    }

    fn first(&self, lower: FactorId, higher: FactorId) -> &Formula {
        let place = pairs(self.usable.len()).position(|pair| pair == (lower, higher)).unwrap_or(0);
        &self.offer.first[place]
    }
}

/// The logins in which a factor is enrolled when the prompt is due.
pub(super) fn is_enrolled(conditions: &Conditions<'_>, state: &LoginState, factor: FactorId) -> Formula {
    if state.enrolled & bit(factor) != 0 {
        conditions.facts.diagrams.everything()
    } else {
        conditions.facts.enrolled(factor)
    }
}

impl Offer {
    /// The logins in which two commands offer the same, whether it can be used or not.
    pub(super) fn same(&self, other: &Offer, diagrams: &Diagrams) -> Limited<Formula> {
        if (self.kind, self.style, self.default) != (other.kind, other.style, other.default) {
            return Ok(diagrams.nothing());
        }
        let mut same = diagrams.everything();
        for (place, (a, b)) in self.offered.iter().zip(&other.offered).enumerate() {
            same = diagrams.and(same, diagrams.same(*a, *b)?)?;
            if self.options.get(place) != other.options.get(place) {
                same = diagrams.minus(same, *a)?;
            }
        }
        for (a, b) in self.first.iter().zip(&other.first) {
            same = diagrams.and(same, diagrams.same(*a, *b)?)?;
        }
        Ok(same)
    }
}
