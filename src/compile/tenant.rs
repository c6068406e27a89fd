//! A tenant file, from its bytes.

use super::Report;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, MAX_SOURCE_BYTES, Sources, Span};
use crate::syntax::parse;
use crate::tenant::{Tenant, toml};

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
pub fn read_tenant(name: &str, bytes: &[u8]) -> Result<Tenant, Report> {
    let (text, problem) = parse::decode(FileId(0), bytes);
    let mut sources = Sources::new();
    let file = sources.add(name, text);
    let text = sources.file(file).text();
    let (tenant, diagnostics) = if let Some(problem) = problem.or_else(|| too_long(file, text)) {
        (Tenant::new(name), vec![problem])
    } else {
        toml::read(file, name, text)
    };
    if diagnostics.is_empty() { Ok(tenant) } else { Err(Report::new(sources, diagnostics)) }
}

fn too_long(file: FileId, text: &str) -> Option<Diagnostic> {
    (text.len() > MAX_SOURCE_BYTES).then(|| {
        let message = format!("a tenant file is at most {MAX_SOURCE_BYTES} bytes long");
        let here = format!("this one has {}", text.len());
        Diagnostic::error(Code::E0108, Span::new(file, 0..0), message).here(here)
    })
}
