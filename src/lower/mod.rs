//! Lowering: a typed policy becomes a [`Program`] over a flat facts record.
//!
//! `collect` finds what the steps read, `place` lays it out, and the statements become a graph of basic blocks from
//! their ends backwards: each is built with the block that follows it already there. `condition` turns a condition
//! and its two targets into short-circuit branches, `question` one leaf of it into tests on words, `fuse` two tests of
//! one word into one, `set` a set into a formula. `graph` shares equal blocks, `thread` asks no test of a word whose
//! value is known, and `switch` merges chains of tests of one word, `first` those of the bits
//! of a list.

mod collect;
mod condition;
mod first;
mod fuse;
mod graph;
pub mod layout;
pub mod paths;
mod place;
pub mod pool;
pub mod program;
mod question;
mod set;
mod statement;
mod switch;
mod thread;

use std::sync::Arc;

use cranelift_entity::PrimaryMap;
use thiserror::Error;

use crate::check::policy::TypedPolicy;
use program::{Interface, MAX_COMMANDS, Program};

/// How deep blocks may nest in blocks, and sets in sets.
pub const MAX_DEPTH: usize = 1024;

/// The most basic blocks of one step, also while it is being built.
pub const MAX_NODES: usize = 1 << 18;

/// A bound that a policy passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum LowerError {
    /// More different commands than a decision word can number.
    #[error("the policy has more than {MAX_COMMANDS} different commands")]
    TooManyCommands,
    /// More different reasons than a decision word can number.
    #[error("the policy denies for more than {MAX_COMMANDS} different reasons")]
    TooManyReasons,
    /// The conditions take too many blocks once they are expanded.
    #[error("the policy's conditions expand to more than {MAX_NODES} tests")]
    TooManyNodes,
    /// Blocks or sets nest too deep.
    #[error("the policy nests blocks or sets deeper than {MAX_DEPTH}")]
    TooDeep,
}

/// Lowers a checked policy.
pub fn lower(policy: &TypedPolicy) -> Result<Program, LowerError> {
    let mut places = place::place(policy, &collect::collect(policy)?);
    let mut tables = statement::Tables::new(&policy.catalog, &places.layout);
    let mut steps = PrimaryMap::new();
    for step in policy.steps.values() {
        steps.push(statement::step(policy, &places, step, &mut tables)?);
    }
    let (commands, reasons, firsts) = tables.finish();
    firsts.finish(&mut places.layout);
    steps.shrink_to_fit();
    let mut names: PrimaryMap<_, Box<str>> =
        policy.steps.values().map(|step| step.name.as_str().into()).collect();
    names.shrink_to_fit();
    let interface = Interface {
        layout: Arc::new(places.layout),
        steps: names,
        commands: commands.into(),
        reasons: reasons.into_iter().map(String::into_boxed_str).collect(),
        enabled: policy.enabled,
    };
    Ok(Program { steps, interface })
}
