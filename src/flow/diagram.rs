//! Decision diagrams: sets of logins, held as formulas over binary variables.
//!
//! A thin face on `oxidd`: complement edges (negation costs nothing), one store a proof, bounded in nodes. Two
//! equal formulas are one node, so equality, emptiness and implication are comparisons. Running out of nodes is a
//! typed error: it is the budget of the proof. This module knows nothing of policies.

use std::cell::RefCell;
use std::hash::BuildHasherDefault;

use oxidd::bcdd::{self, BCDDFunction, BCDDManagerRef};
use oxidd::util::num::F64;
use oxidd::util::{AllocResult, FxHasher, OptBool, SatCountCache};
use oxidd::{BooleanFunction, BooleanFunctionQuant, Manager, ManagerRef};

use super::budget::{BudgetExceeded, Limited};

/// A set of logins: those whose variables satisfy the formula.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Formula(BCDDFunction);

impl Formula {
    /// Whether it has no login.
    pub(super) fn is_empty(&self) -> bool {
        !self.0.satisfiable()
    }

    /// Whether it has every login, also those that no event describes.
    pub(super) fn is_everything(&self) -> bool {
        self.0.valid()
    }
}

/// A store of formulas.
pub(super) struct Diagrams {
    manager: BCDDManagerRef,
    nodes: usize,
    everything: Formula,
    nothing: Formula,
    variables: Vec<Formula>,
    /// What counting has found, for the next count.
    counts: RefCell<SatCountCache<F64, BuildHasherDefault<FxHasher>>>,
}

/// How large a store is.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoreSize {
    /// The most nodes that can be alive.
    pub(super) nodes: usize,
    /// How many results of operations are remembered.
    pub(super) remembered: usize,
}

impl Diagrams {
    /// A store of formulas over `variables` variables. The first is tested first: those that decide most go first.
    pub(super) fn new(size: StoreSize, variables: u32) -> Limited<Self> {
        let manager = bcdd::new_manager(size.nodes, size.remembered, 1);
        let out_of_nodes = |_| BudgetExceeded::Nodes { limit: size.nodes };
        let made: AllocResult<Vec<Formula>> = manager.with_manager_exclusive(|manager| {
            let numbers = manager.add_vars(variables);
            numbers.map(|number| BCDDFunction::var(manager, number).map(Formula)).collect()
        });
        let variables = made.map_err(out_of_nodes)?;
        let (everything, nothing) = manager.with_manager_shared(|manager| {
            (Formula(BCDDFunction::t(manager)), Formula(BCDDFunction::f(manager)))
        });
        let counts = RefCell::default();
        Ok(Diagrams { manager, nodes: size.nodes, everything, nothing, variables, counts })
    }

    /// Every login.
    pub(super) fn everything(&self) -> Formula {
        self.everything.clone()
    }

    /// No login.
    pub(super) fn nothing(&self) -> Formula {
        self.nothing.clone()
    }

    /// Every login, or none.
    pub(super) fn constant(&self, value: bool) -> Formula {
        if value { self.everything() } else { self.nothing() }
    }

    /// The logins in which a variable is set.
    pub(super) fn variable(&self, number: u32) -> Formula {
        self.variables.get(number as usize).cloned().unwrap_or_else(|| self.nothing())
    }

    /// The logins in both.
    pub(super) fn and(&self, a: &Formula, b: &Formula) -> Limited<Formula> {
        self.bounded(|| a.0.and(&b.0))
    }

    /// The logins in either.
    pub(super) fn or(&self, a: &Formula, b: &Formula) -> Limited<Formula> {
        self.bounded(|| a.0.or(&b.0))
    }

    /// The logins of `a` that are not in `b`.
    pub(super) fn minus(&self, a: &Formula, b: &Formula) -> Limited<Formula> {
        self.bounded(|| b.0.imp_strict(&a.0))
    }

    /// All other logins.
    pub(super) fn not(&self, a: &Formula) -> Limited<Formula> {
        self.bounded(|| a.0.not())
    }

    /// The logins where `a` and `b` agree.
    pub(super) fn same(&self, a: &Formula, b: &Formula) -> Limited<Formula> {
        self.bounded(|| a.0.equiv(&b.0))
    }

    /// The logins where `a` implies `b`.
    pub(super) fn implies(&self, a: &Formula, b: &Formula) -> Limited<Formula> {
        self.bounded(|| a.0.imp(&b.0))
    }

    /// Of the logins in `test` those in `then`, of all others those in `otherwise`.
    pub(super) fn choose(&self, test: &Formula, then: &Formula, otherwise: &Formula) -> Limited<Formula> {
        self.bounded(|| test.0.ite(&then.0, &otherwise.0))
    }

    /// The logins in any of these.
    pub(super) fn any(&self, formulas: impl IntoIterator<Item = Formula>) -> Limited<Formula> {
        formulas.into_iter().try_fold(self.nothing(), |sum, next| self.or(&sum, &next))
    }

    /// The logins in all of these.
    pub(super) fn all(&self, formulas: impl IntoIterator<Item = Formula>) -> Limited<Formula> {
        formulas.into_iter().try_fold(self.everything(), |product, next| self.and(&product, &next))
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
        self.choose(&self.variable(first), &high, &low)
    }

    /// One login of a set, as the values of all variables; `None` where the set is empty. Bits that don't matter
    /// are clear.
    pub(super) fn pick(&self, set: &Formula) -> Option<Vec<bool>> {
        let cube = set.0.pick_cube(|_, _, _| false)?;
        Some(cube.into_iter().map(|value| value == OptBool::True).collect())
    }

    /// Whether a set has the login of these values.
    pub(super) fn has(&self, set: &Formula, values: &[bool]) -> bool {
        set.0.eval((0u32..).zip(values.iter().copied()))
    }

    /// The logins that differ from one of a set in the variables from `first` on, or in nothing.
    pub(super) fn whatever_follows(&self, set: &Formula, first: u32) -> Limited<Formula> {
        let later = self.variables.iter().skip(first as usize).cloned();
        let later = self.all(later)?;
        self.bounded(|| set.0.exists(&later.0))
    }

    /// How many combinations of values a set has, to compare sets by.
    pub(super) fn count(&self, set: &Formula) -> f64 {
        set.0.sat_count(self.variables.len() as u32, &mut *self.counts.borrow_mut()).0
    }

    /// Runs an operation; where nodes run out, once more after dead ones are dropped.
    fn bounded(&self, operation: impl Fn() -> AllocResult<BCDDFunction>) -> Limited<Formula> {
        if let Ok(formula) = operation() {
            return Ok(Formula(formula));
        }
        self.manager.with_manager_shared(|manager| manager.gc());
        operation().map(Formula).map_err(|_| BudgetExceeded::Nodes { limit: self.nodes })
    }
}
