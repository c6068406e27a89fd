//! Guarantees: checked like conditions, with the words for a login's start and end.

use std::collections::BTreeMap;

use super::expression::{Context, Place};
use super::policy::Guarantee;
use super::{Checker, Role, Unit};
use crate::source::Span;
use crate::syntax::tree::{Entry, Item, ItemKind, Polarity};

/// The items of the user's files with their files, in order.
pub(crate) fn items(units: &[Unit]) -> impl Iterator<Item = (&Unit, &Item)> {
    units.iter().filter(|unit| unit.role == Role::Flow).flat_map(|unit| {
        unit.tree.entries.iter().filter_map(move |entry| match entry {
            Entry::Item(item) => Some((unit, item)),
            Entry::Statement(_) => None,
        })
    })
}

impl Checker<'_> {
    pub(crate) fn check_guarantees(&mut self, units: &[Unit]) -> Vec<Guarantee> {
        let mut guarantees: Vec<Guarantee> = Vec::new();
        let mut names: BTreeMap<&str, Span> = BTreeMap::new();
        for (unit, item) in items(units) {
            let ItemKind::Guarantee(guarantee) = &item.kind else { continue };
            let mut context = Context::new(unit.tree.file, Place::Guarantee);
            let stated = self.boolean(&mut context, &guarantee.condition);
            let condition = match guarantee.polarity {
                Polarity::Plain | Polarity::Always => stated,
                Polarity::Never => self.not(stated, guarantee.condition.span),
            };
            let first = *names.entry(&guarantee.name.node).or_insert(guarantee.name.span);
            if first != guarantee.name.span {
                self.report(super::declare::declared_twice(&guarantee.name, first));
            }
            guarantees.push(Guarantee { name: guarantee.name.node.clone(), condition, span: item.span });
        }
        guarantees
    }
}
