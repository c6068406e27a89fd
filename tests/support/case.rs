//! Policies in text files, compiled: golden cases in sections, and the fenced blocks of a Markdown page.
//!
//! A case file is a list of sections, each under a line `=== TITLE`. A title is a file's name and, in parentheses,
//! what the file is to the flow: nothing for a file of the flow, `(used)` for one that only `use` finds, `(catalog)`
//! for a catalog of factors, `(tenant)` for what the tenant has switched on, `(export)` for a file of a tenant's export
//! (which reports call `export`), `(action)` for an Action that is imported (and, beside a policy, what that policy is
//! held to), `(unreadable: WHY)` for one that the disk refuses. A section marked `generated` repeats
//! what stands in `«… × N»` (with `#` for the number of the repetition) and puts the byte for `«byte FF»`, so that
//! a text past a bound needs no megabytes.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::panic, reason = "a case that can't be read is a defect of the case")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use stepup::source::{LoadError, Loader};
use stepup::testing::run_tests;
use stepup::{Compiler, Engine, MemoryFolder, Report, read_export_tenant, read_tenant};

/// What reports call an export.
const EXPORT: &str = "export";

/// The title of the section that holds what is expected.
const REPORT: &str = "report";

/// A case as it stands in its file.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) path: PathBuf,
    pub(crate) sections: Vec<Section>,
    pub(crate) report: String,
}

/// One file of a case.
#[derive(Clone)]
pub(crate) struct Section {
    /// As written after `===`.
    pub(crate) title: String,
    /// As written below it.
    pub(crate) text: String,
}

/// A flow and what surrounds it.
#[derive(Clone, Default)]
pub(crate) struct Flow {
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) found: BTreeMap<String, Found>,
    pub(crate) catalog: Option<(String, String)>,
    pub(crate) tenant: Option<(String, Vec<u8>)>,
    /// The files of a tenant's export, by path.
    pub(crate) export: BTreeMap<String, Vec<u8>>,
    /// Actions to import.
    pub(crate) actions: Vec<(String, Vec<u8>)>,
    pub(crate) asks: Asks,
}

/// What a `use` finds.
#[derive(Clone)]
pub(crate) enum Found {
    Text(String),
    Unreadable(String),
}

impl Loader for Flow {
    fn load(&self, _from: &str, path: &str) -> Result<(String, String), LoadError> {
        match self.found.get(path) {
            Some(Found::Text(text)) => Ok((path.to_owned(), text.clone())),
            Some(Found::Unreadable(why)) => Err(LoadError::Unreadable(why.clone())),
            None => Err(LoadError::NotFound),
        }
    }
}

/// How much is asked of a flow: most cases show what compiling says, and no more.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Asks {
    #[default]
    Compiling,
    /// The built-in questions and the guarantees too.
    Everything,
    /// What emitting for Auth0 says, and nothing else.
    Emitting,
}

/// The codes that answer the built-in questions and the guarantees.
const ANSWERS: [&str; 9] = ["E0503", "E0504", "E0505", "E0506", "E0507", "E0508", "W0608", "W0609", "W0610"];

impl Flow {
    /// Asks what a report of this code answers.
    pub(crate) fn asking(mut self, code: &str) -> Flow {
        if ANSWERS.contains(&code) {
            self.asks = Asks::Everything;
        }
        if code.get(1..3) == Some("08") {
            self.asks = Asks::Emitting;
        }
        self
    }

    /// A flow of one file.
    pub(crate) fn of(name: &str, text: &str) -> Flow {
        Flow { files: vec![(name.to_owned(), text.as_bytes().to_vec())], ..Flow::default() }
    }

    /// All that there is to say about it: what checking says, and why its tests fail.
    pub(crate) fn check(&self) -> Report {
        if !self.actions.is_empty() {
            return self.import();
        }
        // Making a compiler parses the standard library: most cases can share one.
        static PLAIN: LazyLock<Compiler> = LazyLock::new(|| Compiler::new().with_engine(Engine::Interpreter));
        let files = self.files.iter().map(|(name, text)| (name.as_str(), text.as_slice()));
        let is_plain = self.found.is_empty() && self.export.is_empty();
        if is_plain && self.catalog.is_none() && self.tenant.is_none() {
            return said_of(&PLAIN, files, self.asks);
        }
        self.compiler().map_or_else(|report| report, |compiler| said_of(&compiler, files, self.asks))
    }

    /// What importing the Actions says; a policy is held to them.
    fn import(&self) -> Report {
        let actions = self.actions.iter().map(|(name, text)| (name.as_str(), text.as_slice()));
        let mut imported = stepup::import::import(actions);
        if let Some((_, policy)) = self.files.first() {
            imported.policy = Some(String::from_utf8_lossy(policy).into_owned());
            imported.compare(400);
        }
        imported.report
    }

    /// A compiler for what surrounds the flow.
    fn compiler(&self) -> Result<Compiler, Report> {
        let mut compiler = Compiler::new().with_engine(Engine::Interpreter).with_loader(self.clone());
        if let Some((name, text)) = &self.catalog {
            compiler = compiler.with_catalog(name, text)?;
        }
        match &self.tenant {
            Some((name, text)) => Ok(compiler.with_tenant(read_tenant(name, text)?)),
            None if self.export.is_empty() => Ok(compiler),
            None => Ok(compiler.with_tenant(read_export_tenant(EXPORT, &self.folder())?)),
        }
    }

    /// The export.
    pub(crate) fn folder(&self) -> MemoryFolder {
        let files = self.export.iter();
        files.fold(MemoryFolder::default(), |folder, (path, bytes)| folder.with(path, bytes.clone()))
    }

    /// A file of the export, by the name that reports give it.
    fn exported(&self, name: &str) -> Option<&Vec<u8>> {
        self.export.get(name.strip_prefix(EXPORT)?.strip_prefix('/')?)
    }

    /// The text of a file of the flow, or of one that it uses.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let own = self.files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_slice());
        let tenant = self.tenant.as_ref().filter(|(file, _)| file == name).map(|(_, text)| text.as_slice());
        let exported = self.exported(name).map(Vec::as_slice);
        match (own.or(tenant).or(exported), self.found.get(name), &self.catalog) {
            (Some(text), ..) => Some(String::from_utf8_lossy(text).into_owned()),
            (None, Some(Found::Text(text)), _) => Some(text.clone()),
            (None, _, Some((catalog, text))) if catalog == name => Some(text.clone()),
            _ => None,
        }
    }

    /// The flow with another text for one of its files.
    pub(crate) fn with_text(&self, name: &str, text: &str) -> Flow {
        let mut changed = self.clone();
        if let Some((_, own)) = changed.files.iter_mut().find(|(file, _)| file == name) {
            *own = text.as_bytes().to_vec();
        } else if let Some(found) = changed.found.get_mut(name) {
            *found = Found::Text(text.to_owned());
        } else if let Some((_, tenant)) = changed.tenant.as_mut().filter(|(file, _)| file == name) {
            *tenant = text.as_bytes().to_vec();
        } else if self.exported(name).is_some() {
            let path = name.trim_start_matches(EXPORT).trim_start_matches('/');
            changed.export.insert(path.to_owned(), text.as_bytes().to_vec());
        } else if let Some((_, catalog)) = &mut changed.catalog {
            *catalog = text.to_owned();
        }
        changed
    }
}

fn said_of<'f>(
    compiler: &Compiler,
    files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
    asks: Asks,
) -> Report {
    let compiled = match asks {
        Asks::Compiling | Asks::Emitting => compiler.compile(files),
        Asks::Everything => compiler.examine(files).map(|examined| examined.compiled),
    };
    match compiled {
        Err(report) => report,
        Ok(compiled) if asks == Asks::Emitting => match compiled.auth0_actions() {
            Ok(actions) => actions.report,
            Err(report) => report,
        },
        Ok(compiled) => {
            let results = run_tests(&compiled, "");
            let checked = compiled.report.diagnostics().into_iter();
            Report::of(compiled.report.sources(), checked.chain(results.failures()).cloned().collect())
        }
    }
}

impl Case {
    /// All cases of a folder, by name.
    pub(crate) fn all(folder: &Path) -> Vec<Case> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        paths.sort();
        paths.iter().map(|path| Case::read(path)).collect()
    }

    fn read(path: &Path) -> Case {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut sections: Vec<Section> = Vec::new();
        for line in text.split_inclusive('\n') {
            match (line.strip_prefix("=== "), sections.last_mut()) {
                (Some(title), _) => {
                    sections.push(Section { title: title.trim_end().to_owned(), text: String::new() });
                }
                (None, Some(section)) => section.text.push_str(line),
                (None, None) => panic!("{}: it begins with a line `=== NAME`", path.display()),
            }
        }
        let report = match sections.pop_if(|section| section.title == REPORT) {
            Some(section) => section.text,
            None => String::new(),
        };
        Case { path: path.to_owned(), sections, report }
    }

    /// Writes the case with another report.
    pub(crate) fn bless(&self, report: &str) {
        let mut text = String::new();
        for Section { title, text: body } in &self.sections {
            text.push_str(&format!("=== {title}\n{body}"));
        }
        text.push_str(&format!("=== {REPORT}\n{report}"));
        fs::write(&self.path, text).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
    }

    /// The file's name without its ending.
    pub(crate) fn name(&self) -> String {
        self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The flow that the sections describe.
    pub(crate) fn flow(&self) -> Flow {
        let mut flow = Flow::default();
        for section in &self.sections {
            let (name, part) = section.title.split_once(" (").unwrap_or((&section.title, ""));
            let part = part.trim_end_matches(')');
            let bytes = match part.contains("generated") {
                true => generate(&section.text),
                false => section.text.clone().into_bytes(),
            };
            let text = || String::from_utf8_lossy(&bytes).into_owned();
            let files = match name.split_once(" × ") {
                Some((pattern, count)) => numbered(pattern, count),
                None => vec![name.to_owned()],
            };
            for name in files {
                match part.split([',', ':']).next().unwrap_or_default() {
                    "used" => drop(flow.found.insert(name, Found::Text(text()))),
                    "action" => flow.actions.push((name, bytes.clone())),
                    "catalog" => flow.catalog = Some((name, text())),
                    "tenant" => flow.tenant = Some((name, bytes.clone())),
                    "export" => drop(flow.export.insert(name, bytes.clone())),
                    "unreadable" => {
                        let why = part.trim_start_matches("unreadable: ").to_owned();
                        flow.found.insert(name, Found::Unreadable(why));
                    }
                    _ => flow.files.push((name, bytes.clone())),
                }
            }
        }
        flow
    }
}

/// The pattern for each number from 1, with the number for `#`.
fn numbered(pattern: &str, count: &str) -> Vec<String> {
    let count: usize = count.trim().parse().unwrap_or_else(|_| panic!("`{count}` is no number"));
    (1..=count).map(|number| pattern.replace('#', &number.to_string())).collect()
}

/// A generated section's bytes.
fn generate(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('«') {
        let (inside, after) = after.split_once('»').unwrap_or_else(|| panic!("`«` without `»`"));
        bytes.extend_from_slice(before.as_bytes());
        match (inside.strip_prefix("byte "), inside.rsplit_once(" × ")) {
            (Some(byte), _) => bytes.extend(u8::from_str_radix(byte, 16).ok()),
            (None, Some((pattern, count))) => {
                bytes.extend(numbered(pattern, count).concat().into_bytes());
            }
            (None, None) => panic!("`«{inside}»` says neither a byte nor a count"),
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// A fenced block of a Markdown page.
pub(crate) struct Block {
    /// What stands after the opening fence: `stepup`, `stepup,E0302`, `text`.
    pub(crate) language: String,
    /// The text between the fences.
    pub(crate) text: String,
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// Where the text stands in the page, in bytes.
    pub(crate) range: std::ops::Range<usize>,
}

/// The fenced blocks of a page, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut at = 0;
    for (index, line) in page.split_inclusive('\n').enumerate() {
        let fence = line.strip_prefix("```").map(str::trim_end);
        match (&mut open, fence) {
            (None, Some(language)) => {
                let range = at + line.len()..at + line.len();
                let (language, text) = (language.to_owned(), String::new());
                open = Some(Block { language, text, line: index + 1, range });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.range.end = at + line.len();
            }
            (None, None) => {}
        }
        at += line.len();
    }
    blocks
}

/// Whether golden files are to be rewritten.
pub(crate) fn blessing() -> bool {
    std::env::var_os("STEPUP_BLESS").is_some_and(|value| value == "1")
}

/// Two texts line by line: ` ` for what both have, `-` for what was expected, `+` for what came.
pub(crate) fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let same_end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let same_end = same_end.min(old.len().min(new.len()) - same_start);
    let mut out = String::new();
    let mut add = |sign: char, lines: &[&str]| {
        lines.iter().for_each(|line| out.push_str(&format!("  {sign} {line}\n")));
    };
    add(' ', &old[..same_start]);
    add('-', &old[same_start..old.len() - same_end]);
    add('+', &new[same_start..new.len() - same_end]);
    add(' ', &old[old.len() - same_end..]);
    out
}
