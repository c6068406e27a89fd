//! Sets of factors: to formulas over words, with all that is constant worked out.

use smallvec::SmallVec;

use crate::check::policy::{FactorId, Guard, Set, VariableId};
use crate::lower::layout::{BitSlot, VariableSlots, WordSlot};
use crate::lower::place::Places;
use crate::lower::program::SetFormula;

/// Bits of a word, of which one at least is set where a guard holds.
#[derive(Clone, Copy)]
pub(super) struct Bits {
    pub(super) slot: WordSlot,
    pub(super) mask: u64,
}

impl From<BitSlot> for Bits {
    fn from(bit: BitSlot) -> Self {
        Bits { slot: bit.word, mask: bit.mask() }
    }
}

impl Bits {
    /// All bits of a word.
    pub(super) fn all(slot: WordSlot) -> Self {
        Bits { slot, mask: u64::MAX }
    }
}

/// A slot that the policy asks for was laid out for that.
const LAID_OUT: &str = "collect has seen this use, so it was laid out";

impl Places {
    /// The formula of a set.
    pub(super) fn set(&self, set: &Set) -> SetFormula {
        match set {
            Set::Enrolled => SetFormula::Word(self.enrolled()),
            Set::Performed => SetFormula::Word(self.performed_mask()),
            Set::Variable(variable) => SetFormula::Word(self.factor_word(*variable)),
            Set::Literal(factors) => {
                SetFormula::Listed(factors.iter().map(|factor| number(*factor)).collect())
            }
            Set::Intersect(a, b) => intersect(self.set(a), self.set(b)),
            Set::Union(a, b) => union(self.set(a), self.set(b)),
            Set::Except(a, b) => except(self.set(a), self.set(b)),
            Set::IfPresent { guard, then, otherwise } => {
                let (then, otherwise) = (self.set(then), self.set(otherwise));
                if then == otherwise {
                    return then;
                }
                let Bits { slot, mask } = self.guard(*guard);
                SetFormula::If { slot, mask, then: Box::new(then), otherwise: Box::new(otherwise) }
            }
        }
    }

    /// The bits that say that a guard holds.
    pub(super) fn guard(&self, guard: Guard) -> Bits {
        match guard {
            Guard::Path(presence) => {
                let place = self.presences.get(&presence).expect(LAID_OUT);
                self.layout.presences[*place].bit.into()
            }
            Guard::LastPerformed => Bits::all(self.performed_mask()),
            Guard::Domain(variable) => match self.slots(variable) {
                VariableSlots::Text(text) => text.has_domain.expect(LAID_OUT).into(),
                _ => unreachable!("only strings have a domain"),
            },
        }
    }

    /// Where a variable is stored.
    pub(super) fn slots(&self, variable: VariableId) -> &VariableSlots {
        &self.layout.variables[*self.variables.get(&variable).expect(LAID_OUT)].slots
    }

    /// The mask of a variable of type `factor` or `set<factor>`.
    pub(super) fn factor_word(&self, variable: VariableId) -> WordSlot {
        match self.slots(variable) {
            VariableSlots::FactorSet(slot) | VariableSlots::Factor(slot) => *slot,
            _ => unreachable!("a set is made of factors"),
        }
    }

    pub(super) fn enrolled(&self) -> WordSlot {
        self.layout.enrolled.expect(LAID_OUT)
    }

    pub(super) fn performed_mask(&self) -> WordSlot {
        self.layout.performed.mask.expect(LAID_OUT)
    }
}

/// The number of a factor in masks.
pub(super) fn number(factor: FactorId) -> u8 {
    factor.as_u32() as u8
}

/// The bit of a factor in masks.
pub(super) fn bit(factor: FactorId) -> u64 {
    1u64.checked_shl(factor.as_u32()).unwrap_or(0)
}

/// The mask of listed factors.
pub(super) fn listed_mask(factors: &[u8]) -> u64 {
    factors.iter().fold(0, |mask, factor| mask | 1u64.checked_shl((*factor).into()).unwrap_or(0))
}

fn is_nothing(set: &SetFormula) -> bool {
    matches!(set, SetFormula::Listed(factors) if factors.is_empty())
}

fn nothing() -> SetFormula {
    SetFormula::Listed(SmallVec::new())
}

fn intersect(a: SetFormula, b: SetFormula) -> SetFormula {
    match (a, b) {
        (SetFormula::Listed(mut a), SetFormula::Listed(b)) => {
            a.retain(|factor| b.contains(factor));
            SetFormula::Listed(a)
        }
        (a, b) if is_nothing(&a) || is_nothing(&b) => nothing(),
        (a, b) if a == b => a,
        (a, b) => SetFormula::Intersect(Box::new(a), Box::new(b)),
    }
}

fn union(a: SetFormula, b: SetFormula) -> SetFormula {
    match (a, b) {
        (SetFormula::Listed(mut a), SetFormula::Listed(b)) => {
            for factor in b {
                if !a.contains(&factor) {
                    a.push(factor);
                }
            }
            SetFormula::Listed(a)
        }
        (a, b) if is_nothing(&b) || a == b => a,
        (a, b) if is_nothing(&a) => b,
        (a, b) => SetFormula::Union(Box::new(a), Box::new(b)),
    }
}

fn except(a: SetFormula, b: SetFormula) -> SetFormula {
    match (a, b) {
        (SetFormula::Listed(mut a), SetFormula::Listed(b)) => {
            a.retain(|factor| !b.contains(factor));
            SetFormula::Listed(a)
        }
        (a, b) if is_nothing(&b) => a,
        (a, b) if is_nothing(&a) || a == b => nothing(),
        (a, b) => SetFormula::Except(Box::new(a), Box::new(b)),
    }
}
