//! What all logins of a flow do: the proof that none executes a fifth command, and what else is certain.
//!
//! A login is a path: facts at the start, then for each step its commands, the user's answers to their prompts, and
//! the time that passes. The facts are many but only compared with what stands in the policy, so [`facts`] sorts
//! them into finitely many classes and holds sets of logins as decision diagrams over these ([`diagram`]). What a
//! login itself has done is small and kept as it is ([`state`]). [`explore`] carries sets of logins through the
//! steps: [`step`] runs statements ([`condition`] asks conditions), [`prompts`] answers what the user is shown. Both
//! are exact, so the proof answers yes or no; `docs/model.md` numbers the assumptions. Whatever is found is replayed
//! over plain values ([`replay`]) before it is reported ([`report`]).
//!
//! It knows the typed policy, and how one login is read as it is written ([`trace`](crate::trace)). What it may spend is bounded ([`budget`]): past a bound there is a report that
//! names it.

mod budget;
mod condition;
mod diagram;
mod explore;
mod facts;
mod lint;
mod prompts;
mod replay;
mod report;
mod state;
mod step;

pub use budget::{Budget, BudgetExceeded};
pub use replay::{Login, Outcome, PlayedCommand, PlayedStep};
pub use report::diagnose;

use crate::check::policy::{StepId, TypedPolicy};
use crate::source::Span;

/// What is certain of all logins of a flow.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Whether some login executes a fifth command.
    pub limit: Limit,
    /// Conditions that are asked and always give one answer. Empty where a budget was too small, as all below.
    pub constant: Vec<ConstantCondition>,
    /// Statements that no login reaches, the outermost only.
    pub unreachable: Vec<Unreachable>,
    /// Denials that lose the commands before them.
    pub lost: Vec<LostCommands>,
    /// What it took.
    pub effort: Effort,
}

/// The verdict on the four-command limit.
#[derive(Clone, PartialEq, Debug)]
pub enum Limit {
    /// No login executes a fifth command.
    Proven,
    /// This login does; its last command is the fifth.
    FifthCommand(Box<Login>),
    /// The proof would cost more than it may.
    BudgetExceeded(BudgetExceeded),
}

/// A condition that always gives one answer when it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConstantCondition {
    /// Its text.
    pub span: Span,
    /// The answer.
    pub always: bool,
}

/// A statement that no login reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreachable {
    /// The statement; for a step its name.
    pub span: Span,
    /// The step, where none of its statements is reached because no login begins it.
    pub step: Option<StepId>,
}

/// A denial in a step that has executed commands: they count, and nobody sees them.
#[derive(Clone, PartialEq, Debug)]
pub struct LostCommands {
    /// The `deny` statement.
    pub denial: Span,
    /// A login in which it happens; the commands of its last step are lost.
    pub login: Login,
}

/// What an analysis took.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Binary variables of the facts.
    pub variables: usize,
    /// States of a login, over all steps.
    pub login_states: usize,
}

/// Explores every login of a flow.
pub fn analyze(policy: &TypedPolicy, budget: &Budget) -> Analysis {
    match explore::explore(policy, budget) {
        Ok(explored) => {
            let constant = lint::constant_conditions(&explored);
            let unreachable = lint::unreachable(policy, &explored, &constant);
            let limit = explored.fifth.map_or(Limit::Proven, |login| Limit::FifthCommand(Box::new(login)));
            Analysis { limit, constant, unreachable, lost: explored.lost, effort: explored.effort }
        }
        Err(exceeded) => Analysis {
            limit: Limit::BudgetExceeded(exceeded),
            constant: Vec::new(),
            unreachable: Vec::new(),
            lost: Vec::new(),
            effort: Effort::default(),
        },
    }
}
