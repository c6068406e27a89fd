//! Any bytes are an event or a typed error; what is read is decided alike by both engines, and what is not, by neither.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stepup::{Compiler, DecideError, Engine, Policy, jiff::Timestamp};

/// Reads a value of every type, with presences, gathered lists and both lists of factors.
const POLICY: &str = include_str!("../policies/every_type.stepup");

static POLICIES: LazyLock<[Policy; 2]> = LazyLock::new(|| {
    [Engine::Native, Engine::Interpreter].map(|engine| {
        let compiled = Compiler::new().with_engine(engine).compile([("every_type.stepup", POLICY)]);
        compiled.expect("the policy compiles").policy
    })
});

fuzz_target!(|bytes: &[u8]| {
    let words = POLICIES.each_ref().map(|policy| {
        let mut facts = policy.facts();
        let read = facts.read_json(bytes);
        facts.set_now(Timestamp::UNIX_EPOCH);
        let step = policy.steps().next().expect("the policy has a step");
        let word = step.decide_word(&facts);
        assert_eq!(read.is_err(), matches!(word, Err(DecideError::Unfilled { .. })), "{read:?}");
        word
    });
    assert_eq!(words[0], words[1]);
});
