//! Logins, played to their end by a host of the tests' own.
//!
//! `host` is that host: it keeps what a user has enrolled and passed, moves the clock, and hands fresh facts in.
//! `seed` plays the seed's two Actions; `prompts` has the rules and the rows of the troubleshooting table, one by one;
//! `saved` moves logins to other machines and alters them; `model` plays random policies against the plain reading of
//! their text.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it tried"
)]

#[path = "../common/mod.rs"]
mod common;
mod host;
mod model;
mod prompts;
mod saved;
mod seed;
