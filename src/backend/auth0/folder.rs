//! The folder that the Deploy CLI imports: `actions/NAME/code.js`, `actions/NAME.json`, `triggers/triggers.json`.

use serde_json::json;

use super::{Emitted, RUNTIME, TRIGGER, TRIGGER_VERSION};

/// A file to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputFile {
    /// Where, from the folder's top, with `/` between.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Emitted {
    /// The files of the directory format, for `a0deploy import`.
    pub fn files(&self) -> Vec<OutputFile> {
        let actions = self.actions.iter().flat_map(|action| {
            let name = &action.name;
            let code = OutputFile { path: format!("actions/{name}/code.js"), text: action.code.clone() };
            let about = json!({
                "name": name,
                "code": format!("./actions/{name}/code.js"),
                "runtime": RUNTIME,
                "dependencies": [],
                "secrets": [],
                "supported_triggers": [{ "id": TRIGGER, "version": TRIGGER_VERSION }],
                "deployed": true,
            });
            [code, OutputFile { path: format!("actions/{name}.json"), text: format!("{about:#}\n") }]
        });
        let bound: Vec<_> = self
            .actions
            .iter()
            .map(|action| json!({ "action_name": action.name, "display_name": action.name }))
            .collect();
        let triggers = format!("{:#}\n", json!({ TRIGGER: bound }));
        actions.chain([OutputFile { path: "triggers/triggers.json".to_owned(), text: triggers }]).collect()
    }
}
