//! A tenant, from the bytes of its file or from an export.

use super::Report;
#[cfg(feature = "tenant-toml")]
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Sources;
#[cfg(feature = "tenant-toml")]
use crate::source::{FileId, MAX_SOURCE_BYTES, Span};
use crate::tenant::Tenant;
use crate::tenant::export::{self, Export, Folder};

/// Reads a `tenant.toml`; `name` is for reports.
///
/// ```
/// let tenant = stepup::read_tenant("tenant.toml", b"enabled-factors = [\"otp\"]")?;
/// let compiler = stepup::Compiler::new().with_tenant(tenant);
/// # Ok::<(), stepup::Report>(())
/// ```
///
/// # Errors
/// What is wrong with the file by itself. Whether its factors and facts are known is told by each compile.
#[cfg(feature = "tenant-toml")]
pub fn read_tenant(name: &str, bytes: &[u8]) -> Result<Tenant, Report> {
    let (text, problem) = crate::syntax::parse::decode(FileId(0), bytes);
    let mut sources = Sources::new();
    let file = sources.add(name, text);
    let text = sources.file(file).text();
    let (tenant, diagnostics) = if let Some(problem) = problem.or_else(|| too_long(file, text)) {
        (Tenant::new(name), vec![problem])
    } else {
        crate::tenant::toml::read(&sources, file)
    };
    if diagnostics.is_empty() { Ok(tenant) } else { Err(Report::new(sources, diagnostics)) }
}

/// Reads of a Deploy CLI's export, in its directory format, what a policy is compiled for; `name` is for reports.
///
/// ```
/// use stepup::{MemoryFolder, read_export_tenant};
///
/// let folder = MemoryFolder::default().with("guardian/factors/otp.json", r#"{"name": "otp", "enabled": true}"#);
/// let tenant = read_export_tenant("export", &folder)?;
/// let compiler = stepup::Compiler::new().with_tenant(tenant);
/// # Ok::<(), stepup::Report>(())
/// ```
///
/// # Errors
/// What is wrong with the files that are read. A file that is missing is no fault: [`Tenant::unsaid`] tells of it.
pub fn read_export_tenant(name: &str, folder: &dyn Folder) -> Result<Tenant, Report> {
    unless_faulty(export::read_tenant(name, folder))
}

/// Reads all of an export that bears on a login: its Actions too.
///
/// # Errors
/// What is wrong with the files that are read.
pub fn read_export(name: &str, folder: &dyn Folder) -> Result<Export, Report> {
    unless_faulty(export::read(name, folder))
}

fn unless_faulty<T>((read, sources, diagnostics): (T, Sources, Vec<Diagnostic>)) -> Result<T, Report> {
    if diagnostics.is_empty() { Ok(read) } else { Err(Report::new(sources, diagnostics)) }
}

#[cfg(feature = "tenant-toml")]
fn too_long(file: FileId, text: &str) -> Option<Diagnostic> {
    (text.len() > MAX_SOURCE_BYTES).then(|| {
        let message = format!("a tenant file is at most {MAX_SOURCE_BYTES} bytes long");
        let here = format!("this one has {}", text.len());
        Diagnostic::error(Code::E0108, Span::new(file, 0..0), message).here(here)
    })
}
