//! Questions whose answers are a place in a table.
//!
//! Where a question stands at several places of the graph, selects ask it at each. But a few questions have few answers
//! in all: each answer is a bit of a number, the number is a place, and the table holds the word that the graph leads to
//! from there. So each is asked once, and what follows from the answers costs a load.

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use smallvec::SmallVec;

use super::emit::Emitter;
use super::plan::{Plan, Target};
use crate::lower::program::{DecisionWord, Test};

/// The most questions whose answers are a place.
const MAX_QUESTIONS: usize = 4;

/// Questions, each once, and where their answers lead.
pub(super) struct Answers<'a> {
    questions: SmallVec<[&'a Test; MAX_QUESTIONS]>,
    /// By the answers, read as bits: the first question's is the lowest.
    pub(super) words: Vec<u64>,
}

impl<'a> Answers<'a> {
    /// The questions from a small target on, if they are few, and one of them stands at several places.
    pub(super) fn new(plan: &Plan<'a>, target: Target) -> Option<Self> {
        let mut answers = Answers { questions: SmallVec::new(), words: Vec::new() };
        let mut places = SmallVec::new();
        answers.collect(plan, target, &mut places)?;
        if places.len() == answers.questions.len() {
            return None;
        }
        let all = 0..1 << answers.questions.len();
        answers.words = all.map(|yes| answers.follow(plan, target, yes).0).collect();
        Some(answers)
    }

    /// Finds the questions from `target` on. The recursion is as deep as a block has selects.
    fn collect(&mut self, plan: &Plan<'a>, target: Target, places: &mut SmallVec<[Target; 8]>) -> Option<()> {
        let Some((test, arms)) = plan.question(target) else {
            // A switch has more answers than two.
            return target.node().is_none().then_some(());
        };
        if places.contains(&target) {
            return Some(());
        }
        places.push(target);
        if !self.questions.contains(&test) {
            if self.questions.len() == MAX_QUESTIONS {
                return None;
            }
            self.questions.push(test);
        }
        arms.into_iter().try_for_each(|arm| self.collect(plan, arm, places))
    }

    /// The word that these answers lead to.
    fn follow(&self, plan: &Plan<'a>, mut target: Target, yes: usize) -> DecisionWord {
        while let Some((test, [then, otherwise])) = plan.question(target) {
            let number = self.questions.iter().position(|question| *question == test);
            let number = number.expect("`collect` has seen every question");
            target = if yes >> number & 1 != 0 { then } else { otherwise };
        }
        match target {
            Target::Return(word) => word,
            Target::Node(..) => unreachable!("`collect` has been everywhere"),
        }
    }
}

impl Emitter<'_> {
    /// The word at the place that the answers make.
    pub(super) fn word_of(&mut self, answers: &Answers<'_>) -> Value {
        let (table, width) = self.tables.add_array(&[&answers.words]);
        let mut address = self.tables_address(table.offset);
        for (test, bit) in answers.questions.iter().zip(width.trailing_zeros()..) {
            let digit = self.digit(test, bit);
            address = self.builder.ins().iadd(address, digit);
        }
        self.number(address, 0, width)
    }

    /// The answer as a bit of a number that has no other.
    fn digit(&mut self, test: &Test, bit: u32) -> Value {
        match test {
            Test::AnyBit { slot, mask } if mask.is_power_of_two() => {
                let word = self.load(*slot);
                let from = mask.trailing_zeros();
                let distance = self.constant(bit.abs_diff(from).into());
                let moved = if from < bit {
                    self.builder.ins().ishl(word, distance)
                } else {
                    self.builder.ins().ushr(word, distance)
                };
                self.builder.ins().band_imm_u(moved, 1 << bit)
            }
            _ => {
                let answer = self.test(test);
                self.shifted(answer, bit)
            }
        }
    }

    /// An answer, which is 0 or 1, as a bit of a number.
    pub(super) fn shifted(&mut self, answer: Value, bit: u32) -> Value {
        let is_wide = self.builder.func.dfg.value_type(answer) == I64;
        let answer = if is_wide { answer } else { self.builder.ins().uextend(I64, answer) };
        let distance = self.constant(bit.into());
        self.builder.ins().ishl(answer, distance)
    }
}
