//! Every login of a flow, step after step: the sets of logins that reach each step, by what they have done.

use super::Effort;
use super::budget::{Budget, BudgetExceeded, Limited};
use super::condition::Conditions;
use super::diagram::Diagrams;
use super::facts::{Facts, LoginReads, Model, Reads};
use super::prompts::{Logins, Watch, add, answer};
use super::questions::{Notes, Places, Scope};
use super::state::LoginState;
use super::step::{Detail, LoginTexts, Noting, Records, Seen, StepRun, Templates, shared_conditions};
use crate::check::policy::{ConditionId, End, StepId, TypedPolicy};
use crate::stack::with_room;

/// What all logins of a flow do.
pub(super) struct Explored {
    pub(super) seen: Seen,
    /// The steps that some login begins.
    pub(super) begun: Vec<StepId>,
    /// What was noted, for a scope that asks.
    pub(super) notes: Option<Notes>,
    pub(super) effort: Effort,
}

/// Explores a flow. `conclude` turns what was found into answers while the store of its formulas is there.
pub(super) fn explore<T>(
    policy: &TypedPolicy,
    scope: Scope,
    budget: &Budget,
    conclude: impl Fn(&Facts<'_>, Explored) -> Limited<T>,
) -> Limited<T> {
    let ends = ends_asked(policy, scope);
    let reads = Reads::of(policy, policy.steps.values(), &ends, budget.depth)?;
    let model = Model::new(policy, &reads, budget)?;
    with_room(Diagrams::stack(model.size as usize), || {
        let facts = Facts::new(policy, &model, Diagrams::new(budget.nodes, model.size)?);
        let explored = explore_in(policy, &facts, model.size as usize, scope, budget)?;
        conclude(&facts, explored)
    })
}

/// The conditions on the ends of logins.
fn ends_asked(policy: &TypedPolicy, scope: Scope) -> Vec<ConditionId> {
    match scope {
        Scope::Limit => Vec::new(),
        Scope::Everything | Scope::Coverage => {
            policy.guarantees.iter().map(|guarantee| guarantee.condition).collect()
        }
    }
}

fn explore_in<'a>(
    policy: &'a TypedPolicy,
    facts: &'a Facts<'a>,
    variables: usize,
    scope: Scope,
    budget: &Budget,
) -> Limited<Explored> {
    let asking = match scope {
        Scope::Limit => None,
        Scope::Everything | Scope::Coverage => {
            let mut ends = Reads::of(policy, [], &ends_asked(policy, scope), budget.depth)?.login;
            // Of the logins that break a guarantee the shortest is shown.
            ends.prompts |= !policy.guarantees.is_empty();
            let texts = Reads::login_texts(policy, budget.depth)?;
            Some(Asking { notes: Notes::new(&facts.diagrams), texts, ends })
        }
    };
    let mut explorer = Explorer {
        conditions: Conditions::new(policy, facts),
        templates: Templates::default(),
        seen: Seen::default(),
        begun: Vec::new(),
        shared: shared_conditions(policy),
        asking,
        budget,
        effort: Effort { variables, login_states: 0 },
    };
    explorer.explore(policy, facts)?;
    let Explorer { seen, begun, asking, effort, .. } = explorer;
    Ok(Explored { seen, begun, notes: asking.map(|asking| asking.notes), effort })
}

/// What an exploration needs that asks all questions.
struct Asking {
    notes: Notes,
    texts: LoginTexts,
    /// What guarantees read of logins that have ended.
    ends: LoginReads,
}

struct Explorer<'a> {
    conditions: Conditions<'a>,
    templates: Templates,
    seen: Seen,
    begun: Vec<StepId>,
    shared: Vec<bool>,
    asking: Option<Asking>,
    budget: &'a Budget,
    effort: Effort,
}

impl<'a> Explorer<'a> {
    fn explore(&mut self, policy: &'a TypedPolicy, facts: &'a Facts<'a>) -> Limited<()> {
        let reads = policy.steps.values().map(|step| Reads::of(policy, [step], &[], self.budget.depth));
        let reads = reads.map(|reads| Ok(reads?.login)).collect::<Limited<Vec<_>>>()?;
        let at_the_end = self.asking.as_ref().map(|asking| asking.ends.clone());
        let mut later = later_reads(&reads, at_the_end).into_iter();
        let mut logins = Logins::from([(LoginState::default(), facts.world()?)]);
        logins.retain(|_, logins| !logins.is_empty());
        for (step, now) in policy.steps.keys().zip(&reads) {
            if logins.is_empty() {
                break;
            }
            self.begun.push(step);
            logins = self.step(policy, step, logins, now, later.next().flatten())?;
        }
        if let Some(asking) = &mut self.asking {
            for (state, logins) in logins {
                asking.notes.end(&facts.diagrams, End::Completed, state, logins)?;
            }
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
                add(diagrams, &mut entering, state, logins)?;
            }
            self.check_states(entering.len())?;
        }
        self.effort.login_states += entering.len();
        let mut next = Logins::new();
        for (state, logins) in entering {
            self.conditions.enter(state);
            let detail = if later.is_some() { Detail::Commands } else { Detail::Count };
            let mut places = Places::new();
            let noting = self.asking.as_mut().map(|asking| Noting {
                places: &mut places,
                notes: &mut asking.notes,
                reads: &asking.texts,
            });
            let body = &policy.steps[step].body;
            let records = Records { templates: &mut self.templates, seen: &mut self.seen, noting };
            let due = StepRun::run(&self.conditions, records, detail, &self.shared, body, logins)?;
            let Some(later) = &later else { continue };
            for (commands, logins) in due {
                let watch =
                    self.asking.as_mut().map(|asking| Watch { places: &places, notes: &mut asking.notes });
                for (state, logins) in answer(&self.conditions, &self.templates, &commands, logins, watch)? {
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

/// For each step what is read after it: by the steps that follow, and at the end; `None` where nobody asks.
fn later_reads(reads: &[LoginReads], at_the_end: Option<LoginReads>) -> Vec<Option<LoginReads>> {
    let mut later = Vec::new();
    let mut sum = at_the_end;
    for reads in reads.iter().rev() {
        later.push(sum.clone());
        sum.get_or_insert_default().join(reads);
    }
    later.reverse();
    later
}
