//! How `use "shared.stepup"` finds its text. The library never reads a disk: a host says what a path means.

use std::collections::BTreeMap;

use thiserror::Error;

/// Why a used file could not be had.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LoadError {
    /// No such file.
    #[error("there is no such file")]
    NotFound,
    /// It is there, but can't be read; the text says why, in lower case and without a full stop.
    #[error("{0}")]
    Unreadable(String),
}

/// Finds the text of a used file.
pub trait Loader {
    /// The name and text of `path`, as written in the file named `from`. The name tells files apart: two paths
    /// to one file should give one name.
    fn load(&self, from: &str, path: &str) -> Result<(String, String), LoadError>;
}

/// A loader that knows no files: every `use "…"` is a report.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _from: &str, _path: &str) -> Result<(String, String), LoadError> {
        Err(LoadError::NotFound)
    }
}

/// A loader over texts in memory, by name.
#[derive(Clone, Default, Debug)]
pub struct MemoryLoader {
    texts: BTreeMap<String, String>,
}

impl MemoryLoader {
    /// Adds a text under a name.
    pub fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.texts.insert(name.into(), text.into());
        self
    }
}

impl Loader for MemoryLoader {
    fn load(&self, _from: &str, path: &str) -> Result<(String, String), LoadError> {
        let text = self.texts.get(path).ok_or(LoadError::NotFound)?;
        Ok((path.to_owned(), text.clone()))
    }
}
