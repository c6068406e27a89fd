//! Guarantees and tests: what a policy says of itself.

use super::{Command, ConditionId, FactorId, Value, VariableId};
use crate::source::Span;

/// A guarantee: its condition is about the login's start and end.
#[derive(Clone, Debug)]
pub struct Guarantee {
    /// Its name.
    pub name: String,
    /// What holds at the end of every login that completes, or of every login where it names the end.
    pub condition: ConditionId,
    /// The whole item.
    pub span: Span,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// What each run gives before its clauses: one entry without a table, one a row with one.
    pub runs: Vec<TestRun>,
    /// The clauses in order.
    pub clauses: Vec<TestClause>,
    /// The whole item.
    pub span: Span,
}

/// One run of a test.
#[derive(Clone, Debug)]
pub struct TestRun {
    /// What the row gives.
    pub given: Vec<Given>,
    /// The row, or the test's name.
    pub span: Span,
}

/// A clause of a test.
#[derive(Clone, Debug)]
pub struct TestClause {
    /// What it says.
    pub kind: TestClauseKind,
    /// Its text.
    pub span: Span,
}

/// What a clause says.
#[derive(Clone, Debug)]
pub enum TestClauseKind {
    /// Facts.
    Given(Vec<Given>),
    /// What the step decides, or the login does, next.
    Expect(Expectation),
    /// The user answers the prompts with these factors, in order.
    Choose(Vec<FactorId>),
    /// The user goes away.
    Abandon,
}

/// A fact of a test.
#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    /// A variable; `None` for `absent`.
    Variable(VariableId, Option<Value>),
    /// `enrolled = […]`
    Enrolled(Vec<FactorId>),
    /// `performed = [otp 3s ago]`: factor and age in milliseconds.
    Performed(Vec<(FactorId, i64)>),
    /// `now = INSTANT`, in milliseconds since 1970
    Now(i64),
    /// `supports = […]`: what the browser can do
    Supports(Vec<FactorId>),
}

/// What a test expects.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// The step decides nothing.
    Nothing,
    /// The step decides these.
    Commands(Vec<Command>),
    /// The user sees this prompt.
    Prompt(Command),
    /// The log gains this entry.
    Log {
        /// Which.
        event: LogEvent,
        /// The factor it names.
        factor: Option<FactorId>,
    },
    /// The step denies with this reason.
    Denied(String),
    /// The login completes.
    Completes,
    /// The login fails.
    Fails,
}

/// The platform's log codes for these commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogEvent {
    /// `w`: a warning; the login goes on.
    Warning,
    /// `mfar`: the login fails.
    MfaRequired,
}
