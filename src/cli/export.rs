//! A Deploy CLI export on the disk. It may come from a stranger: a link must not show files that lie elsewhere, and
//! what is no plain file is not opened.

use std::fs::{self, Metadata};
use std::io;
use std::path::PathBuf;

use stepup::{Folder, FolderError};

use super::files::bounded;

/// The folder of an export.
pub(super) struct DiskFolder {
    /// Where it really lies.
    root: PathBuf,
}

impl DiskFolder {
    /// The folder of a name; told on standard error when there is none.
    pub(super) fn open(name: &str) -> Option<Self> {
        match fs::canonicalize(name) {
            Ok(root) if root.is_dir() => return Some(DiskFolder { root }),
            Ok(_) => eprintln!("error: `{name}` is no folder, and an export is one"),
            Err(error) => eprintln!("error: `{name}` can't be read: {error}"),
        }
        None
    }

    /// Where a path of the export really leads, and what is there.
    fn find(&self, path: &str) -> Result<Option<(PathBuf, Metadata)>, FolderError> {
        let Some(real) = found(fs::canonicalize(self.root.join(path)))? else { return Ok(None) };
        if !real.starts_with(&self.root) {
            return Err(FolderError::LeadsOutside);
        }
        let metadata = found(fs::metadata(&real))?;
        Ok(metadata.map(|metadata| (real, metadata)))
    }
}

impl Folder for DiskFolder {
    fn list(&self, path: &str) -> Result<Option<Vec<String>>, FolderError> {
        let Some((real, metadata)) = self.find(path)? else { return Ok(None) };
        if !metadata.is_dir() {
            return Err(FolderError::NotAFolder);
        }
        let entries = fs::read_dir(real).map_err(unreadable)?;
        let names = entries.map(|entry| {
            let name = entry.map_err(unreadable)?.file_name();
            name.into_string().map_err(|_| FolderError::Unreadable("a name in it is not UTF-8".to_owned()))
        });
        names.collect::<Result<_, _>>().map(Some)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let Some((real, metadata)) = self.find(path)? else { return Ok(None) };
        if !metadata.is_file() {
            return Err(FolderError::NotAFile);
        }
        fs::File::open(real).and_then(bounded).map(Some).map_err(unreadable)
    }
}

/// Nothing, where nothing is there.
fn found<T>(found: io::Result<T>) -> Result<Option<T>, FolderError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(unreadable(error)),
    }
}

fn unreadable(error: io::Error) -> FolderError {
    FolderError::Unreadable(error.to_string())
}
