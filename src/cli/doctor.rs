//! `stepup doctor`: a tenant's export held to a flow.

use clap::{Args, ValueEnum};
use stepup::doctor::{Checkup, Verdict, examine};
use stepup::{Engine, HumanStyle, read_export};

use super::Exit;
use super::export::DiskFolder;
use super::files::{PolicyFiles, compiler};
use super::output::{Color, Paint, print, write_human};
use super::tenant::give_tenant;

/// Walk the platform's checklist over a tenant: settings, factors, and the Actions of a flow
///
/// Each line passes, fails with its repair, or is not in the export. The exit code is 1 when a line fails.
#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    files: PolicyFiles,
    /// The tenant: the folder of a Deploy CLI export
    #[arg(long, value_name = "DIR")]
    tenant: String,
    /// The tenant file with the defaults of facts that the flow was emitted with
    #[arg(long, value_name = "FILE")]
    defaults: Option<String>,
    /// Who reads the lines
    #[arg(long, value_enum, default_value_t = LineFormat::Human)]
    format: LineFormat,
    #[command(flatten)]
    color: Color,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum LineFormat {
    /// People
    Human,
    /// Programs: one JSON document
    Json,
}

impl Doctor {
    pub(super) fn run(self) -> Exit {
        let (Some(folder), Some(files)) = (DiskFolder::open(&self.tenant), self.files.read()) else {
            return Exit::Usage;
        };
        // Not compiled for the export: what can't work there is to be a line, and not the end.
        let compiler = compiler(&files, Engine::Interpreter);
        let compiler = match give_tenant(self.defaults.as_deref(), compiler, |report, name| {
            write_human(report, name, self.color.style());
        }) {
            Ok(compiler) => compiler,
            Err(exit) => return exit,
        };
        let compiled = compiler.compile(files.iter().map(|(name, text)| (name, text)));
        let compiled = compiled.and_then(|compiled| Ok((compiled.auth0_actions()?.emitted, compiled)));
        let (emitted, compiled) = match compiled {
            Ok(compiled) => compiled,
            Err(report) => {
                write_human(&report, &self.files.title(), self.color.style());
                return Exit::Findings;
            }
        };
        match read_export(&self.tenant, &folder) {
            Ok(export) => self.tell(&examine(&compiled.typed, &emitted.actions, &export)),
            Err(report) => {
                write_human(&report, &self.tenant, self.color.style());
                Exit::Findings
            }
        }
    }

    fn tell(&self, checkup: &Checkup) -> Exit {
        match self.format {
            LineFormat::Human => print(&human(checkup, self.color.style_of_output())),
            LineFormat::Json => print(&serde_json::to_string(checkup).unwrap_or_default()),
        }
        if checkup.is_healthy() { Exit::Fine } else { Exit::Findings }
    }
}

/// The lines, and how many of each kind.
fn human(checkup: &Checkup, style: HumanStyle) -> String {
    let mut text = String::new();
    for line in &checkup.lines {
        let word = line.verdict.word();
        let mark = match line.verdict {
            Verdict::Pass => style.good(word),
            Verdict::Fail { .. } => style.bad(word),
            Verdict::Warning { .. } | Verdict::NotInTheExport => word.to_owned(),
        };
        text.push_str(&format!("{mark}  {}\n", checkup.sentence(line)));
    }
    text + &checkup.summary()
}
