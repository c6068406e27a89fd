//! Whether a login can complete with fewer or weaker factors than before.
//!
//! What a completed login is worth is how many factors it has passed of each strength or a greater one. A login is
//! weaker when the new flow can complete with something that nothing the old flow could complete with is as weak as.

use std::collections::BTreeMap;

use cranelift_entity::EntityRef;
use serde::Serialize;

use super::merge::{Merged, Side};
use super::offer::{OfferId, Offers, Prompt};
use super::transcript::Transcript;
use super::walk::{Detail, Next, Position, Walker};
use crate::check::policy::{Catalog, FactorId, Trait};
use crate::flow::budget::{BudgetExceeded, Limited};
use crate::flow::condition::Conditions;
use crate::flow::diagram::{Diagrams, Formula};
use crate::flow::facts::LoginReads;
use crate::flow::state::LoginState;

/// How many factors were passed, in all and of the stronger kinds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Strength {
    /// All factors.
    pub factors: usize,
    /// Those that are neither restricted nor a way back in.
    pub ordinary: usize,
    /// Those that resist phishing.
    pub phishing_resistant: usize,
}

impl Strength {
    /// What some factors are worth together.
    pub fn of(catalog: &Catalog, passed: impl IntoIterator<Item = FactorId>) -> Self {
        passed.into_iter().fold(Strength::default(), |sum, factor| {
            let row = &catalog.factors[factor];
            let is_weak = row.has(Trait::Restricted) || row.has(Trait::Backup);
            let resists = row.has(Trait::PhishingResistant) && !is_weak;
            Strength {
                factors: sum.factors + 1,
                ordinary: sum.ordinary + usize::from(!is_weak),
                phishing_resistant: sum.phishing_resistant + usize::from(resists),
            }
        })
    }

    /// Whether for each factor here the other has one that is as strong, each its own.
    pub fn is_at_most(&self, other: &Strength) -> bool {
        self.factors <= other.factors
            && self.ordinary <= other.ordinary
            && self.phishing_resistant <= other.phishing_resistant
    }
}

/// Completed logins by what they have passed.
pub(super) type Completed = BTreeMap<Strength, Formula>;

/// Logins by what they have done and where they stand.
type Waiting = BTreeMap<(LoginState, Position), Formula>;

/// Follows one flow to its ends.
pub(super) struct Ends<'a, 'c> {
    pub(super) merged: &'a Merged,
    pub(super) conditions: &'c mut Conditions<'a>,
    pub(super) offers: &'c mut Offers,
    pub(super) reads: &'c LoginReads,
    /// Where the answers are noted; without one, logins are facts alone.
    pub(super) transcript: Option<&'c Transcript>,
    /// The most places at which logins may stand.
    pub(super) limit: usize,
}

impl<'a> Ends<'a, '_> {
    fn diagrams(&self) -> &'a Diagrams {
        &self.conditions.facts.diagrams
    }

    /// The logins that can complete, by what they pass.
    pub(super) fn of(&mut self, side: Side, world: Formula) -> Limited<Completed> {
        let mut completed = Completed::new();
        let mut waiting = Waiting::from([((LoginState::default(), Position::default()), world)]);
        let mut visited = 0;
        while let Some(((state, at), logins)) = waiting.pop_first() {
            visited += 1;
            if visited > self.limit {
                return Err(BudgetExceeded::LoginStates { limit: self.limit });
            }
            self.conditions.enter(state.clone());
            let mut walker = Walker {
                merged: self.merged,
                side,
                detail: Detail::Visible,
                conditions: self.conditions,
                offers: self.offers,
                state: &state,
            };
            for (next, at, logins) in walker.next(at, logins)? {
                match next {
                    Next::Asks(offer) => self.answers(offer, &state, &at, logins, &mut waiting)?,
                    Next::Completes => self.completes(&state, logins, &mut completed)?,
                    _ => {}
                }
            }
        }
        Ok(completed)
    }

    /// Answers a prompt in every way.
    fn answers(
        &self,
        offer: OfferId,
        state: &LoginState,
        at: &Position,
        logins: Formula,
        waiting: &mut Waiting,
    ) -> Limited<()> {
        let (diagrams, offer) = (self.diagrams(), self.offers.get(offer));
        let prompt = Prompt::new(offer, self.conditions, state)?;
        for (place, usable) in prompt.usable.iter().enumerate() {
            let passing = diagrams.and(logins, *usable)?;
            if passing.is_empty() {
                continue;
            }
            let passed = state.passing(offer.kind, FactorId::new(place));
            for state in passed.when_read(self.reads) {
                let logins = match self.transcript {
                    Some(transcript) => diagrams.and(passing, transcript.answered(&state, diagrams)?)?,
                    None => passing,
                };
                let known = waiting.entry((state, at.clone())).or_insert_with(|| diagrams.nothing());
                *known = diagrams.or(*known, logins)?;
            }
        }
        Ok(())
    }

    fn completes(&self, state: &LoginState, logins: Formula, completed: &mut Completed) -> Limited<()> {
        let diagrams = self.diagrams();
        let strength = Strength::of(&self.merged.policy.catalog, state.passed_factors());
        let logins = match self.transcript {
            Some(transcript) => {
                let prompts = state.passed_factors().count();
                diagrams.and(logins, transcript.nothing_from(prompts, diagrams)?)?
            }
            None => logins,
        };
        let known = completed.entry(strength).or_insert_with(|| diagrams.nothing());
        *known = diagrams.or(*known, logins)?;
        Ok(())
    }
}
