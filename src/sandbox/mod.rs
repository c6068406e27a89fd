//! The code of an Action, run in an embedded engine, and what it called.
//!
//! An [`Action`] is a text. [`run`](Action::run) gives it an event at an instant, in a realm that nothing was run in
//! before and nothing is run in afterwards, so one login can't see another's. `host.js` is all that it finds there: an
//! `api` that writes down what is called, an instant for a clock, and no way to a network, a disk or a package. The
//! code may be a stranger's: [`Bounds`] say how much it may compute, keep and nest.
//!
//! It knows nothing of policies: what a run called is compared by whoever has a decision to compare it with.

mod engine;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The code of a post-login Action, to be run on events.
///
/// ```
/// use stepup::{jiff::Timestamp, sandbox::{Action, Call}};
///
/// let action = Action::new("
///     exports.onExecutePostLogin = async (event, api) => {
///         if (!event.user.enrolledFactors?.length) api.authentication.enrollWithAny([{ type: 'otp' }]);
///     };
/// ");
/// let run = action.run(&serde_json::json!({"user": {}}), Timestamp::UNIX_EPOCH)?;
/// let enroll = serde_json::json!({"command": "enrollWithAny", "factors": [{"type": "otp"}]});
/// assert_eq!(run.calls, [Call::Command(enroll)]);
/// # Ok::<(), stepup::sandbox::RunError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Action {
    code: String,
    bounds: Bounds,
}

/// How much an Action may spend on one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Calls and backward jumps, counted by the ten thousand. A built-in function that loops by itself counts as one
    /// call: its work is bounded by `memory` at best.
    pub steps: u64,
    /// Bytes of the engine's heap, its own realm (about half a megabyte) included.
    pub memory: usize,
    /// Bytes of stack, so how deep calls nest.
    pub stack: usize,
}

/// What an Action did with one event.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Run {
    /// What it called, in order.
    pub calls: Vec<Call>,
    /// The transaction's metadata afterwards: the event's, as the calls changed it.
    pub metadata: Map<String, Value>,
}

/// A call of the trigger's `api`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Call {
    /// One of the four commands, in the form in which a [`Decision`](crate::Decision) serializes it:
    /// `{"command":"challengeWithAny","factors":[{"type":"otp"}]}`.
    Command(Value),
    /// `api.access.deny`.
    Deny {
        /// The first argument, as text.
        reason: String,
    },
    /// `api.transaction.setMetadata`.
    SetMetadata {
        /// The key.
        key: String,
        /// The value; null takes the key away.
        value: Value,
    },
    /// Anything else, which no policy asks for.
    Other {
        /// Such as `idToken.setCustomClaim`.
        name: String,
    },
}

/// Why an Action could not be run to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The text is no script.
    #[error("the code is not JavaScript: {message}")]
    NotJavaScript {
        /// The engine's words.
        message: String,
    },
    /// It is a script, and exports no `onExecutePostLogin`.
    #[error("the code exports no function `onExecutePostLogin`")]
    NoHandler,
    /// The code or the handler threw, or its promise was rejected.
    #[error("the Action threw: {message}")]
    Threw {
        /// What it threw, as text.
        message: String,
    },
    /// The handler waits for something that never comes.
    #[error("the Action waits for a promise that nothing settles")]
    NeverSettled,
    /// More steps than allowed.
    #[error("the Action did not end within {steps} steps")]
    OutOfSteps {
        /// The bound.
        steps: u64,
    },
    /// More memory than allowed.
    #[error("the Action used up {memory} bytes of memory")]
    OutOfMemory {
        /// The bound.
        memory: usize,
    },
    /// What it called can't be written down as JSON: an argument without an end, say.
    #[error("what the Action called can't be read: {message}")]
    Unreadable {
        /// Why.
        message: String,
    },
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { steps: 10_000_000, memory: 32 << 20, stack: 256 << 10 }
    }
}

impl Action {
    /// An Action of this code. It is looked at when it runs.
    pub fn new(code: impl Into<String>) -> Self {
        Action { code: code.into(), bounds: Bounds::default() }
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Action { bounds, ..self }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What it may spend.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Evaluates the code and looks for its handler, without an event.
    ///
    /// # Errors
    /// When it is no script, throws, exports no handler, or passes a bound.
    pub fn check(&self) -> Result<(), RunError> {
        engine::check(self)
    }

    /// Runs it on an event, with `now` for the clock.
    ///
    /// # Errors
    /// When it can't be run to its end. What it called until then is lost, as it is on the platform.
    pub fn run(&self, event: &Value, now: Timestamp) -> Result<Run, RunError> {
        engine::run(self, event, now)
    }
}
