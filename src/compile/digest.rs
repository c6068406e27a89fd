//! The digest of a policy: what it was compiled from.

use super::library::Library;
use crate::check::step_name;
use crate::runtime::Digest;
use crate::source::Sources;
use crate::tenant::Tenant;

/// The digest of the texts of a flow, the library's first and the tenant's last among them. Of a file's name counts
/// what a step may be named after: where the file lies is each machine's own. Of a tenant counts what it says: an export
/// holds much else that may change.
pub(super) fn digest(sources: &Sources, library: &Library, tenant: Option<&Tenant>) -> Digest {
    let library_files = library.sources.files().len();
    let tenant_files = tenant.map_or(0, |tenant| tenant.texts().files().len());
    let own_files = sources.files().len().saturating_sub(library_files + tenant_files);
    let own = sources.files().skip(library_files).take(own_files);
    let said = tenant.map(Tenant::said).unwrap_or_default();
    let names: Vec<String> = own.clone().map(|(_, file)| step_name(file.name())).collect();
    let texts = own.zip(&names).flat_map(|((_, file), name)| [name.as_bytes(), file.text().as_bytes()]);
    Digest::of([library.digest.bytes().as_slice(), said.as_bytes()].into_iter().chain(texts))
}

/// The digest of the library, with the version of stepup that brings it.
pub(super) fn library_digest(sources: &Sources) -> Digest {
    let texts = sources.files().flat_map(|(_, file)| [file.name().as_bytes(), file.text().as_bytes()]);
    Digest::of(std::iter::once(env!("CARGO_PKG_VERSION").as_bytes()).chain(texts))
}
