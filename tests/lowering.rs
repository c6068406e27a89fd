//! What lowering makes of statements: blocks shared, constants gone, chains merged, bounds kept.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]

mod common;

use std::fmt::Write;

use common::compile::{program, typed};
use stepup::backend::interpret;
use stepup::check::policy::{Condition, ConditionId, ConditionKind, Statement, StepId, TypedPolicy};
use stepup::lower::layout::EnrolledFor;
use stepup::lower::program::{DecisionWord, Node, Program, StepProgram, Test};
use stepup::lower::{LowerError, lower};
use stepup::runtime::Facts;

fn only_step(program: &Program) -> &StepProgram {
    &program.steps[StepId::from_u32(0)]
}

fn tests(program: &Program) -> usize {
    let is_test = |node: &&Node| matches!(node, Node::Branch { .. } | Node::Switch { .. });
    only_step(program).nodes.values().filter(is_test).count()
}

/// The numbers of the commands for an application, and how many blocks are passed on the way.
fn decide_for(program: &Program, application: &str) -> DecisionWord {
    let mut facts = Facts::new(&program.interface.layout);
    facts.set(&program.interface.layout.slot::<&str>("client.id").unwrap(), application).unwrap();
    facts.set(&program.interface.layout.slot::<bool>("user.isAdmin").unwrap(), true).unwrap();
    facts.set_enrolled(&[]);
    interpret::decide(
        &program.steps[StepId::from_u32(0)],
        facts.words_for(&program.interface.layout).unwrap(),
    )
}

/// How many blocks the longest way through a step passes.
fn longest_way(step: &StepProgram) -> usize {
    let mut longest: Vec<usize> = Vec::new();
    for node in step.nodes.values() {
        let of = |id: &stepup::lower::program::NodeId| longest[id.as_u32() as usize];
        longest.push(
            1 + match node {
                Node::End | Node::Deny(_) => 0,
                Node::Command { next, .. } => of(next),
                Node::Branch { then, otherwise, .. } => of(then).max(of(otherwise)),
                Node::Switch { cases, otherwise, .. } => {
                    cases.iter().map(|case| of(&case.target)).max().unwrap_or(0).max(of(otherwise))
                }
            },
        );
    }
    longest[step.entry.as_u32() as usize]
}

#[test]
fn edges_lead_to_earlier_blocks_and_every_block_is_reached() {
    let program = program("step s { if user.isAdmin then challenge otp else enroll otp\n deny \"x\" }");
    let step = only_step(&program);
    assert_eq!(step.entry.as_u32() as usize + 1, step.nodes.len());
    assert_eq!(longest_way(step), 3);
}

#[test]
fn equal_blocks_are_one_and_a_test_with_one_target_is_none() {
    let same = program("step s { if user.isAdmin then challenge otp else challenge otp }");
    assert_eq!((tests(&same), same.interface.commands.len()), (0, 1));
}

#[test]
fn what_follows_a_stop_or_a_denial_is_left_out() {
    let program = program("step s { challenge otp stop challenge phone }");
    assert_eq!(only_step(&program).nodes.len(), 2);
}

#[test]
fn a_chain_of_else_ifs_is_one_switch() {
    let mut text = String::from("step s { if client.id == \"a0\" then challenge otp\n");
    for arm in 1..200 {
        let command = if arm % 2 == 0 { "challenge otp" } else { "challenge phone" };
        writeln!(text, "else if client.id == \"a{arm}\" then {command}").unwrap();
    }
    text.push('}');
    let program = program(&text);
    let step = only_step(&program);
    let Node::Switch { cases, .. } = &step.nodes[step.entry] else { panic!("{:?}", step.nodes[step.entry]) };
    assert_eq!(cases.iter().map(|case| case.high - case.low + 1).sum::<i64>(), 200);
    assert!(cases.is_sorted_by(|a, b| a.high < b.low));
    assert_eq!(tests(&program), 1);
}

#[test]
fn rules_one_after_the_other_are_one_switch_too() {
    let mut text = String::from("step s {\n");
    for rule in 0..2_000 {
        let factor = ["otp", "phone", "email"][rule % 3];
        writeln!(text, "if client.id == \"a{rule}\" and user.isAdmin then challenge {factor}").unwrap();
    }
    text.push_str("if client.id in [\"a5\", \"a6\"] then challenge recovery-code\nif not enrolled(otp) then deny \"x\"\n}");
    let program = program(&text);
    assert!(longest_way(only_step(&program)) <= 7, "{}", longest_way(only_step(&program)));
    assert_eq!(decide_for(&program, "a5"), DecisionWord::denied(0, 2));
}

#[test]
fn a_known_word_answers_every_later_test_of_it() {
    let program = program(
        "step s { if client.id == \"a\" then challenge otp  if client.id in [\"a\", \"b\"] then challenge phone\n\
         if client.id == \"a\" and enrolled(otp) and user.isAdmin then challenge email }",
    );
    assert_eq!(decide_for(&program, "a").len(), 2);
    assert_eq!(decide_for(&program, "b").len(), 1);
    assert_eq!(decide_for(&program, "c").len(), 0);
}

#[test]
fn membership_of_constants_is_one_test_of_one_mask() {
    let program = program("step s { if enrolled intersect [otp, phone] is not empty then challenge otp }");
    let step = only_step(&program);
    let Node::Branch { test: Test::AnyBit { mask, .. }, .. } = &step.nodes[step.entry] else { panic!() };
    assert_eq!(mask.count_ones(), 2);
}

/// A policy whose one step asks the last of these conditions.
fn asking(conditions: Vec<ConditionKind>) -> TypedPolicy {
    let mut policy = typed("step s { if user.isAdmin then challenge otp }");
    let span = policy.steps[StepId::from_u32(0)].declared;
    for kind in conditions {
        policy.conditions.push(Condition { span, kind });
    }
    let last = policy.conditions.last().map(|(id, _)| id).unwrap();
    let Statement::Branch { branches, .. } = &mut policy.steps[StepId::from_u32(0)].body[0] else { panic!() };
    branches[0].0 = last;
    policy
}

#[test]
fn a_deep_condition_is_lowered_without_recursion() {
    let deep = (0..200_000).map(|below| {
        let part = ConditionId::from_u32(below);
        if below % 2 == 0 { ConditionKind::Not(part) } else { ConditionKind::All(vec![part]) }
    });
    assert!(lower(&asking(deep.collect())).is_ok());
}

#[test]
fn conditions_that_double_at_each_level_end_at_a_bound() {
    let mut policy = asking(Vec::new());
    let bools: Vec<_> = policy.conditions.keys().collect();
    let mut last = bools[0];
    let span = policy.conditions[last].span;
    let other = policy
        .conditions
        .push(Condition { span, kind: ConditionKind::AnyPerformed(stepup::check::policy::Window::Ever) });
    for _ in 0..60 {
        let both = policy.conditions.push(Condition { span, kind: ConditionKind::All(vec![last, other]) });
        let neither = policy.conditions.push(Condition { span, kind: ConditionKind::Not(last) });
        last = policy.conditions.push(Condition { span, kind: ConditionKind::Any(vec![both, neither]) });
    }
    let Statement::Branch { branches, .. } = &mut policy.steps[StepId::from_u32(0)].body[0] else { panic!() };
    branches[0].0 = last;
    assert_eq!(lower(&policy).unwrap_err(), LowerError::TooManyNodes);
}

#[test]
fn more_reasons_than_a_word_can_number_are_refused() {
    let mut policy = typed("step s { deny \"x\" }");
    let span = policy.steps[StepId::from_u32(0)].declared;
    let body = (0..0xFFFF).map(|number| Statement::Deny { reason: number.to_string(), span });
    policy.steps[StepId::from_u32(0)].body = body.collect();
    assert_eq!(lower(&policy).unwrap_err(), LowerError::TooManyReasons);
}

#[test]
fn only_what_steps_read_is_laid_out() {
    let program = program(
        "fact unread: int = event.unread\nstep s { if user.isAdmin then challenge otp }\n\
         guarantee \"g\": organization.id is present implies enrolled(otp)",
    );
    assert_eq!(program.interface.layout.variables.len(), 1);
    assert_eq!(program.interface.layout.words, 2);
    assert!(program.interface.layout.now.is_none());
}

#[test]
fn what_is_enrolled_is_laid_out_for_prompts_and_required_by_readers_only() {
    let prompts = program("step s { if user.isAdmin then challenge otp }");
    assert_eq!(
        (prompts.interface.layout.enrolled.is_some(), prompts.interface.layout.enrolled_for),
        (true, EnrolledFor::Prompting)
    );
    let reads = program("step s { if enrolled is empty then enroll otp }");
    assert_eq!(reads.interface.layout.enrolled_for, EnrolledFor::Deciding);
    let asks_nothing = program("step s { if user.isAdmin then deny \"no\" }");
    assert!(asks_nothing.interface.layout.enrolled.is_none());
}
