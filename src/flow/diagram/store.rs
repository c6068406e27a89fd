//! The store of a proof's nodes, and the operations that make them.
//!
//! A formula is an edge: to a node, negated or not. A node asks one variable and leads to one formula where it is
//! clear and to another where it is set; both ask later variables only. Two rules make equal formulas one edge: no
//! node has the same formula on both sides, and the formula on its set side is never a negated edge (the edge to the
//! node is negated instead). So negation costs nothing and comparison is one of numbers.
//!
//! Nodes are never taken back: a proof is short, and the store goes with it. That, and that one thread has it, is
//! what makes a small proof cost microseconds. (A library that counts references and starts threads of its own for
//! each store took a third of a compile to make one, and panics where a host refuses threads.)

use super::{BudgetExceeded, Formula, Limited};

/// The only node without a variable, in first place: every login.
const TERMINAL: Node = Node { variable: u32::MAX, clear: Formula::EVERYTHING, set: Formula::EVERYTHING };

/// How large a fresh store's tables are.
const FIRST_NODES: usize = 1 << 8;

/// The most results that are remembered.
const MOST_RESULTS: usize = 1 << 18;

/// A question about a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Node {
    variable: u32,
    clear: Formula,
    set: Formula,
}

/// What an operation is done to, to find its result again.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Task {
    operation: Operation,
    operands: [Formula; 3],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// The slot is empty.
    None,
    And,
    Differ,
    Choose,
    /// What is left of the first operand when the variables from a number on may be anything.
    WhateverFollows(u32),
}

/// All nodes of a proof.
pub(super) struct Store {
    nodes: Vec<Node>,
    /// Finds a node by its parts: positions in `nodes`, 0 for an empty slot. A power of two long, at most half full.
    places: Vec<u32>,
    /// Results, each in the one slot that its task's hash names. A power of two long.
    results: Vec<(Task, Formula)>,
    limit: usize,
}

impl Store {
    /// A store that holds at most `limit` nodes.
    pub(super) fn new(limit: usize) -> Self {
        let none = Task { operation: Operation::None, operands: [Formula::EVERYTHING; 3] };
        Store {
            nodes: vec![TERMINAL],
            places: vec![0; 2 * FIRST_NODES],
            results: vec![(none, Formula::EVERYTHING); FIRST_NODES],
            limit: limit.min(Formula::MAX_NODES),
        }
    }

    /// The variable that a formula asks first, and what it is where that is clear and where it is set; the variable
    /// is above all others where the formula is a constant.
    pub(super) fn parts(&self, formula: Formula) -> (u32, [Formula; 2]) {
        let node = self.nodes.get(formula.place()).copied().unwrap_or(TERMINAL);
        (node.variable, [node.clear, node.set].map(|part| part.negated_like(formula)))
    }

    /// The formula that is `clear` where a variable is clear, and `set` where it is set; both ask later variables.
    pub(super) fn node(&mut self, variable: u32, [clear, set]: [Formula; 2]) -> Limited<Formula> {
        if clear == set {
            return Ok(set);
        }
        let node = Node { variable, clear: clear.negated_like(set), set: set.regular() };
        let mut slot = hash([variable, node.clear.0, node.set.0]) as usize;
        loop {
            slot &= self.places.len() - 1;
            let place = self.places[slot];
            if place == 0 {
                break;
            }
            if self.nodes[place as usize] == node {
                return Ok(Formula::to(place).negated_like(set));
            }
            slot += 1;
        }
        if self.nodes.len() >= self.limit {
            return Err(BudgetExceeded::Nodes { limit: self.limit });
        }
        let place = self.nodes.len() as u32;
        self.nodes.push(node);
        self.places[slot] = place;
        if self.places.len() < 2 * self.nodes.len() {
            self.grow();
        }
        Ok(Formula::to(place).negated_like(set))
    }

    fn grow(&mut self) {
        let length = 2 * self.places.len();
        self.places.clear();
        self.places.resize(length, 0);
        for (place, node) in (0u32..).zip(&self.nodes).skip(1) {
            let mut slot = hash([node.variable, node.clear.0, node.set.0]) as usize & (length - 1);
            while self.places[slot] != 0 {
                slot = (slot + 1) & (length - 1);
            }
            self.places[slot] = place;
        }
        if self.results.len() < MOST_RESULTS.min(self.nodes.len()) {
            let longer = vec![self.empty_result(); 2 * self.results.len()];
            for (task, result) in std::mem::replace(&mut self.results, longer) {
                self.remember(task, result);
            }
        }
    }

    fn empty_result(&self) -> (Task, Formula) {
        (Task { operation: Operation::None, operands: [Formula::EVERYTHING; 3] }, Formula::EVERYTHING)
    }

    fn remember(&mut self, task: Task, result: Formula) -> Formula {
        let slot = task.hash() & (self.results.len() - 1);
        self.results[slot] = (task, result);
        result
    }

    fn remembered(&self, task: &Task) -> Option<Formula> {
        let (known, result) = &self.results[task.hash() & (self.results.len() - 1)];
        (known == task).then_some(*result)
    }

    /// The parts of some formulas by the variable that the earliest of them asks.
    fn split<const N: usize>(&self, formulas: [Formula; N]) -> (u32, [[Formula; N]; 2]) {
        let parts = formulas.map(|formula| self.parts(formula));
        let first = parts.iter().map(|(variable, _)| *variable).min().unwrap_or(u32::MAX);
        let side = |side: usize| {
            let mut operands = formulas;
            for (operand, (variable, sides)) in operands.iter_mut().zip(&parts) {
                if *variable == first {
                    *operand = sides[side];
                }
            }
            operands
        };
        (first, [side(0), side(1)])
    }

    /// What is in both.
    pub(super) fn and(&mut self, a: Formula, b: Formula) -> Limited<Formula> {
        if a == b || b == Formula::EVERYTHING {
            return Ok(a);
        }
        if a == Formula::EVERYTHING {
            return Ok(b);
        }
        if a == !b || a == Formula::NOTHING || b == Formula::NOTHING {
            return Ok(Formula::NOTHING);
        }
        let (a, b) = if a < b { (a, b) } else { (b, a) };
        let task = Task { operation: Operation::And, operands: [a, b, Formula::EVERYTHING] };
        if let Some(known) = self.remembered(&task) {
            return Ok(known);
        }
        let (variable, [clear, set]) = self.split([a, b]);
        let sides = [self.and(clear[0], clear[1])?, self.and(set[0], set[1])?];
        let result = self.node(variable, sides)?;
        Ok(self.remember(task, result))
    }

    /// What is in one and not in the other.
    pub(super) fn differ(&mut self, a: Formula, b: Formula) -> Limited<Formula> {
        // A negation on either side is one of the result.
        let negations = a.negated_like(b).negated_like(a.regular());
        let (a, b) = (a.regular().min(b.regular()), a.regular().max(b.regular()));
        let sign = Formula::EVERYTHING.negated_like(negations);
        if a == b {
            return Ok(!sign);
        }
        if a == Formula::EVERYTHING {
            return Ok((!b).negated_like(sign));
        }
        let task = Task { operation: Operation::Differ, operands: [a, b, Formula::EVERYTHING] };
        if let Some(known) = self.remembered(&task) {
            return Ok(known.negated_like(sign));
        }
        let (variable, [clear, set]) = self.split([a, b]);
        let sides = [self.differ(clear[0], clear[1])?, self.differ(set[0], set[1])?];
        let result = self.node(variable, sides)?;
        Ok(self.remember(task, result).negated_like(sign))
    }

    /// `then` where `test` holds, else `otherwise`.
    pub(super) fn choose(&mut self, test: Formula, then: Formula, otherwise: Formula) -> Limited<Formula> {
        if test == Formula::EVERYTHING || then == otherwise {
            return Ok(then);
        }
        if test == Formula::NOTHING {
            return Ok(otherwise);
        }
        if then == Formula::NOTHING || then == !test {
            return self.and(!test, otherwise);
        }
        if otherwise == Formula::NOTHING || otherwise == test {
            return self.and(test, then);
        }
        if then == Formula::EVERYTHING || then == test {
            return Ok(!self.and(!test, !otherwise)?);
        }
        if otherwise == Formula::EVERYTHING || otherwise == !test {
            return Ok(!self.and(test, !then)?);
        }
        let task = Task { operation: Operation::Choose, operands: [test, then, otherwise] };
        if let Some(known) = self.remembered(&task) {
            return Ok(known);
        }
        let (variable, [clear, set]) = self.split([test, then, otherwise]);
        let sides = [self.choose(clear[0], clear[1], clear[2])?, self.choose(set[0], set[1], set[2])?];
        let result = self.node(variable, sides)?;
        Ok(self.remember(task, result))
    }

    /// What differs from something in a formula in the variables from `first` on, or in nothing.
    pub(super) fn whatever_follows(&mut self, formula: Formula, first: u32) -> Limited<Formula> {
        if formula == Formula::NOTHING {
            return Ok(formula);
        }
        let (variable, [clear, set]) = self.parts(formula);
        if variable >= first {
            return Ok(Formula::EVERYTHING);
        }
        let operation = Operation::WhateverFollows(first);
        let task = Task { operation, operands: [formula, Formula::EVERYTHING, Formula::EVERYTHING] };
        if let Some(known) = self.remembered(&task) {
            return Ok(known);
        }
        let sides = [self.whatever_follows(clear, first)?, self.whatever_follows(set, first)?];
        let result = self.node(variable, sides)?;
        Ok(self.remember(task, result))
    }
}

impl Task {
    fn hash(&self) -> usize {
        let [a, b, c] = self.operands;
        let operation = match self.operation {
            Operation::None | Operation::And => 0,
            Operation::Differ => 1,
            Operation::Choose => 2,
            Operation::WhateverFollows(first) => first.wrapping_add(3),
        };
        hash([a.0, b.0, c.0.wrapping_add(operation.wrapping_mul(0x9E37_79B9))]) as usize
    }
}

/// Mixes three numbers, so that the low bits depend on all.
fn hash([a, b, c]: [u32; 3]) -> u64 {
    let pair = u64::from(a) << 32 | u64::from(b);
    let mixed = (pair ^ u64::from(c).wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed ^ mixed >> 32
}
