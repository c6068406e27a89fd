//! `stepup emit auth0`: a flow as Actions, in the folder that Auth0's Deploy CLI imports.

use std::path::Path;

use clap::{Args, Subcommand};
use stepup::Engine;

use super::Exit;
use super::flow::Flow;
use super::folder::{Others, WriteError, write};
use super::output::{Color, write_human};

/// Write a flow in the language of another platform
#[derive(Args)]
pub(super) struct Emit {
    #[command(subcommand)]
    platform: Platform,
}

#[derive(Subcommand)]
enum Platform {
    Auth0(Auth0),
}

/// Write a flow as Auth0 Actions, one a step, in the folder that the Deploy CLI imports
#[derive(Args)]
struct Auth0 {
    #[command(flatten)]
    flow: Flow,
    /// The folder to write
    #[arg(short, long = "output", value_name = "DIR")]
    output: String,
    /// Write also where other files lie in the folder; they stay as they are
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    color: Color,
}

impl Emit {
    pub(super) fn run(self) -> Exit {
        match self.platform {
            Platform::Auth0(auth0) => auth0.run(),
        }
    }
}

impl Auth0 {
    fn run(self) -> Exit {
        let compiled = match self.flow.compile(Engine::Interpreter, self.color) {
            Ok(compiled) => compiled,
            Err(exit) => return exit,
        };
        let actions = match compiled.auth0_actions() {
            Ok(actions) => actions,
            Err(report) => {
                write_human(&report, &self.flow.title(), self.color.style());
                return Exit::Findings;
            }
        };
        write_human(&actions.report, &self.flow.title(), self.color.style());
        let files = actions.emitted.files();
        let others = if self.force { Others::Keep } else { Others::Refuse };
        if let Err(error) = write(Path::new(&self.output), &files, others) {
            return self.not_written(&error);
        }
        for file in &files {
            println!("{}", Path::new(&self.output).join(&file.path).display());
        }
        Exit::Fine
    }

    fn not_written(&self, error: &WriteError) -> Exit {
        match error {
            WriteError::OtherFile(other) => {
                eprintln!("error: `{}` lies in `{}`, and nothing was written", other.display(), self.output);
                eprintln!("  help: choose another folder, or write beside it with `--force`");
            }
            WriteError::Disk(path, error) => {
                eprintln!("error: `{}` can't be written: {error}", path.display());
            }
        }
        Exit::Usage
    }
}
