//! `stepup new`: a folder to begin with.

use std::fs;
use std::path::Path;

use clap::Args;
use stepup::STARTERS;

use super::Exit;

/// A login to try the policy on.
const EVENT: &str = include_str!("../../examples/events/admin-otp.json");

/// Make a folder with a policy to begin with and an event to try it on
#[derive(Args)]
pub(super) struct New {
    /// The folder; it must not exist yet, or be empty
    #[arg(value_name = "DIR")]
    folder: String,
    /// The policy to begin with
    #[arg(long, default_value = "everyone", value_parser = clap::builder::PossibleValuesParser::new(STARTERS.map(|s| s.name)))]
    starter: String,
}

impl New {
    pub(super) fn run(self) -> Exit {
        let folder = Path::new(&self.folder);
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            eprintln!("error: `{}` is not empty, and nothing in it was touched", self.folder);
            return Exit::Usage;
        }
        let Some(starter) = STARTERS.iter().find(|starter| starter.name == self.starter) else {
            return Exit::Usage;
        };
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(folder.join("policy.stepup"), starter.text))
            .and_then(|()| fs::write(folder.join("event.json"), EVENT));
        if let Err(error) = written {
            eprintln!("error: `{}` can't be written: {error}", self.folder);
            return Exit::Usage;
        }
        let policy = folder.join("policy.stepup");
        let event = folder.join("event.json");
        println!("stepup check {}", policy.display());
        println!("stepup decide {} --event {}", policy.display(), event.display());
        Exit::Fine
    }
}
