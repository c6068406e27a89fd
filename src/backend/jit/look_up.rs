//! Emission of [tables](super::rows): a number finds its row, and the row's questions are answered without a jump.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{ExternalName, GlobalValueData, InstBuilder, UserExternalName, Value};
use smallvec::SmallVec;

use super::emit::{Emitter, LOADS};
use super::line::Index;
use super::rows::{Constants, Outcome, Row, Rows, Subject};
use super::tables::{Column, Table};
use crate::lower::layout::WordSlot;

impl Emitter<'_> {
    /// The place of a number on a line.
    pub(super) fn place(&mut self, slot: WordSlot, index: &Index) -> Value {
        let value = self.load(slot);
        match index {
            Index::Whole => self.constant(0),
            Index::Wrapped { first, last } => {
                let place = self.minus(value, *first);
                let last = self.constant(*last);
                self.builder.ins().umin(place, last)
            }
            Index::Held { low, high } => {
                let [lowest, highest] = [*low, *high].map(|bound| self.constant(bound as u64));
                let held = self.builder.ins().smin(value, highest);
                let held = self.builder.ins().smax(held, lowest);
                self.minus(held, *low)
            }
            Index::Sorted(starts) => self.search(value, starts),
        }
    }

    /// How many of these numbers are not greater than a value: a binary search without a jump.
    fn search(&mut self, value: Value, starts: &[i64]) -> Value {
        let table = self.tables.add_wide(starts.iter().map(|start| *start as u64));
        let base = self.tables_address(table);
        let size = i64::from(u64::BITS / 8);
        // The offset of the first number that may still be greater; `left` of them are unknown.
        let mut offset = self.constant(0);
        let mut left = starts.len() as i64;
        while left > 0 {
            let half = (left + 1) / 2;
            let address = self.builder.ins().iadd(base, offset);
            let start = self.builder.ins().load(I64, LOADS, address, ((half - 1) * size) as i32);
            let after = self.builder.ins().iadd_imm_s(offset, half * size);
            let is_below = self.builder.ins().icmp(IntCC::SignedLessThanOrEqual, start, value);
            offset = self.builder.ins().select(is_below, after, offset);
            left -= half;
        }
        let shift = self.constant(size.trailing_zeros().into());
        self.builder.ins().ushr(offset, shift)
    }

    /// The word that a table has for a number and the facts.
    pub(super) fn look_up(&mut self, slot: WordSlot, rows: &Rows) -> Value {
        let place = self.place(slot, &rows.index);
        let table = self.tables.add(&columns(rows));
        let row = self.row(place, &table);
        let questions = table.columns.chunks_exact(COLUMNS).take(rows.subjects.len());
        let answers: SmallVec<[Value; 4]> = rows
            .subjects
            .iter()
            .zip(questions)
            .map(|(subject, columns)| self.answer(subject, row, columns))
            .collect();
        let words = &table.columns[COLUMNS * rows.subjects.len()..];
        match (rows.outcome, words) {
            (Outcome::Each, _) => self.word_of_answers(place, rows, &answers),
            (_, [no, yes]) => {
                let [no, yes] = [*no, *yes].map(|column| self.field(row, column));
                let all = answers.into_iter().reduce(|all, answer| self.builder.ins().band(all, answer));
                all.map_or(yes, |all| self.builder.ins().select(all, yes, no))
            }
            (_, words) => {
                let only = words.first().copied().unwrap_or(Column::Constant(0));
                self.field(row, only)
            }
        }
    }

    /// One of the words of a row, by its answers read as a number.
    fn word_of_answers(&mut self, place: Value, rows: &Rows, answers: &[Value]) -> Value {
        let words: Vec<Vec<u64>> =
            rows.rows.iter().map(|row| row.words.iter().map(|word| word.0).collect()).collect();
        let words: Vec<&[u64]> = words.iter().map(Vec::as_slice).collect();
        let table = self.tables.add_array(&words);
        let Some(&Column::Field { width, .. }) = table.columns.first() else {
            unreachable!("an array has fields")
        };
        let mut address = self.row(place, &table);
        for (bit, answer) in answers.iter().enumerate() {
            let answer = self.builder.ins().uextend(I64, *answer);
            let shift = self.constant(bit as u64 + u64::from(width.trailing_zeros()));
            let distance = self.builder.ins().ishl(answer, shift);
            address = self.builder.ins().iadd(address, distance);
        }
        self.field(address, Column::Field { offset: 0, width })
    }

    /// Whether `(subject & mask) - low <= span`.
    fn answer(&mut self, subject: &Subject, row: Value, columns: &[Column]) -> Value {
        let &[mask, low, span] = columns else { unreachable!("a question has three constants") };
        let mut value = self.subject(subject);
        if mask != Column::Constant(u64::MAX) {
            let mask = self.field(row, mask);
            value = self.builder.ins().band(value, mask);
        }
        if span == Column::Constant(0) {
            let wanted = self.field(row, low);
            return self.builder.ins().icmp(IntCC::Equal, value, wanted);
        }
        if low != Column::Constant(0) {
            let low = self.field(row, low);
            value = self.builder.ins().isub(value, low);
        }
        let span = self.field(row, span);
        self.builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, value, span)
    }

    fn subject(&mut self, subject: &Subject) -> Value {
        match subject {
            Subject::Bits(slot) | Subject::Number(slot) => self.load(*slot),
            Subject::Power(slot) => {
                let (number, one) = (self.load(*slot), self.constant(1));
                self.builder.ins().ishl(one, number)
            }
            Subject::Age { now, stamp } => {
                let (now, stamp) = (self.load(*now), self.load(*stamp));
                self.builder.ins().isub(now, stamp)
            }
            Subject::Count(set) => {
                let set = self.set(set);
                self.builder.ins().popcnt(set)
            }
        }
    }

    /// The address of a row.
    fn row(&mut self, place: Value, table: &Table) -> Value {
        let base = self.tables_address(table.offset);
        let distance = match table.stride {
            0 => return base,
            stride if stride.is_power_of_two() => {
                let shift = self.constant(stride.trailing_zeros().into());
                self.builder.ins().ishl(place, shift)
            }
            stride => self.builder.ins().imul_imm_s(place, i64::from(stride)),
        };
        self.builder.ins().iadd(base, distance)
    }

    fn field(&mut self, row: Value, column: Column) -> Value {
        match column {
            Column::Constant(value) => self.constant(value),
            Column::Field { offset, width } => {
                let offset = offset as i32;
                match width {
                    1 => self.builder.ins().uload8(I64, LOADS, row, offset),
                    2 => self.builder.ins().uload16(I64, LOADS, row, offset),
                    4 => self.builder.ins().uload32(LOADS, row, offset),
                    _ => self.builder.ins().load(I64, LOADS, row, offset),
                }
            }
        }
    }

    /// The address of a byte of the tables, which follow the code.
    fn tables_address(&mut self, offset: u32) -> Value {
        let function = &mut self.builder.func;
        let name = function.declare_imported_user_function(UserExternalName::new(0, 0));
        let tables = function.create_global_value(GlobalValueData::Symbol {
            name: ExternalName::user(name),
            offset: i64::from(offset).into(),
            colocated: true,
            tls: false,
        });
        self.builder.ins().symbol_value(I64, tables)
    }
}

/// The constants of a question.
const COLUMNS: usize = 3;

/// The numbers of a table, column by column: the constants of each question, then the words of those rows that have
/// no more than two.
fn columns(rows: &Rows) -> Vec<Vec<u64>> {
    let column = |number: &dyn Fn(&Row) -> u64| rows.rows.iter().map(number).collect();
    let mut columns = Vec::new();
    for question in 0..rows.subjects.len() {
        let parts: [fn(&Constants) -> u64; COLUMNS] =
            [|constants| constants.mask, |constants| constants.low, |constants| constants.span];
        columns.extend(parts.map(|part| column(&|row| part(&row.constants[question]))));
    }
    let words = match rows.outcome {
        Outcome::Fixed => 1,
        Outcome::All => 2,
        Outcome::Each => 0,
    };
    columns.extend((0..words).map(|word| column(&|row| row.words[word].0)));
    columns
}
