//! Witnesses: words that lead through the ways of a step, and whether an engine decides on them as it should.
//!
//! [`validate`] holds any engine to the interpreter. It begins with some words and walks the step's graph as they lead;
//! for each question on the way it looks for words that come there too and are answered otherwise ([`solve`]), and goes
//! on with these. So every way that it counts has really been walked, and all ways are walked where they are few; where
//! there are many, every arm of every block is. At each question the nearest words on both sides of its
//! constants are tried too ([`probe`]), and on each way words in which all is turned over that nothing there reads.
//!
//! It knows the program and the interpreter, and of what it validates only what it decides.

mod explore;
mod probe;
mod solve;

use thiserror::Error;

use crate::check::policy::StepId;
use crate::lower::program::{DecisionWord, Program};
use explore::Explorer;

/// Where an engine decides otherwise than the interpreter: a defect of stepup.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("step `{step}` decides {found:?} where the interpreter says {expected:?}, on {words:x?}")]
pub struct Defect {
    /// The step's name.
    pub step: String,
    /// The facts' words.
    pub words: Vec<u64>,
    /// What the interpreter decides.
    pub expected: DecisionWord,
    /// What the engine decides; `None` where it doesn't.
    pub found: Option<DecisionWord>,
}

/// What was tried of a program.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// Ways through steps that were walked.
    pub ways: usize,
    /// Answers of all questions: both of a test, and each case of a switch.
    pub answers: usize,
    /// Those of them that no words were found for: some can't be given on any facts.
    pub unreached: usize,
    /// Steps with so many ways that only each answer was wanted.
    pub by_answers: usize,
    /// Records of words on which decisions were compared.
    pub records: usize,
}

/// Holds an engine to the interpreter.
///
/// # Errors
/// The first record of words on which they differ.
pub fn validate(
    program: &Program,
    decide: impl Fn(StepId, &[u64]) -> Option<DecisionWord>,
) -> Result<Coverage, Box<Defect>> {
    let mut coverage = Coverage::default();
    for id in program.steps.keys() {
        let of_step = Explorer::new(program, id, &decide).explore()?;
        coverage.ways += of_step.ways;
        coverage.answers += of_step.answers;
        coverage.unreached += of_step.unreached;
        coverage.by_answers += of_step.by_answers;
        coverage.records += of_step.records;
    }
    Ok(coverage)
}
