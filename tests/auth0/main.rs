//! Emitted Actions, held to the engines: what their code calls is what the policy decides.
//!
//! `case` is one run of one Action with what it has to call; `reference` works that out from the policy; `flow` carries a
//! login from Action to Action as the platform does. `random` makes cases of random policies and events, `examples` of the
//! policies of `examples/` and their tests, `scalars` of texts that are nearly an instant or an address. Each is run in the
//! [sandbox](stepup::sandbox), and by `node` in V8, which also checks types, and reads the folder with Auth0's own tool.
//!
//! `STEPUP_CASES=2000 cargo test --release --test auth0` runs longer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it tried"
)]

mod case;
#[path = "../common/mod.rs"]
mod common;
mod events;
mod examples;
mod flow;
mod node;
mod random;
mod reference;
mod scalars;
mod seed;
