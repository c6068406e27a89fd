//! `stepup fmt`: policies in their canonical form.

use std::fs;
use std::io::Write;

use clap::Args;
use stepup::{Formatted, format_policy};

use super::Exit;
use super::files::{PolicyFiles, read};
use super::output::{Color, print, write_human};

/// Format policies in place; comments stay, and the meaning too
#[derive(Args)]
pub(super) struct Fmt {
    #[command(flatten)]
    files: PolicyFiles,
    /// Change nothing; name the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    color: Color,
}

impl Fmt {
    pub(super) fn run(self) -> Exit {
        let mut exit = Exit::Fine;
        for name in self.files.names() {
            match self.format(name) {
                Exit::Fine => {}
                Exit::Findings => exit = if exit == Exit::Fine { Exit::Findings } else { exit },
                worse => exit = worse,
            }
        }
        exit
    }

    fn format(&self, name: &str) -> Exit {
        let Some(bytes) = read(name) else { return Exit::Usage };
        let formatted = match format_policy(name, &bytes) {
            Ok(formatted) => formatted,
            Err(report) => {
                write_human(&report, name, self.color.style());
                return Exit::Findings;
            }
        };
        match formatted {
            Formatted::Same if name != "-" || self.check => Exit::Fine,
            Formatted::Same => {
                print(&String::from_utf8_lossy(&bytes));
                Exit::Fine
            }
            Formatted::Changed(_) if self.check => {
                println!("{name}");
                Exit::Findings
            }
            Formatted::Changed(text) if name == "-" => {
                print(&text);
                Exit::Fine
            }
            Formatted::Changed(text) => write_whole(name, &text),
        }
    }
}

/// Replaces a file: written beside it and renamed, so that a crash leaves the old text or the new.
fn write_whole(name: &str, text: &str) -> Exit {
    let beside = format!("{name}.formatted");
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::metadata(name).and_then(|old| fs::set_permissions(&beside, old.permissions())))
        .and_then(|()| fs::rename(&beside, name));
    match written {
        Ok(()) => Exit::Fine,
        Err(error) => {
            // What is left over is ours to remove.
            let _ = fs::remove_file(&beside);
            eprintln!("error: `{name}` can't be written: {error}");
            Exit::Usage
        }
    }
}
