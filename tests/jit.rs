//! Machine code gives the interpreter's answers, on any thread, and leaves no memory behind.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "support/programs.rs"]
mod programs;

use std::thread;

use cranelift_entity::{EntityRef, PrimaryMap};
use proptest::collection::vec;
use proptest::prelude::*;
use stepup::backend::interpret;
use stepup::backend::jit::{CodeMemory, CodeUsage, JitCompiler, JitError, NativeCode};
use stepup::check::policy::StepId;
use stepup::lower::layout::WordSlot;
use stepup::lower::program::{
    Case, DecisionWord, Node, NodeId, Program, SetFormula, StepProgram, Test, Verdict,
};

use programs::{Choices, facts, program, program_of};

fn compiler(memory: &CodeMemory) -> JitCompiler {
    JitCompiler::new(memory.clone()).expect("this host has machine code")
}

fn compile(program: &Program) -> NativeCode {
    compiler(&CodeMemory::new()).compile(program).expect("the program is well formed")
}

/// A program of one step, whose entry is its last row.
fn one_step(words: usize, nodes: impl IntoIterator<Item = Node>) -> Program {
    let nodes: PrimaryMap<NodeId, Node> = nodes.into_iter().collect();
    let entry = NodeId::new(nodes.len() - 1);
    program_of(words, PrimaryMap::from_iter([StepProgram { entry, nodes }]))
}

fn row(index: usize) -> NodeId {
    NodeId::new(index)
}

fn bit(slot: u32, bit: u32) -> Test {
    Test::AnyBit { slot: WordSlot(slot), mask: 1 << bit }
}

fn first() -> StepId {
    StepId::from_u32(0)
}

/// `STEPUP_CASES=100000 cargo test --release --test jit` runs longer.
fn cases() -> u32 {
    std::env::var("STEPUP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500)
}

fn assert_same_decisions(program: &Program, code: &NativeCode, words: &[u64]) {
    for step in program.steps.keys() {
        let expected = interpret::decide(&program.steps[step], words);
        assert_eq!(code.decide(step, words), Some(expected), "{step:?} of {program:#?} on {words:x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn machine_code_decides_like_the_interpreter(
        shape in vec(any::<u8>(), 0..2000),
        records in vec(vec(any::<u8>(), 96), 40),
    ) {
        let program = program(&mut Choices(&shape));
        let code = compile(&program);
        for record in &records {
            assert_same_decisions(&program, &code, &facts(&mut Choices(record)));
        }
    }
}

#[test]
fn a_fifth_command_is_refused_by_the_code_itself() {
    let commands = (0..5).map(|index| Node::Command { number: 9, next: row(index) });
    let program = one_step(1, [Node::End].into_iter().chain(commands));
    assert_eq!(compile(&program).decide(first(), &[0]), Some(DecisionWord::LIMIT_EXCEEDED));
}

/// Ten optional commands in a row: too many words to tell apart, so they are put together at run time.
#[test]
fn commands_that_depend_on_many_facts_are_put_together_at_run_time() {
    let mut nodes = vec![Node::End];
    for index in 0..10 {
        let before = row(nodes.len() - 1);
        nodes.push(Node::Command { number: 100 + index as u16, next: before });
        nodes.push(Node::Branch { test: bit(0, index), then: row(nodes.len() - 1), otherwise: before });
    }
    let program = one_step(1, nodes);
    let code = compile(&program);
    for facts in 0..1024 {
        assert_same_decisions(&program, &code, &[facts]);
    }
}

#[test]
fn dense_and_sparse_switches_find_every_case_and_no_other() {
    for stride in [1, 2, 1000, u64::MAX / 128] {
        let mut nodes = vec![Node::End];
        nodes.extend((1..=60).map(|number| Node::Command { number: number * 7, next: row(0) }));
        let cases =
            (0..60).map(|index| Case::of((5 + index * stride) as i64, row(index as usize + 1))).collect();
        nodes.push(Node::Switch { slot: WordSlot(0), cases, otherwise: row(0) });
        let program = one_step(1, nodes);
        let code = compile(&program);
        for index in 0..70_u64 {
            for value in [index, index.wrapping_mul(stride).wrapping_add(5), u64::MAX - index] {
                assert_same_decisions(&program, &code, &[value]);
            }
        }
    }
}

#[test]
fn a_step_of_twenty_thousand_questions_compiles_on_a_stack_of_128_kib() {
    let mut nodes = vec![Node::End, Node::Deny(3)];
    for index in 0..20_000 {
        let test = bit(index % 16, index / 16 % 64);
        nodes.push(Node::Branch { test, then: row(1), otherwise: row(nodes.len() - 1) });
    }
    let program = one_step(16, nodes);
    let small_stack = thread::Builder::new().stack_size(128 * 1024);
    let code = small_stack.spawn({
        let program = program.clone();
        move || compile(&program)
    });
    let code = code.expect("a thread starts").join().expect("no stack overflow");
    assert_same_decisions(&program, &code, &[0; 16]);
    assert_same_decisions(&program, &code, &[1 << 63; 16]);
}

#[test]
fn a_chain_of_ten_thousand_sets_compiles_without_recursion() {
    let mut set = SetFormula::Word(WordSlot(0));
    for factor in 0..10_000_u32 {
        set = SetFormula::Union(
            Box::new(set),
            Box::new(SetFormula::Listed([(factor % 40) as u8].into_iter().collect())),
        );
    }
    let test = Test::Count { set: set.into(), low: 41, high: 64 };
    let program =
        one_step(1, [Node::End, Node::Deny(0), Node::Branch { test, then: row(1), otherwise: row(0) }]);
    let code = compile(&program);
    assert_eq!(code.decide(first(), &[1 << 50]), Some(DecisionWord::denied(0, 0)));
    assert_eq!(code.decide(first(), &[0]), Some(DecisionWord::NOTHING));
}

#[test]
fn a_program_that_would_read_outside_of_the_facts_is_refused() {
    let outside = Node::Branch { test: bit(1, 0), then: row(0), otherwise: row(0) };
    let error = compiler(&CodeMemory::new()).compile(&one_step(1, [Node::End, outside]));
    assert!(matches!(error, Err(JitError::Malformed { node, .. }) if node == row(1)), "{error:?}");
}

#[test]
fn a_program_that_would_run_in_circles_is_refused() {
    let circle = Node::Command { number: 1, next: row(0) };
    let error = compiler(&CodeMemory::new()).compile(&one_step(1, [circle]));
    assert!(matches!(error, Err(JitError::Malformed { node, .. }) if node == row(0)), "{error:?}");
}

#[test]
fn a_record_that_is_too_short_is_not_read() {
    let program = one_step(2, [Node::End]);
    assert_eq!(compile(&program).decide(first(), &[0]), None);
    assert_eq!(compile(&program).decide(first(), &[0, 0]), Some(DecisionWord::NOTHING));
}

#[test]
fn a_step_that_the_program_lacks_is_not_decided() {
    assert_eq!(compile(&one_step(0, [Node::End])).decide(StepId::from_u32(1), &[]), None);
}

#[test]
fn code_that_is_dropped_gives_its_memory_back() {
    let memory = CodeMemory::new();
    let program = one_step(0, [Node::End, Node::Command { number: 5, next: row(0) }]);
    let code = compiler(&memory).compile(&program).expect("the program is well formed");
    assert_eq!(memory.usage().chunks, 1);
    let step = code.step(first()).expect("there is a first step");
    assert_eq!(step.decide(&[]), Some(DecisionWord(5)));
    drop(code);
    assert_eq!(memory.usage(), CodeUsage::default());
}

#[test]
fn a_denial_says_how_many_commands_came_before_it() {
    let ask = |bit: u32, node| Node::Branch {
        test: Test::AnyBit { slot: WordSlot(0), mask: 1_u64 << bit },
        then: row(node),
        otherwise: row(node - 1),
    };
    let command = |number, next| Node::Command { number, next: row(next) };
    let nodes = [Node::Deny(7), command(1, 0), ask(0, 1), command(2, 2), ask(1, 3)];
    let program = one_step(1, nodes);
    let code = compile(&program);
    for (word, executed) in [(0b00, 0), (0b01, 1), (0b10, 1), (0b11, 2)] {
        let denied = Some(DecisionWord::denied(7, executed));
        assert_eq!(code.decide(first(), &[word]), denied);
        assert_eq!(denied.map(DecisionWord::verdict), Some(Verdict::Denied { reason: 7, executed }));
        assert_same_decisions(&program, &code, &[word]);
    }
}

#[test]
fn freed_code_is_used_again_and_empty_memory_given_back() {
    let memory = CodeMemory::new();
    let mut compiler = compiler(&memory);
    let program = one_step(0, [Node::End, Node::Command { number: 5, next: row(0) }]);
    let mut codes: Vec<_> = (0..1000).filter_map(|_| compiler.compile(&program).ok()).collect();
    let full = memory.usage();
    codes.retain({
        let mut index = 0;
        move |_| {
            index += 1;
            index % 2 == 0
        }
    });
    assert_eq!(memory.usage().used, full.used / 2);
    codes.extend((0..500).filter_map(|_| compiler.compile(&program).ok()));
    assert_eq!(memory.usage(), full);
    drop(codes);
    assert_eq!(memory.usage(), CodeUsage::default());
}

#[test]
fn threads_compile_decide_and_drop_side_by_side() {
    let memory = CodeMemory::new();
    thread::scope(|scope| {
        for seed in 0..8_u8 {
            let memory = memory.clone();
            scope.spawn(move || compile_decide_and_drop(&memory, seed));
        }
    });
    assert_eq!(memory.usage(), CodeUsage::default());
}

fn compile_decide_and_drop(memory: &CodeMemory, seed: u8) {
    let mut compiler = compiler(memory);
    let mut kept: Vec<(Program, NativeCode)> = Vec::new();
    for round in 0..60_u8 {
        let bytes: Vec<u8> =
            (0..600_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed ^ round).collect();
        let program = program(&mut Choices(&bytes));
        let code = compiler.compile(&program).expect("the program is well formed");
        kept.push((program, code));
        let words = facts(&mut Choices(&bytes[usize::from(round)..]));
        for (program, code) in &kept {
            assert_same_decisions(program, code, &words);
        }
        if kept.len() > 7 {
            kept.swap_remove(usize::from(round) % 7);
        }
    }
}
