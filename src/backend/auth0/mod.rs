//! Auth0 Actions: each step of a flow as the code of one post-login Action, as a person would write it.
//!
//! The other backends take a program, whose words and tables no person would read. This one takes the typed policy:
//! there every condition still knows its text, and what the policy calls it. It shares no meaning with the others; the
//! tests run its code beside them.
//!
//! An Action reads its facts first ([`facts`]), as strictly as the library reads an event, and denies where it can't.
//! Then come the statements ([`statement`], [`condition`]), each beside the place of the policy that it came from.
//! [`platform`] reports what the language can say and Auth0 can't.

mod action;
mod condition;
mod expression;
mod facts;
mod folder;
mod header;
mod helpers;
mod names;
mod platform;
mod statement;
mod text;

pub use action::{PERFORMED_BEFORE, UNREADABLE};
pub use folder::OutputFile;
pub use header::Origin;

use crate::check::policy::{StepId, TypedPolicy};
use crate::diagnostic::{Diagnostic, Severity};
use crate::runtime::Digest;
use crate::source::Sources;
use action::{Duty, action};

/// The runtime that Actions are written for.
pub const RUNTIME: &str = "node22";
/// The trigger that they are bound to.
pub const TRIGGER: &str = "post-login";
/// Its version.
pub const TRIGGER_VERSION: &str = "v3";
/// The most code that an Action may have, in bytes.
pub const MAX_ACTION_BYTES: usize = 100_000;

/// The Actions of a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emitted {
    /// In the order in which the trigger runs them.
    pub actions: Vec<Action>,
}

/// One Action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// Its name: that of its step.
    pub name: String,
    /// Its code.
    pub code: String,
}

/// Writes the Actions of a flow. They are there when nothing was an error.
pub(crate) fn emit(
    policy: &TypedPolicy,
    sources: &Sources,
    digest: Digest,
) -> (Option<Emitted>, Vec<Diagnostic>) {
    let origin = Origin::of(digest);
    let mut diagnostics = platform::of_flow(policy);
    let mut actions = Vec::new();
    for (id, step) in policy.steps.iter() {
        let (code, writer) = action(policy, sources, id, duty(policy, id), &origin);
        diagnostics.extend(platform::of_step(policy, id, writer.facts.variables(), &code));
        actions.push(Action { name: step.name.clone(), code });
    }
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    ((!failed).then_some(Emitted { actions }), diagnostics)
}

/// The flow's first step tells the others what was performed before it, if one of them asks.
fn duty(policy: &TypedPolicy, id: StepId) -> Duty {
    let is_first = id.as_u32() == 0;
    if is_first && policy.steps.keys().skip(1).any(|step| platform::needs_this_login(policy, step)) {
        Duty::MarkPerformed
    } else {
        Duty::Nothing
    }
}
