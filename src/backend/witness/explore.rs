//! The walk: from words that are known to lead somewhere, to words that lead elsewhere.

use std::collections::VecDeque;

use cranelift_entity::SecondaryMap;

use super::solve::{Asked, Limits, Path};
use super::{Coverage, Defect};
use crate::backend::interpret;
use crate::check::policy::StepId;
use crate::lower::layout::WordSlot;
use crate::lower::program::{COMMAND_LIMIT, DecisionWord, Node, NodeId, Program, StepProgram};

/// A step with more ways than this, and than answers, is only walked until each answer was given.
const MAX_WAYS: usize = 512;

/// How often an answer is looked for, from different ways.
const MAX_TRIES: u8 = 3;

/// How many blocks may be passed for each answer of a step, and in any case: a chain of many tests is long to walk.
/// Ways have so many, and probes as many again.
const STEPS_PER_ANSWER: usize = 128;
const LEAST_STEPS: usize = 1 << 22;

/// How many questions are looked at, to find words, in the time of a step.
const LOOKS_PER_STEP: usize = 2;

/// How an answer stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It was looked for so often.
    Wanted(u8),
    /// It was given.
    Given,
}

/// Words that were walked, and the first question of their way whose other answers are wanted.
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
    probe_steps_left: usize,
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
            probe_steps_left: 0,
            coverage: Coverage::default(),
        };
        let ways = explorer.want_answers();
        let answers = explorer.coverage.answers;
        explorer.by_answers = ways > MAX_WAYS.max(2 * answers);
        explorer.coverage.by_answers = usize::from(explorer.by_answers);
        explorer.steps_left = LEAST_STEPS.max(STEPS_PER_ANSWER * answers);
        explorer.probe_steps_left = explorer.steps_left;
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
        let mut pending = VecDeque::new();
        self.visit(self.first_words(), 0, &mut pending)?;
        while let Some(next) = pending.pop_front()
            && self.steps_left > 0
        {
            let path = Path::new(self.step, self.walk(&next.words));
            for at in next.from..path.asked.len() {
                self.turn(&next.words, &path, at, &mut pending)?;
            }
        }
        let answers = self.answers.values().flatten();
        self.coverage.unreached = answers.filter(|answer| **answer != Answer::Given).count();
        Ok(self.coverage)
    }

    /// Walks words whose way is new from a question on. They wait to be turned, if something there is wanted.
    fn visit(
        &mut self,
        words: Vec<u64>,
        from: usize,
        pending: &mut VecDeque<Pending>,
    ) -> Result<(), Box<Defect>> {
        let passed = self.check(&words)?;
        self.steps_left = self.steps_left.saturating_sub(passed);
        self.coverage.ways += 1;
        let asked = self.walk(&words);
        self.turn_over_unread(&words, &asked)?;
        for asked in asked.iter().skip(from.saturating_sub(1)) {
            self.give(*asked, &words)?;
        }
        if asked.iter().skip(from).any(|asked| self.is_open(*asked)) {
            pending.push_back(Pending { words, from });
        }
        Ok(())
    }

    /// What no question on a way reads must not matter to it.
    fn turn_over_unread(&mut self, words: &[u64], asked: &[Asked]) -> Result<(), Box<Defect>> {
        let mut read = vec![0; words.len()];
        for asked in asked {
            super::solve::each_read(&self.step.nodes[asked.node], |slot, mask| {
                if let Some(read) = read.get_mut(slot.0 as usize) {
                    *read |= mask;
                }
            });
        }
        let mut words = words.to_vec();
        for (place, read) in read.into_iter().enumerate() {
            words[place] ^= !read;
            if !self.limits.allow(WordSlot(place as u32), &words) {
                words[place] ^= !read;
            }
        }
        let passed = self.check(&words)?;
        self.probe_steps_left = self.probe_steps_left.saturating_sub(passed);
        Ok(())
    }

    /// Whether other answers to a question are wanted.
    fn is_open(&self, asked: Asked) -> bool {
        !self.by_answers || self.open[asked.node] > 0
    }

    /// Words that are in no case of any switch, if that is easily had: they lead to an end soon.
    fn first_words(&self) -> Vec<u64> {
        let mut words = vec![0; self.program.interface.layout.words];
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
    fn walk(&mut self, words: &[u64]) -> Vec<Asked> {
        let mut all_asked = Vec::new();
        let mut at = self.step.entry;
        let mut commands = 0;
        loop {
            self.steps_left = self.steps_left.saturating_sub(1);
            let node = &self.step.nodes[at];
            at = match node {
                Node::End | Node::Deny(_) => return all_asked,
                Node::Command { .. } if commands == COMMAND_LIMIT => return all_asked,
                Node::Command { next, .. } => {
                    commands += 1;
                    *next
                }
                _ => {
                    let arm = Asked::answer(node, words);
                    all_asked.push(Asked { node: at, arm });
                    Asked::target(node, arm)
                }
            };
        }
    }

    /// An answer has been given; the first time, what lies near it is tried too.
    fn give(&mut self, asked: Asked, words: &[u64]) -> Result<(), Box<Defect>> {
        match std::mem::replace(&mut self.answers[asked.node][asked.arm], Answer::Given) {
            Answer::Given => return Ok(()),
            Answer::Wanted(tries) => self.open[asked.node] -= usize::from(tries < MAX_TRIES),
        }
        let node = &self.step.nodes[asked.node];
        let mut words = words.to_vec();
        let mut first = Ok(());
        super::probe::each_neighbour(node, asked.arm, &mut words, &mut |slot, words| {
            if first.is_ok() && self.probe_steps_left > 0 && self.limits.allow(slot, words) {
                first = self.check(words).map(|passed| {
                    self.probe_steps_left = self.probe_steps_left.saturating_sub(passed);
                });
            }
        });
        first
    }

    /// Looks for words that come to a question of a path and give another answer, and walks them.
    fn turn(
        &mut self,
        words: &[u64],
        path: &Path,
        at: usize,
        pending: &mut VecDeque<Pending>,
    ) -> Result<(), Box<Defect>> {
        let asked = path.asked[at];
        if !self.is_open(asked) {
            return Ok(());
        }
        let node = &self.step.nodes[asked.node];
        for arm in (0..Asked::arms(node)).filter(|arm| *arm != asked.arm) {
            let is_wanted =
                matches!(self.answers[asked.node][arm], Answer::Wanted(tries) if tries < MAX_TRIES);
            if self.by_answers && !is_wanted || self.steps_left == 0 {
                continue;
            }
            let wanted = Asked { node: asked.node, arm };
            let (found, looks) = path.solve(self.step, &self.limits, words, at, wanted);
            self.steps_left = self.steps_left.saturating_sub(1 + looks / LOOKS_PER_STEP);
            match found {
                Some(words) => self.visit(words, at + 1, pending)?,
                None => self.note_failure(wanted),
            }
        }
        Ok(())
    }

    /// Notes that an answer was looked for in vain.
    fn note_failure(&mut self, asked: Asked) {
        let answer = &mut self.answers[asked.node][asked.arm];
        if let Answer::Wanted(tries) = *answer
            && tries < MAX_TRIES
        {
            *answer = Answer::Wanted(tries + 1);
            self.open[asked.node] -= usize::from(tries + 1 == MAX_TRIES);
        }
    }

    /// Compares the decisions on a record of words, and counts the blocks that are passed for them.
    fn check(&mut self, words: &[u64]) -> Result<usize, Box<Defect>> {
        self.coverage.records += 1;
        let (expected, passed) = interpret::decide_counting(self.step, words);
        let found = (self.decide)(self.id, words);
        if found == Some(expected) {
            return Ok(passed);
        }
        let step =
            self.program.interface.steps.get(self.id).map_or_else(String::new, |name| name.to_string());
        Err(Box::new(Defect { step, words: words.to_vec(), expected, found }))
    }
}
