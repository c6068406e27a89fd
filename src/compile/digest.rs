//! The digest of a policy: what it was compiled from.

use crate::check::step_name;
use crate::runtime::Digest;
use crate::source::Sources;

/// The digest of the texts of a flow, the library's among them. Of a file's name counts what a step may be named
/// after: where the file lies is each machine's own.
pub(super) fn digest(sources: &Sources, library: Digest, library_files: usize) -> Digest {
    let own = sources.files().skip(library_files);
    let names: Vec<String> = own.clone().map(|(_, file)| step_name(file.name())).collect();
    let texts = own.zip(&names).flat_map(|((_, file), name)| [name.as_bytes(), file.text().as_bytes()]);
    Digest::of(std::iter::once(library.bytes().as_slice()).chain(texts))
}

/// The digest of the library, with the version of stepup that brings it.
pub(super) fn library_digest(sources: &Sources) -> Digest {
    let texts = sources.files().flat_map(|(_, file)| [file.name().as_bytes(), file.text().as_bytes()]);
    Digest::of(std::iter::once(env!("CARGO_PKG_VERSION").as_bytes()).chain(texts))
}
