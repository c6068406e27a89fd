//! The explicit part of a login's state: what its steps so far have changed.
//!
//! Facts from before the login stay formulas; what the login itself has done is small and is kept as it is, so that
//! the rules of prompts read as they are written. After each step a state forgets what no later step can tell:
//! logins that differ in nothing else are then one.

use cranelift_entity::EntityRef;
use smallvec::SmallVec;

use super::facts::LoginReads;
use crate::check::masks::{FactorMask, bit};
use crate::check::policy::{CommandKind, FactorId};

/// What a login has done.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct LoginState {
    /// Commands executed.
    pub(super) commands: usize,
    /// Prompts passed.
    pub(super) prompts: usize,
    /// Factors enrolled in it.
    pub(super) enrolled: FactorMask,
    /// Factors passed in it, in order.
    passes: SmallVec<[Pass; 4]>,
    /// Whether any factor was passed in it, also one that is forgotten.
    pub(super) any_passed: bool,
}

/// A factor passed in this login.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Pass {
    /// Which; `None` where no later step can tell, and only that it was the last matters.
    factor: Option<FactorId>,
    /// The least age that its stamp can have, in milliseconds.
    age: i64,
}

impl LoginState {
    /// How old the stamp is of a factor that was passed in this login.
    pub(super) fn age(&self, factor: FactorId) -> Option<i64> {
        self.passes.iter().find(|pass| pass.factor == Some(factor)).map(|pass| pass.age)
    }

    /// The factor passed last in this login.
    pub(super) fn last_passed(&self) -> Option<FactorId> {
        self.passes.last().and_then(|pass| pass.factor)
    }

    /// The factors passed in this login.
    pub(super) fn passed_factors(&self) -> impl Iterator<Item = FactorId> + '_ {
        self.passes.iter().filter_map(|pass| pass.factor)
    }

    /// The state after a prompt is passed.
    pub(super) fn passing(&self, kind: CommandKind, factor: FactorId) -> LoginState {
        let mut next = self.clone();
        next.passes.push(Pass { factor: Some(factor), age: 0 });
        next.any_passed = true;
        next.prompts += 1;
        if kind == CommandKind::Enroll {
            next.enrolled |= bit(factor);
        }
        next
    }

    /// The states in which the next step may find it, by which of the windows that this step reads have run out
    /// (A2): no stamp grows younger, an older stamp is no younger than a newer one, and the last one is within every
    /// window. Ages are the least that fit, since a younger stamp leaves more open.
    pub(super) fn when_read(&self, reads: &LoginReads) -> Vec<LoginState> {
        let mut found = vec![self.clone()];
        for place in (0..self.passes.len().saturating_sub(1)).rev() {
            found = found.iter().flat_map(|state| state.ages_of(place, reads)).collect();
        }
        found
    }

    /// The states by the age of one pass, those of all newer ones being settled.
    fn ages_of(&self, place: usize, reads: &LoginReads) -> Vec<LoginState> {
        let age = |place: usize| self.passes.get(place).map_or(0, |pass| pass.age);
        let least = age(place).max(age(place + 1));
        let factor = self.passes.get(place).and_then(|pass| pass.factor);
        let lengths = factor.and_then(|factor| reads.windows.get(&factor)).into_iter().flatten();
        let ages = std::iter::once(least).chain(lengths.copied().filter(|length| *length > least));
        let with_age = |age: i64| {
            let mut state = self.clone();
            state.passes.iter_mut().skip(place).take(1).for_each(|pass| pass.age = age);
            state
        };
        ages.map(with_age).collect()
    }

    /// The state without what `later` steps can't tell.
    pub(super) fn forget(mut self, later: &LoginReads) -> LoginState {
        let asks_order = later.last_performed || !later.windows.is_empty();
        let matters = |factor: FactorId| (later.performed | later.challenged) & bit(factor) != 0;
        for pass in &mut self.passes {
            pass.factor = pass.factor.filter(|factor| matters(*factor));
            let lengths = later.windows.values().flatten().copied();
            pass.age = lengths.filter(|length| *length <= pass.age).max().unwrap_or(0);
        }
        let last = self.passes.len().saturating_sub(1);
        let mut place = 0;
        self.passes.retain(|pass| {
            place += 1;
            pass.factor.is_some() || (asks_order && place == last + 1)
        });
        if !asks_order {
            self.passes.sort_unstable_by_key(|pass| pass.factor.map(EntityRef::index));
        }
        self.enrolled &= later.enrolled;
        if !later.prompts {
            self.prompts = 0;
        }
        let asks_any = later.any_performed || later.enrolls;
        self.any_passed &= asks_any || !self.passes.is_empty();
        self
    }
}
