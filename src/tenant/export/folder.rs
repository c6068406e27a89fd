//! Where an export's files come from. The library reads no disk: a host says what a path inside the export holds.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

/// Why something that is there can't be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FolderError {
    /// A folder was wanted.
    #[error("it is a file, and an export has a folder there")]
    NotAFolder,
    /// A file was wanted.
    #[error("it is no file")]
    NotAFile,
    /// A link whose end lies outside of the export.
    #[error("it is a link that leads out of the export")]
    LeadsOutside,
    /// Something else; the text says why, in lower case and without a full stop.
    #[error("{0}")]
    Unreadable(String),
}

/// The files of an export. Paths have `/` between names, and no `..` or `.` in them.
pub trait Folder {
    /// The names in a folder, `""` being the whole; `None` where there is no such folder.
    ///
    /// # Errors
    /// When it is there and can't be used.
    fn list(&self, path: &str) -> Result<Option<Vec<String>>, FolderError>;

    /// The bytes of a file, `None` where there is none. More than [`MAX_SOURCE_BYTES`](crate::source::MAX_SOURCE_BYTES)
    /// are refused, so a host need not give all.
    ///
    /// # Errors
    /// When it is there and can't be used.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FolderError>;
}

/// An export in memory, by path.
#[derive(Clone, Default, Debug)]
pub struct MemoryFolder {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFolder {
    /// Adds a file under a path.
    pub fn with(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), bytes.into());
        self
    }
}

impl Folder for MemoryFolder {
    fn list(&self, path: &str) -> Result<Option<Vec<String>>, FolderError> {
        if self.files.contains_key(path) {
            return Err(FolderError::NotAFolder);
        }
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let inside = self.files.keys().filter_map(|file| file.strip_prefix(&prefix));
        let names: BTreeSet<&str> = inside.filter_map(|rest| rest.split('/').next()).collect();
        let is_there = path.is_empty() || !names.is_empty();
        Ok(is_there.then(|| names.into_iter().map(str::to_owned).collect()))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        Ok(self.files.get(path).cloned())
    }
}
