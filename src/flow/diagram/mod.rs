//! Decision diagrams: sets of logins, held as formulas over binary variables.
//!
//! The face of [`store`]: two equal formulas are one edge to one node, so equality, emptiness and implication are
//! comparisons. A store holds so many nodes; running out of them is a typed error, the budget of the proof. This
//! module knows nothing of policies.

mod store;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Not;

use self::store::Store;
use super::budget::{BudgetExceeded, Limited};

/// A set of logins: those whose variables satisfy the formula. An edge of one store: twice the place of a node, and
/// one more where it is negated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Formula(u32);

impl Formula {
    const EVERYTHING: Formula = Formula(0);
    const NOTHING: Formula = Formula(1);
    /// More nodes than these have no edge.
    const MAX_NODES: usize = 1 << 31;

    /// Whether it has no login.
    pub(super) fn is_empty(self) -> bool {
        self == Formula::NOTHING
    }

    /// Whether it has every login, also those that no event describes.
    pub(super) fn is_everything(self) -> bool {
        self == Formula::EVERYTHING
    }

    /// The edge to a node.
    fn to(place: u32) -> Self {
        Formula(place << 1)
    }

    /// The place of the node.
    fn place(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// The edge that is not negated, to the same node.
    fn regular(self) -> Self {
        Formula(self.0 & !1)
    }

    /// This, negated if the other edge is.
    fn negated_like(self, other: Formula) -> Self {
        Formula(self.0 ^ other.0 & 1)
    }
}

/// All other logins.
impl Not for Formula {
    type Output = Formula;

    fn not(self) -> Formula {
        Formula(self.0 ^ 1)
    }
}

/// A store of formulas.
pub(super) struct Diagrams {
    store: RefCell<Store>,
    variables: Vec<Formula>,
    /// What counting has found, for the next count: the share of each formula.
    shares: RefCell<HashMap<Formula, f64>>,
}

impl Diagrams {
    /// A store of at most `nodes` nodes for formulas over `variables` variables. The first is tested first: those
    /// that decide most go first.
    pub(super) fn new(nodes: usize, variables: u32) -> Limited<Self> {
        let mut store = Store::new(nodes);
        let sides = [Formula::NOTHING, Formula::EVERYTHING];
        let variables = (0..variables).map(|number| store.node(number, sides)).collect::<Limited<_>>()?;
        Ok(Diagrams { store: RefCell::new(store), variables, shares: RefCell::default() })
    }

    /// The bytes of stack that an operation takes at most: it recurses once a variable.
    pub(super) fn stack(variables: usize) -> usize {
        const FRAME: usize = 512;
        FRAME * (variables + FRAME)
    }

    /// Every login.
    pub(super) fn everything(&self) -> Formula {
        Formula::EVERYTHING
    }

    /// No login.
    pub(super) fn nothing(&self) -> Formula {
        Formula::NOTHING
    }

    /// Every login, or none.
    pub(super) fn constant(&self, value: bool) -> Formula {
        if value { Formula::EVERYTHING } else { Formula::NOTHING }
    }

    /// The logins in which a variable is set.
    pub(super) fn variable(&self, number: u32) -> Formula {
        self.variables.get(number as usize).copied().unwrap_or(Formula::NOTHING)
    }

    /// The logins in both.
    pub(super) fn and(&self, a: Formula, b: Formula) -> Limited<Formula> {
        self.store.borrow_mut().and(a, b)
    }

    /// The logins in either.
    pub(super) fn or(&self, a: Formula, b: Formula) -> Limited<Formula> {
        self.and(!a, !b).map(Formula::not)
    }

    /// The logins of `a` that are not in `b`.
    pub(super) fn minus(&self, a: Formula, b: Formula) -> Limited<Formula> {
        self.and(a, !b)
    }

    /// The logins where `a` and `b` agree.
    pub(super) fn same(&self, a: Formula, b: Formula) -> Limited<Formula> {
        self.store.borrow_mut().differ(a, !b)
    }

    /// The logins where `a` implies `b`.
    pub(super) fn implies(&self, a: Formula, b: Formula) -> Limited<Formula> {
        self.and(a, !b).map(Formula::not)
    }

    /// Of the logins in `test` those in `then`, of all others those in `otherwise`.
    pub(super) fn choose(&self, test: Formula, then: Formula, otherwise: Formula) -> Limited<Formula> {
        self.store.borrow_mut().choose(test, then, otherwise)
    }

    /// The logins in any of these.
    pub(super) fn any(&self, formulas: impl IntoIterator<Item = Formula>) -> Limited<Formula> {
        formulas.into_iter().try_fold(Formula::NOTHING, |sum, next| self.or(sum, next))
    }

    /// The logins in all of these.
    pub(super) fn all(&self, formulas: impl IntoIterator<Item = Formula>) -> Limited<Formula> {
        formulas.into_iter().try_fold(Formula::EVERYTHING, |product, next| self.and(product, next))
    }

    /// The logins in which the number written in `bits` (highest first) is one of `members`, which are sorted.
    pub(super) fn number_in(&self, bits: &[u32], members: &[u32]) -> Limited<Formula> {
        let (Some((&first, rest)), Some(_)) = (bits.split_first(), members.first()) else {
            return Ok(self.constant(!members.is_empty()));
        };
        if members.len() >= 1 << bits.len() {
            return Ok(self.everything());
        }
        let half = 1u32 << rest.len();
        let middle = members.partition_point(|member| member & half == 0);
        let (low, high) = members.split_at(middle);
        let low = self.number_in(rest, low)?;
        let high = self.number_in(rest, high)?;
        self.choose(self.variable(first), high, low)
    }

    /// One login of a set, as the values of all variables; `None` where the set is empty. Bits that don't matter
    /// are clear.
    pub(super) fn pick(&self, set: Formula) -> Option<Vec<bool>> {
        let store = self.store.borrow();
        let mut values = vec![false; self.variables.len()];
        let mut at = set;
        while !at.is_everything() {
            if at.is_empty() {
                return None;
            }
            let (variable, [clear, set]) = store.parts(at);
            at = if clear.is_empty() { set } else { clear };
            if let Some(value) = values.get_mut(variable as usize) {
                *value = clear.is_empty();
            }
        }
        Some(values)
    }

    /// Whether a set has the login of these values.
    pub(super) fn has(&self, set: Formula, values: &[bool]) -> bool {
        let store = self.store.borrow();
        let mut at = set;
        while !at.is_everything() && !at.is_empty() {
            let (variable, [clear, set]) = store.parts(at);
            at = if values.get(variable as usize).copied().unwrap_or(false) { set } else { clear };
        }
        at.is_everything()
    }

    /// The logins that differ from one of a set in the variables from `first` on, or in nothing.
    pub(super) fn whatever_follows(&self, set: Formula, first: u32) -> Limited<Formula> {
        self.store.borrow_mut().whatever_follows(set, first)
    }

    /// How large a share of all combinations of values a set has, to compare sets by.
    pub(super) fn share(&self, set: Formula) -> f64 {
        self.share_of(&self.store.borrow(), &mut self.shares.borrow_mut(), set)
    }

    fn share_of(&self, store: &Store, known: &mut HashMap<Formula, f64>, set: Formula) -> f64 {
        if set.is_everything() || set.is_empty() {
            return if set.is_empty() { 0.0 } else { 1.0 };
        }
        if let Some(share) = known.get(&set) {
            return *share;
        }
        let (_, sides) = store.parts(set);
        let [clear, set_side] = sides.map(|side| self.share_of(store, known, side));
        let share = (clear + set_side) / 2.0;
        known.insert(set, share);
        share
    }
}
