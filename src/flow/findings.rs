//! From what an exploration noted to findings: each with a login over plain values that shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::{Budget, BudgetExceeded, Limited};
use super::condition::Conditions;
use super::diagram::Formula;
use super::explore::Explored;
use super::facts::{Facts, Reads};
use super::questions::{Aim, Fate, Notes, Scope};
use super::replay::{Counted, Goal, Login, find_login};
use super::{Analysis, Finding, GuaranteeAnswer, Limit, LostCommands, Proof, Question, lint};
use crate::check::policy::{ConditionId, ConditionKind, Guarantee, TypedPolicy, Window};
use crate::source::Span;

/// The answers to all that was asked.
pub(super) fn conclude(
    policy: &TypedPolicy,
    facts: &Facts<'_>,
    explored: &Explored,
    scope: Scope,
    budget: &Budget,
) -> Limited<Analysis> {
    let preferences = facts.preferences()?;
    let ordinary = facts.diagrams.all(preferences.iter().cloned())?;
    let confirmer = Confirmer { policy, facts, budget, preferences, ordinary };
    let constant = lint::constant_conditions(explored);
    let unreachable = lint::unreachable(policy, explored, &constant);
    let fifth = explored.seen.fifth.as_ref().map(|logins| confirmer.confirm(*logins, Goal::FifthCommand));
    let lost = explored.seen.lost.iter().map(|(denial, logins)| {
        let login = confirmer.confirm(*logins, Goal::CommandsBefore(*denial))?;
        Ok(LostCommands { denial: *denial, login })
    });
    let lost = lost.collect::<Limited<Vec<_>>>()?;
    let limit = match fifth.transpose()? {
        Some(login) => Limit::FifthCommand(Box::new(login)),
        None => Limit::Proven,
    };
    let mut analysis = Analysis {
        limit,
        constant,
        unreachable,
        lost,
        findings: Vec::new(),
        guarantees: Vec::new(),
        witnesses: Vec::new(),
        unanswered: None,
        effort: explored.effort,
    };
    // Past a fifth command nobody can say what a login comes to.
    if let (Some(notes), Limit::Proven) = (&explored.notes, &analysis.limit) {
        analysis.findings = confirmer.findings(notes)?;
        analysis.guarantees = confirmer.guarantees(notes)?;
        if scope == Scope::Coverage {
            let witness =
                |(aim, logins): (&Aim, &Formula)| Ok((*aim, confirmer.confirm(*logins, Goal::Meets(*aim))?));
            analysis.witnesses = notes.met.iter().map(witness).collect::<Limited<_>>()?;
        }
    }
    Ok(analysis)
}

struct Confirmer<'a> {
    policy: &'a TypedPolicy,
    facts: &'a Facts<'a>,
    budget: &'a Budget,
    /// What makes a login telling, the most important first.
    preferences: Vec<Formula>,
    /// The logins that have all of it.
    ordinary: Formula,
}

impl Confirmer<'_> {
    /// Picks one login of a set, as telling a one as it has, and replays it over plain values. That a login can't be replayed would be a fault of
    /// this room; it is never reported as the policy's.
    fn confirm(&self, all: Formula, goal: Goal) -> Limited<Login> {
        let mut logins = all;
        for preferred in &self.preferences {
            let narrower = self.facts.diagrams.and(logins, *preferred)?;
            if !narrower.is_empty() {
                logins = narrower;
            }
        }
        let event = self.facts.diagrams.pick(logins).map(|values| self.facts.decode(&values));
        let limit = self.budget.login_states;
        let login = event.clone().and_then(|event| find_login(self.policy, event, goal, limit));
        debug_assert!(login.is_some(), "a login of the model can't be replayed: {goal:?} {event:?}");
        login.ok_or(BudgetExceeded::Replay { limit })
    }

    /// The logins whose enrolled factors the catalog all has: the built-in questions are about these (A7).
    fn known_only(&self, logins: Formula) -> Limited<Formula> {
        self.facts.diagrams.minus(logins, self.facts.other_enrolled())
    }

    /// The built-in questions, in the order of the source.
    fn findings(&self, notes: &Notes) -> Limited<Vec<Finding>> {
        let mut findings = Vec::new();
        let commands: BTreeSet<Span> = notes.fates.keys().map(|(span, _)| *span).collect();
        for span in commands {
            self.command(notes, span, &mut findings)?;
        }
        for (span, logins) in &notes.stale {
            let logins = self.known_only(*logins)?;
            if logins.is_empty() {
                continue;
            }
            let login = self.confirm(logins, Goal::Stale(*span))?;
            findings.push(Finding { question: Question::StaleRead, span: *span, login });
        }
        findings.sort_by_key(|finding| (finding.span, finding.question));
        Ok(findings)
    }

    fn command(&self, notes: &Notes, span: Span, findings: &mut Vec<Finding>) -> Limited<()> {
        let mut fates: BTreeMap<Fate, Formula> = BTreeMap::new();
        for ((_, fate), logins) in notes.fates.iter().filter(|((at, _), _)| *at == span) {
            fates.insert(*fate, self.known_only(*logins)?);
        }
        fates.retain(|_, logins| !logins.is_empty());
        let met = |fate: Fate| fates.contains_key(&fate);
        let mut found = |question: Question, fate: Fate, logins: Formula| -> Limited<()> {
            let login = self.confirm(logins, Goal::Fate(span, fate))?;
            findings.push(Finding { question, span, login });
            Ok(())
        };
        let works = met(Fate::Asks) || met(Fate::Answered);
        for (fate, logins) in &fates {
            let question = match fate {
                Fate::Asks => continue,
                Fate::Answered if met(Fate::Asks) || fates.len() > 1 => continue,
                Fate::Answered => Question::NeverAsks,
                Fate::NothingLeft => Question::EverythingEnrolled,
                Fate::NothingUsable => Question::NothingUsable,
                Fate::Unchallenged => Question::EnrollWithoutChallenge,
            };
            found(question, *fate, *logins)?;
            let locked_out = self.facts.diagrams.minus(*logins, notes.gets_through)?;
            let fails = matches!(fate, Fate::NothingUsable | Fate::Unchallenged);
            if fails && !locked_out.is_empty() {
                found(Question::LockedOut, *fate, locked_out)?;
                self.confirm_locked_out(locked_out)?;
            }
            if !works {
                found(Question::NeverWorks, *fate, *logins)?;
            }
        }
        Ok(())
    }

    /// That no choice gets a login through is held to trying all of them.
    fn confirm_locked_out(&self, logins: Formula) -> Limited<()> {
        let event = self.facts.diagrams.pick(logins).map(|values| self.facts.decode(&values));
        let limit = self.budget.login_states;
        let through = event.and_then(|event| find_login(self.policy, event, Goal::GetsThrough, limit));
        debug_assert!(through.is_none(), "a login gets through that should not: {through:?}");
        if through.is_some() { Err(BudgetExceeded::Replay { limit }) } else { Ok(()) }
    }

    fn guarantees(&self, notes: &Notes) -> Limited<Vec<GuaranteeAnswer>> {
        let guarantees = self.policy.guarantees.iter().enumerate();
        guarantees
            .map(|(guarantee, row)| {
                Ok(GuaranteeAnswer { guarantee, proof: self.prove(notes, row.condition)? })
            })
            .collect()
    }

    /// Whether a condition holds at the end of every login that counts.
    fn prove(&self, notes: &Notes, condition: ConditionId) -> Limited<Proof> {
        let counted = counted(self.policy, condition);
        let premises = premises(self.policy, condition);
        let reads = Reads::of(self.policy, [], &[condition], self.budget.depth)?.login;
        let diagrams = &self.facts.diagrams;
        let mut conditions = Conditions::new(self.policy, self.facts);
        // Ordinary logins first, then those with few prompts.
        let mut breaking: Option<((bool, usize), Formula)> = None;
        let mut premise_is_met = false;
        for ((end, state), logins) in notes.ends.iter().filter(|((end, _), _)| counted.counts(*end)) {
            for state in state.when_read(&reads) {
                let prompts = state.prompts;
                conditions.enter_end(state, *end);
                let breaks = diagrams.minus(*logins, conditions.formula(condition)?)?;
                let rank = (diagrams.and(breaks, self.ordinary)?.is_empty(), prompts);
                let is_better = breaking.as_ref().is_none_or(|(best, _)| rank < *best);
                if !breaks.is_empty() && is_better {
                    breaking = Some((rank, breaks));
                }
                let mut meeting = *logins;
                for premise in &premises {
                    meeting = diagrams.and(meeting, conditions.formula(*premise)?)?;
                }
                premise_is_met |= !meeting.is_empty();
            }
        }
        match breaking {
            Some((_, logins)) => {
                Ok(Proof::Refuted(Box::new(self.confirm(logins, Goal::Breaks(condition, counted))?)))
            }
            None if premise_is_met => Ok(Proof::Proven),
            None => Ok(Proof::Vacuous),
        }
    }
}

/// Which ends a guarantee counts: all, when it names one.
pub(super) fn counted(policy: &TypedPolicy, condition: ConditionId) -> Counted {
    let mut waiting = vec![condition];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        match &policy.conditions[id].kind {
            ConditionKind::Ended(_) => return Counted::All,
            ConditionKind::Not(inner) => waiting.push(*inner),
            ConditionKind::All(parts) | ConditionKind::Any(parts) => waiting.extend(parts),
            _ => {}
        }
    }
    Counted::Completed
}

/// The premises of `premise implies conclusion`, which has become `not premise or conclusion`; of a chain, all.
pub(super) fn premises(policy: &TypedPolicy, condition: ConditionId) -> Vec<ConditionId> {
    let mut premises = Vec::new();
    let mut at = Some(condition);
    while let Some(ConditionKind::Any(parts)) = at.map(|id| &policy.conditions[id].kind) {
        let first = parts.first().map(|part| &policy.conditions[*part].kind);
        let Some(ConditionKind::Not(premise)) = first else { break };
        premises.push(*premise);
        at = parts.get(1).copied().filter(|_| parts.len() == 2);
    }
    premises
}

/// The numbers of the assumptions in `docs/model.md` that a guarantee's answer rests on beside those that all do: of time,
/// where the flow asks windows, and of users, where the guarantee names an end.
pub fn assumptions(policy: &TypedPolicy, guarantee: &Guarantee) -> Vec<&'static str> {
    let asks_windows = policy.conditions.values().any(|condition| {
        matches!(
            condition.kind,
            ConditionKind::Performed(_, Window::Within(_)) | ConditionKind::AnyPerformed(Window::Within(_))
        )
    });
    let names_end = counted(policy, guarantee.condition) == Counted::All;
    let rests = [(asks_windows, "A2"), (names_end, "A8")];
    rests.into_iter().filter(|(rests, _)| *rests).map(|(_, number)| number).collect()
}
