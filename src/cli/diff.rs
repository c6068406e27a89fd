//! `stepup diff`: what a change of a flow changes for the logins.

use clap::{Args, ValueEnum};
use stepup::flow::compare::{Comparison, Detail};
use stepup::{Compiled, Compiler, Engine};

use super::Exit;
use super::files::{ReadFile, compiler, read};
use super::output::{Color, print, write_human};
use super::tenant::TenantFile;

/// Compare two versions of a flow: which logins are asked for something else, and which can complete with less
///
/// A version is one file, or several with commas between them. The exit code is that of diff: 0 where both versions
/// ask the same of every login, 1 where they differ. With `--deny weaker` it is 1 only where a login can complete with
/// fewer or weaker factors than before.
#[derive(Args)]
pub(super) struct Diff {
    /// The flow before
    #[arg(value_name = "OLD")]
    old: String,
    /// The flow after
    #[arg(value_name = "NEW")]
    new: String,
    /// Compare what each step decides, too, and not only what users and administrators see
    #[arg(long)]
    strict: bool,
    /// What is not to happen; other differences are then no findings
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Denied>,
    #[command(flatten)]
    tenant: TenantFile,
    /// Who reads the differences
    #[arg(long, value_enum, default_value_t = FormatName::Human)]
    format: FormatName,
    #[command(flatten)]
    color: Color,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// A login can complete with fewer or weaker factors than before
    Weaker,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum FormatName {
    /// People
    Human,
    /// Programs
    Json,
    /// A comment on a pull request
    Markdown,
}

impl Diff {
    pub(super) fn run(self) -> Exit {
        let (Some(old), Some(new)) = (read_flow(&self.old), read_flow(&self.new)) else { return Exit::Usage };
        let both: Vec<ReadFile> = old.iter().chain(&new).cloned().collect();
        let write = |report: &_, name: &_| write_human(report, name, self.color.style());
        let compiler = match self.tenant.give_to(compiler(&both, Engine::Interpreter), write) {
            Ok(compiler) => compiler,
            Err(exit) => return exit,
        };
        let compiled = (self.compile(&compiler, &self.old, &old), self.compile(&compiler, &self.new, &new));
        let (Some(old), Some(new)) = compiled else { return Exit::Usage };
        let detail = if self.strict { Detail::Steps } else { Detail::Visible };
        match compiler.compare(&old, &new, detail) {
            Ok(comparison) => self.tell(&comparison),
            Err(error) => {
                eprintln!("error: `{}` and `{}` can't be compared: {error}", self.old, self.new);
                Exit::Usage
            }
        }
    }

    fn compile(&self, compiler: &Compiler, name: &str, files: &[ReadFile]) -> Option<Compiled> {
        let compiled = compiler.compile(files.iter().map(|(name, text)| (name, text)));
        compiled.map_err(|report| write_human(&report, name, self.color.style())).ok()
    }

    fn tell(&self, comparison: &Comparison) -> Exit {
        match self.format {
            FormatName::Human => print(&comparison.to_string()),
            FormatName::Json => print(&serde_json::to_string_pretty(comparison).unwrap_or_default()),
            FormatName::Markdown => print(&comparison.to_markdown()),
        }
        let found = match self.deny {
            Some(Denied::Weaker) => comparison.weaker.is_some(),
            None => !comparison.is_same(),
        };
        if found { Exit::Findings } else { Exit::Fine }
    }
}

/// The files of one version.
fn read_flow(names: &str) -> Option<Vec<ReadFile>> {
    names.split(',').map(|name| read(name).map(|bytes| (name.to_owned(), bytes))).collect()
}
