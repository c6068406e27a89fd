//! The plan of a step's machine code: which blocks there are, and what each knows of the decision word so far.
//!
//! A node is emitted once for each word with which it can be reached, while these are few: then the word is a
//! constant, and commands cost nothing until the step ends. Where they are many, it is emitted once for each number
//! of commands executed, and the word is passed along at run time. So how many commands have executed is known in
//! every block, and the limit costs no test.
//!
//! A block from which few tests lead to known words becomes a *select*: all tests are evaluated, none is jumped on,
//! and logins that nobody can predict cost no more than others. A switch whose arms are alike counts as one test: it is
//! a [table](super::rows). Where a test stands at several places, [`answers`](super::answers) has a table too.
//!
//! An edge leads to an earlier row, so a walk from the last row to the first meets a node after all that lead to it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cranelift_entity::{PrimaryMap, SecondaryMap, entity_impl};
use smallvec::SmallVec;

use super::JitError;
use super::line::Line;
use super::rows::Rows;
use crate::lower::program::{COMMAND_LIMIT, DecisionWord, Node, NodeId, StepProgram, Test};

/// The most known words with the same number of commands for which a node is emitted apart.
const MAX_WORDS: usize = 4;

/// The most questions in a block that evaluates them all.
const MAX_SELECTS: usize = 8;

/// The most blocks of a step.
const MAX_SITES: usize = 1 << 18;

/// A row of [`Plan::sites`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SiteId(u32);
entity_impl!(SiteId, "site");

/// What is known, where a block begins, of the commands so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// All of them.
    Known(DecisionWord),
    /// How many there are; which ones is known at run time.
    Running(usize),
}

impl Target {
    /// The node, unless it is the end.
    pub(super) fn node(self) -> Option<NodeId> {
        match self {
            Target::Return(_) => None,
            Target::Node(node, _) => Some(node),
        }
    }
}

impl Word {
    fn commands(self) -> usize {
        match self {
            Word::Known(word) => word.len(),
            Word::Running(commands) => commands,
        }
    }
}

/// How a block ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// In a jump to further blocks.
    Jump,
    /// In a return: of all questions from here on, each is evaluated.
    Select,
}

/// A block of machine code: a node, and what is known there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) node: NodeId,
    pub(super) word: Word,
    pub(super) shape: Shape,
}

/// Where an edge of the graph leads, the commands on its way included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// To the end, with this word.
    Return(DecisionWord),
    /// To a node, with this.
    Node(NodeId, Word),
}

/// The blocks of a step.
pub(super) struct Plan<'a> {
    pub(super) step: &'a StepProgram,
    /// In the order of emission; each leads only to later ones.
    pub(super) sites: PrimaryMap<SiteId, Site>,
    at: SecondaryMap<NodeId, SmallVec<[SiteId; 1]>>,
    /// The switches that were looked at, as tables where they can be that.
    tables: RefCell<SwitchTables>,
}

/// Switches as tables, by the word known before them.
type SwitchTables = HashMap<(NodeId, DecisionWord), Option<Rc<Rows>>>;

impl<'a> Plan<'a> {
    /// Plans the code of `step`, whose edges lead to earlier rows.
    pub(super) fn new(step: &'a StepProgram) -> Result<Self, JitError> {
        let mut plan =
            Plan { step, sites: PrimaryMap::new(), at: SecondaryMap::new(), tables: RefCell::default() };
        let mut arrivals = Arrivals::default();
        arrivals.note(plan.entry());
        for node in step.nodes.keys().rev() {
            for word in arrivals.take(node) {
                if plan.sites.len() == MAX_SITES {
                    return Err(JitError::TooLarge { what: "blocks", limit: MAX_SITES });
                }
                plan.add(node, word, &mut arrivals);
            }
        }
        Ok(plan)
    }

    /// Where the step begins.
    pub(super) fn entry(&self) -> Target {
        self.follow(self.step.entry, Word::Known(DecisionWord::NOTHING))
    }

    /// Where an edge to `node` leads when `word` is known on it. Only questions, and what has to be done at run
    /// time, stop the walk.
    pub(super) fn follow(&self, mut node: NodeId, mut word: Word) -> Target {
        loop {
            match (&self.step.nodes[node], word) {
                (Node::End, Word::Known(word)) => return Target::Return(word),
                (Node::Deny(reason), word) => {
                    return Target::Return(DecisionWord::denied(*reason, word.commands()));
                }
                (Node::Command { .. }, word) if word.commands() == COMMAND_LIMIT => {
                    return Target::Return(DecisionWord::LIMIT_EXCEEDED);
                }
                (Node::Command { number, next }, Word::Known(so_far)) => {
                    (node, word) = (*next, Word::Known(so_far.with(*number)));
                }
                _ => return Target::Node(node, word),
            }
        }
    }

    /// What is asked at a target, and where the answers lead, yes first; `None` if it is no test.
    pub(super) fn question(&self, target: Target) -> Option<(&'a Test, [Target; 2])> {
        let Target::Node(node, word) = target else { return None };
        let Node::Branch { test, then, otherwise } = &self.step.nodes[node] else { return None };
        Some((test, [*then, *otherwise].map(|arm| self.follow(arm, word))))
    }

    /// The block that stands for `node` when `word` is known on the way to it.
    pub(super) fn site(&self, node: NodeId, word: Word) -> Option<SiteId> {
        let running = Word::Running(word.commands());
        let stands_for = |site: &&SiteId| [word, running].contains(&self.sites[**site].word);
        self.at[node].iter().find(stands_for).copied()
    }

    fn add(&mut self, node: NodeId, word: Word, arrivals: &mut Arrivals) {
        let shape = match word {
            Word::Known(known) if self.is_small(node, known) => Shape::Select,
            _ => Shape::Jump,
        };
        let site = self.sites.push(Site { node, word, shape });
        self.at[node].push(site);
        if shape == Shape::Select {
            return;
        }
        match &self.step.nodes[node] {
            Node::End | Node::Deny(_) => {}
            Node::Command { next, .. } => {
                arrivals.note(self.follow(*next, Word::Running(word.commands() + 1)))
            }
            Node::Branch { then, otherwise, .. } => {
                arrivals.note(self.follow(*then, word));
                arrivals.note(self.follow(*otherwise, word));
            }
            Node::Switch { cases, otherwise, .. } => {
                if let Some(rows) = self.table(node, word) {
                    return rows.exits().for_each(|exit| arrivals.note(exit));
                }
                arrivals.note(self.follow(*otherwise, word));
                cases.iter().for_each(|case| arrivals.note(self.follow(case.target, word)));
            }
        }
    }

    fn is_small(&self, node: NodeId, word: DecisionWord) -> bool {
        Tail { plan: self, seen: SmallVec::new() }.fits(Target::Node(node, Word::Known(word)))
    }

    /// A switch as a table, if it is one when this word is known before it.
    pub(super) fn table(&self, node: NodeId, word: Word) -> Option<Rc<Rows>> {
        let (Node::Switch { cases, otherwise, .. }, Word::Known(word)) = (&self.step.nodes[node], word)
        else {
            return None;
        };
        if let Some(known) = self.tables.borrow().get(&(node, word)) {
            return known.clone();
        }
        let table = Rows::new(self, Line::new(cases, *otherwise), *otherwise, word).map(Rc::new);
        self.tables.borrow_mut().insert((node, word), table.clone());
        table
    }
}

/// The questions that follow a block, counted.
struct Tail<'a> {
    plan: &'a Plan<'a>,
    seen: SmallVec<[(NodeId, Word); MAX_SELECTS]>,
}

impl Tail<'_> {
    /// Whether the questions seen and those after `target` are few. The recursion is as deep as they are many.
    fn fits(&mut self, target: Target) -> bool {
        let Target::Node(node, word) = target else { return true };
        if self.seen.contains(&(node, word)) {
            return true;
        }
        if self.seen.len() == MAX_SELECTS {
            return false;
        }
        self.seen.push((node, word));
        match &self.plan.step.nodes[node] {
            Node::Branch { then, otherwise, .. } => {
                self.fits(self.plan.follow(*then, word)) && self.fits(self.plan.follow(*otherwise, word))
            }
            Node::Switch { .. } => self.plan.table(node, word).is_some_and(|rows| rows.is_final()),
            Node::End | Node::Deny(_) | Node::Command { .. } => false,
        }
    }
}

/// With what each node is reached: each word once, and few.
#[derive(Default)]
struct Arrivals(SecondaryMap<NodeId, SmallVec<[Word; 2]>>);

impl Arrivals {
    fn note(&mut self, target: Target) {
        let Target::Node(node, word) = target else { return };
        let commands = word.commands();
        let words = &mut self.0[node];
        if words.contains(&word) || words.contains(&Word::Running(commands)) {
            return;
        }
        let alike = words.iter().filter(|other| other.commands() == commands).count();
        if word == Word::Running(commands) || alike == MAX_WORDS {
            words.retain(|other| other.commands() != commands);
            words.push(Word::Running(commands));
        } else {
            words.push(word);
        }
    }

    fn take(&mut self, node: NodeId) -> SmallVec<[Word; 2]> {
        std::mem::take(&mut self.0[node])
    }
}
