//! What all logins of a flow do: the proof that none executes a fifth command, the questions that are always asked,
//! and the guarantees.
//!
//! A login is a path: facts at the start, then for each step its commands, the user's answers to their prompts, and
//! the time that passes. The facts are many but only compared with what stands in the policy, so [`facts`] sorts
//! them into finitely many classes and holds sets of logins as decision diagrams over these ([`diagram`]). What a
//! login itself has done is small and kept as it is ([`state`]). [`explore`] carries sets of logins through the
//! steps: [`step`] runs statements ([`condition`] asks conditions), [`prompts`] answers what the user is shown, and
//! [`questions`] says what is noted on the way. All is exact, so each answer is yes or no; `docs/model.md` numbers the
//! assumptions. Whatever is found ([`findings`]) is replayed over plain values ([`replay`]) before it is reported
//! ([`report`]).
//!
//! It knows the typed policy, and how one login is read as it is written ([`trace`](crate::trace)). What it may spend
//! is bounded ([`budget`]): past a bound there is a report that names it.

mod budget;
pub mod compare;
mod condition;
pub mod data;
mod diagram;
mod explore;
mod facts;
mod findings;
mod lint;
mod prompts;
mod questions;
mod replay;
mod report;
mod state;
mod step;

pub use budget::{Budget, BudgetExceeded};
pub use findings::assumptions;
pub use questions::{Aim, Scope};
pub use replay::{Ended, Login, Outcome, PlayedCommand, PlayedStep};
pub use report::diagnose;

use serde::Serialize;

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
    /// The answers to the built-in questions; none where the scope doesn't ask, or the limit doesn't hold.
    pub findings: Vec<Finding>,
    /// The answers to the guarantees, in their order; none likewise.
    pub guarantees: Vec<GuaranteeAnswer>,
    /// A login for each statement and outcome of a condition that some login meets; for [`Scope::Coverage`] alone.
    pub witnesses: Vec<(Aim, Login)>,
    /// The budget that was too small for the questions and guarantees, though it sufficed for the rest.
    pub unanswered: Option<BudgetExceeded>,
    /// What it took.
    pub effort: Effort,
}

impl Analysis {
    /// The logins that show findings and broken guarantees.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        let refuted = self.guarantees.iter().filter_map(|answer| match &answer.proof {
            Proof::Refuted(login) => Some(&**login),
            Proof::Proven | Proof::Vacuous => None,
        });
        self.findings.iter().map(|finding| &finding.login).chain(refuted)
    }
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

/// Something that is asked of every flow, and that some login does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// A command never works: whenever it is due it fails, or finds everything enrolled.
    NeverWorks,
    /// An enrollment is due while something is enrolled, and nothing was passed before: the login fails.
    EnrollWithoutChallenge,
    /// A login that fails at this command could not have done otherwise: whatever the user chooses, it fails.
    LockedOut,
    /// Nothing that a command offers can be used: the login fails.
    NothingUsable,
    /// Everything is enrolled that an `enroll any of` offers.
    EverythingEnrolled,
    /// A condition asks what is enrolled or performed after a command of its own step that can change the answer.
    StaleRead,
    /// A challenge never asks: whenever it is due, a factor passed before answers it.
    NeverAsks,
}

/// An answer to a question, with a login that shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The question.
    pub question: Question,
    /// The command, or the condition.
    pub span: Span,
    /// The login, as far as it matters.
    pub login: Login,
}

/// The answer to a guarantee.
#[derive(Clone, PartialEq, Debug)]
pub struct GuaranteeAnswer {
    /// Its position in [`TypedPolicy::guarantees`].
    pub guarantee: usize,
    /// The answer.
    pub proof: Proof,
}

/// Whether a guarantee holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Proof {
    /// It holds at the end of every login that counts.
    Proven,
    /// It holds because no login that counts meets its premise.
    Vacuous,
    /// This login breaks it, with as few prompts as can be.
    Refuted(Box<Login>),
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
pub fn analyze(policy: &TypedPolicy, scope: Scope, budget: &Budget) -> Analysis {
    let conclude = |facts: &facts::Facts<'_>, explored: explore::Explored| {
        findings::conclude(policy, facts, &explored, scope, budget)
    };
    match (explore::explore(policy, scope, budget, conclude), scope) {
        (Ok(analysis), _) => analysis,
        (Err(exceeded), Scope::Everything | Scope::Coverage) => {
            Analysis { unanswered: Some(exceeded), ..analyze(policy, Scope::Limit, budget) }
        }
        (Err(exceeded), Scope::Limit) => Analysis {
            limit: Limit::BudgetExceeded(exceeded),
            constant: Vec::new(),
            unreachable: Vec::new(),
            lost: Vec::new(),
            findings: Vec::new(),
            guarantees: Vec::new(),
            witnesses: Vec::new(),
            unanswered: None,
            effort: Effort::default(),
        },
    }
}
