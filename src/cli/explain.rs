//! `stepup explain`: the page of a code.

use clap::Args;
use stepup::diagnostic::{ALL_CODES, Code, did_you_mean};

use super::Exit;
use super::output::print;

/// Explain a code of a report: what it means, an example, and the repair
#[derive(Args)]
pub(super) struct Explain {
    /// The code, such as E0501; without it, all codes are listed
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(self) -> Exit {
        let Some(name) = self.code else {
            let lines: Vec<String> =
                ALL_CODES.iter().map(|code| format!("{code}  {}", code.title())).collect();
            print(&lines.join("\n"));
            return Exit::Fine;
        };
        if let Some(code) = Code::find(&name) {
            print(code.page());
            return Exit::Fine;
        }
        let near = did_you_mean(&name.to_ascii_uppercase(), ALL_CODES.iter().map(|code| code.name()));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        eprintln!("error: there is no code `{name}`{hint}");
        Exit::Usage
    }
}
