//! What a login is played in: the event as plain values, and how it changes while the user answers.

use crate::check::masks::{FactorMask, OTHER_FACTOR, bit};
use crate::check::policy::{Absence, CommandKind, FactorId, Given, PresenceId, TypedPolicy, VariableId};
use crate::trace::{Event, FactValue};

/// When a login is played that nobody gives a clock: Monday noon, 5 January 2026. Where it matters, it is
/// [asked for](super::PlayError::Missing).
const UNTOLD_NOW: i64 = 1_767_614_400_000;

/// The world of one login.
#[derive(Clone, PartialEq, Debug)]
pub struct World {
    /// The event, as the next step will see it.
    pub event: Event,
    /// Whether anybody has said what time it is.
    pub clock: Clock,
}

/// Whether a login's time is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// Somebody has said.
    Given,
    /// It is some time.
    Untold,
}

impl World {
    /// A world in which nothing is given: facts have their defaults, what may be missing is, nothing is enrolled or
    /// performed, and the browser supports every factor.
    pub fn new(policy: &TypedPolicy) -> World {
        let defaults = policy.variables.iter().filter_map(|(id, variable)| match &variable.absence {
            Absence::Default(value) => Some((id, value.into())),
            Absence::Refused | Absence::Tracked(_) => None,
        });
        let event = Event {
            variables: defaults.collect(),
            presences: policy.presences.keys().map(|presence| (presence, false)).collect(),
            enrolled: 0,
            performed: Vec::new(),
            now: UNTOLD_NOW,
            supported: !OTHER_FACTOR,
        };
        World { event, clock: Clock::Untold }
    }

    /// Takes what a test gives.
    pub fn give(&mut self, policy: &TypedPolicy, given: &Given) {
        let mask = |factors: &[FactorId]| factors.iter().fold(0, |mask, factor| mask | bit(*factor));
        match given {
            Given::Variable(variable, Some(value)) => self.set(policy, *variable, value.into()),
            Given::Variable(variable, None) => self.set_absent(policy, *variable),
            Given::Enrolled(factors) => self.event.enrolled = mask(factors),
            Given::Supports(factors) => self.event.supported = mask(factors),
            Given::Performed(uses) => {
                let stamps = uses.iter().map(|(factor, age)| (*factor, self.event.now.saturating_sub(*age)));
                self.event.performed = stamps.collect();
            }
            Given::Now(now) => self.set_now(*now),
        }
    }

    /// A fact has this value, and all is there that it stands under.
    pub fn set(&mut self, policy: &TypedPolicy, variable: VariableId, value: FactValue) {
        if let Absence::Tracked(presence) = policy.variables[variable].absence {
            self.appear(policy, presence);
        }
        self.event.variables.insert(variable, value);
    }

    /// A fact has no value: its default, or what it stands under is not there.
    pub fn set_absent(&mut self, policy: &TypedPolicy, variable: VariableId) {
        match &policy.variables[variable].absence {
            Absence::Tracked(presence) => self.vanish(policy, *presence),
            Absence::Default(value) => {
                self.event.variables.insert(variable, value.into());
            }
            Absence::Refused => {
                self.event.variables.remove(&variable);
            }
        }
    }

    /// Something that may be missing is there.
    pub fn appear(&mut self, policy: &TypedPolicy, presence: PresenceId) {
        let above = std::iter::successors(Some(presence), |at| policy.presences[*at].parent);
        for presence in above {
            self.event.presences.insert(presence, true);
        }
    }

    fn vanish(&mut self, policy: &TypedPolicy, gone: PresenceId) {
        for presence in policy.presences.keys() {
            let mut above = std::iter::successors(Some(presence), |at| policy.presences[*at].parent);
            if above.any(|at| at == gone) {
                self.event.presences.insert(presence, false);
            }
        }
        let presences = &self.event.presences;
        self.event.variables.retain(|variable, _| match policy.variables[*variable].absence {
            Absence::Tracked(presence) => presences.get(&presence).copied().unwrap_or(false),
            Absence::Refused | Absence::Default(_) => true,
        });
    }

    /// It is this time, in milliseconds since 1970. Stamps that were given before anybody said the time keep their
    /// age, which is how they were given.
    pub fn set_now(&mut self, now: i64) {
        if self.clock == Clock::Untold {
            let moved = now.saturating_sub(self.event.now);
            for (_, stamp) in &mut self.event.performed {
                *stamp = stamp.saturating_add(moved);
            }
        }
        self.event.now = now;
        self.clock = Clock::Given;
    }

    /// The factors that are enrolled, also those outside the catalog.
    pub fn enrolled(&self) -> FactorMask {
        self.event.enrolled
    }
}

/// How a prompt changes the event that the next step sees.
pub(super) fn enrolled_by(kind: CommandKind, factor: FactorId) -> FactorMask {
    match kind {
        CommandKind::Enroll => bit(factor),
        CommandKind::Challenge => 0,
    }
}
