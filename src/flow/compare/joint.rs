//! Both flows at once, along the same answers: where the logins come to something different first.
//!
//! Between two answers each flow goes on by itself until it has something to tell. Logins for which both tell the same
//! go on together, answer by answer; the others are a difference, and are followed no further. Time is one for both
//! flows, and passes while a prompt waits (A9).

use std::collections::BTreeMap;

use cranelift_entity::EntityRef;

use super::merge::{Merged, Side};
use super::offer::{OfferId, Offers, Prompt};
use super::transcript::Transcript;
use super::walk::{Detail, Moves, Next, Position, Walker};
use crate::check::policy::FactorId;
use crate::flow::budget::{BudgetExceeded, Limited};
use crate::flow::condition::Conditions;
use crate::flow::diagram::{Diagrams, Formula};
use crate::flow::facts::LoginReads;
use crate::flow::state::LoginState;

/// What one flow comes to, for logins that differ.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Outcome {
    /// Something that its policy words.
    Next(Next),
    /// A prompt with these factors, told one by one where both flows word it alike.
    Shown(OfferId, Vec<FactorId>),
}

/// What the comparison finds: the differences, by how many prompts were passed, and all logins with all answers after which the flows were compared.
pub(super) struct Found {
    pub(super) differences: BTreeMap<(usize, Outcome, Outcome), Formula>,
    pub(super) compared: Formula,
}

/// Where logins stand in both flows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    answered: usize,
    state: LoginState,
    old: Position,
    new: Position,
}

/// Follows logins through both flows.
pub(super) struct Joint<'a, 'c> {
    pub(super) merged: &'a Merged,
    pub(super) detail: Detail,
    pub(super) conditions: &'c mut Conditions<'a>,
    pub(super) offers: &'c mut Offers,
    pub(super) transcript: &'c Transcript,
    pub(super) reads: &'c LoginReads,
    /// The most places at which logins may stand.
    pub(super) limit: usize,
}

impl<'a> Joint<'a, '_> {
    fn diagrams(&self) -> &'a Diagrams {
        &self.conditions.facts.diagrams
    }

    /// Follows all logins of the world.
    pub(super) fn compare(&mut self, world: Formula) -> Limited<Found> {
        let mut found = Found { differences: BTreeMap::new(), compared: self.diagrams().nothing() };
        let start = Node {
            answered: 0,
            state: LoginState::default(),
            old: Position::default(),
            new: Position::default(),
        };
        let mut waiting = BTreeMap::from([(start, world)]);
        let mut visited = 0;
        while let Some((node, logins)) = waiting.pop_first() {
            visited += 1;
            if visited > self.limit {
                return Err(BudgetExceeded::LoginStates { limit: self.limit });
            }
            self.node(node, logins, &mut waiting, &mut found)?;
        }
        Ok(found)
    }

    fn node(
        &mut self,
        node: Node,
        logins: Formula,
        waiting: &mut BTreeMap<Node, Formula>,
        found: &mut Found,
    ) -> Limited<()> {
        self.conditions.enter(node.state.clone());
        let diagrams = self.diagrams();
        let here = diagrams.and(logins, self.transcript.nothing_from(node.answered, diagrams)?)?;
        found.compared = diagrams.or(found.compared, here)?;
        let old = self.walk(Side::Old, &node.state, node.old.clone(), logins)?;
        let new = self.walk(Side::New, &node.state, node.new.clone(), logins)?;
        for (was, old_at, old_logins) in &old {
            for (now, new_at, new_logins) in &new {
                let both = self.diagrams().and(*old_logins, *new_logins)?;
                if both.is_empty() {
                    continue;
                }
                let next = Node { old: old_at.clone(), new: new_at.clone(), ..node.clone() };
                self.pair((was, now), next, both, waiting, found)?;
            }
        }
        Ok(())
    }

    fn walk(&mut self, side: Side, state: &LoginState, at: Position, logins: Formula) -> Limited<Moves> {
        let mut walker = Walker {
            merged: self.merged,
            side,
            detail: self.detail,
            conditions: self.conditions,
            offers: self.offers,
            state,
        };
        walker.next(at, logins)
    }

    /// Logins for which the two flows come to these.
    fn pair(
        &mut self,
        (was, now): (&Next, &Next),
        next: Node,
        logins: Formula,
        waiting: &mut BTreeMap<Node, Formula>,
        found: &mut Found,
    ) -> Limited<()> {
        let diagrams = self.diagrams();
        let same = match (was, now) {
            (Next::Asks(a), Next::Asks(b)) if a != b => {
                let a = Prompt::new(self.offers.get(*a), self.conditions, &next.state)?;
                let b = Prompt::new(self.offers.get(*b), self.conditions, &next.state)?;
                diagrams.and(logins, a.same(&b, diagrams)?)?
            }
            (Next::Decides(a, old), Next::Decides(b, new)) => {
                if a == b && old.len() == new.len() {
                    let pairs = old.iter().zip(new);
                    let same = pairs.map(|(a, b)| self.offers.get(*a).same(self.offers.get(*b), diagrams));
                    diagrams.and(logins, diagrams.all(same.collect::<Limited<Vec<_>>>()?)?)?
                } else {
                    diagrams.nothing()
                }
            }
            (a, b) if a == b => logins,
            _ => diagrams.nothing(),
        };
        let differ = diagrams.minus(logins, same)?;
        if !differ.is_empty() {
            self.difference((was, now), &next.state, differ, found)?;
        }
        if same.is_empty() {
            return Ok(());
        }
        match was {
            Next::Asks(offer) => self.answers(*offer, next, same, waiting),
            Next::Decides(..) => add(diagrams, waiting, next, same),
            _ => Ok(()),
        }
    }

    fn difference(
        &mut self,
        (was, now): (&Next, &Next),
        state: &LoginState,
        logins: Formula,
        found: &mut Found,
    ) -> Limited<()> {
        let diagrams = self.diagrams();
        let answered = state.passed_factors().count();
        let logins = diagrams.and(logins, self.transcript.nothing_from(answered, diagrams)?)?;
        for (was, now, logins) in self.told_apart(was, now, state, logins)? {
            let known = found.differences.entry((answered, was, now)).or_insert_with(|| diagrams.nothing());
            *known = diagrams.or(*known, logins)?;
        }
        Ok(())
    }

    /// What both flows come to; prompts that are worded alike by what is shown.
    fn told_apart(
        &self,
        was: &Next,
        now: &Next,
        state: &LoginState,
        logins: Formula,
    ) -> Limited<Vec<(Outcome, Outcome, Formula)>> {
        let (Next::Asks(a), Next::Asks(b)) = (was, now) else {
            return Ok(vec![(Outcome::Next(was.clone()), Outcome::Next(now.clone()), logins)]);
        };
        if self.offers.label(*a) != self.offers.label(*b) {
            return Ok(vec![(Outcome::Next(was.clone()), Outcome::Next(now.clone()), logins)]);
        }
        let diagrams = self.diagrams();
        let old = Prompt::new(self.offers.get(*a), self.conditions, state)?;
        let new = Prompt::new(self.offers.get(*b), self.conditions, state)?;
        let mut parts = Vec::new();
        for (was, logins) in old.shown(logins, diagrams)? {
            for (now, logins) in new.shown(logins, diagrams)? {
                parts.push((Outcome::Shown(*a, was.clone()), Outcome::Shown(*b, now), logins));
            }
        }
        Ok(parts)
    }

    /// Answers a prompt in every way.
    fn answers(
        &self,
        offer: OfferId,
        at: Node,
        logins: Formula,
        waiting: &mut BTreeMap<Node, Formula>,
    ) -> Limited<()> {
        let diagrams = self.diagrams();
        let offer = self.offers.get(offer);
        let prompt = Prompt::new(offer, self.conditions, &at.state)?;
        for (place, usable) in prompt.usable.iter().enumerate() {
            let passing = diagrams.and(logins, *usable)?;
            if passing.is_empty() {
                continue;
            }
            let state = at.state.passing(offer.kind, FactorId::new(place));
            for state in state.when_read(self.reads) {
                let logins = diagrams.and(passing, self.transcript.answered(&state, diagrams)?)?;
                add(diagrams, waiting, Node { answered: at.answered + 1, state, ..at.clone() }, logins)?;
            }
        }
        Ok(())
    }
}

fn add(
    diagrams: &Diagrams,
    waiting: &mut BTreeMap<Node, Formula>,
    node: Node,
    logins: Formula,
) -> Limited<()> {
    let together = match waiting.get(&node) {
        Some(others) => diagrams.or(*others, logins)?,
        None => logins,
    };
    waiting.insert(node, together);
    Ok(())
}
