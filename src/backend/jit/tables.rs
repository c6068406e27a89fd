//! The tables of a policy's switches: they follow its code, and code finds them by their distance.

/// Where a table begins.
pub(super) const ALIGNMENT: usize = 8;

/// The tables of all steps, one after the other.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) bytes: Vec<u8>,
}

/// A column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    /// It is the same in all rows, so the table doesn't hold it.
    Constant(u64),
    /// It lies so far from the beginning of a row.
    Field {
        /// How far, in bytes.
        offset: u32,
        /// Its bytes: 1, 2, 4 or 8.
        width: u32,
    },
}

/// A table of unsigned numbers.
pub(super) struct Table {
    /// Where it begins.
    pub(super) offset: u32,
    /// The bytes from a row to the next.
    pub(super) stride: u32,
    pub(super) columns: Vec<Column>,
}

impl Tables {
    /// Adds a table of these columns, which are of one length, with fields as narrow as their numbers allow.
    /// Columns that are equal become one field.
    pub(super) fn add(&mut self, columns: &[Vec<u64>]) -> Table {
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|column| std::cmp::Reverse(width(&columns[*column])));
        let mut placed: Vec<Column> = vec![Column::Constant(0); columns.len()];
        let mut fields: Vec<(usize, u32, u32)> = Vec::new();
        let mut end = 0;
        for column in order {
            placed[column] = match constant(&columns[column]) {
                Some(value) => Column::Constant(value),
                None => {
                    let known = fields.iter().find(|(field, ..)| columns[*field] == columns[column]);
                    let (_, offset, width) = known.copied().unwrap_or((column, end, width(&columns[column])));
                    if offset == end {
                        fields.push((column, offset, width));
                        end += width;
                    }
                    Column::Field { offset, width }
                }
            };
        }
        self.place(columns, &fields, end, placed)
    }

    /// Adds numbers of eight bytes each, and says where they begin.
    pub(super) fn add_wide(&mut self, numbers: impl Iterator<Item = u64>) -> u32 {
        let start = self.bytes.len().next_multiple_of(size_of::<u64>());
        self.bytes.resize(start, 0);
        self.bytes.extend(numbers.flat_map(u64::to_le_bytes));
        start as u32
    }

    /// Adds rows of numbers of one width, and says which.
    pub(super) fn add_array(&mut self, rows: &[&[u64]]) -> (Table, u32) {
        let width = rows.iter().map(|row| width(row)).max().unwrap_or(1);
        let length = rows.first().map_or(0, |row| row.len());
        let columns: Vec<Vec<u64>> =
            (0..length).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
        let fields: Vec<_> = (0..length).map(|column| (column, column as u32 * width, width)).collect();
        let placed = fields.iter().map(|&(_, offset, width)| Column::Field { offset, width }).collect();
        (self.place(&columns, &fields, length as u32 * width, placed), width)
    }

    /// Writes rows: fields are columns, offsets and widths, the widest first.
    fn place(
        &mut self,
        columns: &[Vec<u64>],
        fields: &[(usize, u32, u32)],
        end: u32,
        placed: Vec<Column>,
    ) -> Table {
        let alignment = fields.first().map_or(1, |(_, _, width)| *width);
        let stride = end.next_multiple_of(alignment);
        let start = self.bytes.len().next_multiple_of(alignment as usize);
        let rows = if fields.is_empty() { 0 } else { columns.first().map_or(0, Vec::len) };
        self.bytes.resize(start + rows * stride as usize, 0);
        for &(column, offset, width) in fields {
            for (row, value) in columns[column].iter().enumerate() {
                let field = start + row * stride as usize + offset as usize;
                let bytes = &value.to_le_bytes()[..width as usize];
                self.bytes[field..field + bytes.len()].copy_from_slice(bytes);
            }
        }
        Table { offset: start as u32, stride, columns: placed }
    }
}

/// The bytes that the largest of some numbers takes: 1, 2, 4 or 8.
fn width(numbers: &[u64]) -> u32 {
    let largest = numbers.iter().max().copied().unwrap_or(0);
    (64 - largest.leading_zeros()).div_ceil(8).max(1).next_power_of_two()
}

fn constant(column: &[u64]) -> Option<u64> {
    let first = *column.first()?;
    column.iter().all(|value| *value == first).then_some(first)
}
