//! One run of one Action, and what it has to call.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use stepup::sandbox::{Action, Call, Run};

/// An Action, an event at an instant, and the calls that the policy makes of it.
#[derive(Clone)]
pub(crate) struct Case {
    /// What it is about, for whoever reads a failure: the policy's text, or where it is.
    pub(crate) about: Arc<str>,
    pub(crate) code: Arc<str>,
    pub(crate) event: Json,
    /// In milliseconds since 1970.
    pub(crate) now: i64,
    /// Commands as a decision serializes them, and `{"deny": REASON}`, in order.
    pub(crate) expected: Vec<Json>,
}

impl Case {
    /// Runs it in the sandbox, and holds it to what is expected.
    pub(crate) fn run(&self) -> Run {
        let run = self.action().run(&self.event, Timestamp::from_millisecond(self.now).unwrap());
        let run = run.unwrap_or_else(|error| panic!("{error}\n{}", self.told()));
        let called: Vec<Json> = run.calls.iter().filter_map(told).collect();
        assert_eq!(called, self.expected, "the Action (left) calls something else\n{}", self.told());
        run
    }

    fn action(&self) -> Action {
        Action::new(&*self.code)
    }

    fn told(&self) -> String {
        format!("at {}\n{:#}\n{}\n----\n{}", self.now, self.event, self.about, self.code)
    }
}

/// A call that says something about the login.
fn told(call: &Call) -> Option<Json> {
    match call {
        Call::Command(command) => Some(command.clone()),
        Call::Deny { reason } => Some(denial(reason)),
        Call::SetMetadata { .. } => None,
        other => Some(json!(format!("{other:?}"))),
    }
}

/// A denial, as cases expect it.
pub(crate) fn denial(reason: &str) -> Json {
    json!({ "deny": reason })
}
