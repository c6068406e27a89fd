//! Emission: a planned step becomes a function in Cranelift's intermediate form.
//!
//! The function takes the address of the facts' words and returns the decision word. It reads nothing else but its
//! own tables, writes nothing and calls nothing.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, Function, InstBuilder, JumpTableData, MemFlagsData, SourceLoc, Value,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use smallvec::SmallVec;

use super::answers::Answers;
use super::line::Line;
use super::plan::{Plan, Shape, Site, SiteId, Target, Word};
use super::tables::Tables;
use crate::backend::interpret::factor_bit;
use crate::lower::layout::WordSlot;
use crate::lower::program::{DecisionWord, Node, NodeId, SetFormula, StepProgram, Test};

/// What is known of every load: the facts and the tables are there, aligned, and don't change during a decision.
pub(super) const LOADS: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

/// Fills `function`, whose signature is set, with the code of a step; the tables it reads are added to `tables`.
pub(super) fn emit_step(
    step: &StepProgram,
    plan: &Plan<'_>,
    tables: &mut Tables,
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    let mut builder = FunctionBuilder::new(function, context);
    let start = builder.create_block();
    builder.append_block_params_for_function_params(start);
    builder.switch_to_block(start);
    let facts = builder.block_params(start)[0];
    let blocks = SecondaryMap::new();
    let mut emitter = Emitter {
        step,
        plan,
        tables,
        builder,
        facts,
        blocks,
        returns: HashMap::new(),
        any_return: None,
        exits: 0,
        loaded: SmallVec::new(),
    };
    emitter.jump(plan.entry(), None);
    for (id, site) in plan.sites.iter() {
        emitter.site(id, *site);
    }
    emitter.returns();
    emitter.builder.seal_all_blocks();
    emitter.builder.finalize(config);
}

pub(super) struct Emitter<'a> {
    step: &'a StepProgram,
    plan: &'a Plan<'a>,
    pub(super) tables: &'a mut Tables,
    pub(super) builder: FunctionBuilder<'a>,
    facts: Value,
    blocks: SecondaryMap<SiteId, PackedOption<Block>>,
    /// The blocks that return a constant.
    returns: HashMap<DecisionWord, Block>,
    /// The block that returns what it is passed.
    any_return: Option<Block>,
    /// How many returns there are.
    exits: u32,
    /// What the current block has loaded.
    loaded: SmallVec<[(WordSlot, Value); 8]>,
}

/// A block and what is passed to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Jump {
    block: Block,
    argument: Option<DecisionWord>,
}

impl Emitter<'_> {
    fn site(&mut self, id: SiteId, site: Site) {
        let block = self.block(id);
        self.builder.switch_to_block(block);
        self.loaded.clear();
        let running = self.builder.block_params(block).first().copied();
        match (site.shape, &self.step.nodes[site.node]) {
            (Shape::Select, _) => {
                let target = Target::Node(site.node, site.word);
                let word = match Answers::new(self.plan, target) {
                    Some(answers) => self.word_of(&answers),
                    None => self.select(target, &mut SmallVec::new()),
                };
                self.return_(word);
            }
            (Shape::Jump, Node::Command { number, next }) => self.command(*number, *next, site.word, running),
            (Shape::Jump, Node::Branch { test, then, otherwise }) => {
                self.branch(test, [*then, *otherwise], site.word, running);
            }
            (Shape::Jump, Node::Switch { slot, cases, otherwise }) => {
                match self.plan.table(site.node, site.word) {
                    Some(rows) => self.look_up_exit(*slot, &rows),
                    None => self.switch(*slot, &Line::new(cases, *otherwise), site.word, running),
                }
            }
            // Only a running word gets as far as the end.
            (Shape::Jump, Node::End | Node::Deny(_)) => {
                let word = running.unwrap_or_else(|| self.constant(DecisionWord::NOTHING.0));
                self.return_(word);
            }
        }
    }

    fn command(&mut self, number: u16, next: NodeId, word: Word, running: Option<Value>) {
        let (Word::Running(commands), Some(so_far)) = (word, running) else {
            return self.jump(self.plan.follow(next, word), None);
        };
        let number = u64::from(number) << (16 * commands);
        let number = self.constant(number);
        let longer = self.builder.ins().bor(so_far, number);
        self.jump(self.plan.follow(next, Word::Running(commands + 1)), Some(longer));
    }

    fn branch(&mut self, test: &Test, arms: [NodeId; 2], word: Word, running: Option<Value>) {
        let condition = self.test(test);
        let [then, otherwise] = arms.map(|arm| {
            let target = self.plan.follow(arm, word);
            let jump = self.target(target);
            let argument = self.argument(jump, running);
            (jump.block, argument)
        });
        self.builder.ins().brif(condition, then.0, &then.1, otherwise.0, &otherwise.1);
    }

    /// A switch whose arms have more to ask than a table can hold: a jump to the place of the number.
    fn switch(&mut self, slot: WordSlot, line: &Line, word: Word, running: Option<Value>) {
        let place = self.place(slot, &line.index);
        let mut landings: Vec<(Jump, Block)> = Vec::new();
        let mut known: HashMap<Jump, Block> = HashMap::new();
        let arms = line.targets.iter().map(|arm| {
            let jump = self.target(self.plan.follow(*arm, word));
            if self.builder.block_params(jump.block).is_empty() {
                return jump.block;
            }
            *known.entry(jump).or_insert_with(|| {
                let block = self.builder.create_block();
                landings.push((jump, block));
                block
            })
        });
        let arms: Vec<Block> = arms.collect();
        let calls: Vec<_> = arms.iter().map(|block| self.builder.func.dfg.block_call(*block, &[])).collect();
        self.jump_to_one(place, &calls);
        for (jump, block) in landings {
            self.builder.switch_to_block(block);
            let argument = self.argument(jump, running);
            self.builder.ins().jump(jump.block, &argument);
        }
    }

    /// Jumps to the block of a place, which is one of these.
    pub(super) fn jump_to_one(&mut self, place: Value, calls: &[BlockCall]) {
        let Some((last, calls)) = calls.split_last() else { return };
        let table = self.builder.create_jump_table(JumpTableData::new(*last, calls));
        let place = self.builder.ins().ireduce(I32, place);
        self.builder.ins().br_table(place, table);
    }

    fn jump(&mut self, target: Target, running: Option<Value>) {
        let jump = self.target(target);
        let argument = self.argument(jump, running);
        self.builder.ins().jump(jump.block, &argument);
    }

    /// The block for a target, and the word it is passed when the block takes one and the edge knows it.
    fn target(&mut self, target: Target) -> Jump {
        match target {
            Target::Return(word) => {
                let block = *self.returns.entry(word).or_insert_with(|| self.builder.create_block());
                Jump { block, argument: None }
            }
            Target::Node(node, word) => {
                let site = self.plan.site(node, word).expect("the plan has a block for every edge");
                let argument = match word {
                    Word::Known(word) => Some(word),
                    Word::Running(_) => None,
                };
                Jump { block: self.block(site), argument }
            }
        }
    }

    /// The block of a table's exit, and a word that is known at run time where it takes one.
    pub(super) fn exit(&mut self, exit: Target, word: Value) -> (Block, SmallVec<[BlockArg; 1]>) {
        let block = match exit {
            Target::Return(_) => self.any_return(),
            exit => self.target(exit).block,
        };
        let takes_word = !self.builder.block_params(block).is_empty();
        (block, takes_word.then_some(BlockArg::Value(word)).into_iter().collect())
    }

    /// The block that returns what it is passed.
    fn any_return(&mut self) -> Block {
        *self.any_return.get_or_insert_with(|| {
            let block = self.builder.create_block();
            self.builder.append_block_param(block, I64);
            block
        })
    }

    fn argument(&mut self, jump: Jump, running: Option<Value>) -> SmallVec<[BlockArg; 1]> {
        if self.builder.block_params(jump.block).is_empty() {
            return SmallVec::new();
        }
        let known = jump.argument.map(|word| self.constant(word.0));
        known.or(running).into_iter().map(BlockArg::Value).collect()
    }

    fn block(&mut self, site: SiteId) -> Block {
        if let Some(block) = self.blocks[site].expand() {
            return block;
        }
        let block = self.builder.create_block();
        if let Word::Running(_) = self.plan.sites[site].word {
            self.builder.append_block_param(block, I64);
        }
        self.blocks[site] = block.into();
        block
    }

    fn returns(&mut self) {
        let mut returns: Vec<_> = self.returns.drain().collect();
        returns.sort_unstable_by_key(|(_, block)| *block);
        for (word, block) in returns {
            self.builder.switch_to_block(block);
            let word = self.constant(word.0);
            self.return_(word);
        }
        if let Some(block) = self.any_return {
            self.builder.switch_to_block(block);
            let word = self.builder.block_params(block)[0];
            self.return_(word);
        }
    }

    /// Returns, with a source location of its own: see `frame`.
    fn return_(&mut self, word: Value) {
        self.exits += 1;
        self.builder.set_srcloc(SourceLoc::new(self.exits));
        self.builder.ins().return_(&[word]);
        self.builder.set_srcloc(SourceLoc::default());
    }

    /// The word that the questions from here on lead to, without a jump. They are few.
    fn select(&mut self, target: Target, done: &mut SmallVec<[(Target, Value); 16]>) -> Value {
        if let Some((_, value)) = done.iter().find(|(known, _)| *known == target) {
            return *value;
        }
        let value = match target {
            Target::Return(word) => self.constant(word.0),
            Target::Node(node, word) => match &self.step.nodes[node] {
                Node::Branch { test, then, otherwise } => {
                    let [then, otherwise] = [*then, *otherwise].map(|arm| self.plan.follow(arm, word));
                    let [yes, no] = [self.select(then, done), self.select(otherwise, done)];
                    let condition = self.test(test);
                    self.builder.ins().select(condition, yes, no)
                }
                Node::Switch { slot, .. } => {
                    let rows = self.plan.table(node, word);
                    self.look_up(*slot, &rows.expect("the plan selects only where there is a table"))
                }
                Node::End | Node::Deny(_) | Node::Command { .. } => {
                    unreachable!("`follow` stops at questions")
                }
            },
        };
        done.push((target, value));
        value
    }

    /// A value that is not zero when the answer is yes.
    pub(super) fn test(&mut self, test: &Test) -> Value {
        match test {
            Test::AnyBit { slot, mask } => self.any_bit(*slot, *mask),
            Test::Masked { slot, mask, value } => {
                let (word, mask) = (self.load(*slot), self.constant(*mask));
                let common = self.builder.ins().band(word, mask);
                let value = self.constant(*value);
                self.builder.ins().icmp(IntCC::Equal, common, value)
            }
            Test::Between { slot, low, high } => {
                let value = self.load(*slot);
                self.between(value, *low, *high)
            }
            Test::OneOf { slot, mask } => {
                let (value, mask) = (self.load(*slot), self.constant(*mask));
                let shifted = self.builder.ins().ushr(mask, value);
                self.builder.ins().band_imm_u(shifted, 1)
            }
            Test::Age { now, stamp, low, high } => {
                let (now, stamp) = (self.load(*now), self.load(*stamp));
                let age = self.builder.ins().isub(now, stamp);
                self.between(age, *low, *high)
            }
            Test::Count { set, low, high } => self.count(set, *low, *high),
        }
    }

    fn any_bit(&mut self, slot: WordSlot, mask: u64) -> Value {
        let (value, mask) = (self.load(slot), self.constant(mask));
        let common = self.builder.ins().band(value, mask);
        self.builder.ins().icmp_imm_s(IntCC::NotEqual, common, 0)
    }

    fn between(&mut self, value: Value, low: i64, high: i64) -> Value {
        if low > high {
            return self.builder.ins().iconst(I8, 0);
        }
        let (condition, value, bound) = match (low, high) {
            _ if low == high => (IntCC::Equal, value, low),
            (i64::MIN, _) => (IntCC::SignedLessThanOrEqual, value, high),
            (_, i64::MAX) => (IntCC::SignedGreaterThanOrEqual, value, low),
            _ => (IntCC::UnsignedLessThanOrEqual, self.minus(value, low), high.wrapping_sub(low)),
        };
        self.builder.ins().icmp_imm_s(condition, value, bound)
    }

    pub(super) fn minus(&mut self, value: Value, subtrahend: i64) -> Value {
        match subtrahend {
            0 => value,
            _ => self.builder.ins().iadd_imm_s(value, subtrahend.wrapping_neg()),
        }
    }

    fn count(&mut self, set: &SetFormula, low: u32, high: u32) -> Value {
        let set = self.set(set);
        match (low, high) {
            (0, 0) => self.builder.ins().icmp_imm_s(IntCC::Equal, set, 0),
            (1, 64..) => self.builder.ins().icmp_imm_s(IntCC::NotEqual, set, 0),
            _ => {
                let count = self.builder.ins().popcnt(set);
                self.between(count, i64::from(low), i64::from(high))
            }
        }
    }

    /// The mask of a set. A policy may chain as many sets as it likes, so this doesn't recurse.
    pub(super) fn set(&mut self, formula: &SetFormula) -> Value {
        let mut masks: Vec<Value> = Vec::new();
        let mut work = vec![(formula, false)];
        while let Some((formula, parts_done)) = work.pop() {
            let parts = match formula {
                SetFormula::Listed(_) | SetFormula::Word(_) => None,
                SetFormula::Intersect(a, b) | SetFormula::Union(a, b) | SetFormula::Except(a, b) => {
                    Some((a, b))
                }
                SetFormula::If { then, otherwise, .. } => Some((then, otherwise)),
            };
            match parts {
                Some((a, b)) if !parts_done => work.extend([(formula, true), (b, false), (a, false)]),
                Some(_) => {
                    let parts = masks.pop().zip(masks.pop());
                    let (b, a) = parts.expect("both parts have been worked out");
                    let mask = self.combine(formula, a, b);
                    masks.push(mask);
                }
                None => masks.push(self.leaf(formula)),
            }
        }
        masks.pop().expect("every formula has a mask")
    }

    fn leaf(&mut self, formula: &SetFormula) -> Value {
        match formula {
            SetFormula::Word(slot) => self.load(*slot),
            SetFormula::Listed(factors) => {
                self.constant(factors.iter().fold(0, |mask, factor| mask | factor_bit(*factor)))
            }
            _ => unreachable!("a formula with parts is no leaf"),
        }
    }

    fn combine(&mut self, formula: &SetFormula, a: Value, b: Value) -> Value {
        match formula {
            SetFormula::Union(..) => self.builder.ins().bor(a, b),
            SetFormula::Except(..) => {
                let outside = self.builder.ins().bnot(b);
                self.builder.ins().band(a, outside)
            }
            SetFormula::If { slot, mask, .. } => {
                let condition = self.any_bit(*slot, *mask);
                self.builder.ins().select(condition, a, b)
            }
            _ => self.builder.ins().band(a, b),
        }
    }

    pub(super) fn load(&mut self, slot: WordSlot) -> Value {
        if let Some((_, value)) = self.loaded.iter().find(|(loaded, _)| *loaded == slot) {
            return *value;
        }
        let value = self.builder.ins().load(I64, LOADS, self.facts, slot.0 as i32 * 8);
        self.loaded.push((slot, value));
        value
    }

    pub(super) fn constant(&mut self, value: u64) -> Value {
        self.builder.ins().iconst(I64, value as i64)
    }
}
