//! Switches as data.
//!
//! The arms of a switch are often alike: a few questions, each with constants of its own, then a word. Such an arm is a
//! row of a table: the constants, and the words that the answers lead to. One piece of code reads the row of the
//! number at hand and answers its questions without a jump, so 10,000 arms take a longer table, and no more code
//! or time than ten.

use smallvec::SmallVec;

use super::line::{Index, Line};
use super::plan::{Plan, Target, Word};
use crate::lower::layout::WordSlot;
use crate::lower::program::{DecisionWord, Node, NodeId, SetFormula, Test};

/// The most questions of a row.
const MAX_QUESTIONS: usize = 3;

/// What a question is about; how it is answered is up to the row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Subject {
    /// Some bits of a word have a certain value.
    Bits(WordSlot),
    /// The bit whose number is a word is one of some bits.
    Power(WordSlot),
    /// A word lies in a range.
    Number(WordSlot),
    /// The time from a stamp to now lies in a range.
    Age {
        /// The word that holds `now`.
        now: WordSlot,
        /// The word that holds the stamp.
        stamp: WordSlot,
    },
    /// The number of bits of a set lies in a range.
    Count(SetFormula),
}

/// The constants of a question: `(subject & mask) - low <= span`, unsigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Constants {
    pub(super) mask: u64,
    pub(super) low: u64,
    pub(super) span: u64,
}

/// A switch as a table.
pub(super) struct Rows {
    pub(super) index: Index,
    pub(super) subjects: SmallVec<[Subject; MAX_QUESTIONS]>,
    pub(super) outcome: Outcome,
    pub(super) rows: Vec<Row>,
}

/// Which word of its row an answer leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The only one.
    Fixed,
    /// The second if all questions are answered yes, else the first.
    All,
    /// That of the answers, read as the bits of a number.
    Each,
}

/// A row: constants for each subject, and words.
pub(super) struct Row {
    pub(super) constants: SmallVec<[Constants; MAX_QUESTIONS]>,
    pub(super) words: SmallVec<[DecisionWord; 2]>,
}

/// A question of an arm.
struct Question<'a> {
    test: &'a Test,
    constants: Constants,
    /// Which subject it is asked of.
    place: usize,
    /// What the constants say when the test holds.
    yes: bool,
}

/// An arm and its questions.
struct Arm<'a> {
    start: Target,
    questions: SmallVec<[Question<'a>; MAX_QUESTIONS]>,
}

impl Rows {
    /// A switch as a table, where `word` is known before it and all its arms end after a few questions.
    pub(super) fn new(plan: &Plan<'_>, line: Line, word: DecisionWord) -> Option<Rows> {
        let mut subjects = SmallVec::new();
        let mut arms = Vec::with_capacity(line.targets.len());
        for target in line.targets {
            let start = plan.follow(target, Word::Known(word));
            let mut arm = Arm { start, questions: SmallVec::new() };
            arm.collect(plan, start, &mut subjects)?;
            arms.push(arm);
        }
        let outcome = match subjects.len() {
            0 => Outcome::Fixed,
            _ if arms.iter().all(|arm| arm.is_conjunction(plan)) => Outcome::All,
            _ => Outcome::Each,
        };
        let rows = arms.iter().map(|arm| arm.row(plan, &subjects, outcome)).collect();
        Some(Rows { index: line.index, subjects, outcome, rows })
    }
}

impl<'a> Arm<'a> {
    /// Finds the questions from `target` on; each is one at most of its subject. The recursion is as deep as they
    /// may be many.
    fn collect(
        &mut self,
        plan: &Plan<'a>,
        target: Target,
        subjects: &mut SmallVec<[Subject; MAX_QUESTIONS]>,
    ) -> Option<()> {
        let Target::Node(node, word) = target else { return Some(()) };
        let (test, arms) = branch(plan, node)?;
        if self.questions.iter().all(|question| question.test != test) {
            let (subject, constants, yes) = constants(test);
            let is_asked = |place| self.questions.iter().any(|question| question.place == place);
            let known =
                subjects.iter().enumerate().find(|(place, known)| **known == subject && !is_asked(*place));
            let place = known.map_or(subjects.len(), |(place, _)| place);
            if place == MAX_QUESTIONS || self.questions.len() == MAX_QUESTIONS {
                return None;
            }
            if place == subjects.len() {
                subjects.push(subject);
            }
            self.questions.push(Question { test, constants, place, yes });
        }
        arms.into_iter().try_for_each(|arm| self.collect(plan, plan.follow(arm, word), subjects))
    }

    /// The word for answers, given as bits by the places of their subjects.
    fn word(&self, plan: &Plan<'_>, answers: usize) -> DecisionWord {
        let mut target = self.start;
        loop {
            let (node, word) = match target {
                Target::Return(word) => return word,
                Target::Node(node, word) => (node, word),
            };
            let asked = branch(plan, node).and_then(|(test, arms)| {
                let question = self.questions.iter().find(|question| question.test == test)?;
                Some((question, arms))
            });
            let (question, [then, otherwise]) = asked.expect("`collect` has been everywhere");
            let holds = (answers >> question.place & 1 != 0) == question.yes;
            target = plan.follow(if holds { then } else { otherwise }, word);
        }
    }

    /// The bits of the subjects that it asks about.
    fn asked(&self) -> usize {
        self.questions.iter().fold(0, |asked, question| asked | 1 << question.place)
    }

    /// Whether all answers but one lead to the same word.
    fn is_conjunction(&self, plan: &Plan<'_>) -> bool {
        let asked = self.asked();
        let no = self.word(plan, 0);
        (0..asked).filter(|answers| answers & !asked == 0).all(|answers| self.word(plan, answers) == no)
    }

    fn row(&self, plan: &Plan<'_>, subjects: &[Subject], outcome: Outcome) -> Row {
        let mut constants: SmallVec<_> = subjects.iter().map(Subject::always).collect();
        for question in &self.questions {
            constants[question.place] = question.constants;
        }
        let all = (1 << subjects.len()) - 1;
        let words = match outcome {
            Outcome::Fixed => [self.word(plan, 0)].into_iter().collect(),
            Outcome::All => [self.word(plan, 0), self.word(plan, all)].into_iter().collect(),
            Outcome::Each => (0..=all).map(|answers| self.word(plan, answers)).collect(),
        };
        Row { constants, words }
    }
}

/// A question of the graph and where its answers lead.
fn branch<'a>(plan: &Plan<'a>, node: NodeId) -> Option<(&'a Test, [NodeId; 2])> {
    match &plan.step.nodes[node] {
        Node::Branch { test, then, otherwise } => Some((test, [*then, *otherwise])),
        _ => None,
    }
}

impl Subject {
    /// Constants to which the answer is always yes, as much like others as can be.
    fn always(&self) -> Constants {
        match self {
            Subject::Bits(_) | Subject::Power(_) => Constants { mask: 0, low: 0, span: 0 },
            Subject::Number(_) | Subject::Age { .. } | Subject::Count(_) => {
                Constants { mask: u64::MAX, low: 0, span: u64::MAX }
            }
        }
    }
}

/// A test as constants of a subject, and their answer when it holds.
fn constants(test: &Test) -> (Subject, Constants, bool) {
    let bits = |mask, value| Constants { mask, low: value, span: 0 };
    let range = |low: i64, high: i64| {
        let span = high.wrapping_sub(low) as u64;
        Constants { mask: u64::MAX, low: low as u64, span }
    };
    match *test {
        Test::AnyBit { slot, mask } if mask.is_power_of_two() => {
            (Subject::Bits(slot), bits(mask, mask), true)
        }
        Test::AnyBit { slot, mask } => (Subject::Bits(slot), bits(mask, 0), false),
        Test::Masked { slot, mask, value } => (Subject::Bits(slot), bits(mask, value), true),
        Test::OneOf { slot, mask } => (Subject::Power(slot), bits(mask, 0), false),
        Test::Between { slot, low, high } if low <= high => (Subject::Number(slot), range(low, high), true),
        Test::Age { now, stamp, low, high } if low <= high => {
            (Subject::Age { now, stamp }, range(low, high), true)
        }
        Test::Count { ref set, low, high } if low <= high => {
            (Subject::Count(set.clone()), range(low.into(), high.into()), true)
        }
        // Nothing lies in an empty range.
        Test::Between { slot, .. } | Test::Age { now: slot, .. } => {
            (Subject::Number(slot), Subject::Number(slot).always(), false)
        }
        Test::Count { ref set, .. } => {
            let subject = Subject::Count(set.clone());
            let always = subject.always();
            (subject, always, false)
        }
    }
}
