//! What several test binaries share: random typed policies and logins, and an evaluator of their own for them.
//!
//! - `choices`: bytes that decide what is built, so that proptest shrinks them and a fuzzer mutates them;
//! - `compile`: policy text to a typed policy and a program;
//! - `typed`: random [`TypedPolicy`](stepup::check::policy::TypedPolicy)s over a fixed set of facts;
//! - `login`: random logins for these facts, as raw values; they become an event, or fill facts slot by slot;
//! - `policy_text`: random policies as text, over the standard library, and `events`: random events for them;
//! - `tree_evaluator` (with `tree_facts`): what a step decides, worked out on the syntax tree and an event as JSON;
//! - `oracle`: what a step decides, worked out on the tree and the raw values, without layout or program.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

pub mod choices;
pub mod compile;
pub mod events;
pub mod login;
pub mod oracle;
pub mod policy_text;
pub mod tree_evaluator;
pub mod tree_facts;
pub mod typed;
