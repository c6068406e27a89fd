//! Emission of [tables](super::rows): a number finds its row, and the row's questions are answered without a jump.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{ExternalName, GlobalValueData, InstBuilder, UserExternalName, Value};
use smallvec::SmallVec;

use super::emit::{Emitter, LOADS};
use super::line::{self, Index, Nested};
use super::rows::{Cell, Constants, Outcome, Row, Rows, Subject};
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
            Index::Nested(nested) => self.place_in_part(slot, nested),
        }
    }

    /// The place of an inner number in the part that an outer one has.
    fn place_in_part(&mut self, slot: WordSlot, nested: &Nested) -> Value {
        let outer = self.place(slot, &nested.outer);
        let column = |number: fn(&line::Part) -> u64| nested.parts.iter().map(number).collect();
        let columns = [column(|part| part.first as u64), column(|part| part.last), column(|part| part.base)];
        let table = self.tables.add(&columns);
        let row = self.row(outer, &table);
        let mut fields = table.columns.iter().map(|column| self.field(row, *column));
        let (Some(first), Some(last), Some(base)) = (fields.next(), fields.next(), fields.next()) else {
            unreachable!("a part has three columns")
        };
        drop(fields);
        let number = self.load(nested.slot);
        let distance = self.builder.ins().isub(number, first);
        let distance = self.builder.ins().umin(distance, last);
        self.builder.ins().iadd(base, distance)
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

    /// The word that a table has for a number and the facts, where all rows end the step.
    pub(super) fn look_up(&mut self, slot: WordSlot, rows: &Rows) -> Value {
        let found = self.find(slot, rows);
        self.cell(rows, &found, Part::Word)
    }

    /// The same where rows go on at blocks: jumps to that of the row, with its word where the block takes one.
    pub(super) fn look_up_exit(&mut self, slot: WordSlot, rows: &Rows) {
        let found = self.find(slot, rows);
        let word = self.cell(rows, &found, Part::Word);
        let exits: Vec<_> = rows.exits().map(|exit| self.exit(exit, word)).collect();
        if let [(block, argument)] = &exits[..] {
            self.builder.ins().jump(*block, argument);
            return;
        }
        if let (Some([no, yes]), Some(all)) = (found.sides(rows), found.all) {
            let [no, yes] = [&exits[no], &exits[yes]];
            self.builder.ins().brif(all, yes.0, &yes.1, no.0, &no.1);
            return;
        }
        let exit = self.cell(rows, &found, Part::Exit);
        let calls: Vec<_> = exits
            .iter()
            .map(|(block, argument)| self.builder.func.dfg.block_call(*block, argument))
            .collect();
        self.jump_to_one(exit, &calls);
    }

    /// The row of a number, with its questions answered.
    fn find(&mut self, slot: WordSlot, rows: &Rows) -> Found {
        let place = self.place(slot, &rows.index);
        let table = self.tables.add(&columns(rows));
        let row = self.row(place, &table);
        let questions = rows.subjects.iter().zip(table.columns.chunks_exact(COLUMNS));
        let answers: SmallVec<[Value; 4]> =
            questions.map(|(subject, columns)| self.answer(subject, row, columns)).collect();
        let all = match rows.outcome {
            Outcome::All => {
                answers.iter().copied().reduce(|all, answer| self.builder.ins().band(all, answer))
            }
            Outcome::Fixed | Outcome::Each => None,
        };
        Found { place, table, row, answers, all }
    }

    /// A part of the cell that the answers lead to.
    fn cell(&mut self, rows: &Rows, found: &Found, part: Part) -> Value {
        match (found.cells(rows, part), found.all) {
            (Some([no, yes]), Some(all)) => {
                let [no, yes] = [no, yes].map(|column| self.field(found.row, column));
                self.builder.ins().select(all, yes, no)
            }
            (Some([_, only]), None) => self.field(found.row, only),
            (None, _) => self.cell_of_answers(rows, found, part),
        }
    }

    /// A part of one of the cells of a row, by its answers read as a number.
    fn cell_of_answers(&mut self, rows: &Rows, found: &Found, part: Part) -> Value {
        let cells: Vec<Vec<u64>> =
            rows.rows.iter().map(|row| row.cells.iter().map(|cell| part.of(cell)).collect()).collect();
        let cells: Vec<&[u64]> = cells.iter().map(Vec::as_slice).collect();
        let (table, width) = self.tables.add_array(&cells);
        let mut address = self.row(found.place, &table);
        for (answer, bit) in found.answers.iter().zip(width.trailing_zeros()..) {
            let digit = self.shifted(*answer, bit);
            address = self.builder.ins().iadd(address, digit);
        }
        self.number(address, 0, width)
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
            Column::Field { offset, width } => self.number(row, offset, width),
        }
    }

    /// The number of so many bytes at an address.
    pub(super) fn number(&mut self, address: Value, offset: u32, width: u32) -> Value {
        let offset = offset as i32;
        match width {
            1 => self.builder.ins().uload8(I64, LOADS, address, offset),
            2 => self.builder.ins().uload16(I64, LOADS, address, offset),
            4 => self.builder.ins().uload32(LOADS, address, offset),
            _ => self.builder.ins().load(I64, LOADS, address, offset),
        }
    }

    /// The address of a byte of the tables, which follow the code.
    pub(super) fn tables_address(&mut self, offset: u32) -> Value {
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

/// The columns of a question.
const COLUMNS: usize = 3;

/// A row, found at run time.
struct Found {
    place: Value,
    table: Table,
    row: Value,
    answers: SmallVec<[Value; 4]>,
    /// Whether all answers are yes, where that is what counts.
    all: Option<Value>,
}

/// What a cell holds.
#[derive(Clone, Copy)]
enum Part {
    Word,
    Exit,
}

impl Part {
    fn of(self, cell: &Cell) -> u64 {
        match self {
            Part::Word => cell.word.0,
            Part::Exit => cell.exit as u64,
        }
    }
}

impl Found {
    /// The columns of the first and the last cell, where rows have no more than these.
    fn cells(&self, rows: &Rows, part: Part) -> Option<[Column; 2]> {
        let cells = self.table.columns.get(COLUMNS * rows.subjects.len()..)?;
        let of_part = cells.get(part as usize * cells.len() / 2..)?.get(..cells.len() / 2)?;
        Some([*of_part.first()?, *of_part.last()?])
    }

    /// The exits for a no and a yes, where they are the same in all rows.
    fn sides(&self, rows: &Rows) -> Option<[usize; 2]> {
        match self.cells(rows, Part::Exit)? {
            [Column::Constant(no), Column::Constant(yes)] => Some([no as usize, yes as usize]),
            _ => None,
        }
    }
}

/// The numbers of a table, column by column: the constants of each question; then, of those rows that have no more
/// than two cells, the words and the exits.
fn columns(rows: &Rows) -> Vec<Vec<u64>> {
    let column = |number: &dyn Fn(&Row) -> u64| rows.rows.iter().map(number).collect();
    let mut columns = Vec::new();
    for question in 0..rows.subjects.len() {
        let parts: [fn(&Constants) -> u64; COLUMNS] =
            [|constants| constants.mask, |constants| constants.low, |constants| constants.span];
        columns.extend(parts.map(|part| column(&|row| part(&row.constants[question]))));
    }
    let cells = match rows.outcome {
        Outcome::Fixed => 1,
        Outcome::All => 2,
        Outcome::Each => 0,
    };
    for part in [Part::Word, Part::Exit] {
        columns.extend((0..cells).map(|cell| column(&|row| part.of(&row.cells[cell]))));
    }
    columns
}
