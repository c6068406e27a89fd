use std::sync::Arc;

use cranelift_entity::{EntityRef, PrimaryMap};

use super::answers::Answers;
use super::memory::CodeMemory;
use super::plan::{Plan, Shape, Word};
use super::rows::Outcome;
use super::{JitCompiler, Object};
use crate::lower::layout::{Layout, WordSlot};
use crate::lower::program::{
    Case, DecisionWord, Interface, Node, NodeId, Program, SetFormula, StepProgram, Test,
};

fn row(index: usize) -> NodeId {
    NodeId::new(index)
}

fn ask(bit: u32, then: usize, otherwise: usize) -> Node {
    let test = Test::AnyBit { slot: WordSlot(0), mask: 1 << bit };
    Node::Branch { test, then: row(then), otherwise: row(otherwise) }
}

fn step(nodes: impl IntoIterator<Item = Node>) -> StepProgram {
    let nodes: PrimaryMap<NodeId, Node> = nodes.into_iter().collect();
    StepProgram { entry: row(nodes.len() - 1), nodes }
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
    let program =
        Program { steps, interface: Interface { layout: Arc::new(layout), ..Interface::default() } };
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    compiler.assemble(&program).expect("the program is well formed")
}

#[test]
fn few_questions_are_asked_without_a_jump() {
    let step = optional_commands(3);
    let plan = Plan::new(&step).expect("the step is small");
    assert_eq!(plan.sites.values().map(|site| site.shape).collect::<Vec<_>>(), [Shape::Select]);
}

/// Which words a block of questions leads to by their answers, where it is a table of these.
fn words_of(step: &StepProgram) -> Option<Vec<u64>> {
    let plan = Plan::new(step).expect("the step is small");
    Answers::new(&plan, plan.entry()).map(|answers| answers.words)
}

#[test]
fn a_question_at_several_places_is_asked_once() {
    // Bit 1 executes command 2, then bit 0 command 1.
    assert_eq!(words_of(&optional_commands(2)), Some(vec![0, 2, 1, 2 | 1 << 16]));
}

#[test]
fn questions_that_stand_at_one_place_each_are_no_table_and_five_are_too_many() {
    assert_eq!(words_of(&optional_commands(1)), None);
    let five = (0..5).map(|bit| ask(bit, bit as usize % 2, bit as usize + 1));
    assert_eq!(words_of(&step([Node::End, Node::Deny(0)].into_iter().chain(five))), None);
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

/// A switch whose arms each ask some questions of their own, then execute a command and go on at `after`.
fn rules(arms: i64, questions: u32, after: Node) -> StepProgram {
    let mut nodes = vec![Node::End, after];
    let mut cases = Vec::new();
    for arm in 0..arms {
        nodes.push(Node::Command { number: arm as u16 % 5 + 1, next: row(1) });
        for question in 0..questions {
            let test = Test::Masked { slot: WordSlot(question), mask: 3 << arm, value: 1 << arm };
            nodes.push(Node::Branch { test, then: row(nodes.len() - 1), otherwise: row(1) });
        }
        cases.push(Case::of(arm, row(nodes.len() - 1)));
    }
    nodes.push(Node::Switch { slot: WordSlot(0), cases, otherwise: row(1) });
    step(nodes)
}

/// The switch at a step's entry as a table.
fn table(step: &StepProgram) -> Option<(Outcome, usize)> {
    let plan = Plan::new(step).expect("the step is small");
    let word = Word::Known(DecisionWord::NOTHING);
    plan.table(step.entry, word).map(|rows| (rows.outcome, rows.exits.len()))
}

#[test]
fn a_switch_whose_arms_ask_alike_is_a_table() {
    for (questions, outcome) in [(0, Outcome::Fixed), (1, Outcome::All), (3, Outcome::All)] {
        let step = rules(20, questions, Node::Deny(0));
        assert_eq!(table(&step).map(|(outcome, _)| outcome), Some(outcome));
        let plan = Plan::new(&step).expect("the step is small");
        assert_eq!(plan.sites.len(), 1);
    }
    assert_eq!(table(&rules(20, 4, Node::Deny(0))), None);
}

#[test]
fn a_table_goes_on_where_what_follows_asks_more() {
    let test = Test::Count { set: SetFormula::Word(WordSlot(1)).into(), low: 1, high: 2 };
    let after = Node::Branch { test, then: row(0), otherwise: row(0) };
    // One exit without a command, and one with.
    assert_eq!(table(&rules(20, 3, after)), Some((Outcome::All, 2)));
}

#[test]
fn switches_of_one_word_at_the_arms_of_another_are_one_table() {
    let mut nodes = vec![Node::End];
    nodes.extend((1..=6).map(|number| Node::Command { number, next: row(0) }));
    for inner in 0..5 {
        let cases = (0..6).map(|arm| Case::of(arm, row(1 + (arm as usize + inner) % 6))).collect();
        nodes.push(Node::Switch { slot: WordSlot(1), cases, otherwise: row(0) });
    }
    let cases = (0..5).map(|outer| Case::of(outer, row(7 + outer as usize))).collect();
    nodes.push(Node::Switch { slot: WordSlot(0), cases, otherwise: row(0) });
    assert_eq!(table(&step(nodes)), Some((Outcome::Fixed, 1)));
}

#[test]
fn arms_that_meet_again_and_again_are_no_table_and_cost_no_time() {
    let mut nodes = vec![Node::End, Node::Deny(0)];
    for _ in 0..60 {
        let last = nodes.len() - 1;
        let test = Test::AnyBit { slot: WordSlot(0), mask: 1 };
        nodes.push(Node::Branch { test, then: row(last), otherwise: row(last - 1) });
    }
    let last = row(nodes.len() - 1);
    nodes.push(Node::Switch { slot: WordSlot(1), cases: vec![Case::of(0, last)], otherwise: row(0) });
    assert_eq!(table(&step(nodes)), None);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_same_program_gives_the_same_bytes() {
    assert_eq!(assemble(optional_commands(9)), assemble(optional_commands(9)));
}
