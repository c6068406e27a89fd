//! What is noted of logins on the way, for the questions that `check` always asks and for guarantees: what comes of
//! each command, which conditions read what their own step has made stale, and how logins end.
//!
//! Noting it costs more than the proof of four commands, so it is done for those who ask ([`Scope`]).

use std::collections::BTreeMap;

use super::budget::Limited;
use super::diagram::{Diagrams, Formula};
use super::state::LoginState;
use crate::check::policy::End;
use crate::source::Span;

/// How much an exploration asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Whether some login executes a fifth command, and what is constant, unreachable or lost.
    Limit,
    /// All questions, and the guarantees.
    Everything,
    /// All questions, and for each statement and outcome of a condition a login that meets it.
    Coverage,
}

/// Something of a policy that a login can meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Aim {
    /// A statement runs.
    Statement(Span),
    /// A condition that is one text is true, or false.
    Condition(Span, bool),
}

/// What can come of a command when its prompt is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Fate {
    /// The user is asked.
    Asks,
    /// A factor passed before answers it.
    Answered,
    /// Everything is enrolled that it offers: it fails, and the login goes on.
    NothingLeft,
    /// Nothing that it offers can be used: the login fails.
    NothingUsable,
    /// It would enroll while something is enrolled and nothing was passed: the login fails.
    Unchallenged,
}

/// Which logins executed which command as the how-manieth of a step.
pub(super) type Places = BTreeMap<(usize, Span), Formula>;

/// What was noted.
pub(super) struct Notes {
    /// For each command and fate, the logins that met it.
    pub(super) fates: BTreeMap<(Span, Fate), Formula>,
    /// For each condition that reads what is stale, the logins in which it does.
    pub(super) stale: BTreeMap<Span, Formula>,
    /// The logins that ended so in a state.
    pub(super) ends: BTreeMap<(End, LoginState), Formula>,
    /// For each thing that can be met, some logins that meet it; for a scope that asks.
    pub(super) met: BTreeMap<Aim, Formula>,
    /// The events from which some login completes or is denied.
    pub(super) gets_through: Formula,
}

impl Notes {
    pub(super) fn new(diagrams: &Diagrams) -> Self {
        Notes {
            fates: BTreeMap::new(),
            stale: BTreeMap::new(),
            ends: BTreeMap::new(),
            met: BTreeMap::new(),
            gets_through: diagrams.nothing(),
        }
    }

    /// Notes what came of the command that logins executed at a position of their step.
    pub(super) fn fate(
        &mut self,
        diagrams: &Diagrams,
        places: &Places,
        position: usize,
        fate: Fate,
        logins: Formula,
    ) -> Limited<()> {
        if logins.is_empty() {
            return Ok(());
        }
        for ((at, span), executed) in places.range((position, Span::FIRST)..) {
            if *at != position {
                break;
            }
            let met = diagrams.and(*executed, logins)?;
            note(diagrams, &mut self.fates, (*span, fate), met)?;
        }
        Ok(())
    }

    /// Notes that logins have ended.
    pub(super) fn end(
        &mut self,
        diagrams: &Diagrams,
        end: End,
        state: LoginState,
        logins: Formula,
    ) -> Limited<()> {
        if end != End::Failed {
            self.gets_through = diagrams.or(self.gets_through, logins)?;
        }
        note(diagrams, &mut self.ends, (end, state), logins)
    }

    /// Notes that logins meet something, if nobody has before.
    pub(super) fn meets(&mut self, aim: Aim, logins: Formula) {
        if !logins.is_empty() {
            self.met.entry(aim).or_insert_with(|| logins);
        }
    }

    /// Notes that logins ask a condition about what their step has made stale.
    pub(super) fn stale(&mut self, diagrams: &Diagrams, condition: Span, logins: Formula) -> Limited<()> {
        note(diagrams, &mut self.stale, condition, logins)
    }
}

fn note<K: Ord>(diagrams: &Diagrams, to: &mut BTreeMap<K, Formula>, key: K, logins: Formula) -> Limited<()> {
    if logins.is_empty() {
        return Ok(());
    }
    let together = match to.get(&key) {
        Some(others) => diagrams.or(*others, logins)?,
        None => logins,
    };
    to.insert(key, together);
    Ok(())
}
