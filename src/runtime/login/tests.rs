//! States that nobody saved: a host without a key of its own has a seal that anyone can make. Such a state is refused,
//! or it is a login that ends within its bounds, and everything that it comes to is possible too.
#![allow(clippy::panic, reason = "a test says so by failing")]

use proptest::prelude::*;
use proptest::sample::select;
use smallvec::SmallVec;

use super::state::{Ending, FreshFacts, Pass, PassedBy, Position, Prompts};
use super::{LoginState, Next, ResumeError, SavedLogin, Turn};
use crate::lower::layout::WordSlot;
use crate::lower::program::{COMMAND_LIMIT, Interface};
use crate::runtime::Facts;
use crate::runtime::digest::SealKey;
use crate::{Availability, Compiler, Engine, Policy};

const POLICY: &str = "
    step a {
      if enrolled is empty { enroll any of [otp, phone] enroll phone or otp or webauthn-roaming }
      else { challenge any of enrolled except [recovery-code] if performed(otp) in this login then enroll phone }
    }
    step b { if count(enrolled) > 3 { challenge otp deny \"too many\" } challenge otp or any of enrolled }
    step c { if performed(phone) in this login then challenge any of enrolled }";

fn policy() -> Policy {
    let compiler = Compiler::new().with_engine(Engine::Interpreter);
    compiler.compile([("test.stepup", POLICY)]).map(|compiled| compiled.policy).expect("the policy compiles")
}

/// Small numbers, mostly, and some that are out of any range.
fn number() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 0..5_u8, 1 => 5..10_u8, 1 => any::<u8>()]
}

fn step() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..5_u32, 1 => any::<u32>(), 1 => Just(u32::MAX)]
}

fn word() -> impl Strategy<Value = u64> {
    let commands = proptest::collection::vec(number(), 0..=COMMAND_LIMIT);
    let commands = commands.prop_map(|numbers| {
        numbers.iter().enumerate().fold(0, |word, (place, number)| word | u64::from(*number) << (16 * place))
    });
    prop_oneof![8 => commands, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn mask() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..128_u64, 2 => Just(0_u64), 1 => any::<u64>(), 1 => (0..8_u64).prop_map(|low| 1 << 63 | low)]
}

fn passed_by() -> impl Strategy<Value = PassedBy> {
    select(vec![PassedBy::Enrollment, PassedBy::Challenge])
}

fn position() -> impl Strategy<Value = Position> {
    let words = proptest::collection::vec((number(), mask()), 0..4);
    let words =
        words.prop_map(|words| words.into_iter().map(|(slot, word)| (WordSlot(slot.into()), word)).collect());
    let prompts = (step(), word(), words, mask(), number(), mask());
    let prompts = prompts.prop_map(|(step, word, words, enrolled, done, asked)| {
        Position::Prompts(Prompts { step, word, words, enrolled, done, asked })
    });
    let before = (step(), select(vec![FreshFacts::Known, FreshFacts::ToBeTold]));
    let endings = prop_oneof![
        any::<u16>().prop_map(|reason| Ending::Denied { reason }),
        passed_by().prop_map(Ending::NothingUsable),
        select(vec![Ending::Completed, Ending::EnrollWithoutChallenge, Ending::PromptFailed]),
        select(vec![Ending::Abandoned, Ending::LimitExceeded]),
    ];
    prop_oneof![
        6 => prompts,
        2 => before.prop_map(|(step, facts)| Position::Before { step, facts }),
        1 => endings.prop_map(Position::Ended),
    ]
}

fn state() -> impl Strategy<Value = LoginState> {
    let pass = (number(), passed_by()).prop_map(|(factor, by)| Pass { factor, by });
    let passes = proptest::collection::vec(pass, 0..6).prop_map(SmallVec::from_vec);
    (position(), number(), passes).prop_map(|(at, commands, passes)| LoginState { at, commands, passes })
}

/// Plays a state to its end, with these answers; every state on the way is possible.
fn ends(mut state: LoginState, policy: &Policy, facts: &Facts, availability: &Availability, answers: &[u8]) {
    let interface = policy.interface();
    let decide = |step, words: &[u64]| policy.execute(step, words);
    let turn = Turn { interface, facts, availability, decide: &decide };
    let mut answers = answers.iter().cycle();
    let mut prompts = 0;
    // Each step is told of and each command asked once, at most.
    for _ in 0..=interface.steps.len() + COMMAND_LIMIT {
        let next = state.next(&turn).expect("the facts are filled");
        assert!(state.is_possible(interface), "{state:?}");
        match next {
            Next::Prompt(prompt) => {
                prompts += 1;
                assert!(prompts <= COMMAND_LIMIT, "a fifth prompt");
                let answer = usize::from(*answers.next().expect("an answer")) % prompt.factors.len();
                let factor = &prompt.factors[answer];
                state.completed(factor.number, factor.name, interface).expect("it is offered");
                assert!(state.is_possible(interface), "{state:?}");
            }
            Next::FreshFacts { .. } => {}
            Next::Completed | Next::Denied { .. } | Next::Failed(_) => return,
        }
    }
    panic!("the login goes on: {state:?}");
}

fn reopened(state: &LoginState, policy: &Policy, key: &SealKey) -> Result<LoginState, ResumeError> {
    SavedLogin::new(state, policy.digest(), key).open(policy.interface(), policy.digest(), key)
}

#[test]
fn a_forged_state_is_refused_or_ends_within_the_bounds() {
    let policy = policy();
    let key = SealKey::new(&[], policy.digest());
    let facts = policy.facts();
    let opened = std::cell::Cell::new(0);
    let cases = 20_000;
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let inputs = (state(), mask(), proptest::collection::vec(any::<u8>(), 4));
    let result =
        proptest::test_runner::TestRunner::new(config).run(&inputs, |(forged, enrolled, answers)| {
            let mut facts = facts.clone();
            let names = policy.interface().layout.catalog.factors.values().enumerate();
            let names = names.filter(|(number, _)| enrolled >> number & 1 != 0);
            facts.set_enrolled(&names.map(|(_, factor)| factor.name.as_str()).collect::<Vec<_>>());
            match reopened(&forged, &policy, &key) {
                Ok(state) => {
                    opened.set(opened.get() + 1);
                    prop_assert_eq!(&state, &forged);
                    ends(state, &policy, &facts, &policy.availability(), &answers);
                }
                Err(refused) => prop_assert_eq!(refused, ResumeError::Impossible),
            }
            Ok(())
        });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(opened.get() * 20 > cases, "only {} of {cases} states are possible", opened.get());
}

/// A state in which the first step asks for one of two factors.
fn asking(interface: &Interface) -> (LoginState, Prompts) {
    let prompts = Prompts {
        step: 0,
        word: 1,
        words: SmallVec::new(),
        enrolled: 0,
        done: 0,
        asked: interface.commands[0].listed.iter().fold(0, |mask, listed| mask | 1 << listed.factor),
    };
    let at = Position::Prompts(prompts.clone());
    (LoginState { at, commands: 1, passes: SmallVec::new() }, prompts)
}

#[test]
fn a_state_is_impossible_where_any_of_its_numbers_is() {
    let policy = policy();
    let key = SealKey::new(&[], policy.digest());
    let (good, prompts) = asking(policy.interface());
    assert_eq!(reopened(&good, &policy, &key).as_ref(), Ok(&good));
    let pass = |factor| Pass { factor, by: PassedBy::Challenge };
    let with = |prompts| LoginState { at: Position::Prompts(prompts), ..good.clone() };
    let impossible = [
        ("a step that isn't there", with(Prompts { step: 3, ..prompts.clone() })),
        ("a step past all numbers", with(Prompts { step: u32::MAX, ..prompts.clone() })),
        ("a command that isn't there", with(Prompts { word: 0xFFFE, ..prompts.clone() })),
        ("a denial with prompts", with(Prompts { word: 0xFFFF, ..prompts.clone() })),
        ("a fifth command with prompts", with(Prompts { word: u64::MAX, ..prompts.clone() })),
        ("a gap between commands", with(Prompts { word: 1 << 16, ..prompts.clone() })),
        ("more commands than were counted", with(Prompts { word: 1 | 1 << 16, ..prompts.clone() })),
        ("more done than there are", with(Prompts { done: 2, asked: 0, ..prompts.clone() })),
        ("a prompt open with all done", with(Prompts { done: 1, ..prompts.clone() })),
        ("a factor that isn't offered", with(Prompts { asked: 1 << 62, ..prompts.clone() })),
        (
            "a word that isn't there",
            with(Prompts { words: vec![(WordSlot(999), 1)].into(), ..prompts.clone() }),
        ),
        ("a fifth command", LoginState { commands: 5, ..good.clone() }),
        ("more passed than done", LoginState { passes: vec![pass(0)].into(), ..good.clone() }),
        (
            "a factor that isn't there",
            LoginState { commands: 2, passes: vec![pass(63)].into(), ..good.clone() },
        ),
        (
            "a reason that isn't there",
            LoginState { at: Position::Ended(Ending::Denied { reason: 9 }), ..good.clone() },
        ),
        (
            "a step past the end",
            LoginState { at: Position::Before { step: 4, facts: FreshFacts::Known }, ..good.clone() },
        ),
    ];
    for (what, state) in impossible {
        assert_eq!(reopened(&state, &policy, &key), Err(ResumeError::Impossible), "{what}");
    }
}

#[test]
fn no_two_states_have_one_seal() {
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    let result = proptest::test_runner::TestRunner::new(config).run(&(state(), state()), |(one, other)| {
        let fed = |state: &LoginState| {
            let mut bytes = Vec::new();
            state.feed(&mut |more| bytes.extend_from_slice(more));
            bytes
        };
        prop_assert_eq!(fed(&one) == fed(&other), one == other);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
