//! A tenant as the Deploy CLI exports it: a folder of JSON files, of which those are read that bear on a login.
//!
//! The idea: an export is a picture, and each part of it may be missing. What is missing is not said, which is another
//! thing than off, and never guessed. So everything here is optional, and has its place in a file. The files come
//! through a [`Folder`]: no disk is touched. What a policy is checked against becomes a [`Tenant`] ([`settings`]); what
//! only `doctor` looks at stays beside it ([`actions`]).

mod actions;
mod folder;
mod json;
mod settings;

pub use folder::{Folder, FolderError, MemoryFolder};

pub(crate) use actions::{ExportedAction, Version};

use std::sync::Arc;

use super::{Form, Placed, Tenant};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, MAX_SOURCE_BYTES, SourceFile, Sources, Span};
use crate::syntax::parse;
use json::{Members, Value, not_json};

/// What is read of an export, as the folder lists it.
const PARTS: [&str; 5] = ["actions", "guardian", "prompts", "tenant.json", "triggers"];

/// What an export in the YAML format doesn't have.
const ONLY_IN_DIRECTORY_FORMAT: [&str; 3] = ["guardian", "tenant.json", "triggers"];

/// How many files one folder of an export may hold.
const MAX_FILES: usize = 1024;

/// How much text of one export is read (32 MiB): far more than the Actions of a tenant may have.
const MAX_EXPORT_BYTES: usize = 32 * 1024 * 1024;

/// How many faults of one export are told.
const MAX_REPORTS: usize = 50;

/// What an export says. `None` is what it doesn't hold.
#[derive(Clone, Debug)]
pub struct Export {
    pub(crate) tenant: Tenant,
    /// When the tenant asks for a second factor by itself.
    pub(crate) policies: Option<Vec<Placed<String>>>,
    pub(crate) actions: Option<Vec<ExportedAction>>,
    /// The names of the Actions of the `post-login` trigger, in order.
    pub(crate) bound: Option<Vec<Placed<String>>>,
    /// Which login pages: `new` or `classic`.
    pub(crate) login_pages: Option<Placed<String>>,
}

impl Export {
    /// What a policy is compiled for.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The files that were read.
    pub fn texts(&self) -> &Sources {
        self.tenant.texts()
    }
}

/// What an export leaves open, and what is taken to be so instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsaid {
    /// It holds no switch of a factor.
    #[error("it has no file in `guardian/factors`, so each factor counts as enabled")]
    Factors,
    /// It doesn't hold the toggle "Customize MFA Factors using Actions".
    #[error(
        "it doesn't hold the toggle `Customize MFA Factors using Actions` (`customize_mfa_in_postlogin_action` in \
         `tenant.json`), which counts as on"
    )]
    CustomizeFactors,
}

impl Tenant {
    /// What the export that it was read from leaves open; a tenant that a person writes leaves open what it means to.
    pub fn unsaid(&self) -> Vec<Unsaid> {
        if self.form == Form::Written {
            return Vec::new();
        }
        let factors = self.factors.is_empty().then_some(Unsaid::Factors);
        let toggle = self.customize_factors.is_none().then_some(Unsaid::CustomizeFactors);
        factors.into_iter().chain(toggle).collect()
    }
}

/// Reads of an export what policies are compiled for.
pub(crate) fn read_tenant(name: &str, folder: &dyn Folder) -> (Tenant, Sources, Vec<Diagnostic>) {
    let mut reader = Reader::new(name, folder);
    let tenant = reader.tenant();
    reader.finish(tenant, |tenant| tenant)
}

/// Reads all of an export that `doctor` looks at.
pub(crate) fn read(name: &str, folder: &dyn Folder) -> (Export, Sources, Vec<Diagnostic>) {
    let mut reader = Reader::new(name, folder);
    let export = Export {
        tenant: reader.tenant(),
        policies: reader.policies(),
        actions: reader.actions(),
        bound: reader.bound(),
        login_pages: reader.login_pages(),
    };
    reader.finish(export, |export| &mut export.tenant)
}

/// An export while it is read.
struct Reader<'f> {
    /// The folder, as reports call it.
    name: &'f str,
    folder: &'f dyn Folder,
    texts: Sources,
    /// How many bytes were read.
    bytes: usize,
    reports: Vec<Diagnostic>,
}

impl<'f> Reader<'f> {
    fn new(name: &'f str, folder: &'f dyn Folder) -> Self {
        let name = if name.len() > 1 { name.trim_end_matches('/') } else { name };
        let mut reader = Reader { name, folder, texts: Sources::new(), bytes: 0, reports: Vec::new() };
        reader.check_is_an_export();
        reader
    }

    /// What was read; its places are places in the reader's texts.
    fn finish<T>(
        mut self,
        mut read: T,
        tenant: impl FnOnce(&mut T) -> &mut Tenant,
    ) -> (T, Sources, Vec<Diagnostic>) {
        tenant(&mut read).texts = self.texts.clone();
        self.reports.truncate(MAX_REPORTS);
        (read, self.texts, self.reports)
    }

    /// A folder without any of the parts is something else; the YAML format has folders of the same names.
    fn check_is_an_export(&mut self) {
        let Some(entries) = self.list("") else {
            if self.reports.is_empty() {
                let report = self.about("", format!("there is no folder `{}`", self.name));
                self.reports.push(report);
            }
            return;
        };
        let has = |part: &&str| entries.iter().any(|entry| entry == part);
        let yaml = entries.iter().find(|entry| entry.ends_with(".yaml") || entry.ends_with(".yml"));
        let is_yaml = yaml.is_some() && !ONLY_IN_DIRECTORY_FORMAT.iter().any(&has);
        if is_yaml || !PARTS.iter().any(&has) {
            self.report_something_else(&entries, yaml);
        }
        for folder in PARTS.iter().filter(|part| has(part) && !part.ends_with(".json")) {
            // What is there is asked for later; that it is a folder is looked at once.
            self.list(folder);
        }
    }

    /// Shows what the folder holds.
    fn report_something_else(&mut self, entries: &[String], yaml: Option<&String>) {
        let message = format!("`{}` is not an export in the Deploy CLI's directory format", self.name);
        let file = self.texts.add(self.name, entries.join("\n"));
        let report = |place| Diagnostic::error(Code::E0110, Span::new(file, place), message);
        self.reports.push(match yaml {
            Some(yaml) => {
                let start =
                    entries.iter().take_while(|entry| *entry != yaml).map(|entry| entry.len() + 1).sum();
                report(start..start + yaml.len())
                    .here("an export in the YAML format has this")
                    .help("export the tenant again with `--format directory`")
            }
            None => report(0..0).note(format!("it has none of {}", crate::check::list_of(&PARTS))),
        });
    }

    /// A report on a path of the export, of which there is no text to show.
    fn about(&mut self, path: &str, message: String) -> Diagnostic {
        let file = self.texts.add(self.full_name(path), "");
        Diagnostic::error(Code::E0110, Span::new(file, 0..0), message)
    }

    /// A path as reports call it.
    fn full_name(&self, path: &str) -> String {
        if path.is_empty() { self.name.to_owned() } else { format!("{}/{path}", self.name) }
    }

    /// The names in a folder of the export, sorted; `None` if there is no such folder.
    fn list(&mut self, path: &str) -> Option<Vec<String>> {
        let found = self.folder.list(path);
        let mut entries = self.or_report(path, found)?;
        if entries.len() > MAX_FILES {
            let message = format!("a folder of an export holds at most {MAX_FILES} files");
            let report = self.about(path, message).here(format!("this one has {}", entries.len()));
            self.reports.push(Diagnostic { code: Code::E0108, ..report });
            entries.clear();
        }
        entries.sort();
        Some(entries)
    }

    fn or_report<T>(&mut self, path: &str, found: Result<Option<T>, FolderError>) -> Option<T> {
        found.unwrap_or_else(|error| {
            let message = format!("`{}` can't be read: {error}", self.full_name(path));
            let report = self.about(path, message);
            self.reports.push(report);
            None
        })
    }

    /// The JSON files of a folder, by path; `None` if there is no such folder.
    fn json_files(&mut self, folder: &str) -> Option<Vec<String>> {
        let entries = self.list(folder)?;
        let files = entries.iter().filter(|entry| entry.ends_with(".json"));
        Some(files.map(|entry| format!("{folder}/{entry}")).collect())
    }

    /// A file as text; `None` where there is none, or none that can be used.
    fn text(&mut self, path: &str) -> Option<FileId> {
        let found = self.folder.read(path);
        self.take(path, found)
    }

    /// What was read at a path, as text.
    fn take(&mut self, path: &str, found: Result<Option<Vec<u8>>, FolderError>) -> Option<FileId> {
        let bytes = self.or_report(path, found)?;
        self.bytes = self.bytes.saturating_add(bytes.len());
        if bytes.len() > MAX_SOURCE_BYTES || self.bytes > MAX_EXPORT_BYTES {
            self.report_too_long(path, bytes.len());
            return None;
        }
        let file = FileId::of_next(&self.texts);
        let (text, problem) = parse::decode(file, &bytes);
        self.texts.add(self.full_name(path), text);
        let is_text = problem.is_none();
        self.reports.extend(problem);
        is_text.then_some(file)
    }

    fn report_too_long(&mut self, path: &str, length: usize) {
        let (message, here) = if length > MAX_SOURCE_BYTES {
            (format!("a file of an export is at most {MAX_SOURCE_BYTES} bytes long"), "this one is longer")
        } else {
            let message =
                format!("the files of an export that are read have at most {MAX_EXPORT_BYTES} bytes");
            (message, "with this one there are more")
        };
        let report = self.about(path, message).here(here);
        self.reports.push(Diagnostic { code: Code::E0108, ..report });
    }

    /// A file of JSON, to be asked for its [members](Reader::members).
    fn json(&mut self, path: &str) -> Option<(FileId, Arc<SourceFile>)> {
        let file = self.text(path)?;
        Some((file, self.texts.share(file)))
    }

    /// What a text says, which is an object.
    fn members<'t>(&mut self, file: FileId, text: &'t SourceFile) -> Option<Members<'t>> {
        match Value::parse(file, text.text()) {
            Ok(value) => self.object(value, "a file of an export"),
            Err(error) => {
                self.reports.push(not_json(file, text.text(), &error));
                None
            }
        }
    }

    fn object<'t>(&mut self, value: Value<'t>, what: &str) -> Option<Members<'t>> {
        self.typed(value, what, "an object", value.members())
    }

    fn string(&mut self, members: &Members<'_>, key: &str) -> Option<Placed<String>> {
        let value = members.get(key)?;
        let text = self.typed(value, &format!("`{key}`"), "a string", value.string())?;
        Some(Placed::new(text, value.span()))
    }

    fn bool(&mut self, members: &Members<'_>, key: &str) -> Option<Placed<bool>> {
        let value = members.get(key)?;
        let truth = self.typed(value, &format!("`{key}`"), "`true` or `false`", value.bool())?;
        Some(Placed::new(truth, value.span()))
    }

    fn list_of<'t>(&mut self, members: &Members<'t>, key: &str) -> Option<Vec<Value<'t>>> {
        let value = members.get(key)?;
        self.typed(value, &format!("`{key}`"), "a list", value.elements())
    }

    fn strings(&mut self, members: &Members<'_>, key: &str) -> Option<Vec<Placed<String>>> {
        let what = format!("an element of `{key}`");
        let values = self.list_of(members, key)?.into_iter();
        let strings = values.filter_map(|value| {
            let text = self.typed(value, &what, "a string", value.string())?;
            Some(Placed::new(text, value.span()))
        });
        Some(strings.collect())
    }

    /// The value, or a report that it is something else.
    fn typed<T>(&mut self, value: Value<'_>, what: &str, wanted: &str, found: Option<T>) -> Option<T> {
        if found.is_none() {
            let message = format!("{what} is {wanted}, and this is {}", value.kind());
            self.reports.push(Diagnostic::error(Code::E0301, value.span(), message));
        }
        found
    }
}
