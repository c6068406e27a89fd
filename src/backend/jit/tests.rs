use std::sync::Arc;

use cranelift_entity::{EntityRef, PrimaryMap};

use super::memory::CodeMemory;
use super::plan::{Plan, Shape, Word};
use super::{JitCompiler, Object};
use crate::lower::layout::{Layout, WordSlot};
use crate::lower::program::{Node, NodeId, Program, StepProgram, Test};

fn row(index: usize) -> NodeId {
    NodeId::new(index)
}

fn ask(bit: u32, then: usize, otherwise: usize) -> Node {
    let test = Test::AnyBit { slot: WordSlot(0), mask: 1 << bit };
    Node::Branch { test, then: row(then), otherwise: row(otherwise) }
}

fn step(nodes: impl IntoIterator<Item = Node>) -> StepProgram {
    let nodes: PrimaryMap<NodeId, Node> = nodes.into_iter().collect();
    StepProgram { name: "step".into(), entry: row(nodes.len() - 1), nodes }
}

/// A step in which each of `commands` is executed or not by a bit of its own.
fn optional_commands(commands: u32) -> StepProgram {
    let mut nodes = vec![Node::End];
    for index in 0..commands {
        let before = nodes.len() - 1;
        nodes.push(Node::Command { number: index as u16 + 1, next: row(before) });
        nodes.push(ask(index % 64, before + 1, before));
    }
    step(nodes)
}

fn assemble(step: StepProgram) -> Object {
    let layout = Layout { words: 1, ..Layout::default() };
    let steps = PrimaryMap::from_iter([step]);
    let program = Program {
        layout: Arc::new(layout),
        steps,
        commands: Vec::new(),
        reasons: Vec::new(),
        factors: Vec::new(),
        enabled: 0,
    };
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    compiler.assemble(&program).expect("the program is well formed")
}

#[test]
fn few_questions_are_asked_without_a_jump() {
    let step = optional_commands(3);
    let plan = Plan::new(&step).expect("the step is small");
    assert_eq!(plan.sites.values().map(|site| site.shape).collect::<Vec<_>>(), [Shape::Select]);
}

#[test]
fn many_questions_jump_until_few_are_left() {
    let questions = (0..20).map(|bit| ask(bit, 1, bit as usize + 1));
    let step = step([Node::End, Node::Deny(0)].into_iter().chain(questions));
    let plan = Plan::new(&step).expect("the step is small");
    let shapes: Vec<_> = plan.sites.values().map(|site| site.shape).collect();
    assert_eq!(shapes.iter().filter(|shape| **shape == Shape::Jump).count(), 12);
    assert_eq!(shapes.last(), Some(&Shape::Select));
}

#[test]
fn a_row_is_emitted_a_bounded_number_of_times() {
    let step = optional_commands(200);
    let plan = Plan::new(&step).expect("the step is small");
    for node in step.nodes.keys() {
        assert!(plan.sites.values().filter(|site| site.node == node).count() <= 25);
    }
    assert!(plan.sites.values().any(|site| site.word == Word::Running(4)));
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_same_program_gives_the_same_bytes() {
    assert_eq!(assemble(optional_commands(9)), assemble(optional_commands(9)));
}
