//! Actions that people have, as policies.
//!
//! `golden/*.txt` show Actions, the policy that they become and what is said about it, together;
//! `STEPUP_BLESS=1 cargo test --test import` rewrites what comes after the Actions. Each policy whose Actions were
//! understood is held to them on random logins.

#![cfg(feature = "import-auth0")]
#![allow(clippy::panic, reason = "a case that can't be read is a defect of the case")]

mod command_line;
mod commands;
mod golden;
mod hostile;
mod random;
mod semantics;

#[path = "../support/command.rs"]
mod support;
