//! Auth0 Actions to policies: the post-login Actions that people have, read with a JavaScript parser.
//!
//! The way through: [`parse`] makes a small tree of the code ([`js`]). [`translate`] runs it over an event that is not yet
//! known: [`eval`] turns expressions into [values](value), functions of the event; [`compare`] and [`lists`] say what
//! JavaScript's comparisons and list methods are of them; [`statement`] and [`command`] make an [outline] of a policy.
//! [`uses`] finds how facts have to be declared, and [`write`] writes the text. What is not understood is reported with
//! its place, and left out with a comment.
//!
//! It prints nothing, and reads no clock and no disk. It knows the policy's syntax, and nothing of compiled policies.

mod action;
mod agree;
mod call;
mod command;
mod compare;
mod condition;
mod eval;
mod factor;
mod facts;
mod js;
mod lists;
mod outline;
mod parse;
mod statement;
mod translate;
mod trial;
mod uses;
mod value;
mod write;

use std::collections::BTreeSet;
use std::thread;

use crate::backend::auth0::Origin;
use crate::compile::{Compiler, Formatted, Report, format_policy};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use agree::Pair;
pub use agree::{Agreement, Difference, Outcome};
use facts::Facts;
use trial::Trials;

/// The stack that the deepest nesting of the longest Action needs, and more.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// What an import gives.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The policy, formatted; `None` where an Action could not be read at all.
    pub policy: Option<String>,
    /// What was not understood, and what is worth a look. Without an error, all that decides was understood.
    pub report: Report,
    pairs: Vec<Pair>,
    trials: Trials,
}

/// How an import was held to the Actions.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Both were run, and what came of it is here; a difference is reported too.
    Run(Agreement),
    /// Something was left out, so there is nothing to compare.
    NotUnderstood,
    /// The policy doesn't compile; the report says why.
    NotCompiled(Report),
}

impl Imported {
    /// Compiles the policy, and runs it beside the Actions on `count` random logins and on those that the policy's
    /// proofs name. What is found is added to the report.
    pub fn compare(&mut self, count: usize) -> Comparison {
        let Some(policy) = self.policy.as_ref().filter(|_| !self.report.has_errors()) else {
            return Comparison::NotUnderstood;
        };
        let compiled = match Compiler::new().compile([("imported.stepup", policy)]) {
            Ok(compiled) => compiled,
            Err(report) => return Comparison::NotCompiled(report),
        };
        let agreement = agree::compare(&self.pairs, &self.trials, &compiled, count);
        if let Some(difference) = &agreement.difference {
            self.report.add(difference.report());
        }
        Comparison::Run(agreement)
    }
}

/// Reads Actions, in the order in which a login passes them, and writes them as one policy: a step an Action.
///
/// ```
/// let code = "exports.onExecutePostLogin = async (event, api) => {
///   if (event.authorization?.roles?.includes('admin')) {
///     api.authentication.challengeWith({ type: 'otp' });
///   }
/// };";
/// let imported = stepup::import::import([("admins.js", code.as_bytes())]);
/// assert!(imported.report.is_empty());
/// assert!(imported.policy.unwrap().contains("if user.roles contains \"admin\" then challenge otp"));
/// ```
pub fn import<N: AsRef<str>, T: AsRef<[u8]>>(files: impl IntoIterator<Item = (N, T)>) -> Imported {
    let files: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|(name, text)| (name.as_ref().to_owned(), text.as_ref().to_vec())).collect();
    // A parser of JavaScript recurses over what it reads: it gets a stack that is known to be deep enough.
    let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || import_here(&files));
    let imported = worker.ok().and_then(|worker| worker.join().ok());
    imported.unwrap_or_else(|| {
        let mut sources = Sources::new();
        let file = sources.add("import", "");
        let message =
            "the Actions could not be read: this machine has no memory for it, or stepup has a defect";
        let report = Diagnostic::error(Code::E0902, Span::new(file, 0..0), message);
        nothing(sources, vec![report])
    })
}

fn import_here(files: &[(String, Vec<u8>)]) -> Imported {
    let mut sources = Sources::new();
    let mut diagnostics = Vec::new();
    let mut facts = Facts::new();
    let mut taken = write::taken(&facts);
    let (mut steps, mut pairs) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        match read(&mut sources, name, bytes, &mut facts, &mut taken) {
            Ok(translated) => {
                diagnostics.extend(translated.diagnostics);
                let code = String::from_utf8_lossy(bytes).into_owned();
                pairs.push(Pair { step: translated.step.name.clone(), code, at: translated.at });
                steps.push(translated.step);
            }
            Err(report) => diagnostics.push(*report),
        }
    }
    if steps.len() < files.len() || files.is_empty() {
        return nothing(sources, diagnostics);
    }
    let origin =
        files.iter().map(|(name, _)| format!("`{}`", base_name(name))).collect::<Vec<_>>().join(", ");
    let (text, uses) = write::write(&facts, steps, &origin);
    for path in &uses.unsaid {
        let said = format!("not understood: whether there is `{}`, which no fact says", facts::told(path));
        diagnostics.push(Diagnostic::error(Code::E0904, Span::new(FileId(0), 0..0), said));
    }
    let trials = Trials::new(&facts, &uses);
    let (policy, report) = match format_policy("imported.stepup", text.as_bytes()) {
        Ok(Formatted::Changed(text)) => (text, Report::new(sources, diagnostics)),
        Ok(Formatted::Same) => (text, Report::new(sources, diagnostics)),
        // What was written is no policy: a defect, told with all that there is.
        Err(report) => {
            debug_assert!(false, "{report}\n{text}");
            (text, report)
        }
    };
    Imported { policy: Some(policy), report, pairs, trials }
}

fn nothing(sources: Sources, diagnostics: Vec<Diagnostic>) -> Imported {
    let report = Report::new(sources, diagnostics);
    Imported { policy: None, report, pairs: Vec::new(), trials: Trials::default() }
}

fn read(
    sources: &mut Sources,
    name: &str,
    bytes: &[u8],
    facts: &mut Facts,
    taken: &mut BTreeSet<String>,
) -> Result<action::Translated, Box<Diagnostic>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let good = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), |_| 0);
        let file = sources.add(name, String::from_utf8_lossy(bytes));
        let report =
            Diagnostic::error(Code::E0901, Span::new(file, good..good), "this Action is not UTF-8 text");
        return Err(Box::new(report.here("the first byte that is not")));
    };
    let file = sources.add(name, text);
    if let Some(origin) = Origin::read(text) {
        return Err(Box::new(of_stepup(&origin, file, text)));
    }
    let script = parse::parse(file, text)?;
    let step = step_name(name, taken);
    action::translate(file, text, step, &script, facts, taken)
}

/// What stepup has written is not what people keep: the policy that it came from is.
fn of_stepup(origin: &Origin, file: FileId, text: &str) -> Diagnostic {
    let start = text.find("Written by stepup").unwrap_or(0);
    let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| start + length);
    let message = "this Action was written by stepup, from a policy that says the same";
    Diagnostic::error(Code::E0904, Span::new(file, start..end), message)
        .note(format!("the digest of that policy is {}", origin.digest))
        .help("go on with the policy, and emit it again; where the Action was changed by hand, say the change there")
}

fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// A step is named after its Action: after the folder, where the file is called `code.js` as in an export.
fn step_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut parts = name.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or_default();
    let stem = file.strip_suffix(".js").unwrap_or(file);
    let stem = if matches!(stem, "code" | "index") { parts.next().unwrap_or(stem) } else { stem };
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let mut base = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    if !base.starts_with(|c: char| c.is_ascii_alphabetic()) {
        base.insert_str(0, "step-");
    }
    let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
    let step =
        std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(&format!("step {name}")));
    let step = step.unwrap_or(base);
    taken.insert(format!("step {step}"));
    step
}
