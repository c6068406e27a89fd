//! A tenant held to a policy: the checklist that the platform's documentation gives for flows that don't do as they are
//! told, walked over an export.
//!
//! The idea: each point of the list is a [`Line`] with a verdict, and what the export doesn't hold is told as that, neither
//! good nor bad. The lines are plain data; [`render`] writes them for people. It knows the typed policy, the Actions
//! that the policy becomes, and the export; it compiles nothing and reads no disk.

mod actions;
mod code;
mod flow;
mod render;
mod settings;

use serde::Serialize;

use crate::backend::auth0::Action;
use crate::check::asked_for;
use crate::check::policy::TypedPolicy;
use crate::source::{FileId, Sources, Span};
use crate::tenant::export::Export;

/// What was found, line by line, in the order of the checklist.
#[derive(Clone, Debug)]
pub struct Checkup {
    /// The lines.
    pub lines: Vec<Line>,
    texts: Sources,
}

/// One point of the checklist, for one thing that it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The point.
    pub check: Check,
    /// The factor or the Action.
    pub about: Option<String>,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found; of what is not in the export, what would have been looked at.
    pub finding: String,
    /// Where the export says so.
    place: Option<Span>,
}

/// A point of the checklist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The toggle "Customize MFA Factors using Actions".
    Toggle,
    /// Universal Login, without which no Action can ask for a factor.
    LoginPages,
    /// The tenant's own word on when to ask for a second factor.
    TenantPolicy,
    /// A factor that the policy's commands name, or one that a set of theirs may hold.
    Factor,
    /// A way of asking for a factor.
    Option,
    /// The Action of a step is there.
    Action,
    /// It is deployed.
    Deployed,
    /// It does what the policy says now.
    Code,
    /// The runtime that it runs on.
    Runtime,
    /// The version of the trigger that it is written for.
    TriggerVersion,
    /// It runs in the login flow.
    Bound,
    /// The Actions run in the order of the steps.
    Order,
    /// What other Actions of the login flow add to the four commands.
    OtherActions,
}

/// How a point stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// It may be as it should be, and a person has to look.
    Warning {
        /// What to do about it.
        advice: String,
    },
    /// It is not as it should be.
    Fail {
        /// How to mend it.
        repair: String,
    },
    /// The export doesn't say.
    NotInTheExport,
}

impl Checkup {
    /// Whether nothing fails.
    pub fn is_healthy(&self) -> bool {
        !self.lines.iter().any(|line| matches!(line.verdict, Verdict::Fail { .. }))
    }
}

impl Line {
    fn new(check: Check, about: Option<&str>, verdict: Verdict, finding: impl Into<String>) -> Self {
        Line { check, about: about.map(str::to_owned), verdict, finding: finding.into(), place: None }
    }

    fn pass(check: Check, about: Option<&str>, finding: impl Into<String>) -> Self {
        Line::new(check, about, Verdict::Pass, finding)
    }

    fn fail(
        check: Check,
        about: Option<&str>,
        finding: impl Into<String>,
        repair: impl Into<String>,
    ) -> Self {
        Line::new(check, about, Verdict::Fail { repair: repair.into() }, finding)
    }

    fn not_in_the_export(check: Check, about: Option<&str>, wanted: impl Into<String>) -> Self {
        Line::new(check, about, Verdict::NotInTheExport, wanted)
    }

    /// Says where in the export.
    fn at(mut self, place: Span) -> Self {
        self.place = Some(place);
        self
    }
}

/// Walks the checklist: for a policy, the Actions that it becomes, and a tenant's export.
pub fn examine(policy: &TypedPolicy, expected: &[Action], export: &Export) -> Checkup {
    let asked = asked_for(policy);
    let mut lines = settings::lines(policy, &asked, export);
    lines.extend(actions::lines(expected, export));
    lines.extend(flow::lines(expected, &asked, export));
    Checkup { lines, texts: export.texts().clone() }
}

/// The texts of an export are files from the first on.
const TEXTS: FileId = FileId::FIRST;
