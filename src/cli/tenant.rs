//! The tenant that a command is given.

use std::path::Path;

use clap::Args;
use stepup::{Compiler, Report, Tenant, read_export_tenant, read_tenant};

use super::Exit;
use super::export::DiskFolder;
use super::files::read;

/// The tenant that the flow is for.
#[derive(Args)]
pub(super) struct TenantFile {
    /// What the tenant has switched on: a `tenant.toml`, with defaults of facts, or the folder of a Deploy CLI export
    #[arg(long, value_name = "FILE|DIR")]
    tenant: Option<String>,
}

impl TenantFile {
    /// Gives the compiler the tenant, if there is one. What is wrong with it by itself goes to `write`, with its name.
    ///
    /// # Errors
    /// How the command ends when it can't be used.
    pub(super) fn give_to(
        &self,
        compiler: Compiler,
        write: impl FnOnce(&Report, &str),
    ) -> Result<Compiler, Exit> {
        give_tenant(self.tenant.as_deref(), compiler, write)
    }
}

/// Gives the compiler the tenant of a name.
///
/// # Errors
/// How the command ends when it can't be used.
pub(super) fn give_tenant(
    name: Option<&str>,
    compiler: Compiler,
    write: impl FnOnce(&Report, &str),
) -> Result<Compiler, Exit> {
    let Some(name) = name else { return Ok(compiler) };
    match tenant(name)? {
        Ok(tenant) => {
            tenant.unsaid().iter().for_each(|unsaid| eprintln!("note: of the export `{name}`: {unsaid}"));
            Ok(compiler.with_tenant(tenant))
        }
        Err(report) => {
            write(&report, name);
            Err(Exit::Findings)
        }
    }
}

/// The tenant of a file or an export.
fn tenant(name: &str) -> Result<Result<Tenant, Report>, Exit> {
    if Path::new(name).is_dir() {
        return Ok(read_export_tenant(name, &DiskFolder::open(name).ok_or(Exit::Usage)?));
    }
    let bytes = read(name).ok_or(Exit::Usage)?;
    Ok(read_tenant(name, &bytes))
}
