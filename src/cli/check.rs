//! `stepup check`: everything that can be said of a flow without a login.

use clap::Args;
use stepup::Engine;
use stepup::diagnostic::Code;

use super::Exit;
use super::flow::Flow;
use super::output::Output;

/// Check a flow: syntax, names, types, the catalog, and the proof that no login is asked for a fifth command
#[derive(Args)]
pub(super) struct Check {
    #[command(flatten)]
    flow: Flow,
    /// Exit with 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// Exit with 1 when a finding has this code; may be given several times
    #[arg(long, value_name = "CODE", value_parser = code)]
    deny: Vec<Code>,
    #[command(flatten)]
    output: Output,
}

fn code(text: &str) -> Result<Code, String> {
    Code::find(text).ok_or_else(|| "there is no such code; `stepup explain` lists them".to_owned())
}

impl Check {
    pub(super) fn run(self) -> Exit {
        let write = |report: &_, name: &_| self.output.write(report, name);
        let (compiler, files) = match self.flow.read(Engine::Interpreter, write) {
            Ok(read) => read,
            Err(exit) => return exit,
        };
        let report = compiler.check(files.iter().map(|(name, text)| (name, text)));
        self.output.write(&report, &self.flow.title());
        let is_denied = report.diagnostics().iter().any(|found| self.deny.contains(&found.code));
        if report.has_errors() || is_denied || (self.deny_warnings && !report.is_empty()) {
            return Exit::Findings;
        }
        if self.output.is_human() {
            println!("proven: every login through `{}` stays within four commands", self.flow.title());
        }
        Exit::Fine
    }
}
