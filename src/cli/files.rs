//! Policies on the disk: the files of the command line, and those that `use` names.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use stepup::source::{LoadError, Loader, MAX_SOURCE_BYTES};
use stepup::{Compiler, Engine, Validation};

/// The largest event that is read (16 MiB): far more than the platform sends.
pub(super) const MAX_EVENT_BYTES: u64 = 16 * 1024 * 1024;

/// The files of a flow.
#[derive(Args)]
pub(super) struct PolicyFiles {
    /// The files of the flow, in the order in which a login passes their steps; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

/// A file that was read: its name for reports, and its bytes.
pub(super) type ReadFile = (String, Vec<u8>);

impl PolicyFiles {
    /// Reads them all; the first that can't be read is told on standard error.
    pub(super) fn read(&self) -> Option<Vec<ReadFile>> {
        let read = |name: &String| read(name).map(|bytes| (name.clone(), bytes));
        self.files.iter().map(read).collect()
    }

    /// The files by the names given, for a line about all of them.
    pub(super) fn title(&self) -> String {
        self.files.join(" ")
    }

    pub(super) fn names(&self) -> &[String] {
        &self.files
    }
}

/// The bytes of a file or of standard input, as many as a policy may have and one more; told on standard error when
/// they can't be had.
pub(super) fn read(name: &str) -> Option<Vec<u8>> {
    let bytes =
        if name == "-" { bounded(io::stdin().lock()) } else { fs::File::open(name).and_then(bounded) };
    told(name, bytes)
}

/// The bytes of an event; told on standard error when they can't be had.
pub(super) fn read_event_bytes(name: &str) -> Option<Vec<u8>> {
    let within = |reader: &mut dyn Read| {
        let bytes = up_to(reader, MAX_EVENT_BYTES + 1)?;
        let too_long = || io::Error::other(format!("it is longer than {MAX_EVENT_BYTES} bytes"));
        if bytes.len() as u64 > MAX_EVENT_BYTES { Err(too_long()) } else { Ok(bytes) }
    };
    let bytes = match name {
        "-" => within(&mut io::stdin().lock()),
        name => fs::File::open(name).and_then(|mut file| within(&mut file)),
    };
    told(name, bytes)
}

fn told(name: &str, bytes: io::Result<Vec<u8>>) -> Option<Vec<u8>> {
    bytes.map_err(|error| eprintln!("error: `{name}` can't be read: {error}")).ok()
}

/// As many bytes as a policy may have, and one more.
pub(super) fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    up_to(reader, MAX_SOURCE_BYTES as u64 + 1)
}

fn up_to(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A compiler that finds used files on the disk.
pub(super) fn compiler(files: &[ReadFile], engine: Engine) -> Compiler {
    let given =
        files.iter().filter_map(|(name, _)| Some((fs::canonicalize(name).ok()?, name.clone()))).collect();
    Compiler::new().with_engine(engine).with_validation(Validation::On).with_loader(DiskLoader { given })
}

/// Finds a used file beside the file that uses it.
struct DiskLoader {
    /// The files of the command line by where they really lie, so that one file has one name.
    given: BTreeMap<PathBuf, String>,
}

impl Loader for DiskLoader {
    fn load(&self, from: &str, path: &str) -> Result<(String, String), LoadError> {
        let beside = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
        let real = fs::canonicalize(&beside).map_err(explain)?;
        let name = self.given.get(&real).cloned().unwrap_or_else(|| short_name(&real));
        let bytes = fs::File::open(&real).and_then(bounded).map_err(explain)?;
        // Bytes that are not UTF-8 are reported as for any file.
        let text =
            String::from_utf8(bytes).map_err(|_| LoadError::Unreadable("it is not UTF-8 text".to_owned()))?;
        Ok((name, text))
    }
}

fn explain(error: io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound => LoadError::NotFound,
        _ => LoadError::Unreadable(error.to_string()),
    }
}

/// A path as seen from where the command runs, when it lies below.
fn short_name(real: &Path) -> String {
    let here = std::env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    real.strip_prefix(&here).unwrap_or(real).display().to_string()
}
