//! Any bytes are an event or a typed error; what is read is decided alike by both engines, and what is not, by neither.
//! JSON is read as serde_json reads it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use stepup::{Compiler, DecideError, Engine, Policy, jiff::Timestamp};

/// Reads a value of every type, with presences, gathered lists and both lists of factors.
const POLICY: &str = include_str!("../policies/every_type.stepup");

static POLICIES: LazyLock<[Policy; 2]> = LazyLock::new(|| {
    [Engine::Native, Engine::Interpreter].map(|engine| {
        let compiled = Compiler::new().with_engine(engine).compile([("every_type.stepup", POLICY)]);
        compiled.expect("the policy compiles").policy
    })
});

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fuzz_target!(|bytes: &[u8]| {
    let words = POLICIES.each_ref().map(|policy| {
        let mut facts = policy.facts();
        let read = facts.read_json(bytes);
        facts.set_now(Timestamp::UNIX_EPOCH);
        let step = policy.steps().next().expect("the policy has a step");
        let word = step.decide_word(&facts);
        assert_eq!(read.is_err(), matches!(word, Err(DecideError::Unfilled { .. })), "{read:?}");
        if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| is_json(text)) {
            let by_serde = facts.read(&mut serde_json::Deserializer::from_str(text));
            assert_eq!(read.map_err(|error| error.kind), by_serde.map_err(|error| error.kind));
            facts.set_now(Timestamp::UNIX_EPOCH);
            assert_eq!(word, step.decide_word(&facts));
        }
        word
    });
    assert_eq!(words[0], words[1]);
});
