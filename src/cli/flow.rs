//! The flow that a command is about: its files, and the tenant that it is for.

use clap::Args;
use stepup::{Compiled, Compiler, Engine, Examined, Report};

use super::Exit;
use super::files::{PolicyFiles, ReadFile, compiler};
use super::output::{Color, write_human};
use super::tenant::TenantFile;

/// The flow.
#[derive(Args)]
pub(super) struct Flow {
    #[command(flatten)]
    files: PolicyFiles,
    #[command(flatten)]
    tenant: TenantFile,
}

impl Flow {
    /// The files by the names given, for a line about all of them.
    pub(super) fn title(&self) -> String {
        self.files.title()
    }

    /// Reads the files, and makes a compiler for them. What is wrong with the tenant's file goes to `write`.
    ///
    /// # Errors
    /// How the command ends when something can't be used.
    pub(super) fn read(
        &self,
        engine: Engine,
        write: impl FnOnce(&Report, &str),
    ) -> Result<(Compiler, Vec<ReadFile>), Exit> {
        let files = self.files.read().ok_or(Exit::Usage)?;
        let compiler = self.tenant.give_to(compiler(&files, engine), write)?;
        Ok((compiler, files))
    }

    /// Compiles the flow; a report on it is written for people.
    ///
    /// # Errors
    /// How the command ends when it doesn't compile.
    pub(super) fn compile(&self, engine: Engine, color: Color) -> Result<Compiled, Exit> {
        self.with(engine, color, |compiler, files| {
            compiler.compile(files.iter().map(|(name, text)| (name, text)))
        })
    }

    /// Compiles the flow and asks all that can be asked of it.
    ///
    /// # Errors
    /// How the command ends when it doesn't compile.
    pub(super) fn examine(&self, engine: Engine, color: Color) -> Result<Examined, Exit> {
        self.with(engine, color, |compiler, files| {
            compiler.examine(files.iter().map(|(name, text)| (name, text)))
        })
    }

    fn with<T>(
        &self,
        engine: Engine,
        color: Color,
        run: impl FnOnce(&Compiler, &[ReadFile]) -> Result<T, Report>,
    ) -> Result<T, Exit> {
        let (compiler, files) = self.read(engine, |report, name| write_human(report, name, color.style()))?;
        run(&compiler, &files).map_err(|report| {
            write_human(&report, &self.title(), color.style());
            Exit::Findings
        })
    }
}
