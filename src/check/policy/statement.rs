//! Steps and their statements: what a policy does.

use super::{CommandKind, ConditionId, FactorId, Set};
use crate::source::Span;

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, unique in the flow.
    pub name: String,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// Its name's text; for a file without `step`, the first statement's first byte.
    pub declared: Span,
    /// What it does.
    pub body: Block,
}

impl Step {
    /// The conditions that its statements ask, without the parts of these.
    pub fn asked(&self) -> Vec<ConditionId> {
        let mut asked = Vec::new();
        let mut blocks: Vec<&Block> = vec![&self.body];
        while let Some(block) = blocks.pop() {
            for statement in block {
                match statement {
                    Statement::Applied { body, .. } => blocks.push(body),
                    Statement::Branch { branches, otherwise, .. } => {
                        asked.extend(branches.iter().map(|(condition, _)| *condition));
                        blocks.extend(branches.iter().map(|(_, body)| body));
                        blocks.push(otherwise);
                    }
                    Statement::Command(_) | Statement::Deny { .. } | Statement::Stop(_) => {}
                }
            }
        }
        asked
    }
}

/// Statements that run in order.
pub type Block = Vec<Statement>;

/// A statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Ask something of the user.
    Command(Command),
    /// The login ends after this step, and the step ends here.
    Deny {
        /// The reason that the user sees.
        reason: String,
        /// The whole statement.
        span: Span,
    },
    /// The step ends here.
    Stop(Span),
    /// `if` and `match`: the first branch whose condition holds runs, or `otherwise`.
    Branch {
        /// Conditions and what runs, in order.
        branches: Vec<(ConditionId, Block)>,
        /// What runs when none holds.
        otherwise: Block,
        /// The whole statement.
        span: Span,
    },
    /// `apply`: the rule's statements, in place.
    Applied {
        /// The rule's statements.
        body: Block,
        /// The `apply` statement.
        span: Span,
    },
}

impl Statement {
    /// Its text.
    pub fn span(&self) -> Span {
        match self {
            Statement::Command(command) => command.span,
            Statement::Deny { span, .. }
            | Statement::Stop(span)
            | Statement::Branch { span, .. }
            | Statement::Applied { span, .. } => *span,
        }
    }
}

/// A command with what it offers: the factors of `listed` in their order, then those of `rest` that are not
/// among them and that the catalog allows in this command.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Enroll or challenge.
    pub kind: CommandKind,
    /// How the factors are shown.
    pub style: Style,
    /// Factors that the policy lists, without repeats, each allowed in this command.
    pub listed: Vec<FactorUse>,
    /// A set known only when the login is decided.
    pub rest: Option<Set>,
    /// From the keyword to the last factor.
    pub span: Span,
}

/// How a command shows its factors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Style {
    /// The first of `listed` (there is one) is the default, the others stand behind "Try another method":
    /// `enrollWith`, `challengeWith`.
    Preferred,
    /// A picker: `enrollWithAny`, `challengeWithAny`.
    Any,
}

/// A factor with its options.
#[derive(Clone, PartialEq, Debug)]
pub struct FactorUse {
    /// The factor.
    pub factor: FactorId,
    /// Positions in [`Factor::options`](super::Factor::options); no two set the same key on the platform.
    pub options: Vec<usize>,
    /// The text.
    pub span: Span,
}
