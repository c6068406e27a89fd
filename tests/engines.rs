//! From policy text to decision: machine code, the interpreter and an evaluator of the syntax tree agree.
//!
//! `STEPUP_CASES=20000 cargo test --release --test engines` runs longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

mod common;

use common::choices::Choices;
use common::tree_evaluator::{Flow, Login, Unit};
use common::tree_facts::Reader;
use common::{events, login, oracle, policy_text, typed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stepup::backend::interpret;
use stepup::backend::jit::{CodeMemory, JitCompiler};
use stepup::check::policy::StepId;
use stepup::lower::lower;
use stepup::runtime::{DecideError, Decision, Facts};
use stepup::source::Sources;
use stepup::syntax::parse::parse;
use stepup::{Compiler, Validated, Validation};

fn cases() -> u32 {
    std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: cases(),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The trees of the standard library and these files.
fn flow(texts: &[String]) -> Flow {
    let mut sources = Sources::new();
    let library = [include_str!("../stdlib/catalog.stepup"), include_str!("../stdlib/event.stepup")];
    let units = library.into_iter().chain(texts.iter().map(String::as_str)).map(|text| {
        let file = sources.add("file.stepup", text);
        Unit { tree: parse(file, text).0, uses: Vec::new() }
    });
    Flow { units: units.collect() }
}

const LIBRARY_FILES: usize = 2;

fn named(texts: &[String]) -> Vec<(String, &str)> {
    texts.iter().enumerate().map(|(file, text)| (format!("file{file}.stepup"), text.as_str())).collect()
}

/// Whether the texts compile; if so, they decide alike in three ways on all logins.
fn decide_alike(compiler: &Compiler, texts: &[String], logins: &[Vec<u8>]) -> bool {
    let Ok(compiled) = compiler.compile(named(texts)) else { return false };
    assert!(matches!(compiled.validated, Validated::Held(_)), "{:?}", compiled.validated);
    let policy = compiled.policy;
    let program = lower(&compiled.typed).expect("it was lowered before");
    let flow = flow(texts);
    let names: Vec<String> = (0..texts.len()).map(|file| format!("file{file}")).collect();
    let steps = flow.steps(LIBRARY_FILES, &names);
    assert_eq!(steps.len(), policy.steps().count());
    let mut facts = policy.facts();
    for bytes in logins {
        let (event, now, in_login) = events::login(&mut Choices(bytes));
        facts.read_json(event.to_string().as_bytes()).expect("the event is well formed");
        facts.set_now(jiff::Timestamp::from_millisecond(now).unwrap());
        facts.set_performed_in_login(&in_login.iter().map(String::as_str).collect::<Vec<_>>());
        let login =
            Login { flow: &flow, reader: Reader::new(&flow, &event), now, in_login: in_login.clone() };
        for (place, (tree, step)) in steps.iter().zip(policy.steps()).enumerate() {
            let decision = step.decide(&facts);
            let shown = decision.as_ref().ok().map(|decision| serde_json::to_value(decision).unwrap());
            let case =
                || format!("{event:#}\nnow {now}, in this login {in_login:?}\n{}", texts.join("\n----\n"));
            assert_eq!(shown, login.decide(tree), "the tree (right) says otherwise\n{}", case());
            let words = facts.words_for(&policy.interface().layout).expect("all is filled");
            let interpreted = interpret::decide(&program.steps[StepId::from_u32(place as u32)], words);
            assert_eq!(step.decide_word(&facts), Ok(interpreted), "{}", case());
        }
    }
    true
}

#[test]
fn random_policy_texts_decide_as_their_trees_do_in_both_engines() {
    let compiler = Compiler::new().with_validation(Validation::On);
    // Most of the time goes to compiling, so there are fewer of these.
    let mut runner = TestRunner::new(ProptestConfig { cases: cases() / 4, ..config() });
    let compiled = std::cell::Cell::new(0_u32);
    let total = std::cell::Cell::new(0_u32);
    let inputs = (vec(any::<u8>(), 0..600), vec(vec(any::<u8>(), 120), 40));
    let result = runner.run(&inputs, |(shape, logins)| {
        let texts = policy_text::flow(&mut Choices(&shape));
        total.set(total.get() + 1);
        compiled.set(compiled.get() + u32::from(decide_alike(&compiler, &texts, &logins)));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let (compiled, total) = (compiled.get(), total.get());
    assert!(compiled * 10 >= total * 9, "only {compiled} of {total} policies compile");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_typed_policies_decide_as_the_oracle_says_in_both_engines(
        policy in vec(any::<u8>(), 0..700),
        logins in vec(vec(any::<u8>(), 0..160), 40),
    ) {
        let policy = typed::typed_policy(&mut Choices(&policy));
        let program = lower(&policy).expect("small policies stay within all bounds");
        let mut jit = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
        let code = jit.compile(&program).expect("the program is well formed");
        let vocabulary = typed::vocabulary();
        let mut facts = Facts::new(&program.interface.layout);
        for bytes in &logins {
            let login = login::login(&vocabulary, &mut Choices(bytes));
            facts.read_from(&login.event(&vocabulary)).expect("the event fits the policy");
            login.fill_host(&mut facts);
            let words = facts.words_for(&program.interface.layout).expect("all is filled");
            for step in program.steps.keys() {
                let word = interpret::decide(&program.steps[step], words);
                prop_assert_eq!(code.decide(step, words), Some(word));
                let is_past_the_limit = Decision::new(&program.interface, step, word, words).err() == Some(DecideError::LimitExceeded);
                prop_assert_eq!(is_past_the_limit, oracle::decide(&policy, &login, step) == oracle::Outcome::LimitExceeded);
            }
        }
    }
}
