//! The standard library: policy text that is part of the binary, parsed once for each compiler.

use super::digest::library_digest;
use crate::check::{self, Role, Unit};
use crate::runtime::Digest;
use crate::source::{FileId, Sources};
use crate::syntax::parse;
use crate::syntax::tree::{Entry, ItemKind, UsePath};

/// What every flow sees without a `use`: the catalog and the event's facts.
const PRELUDE: [(&str, &str); 2] = [
    ("std.catalog", include_str!("../../stdlib/catalog.stepup")),
    ("std.event", include_str!("../../stdlib/event.stepup")),
];

/// What `use` brings in.
const PARTS: [(&str, &str); 2] = [
    ("std.adaptive", include_str!("../../stdlib/adaptive.stepup")),
    ("std.login", include_str!("../../stdlib/login.stepup")),
];

/// A policy to begin with: its name, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Starter {
    /// What it is called on the command line.
    pub name: &'static str,
    /// The policy.
    pub text: &'static str,
}

/// The policies that `stepup new` can begin with.
pub const STARTERS: [Starter; 3] = [
    Starter { name: "everyone", text: include_str!("../../stdlib/starters/everyone.stepup") },
    Starter { name: "admins", text: include_str!("../../stdlib/starters/admins.stepup") },
    Starter { name: "adaptive", text: include_str!("../../stdlib/starters/adaptive.stepup") },
];

/// The library's files, parsed.
#[derive(Clone, Debug)]
pub(super) struct Library {
    pub(super) sources: Sources,
    /// What is certain of them in every flow.
    pub(super) checked: check::Library,
    pub(super) digest: Digest,
}

impl Library {
    /// The library of Auth0's Universal Login, or one with another catalog.
    pub(super) fn new(catalog: Option<(&str, &str)>) -> (Self, Vec<crate::diagnostic::Diagnostic>) {
        let mut sources = Sources::new();
        let mut units = Vec::new();
        let mut diagnostics = Vec::new();
        let [default_catalog, event] = PRELUDE;
        for (name, text) in [catalog.unwrap_or(default_catalog), event].into_iter().chain(PARTS) {
            let file = sources.add(name, text);
            let (tree, reports) = parse::parse(file, text);
            diagnostics.extend(reports);
            units.push(Unit { tree, role: Role::Library, uses: Vec::new() });
        }
        link(&sources, &mut units);
        let checked = check::Library::new(&sources, units);
        let digest = library_digest(&sources);
        (Library { sources, checked, digest }, diagnostics)
    }

    /// The part of a name, as it stands in a `use`.
    pub(super) fn part(&self, name: &str) -> Option<FileId> {
        self.sources.files().find(|(_, file)| file.name() == name).map(|(id, _)| id)
    }

    /// The names that a `use` may say.
    pub(super) fn part_names() -> impl Iterator<Item = &'static str> {
        PARTS.iter().map(|(name, _)| *name)
    }
}

/// Parts may use one another.
fn link(sources: &Sources, units: &mut [Unit]) {
    for unit in units {
        for entry in &unit.tree.entries {
            let Entry::Item(item) = entry else { continue };
            let ItemKind::Use(UsePath::Library(part)) = &item.kind else { continue };
            let found = sources.files().find(|(_, file)| file.name() == part.node);
            unit.uses.extend(found.map(|(id, _)| (item.span, id)));
        }
    }
}
