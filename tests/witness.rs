//! Witnesses: they reach what can be reached, and show code that decides otherwise.
//!
//! `STEPUP_CASES=20000 cargo test --release --test witness` runs longer.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

#[path = "support/programs.rs"]
mod programs;

use std::cell::RefCell;
use std::collections::BTreeSet;

use stepup::backend::interpret;
use stepup::backend::jit::{CodeMemory, JitCompiler, NativeCode};
use stepup::backend::witness::validate;
use stepup::check::policy::StepId;
use stepup::lower::program::{Node, NodeId, Program, Test};

use programs::{Choices, facts, program};

/// How many programs: shares of fewer than usual would say nothing.
fn cases(usual: u64) -> u64 {
    let wanted = std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok());
    wanted.unwrap_or(usual).max(usual)
}

fn compile(program: &Program) -> NativeCode {
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    compiler.compile(program).expect("the program is well formed")
}

/// Bytes of a fixed series, for tests that must not depend on chance.
fn series(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A step, a block of it, and which way was taken there.
type Answer = (StepId, NodeId, usize);

/// The answers that words give in a step.
fn answers(program: &Program, id: StepId, words: &[u64], seen: &mut BTreeSet<Answer>) {
    let step = &program.steps[id];
    let (mut at, mut commands) = (step.entry, 0);
    loop {
        at = match &step.nodes[at] {
            Node::End | Node::Deny(_) => return,
            Node::Command { .. } if commands == 4 => return,
            Node::Command { next, .. } => {
                commands += 1;
                *next
            }
            Node::Branch { test, then, otherwise } => {
                let holds = interpret::holds(test, words);
                seen.insert((id, at, usize::from(!holds)));
                if holds { *then } else { *otherwise }
            }
            Node::Switch { slot, cases, otherwise } => {
                let value = words[slot.0 as usize] as i64;
                let case = cases.iter().position(|case| (case.low..=case.high).contains(&value));
                seen.insert((id, at, case.unwrap_or(cases.len())));
                case.map_or(*otherwise, |case| cases[case].target)
            }
        };
    }
}

#[test]
fn witnesses_reach_what_random_words_reach() {
    let (mut missed, mut reached) = (0, 0);
    for seed in 0..cases(300) {
        let program = program(&mut Choices(&series(seed, 900)));
        let code = compile(&program);
        let seen = RefCell::new(BTreeSet::new());
        let coverage = validate(&program, |step, words| {
            answers(&program, step, words, &mut seen.borrow_mut());
            code.decide(step, words)
        });
        let coverage = coverage.unwrap();
        let seen = seen.into_inner();
        assert!(coverage.answers - coverage.unreached <= seen.len());
        let mut random = BTreeSet::new();
        for record in 0..200 {
            let words = facts(&mut Choices(&series(seed << 20 | record, 96)));
            program.steps.keys().for_each(|step| answers(&program, step, &words, &mut random));
        }
        reached += random.len();
        missed += random.difference(&seen).count();
    }
    assert!(missed * 50 <= reached, "{missed} of {reached} answers were missed");
}

/// A program with one thing changed in it.
fn mutant(program: &Program, choices: &mut Choices<'_>) -> Program {
    let mut mutant = program.clone();
    let number = |choices: &mut Choices<'_>, end: usize| usize::from(choices.0[0]) * 7 % end.max(1);
    let step = StepId::from_u32(number(choices, mutant.steps.len()) as u32);
    let nodes = &mut mutant.steps[step].nodes;
    choices.0 = &choices.0[1..];
    let id = NodeId::from_u32(number(choices, nodes.len()) as u32);
    choices.0 = &choices.0[1..];
    let how = number(choices, 4);
    match &mut nodes[id] {
        Node::End => {}
        Node::Deny(reason) => *reason ^= 1,
        Node::Command { number, .. } => *number = *number % 1000 + 1,
        Node::Branch { then, otherwise, .. } if how == 0 => std::mem::swap(then, otherwise),
        Node::Branch { test, .. } => match test {
            Test::AnyBit { mask, .. } => *mask ^= 1 << (how * 13),
            Test::Masked { mask, value, .. } => {
                *value &= !1;
                *mask ^= 1;
            }
            Test::Between { low, high, .. } | Test::Age { low, high, .. } => {
                *(if how == 1 { low } else { high }) ^= 1;
            }
            Test::OneOf { mask, .. } => *mask ^= 1 << (how * 17),
            Test::Count { low, high, .. } => *(if how == 1 { low } else { high }) ^= 1,
        },
        Node::Switch { cases, otherwise, .. } => match cases.len() {
            0 => {}
            len => {
                let case = &mut cases[how * 5 % len];
                case.target = *otherwise;
            }
        },
    }
    mutant
}

#[test]
fn code_that_decides_otherwise_is_shown() {
    let (mut missed, mut different) = (0, 0);
    let cases = cases(1500);
    for seed in 0..cases {
        let program = program(&mut Choices(&series(seed, 900)));
        let mutant = mutant(&program, &mut Choices(&series(seed + 7, 16)));
        let code = compile(&mutant);
        let decides = |step, words: &[u64]| code.decide(step, words);
        let differs = (0..300).any(|record| {
            let words = facts(&mut Choices(&series(seed << 20 | record, 96)));
            let mut steps = program.steps.keys();
            steps.any(|step| decides(step, &words) != Some(interpret::decide(&program.steps[step], &words)))
        });
        let shown = validate(&program, decides);
        if let Err(defect) = &shown {
            assert_ne!(defect.found, Some(defect.expected));
        }
        different += usize::from(differs);
        missed += usize::from(differs && shown.is_ok());
    }
    assert!(different * 40 >= cases as usize, "only {different} changes can be seen");
    assert!(missed * 30 <= different, "{missed} of {different} changes were missed");
}
