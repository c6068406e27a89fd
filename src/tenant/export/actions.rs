//! What runs in a login: the Actions, those that are bound to `post-login`, and the login pages.

use super::json::{Members, Value};
use super::{Placed, Reader};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::FileId;

/// The trigger that a policy runs in.
pub(crate) const POST_LOGIN: &str = "post-login";

/// An Action of the export.
#[derive(Clone, Debug)]
pub(crate) struct ExportedAction {
    pub(crate) name: Placed<String>,
    /// The file of its code.
    pub(crate) code: Option<FileId>,
    /// Whether what was saved last is what runs.
    pub(crate) deployed: Option<Placed<bool>>,
    /// How its build went.
    pub(crate) status: Option<Placed<String>>,
    pub(crate) runtime: Option<Placed<String>>,
    /// What it says of the `post-login` trigger.
    pub(crate) post_login: Version,
}

/// The version of the `post-login` trigger that an Action is written for.
#[derive(Clone, Debug)]
pub(crate) enum Version {
    /// The Action is for other triggers.
    NotSupported,
    /// It doesn't say which.
    Unsaid,
    Said(Placed<String>),
}

impl Reader<'_> {
    pub(super) fn actions(&mut self) -> Option<Vec<ExportedAction>> {
        let files = self.json_files("actions")?;
        Some(files.iter().filter_map(|path| self.action(path)).collect())
    }

    fn action(&mut self, path: &str) -> Option<ExportedAction> {
        let (file, text) = self.json(path)?;
        let action = self.members(file, &text)?;
        if action.get("name").is_none() {
            let message = "the file of an Action has its `name`, and this has none";
            self.reports.push(Diagnostic::error(Code::E0110, action.whole.span(), message));
        }
        let name = self.string(&action, "name")?;
        Some(ExportedAction {
            name,
            code: self.code(&action, path),
            deployed: self.bool(&action, "deployed"),
            status: self.string(&action, "status"),
            runtime: self.string(&action, "runtime"),
            post_login: self.post_login(&action),
        })
    }

    /// The code that an Action's file names by its path; or, where nothing is there, the one that lies where the Deploy
    /// CLI puts it.
    fn code(&mut self, action: &Members<'_>, path: &str) -> Option<FileId> {
        let written = self.string(action, "code")?;
        let Some(named) = inside(&written.value) else {
            let message = format!("`{}` leads out of the export", written.value);
            self.reports.push(Diagnostic::error(Code::E0110, written.place, message));
            return None;
        };
        match self.folder.read(&named) {
            Ok(None) => self.text(&format!("{}/code.js", path.trim_end_matches(".json"))),
            found => self.take(&named, found),
        }
    }

    fn post_login(&mut self, action: &Members<'_>) -> Version {
        for trigger in self.list_of(action, "supported_triggers").unwrap_or_default() {
            let Some(trigger) = self.object(trigger, "an element of `supported_triggers`") else { continue };
            if self.string(&trigger, "id").is_some_and(|id| id.value == POST_LOGIN) {
                return self.string(&trigger, "version").map_or(Version::Unsaid, Version::Said);
            }
        }
        if action.get("supported_triggers").is_none() { Version::Unsaid } else { Version::NotSupported }
    }

    /// The Actions of the login flow, in order. The Deploy CLI reads the first file of the folder, whatever its name.
    pub(super) fn bound(&mut self) -> Option<Vec<Placed<String>>> {
        let path = self.json_files("triggers")?.into_iter().next()?;
        let (file, text) = self.json(&path)?;
        let triggers = self.members(file, &text)?;
        let bindings: Vec<Value<'_>> = self.list_of(&triggers, POST_LOGIN)?;
        let names = bindings.into_iter().filter_map(|binding| {
            let binding = self.object(binding, &format!("an element of `{POST_LOGIN}`"))?;
            self.string(&binding, "action_name")
        });
        Some(names.collect())
    }

    pub(super) fn login_pages(&mut self) -> Option<Placed<String>> {
        let (file, text) = self.json("prompts/prompts.json")?;
        let prompts = self.members(file, &text)?;
        self.string(&prompts, "universal_login_experience")
    }
}

/// A written path as one inside of the export; `None` if it leads out.
fn inside(written: &str) -> Option<String> {
    let written = written.replace('\\', "/");
    if written.starts_with('/') || written.get(1..2) == Some(":") {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in written.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
