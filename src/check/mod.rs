//! Checking: names, types, presence and the catalog. Trees go in, a typed policy and reports come out.
//!
//! The idea: every expression is checked once where it is written and expanded where it is used, so that the typed
//! policy has no names left. Whatever is reported becomes an `Invalid` term that fits everywhere, so that one
//! mistake gives one report. [`Checker`] holds the tables that are filled on the way; each file of this room adds
//! one kind of work to it:
//!
//! | file | work |
//! |---|---|
//! | `declare`, `written` | what the files declare, and how names are found |
//! | `library` | what is the same in every flow, checked once |
//! | `fact`, `catalog` | facts become variables, factors rows of the catalog |
//! | `value`, `expression`, `compare`, `set`, `call` | expressions become values |
//! | `mismatch` | what is said of two sides that can't be compared |
//! | `name`, `presence` | what a name means, and whether its value is there |
//! | `condition` | the table of conditions, presence, bounds of expansion |
//! | `statement`, `command` | statements |
//! | `tenant`, `offered` | what a tenant says, and what commands offer in it |
//! | `masks` | sets of factors as machine words |
//! | `test`, `guarantee` | the items that later stages run and prove |

mod call;
mod catalog;
mod command;
mod compare;
mod condition;
mod declare;
mod expression;
mod fact;
mod guarantee;
mod library;
pub mod masks;
mod mismatch;
mod name;
mod offered;
pub mod policy;
mod presence;
mod set;
mod statement;
mod tenant;
mod test;
mod value;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use cranelift_entity::{PrimaryMap, SecondaryMap};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{FileId, Sources, Span};
use crate::syntax::tree;
use condition::Size;
use declare::{Declarations, DefinitionId, State};
use fact::PathKey;
use masks::FactorMask;
use policy::{
    Catalog, Condition, ConditionId, Names, Presence, PresenceId, Step, StepId, Test, TypedPolicy, Variable,
    VariableId,
};

pub(crate) use fact::list_of;
pub use library::Library;
pub(crate) use offered::{Asked, asked_for};
pub(crate) use statement::step_name;
pub use tenant::PlacedTenant;
use tenant::TenantDefaults;
pub(crate) use value::WEEKDAYS;

/// A parsed file and its part in the flow.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its tree.
    pub tree: tree::File,
    /// Its part.
    pub role: Role,
    /// The files that its `use` items name, each with the item's place.
    pub uses: Vec<(Span, FileId)>,
}

/// What a file is to the flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Part of the standard library: its facts and factors may be declared anew.
    Library,
    /// Named by a `use`: its facts, factors and definitions count.
    Used,
    /// Given by the user: its steps are the flow.
    Flow,
}

/// What checking gives: a policy if nothing was an error, and all reports.
#[derive(Debug)]
pub struct Checked {
    /// The typed policy; `None` when a report is an error.
    pub policy: Option<TypedPolicy>,
    /// Errors and warnings, in the order found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks the files of a flow together: the standard library's, then the user's in their order; and what the tenant
/// says, if there is one.
pub fn check(
    sources: &Sources,
    library: &Library,
    units: &[Unit],
    tenant: Option<PlacedTenant<'_>>,
) -> Checked {
    let mut checker = Checker::new(sources, library, units);
    checker.tenant = tenant;
    checker.check_catalog(units);
    checker.enabled = checker.enabled_factors();
    checker.check_fact_declarations();
    checker.take_tenant_defaults();
    checker.check_definitions();
    let steps = checker.check_steps(units);
    let guarantees = checker.check_guarantees(units);
    let tests = checker.check_tests(units);
    checker.check_commands_in_tenant(&steps);
    if !checker.has_errors() {
        // What an error has hidden would seem unused.
        checker.report_unused(&steps);
    }
    checker.finish(steps, guarantees, tests)
}

/// The tables that checking fills.
struct Checker<'a> {
    sources: &'a Sources,
    library: &'a Library,
    declarations: Declarations<'a>,
    tenant: Option<PlacedTenant<'a>>,
    catalog: Arc<Catalog>,
    enabled: FactorMask,
    variables: PrimaryMap<VariableId, Variable>,
    /// The variable of each fact that was asked for; `None` when its declaration has an error.
    facts_done: BTreeMap<String, Option<VariableId>>,
    /// Where each variable was first declared.
    variable_spans: SecondaryMap<VariableId, Option<Span>>,
    /// The variable of each path.
    variable_paths: HashMap<PathKey, VariableId>,
    /// What facts are in this tenant where the event lacks them, whatever their declarations say.
    tenant_defaults: TenantDefaults,
    presences: PrimaryMap<PresenceId, Presence>,
    /// The presence of each path.
    presence_paths: HashMap<PathKey, PresenceId>,
    conditions: PrimaryMap<ConditionId, Condition>,
    sizes: SecondaryMap<ConditionId, Size>,
    /// Results of defines: the checker doesn't follow presence through them.
    opaque: HashSet<ConditionId>,
    names: Names,
    /// How far each define, let and rule has come.
    states: SecondaryMap<DefinitionId, State>,
    /// What expanding has cost so far, in statements and their conditions.
    expanded: u64,
    expansion_reported: bool,
    /// How many definitions are being checked inside one another.
    definition_depth: u32,
    /// Whether the body of a define is put in the place of a call: it was checked by itself before.
    is_expanding: bool,
    /// The names of blocks that something uses, by their place.
    used_locals: BTreeSet<Span>,
    /// The names of blocks that have ended.
    finished_locals: BTreeSet<(Span, String)>,
    /// The patterns of each match, by the place of its first.
    seen_patterns: HashSet<(Span, String)>,
    /// The deepest nesting of statements so far.
    deepest: u32,
    used_facts: BTreeSet<String>,
    /// The set that a command offers, by the place of the command.
    offered_sets: BTreeMap<Span, Span>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    fn new(sources: &'a Sources, library: &'a Library, units: &'a [Unit]) -> Self {
        let mut diagnostics = Vec::new();
        Checker {
            sources,
            library,
            declarations: Declarations::collect(library.units.iter().chain(units), &mut diagnostics),
            tenant: None,
            catalog: Arc::default(),
            enabled: 0,
            variables: PrimaryMap::new(),
            facts_done: BTreeMap::new(),
            variable_spans: SecondaryMap::new(),
            variable_paths: HashMap::new(),
            tenant_defaults: TenantDefaults::new(),
            presences: PrimaryMap::new(),
            presence_paths: HashMap::new(),
            conditions: PrimaryMap::new(),
            sizes: SecondaryMap::new(),
            opaque: HashSet::new(),
            names: Names::default(),
            states: SecondaryMap::new(),
            expanded: 0,
            expansion_reported: false,
            definition_depth: 0,
            is_expanding: false,
            used_locals: BTreeSet::new(),
            finished_locals: BTreeSet::new(),
            seen_patterns: HashSet::new(),
            deepest: 0,
            used_facts: BTreeSet::new(),
            offered_sets: BTreeMap::new(),
            diagnostics,
        }
    }

    /// The user's text, cut short where it is long, for a message.
    fn excerpt(&self, span: Span) -> String {
        const LONGEST: usize = 60;
        let text: String = self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(LONGEST) {
            Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
            None => text,
        }
    }

    fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn finish(
        mut self,
        steps: PrimaryMap<StepId, Step>,
        guarantees: Vec<policy::Guarantee>,
        tests: Vec<Test>,
    ) -> Checked {
        let facts = self.fact_table();
        let unread = self.unread_facts();
        self.link_presences();
        self.apply_tenant_defaults();
        let policy = (!self.has_errors()).then_some(TypedPolicy {
            catalog: self.catalog,
            enabled: self.enabled,
            facts,
            unread,
            variables: self.variables,
            presences: self.presences,
            conditions: self.conditions,
            names: self.names,
            steps,
            guarantees,
            tests,
        });
        Checked { policy, diagnostics: self.diagnostics }
    }

    /// A flow must have a step; without one there is nothing to decide.
    fn report_no_step(&mut self, units: &[Unit]) {
        let Some(file) = units.iter().rev().find(|unit| unit.role == Role::Flow) else { return };
        if self.has_errors() {
            return;
        }
        let span = Span::new(file.tree.file, 0..0);
        let name = self.sources.file(file.tree.file).name().to_owned();
        let report = Diagnostic::error(
            Code::E0207,
            span,
            format!("`{name}` has no step, so there is nothing to decide"),
        )
        .help("write statements, such as `challenge any of enrolled`, or a `step name { … }`");
        self.report(report);
    }
}
