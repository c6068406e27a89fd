//! What a step looks at, in the order in which it first does.

use std::collections::BTreeSet;

use crate::check::policy::{PresenceId, VariableId};

/// Something that a condition or a command looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Looked {
    /// The value of a variable.
    Variable(VariableId),
    /// Whether something is there.
    Presence(PresenceId),
    /// The enrolled factors.
    Enrolled,
    /// The factors performed in the session, with their stamps.
    Performed,
    /// The factors passed in this login.
    Passed,
    /// The clock, beyond the windows over performed factors, whose ages are known without it.
    Now,
}

/// Things looked at, each once.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct LookedAt {
    in_order: Vec<Looked>,
    seen: BTreeSet<Looked>,
}

impl LookedAt {
    pub(super) fn note(&mut self, looked: Looked) {
        if self.seen.insert(looked) {
            self.in_order.push(looked);
        }
    }

    /// In the order first looked at.
    pub fn iter(&self) -> impl Iterator<Item = Looked> + '_ {
        self.in_order.iter().copied()
    }
}
