//! A policy decides one login: `cargo run --example decide`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::error::Error;

use stepup::{Compiler, jiff::Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let text = include_str!("admins.stepup");
    let policy = Compiler::new().compile([("admins.stepup", text)])?.policy;

    // Once for each policy: where a fact is stored. Once for each thread: the facts, reused from login to login.
    let admin = policy.slot::<bool>("user.isAdmin")?;
    let mut facts = policy.facts();

    facts.set(&admin, true)?;
    facts.set_enrolled(&["otp"]);
    facts.set_performed(&[]);
    facts.set_now(Timestamp::now());

    let step = policy.step("enroll").ok_or("the policy has a step `enroll`")?;
    println!("{}", serde_json::to_string_pretty(&step.decide(&facts)?)?);
    Ok(())
}
