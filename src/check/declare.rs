//! What the files declare, and how a name is found.
//!
//! Facts and factors belong to the flow: one table for all files, where a file of the user may declare anew what the
//! library declares. `let`, `define` and `rule` belong to their file; another file sees them through `use`.

use std::collections::{BTreeMap, BTreeSet};

use cranelift_entity::{PrimaryMap, entity_impl};

use super::policy::Block;
use super::value::Value;
use super::{Role, Unit};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};
use crate::syntax::tree::{self, Entry, ItemKind, Name, Spanned};

/// A `let`, `define` or `rule` of some file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DefinitionId(u32);
entity_impl!(DefinitionId, "definition");

/// All declarations.
pub(crate) struct Declarations<'a> {
    facts: BTreeMap<&'a str, FactDeclaration<'a>>,
    factors: Vec<FactorDeclaration<'a>>,
    pub(crate) definitions: PrimaryMap<DefinitionId, Definition<'a>>,
    scopes: BTreeMap<FileId, Scope<'a>>,
    used: BTreeSet<DefinitionId>,
}

/// A fact as declared.
#[derive(Clone, Copy)]
pub(crate) struct FactDeclaration<'a> {
    pub(crate) item: &'a tree::FactItem,
    pub(crate) docs: &'a [Spanned<String>],
    pub(crate) role: Role,
    /// The library's declaration that this one replaces.
    pub(crate) replaces: Option<&'a tree::FactItem>,
}

/// A factor as declared.
#[derive(Clone, Copy)]
pub(crate) struct FactorDeclaration<'a> {
    pub(crate) item: &'a tree::FactorItem,
    role: Role,
}

/// A definition as declared.
pub(crate) struct Definition<'a> {
    pub(crate) file: FileId,
    pub(crate) name: &'a Name,
    pub(crate) docs: &'a [Spanned<String>],
    pub(crate) role: Role,
    pub(crate) body: DefinitionBody<'a>,
}

/// What a definition defines.
#[derive(Clone, Copy)]
pub(crate) enum DefinitionBody<'a> {
    Let(&'a tree::Let),
    Define(&'a tree::Define),
    Rule(&'a tree::Rule),
}

/// How far a definition has come.
#[derive(Clone, Default, Debug)]
pub(crate) enum State {
    /// Nobody has asked yet.
    #[default]
    Untouched,
    /// It is being checked; whoever asks now stands in a circle.
    InProgress,
    /// A let, or a define without parameters.
    Value(Value),
    /// A define with parameters: its body was checked; calls so far.
    Function(Vec<(Vec<Value>, Value)>),
    /// A rule: its statements, what they cost to expand, and how deep they nest.
    Rule { body: Block, cost: u64, depth: u32 },
    /// It has an error, which was reported.
    Broken,
}

/// The definitions that one file sees.
#[derive(Default)]
struct Scope<'a> {
    own: BTreeMap<&'a str, DefinitionId>,
    uses: Vec<(Span, FileId)>,
}

impl<'a> Declarations<'a> {
    /// Collects what all files declare, and reports what is declared twice.
    pub(crate) fn collect(units: impl Iterator<Item = &'a Unit>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut all = Declarations {
            facts: BTreeMap::new(),
            factors: Vec::new(),
            definitions: PrimaryMap::new(),
            scopes: BTreeMap::new(),
            used: BTreeSet::new(),
        };
        for unit in units {
            all.scopes.entry(unit.tree.file).or_default().uses = unit.uses.clone();
            for entry in &unit.tree.entries {
                let Entry::Item(item) = entry else { continue };
                all.add(unit, item, diagnostics);
            }
        }
        all
    }

    fn add(&mut self, unit: &'a Unit, item: &'a tree::Item, diagnostics: &mut Vec<Diagnostic>) {
        let (name, body) = match &item.kind {
            ItemKind::Fact(fact) => return self.add_fact(unit.role, fact, &item.docs, diagnostics),
            ItemKind::Factor(factor) => return self.add_factor(unit.role, factor, diagnostics),
            ItemKind::Let(item) => (&item.name, DefinitionBody::Let(item)),
            ItemKind::Define(define) => (&define.name, DefinitionBody::Define(define)),
            ItemKind::Rule(rule) => (&rule.name, DefinitionBody::Rule(rule)),
            ItemKind::Use(_) | ItemKind::Step(_) | ItemKind::Guarantee(_) | ItemKind::Test(_) => return,
        };
        let file = unit.tree.file;
        let scope = self.scopes.entry(file).or_default();
        if let Some(first) = scope.own.get(name.node.as_str()) {
            let first = self.definitions[*first].name.span;
            diagnostics.push(declared_twice(name, first));
            return;
        }
        if let Some(report) = built_in_name(name) {
            diagnostics.push(report);
            return;
        }
        let id = self.definitions.push(Definition { file, name, docs: &item.docs, role: unit.role, body });
        scope.own.insert(&name.node, id);
    }

    fn add_fact(
        &mut self,
        role: Role,
        item: &'a tree::FactItem,
        docs: &'a [Spanned<String>],
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        if let Some(report) = built_in_name(&item.name) {
            diagnostics.push(report);
            return;
        }
        let mut declaration = FactDeclaration { item, docs, role, replaces: None };
        if let Some(first) = self.facts.get(item.name.node.as_str()) {
            if first.role != Role::Library {
                if !same_fact(first.item, item) {
                    let report = declared_twice(&item.name, first.item.name.span)
                        .note("facts belong to the whole flow, so all files must declare this one alike");
                    diagnostics.push(report);
                }
                return;
            }
            declaration.replaces = Some(first.item);
        }
        self.facts.insert(&item.name.node, declaration);
    }

    fn add_factor(&mut self, role: Role, item: &'a tree::FactorItem, diagnostics: &mut Vec<Diagnostic>) {
        match self.factors.iter_mut().find(|other| other.item.name.node == item.name.node) {
            None => self.factors.push(FactorDeclaration { item, role }),
            Some(first) if first.role == Role::Library => *first = FactorDeclaration { item, role },
            Some(first) => diagnostics.push(declared_twice(&item.name, first.item.name.span)),
        }
    }

    pub(crate) fn fact(&self, name: &str) -> Option<FactDeclaration<'a>> {
        self.facts.get(name).copied()
    }

    /// The fact that reads `event.…`, as written.
    pub(crate) fn fact_on_path(&self, path: &str) -> Option<&'a str> {
        let keys: Vec<&str> = path.strip_prefix("event.")?.split('.').collect();
        let reads = |fact: &FactDeclaration<'_>| {
            let own = fact.item.path.segments.iter().map(|segment| segment.key.node.as_str());
            fact.item.split.is_none() && own.eq(keys.iter().copied())
        };
        self.facts.values().find(|fact| reads(fact)).map(|fact| fact.item.name.node.as_str())
    }

    pub(crate) fn fact_names(&self) -> Vec<String> {
        self.facts.keys().map(|name| (*name).to_owned()).collect()
    }

    pub(crate) fn facts(&self) -> Vec<FactDeclaration<'a>> {
        self.facts.values().copied().collect()
    }

    pub(crate) fn factors(&self) -> Vec<FactorDeclaration<'a>> {
        self.factors.clone()
    }

    /// The definition that `name` means in `file`: its own, or one of a file that it uses. Counts as a use.
    pub(crate) fn definition(&mut self, file: FileId, name: &str) -> Option<DefinitionId> {
        let scope = self.scopes.get(&file)?;
        let of_a_used_file = || scope.uses.iter().find_map(|(_, used)| self.scopes.get(used)?.own.get(name));
        let id = *scope.own.get(name).or_else(of_a_used_file)?;
        self.used.insert(id);
        Some(id)
    }

    /// What else than a `let` of a block a name means in `file`, and where it is declared.
    pub(crate) fn meaning(&self, file: FileId, name: &str) -> Option<(&'static str, Span)> {
        if let Some(fact) = self.facts.get(name) {
            return Some(("a fact", fact.item.name.span));
        }
        if let Some(factor) = self.factors.iter().find(|factor| factor.item.name.node == name) {
            return Some(("a factor", factor.item.name.span));
        }
        let scope = self.scopes.get(&file)?;
        let used = || scope.uses.iter().find_map(|(_, used)| self.scopes.get(used)?.own.get(name));
        let definition = &self.definitions[*scope.own.get(name).or_else(used)?];
        let what = match definition.body {
            DefinitionBody::Rule(_) => "a rule",
            DefinitionBody::Let(_) | DefinitionBody::Define(_) => "defined",
        };
        Some((what, definition.name.span))
    }

    /// The names of the definitions that `file` sees, for suggestions.
    pub(crate) fn visible(&self, file: FileId) -> Vec<&'a str> {
        let Some(scope) = self.scopes.get(&file) else { return Vec::new() };
        let used = scope.uses.iter().filter_map(|(_, used)| self.scopes.get(used));
        std::iter::once(scope).chain(used).flat_map(|scope| scope.own.keys().copied()).collect()
    }

    /// The user's definitions that nothing uses.
    pub(crate) fn unused(&self) -> Vec<DefinitionId> {
        let is_used = |id: DefinitionId| self.used.contains(&id);
        self.definitions
            .keys()
            .filter(|id| self.definitions[*id].role == Role::Flow && !is_used(*id))
            .collect()
    }

    /// A library part that has a definition of this name, so that a report can name the missing `use`.
    pub(crate) fn library_part_with(&self, name: &str, sources: &crate::source::Sources) -> Option<String> {
        let definition =
            self.definitions.values().find(|d| d.role == Role::Library && d.name.node == name)?;
        Some(sources.file(definition.file).name().to_owned())
    }
}

/// Names that the language has of itself where a definition could stand.
const BUILT_IN: [&str; 15] = [
    "enrolled",
    "performed",
    "now",
    "count",
    "age",
    "weekday",
    "hour",
    "lower",
    "domain",
    "other",
    "prompts",
    "commands",
    "completed",
    "denied",
    "failed",
];

/// The report of a name that the language has of itself.
pub(crate) fn built_in_name(name: &Name) -> Option<Diagnostic> {
    BUILT_IN.contains(&name.node.as_str()).then(|| {
        Diagnostic::error(Code::E0202, name.span, format!("`{}` is built in", name.node))
            .help("choose another name")
    })
}

/// The report of a name that means something else already.
pub(crate) fn taken(name: &Name, what: &str, first: Span) -> Diagnostic {
    Diagnostic::error(Code::E0202, name.span, format!("`{}` is {what} already", name.node))
        .label(first, "declared here")
        .note("a name means one thing wherever it stands")
        .help("choose another name")
}

/// Whether two declarations say the same, wherever they stand.
fn same_fact(a: &tree::FactItem, b: &tree::FactItem) -> bool {
    let keys = |path: &tree::EventPath| -> Vec<_> {
        path.segments.iter().map(|segment| (segment.key.node.clone(), segment.mark)).collect()
    };
    let split = |fact: &tree::FactItem| fact.split.as_ref().map(|s| s.node.clone());
    let default = |fact: &tree::FactItem| fact.default.as_ref().map(super::written::literal_text);
    super::written::type_text(&a.ty.node) == super::written::type_text(&b.ty.node)
        && keys(&a.path) == keys(&b.path)
        && split(a) == split(b)
        && default(a) == default(b)
}

/// The report of a second declaration.
pub(crate) fn declared_twice(name: &Name, first: Span) -> Diagnostic {
    Diagnostic::error(Code::E0202, name.span, format!("`{}` is declared twice", name.node))
        .here("declared again here")
        .label(first, "first declared here")
        .help("remove one of the two, or give it another name")
}
