//! What was seen of the questions and the guarantees: docs/model.md, read to the letter.

use std::collections::BTreeSet;

use stepup::check::policy::*;
use stepup::flow::Question;
use stepup::source::Span;

use super::{Facts, Fate, Life, Played, Player, Run, Session, aged, holds, offered};

/// What was seen of a guarantee at the ends that count.
#[derive(Default)]
pub(crate) struct GuaranteeSeen {
    /// Whether some login meets its premise.
    pub(crate) premise_is_met: bool,
    /// The fewest prompts of a login that breaks it.
    fewest: Option<usize>,
    /// The same, of those whose events are ordinary.
    fewest_of_ordinary: Option<usize>,
}

impl GuaranteeSeen {
    pub(crate) fn is_broken(&self) -> bool {
        self.fewest.is_some()
    }

    /// The prompts of the login to show: an ordinary one, if there is one.
    pub(crate) fn fewest_prompts(&self) -> Option<usize> {
        self.fewest_of_ordinary.or(self.fewest)
    }
}

impl Player<'_> {
    /// Judges all logins of one event.
    pub(super) fn judge(&mut self, life: &Life<'_>) {
        if life.facts.are_known() && life.ends.iter().all(|(end, _)| *end == End::Failed) {
            self.played.locked_out.extend(&life.failing);
        }
        let windows = self.windows.len();
        for (place, guarantee) in self.policy.guarantees.iter().enumerate() {
            let all = names_an_end(self.policy, guarantee.condition);
            let premises = premises(self.policy, guarantee.condition);
            for (end, session) in life.ends.iter().filter(|(end, _)| all || *end == End::Completed) {
                for session in aged(session, windows) {
                    let at_the_end = AtTheEnd {
                        policy: self.policy,
                        windows: &self.windows,
                        facts: life.facts,
                        session: &session,
                        end: *end,
                    };
                    let seen = &mut self.played.guarantees[place];
                    seen.premise_is_met |= premises.iter().all(|premise| at_the_end.holds(*premise));
                    if !at_the_end.holds(guarantee.condition) {
                        let prompts = session.passed.len();
                        let fewer = |before: Option<usize>| Some(before.map_or(prompts, |b| b.min(prompts)));
                        seen.fewest = fewer(seen.fewest);
                        if life.facts.are_ordinary() {
                            seen.fewest_of_ordinary = fewer(seen.fewest_of_ordinary);
                        }
                    }
                }
            }
        }
    }
}

/// A login that has ended, which a guarantee asks.
pub(super) struct AtTheEnd<'a> {
    pub(super) policy: &'a TypedPolicy,
    pub(super) windows: &'a [i64],
    pub(super) facts: &'a Facts,
    pub(super) session: &'a Session,
    pub(super) end: End,
}

impl AtTheEnd<'_> {
    pub(super) fn holds(&self, id: ConditionId) -> bool {
        match &self.policy.conditions[id].kind {
            ConditionKind::Not(part) => !self.holds(*part),
            ConditionKind::All(parts) => parts.iter().all(|part| self.holds(*part)),
            ConditionKind::Any(parts) => parts.iter().any(|part| self.holds(*part)),
            ConditionKind::Ended(end) => *end == self.end,
            ConditionKind::Initially(part) => {
                let session = Session::default();
                AtTheEnd { session: &session, ..*self }.holds(*part)
            }
            test => holds(self.policy, self.windows, self.facts, self.session, test),
        }
    }
}

/// Whether a guarantee is about all logins.
fn names_an_end(policy: &TypedPolicy, id: ConditionId) -> bool {
    match &policy.conditions[id].kind {
        ConditionKind::Ended(_) => true,
        ConditionKind::Not(part) => names_an_end(policy, *part),
        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
            parts.iter().any(|part| names_an_end(policy, *part))
        }
        _ => false,
    }
}

/// The premises of an implication, and of those that it implies.
fn premises(policy: &TypedPolicy, id: ConditionId) -> Vec<ConditionId> {
    let ConditionKind::Any(parts) = &policy.conditions[id].kind else { return vec![] };
    let ConditionKind::Not(premise) = &policy.conditions[parts[0]].kind else { return vec![] };
    let implied = if let [_, conclusion] = parts[..] { premises(policy, conclusion) } else { vec![] };
    [vec![*premise], implied].concat()
}

/// What a test asks of the login itself.
#[derive(Clone, Copy, Default)]
struct Asked {
    enrolled: u64,
    performed: u64,
}

impl Asked {
    /// What a text asks.
    fn by(policy: &TypedPolicy, id: ConditionId) -> Asked {
        let all = |parts: &[ConditionId]| {
            parts.iter().fold(Asked::default(), |asked, part| asked.and(Asked::by(policy, *part)))
        };
        match &policy.conditions[id].kind {
            ConditionKind::Not(part) => all(&[*part]),
            ConditionKind::All(parts) | ConditionKind::Any(parts) => all(parts),
            test => Asked::by_test(test),
        }
    }

    fn and(self, other: Asked) -> Asked {
        Asked { enrolled: self.enrolled | other.enrolled, performed: self.performed | other.performed }
    }

    fn by_test(test: &ConditionKind) -> Asked {
        let enrolled = |enrolled: u64| Asked { enrolled, performed: 0 };
        let performed = |performed: u64| Asked { enrolled: 0, performed };
        match test {
            ConditionKind::Member(FactorSubject::Literal(factor), Set::Enrolled) => {
                enrolled(1 << factor.as_u32())
            }
            ConditionKind::Member(FactorSubject::Literal(factor), Set::Performed)
            | ConditionKind::Performed(factor, _) => performed(1 << factor.as_u32()),
            ConditionKind::Member(FactorSubject::LastPerformed, set) => {
                Asked { performed: u64::MAX, ..Asked::of(set) }
            }
            ConditionKind::AnyPerformed(_) | ConditionKind::Present(Guard::LastPerformed) => {
                performed(u64::MAX)
            }
            ConditionKind::Member(_, set)
            | ConditionKind::EmptySet(set)
            | ConditionKind::Compare(Number::Count(set), ..)
            | ConditionKind::OneOf(Number::Count(set), _) => Asked::of(set),
            _ => Asked::default(),
        }
    }

    /// A set asks of all factors.
    fn of(set: &Set) -> Asked {
        match set {
            Set::Enrolled => Asked { enrolled: u64::MAX, performed: 0 },
            Set::Performed => Asked { enrolled: 0, performed: u64::MAX },
            Set::Intersect(a, b) | Set::Union(a, b) | Set::Except(a, b) => Asked::of(a).and(Asked::of(b)),
            _ => Asked::default(),
        }
    }
}

/// Whether a text asks what is enrolled or performed, about a factor that a command before it in its step can ask
/// for, as the step sees it.
pub(super) fn reads_what_is_stale(run: &Run<'_, '_>, text: ConditionId) -> bool {
    let Run { player, facts, session, executed } = run;
    let policy = player.policy;
    let asked = Asked::by(policy, text);
    let enrolled = facts.enrolled | session.enrolled;
    let has = |factor: &u32| enrolled >> factor & 1 == 1;
    executed.iter().any(|command| {
        let offer = offered(policy, facts, session, command);
        let is_answered =
            offer.iter().any(|factor| session.passed.iter().any(|(passed, _)| passed == factor));
        offer.iter().filter(|factor| policy.enabled >> *factor & 1 == 1).any(|factor| match command.kind {
            CommandKind::Enroll => !has(factor) && (asked.enrolled | asked.performed) >> factor & 1 == 1,
            CommandKind::Challenge => has(factor) && !is_answered && asked.performed >> factor & 1 == 1,
        })
    })
}

/// The findings that `check` should have, if no login executes a fifth command.
pub(crate) fn findings(played: &Played) -> BTreeSet<(Span, Question)> {
    let mut found: BTreeSet<_> = played.stale.iter().map(|span| (*span, Question::StaleRead)).collect();
    found.extend(played.locked_out.iter().map(|span| (*span, Question::LockedOut)));
    for (span, fates) in &played.fates {
        let met = |fate: Fate| fates.contains(&fate);
        let mut add = |when: bool, question: Question| {
            if when {
                found.insert((*span, question));
            }
        };
        add(met(Fate::NothingLeft), Question::EverythingEnrolled);
        add(met(Fate::NothingUsable), Question::NothingUsable);
        add(met(Fate::Unchallenged), Question::EnrollWithoutChallenge);
        add(!met(Fate::Asks) && !met(Fate::Answered), Question::NeverWorks);
        add(fates.iter().all(|fate| *fate == Fate::Answered), Question::NeverAsks);
    }
    found
}
