//! Writing a folder of files: all of it, or nothing.
//!
//! The files are written beside the folder first, and take their places by renaming. What else lies in the folder is
//! never touched.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use stepup::backend::auth0::OutputFile;

/// What to do about files in the folder that are not among those to write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Write nothing.
    Refuse,
    /// Leave them where they are.
    Keep,
}

/// Why nothing was written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// A file that is not among those to write lies in the folder.
    OtherFile(PathBuf),
    /// The disk refuses.
    Disk(PathBuf, io::Error),
}

/// Writes the files into a folder, which may be there already.
pub(super) fn write(folder: &Path, files: &[OutputFile], others: Others) -> Result<(), WriteError> {
    if others == Others::Refuse
        && let Some(other) = other_file(folder, files)?
    {
        return Err(WriteError::OtherFile(other));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    on(parent, fs::create_dir_all(parent))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let waiting = parent.join(format!(".{name}.stepup-{}", std::process::id()));
    let result = write_all(&waiting, files).and_then(|()| take_places(&waiting, folder, files));
    // What is left of it is of no use to anybody, and no reason to fail.
    let _ = fs::remove_dir_all(&waiting);
    result
}

fn on<T>(path: &Path, result: io::Result<T>) -> Result<T, WriteError> {
    result.map_err(|error| WriteError::Disk(path.to_owned(), error))
}

fn write_all(folder: &Path, files: &[OutputFile]) -> Result<(), WriteError> {
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            on(parent, fs::create_dir_all(parent))?;
        }
        on(&path, fs::write(&path, &file.text))?;
    }
    Ok(())
}

/// A new folder takes its place at once; in one that is there, each file does.
fn take_places(waiting: &Path, folder: &Path, files: &[OutputFile]) -> Result<(), WriteError> {
    if !folder.exists() {
        return on(folder, fs::rename(waiting, folder));
    }
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            on(parent, fs::create_dir_all(parent))?;
        }
        on(&path, fs::rename(waiting.join(&file.path), &path))?;
    }
    Ok(())
}

/// The first file of a folder that is not among those to write.
fn other_file(folder: &Path, files: &[OutputFile]) -> Result<Option<PathBuf>, WriteError> {
    let ours: BTreeSet<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        let entries = match fs::read_dir(&at) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(WriteError::Disk(at, error)),
        };
        let mut found = BTreeSet::new();
        for entry in entries {
            found.insert(on(&at, entry)?.path());
        }
        for path in found {
            if fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir()) {
                waiting.push(path);
            } else if !ours.contains(&path) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}
