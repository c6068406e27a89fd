//! The program: what a policy is once it only has to be executed.
//!
//! A step is a graph of basic blocks over a flat record of machine words, the *facts*. Every question is about
//! words: strings have become numbers, sets have become bit masks, and what a test needs to know of a text was
//! worked out when the text was stored. An edge always leads to an earlier row, so a walk of the graph ends.
//!
//! A [`Program`] has its steps, which a backend executes (the interpreter is their definition, the machine code is held to
//! it), and its [`Interface`], which a host keeps: facts to fill, and what decisions mean.

use std::sync::Arc;

use cranelift_entity::{PrimaryMap, entity_impl};
use smallvec::SmallVec;

use crate::check::policy::{CommandKind, Factor, FactorId, StepId, Style};
use crate::lower::layout::{Layout, WordSlot};

/// The most commands that one flow may execute; the platform refuses a fifth.
pub const COMMAND_LIMIT: usize = 4;

/// A row of [`StepProgram::nodes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);
entity_impl!(NodeId, "node");

/// A whole flow, ready for a backend.
#[derive(Clone, Debug)]
pub struct Program {
    /// What is executed.
    pub steps: StepPrograms,
    /// What its host knows of it.
    pub interface: Interface,
}

/// The steps of a flow, in order.
pub type StepPrograms = PrimaryMap<StepId, StepProgram>;

/// What a host knows of a program: which facts it takes, and what its decisions mean. Whatever executes a policy, this
/// is kept; the graphs of steps that have become machine code are not.
#[derive(Clone, Default, Debug)]
pub struct Interface {
    /// What the facts hold and where.
    pub layout: Arc<Layout>,
    /// The names of the steps, in order.
    pub steps: PrimaryMap<StepId, Box<str>>,
    /// The commands; entry `i` has the number `i + 1` in a decision word. At most [`MAX_COMMANDS`].
    pub commands: Box<[CommandTemplate]>,
    /// The reasons of denials; entry `i` has the number `i`. At most [`MAX_COMMANDS`].
    pub reasons: Box<[Box<str>]>,
    /// The mask of the factors that are enabled in the tenant.
    pub enabled: u64,
}

impl Interface {
    /// The factor of a number in masks.
    pub fn factor(&self, number: u8) -> Option<&Factor> {
        self.layout.catalog.factors.get(FactorId::from_u32(number.into()))
    }

    /// The command of a number in a decision word.
    pub fn command(&self, number: u16) -> Option<&CommandTemplate> {
        self.commands.get(usize::from(number).checked_sub(1)?)
    }
}

/// How many commands (and reasons) fit the numbers of a decision word.
pub const MAX_COMMANDS: usize = 0xFFFE;

/// One step.
#[derive(Clone, Debug)]
pub struct StepProgram {
    /// Where it begins.
    pub entry: NodeId,
    /// Its basic blocks; each leads only to earlier rows.
    pub nodes: PrimaryMap<NodeId, Node>,
}

/// A basic block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// The step ends.
    End,
    /// The login is denied for the reason of this number, and the step ends.
    Deny(u16),
    /// A command executes, then `next`. When [`COMMAND_LIMIT`] of them have executed in this step, it doesn't
    /// and the step ends in [`DecisionWord::LIMIT_EXCEEDED`].
    Command {
        /// Its number, from 1.
        number: u16,
        /// What follows.
        next: NodeId,
    },
    /// A question.
    Branch {
        /// What is asked.
        test: Test,
        /// Where a yes leads.
        then: NodeId,
        /// Where a no leads.
        otherwise: NodeId,
    },
    /// A word, read as a signed number, is looked for in many ranges at once.
    Switch {
        /// The word.
        slot: WordSlot,
        /// Ranges that don't overlap, in ascending order.
        cases: Vec<Case>,
        /// Where all other values lead.
        otherwise: NodeId,
    },
}

/// The numbers `low..=high`, and where they lead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Case {
    /// The least.
    pub low: i64,
    /// The greatest; not less than `low`.
    pub high: i64,
    /// Where they lead.
    pub target: NodeId,
}

impl Case {
    /// One value and where it leads.
    pub fn of(value: i64, target: NodeId) -> Self {
        Case { low: value, high: value, target }
    }
}

/// A question about words.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    /// Some bit of `mask` is set: bools, presences, membership of constant sets, patterns of strings.
    AnyBit {
        /// The word.
        slot: WordSlot,
        /// The bits.
        mask: u64,
    },
    /// Of the bits of `mask`, exactly those of `value` are set.
    Masked {
        /// The word.
        slot: WordSlot,
        /// The bits.
        mask: u64,
        /// Which of them.
        value: u64,
    },
    /// A word, read as a signed number, lies in `low..=high`; equality is a range of one.
    Between {
        /// The word.
        slot: WordSlot,
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A word that is known to be under 64 is the number of a set bit in `mask`.
    OneOf {
        /// The word.
        slot: WordSlot,
        /// The numbers, as bits.
        mask: u64,
    },
    /// `now - stamp`, in milliseconds, lies in `low..=high`. Stamps and `now` lie within ±2^53, or the stamp is
    /// [`NEVER`](crate::lower::layout::NEVER); the difference can't overflow.
    Age {
        /// The word that holds `now`.
        now: WordSlot,
        /// The word that holds the stamp.
        stamp: WordSlot,
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// How many bits a set has lies in `low..=high`; `0..=0` asks whether it is empty.
    Count {
        /// The set.
        set: Box<SetFormula>,
        /// The least.
        low: u32,
        /// The greatest.
        high: u32,
    },
}

/// A set of factors, worked out from words. As a mask, bit `i` is factor `i` and the top bit
/// ([`OTHER_FACTOR`](crate::lower::layout::OTHER_FACTOR)) stands for the factors outside the catalog.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SetFormula {
    /// These factors, in this order.
    Listed(SmallVec<[u8; 8]>),
    /// The mask in a word; in the catalog's order.
    Word(WordSlot),
    /// Both; in the first's order.
    Intersect(Box<SetFormula>, Box<SetFormula>),
    /// Either; the first's, then the second's.
    Union(Box<SetFormula>, Box<SetFormula>),
    /// The first without the second; in the first's order.
    Except(Box<SetFormula>, Box<SetFormula>),
    /// `then` where some bit of `mask` is set in `slot`, else `otherwise`.
    If {
        /// The word of the condition.
        slot: WordSlot,
        /// Its bits.
        mask: u64,
        /// The set when some is set.
        then: Box<SetFormula>,
        /// The set when none is.
        otherwise: Box<SetFormula>,
    },
}

/// A command of the policy, with sets still to be worked out from the facts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CommandTemplate {
    /// Enroll or challenge.
    pub kind: CommandKind,
    /// How the factors are shown.
    pub style: Style,
    /// Factors that the policy lists, in order.
    pub listed: Box<[ListedFactor]>,
    /// Further factors: those of this set that are not listed, in the set's order.
    pub rest: Option<Box<SetFormula>>,
    /// The factors that the catalog allows in this command, as a mask: a set offers no others.
    pub permitted: u64,
}

/// A factor that the policy lists in a command.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ListedFactor {
    /// Its number.
    pub factor: u8,
    /// Positions in [`Factor::options`](crate::check::policy::Factor::options).
    pub options: Box<[u8]>,
}

/// What a step decided, in one machine word: up to four command numbers, 16 bits each, the first in the lowest
/// bits and 0 for none; or `0xFFFF` in the lowest bits, a reason's number in the next 16, and how many commands were
/// executed before the denial in the 16 after; or all ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct DecisionWord(pub u64);

impl DecisionWord {
    /// No command.
    pub const NOTHING: DecisionWord = DecisionWord(0);
    /// A step that would have executed a fifth command.
    pub const LIMIT_EXCEEDED: DecisionWord = DecisionWord(u64::MAX);
    const DENIED: u64 = 0xFFFF;

    /// The denial with the reason of this number, after so many commands: they count, though nobody sees them.
    pub fn denied(reason: u16, executed: usize) -> Self {
        DecisionWord(Self::DENIED | u64::from(reason) << 16 | (executed as u64) << 32)
    }

    /// This word with one more command at its end, or [`LIMIT_EXCEEDED`](Self::LIMIT_EXCEEDED).
    pub fn with(self, command: u16) -> Self {
        match self.len() {
            COMMAND_LIMIT => DecisionWord::LIMIT_EXCEEDED,
            executed => DecisionWord(self.0 | u64::from(command) << (16 * executed)),
        }
    }

    /// How many commands a word of commands holds.
    pub fn len(self) -> usize {
        (64 - self.0.leading_zeros() as usize).div_ceil(16)
    }

    /// Whether it asks for nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What it says.
    pub fn verdict(self) -> Verdict {
        if self == Self::LIMIT_EXCEEDED {
            Verdict::LimitExceeded
        } else if self.0 & 0xFFFF == Self::DENIED {
            Verdict::Denied { reason: (self.0 >> 16) as u16, executed: usize::from((self.0 >> 32) as u16) }
        } else {
            let numbers = (0..COMMAND_LIMIT).map(|i| (self.0 >> (16 * i)) as u16).take_while(|&n| n != 0);
            Verdict::Commands(numbers.collect())
        }
    }
}

/// A decision word, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The numbers of the commands, in order.
    Commands(SmallVec<[u16; COMMAND_LIMIT]>),
    /// A denial.
    Denied {
        /// The number of the reason.
        reason: u16,
        /// How many commands the step executed before.
        executed: usize,
    },
    /// A fifth command.
    LimitExceeded,
}
