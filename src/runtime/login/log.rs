//! What the platform's log says when a command finds its factors wanting, and why a login fails.
//!
//! The codes and the texts of the enroll rows are those of Auth0's troubleshooting table ("Customize MFA Enrollments
//! for Universal Login"); the challenge rows are the platform's own log texts for challenges.

use std::fmt;

use serde::Serialize;

use crate::check::policy::CommandKind;

/// An entry of the tenant's log. [`Display`](fmt::Display) gives its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogEntry<'p> {
    /// `w`: the factor that comes first can't be used, and another is offered in its place.
    NotSetUp {
        /// By a command of this kind.
        kind: CommandKind,
        /// The factor's name.
        factor: &'p str,
    },
    /// `mfar`: none of the factors can be used, and the login fails.
    NothingUsable(CommandKind),
    /// `mfar`: an enrollment while something is enrolled, without a challenge passed before; the login fails.
    EnrollWithoutChallenge,
}

impl LogEntry<'_> {
    /// The event code: `w` or `mfar`.
    pub fn code(&self) -> &'static str {
        match self {
            LogEntry::NotSetUp { .. } => "w",
            LogEntry::NothingUsable(_) | LogEntry::EnrollWithoutChallenge => "mfar",
        }
    }
}

impl fmt::Display for LogEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogEntry::NotSetUp { kind: CommandKind::Enroll, factor } => write!(
                f,
                "An MFA enrollment is used in a PostLogin action, but the requested factor {factor} is not \
                 properly set up. Enable the requested factor and ensure the user is not already enrolled with it."
            ),
            LogEntry::NotSetUp { kind: CommandKind::Challenge, factor } => write!(
                f,
                "An MFA challenge is used in a PostLogin action, but the requested factor {factor} is not \
                 properly set up. Enable the requested factor and ensure the user is enrolled with it."
            ),
            LogEntry::NothingUsable(CommandKind::Enroll) => f.write_str(
                "An MFA enrollment is used in a PostLogin action but the requested factors are not properly set up. \
                 To perform MFA, enable the requested factors and ensure the user is not already enrolled with them.",
            ),
            LogEntry::NothingUsable(CommandKind::Challenge) => f.write_str(
                "An MFA challenge is used in a PostLogin action but the requested factors are not properly set up. \
                 To perform MFA, enable the requested factors and ensure the user is enrolled with them.",
            ),
            LogEntry::EnrollWithoutChallenge => f.write_str(
                "An MFA enrollment was requested but the user is already enrolled in MFA. Challenge with at least \
                 one existing factor before enrolling a new one.",
            ),
        }
    }
}

/// Serializes as `{"event":"w","factor":"otp","message":"…"}`.
impl Serialize for LogEntry<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut entry = serializer.serialize_struct("LogEntry", 3)?;
        entry.serialize_field("event", self.code())?;
        let factor = match self {
            LogEntry::NotSetUp { factor, .. } => Some(factor),
            LogEntry::NothingUsable(_) | LogEntry::EnrollWithoutChallenge => None,
        };
        entry.serialize_field("factor", &factor)?;
        entry.serialize_field("message", &format_args!("{self}"))?;
        entry.end()
    }
}

/// Why a login failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure<'p> {
    /// A command found no factor to ask for; the tenant's log says so.
    Logged(LogEntry<'p>),
    /// The user did not pass a prompt.
    PromptFailed,
    /// The user went away.
    Abandoned,
    /// A step would have executed the fifth command of the login.
    LimitExceeded,
}

impl<'p> Failure<'p> {
    /// What the tenant's log says of it, for the failures that the policy's commands cause.
    pub fn log(&self) -> Option<LogEntry<'p>> {
        match self {
            Failure::Logged(entry) => Some(*entry),
            Failure::PromptFailed | Failure::Abandoned | Failure::LimitExceeded => None,
        }
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Logged(entry) => fmt::Display::fmt(entry, f),
            Failure::PromptFailed => f.write_str("the user did not pass a prompt"),
            Failure::Abandoned => f.write_str("the user went away"),
            Failure::LimitExceeded => {
                f.write_str("the login would have executed a fifth command, and the platform allows four")
            }
        }
    }
}
