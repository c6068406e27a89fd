//! `stepup import`: the Actions that people have, as a policy.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::{Args, Subcommand};
use stepup::import::{Comparison, Imported, import};

use super::Exit;
use super::files::{PolicyFiles, ReadFile};
use super::output::{Color, write_human};

/// Read what decides logins today, and write it as a policy
#[derive(Args)]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    Auth0(Auth0),
}

/// Read post-login Actions. Exits with 1 unless all that decides was understood, and Action and policy agree
#[derive(Args)]
struct Auth0 {
    #[command(flatten)]
    actions: PolicyFiles,
    /// The policy to write
    #[arg(short, long, value_name = "FILE")]
    output: String,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// On how many random logins Action and policy are compared
    #[arg(long, value_name = "COUNT", default_value_t = 400)]
    logins: usize,
    #[command(flatten)]
    color: Color,
}

impl Import {
    pub(super) fn run(self) -> Exit {
        let From::Auth0(auth0) = self.from;
        auth0.run()
    }
}

impl Auth0 {
    fn run(self) -> Exit {
        if !self.force && Path::new(&self.output).exists() {
            eprintln!(
                "error: `{}` is there already, and was not touched; `--force` writes over it",
                self.output
            );
            return Exit::Usage;
        }
        let Some(files) = self.actions.read() else { return Exit::Usage };
        let mut imported = import(files.iter().map(|(name, text): &ReadFile| (name, text)));
        let compared = imported.compare(self.logins);
        write_human(&imported.report, &self.actions.title(), self.color.style());
        match self.write(&imported) {
            Exit::Fine => self.say(&compared),
            exit => exit,
        }
    }

    fn write(&self, imported: &Imported) -> Exit {
        let Some(policy) = &imported.policy else { return Exit::Findings };
        if let Err(error) = write_whole(&self.output, policy) {
            eprintln!("error: `{}` can't be written: {error}", self.output);
            return Exit::Usage;
        }
        if imported.report.has_errors() { Exit::Findings } else { Exit::Fine }
    }

    fn say(&self, compared: &Comparison) -> Exit {
        match compared {
            Comparison::Run(agreement) => {
                let compared = agreement.logins - agreement.failed;
                let failed = match agreement.failed {
                    0 => String::new(),
                    failed => format!("; on {failed} more the Action fails, and nothing can be compared"),
                };
                println!("`{}`: the Action and the policy agree on {compared} logins{failed}", self.output);
                Exit::Fine
            }
            Comparison::NotUnderstood => Exit::Findings,
            Comparison::NotCompiled(report) => {
                write_human(report, &self.output, self.color.style());
                // What the flow does is the Actions' doing; all else is how it was written.
                let is_flow = |code: &str| code.starts_with("E05") || code.starts_with('W');
                if !report.diagnostics().iter().all(|one| is_flow(one.code.name())) {
                    eprintln!("error: the policy that was written is none; this is a defect of stepup");
                }
                Exit::Findings
            }
        }
    }
}

/// Written beside it and renamed, so that a crash leaves nothing half written.
fn write_whole(name: &str, text: &str) -> std::io::Result<()> {
    let beside = format!("{name}.imported");
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, name));
    written.inspect_err(|_| {
        // What is left over is ours to remove.
        let _ = fs::remove_file(&beside);
    })
}
