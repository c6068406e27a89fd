//! The comment at the top of an Action: what it is, the policy's own words, and which policy it came from.

use crate::check::policy::Step;
use crate::runtime::Digest;
use crate::source::SourceFile;

use super::text::comment;

/// What an Action says of its origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The version of stepup that wrote it.
    pub version: String,
    /// The digest of the policy, in hexadecimal digits.
    pub digest: String,
}

const MARK: &str = " * Written by stepup ";
const OF_POLICY: &str = " from policy ";

impl Origin {
    /// The origin of what this compiler writes.
    pub fn of(digest: Digest) -> Self {
        Origin { version: env!("CARGO_PKG_VERSION").to_owned(), digest: digest.to_string() }
    }

    /// What the code of an Action says; `None` for one that stepup has not written.
    pub fn read(code: &str) -> Option<Origin> {
        let line =
            code.lines().take_while(|line| line.trim_end() != " */").find(|line| line.starts_with(MARK));
        let (version, digest) = line?.strip_prefix(MARK)?.trim_end().split_once(OF_POLICY)?;
        let digest = digest.strip_suffix('.').unwrap_or(digest);
        let is_digest = digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Origin { version: version.to_owned(), digest: digest.to_owned() })
    }
}

/// Where a step stands in its flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// From 1.
    pub(super) number: usize,
    pub(super) of: usize,
}

/// The comment of a step's Action. The file's own words stand in the Action of its first step.
pub(super) fn header(
    step: &Step,
    place: Place,
    file: &SourceFile,
    is_first_of_file: FirstOfFile,
    origin: &Origin,
) -> String {
    let Place { number, of } = place;
    let mut lines = vec![format!("Step {number} of {of}, `{}`, of {}.", step.name, base_name(file.name()))];
    let of_file = match is_first_of_file {
        FirstOfFile::Yes => file_docs(file.text()),
        FirstOfFile::No => Vec::new(),
    };
    for docs in [of_file, step.docs.iter().map(String::as_str).collect()] {
        if !docs.is_empty() {
            lines.push(String::new());
            lines.extend(docs.into_iter().map(comment));
        }
    }
    let mut text = String::from("/**\n");
    for line in lines {
        text.push_str(format!(" * {line}").trim_end());
        text.push('\n');
    }
    let Origin { version, digest } = origin;
    text.push_str(&format!(
        " *\n{MARK}{version}{OF_POLICY}{digest}.\n * Change the policy and emit it again, rather than this code.\n */\n"
    ));
    text
}

/// Whether a step is the first of its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FirstOfFile {
    Yes,
    No,
}

/// The `//!` lines of a text.
fn file_docs(text: &str) -> Vec<&str> {
    let docs = text.lines().map_while(|line| line.strip_prefix("//!"));
    docs.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect()
}

/// The last part of a file's name: where it lies is each machine's own.
pub(super) fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}
