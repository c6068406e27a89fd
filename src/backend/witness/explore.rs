//! The walk: from words that are known to lead somewhere, to words that lead elsewhere.

use std::collections::VecDeque;

use cranelift_entity::SecondaryMap;

use super::solve::{Asked, Limits, Path};
use super::{Coverage, Defect};
use crate::backend::interpret;
use crate::check::policy::StepId;
use crate::lower::program::{COMMAND_LIMIT, DecisionWord, Node, NodeId, Program, StepProgram};

/// A step with more ways than this, and than answers, is only walked until each answer was given.
const MAX_WAYS: usize = 512;

/// How often an answer is looked for, from different ways.
const MAX_TRIES: u8 = 3;

/// How many blocks may be passed for each answer of a step, and in any case: a chain of many tests is long to walk.
const STEPS_PER_ANSWER: usize = 64;
const LEAST_STEPS: usize = 1 << 20;

/// How many questions of a way are looked at in the time of a step.
const STEPS_PER_LOOK: usize = 8;

/// How an answer stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It was looked for so often.
    Wanted(u8),
    /// Words were found that give it, and they wait to be walked.
    Found,
    /// It was given.
    Given,
}

/// Words, and the first question of their way whose other answers are wanted.
struct Pending {
    words: Vec<u64>,
    from: usize,
}

/// Walks one step.
pub(super) struct Explorer<'p, F> {
    program: &'p Program,
    id: StepId,
    step: &'p StepProgram,
    decide: F,
    limits: Limits,
    /// The answers of each block, by its arms.
    answers: SecondaryMap<NodeId, Vec<Answer>>,
    /// How many answers of a block are still looked for.
    open: SecondaryMap<NodeId, usize>,
    /// Whether only the answers are wanted, and not all ways to give them.
    by_answers: bool,
    steps_left: usize,
    coverage: Coverage,
}

impl<'p, F: Fn(StepId, &[u64]) -> Option<DecisionWord>> Explorer<'p, F> {
    pub(super) fn new(program: &'p Program, id: StepId, decide: F) -> Self {
        let step = &program.steps[id];
        let mut explorer = Explorer {
            program,
            id,
            step,
            decide,
            limits: Limits::new(step),
            answers: SecondaryMap::new(),
            open: SecondaryMap::new(),
            by_answers: false,
            steps_left: 0,
            coverage: Coverage::default(),
        };
        let ways = explorer.want_answers();
        let answers = explorer.coverage.answers;
        explorer.by_answers = ways > MAX_WAYS.max(2 * answers);
        explorer.coverage.by_answers = usize::from(explorer.by_answers);
        explorer.steps_left = LEAST_STEPS.max(STEPS_PER_ANSWER * answers);
        explorer
    }

    /// Notes every answer that the step may come to, and counts the ways through it.
    fn want_answers(&mut self) -> usize {
        let mut ways: SecondaryMap<NodeId, usize> = SecondaryMap::new();
        for (id, node) in &self.step.nodes {
            ways[id] = match node {
                Node::End | Node::Deny(_) => 1,
                Node::Command { next, .. } => ways[*next],
                node => (0..Asked::arms(node))
                    .map(|arm| ways[Asked::target(node, arm)])
                    .fold(0, usize::saturating_add),
            };
        }
        let mut work = vec![self.step.entry];
        while let Some(id) = work.pop() {
            let node = &self.step.nodes[id];
            let arms = Asked::arms(node);
            if let Node::Command { next, .. } = node {
                work.push(*next);
            }
            if arms == 0 || !self.answers[id].is_empty() {
                continue;
            }
            self.answers[id] = vec![Answer::Wanted(0); arms];
            self.open[id] = arms;
            self.coverage.answers += arms;
            work.extend((0..arms).map(|arm| Asked::target(node, arm)));
        }
        ways[self.step.entry]
    }

    pub(super) fn explore(mut self) -> Result<Coverage, Box<Defect>> {
        // In the order in which they were found, so that short ways come before long ones.
        let mut pending = VecDeque::from([Pending { words: self.first_words(), from: 0 }]);
        while let Some(next) = pending.pop_front() {
            self.check(&next.words)?;
            self.coverage.ways += 1;
            let path = self.walk(&next.words);
            for asked in path.asked.iter().skip(next.from.saturating_sub(1)) {
                self.give(*asked, &next.words, path.asked.len())?;
            }
            for at in next.from..path.asked.len() {
                self.turn(&next.words, &path, at, &mut pending);
            }
        }
        let answers = self.answers.values().flatten();
        self.coverage.unreached = answers.filter(|answer| **answer != Answer::Given).count();
        Ok(self.coverage)
    }

    /// Words that are in no case of any switch, if that is easily had: they lead to an end soon.
    fn first_words(&self) -> Vec<u64> {
        let mut words = vec![0; self.program.layout.words];
        for node in self.step.nodes.values() {
            if let Node::Switch { slot, cases, .. } = node
                && let Some(after) = cases.last().and_then(|case| case.high.checked_add(1))
                && let Some(word) = words.get_mut(slot.0 as usize)
            {
                let before = std::mem::replace(word, (*word).max(after as u64));
                if !self.limits.allow(*slot, &words) {
                    words[slot.0 as usize] = before;
                }
            }
        }
        words
    }

    /// The questions on the way of some words.
    fn walk(&mut self, words: &[u64]) -> Path {
        let mut path = Path::default();
        let mut at = self.step.entry;
        let mut commands = 0;
        loop {
            self.steps_left = self.steps_left.saturating_sub(1);
            let node = &self.step.nodes[at];
            at = match node {
                Node::End | Node::Deny(_) => return path,
                Node::Command { .. } if commands == COMMAND_LIMIT => return path,
                Node::Command { next, .. } => {
                    commands += 1;
                    *next
                }
                _ => {
                    let arm = Asked::answer(node, words);
                    path.push(Asked { node: at, arm }, node);
                    Asked::target(node, arm)
                }
            };
        }
    }

    /// An answer has been given, on a way of this length; the first time, what lies near it is tried too.
    fn give(&mut self, asked: Asked, words: &[u64], length: usize) -> Result<(), Box<Defect>> {
        match std::mem::replace(&mut self.answers[asked.node][asked.arm], Answer::Given) {
            Answer::Given => return Ok(()),
            Answer::Wanted(tries) if tries < MAX_TRIES => self.open[asked.node] -= 1,
            Answer::Wanted(_) | Answer::Found => {}
        }
        let node = &self.step.nodes[asked.node];
        let mut words = words.to_vec();
        let mut first = Ok(());
        super::probe::each_neighbour(node, asked.arm, &mut words, &mut |slot, words| {
            if first.is_ok() && self.steps_left > 0 && self.limits.allow(slot, words) {
                self.steps_left = self.steps_left.saturating_sub(length);
                first = self.check(words);
            }
        });
        first
    }

    /// Looks for words that come to a question of a path and give another answer.
    fn turn(&mut self, words: &[u64], path: &Path, at: usize, pending: &mut VecDeque<Pending>) {
        let asked = path.asked[at];
        if self.by_answers && self.open[asked.node] == 0 {
            return;
        }
        let node = &self.step.nodes[asked.node];
        for arm in (0..Asked::arms(node)).filter(|arm| *arm != asked.arm) {
            let is_open = matches!(self.answers[asked.node][arm], Answer::Wanted(tries) if tries < MAX_TRIES);
            if self.by_answers && !is_open || self.steps_left == 0 {
                continue;
            }
            self.steps_left = self.steps_left.saturating_sub(1 + at / STEPS_PER_LOOK);
            let wanted = Asked { node: asked.node, arm };
            let found = path.solve(self.step, &self.limits, words, at, wanted);
            self.note(wanted, found.is_some());
            pending.extend(found.map(|words| Pending { words, from: at + 1 }));
        }
    }

    /// Notes that an answer was looked for.
    fn note(&mut self, asked: Asked, is_found: bool) {
        let answer = &mut self.answers[asked.node][asked.arm];
        if let Answer::Wanted(tries) = *answer
            && tries < MAX_TRIES
        {
            *answer = if is_found { Answer::Found } else { Answer::Wanted(tries + 1) };
            self.open[asked.node] -= usize::from(is_found || tries + 1 == MAX_TRIES);
        }
    }

    /// Compares the decisions on a record of words.
    fn check(&mut self, words: &[u64]) -> Result<(), Box<Defect>> {
        self.coverage.records += 1;
        let expected = interpret::decide(self.program, self.id, words);
        let found = (self.decide)(self.id, words);
        if found == Some(expected) {
            return Ok(());
        }
        let step = self.step.name.clone();
        Err(Box::new(Defect { step: step.into(), words: words.to_vec(), expected, found }))
    }
}
