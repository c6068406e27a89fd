//! What a user has answered so far, and how old the answers were found, as binary variables beside the facts.
//!
//! A comparison follows both flows along the same answers, so a set of logins is a set of facts *and* answers: what
//! differs only after one answer is told with that answer. The variables stand below the facts, where they cost
//! nothing until somebody answers.

use std::collections::BTreeMap;

use cranelift_entity::EntityRef;

use crate::check::policy::{FactorId, TypedPolicy};
use crate::flow::budget::Limited;
use crate::flow::diagram::{Diagrams, Formula};
use crate::flow::facts::LoginReads;
use crate::flow::state::LoginState;
use crate::trace::MAX_COMMANDS;

/// Something that can be asked of the answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AnswerTest {
    /// The user passes the prompt of this number, from 0.
    Passed(usize),
    /// The user passes this factor, at any prompt.
    Passes(FactorId),
    /// The prompt of this number, from 0, is answered with this factor.
    Answer(usize, FactorId),
    /// Once so many prompts are answered, the answer to the one of this number, from 0, is at least so old, in
    /// milliseconds.
    Aged {
        /// How many prompts are answered.
        answered: usize,
        /// Which answer is meant.
        answer: usize,
        /// The age.
        age: i64,
    },
}

/// The variables of the answers.
pub(super) struct Transcript {
    /// For each prompt, the number of the factor plus one; 0 for no answer.
    answers: Vec<Vec<u32>>,
    aged: BTreeMap<(usize, usize, i64), u32>,
    /// The first of the variables.
    pub(super) first: u32,
    /// How many binary variables there are, with those of the facts.
    pub(super) size: u32,
}

impl Transcript {
    /// Variables from `first` on.
    pub(super) fn new(policy: &TypedPolicy, reads: &LoginReads, first: u32) -> Self {
        let mut size = first;
        let mut one = || {
            size += 1;
            size - 1
        };
        let bits = usize::BITS - policy.catalog.factors.len().leading_zeros();
        let answers = (0..MAX_COMMANDS).map(|_| (0..bits).map(|_| one()).collect()).collect();
        let mut aged = BTreeMap::new();
        for answered in 2..=MAX_COMMANDS {
            for answer in 0..answered - 1 {
                for age in reads.windows.values().flatten().filter(|length| **length > 0) {
                    aged.entry((answered, answer, *age)).or_insert_with(&mut one);
                }
            }
        }
        Transcript { answers, aged, first, size }
    }

    /// The logins that have answered nothing from a prompt on.
    pub(super) fn nothing_from(&self, prompt: usize, diagrams: &Diagrams) -> Limited<Formula> {
        let bits = self.answers.iter().skip(prompt).flatten();
        let later = self.aged.iter().filter(|((answered, ..), _)| *answered > prompt).map(|(_, bit)| bit);
        bits.chain(later)
            .try_fold(diagrams.everything(), |all, bit| diagrams.minus(all, diagrams.variable(*bit)))
    }

    /// The logins that have passed just so many prompts.
    pub(super) fn just(&self, prompts: usize, diagrams: &Diagrams) -> Limited<Formula> {
        let nothing_more = self.nothing_from(prompts, diagrams)?;
        match prompts.checked_sub(1) {
            Some(last) => diagrams.and(nothing_more, self.formula(AnswerTest::Passed(last), diagrams)?),
            None => Ok(nothing_more),
        }
    }

    /// The logins whose last answer was this, and whose answers are then as old as the state says.
    pub(super) fn answered(&self, state: &LoginState, diagrams: &Diagrams) -> Limited<Formula> {
        let passed: Vec<FactorId> = state.passed_factors().collect();
        let Some((last, _)) = passed.split_last() else { return Ok(diagrams.everything()) };
        let mut all = self.answer(passed.len() - 1, *last, diagrams)?;
        let ages = self.aged.range((passed.len(), 0, 0)..(passed.len() + 1, 0, 0));
        for ((_, answer, length), bit) in ages {
            let age = passed.get(*answer).and_then(|factor| state.age(*factor)).unwrap_or(0);
            let bit = diagrams.variable(*bit);
            all = if age >= *length { diagrams.and(all, bit)? } else { diagrams.minus(all, bit)? };
        }
        Ok(all)
    }

    fn answer(&self, prompt: usize, factor: FactorId, diagrams: &Diagrams) -> Limited<Formula> {
        match self.answers.get(prompt) {
            Some(bits) => diagrams.number_in(bits, &[factor.index() as u32 + 1]),
            None => Ok(diagrams.nothing()),
        }
    }

    /// All that can be asked, what tells most first.
    pub(super) fn tests(&self, policy: &TypedPolicy) -> Vec<AnswerTest> {
        let factors = || policy.catalog.factors.keys();
        let passed = (0..self.answers.len()).map(AnswerTest::Passed);
        let passes = passed.chain(factors().map(AnswerTest::Passes));
        let answers =
            (0..self.answers.len()).flat_map(|at| factors().map(move |f| AnswerTest::Answer(at, f)));
        let aged = self.aged.keys().map(|(answered, answer, age)| AnswerTest::Aged {
            answered: *answered,
            answer: *answer,
            age: *age,
        });
        passes.chain(answers).chain(aged).collect()
    }

    /// The logins in which a test of the answers holds.
    pub(super) fn formula(&self, test: AnswerTest, diagrams: &Diagrams) -> Limited<Formula> {
        match test {
            AnswerTest::Answer(prompt, factor) => self.answer(prompt, factor, diagrams),
            AnswerTest::Passed(prompt) => {
                let bits = self.answers.get(prompt).into_iter().flatten();
                diagrams.any(bits.map(|bit| diagrams.variable(*bit)))
            }
            AnswerTest::Passes(factor) => {
                let each = (0..self.answers.len()).map(|prompt| self.answer(prompt, factor, diagrams));
                diagrams.any(each.collect::<Limited<Vec<_>>>()?)
            }
            AnswerTest::Aged { answered, answer, age } => {
                let bit = self.aged.get(&(answered, answer, age));
                Ok(bit.map_or_else(|| diagrams.nothing(), |bit| diagrams.variable(*bit)))
            }
        }
    }

    /// The answers of one login, from the values of all variables.
    pub(super) fn decode(&self, values: &[bool]) -> Answers {
        let bit = |number: &u32| values.get(*number as usize).copied().unwrap_or(false);
        let code = |bits: &Vec<u32>| bits.iter().fold(0, |code, number| code << 1 | usize::from(bit(number)));
        let factors = self.answers.iter().map(code).map_while(|code| code.checked_sub(1));
        let factors: Vec<FactorId> = factors.map(FactorId::new).collect();
        let mut ages = BTreeMap::new();
        for ((answered, answer, age), number) in &self.aged {
            if bit(number) {
                // Ages stand in order, so the last one set is the largest.
                ages.insert((*answered, *answer), *age);
            }
        }
        Answers { factors, ages }
    }
}

/// What one user answers, and how old the answers are found.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Answers {
    /// The factors, in order.
    pub factors: Vec<FactorId>,
    /// By how many prompts are answered and which answer is meant, its age in milliseconds where it is not 0.
    pub ages: BTreeMap<(usize, usize), i64>,
}

impl Answers {
    /// How old an answer is once so many prompts are answered.
    pub fn age(&self, answered: usize, answer: usize) -> i64 {
        self.ages.get(&(answered, answer)).copied().unwrap_or(0)
    }

    /// Whether a test of the answers holds.
    pub fn hold(&self, test: AnswerTest) -> bool {
        match test {
            AnswerTest::Passed(prompt) => self.factors.len() > prompt,
            AnswerTest::Passes(factor) => self.factors.contains(&factor),
            AnswerTest::Answer(prompt, factor) => self.factors.get(prompt) == Some(&factor),
            AnswerTest::Aged { answered, answer, age } => self.age(answered, answer) >= age,
        }
    }
}
