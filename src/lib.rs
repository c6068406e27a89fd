//! stepup: a policy language for multi-factor authentication in the login flow.
//!
//! A policy says what a login is asked for. It is checked, proven to stay within four commands a login, and compiled
//! to native code that a login server calls on each login:
//!
//! ```
//! use stepup::{Compiler, jiff::Timestamp};
//!
//! let compiler = Compiler::new();
//! let policy = compiler.compile([("admins.stepup", "
//!     if enrolled is empty then enroll any of [webauthn-roaming, otp]
//!     else challenge any of enrolled
//! ")])?.policy;
//!
//! let mut facts = policy.facts();
//! facts.read_json(br#"{"user": {"enrolledFactors": [{"type": "otp"}]}}"#)?;
//! facts.set_now("2026-01-31T08:00:00Z".parse::<Timestamp>()?);
//!
//! let step = policy.step("admins").ok_or("the file's step")?;
//! let decision = step.decide(&facts)?;
//! assert_eq!(
//!     serde_json::to_string(&decision)?,
//!     r#"{"step":"admins","commands":[{"command":"challengeWithAny","factors":[{"type":"otp"}]}],"denied":null}"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way through: a [`Compiler`] takes texts and gives a [`Policy`] or a [`Report`]. A policy is cheap to clone and
//! may be swapped while other threads decide. It lays out the [`Facts`] that it reads; they are filled through typed
//! [slots](Policy::slot), from anything that serializes, or from any serde format. Each [`Step`] decides on facts and
//! gives a [`Decision`].
//!
//! What it stands on: the modules below follow a policy through the pipeline, in this order: [`source`] and
//! [`diagnostic`], [`syntax`], [`check`], [`trace`], [`flow`], [`lower`], [`backend`], [`runtime`].

pub mod backend;
pub mod check;
mod compile;
pub mod diagnostic;
pub mod doctor;
pub mod flow;
#[cfg(feature = "import-auth0")]
pub mod import;
pub mod lower;
pub mod play;
mod policy;
pub mod runtime;
#[cfg(feature = "import-auth0")]
pub mod sandbox;
pub mod source;
mod stack;
pub mod syntax;
mod tenant;
pub mod testing;
pub mod trace;

/// Instants and durations: `now` is a [`jiff::Timestamp`].
pub use jiff;

pub use check::policy::CommandKind;
pub use check::policy::Style;
#[cfg(feature = "tenant-toml")]
pub use compile::read_tenant;
pub use compile::{
    Auth0Actions, Compiled, Compiler, Examined, Format, Formatted, Report, STARTERS, Starter, Validated,
    Validation, format_policy, read_export, read_export_tenant,
};
pub use diagnostic::render::HumanStyle;
pub use flow::Budget;

/// Arrow's arrays and record batches, for [`Policy::decide_batch`].
#[cfg(feature = "arrow")]
pub use arrow_array;
pub use policy::{Engine, Login, Policy, Step};
pub use runtime::{
    AnswerError, Availability, Command, DecideError, Decision, Digest, FactType, FactorChoice, Facts,
    Failure, LogEntry, LoginError, Next, Prompt, ResumeError, SavedLogin, Screen, Slot,
};
#[cfg(feature = "arrow")]
pub use runtime::{BatchDecisions, BatchError, RowError};
pub use tenant::export::{Export, Folder, FolderError, MemoryFolder, Unsaid};
pub use tenant::{Switch, Tenant, TenantValue};
