//! Statements: a step's blocks, from its end backwards, each with the block that follows it.

use std::collections::HashMap;
use std::hash::Hash;

use crate::check::policy::{Block, Catalog, Command, CommandKind, Statement, Step, TypedPolicy};
use crate::lower::LowerError;
use crate::lower::condition::Conditions;
use crate::lower::first::Firsts;
use crate::lower::graph::Graph;
use crate::lower::layout::Layout;
use crate::lower::place::Places;
use crate::lower::program::{
    CommandTemplate, ListedFactor, MAX_COMMANDS, Node, NodeId, SetFormula, StepProgram,
};
use crate::lower::set::number;
use crate::lower::switch;

/// The tables that all steps share.
pub(super) struct Tables<'p> {
    catalog: &'p Catalog,
    commands: Numbered<CommandTemplate>,
    reasons: Numbered<String>,
    firsts: Firsts,
}

impl<'p> Tables<'p> {
    pub(super) fn new(catalog: &'p Catalog, layout: &Layout) -> Self {
        Tables {
            catalog,
            commands: Numbered::default(),
            reasons: Numbered::default(),
            firsts: Firsts::new(layout),
        }
    }

    /// The commands and the reasons, by their numbers, and what the steps want the record to tell.
    pub(super) fn finish(self) -> (Vec<CommandTemplate>, Vec<String>, Firsts) {
        (self.commands.entries, self.reasons.entries, self.firsts)
    }

    fn permitted(&self, kind: CommandKind) -> u64 {
        let allowed = self.catalog.factors.iter().filter(|(_, factor)| factor.allows(kind));
        allowed.fold(0, |mask, (id, _)| mask | crate::lower::set::bit(id))
    }
}

/// Entries, each once, by the order in which they first came.
struct Numbered<T> {
    entries: Vec<T>,
    numbers: HashMap<T, u16>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { entries: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// The position of an entry, or `None` when the table is full.
    fn number(&mut self, entry: T) -> Option<u16> {
        if let Some(number) = self.numbers.get(&entry) {
            return Some(*number);
        }
        let number = u16::try_from(self.entries.len()).ok().filter(|n| usize::from(*n) < MAX_COMMANDS)?;
        self.entries.push(entry.clone());
        self.numbers.insert(entry, number);
        Some(number)
    }
}

/// Lowers one step.
pub(super) fn step<'p>(
    policy: &'p TypedPolicy,
    places: &'p Places,
    step: &'p Step,
    tables: &mut Tables<'p>,
) -> Result<StepProgram, LowerError> {
    let mut graph = Graph::default();
    let end = graph.add(Node::End)?;
    let conditions = Conditions::new(&policy.conditions, places);
    let mut statements = Statements { places, tables, graph, conditions, end };
    let entry = statements.block(&step.body, end)?;
    let (nodes, entry) = switch::merge(&statements.graph, entry);
    let (mut nodes, entry) = tables.firsts.rewrite(nodes, entry);
    nodes.shrink_to_fit();
    Ok(StepProgram { entry, nodes })
}

struct Statements<'p, 't> {
    places: &'p Places,
    tables: &'t mut Tables<'p>,
    graph: Graph,
    conditions: Conditions<'p>,
    end: NodeId,
}

impl<'p> Statements<'p, '_> {
    /// The block that runs these statements and goes on at `next`. (Blocks nest to a bounded depth.)
    fn block(&mut self, block: &'p Block, next: NodeId) -> Result<NodeId, LowerError> {
        block.iter().rev().try_fold(next, |next, statement| self.statement(statement, next))
    }

    fn statement(&mut self, statement: &'p Statement, next: NodeId) -> Result<NodeId, LowerError> {
        match statement {
            Statement::Command(command) => {
                let template = self.template(command);
                let number = self.tables.commands.number(template).ok_or(LowerError::TooManyCommands)?;
                self.graph.add(Node::Command { number: number + 1, next })
            }
            Statement::Deny { reason, .. } => {
                let number = self.tables.reasons.number(reason.clone()).ok_or(LowerError::TooManyReasons)?;
                self.graph.add(Node::Deny(number))
            }
            Statement::Stop(_) => Ok(self.end),
            Statement::Applied { body, .. } => self.block(body, next),
            Statement::Branch { branches, otherwise, .. } => {
                let otherwise = self.block(otherwise, next)?;
                branches.iter().rev().try_fold(otherwise, |otherwise, (condition, body)| {
                    let then = self.block(body, next)?;
                    self.conditions.lower(&mut self.graph, *condition, then, otherwise)
                })
            }
        }
    }

    fn template(&self, command: &Command) -> CommandTemplate {
        let permitted = self.tables.permitted(command.kind);
        let listed = command.listed.iter().map(|used| ListedFactor {
            factor: number(used.factor),
            options: used.options.iter().map(|option| *option as u8).collect(),
        });
        let mut listed: Vec<_> = listed.collect();
        let rest = match command.rest.as_ref().map(|set| self.places.set(set)) {
            Some(SetFormula::Listed(factors)) => {
                for factor in factors {
                    let is_new = listed.iter().all(|known| known.factor != factor);
                    if is_new && permitted & (1 << factor) != 0 {
                        listed.push(ListedFactor { factor, options: Default::default() });
                    }
                }
                None
            }
            rest => rest.map(Box::new),
        };
        CommandTemplate { kind: command.kind, style: command.style, listed: listed.into(), rest, permitted }
    }
}
