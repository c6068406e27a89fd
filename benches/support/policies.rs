//! The policies that are measured, as programs, and the same decisions written by hand in Rust.

use std::sync::Arc;

use cranelift_entity::{EntityRef, PrimaryMap};
use stepup::lower::layout::{Layout, WordSlot};
use stepup::lower::program::{Case, Interface, Node, NodeId, Program, SetFormula, StepProgram, Test};

/// The word of `enrolled` in the facts of Action 1.
pub(crate) const ENROLLED: WordSlot = WordSlot(0);
/// The word whose lowest bit is `user.isAdmin`.
pub(crate) const FLAGS: WordSlot = WordSlot(1);
/// The bit of the security key in `enrolled`.
pub(crate) const SECURITY_KEY: u64 = 1 << 6;

/// The word of the application's number.
pub(crate) const APPLICATION: WordSlot = WordSlot(0);
/// The word of the ten facts that the rules with conditions read.
pub(crate) const CONDITIONS: WordSlot = WordSlot(1);

/// A step, built from its last row to its first.
struct Rows(PrimaryMap<NodeId, Node>);

impl Rows {
    fn new() -> (Self, NodeId) {
        let mut rows = Rows(PrimaryMap::new());
        let end = rows.add(Node::End);
        (rows, end)
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.0.push(node)
    }

    fn command(&mut self, number: u16, next: NodeId) -> NodeId {
        self.add(Node::Command { number, next })
    }

    fn ask(&mut self, test: Test, then: NodeId, otherwise: NodeId) -> NodeId {
        self.add(Node::Branch { test, then, otherwise })
    }

    fn program(self, words: usize) -> Program {
        let entry = NodeId::new(self.0.len() - 1);
        let step = StepProgram { entry, nodes: self.0 };
        let layout = Arc::new(Layout { words, ..Layout::default() });
        let steps = PrimaryMap::from_iter([step]);
        Program { steps, interface: Interface { layout, ..Interface::default() } }
    }
}

/// The seed's Action 1: whoever has a factor is challenged, whoever has none enrolls, and admins enroll once more.
pub(crate) fn action_1() -> Program {
    let (mut rows, end) = Rows::new();
    let admin = Test::AnyBit { slot: FLAGS, mask: 1 };
    let again = rows.command(2, end);
    let again = rows.ask(admin.clone(), again, end);
    let enroll = rows.command(1, again);
    let key = rows.command(4, end);
    let key = rows.ask(Test::AnyBit { slot: ENROLLED, mask: SECURITY_KEY }, end, key);
    let key = rows.ask(admin, key, end);
    let challenge = rows.command(3, key);
    rows.ask(Test::Count { set: SetFormula::Word(ENROLLED).into(), low: 0, high: 0 }, enroll, challenge);
    rows.program(2)
}

/// The ways in which decisions are written by hand.
pub(crate) const BRANCHES: &str = "branches";
/// Without a branch: numbers for the answers, added up.
pub(crate) const ARITHMETIC: &str = "arithmetic";
/// A table of constants.
pub(crate) const TABLE: &str = "table";

/// Action 1 by hand, without a branch.
#[inline(never)]
pub(crate) fn action_1_by_arithmetic(words: &[u64; 2]) -> u64 {
    let [enrolled, flags] = *words;
    let has = u64::from(enrolled != 0);
    let key = u64::from(enrolled & SECURITY_KEY != 0);
    let again = flags & (1 - (has & key)) & 1;
    1 + 2 * has + again * ((2 + 2 * has) << 16)
}

/// Action 1 by hand: the answers are the place in a table.
#[inline(never)]
pub(crate) fn action_1_by_table(words: &[u64; 2]) -> u64 {
    const WORDS: [u64; 8] = [1, 3, 0x0002_0001, 0x0004_0003, 1, 3, 0x0002_0001, 3];
    let [enrolled, flags] = *words;
    let key = enrolled >> SECURITY_KEY.trailing_zeros() & 1;
    WORDS[usize::from(enrolled != 0) | (flags as usize & 1) << 1 | (key as usize) << 2]
}

/// Action 1 by hand.
#[inline(never)]
pub(crate) fn action_1_by_hand(words: &[u64; 2]) -> u64 {
    let [enrolled, flags] = *words;
    let is_admin = flags & 1 != 0;
    if enrolled != 0 {
        if is_admin && enrolled & SECURITY_KEY == 0 { 0x0004_0003 } else { 3 }
    } else if is_admin {
        0x0002_0001
    } else {
        1
    }
}

/// The command of an application's rule.
pub(crate) const fn command_of(application: u64) -> u64 {
    1 + application * 7 % 11
}

/// The facts that must all hold for an application's rule: three of ten.
pub(crate) const fn conditions_of(application: u64) -> u64 {
    1 << (application % 10) | 1 << ((application * 3 + 1) % 10) | 1 << ((application * 7 + 4) % 10)
}

/// A rule for each application: its command.
pub(crate) fn rules(applications: u64) -> Program {
    let (mut rows, end) = Rows::new();
    let cases = (0..applications)
        .map(|app| Case::of(app as i64, rows.command(command_of(app) as u16, end)))
        .collect();
    rows.add(Node::Switch { slot: APPLICATION, cases, otherwise: end });
    rows.program(2)
}

/// A rule for each application: its command, when three facts hold.
pub(crate) fn rules_with_conditions(applications: u64) -> Program {
    let (mut rows, end) = Rows::new();
    let mut cases = Vec::new();
    for application in 0..applications {
        let command = rows.command(command_of(application) as u16, end);
        let mask = conditions_of(application);
        let test = Test::Masked { slot: CONDITIONS, mask, value: mask };
        cases.push(Case::of(application as i64, rows.ask(test, command, end)));
    }
    rows.add(Node::Switch { slot: APPLICATION, cases, otherwise: end });
    rows.program(2)
}

macro_rules! fifty_rules {
    ($words:expr, $rule:ident) => {
        fifty_rules!($words, $rule,
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37
            38 39 40 41 42 43 44 45 46 47 48 49)
    };
    ($words:expr, $rule:ident, $($application:literal)*) => {
        match $words[0] {
            $($application => $rule::<$application>($words),)*
            _ => 0,
        }
    };
}

/// Fifty rules by hand: a `match` on the application's number.
#[inline(never)]
pub(crate) fn fifty_rules_by_hand(words: &[u64; 2]) -> u64 {
    fn rule<const APPLICATION: u64>(_: &[u64; 2]) -> u64 {
        command_of(APPLICATION)
    }
    fifty_rules!(words, rule)
}

/// Fifty rules with conditions, by hand.
#[inline(never)]
pub(crate) fn fifty_rules_with_conditions_by_hand(words: &[u64; 2]) -> u64 {
    fn rule<const APPLICATION: u64>(words: &[u64; 2]) -> u64 {
        let needed = const { conditions_of(APPLICATION) };
        if words[1] & needed == needed { command_of(APPLICATION) } else { 0 }
    }
    fifty_rules!(words, rule)
}

/// The last place is for all other applications.
const fn place(words: &[u64; 2]) -> usize {
    if words[0] < 50 { words[0] as usize } else { 50 }
}

/// Fifty rules by hand: a table of words.
#[inline(never)]
pub(crate) fn fifty_rules_by_table(words: &[u64; 2]) -> u64 {
    static WORDS: [u8; 51] = {
        let mut table = [0; 51];
        let mut application = 0;
        while application < 50 {
            table[application as usize] = command_of(application) as u8;
            application += 1;
        }
        table
    };
    u64::from(WORDS[place(words)])
}

/// Fifty rules with conditions, by hand: a table of masks and words, and no branch.
#[inline(never)]
pub(crate) fn fifty_rules_with_conditions_by_table(words: &[u64; 2]) -> u64 {
    static RULES: [(u16, u8); 51] = {
        let mut table = [(0, 0); 51];
        let mut application = 0;
        while application < 50 {
            table[application as usize] = (conditions_of(application) as u16, command_of(application) as u8);
            application += 1;
        }
        table
    };
    let (needed, command) = RULES[place(words)];
    u64::from(command) * u64::from(words[1] as u16 & needed == needed)
}
