//! The factors that an Action may name, and sets of them.

use std::rc::Rc;

use super::facts::Path;

/// A factor of the platform, by its place in the catalog.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Factor(u8);

/// The catalog's order, which is that of sets that have none of their own.
const NAMES: [&str; 7] =
    ["otp", "recovery-code", "email", "push-notification", "phone", "webauthn-platform", "webauthn-roaming"];

impl Factor {
    pub(super) fn all() -> impl Iterator<Item = Factor> {
        (0_u8..).take(NAMES.len()).map(Factor)
    }

    pub(super) fn find(name: &str) -> Option<Factor> {
        Factor::all().find(|factor| factor.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    /// Nobody enrolls an email address: a user has it once it is verified.
    pub(super) fn can_be_enrolled(self) -> bool {
        self.name() != "email"
    }
}

/// A set of factors, as a policy writes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Factors {
    Enrolled,
    Performed,
    /// A fact that holds factors.
    Fact(Path),
    Literal(Vec<Factor>),
    Intersect(Rc<Factors>, Rc<Factors>),
    Union(Rc<Factors>, Rc<Factors>),
    Except(Rc<Factors>, Rc<Factors>),
}

impl Factors {
    /// What both have, in this one's order.
    pub(super) fn intersect(self, other: Factors) -> Factors {
        match other {
            // From left to right, as one reads it.
            Factors::Intersect(a, b) => self.intersect((*a).clone()).intersect((*b).clone()),
            other => Factors::Intersect(Rc::new(self), Rc::new(other)),
        }
    }

    pub(super) fn union(self, other: Factors) -> Factors {
        Factors::Union(Rc::new(self), Rc::new(other))
    }

    pub(super) fn except(self, other: Factors) -> Factors {
        match other {
            Factors::Literal(none) if none.is_empty() => self,
            other => Factors::Except(Rc::new(self), Rc::new(other)),
        }
    }

    /// The one factor of a list of one.
    pub(super) fn single(&self) -> Option<Factor> {
        match self {
            Factors::Literal(factors) => match factors.as_slice() {
                [factor] => Some(*factor),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the first set that it is made of is the user's: nothing is in it where the user has none.
    pub(super) fn is_of_enrolled(&self) -> bool {
        match self {
            Factors::Enrolled => true,
            Factors::Intersect(a, b) => a.is_of_enrolled() || b.is_of_enrolled(),
            Factors::Except(a, _) => a.is_of_enrolled(),
            Factors::Performed | Factors::Fact(_) | Factors::Literal(_) | Factors::Union(..) => false,
        }
    }
}
