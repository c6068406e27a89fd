//! Formulas against truth tables: all operations on random formulas over few variables.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::{Diagrams, Formula};
use crate::flow::budget::BudgetExceeded;

const VARIABLES: u32 = 5;

/// One bit for each combination of values.
type Table = u32;

/// A source of numbers, for formulas that differ from run to run of the loop and not of the test.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn values(row: u32) -> Vec<bool> {
    (0..VARIABLES).map(|variable| row >> variable & 1 == 1).collect()
}

fn table_of_variable(variable: u32) -> Table {
    (0..1 << VARIABLES).filter(|row| row >> variable & 1 == 1).fold(0, |table, row| table | 1 << row)
}

fn table_of(diagrams: &Diagrams, formula: Formula) -> Table {
    let rows = (0..1 << VARIABLES).filter(|row| diagrams.has(formula, &values(*row)));
    rows.fold(0, |table, row| table | 1 << row)
}

/// What a table has when the variables from `first` on may be anything.
fn whatever_follows(table: Table, first: u32) -> Table {
    let low = (1 << first) - 1;
    let same = |row: u32, other: u32| row & low == other & low;
    let rows = (0..1 << VARIABLES)
        .filter(|row| (0..1 << VARIABLES).any(|other| same(*row, other) && table >> other & 1 == 1));
    rows.fold(0, |table, row| table | 1 << row)
}

#[test]
fn operations_are_those_of_truth_tables_and_equal_tables_are_one_formula() {
    let diagrams = Diagrams::new(1 << 16, VARIABLES).unwrap();
    let mut known: Vec<(Formula, Table)> =
        (0..VARIABLES).map(|variable| (diagrams.variable(variable), table_of_variable(variable))).collect();
    known.extend([(diagrams.everything(), !0), (diagrams.nothing(), 0)]);
    let mut random = Random(0x5EED);
    for _ in 0..2_000 {
        let mut some = || known[random.below(known.len() as u64) as usize];
        let ((a, at), (b, bt), (c, ct)) = (some(), some(), some());
        let first = random.below(u64::from(VARIABLES) + 1) as u32;
        let made = [
            (diagrams.and(a, b), at & bt),
            (diagrams.or(a, b), at | bt),
            (diagrams.minus(a, b), at & !bt),
            (diagrams.same(a, b), !(at ^ bt)),
            (diagrams.implies(a, b), !at | bt),
            (diagrams.choose(a, b, c), at & bt | !at & ct),
            (diagrams.whatever_follows(a, first), whatever_follows(at, first)),
            (Ok(!a), !at),
        ];
        for (formula, table) in made {
            let formula = formula.unwrap();
            assert_eq!(table_of(&diagrams, formula), table);
            assert_eq!(diagrams.share(formula), f64::from(table.count_ones()) / 32.0);
            assert_eq!(formula.is_empty(), table == 0);
            assert_eq!(formula.is_everything(), table == !0);
            match known.iter().find(|(_, other)| *other == table) {
                Some((other, _)) => assert!(formula == *other, "two formulas for one table"),
                None => known.push((formula, table)),
            }
        }
    }
    assert!(known.len() > 1_000);
}

#[test]
fn a_login_is_picked_from_each_set_that_has_one() {
    let diagrams = Diagrams::new(1 << 16, VARIABLES).unwrap();
    assert_eq!(diagrams.pick(diagrams.nothing()), None);
    for numbers in [vec![0], vec![3], vec![31], vec![5, 9, 17], (0..32).collect()] {
        let set = diagrams.number_in(&[0, 1, 2, 3, 4], &numbers).unwrap();
        let login = diagrams.pick(set).unwrap();
        assert!(diagrams.has(set, &login));
        // Bits that don't matter are clear, so it is the least.
        let number = login.iter().fold(0, |number, bit| number * 2 + u32::from(*bit));
        assert_eq!(number, numbers[0]);
    }
}

#[test]
fn a_store_that_is_full_says_so() {
    let diagrams = Diagrams::new(20, 16).unwrap();
    let pairs = (0..8).map(|pair| diagrams.and(diagrams.variable(pair), diagrams.variable(pair + 8)));
    let sum = pairs.collect::<Result<Vec<_>, _>>().and_then(|pairs| diagrams.any(pairs));
    assert!(matches!(sum, Err(BudgetExceeded::Nodes { limit: 20 })));
    assert!(matches!(Diagrams::new(10, 16).err(), Some(BudgetExceeded::Nodes { limit: 10 })));
}
