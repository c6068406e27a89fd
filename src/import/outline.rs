//! A policy before it is text: what an Action does, in a policy's statements.

use super::condition::Condition;
use super::factor::{Factor, Factors};
use crate::syntax::tree::CommandKind;

/// A statement, or what stands between statements.
#[derive(Clone, Debug)]
pub(super) enum Outline {
    /// `//` lines.
    Comment(Vec<String>),
    /// `let NAME = CONDITION`
    Let(String, Condition),
    Command(CommandKind, Offer),
    Deny(String),
    Stop,
    If(Vec<(Condition, Vec<Outline>)>, Vec<Outline>),
}

/// What a command offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Offer {
    /// A default, the others in order, and then a set.
    Preferred(Vec<FactorUse>, Option<Factors>),
    Listed(Vec<FactorUse>),
    In(Factors),
}

/// A factor with the names of its options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FactorUse {
    pub(super) factor: Factor,
    pub(super) options: Vec<&'static str>,
}

/// A step, with what is said above it.
#[derive(Clone, Debug)]
pub(super) struct StepOutline {
    pub(super) name: String,
    pub(super) comments: Vec<Vec<String>>,
    /// Names of the whole file, with what is said above each.
    pub(super) names: Vec<Outline>,
    pub(super) body: Vec<Outline>,
}

/// Whether a list of statements has one that does something.
pub(super) fn acts(statements: &[Outline]) -> bool {
    statements.iter().any(|statement| !matches!(statement, Outline::Comment(_) | Outline::Let(..)))
}
