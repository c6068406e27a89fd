//! Every login of a flow, step after step: the sets of logins that reach each step, by what they have done.

use super::budget::{Budget, BudgetExceeded, Limited};
use super::condition::Conditions;
use super::diagram::{Diagrams, StoreSize};
use super::facts::{Facts, LoginReads, Model, Reads};
use super::prompts::{Logins, add, answer};
use super::replay::{Goal, Login, find_login};
use super::state::LoginState;
use super::step::{Detail, Seen, StepRun, Templates, shared_conditions};
use super::{Effort, LostCommands};
use crate::check::policy::{StepId, TypedPolicy};

/// The store that most policies fit into; it is made in a moment.
const SMALL_STORE: StoreSize = StoreSize { nodes: 1 << 17, remembered: 1 << 13 };

/// How many results the store of the whole budget remembers.
const LARGE_MEMORY: usize = 1 << 18;

/// What all logins of a flow do.
pub(super) struct Explored {
    pub(super) seen: Seen,
    /// The steps that some login begins.
    pub(super) begun: Vec<StepId>,
    /// A login that executes a fifth command, if one does.
    pub(super) fifth: Option<Login>,
    /// For each denial that loses commands, a login in which it does.
    pub(super) lost: Vec<LostCommands>,
    pub(super) effort: Effort,
}

/// Explores a flow: in a small store first, then, should it be too small, in one of the whole budget.
pub(super) fn explore(policy: &TypedPolicy, budget: &Budget) -> Limited<Explored> {
    let reads = Reads::of(policy, policy.steps.values(), budget.depth)?;
    let model = Model::new(policy, &reads, budget)?;
    let small = StoreSize { nodes: SMALL_STORE.nodes.min(budget.nodes), ..SMALL_STORE };
    let large = StoreSize { nodes: budget.nodes, remembered: LARGE_MEMORY };
    match explore_in(policy, &model, budget, small) {
        Err(BudgetExceeded::Nodes { limit }) if limit < budget.nodes => {
            explore_in(policy, &model, budget, large)
        }
        result => result,
    }
}

fn explore_in(policy: &TypedPolicy, model: &Model, budget: &Budget, size: StoreSize) -> Limited<Explored> {
    let diagrams = Diagrams::new(size, model.size)?;
    let facts = Facts::new(policy, model, diagrams);
    let mut explorer = Explorer {
        conditions: Conditions::new(policy, &facts),
        templates: Templates::default(),
        seen: Seen::default(),
        begun: Vec::new(),
        shared: shared_conditions(policy),
        budget,
        effort: Effort { variables: model.size as usize, login_states: 0 },
    };
    explorer.explore(policy, &facts)?;
    let Explorer { seen, begun, effort, .. } = explorer;
    let fifth = seen.fifth.as_ref().map(|logins| confirm(policy, &facts, logins, Goal::FifthCommand, budget));
    let lost = seen.lost.iter().map(|(span, logins)| {
        let login = confirm(policy, &facts, logins, Goal::CommandsBefore(*span), budget)?;
        Ok(LostCommands { denial: *span, login })
    });
    let lost = lost.collect::<Limited<Vec<_>>>()?;
    Ok(Explored { fifth: fifth.transpose()?, lost, seen, begun, effort })
}

/// Picks one login of a set and replays it over plain values. That a login can't be replayed would be a fault of
/// this room; it is never reported as the policy's.
fn confirm(
    policy: &TypedPolicy,
    facts: &Facts<'_>,
    logins: &super::diagram::Formula,
    goal: Goal,
    budget: &Budget,
) -> Limited<Login> {
    let event = facts.diagrams.pick(logins).map(|values| facts.decode(&values));
    let login = event.clone().and_then(|event| find_login(policy, event, goal, budget.login_states));
    debug_assert!(login.is_some(), "a login of the model can't be replayed: {goal:?} {event:?}");
    login.ok_or(BudgetExceeded::Replay { limit: budget.login_states })
}

struct Explorer<'a> {
    conditions: Conditions<'a>,
    templates: Templates,
    seen: Seen,
    begun: Vec<StepId>,
    shared: Vec<bool>,
    budget: &'a Budget,
    effort: Effort,
}

impl<'a> Explorer<'a> {
    fn explore(&mut self, policy: &'a TypedPolicy, facts: &'a Facts<'a>) -> Limited<()> {
        let reads = policy.steps.values().map(|step| Reads::of(policy, [step], self.budget.depth));
        let reads = reads.map(|reads| Ok(reads?.login)).collect::<Limited<Vec<_>>>()?;
        let mut later = later_reads(&reads).into_iter();
        let mut logins = Logins::from([(LoginState::default(), facts.world()?)]);
        logins.retain(|_, logins| !logins.is_empty());
        for (step, now) in policy.steps.keys().zip(&reads) {
            if logins.is_empty() {
                break;
            }
            self.begun.push(step);
            logins = self.step(policy, step, logins, now, later.next().flatten())?;
        }
        Ok(())
    }

    /// Runs a step for all logins; gives those that go on to the next, of which `later` is what still matters.
    fn step(
        &mut self,
        policy: &'a TypedPolicy,
        step: StepId,
        logins: Logins,
        now: &LoginReads,
        later: Option<LoginReads>,
    ) -> Limited<Logins> {
        let diagrams = &self.conditions.facts.diagrams;
        let mut entering = Logins::new();
        for (state, logins) in logins {
            for state in state.when_read(now) {
                add(diagrams, &mut entering, state, logins.clone())?;
            }
            self.check_states(entering.len())?;
        }
        self.effort.login_states += entering.len();
        let mut next = Logins::new();
        for (state, logins) in entering {
            self.conditions.enter(state);
            let detail = if later.is_some() { Detail::Commands } else { Detail::Count };
            let body = &policy.steps[step].body;
            let due = StepRun::run(
                &self.conditions,
                &mut self.templates,
                &mut self.seen,
                detail,
                &self.shared,
                body,
                logins,
            )?;
            let Some(later) = &later else { continue };
            for (commands, logins) in due {
                for (state, logins) in answer(&self.conditions, &self.templates, &commands, logins)? {
                    add(diagrams, &mut next, state.forget(later), logins)?;
                }
                self.check_states(next.len())?;
            }
        }
        Ok(next)
    }

    fn check_states(&self, more: usize) -> Limited<()> {
        let limit = self.budget.login_states;
        if self.effort.login_states + more > limit {
            Err(BudgetExceeded::LoginStates { limit })
        } else {
            Ok(())
        }
    }
}

/// For each step what the steps after it read; `None` for the last.
fn later_reads(reads: &[LoginReads]) -> Vec<Option<LoginReads>> {
    let mut later = Vec::new();
    let mut sum: Option<LoginReads> = None;
    for reads in reads.iter().rev() {
        later.push(sum.clone());
        sum.get_or_insert_default().join(reads);
    }
    later.reverse();
    later
}
