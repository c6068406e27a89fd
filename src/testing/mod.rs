//! Running `test` items: logins that a policy's author tells from start to end, played as a server would.
//!
//! A test is played by a [`Player`](crate::play::Player), so on `Login` and machine code; what the plain reading met on the
//! way is its coverage. A failure is a report like any other, at the clause that it contradicts. [`run`] plays one
//! test, [`expect`] compares, [`coverage`] counts, [`cover`] chooses few tests of many.
//!
//! It knows the front door and `play`; it prints nothing and reads no clock.

mod cover;
pub mod coverage;
mod expect;
mod generate;
mod mutants;
mod run;

pub use generate::{GeneratedTests, generate_tests};
pub use mutants::{Judgement, Mutant, judge, mutants};

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

use self::coverage::{Coverage, CoverageBuilder};
use crate::check::policy::TypedPolicy;
use crate::compile::{Compiled, Report};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Below this many runs a test run stays on one thread: starting others would cost more.
const RUNS_A_THREAD: usize = 64;

/// What came of a flow's tests.
#[derive(Clone, Debug)]
pub struct TestResults {
    /// One entry a run, in the order of the source: one for a test, one for each row of a table.
    pub runs: Vec<RunResult>,
    /// What all of them together met.
    pub coverage: Coverage,
}

/// What came of one run of a test.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The test's name.
    pub test: String,
    /// The row of its table, from 1, where there are several.
    pub row: Option<usize>,
    /// The row, or the test's name.
    pub span: Span,
    /// What came of it.
    pub outcome: RunOutcome,
}

/// What came of a run.
#[derive(Clone, PartialEq, Debug)]
pub enum RunOutcome {
    /// It passed.
    Passed,
    /// The policy does something else than the test says.
    Failed(Box<Diagnostic>),
    /// Machine code and policy disagree, so nothing can be said: a defect of stepup.
    Defect(String),
}

impl TestResults {
    /// Why runs failed, in their order.
    pub fn failures(&self) -> impl Iterator<Item = &Diagnostic> {
        self.runs.iter().filter_map(|run| match &run.outcome {
            RunOutcome::Failed(failure) => Some(&**failure),
            RunOutcome::Passed | RunOutcome::Defect(_) => None,
        })
    }

    /// Why runs failed, as a report.
    pub fn report(&self, compiled: &Compiled) -> Report {
        Report::of(compiled.report.sources(), self.failures().cloned().collect())
    }

    /// Whether all passed.
    pub fn all_passed(&self) -> bool {
        self.runs.iter().all(|run| run.outcome == RunOutcome::Passed)
    }
}

/// Runs the tests of a flow whose names hold `filter` (all do the empty one), on several threads where there are many.
///
/// ```
/// let compiled = stepup::Compiler::new().compile([("phone.stepup", r#"
///     if enrolled(phone) then challenge phone
///
///     test "who has a phone is asked for it" {
///       given enrolled = [phone]
///       expect challenge phone
///     }
/// "#)])?;
/// let results = stepup::testing::run_tests(&compiled, "");
/// assert!(results.all_passed());
/// assert_eq!(results.coverage.total().percent(), 75); // nobody without a phone was tried
/// # Ok::<(), stepup::Report>(())
/// ```
pub fn run_tests(compiled: &Compiled, filter: &str) -> TestResults {
    let chosen = chosen_runs(&compiled.typed, filter);
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = threads.min(chosen.len() / RUNS_A_THREAD).max(1);
    let mut coverage = CoverageBuilder::new(compiled);
    let mut runs = Vec::with_capacity(chosen.len());
    let parts: Vec<Vec<Played>> = thread::scope(|scope| {
        let parts = chosen.chunks(chosen.len().div_ceil(threads).max(1));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().map(|run| run.play(compiled)).collect()))
            .collect();
        // A run that was lost must not count as passed.
        let played =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|lost| resume_unwind(lost)));
        played.collect()
    });
    for played in parts.into_iter().flatten() {
        coverage.add(&played.met);
        runs.push(played.result);
    }
    TestResults { runs, coverage: coverage.finish() }
}

/// A run that was played.
struct Played {
    result: RunResult,
    met: Vec<crate::trace::Met>,
}

/// A run to play.
#[derive(Clone, Copy)]
struct ChosenRun {
    test: usize,
    run: usize,
}

fn chosen_runs(typed: &TypedPolicy, filter: &str) -> Vec<ChosenRun> {
    let tests = typed.tests.iter().enumerate().filter(|(_, test)| test.name.contains(filter));
    tests.flat_map(|(test, item)| (0..item.runs.len()).map(move |run| ChosenRun { test, run })).collect()
}

impl ChosenRun {
    fn play(self, compiled: &Compiled) -> Played {
        let test = &compiled.typed.tests[self.test];
        let row = &test.runs[self.run];
        let (outcome, met) = run::play(compiled, test, row);
        let of_several = (test.runs.len() > 1).then_some(self.run + 1);
        let result = RunResult { test: test.name.clone(), row: of_several, span: row.span, outcome };
        Played { result, met }
    }
}
