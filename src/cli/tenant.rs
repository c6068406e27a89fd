//! The tenant that a command is given.

use clap::Args;
use stepup::{Compiler, Report, read_tenant};

use super::Exit;
use super::files::read;

/// The tenant that the flow is for.
#[derive(Args)]
pub(super) struct TenantFile {
    /// What the tenant has switched on, and its defaults of facts: a `tenant.toml`
    #[arg(long, value_name = "FILE")]
    tenant: Option<String>,
}

impl TenantFile {
    /// Gives the compiler the tenant, if there is one. What is wrong with the file by itself goes to `write`, with the
    /// file's name.
    ///
    /// # Errors
    /// How the command ends when the file can't be used.
    pub(super) fn give_to(
        &self,
        compiler: Compiler,
        write: impl FnOnce(&Report, &str),
    ) -> Result<Compiler, Exit> {
        let Some(name) = &self.tenant else { return Ok(compiler) };
        let bytes = read(name).ok_or(Exit::Usage)?;
        match read_tenant(name, &bytes) {
            Ok(tenant) => Ok(compiler.with_tenant(tenant)),
            Err(report) => {
                write(&report, name);
                Err(Exit::Findings)
            }
        }
    }
}
