//! Switches as data.
//!
//! The arms of a switch are often alike: a few questions, each with constants of its own, then a word. Such an arm is a
//! row of a table: the constants, and the words that the answers lead to. One piece of code reads the row of the
//! number at hand and answers its questions without a jump, so 10,000 arms take a longer table, and no more code
//! or time than ten.
//!
//! A row ends the step, or it goes on at one of a few blocks that all rows have in common, its *exits*: what follows the
//! rules, or the next switch. Where all arms are switches of one word, both are one table.

use std::collections::HashSet;

use smallvec::SmallVec;

use super::line::{Index, Line, Nested, Part};
use super::plan::{Plan, Target, Word};
use crate::lower::layout::WordSlot;
use crate::lower::program::{DecisionWord, Node, NodeId, SetFormula, Test};

/// The most questions of a row.
const MAX_QUESTIONS: usize = 3;

/// So many switches at least are worth being one table.
const MIN_NESTED: usize = 2;

/// The most blocks that an arm may have, counted on each way.
const MAX_MET: usize = 24;

/// The most exits of a table.
const MAX_EXITS: usize = 4;

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
    /// Where rows lead, by the numbers in their cells.
    pub(super) exits: SmallVec<[Exit; MAX_EXITS]>,
    pub(super) rows: Vec<Row>,
}

/// Where a row leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// To the end, with the word of the cell.
    Return,
    /// To a block, with the word of the cell, which has so many commands.
    Node(NodeId, usize),
}

/// Which cell of its row an answer leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The only one.
    Fixed,
    /// The second if all questions are answered yes, else the first.
    All,
    /// That of the answers, read as the bits of a number.
    Each,
}

/// A row: constants for each subject, and cells.
pub(super) struct Row {
    pub(super) constants: SmallVec<[Constants; MAX_QUESTIONS]>,
    pub(super) cells: SmallVec<[Cell; 2]>,
}

/// A word, and where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub(super) word: DecisionWord,
    pub(super) exit: usize,
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
    /// Where it ends, at the latest.
    after: Option<NodeId>,
    /// How many blocks were met, each as often as ways lead there.
    met: usize,
    questions: SmallVec<[Question<'a>; MAX_QUESTIONS]>,
}

impl Rows {
    /// A switch as a table, where `word` is known before it and all its arms end alike after a few questions: with the
    /// step, or else where what follows the switch begins.
    pub(super) fn new(plan: &Plan<'_>, line: Line, otherwise: NodeId, word: DecisionWord) -> Option<Rows> {
        let (index, starts) = nested(plan, line, word)?;
        let after = match plan.follow(otherwise, Word::Known(word)) {
            Target::Node(node, _) => Some(node),
            Target::Return(_) => None,
        };
        let (arms, subjects) = arms(plan, &starts, None).or_else(|| arms(plan, &starts, Some(after?)))?;
        let outcome = match subjects.len() {
            0 => Outcome::Fixed,
            _ if arms.iter().all(|arm| arm.is_conjunction(plan)) => Outcome::All,
            _ => Outcome::Each,
        };
        let mut exits = SmallVec::new();
        let rows: Option<Vec<Row>> =
            arms.iter().map(|arm| arm.row(plan, &subjects, outcome, &mut exits)).collect();
        Some(Rows { index, subjects, outcome, exits, rows: rows? })
    }

    /// Whether every row ends the step.
    pub(super) fn is_final(&self) -> bool {
        self.exits.iter().all(|exit| *exit == Exit::Return)
    }

    /// Where the exits lead, in the order of their numbers.
    pub(super) fn exits(&self) -> impl Iterator<Item = Target> {
        self.exits.iter().enumerate().map(|(place, exit)| match exit {
            Exit::Return => Target::Return(DecisionWord::NOTHING),
            Exit::Node(node, commands) => {
                let word = self.word_at(place).map_or(Word::Running(*commands), Word::Known);
                Target::Node(*node, word)
            }
        })
    }

    /// The word with which an exit is left, if it is always the same.
    fn word_at(&self, exit: usize) -> Option<DecisionWord> {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        let mut words = cells.filter(|cell| cell.exit == exit).map(|cell| cell.word);
        let first = words.next()?;
        words.all(|word| word == first).then_some(first)
    }
}

/// Where the places of a line lead; a place whose arm is a switch of the same word as others is cut into the places of
/// that. `None` if one of them has to be searched.
fn nested(plan: &Plan<'_>, line: Line, word: DecisionWord) -> Option<(Index, Vec<Target>)> {
    let starts: Vec<Target> =
        line.targets.iter().map(|target| plan.follow(*target, Word::Known(word))).collect();
    let switch = |start: &Target| match start {
        Target::Node(node, word) => match &plan.step.nodes[*node] {
            Node::Switch { slot, cases, otherwise } => Some((*slot, cases, *otherwise, *word)),
            _ => None,
        },
        Target::Return(_) => None,
    };
    let mut inner = starts.iter().filter_map(switch);
    let Some((slot, ..)) = inner.next() else { return Some((line.index, starts)) };
    // Where several places lead to one switch, that is what follows.
    let distinct: HashSet<NodeId> =
        starts.iter().filter_map(|start| switch(start).and(start.node())).collect();
    if inner.any(|(other, ..)| other != slot) || distinct.len() < MIN_NESTED {
        return Some((line.index, starts));
    }
    let mut nested = Nested { outer: line.index, slot, parts: Vec::new() };
    let mut targets = Vec::new();
    for start in starts {
        let base = targets.len() as u64;
        let (first, last) = match switch(&start) {
            None => {
                targets.push(start);
                (0, 0)
            }
            Some((_, cases, otherwise, word)) => {
                let inner = Line::new(cases, otherwise);
                let Index::Wrapped { first, last } = inner.index else { return None };
                targets.extend(inner.targets.into_iter().map(|target| plan.follow(target, word)));
                (first, last)
            }
        };
        nested.parts.push(Part { first, last, base });
    }
    Some((Index::Nested(Box::new(nested)), targets))
}

/// The arms that begin at some targets, with their subjects. `after` is where what follows the switch begins.
fn arms<'a>(
    plan: &Plan<'a>,
    starts: &[Target],
    after: Option<NodeId>,
) -> Option<(Vec<Arm<'a>>, SmallVec<[Subject; MAX_QUESTIONS]>)> {
    let mut subjects = SmallVec::new();
    let mut arms = Vec::with_capacity(starts.len());
    for start in starts {
        let mut arm = Arm { start: *start, after, met: 0, questions: SmallVec::new() };
        arm.collect(plan, *start, &mut subjects)?;
        arms.push(arm);
    }
    Some((arms, subjects))
}

impl<'a> Arm<'a> {
    /// What is asked at a target, if the arm doesn't end there.
    fn question(&self, plan: &Plan<'a>, target: Target) -> Option<(&'a Test, [Target; 2])> {
        let is_after = self.after.is_some() && target.node() == self.after;
        plan.question(target).filter(|_| !is_after)
    }

    /// Finds the questions from `target` on; each is one at most of its subject. The recursion is as deep as blocks are
    /// met.
    fn collect(
        &mut self,
        plan: &Plan<'a>,
        target: Target,
        subjects: &mut SmallVec<[Subject; MAX_QUESTIONS]>,
    ) -> Option<()> {
        let Some((test, arms)) = self.question(plan, target) else { return Some(()) };
        self.met += 1;
        if self.met > MAX_MET {
            return None;
        }
        if self.questions.iter().all(|question| question.test != test) {
            let (subject, constants, yes) = constants(test);
            let is_asked = |place| self.questions.iter().any(|question| question.place == place);
            let mut known = subjects.iter().enumerate();
            let known = known.find(|(place, known)| **known == subject && !is_asked(*place));
            let place = known.map_or(subjects.len(), |(place, _)| place);
            if place == MAX_QUESTIONS || self.questions.len() == MAX_QUESTIONS {
                return None;
            }
            if place == subjects.len() {
                subjects.push(subject);
            }
            self.questions.push(Question { test, constants, place, yes });
        }
        arms.into_iter().try_for_each(|arm| self.collect(plan, arm, subjects))
    }

    /// Where answers lead, given as bits by the places of their subjects.
    fn end(&self, plan: &Plan<'a>, answers: usize) -> Target {
        let mut target = self.start;
        while let Some((test, [then, otherwise])) = self.question(plan, target) {
            let question = self.questions.iter().find(|question| question.test == test);
            let question = question.expect("`collect` has been everywhere");
            let holds = (answers >> question.place & 1 != 0) == question.yes;
            target = if holds { then } else { otherwise };
        }
        target
    }

    /// Whether all answers but one lead to the same end.
    fn is_conjunction(&self, plan: &Plan<'a>) -> bool {
        let asked = self.questions.iter().fold(0, |asked, question| asked | 1 << question.place);
        let no = self.end(plan, 0);
        (0..asked).filter(|answers| answers & !asked == 0).all(|answers| self.end(plan, answers) == no)
    }

    fn row(
        &self,
        plan: &Plan<'a>,
        subjects: &[Subject],
        outcome: Outcome,
        exits: &mut SmallVec<[Exit; MAX_EXITS]>,
    ) -> Option<Row> {
        let mut constants: SmallVec<_> = subjects.iter().map(Subject::always).collect();
        for question in &self.questions {
            constants[question.place] = question.constants;
        }
        let mut cell = |answers| {
            let (exit, word) = match self.end(plan, answers) {
                Target::Return(word) => (Exit::Return, word),
                Target::Node(node, Word::Known(word)) => (Exit::Node(node, word.len()), word),
                Target::Node(_, Word::Running(_)) => return None,
            };
            let known = exits.iter().position(|known| *known == exit);
            let place = known.unwrap_or(exits.len());
            if place == exits.len() {
                exits.push(exit);
            }
            (place < MAX_EXITS).then_some(Cell { word, exit: place })
        };
        let all = (1 << subjects.len()) - 1;
        let cells: Option<SmallVec<_>> = match outcome {
            Outcome::Fixed => [cell(0)].into_iter().collect(),
            Outcome::All => [cell(0), cell(all)].into_iter().collect(),
            Outcome::Each => (0..=all).map(cell).collect(),
        };
        Some(Row { constants, cells: cells? })
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
            (Subject::Count(SetFormula::clone(set)), range(low.into(), high.into()), true)
        }
        // Nothing lies in an empty range.
        Test::Between { slot, .. } | Test::Age { now: slot, .. } => {
            (Subject::Number(slot), Subject::Number(slot).always(), false)
        }
        Test::Count { ref set, .. } => {
            let subject = Subject::Count(SetFormula::clone(set));
            let always = subject.always();
            (subject, always, false)
        }
    }
}
