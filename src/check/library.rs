//! The library, checked once for all flows: what no flow can change is worked out here, and shared.
//!
//! A flow that declares no factor has the library's catalog. Of the library's facts it has those that it asks for;
//! the rest are names with a type, so that a host may fill them all the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::fact::{PathKey, path_key, segments};
use super::policy::{Catalog, Fact, Type};
use super::{Checker, Unit};
use crate::source::Sources;
use crate::syntax::tree::{Entry, FactItem, Item, ItemKind};

/// The library's files, and what is certain of them in every flow.
#[derive(Clone, Debug)]
pub struct Library {
    pub(crate) units: Vec<Unit>,
    /// The catalog; `None` where its factors have an error, which each flow reports.
    catalog: Option<Arc<Catalog>>,
    /// The facts by name.
    facts: Arc<BTreeMap<String, Type>>,
    /// Which facts read a path.
    on_path: HashMap<PathKey, Vec<String>>,
}

impl Library {
    /// Checks the library's files.
    pub fn new(sources: &Sources, units: Vec<Unit>) -> Self {
        let empty =
            Library { units: Vec::new(), catalog: None, facts: Arc::default(), on_path: HashMap::new() };
        let mut checker = Checker::new(sources, &empty, &units);
        checker.check_catalog(&units);
        let catalog = (!checker.has_errors()).then(|| Arc::clone(&checker.catalog));
        let mut facts = BTreeMap::new();
        let mut on_path: HashMap<PathKey, Vec<String>> = HashMap::new();
        for declaration in checker.declarations.facts() {
            let name = &declaration.item.name.node;
            if let Some(variable) = checker.variable_if_free(name) {
                facts.insert(name.clone(), checker.variables[variable].ty.clone());
                on_path.entry(path_of(declaration.item)).or_default().push(name.clone());
            }
        }
        Library { catalog, facts: Arc::new(facts), on_path, units }
    }

    /// The catalog of a flow of these files.
    pub(super) fn catalog_for(&self, units: &[Unit]) -> Option<&Arc<Catalog>> {
        let is_factor = |entry: &Entry| matches!(entry, Entry::Item(Item { kind: ItemKind::Factor(_), .. }));
        let declares = units.iter().any(|unit| unit.tree.entries.iter().any(is_factor));
        self.catalog.as_ref().filter(|_| !declares)
    }
}

/// The path that a fact reads.
pub(super) fn path_of(item: &FactItem) -> PathKey {
    path_key(&segments(&item.path), item.split.as_ref().map(|split| split.node.as_str()))
}

impl Checker<'_> {
    /// The facts by name: the flow's own, those that it asks for, and those of the library on the same paths.
    pub(super) fn fact_table(&mut self) -> BTreeMap<String, Fact> {
        let mut names: Vec<String> = self.facts_done.keys().cloned().collect();
        let library = self.library;
        let shared = self.variable_paths.keys().filter_map(|path| library.on_path.get(path)).flatten();
        names.extend(shared.cloned());
        names.sort_unstable();
        names.dedup();
        let mut table = BTreeMap::new();
        for name in names {
            // A second fact on a path has to mean the same; one of the library's that doesn't is left out.
            let Some(variable) = self.variable_if_free(&name) else { continue };
            let Some(declared) = self.declarations.fact(&name) else { continue };
            let docs = declared.docs.iter().map(|line| line.node.clone()).collect();
            table.insert(name, Fact { variable, declared: declared.item.name.span, docs });
        }
        table
    }

    /// The library's facts, for those that the flow doesn't ask for. A fact on the path of another that means
    /// something else is not among them.
    pub(super) fn unread_facts(&self) -> Arc<BTreeMap<String, Type>> {
        let displaced = self.facts_done.iter().filter(|(_, variable)| variable.is_none());
        let displaced: Vec<&String> = displaced.map(|(name, _)| name).collect();
        if displaced.is_empty() {
            return Arc::clone(&self.library.facts);
        }
        let mut facts = BTreeMap::clone(&self.library.facts);
        facts.retain(|name, _| !displaced.contains(&name));
        Arc::new(facts)
    }
}
