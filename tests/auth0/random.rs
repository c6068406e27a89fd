//! Random policies on random events.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;
use stepup::backend::auth0::Emitted;
use stepup::{Compiled, Compiler};

use super::case::Case;
use super::common::choices::Choices;
use super::common::policy_text;
use super::flow::{Emission, emit};
use super::reference::Reference;
use super::{events, node};

/// How many policies, where nobody says otherwise.
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// Emits as many random policies; `with` may panic, and the policy shrinks while it does. What can't be emitted doesn't
/// count, and of that there may be little.
fn runs<T: std::fmt::Debug>(policies: u32, extra: impl Strategy<Value = T>, with: impl Fn(&Made<'_>, T)) {
    let config = ProptestConfig {
        cases: policies,
        max_global_rejects: policies + 20,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Default::default()
    };
    let compiler = Compiler::new();
    let result = TestRunner::new(config).run(&(vec(any::<u8>(), 100..800), extra), |(shape, extra)| {
        let texts = policy_text::flow(&mut Choices(&shape));
        let files = texts.iter().enumerate().map(|(file, text)| (format!("file{file}.stepup"), text));
        let compiled = compiler.compile(files).map_err(|_| TestCaseError::reject("it doesn't compile"))?;
        let actions = emit(&compiled).map_err(|_| TestCaseError::reject("Auth0 can't do it"))?;
        with(&Made { text: texts.join("\n----\n"), compiled: &compiled, emitted: &actions }, extra);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// A random policy, compiled and emitted.
struct Made<'a> {
    text: String,
    compiled: &'a Compiled,
    emitted: &'a Emitted,
}

/// The Actions of random policies.
pub(crate) fn each(policies: u32, with: impl FnMut(&Emitted)) {
    let with = RefCell::new(with);
    runs(policies, Just(()), |made, ()| (with.borrow_mut())(made.emitted));
}

/// Plays logins of random policies in the sandbox, and gives all that was run to `keep`.
pub(crate) fn play(
    policies: u32,
    logins: usize,
    event: fn(&mut Choices<'_>) -> (Json, i64),
    keep: impl FnOnce(Vec<Case>),
) {
    let kept = RefCell::new(Vec::new());
    runs(policies, vec(vec(any::<u8>(), 200), logins), |made, logins| {
        let emission = Emission::new(&made.text, made.emitted, Reference::of(made.compiled));
        for bytes in &logins {
            let mut choices = Choices(bytes);
            let (event, now) = event(&mut choices);
            kept.borrow_mut().extend(emission.play(&event, now, &mut choices));
        }
    });
    keep(kept.into_inner());
}

#[test]
fn random_policies_call_what_they_decide() {
    play(cases(6), 60, events::conforming, |cases| node::run("conforming", &cases));
}

#[test]
fn random_policies_read_odd_events_as_the_library_does() {
    play(cases(6), 60, events::altered, |cases| node::run("altered", &cases));
}
