//! The files of a flow: those given, and those that they use.

use std::collections::{BTreeMap, BTreeSet};

use super::library::Library;
use crate::check::{Role, Unit};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::{FileId, LoadError, Loader, Sources, Span};
use crate::syntax::parse;
use crate::syntax::tree::{Entry, Item, ItemKind, UsePath};

/// How many files a flow may be put together from.
const MAX_FILES: usize = 1024;

/// The texts of a compile, the library's among them, and the user's files, parsed.
pub(super) struct Loaded {
    pub(super) sources: Sources,
    pub(super) units: Vec<Unit>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

struct Loading<'a> {
    library: &'a Library,
    loader: &'a dyn Loader,
    loaded: Loaded,
    /// The files by the name that the loader or the host gave.
    by_name: BTreeMap<String, FileId>,
}

/// Parses the files given and all that they use.
pub(super) fn load<'t>(
    library: &Library,
    loader: &dyn Loader,
    files: impl IntoIterator<Item = (&'t str, &'t [u8])>,
) -> Loaded {
    let loaded = Loaded { sources: library.sources.clone(), units: Vec::new(), diagnostics: Vec::new() };
    let mut loading = Loading { library, loader, loaded, by_name: BTreeMap::new() };
    for (name, bytes) in files {
        loading.add(name, bytes, Role::Flow);
    }
    let mut next = 0;
    while next < loading.loaded.units.len() {
        loading.follow_uses(next);
        next += 1;
    }
    loading.report_circles();
    loading.loaded
}

impl Loading<'_> {
    fn add(&mut self, name: &str, bytes: &[u8], role: Role) -> FileId {
        let next = FileId(self.loaded.sources.files().len() as u32);
        let (text, problem) = parse::decode(next, bytes);
        let file = self.loaded.sources.add(name, text);
        self.loaded.diagnostics.extend(problem);
        let (tree, reports) = parse::parse(file, self.loaded.sources.file(file).text());
        self.loaded.diagnostics.extend(reports);
        self.loaded.units.push(Unit { tree, role, uses: Vec::new() });
        self.by_name.entry(name.to_owned()).or_insert(file);
        file
    }

    fn follow_uses(&mut self, index: usize) {
        let Some(unit) = self.loaded.units.get(index) else { return };
        let from = unit.tree.file;
        let uses: Vec<(Span, UsePath)> = unit.tree.entries.iter().filter_map(use_of).collect();
        let mut found = Vec::with_capacity(uses.len());
        for (span, path) in uses {
            let file = match &path {
                UsePath::Library(part) => self.library_part(&part.node, part.span, span),
                UsePath::File(path) => self.used_file(from, &path.node, path.span),
            };
            found.extend(file.map(|file| (span, file)));
        }
        if let Some(unit) = self.loaded.units.get_mut(index) {
            unit.uses = found;
        }
    }

    fn library_part(&mut self, name: &str, place: Span, item: Span) -> Option<FileId> {
        let found = self.library.part(name);
        if found.is_some() && Library::part_names().any(|part| part == name) {
            return found;
        }
        let report = match found {
            Some(_) => Diagnostic::error(Code::E0204, place, format!("`{name}` is there without a `use`"))
                .fix("remove this line", item, ""),
            None => no_such_part(name, place),
        };
        self.loaded.diagnostics.push(report);
        None
    }

    fn used_file(&mut self, from: FileId, path: &str, span: Span) -> Option<FileId> {
        let from = self.loaded.sources.file(from).name().to_owned();
        let (name, text) = match self.loader.load(&from, path) {
            Ok(found) => found,
            Err(problem) => {
                let message = match problem {
                    LoadError::NotFound => format!("there is no file `{path}`"),
                    LoadError::Unreadable(why) => format!("`{path}` can't be read: {why}"),
                };
                let report = Diagnostic::error(Code::E0204, span, message)
                    .note(format!("the path is taken from where `{from}` lies"));
                self.loaded.diagnostics.push(report);
                return None;
            }
        };
        if let Some(file) = self.by_name.get(&name) {
            return Some(*file);
        }
        if self.loaded.units.len() >= MAX_FILES {
            let report = Diagnostic::error(
                Code::E0108,
                span,
                format!("this is one file too many for a flow: it may have {MAX_FILES}"),
            );
            self.loaded.diagnostics.push(report);
            return None;
        }
        let file = self.add(&name, text.as_bytes(), Role::Used);
        self.report_lost_items(file, &name, span);
        Some(file)
    }

    /// A file that is only used brings definitions; its steps, tests and guarantees would be lost without a word.
    fn report_lost_items(&mut self, file: FileId, name: &str, span: Span) {
        let Some(unit) = self.loaded.units.iter().find(|unit| unit.tree.file == file) else { return };
        let lost = unit.tree.entries.iter().find_map(|entry| match entry {
            Entry::Statement(statement) => Some(("steps", statement.span, "this would never run")),
            Entry::Item(Item { kind, .. }) => match kind {
                ItemKind::Step(step) => Some(("steps", step.name.span, "this would never run")),
                ItemKind::Test(test) => Some(("tests", test.name.span, "this would never run")),
                ItemKind::Guarantee(guarantee) => {
                    Some(("guarantees", guarantee.name.span, "nobody would look at this"))
                }
                _ => None,
            },
        });
        let Some((what, place, why)) = lost else { return };
        let report = Diagnostic::error(Code::E0204, span, format!("`{name}` has {what}, and `use` takes definitions alone"))
            .label(place, why)
            .help(format!("give `{name}` to the command as a file of the flow, or move its definitions to a file of their own"));
        self.loaded.diagnostics.push(report);
    }

    /// Files that use one another in a circle.
    fn report_circles(&mut self) {
        let edges: BTreeMap<FileId, Vec<(Span, FileId)>> =
            self.loaded.units.iter().map(|unit| (unit.tree.file, unit.uses.clone())).collect();
        let mut finished = BTreeSet::new();
        for start in edges.keys() {
            // A walk in depth with its own stack: how far files nest is the user's choice.
            let mut path: Vec<(FileId, usize)> = vec![(*start, 0)];
            while let Some((file, position)) = path.last_mut() {
                let (file, at) = (*file, *position);
                *position += 1;
                let Some((span, next)) = edges.get(&file).and_then(|uses| uses.get(at)) else {
                    finished.insert(file);
                    path.pop();
                    continue;
                };
                if path.iter().any(|(open, _)| open == next) {
                    let report = self.circle(file, *next, *span);
                    self.loaded.diagnostics.push(report);
                } else if !finished.contains(next) {
                    path.push((*next, 0));
                }
            }
        }
    }

    /// The report of a `use` in `file` that leads back to `open`.
    fn circle(&self, file: FileId, open: FileId, span: Span) -> Diagnostic {
        let name = |file| self.loaded.sources.file(file).name();
        let by_itself = file == open;
        let through = if by_itself { String::new() } else { format!(" through `{}`", name(file)) };
        let report = Diagnostic::error(Code::E0203, span, format!("`{}` uses itself{through}", name(open)));
        if by_itself {
            return report.fix("remove this line", span, "");
        }
        report.here("this leads back to it").help("move what both need to a third file")
    }
}

/// The report of a part that the library doesn't have.
fn no_such_part(name: &str, place: Span) -> Diagnostic {
    let report = Diagnostic::error(Code::E0204, place, format!("the library has no part `{name}`"));
    if let Some(near) = did_you_mean(name, Library::part_names()) {
        return report.fix(format!("did you mean `{near}`?"), place, near);
    }
    let parts: Vec<String> = Library::part_names().map(|part| format!("`{part}`")).collect();
    report
        .note(format!("its parts are {}", parts.join(" and ")))
        .help(format!("for a file of yours, write its path in quotes: `use \"{name}.stepup\"`"))
}

fn use_of(entry: &Entry) -> Option<(Span, UsePath)> {
    match entry {
        Entry::Item(Item { kind: ItemKind::Use(path), span, .. }) => Some((*span, path.clone())),
        _ => None,
    }
}
