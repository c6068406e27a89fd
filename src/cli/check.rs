//! `stepup check`: everything that can be said of a flow without a login.

use clap::Args;
use stepup::Engine;

use super::Exit;
use super::files::{PolicyFiles, compiler};
use super::output::Output;
use super::tenant::TenantFile;

/// Check a flow: syntax, names, types, the catalog, and the proof that no login is asked for a fifth command
#[derive(Args)]
pub(super) struct Check {
    #[command(flatten)]
    files: PolicyFiles,
    #[command(flatten)]
    tenant: TenantFile,
    /// Exit with 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    output: Output,
}

impl Check {
    pub(super) fn run(self) -> Exit {
        let Some(files) = self.files.read() else { return Exit::Usage };
        let compiler = compiler(&files, Engine::Interpreter);
        let write = |report: &_, name: &_| self.output.write(report, name);
        let compiler = match self.tenant.give_to(compiler, write) {
            Ok(compiler) => compiler,
            Err(exit) => return exit,
        };
        let report = compiler.check(files.iter().map(|(name, text)| (name, text)));
        self.output.write(&report, &self.files.title());
        if report.has_errors() || (self.deny_warnings && !report.is_empty()) {
            return Exit::Findings;
        }
        if self.output.is_human() {
            println!("proven: every login through `{}` stays within four commands", self.files.title());
        }
        Exit::Fine
    }
}
