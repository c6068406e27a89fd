//! Reads what benches print: Markdown tables, and the figures of growth.
//!
//! What is asked for and isn't there is an error that names the bench.

use std::fmt::Write;

use crate::Error;

/// What a bench printed.
pub(crate) struct Printed {
    pub(crate) bench: &'static str,
    pub(crate) text: String,
}

/// A Markdown table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    bench: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The nanoseconds of a decision, by the number of rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(u32, f64)>,
}

impl Printed {
    /// The table that has a column whose name begins so.
    pub(crate) fn table(&self, column: &str) -> Result<Table, Error> {
        let tables = self.tables();
        let found = tables.into_iter().find(|table| table.column(column).is_ok());
        found.ok_or_else(|| missing(self.bench, format!("table with a column `{column}`")))
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        let mut lines = self.text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(columns) = cells(line) else { continue };
            if lines.next_if(|line| is_rule(line)).is_none() {
                continue;
            }
            let mut rows = Vec::new();
            while let Some(row) = lines.peek().and_then(|line| cells(line)) {
                rows.push(row);
                lines.next();
            }
            tables.push(Table { bench: self.bench, columns, rows });
        }
        tables
    }
}

impl Table {
    /// The cell of the row whose first cells are these or else begin so, in the column whose name begins so.
    pub(crate) fn cell(&self, row: &[&str], column: &str) -> Result<&str, Error> {
        let place = self.column(column)?;
        let begins = |cells: &&Vec<String>| {
            row.len() <= cells.len() && row.iter().zip(*cells).all(|(begin, cell)| cell.starts_with(begin))
        };
        let is_same = |cells: &&Vec<String>| cells.iter().zip(row).all(|(cell, name)| cell == name);
        let found = self.rows.iter().find(is_same).or_else(|| self.rows.iter().find(begins));
        let cell = found.and_then(|cells| cells.get(place));
        let what = || format!("row `{}` in the table of `{}`", row.join(" | "), self.columns.join(" | "));
        cell.map(String::as_str).ok_or_else(|| missing(self.bench, what()))
    }

    /// The number that such a cell begins with.
    pub(crate) fn number(&self, row: &[&str], column: &str) -> Result<f64, Error> {
        let cell = self.cell(row, column)?;
        let what = || missing(self.bench, format!("number in `{cell}`, row `{}`", row.join(" | ")));
        number(cell).ok_or_else(what)
    }

    /// A table of other cells.
    pub(crate) fn new(bench: &'static str, columns: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        Table { bench, columns, rows }
    }

    /// As Markdown; all columns but the first ones that hold words are aligned to the right.
    pub(crate) fn markdown(&self) -> String {
        let mut text = line(&self.columns);
        text.push('|');
        for place in 0..self.columns.len() {
            let figures = self.rows.iter().filter_map(|row| row.get(place));
            let is_number = figures.clone().any(|cell| number(cell).is_some())
                && figures.clone().all(|cell| cell.is_empty() || number(cell).is_some());
            text += if is_number && place > 0 { "--:|" } else { "---|" };
        }
        text.push('\n');
        self.rows.iter().for_each(|row| text += &line(row));
        text
    }

    fn column(&self, begin: &str) -> Result<usize, Error> {
        let place = self.columns.iter().position(|name| name.starts_with(begin));
        let what = || format!("column `{begin}` in the table of `{}`", self.columns.join(" | "));
        place.ok_or_else(|| missing(self.bench, what()))
    }
}

fn missing(bench: &'static str, what: String) -> Error {
    Error::Missing { bench, what }
}

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// Whether it is the line between the head of a table and its rows.
fn is_rule(line: &str) -> bool {
    cells(line).is_some_and(|cells| {
        cells.iter().all(|cell| cell.contains('-') && cell.chars().all(|letter| matches!(letter, '-' | ':')))
    })
}

fn line(cells: &[String]) -> String {
    cells.iter().fold(String::from("|"), |mut text, cell| {
        let _ = if cell.is_empty() { write!(text, " |") } else { write!(text, " {cell} |") };
        text
    }) + "\n"
}

/// The number that a text begins with.
fn number(text: &str) -> Option<f64> {
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | ',' | '+' | '-'));
    text[..end.unwrap_or(text.len())].replace(',', "").parse().ok()
}

/// The curves of one order of logins, from the CSV of `growth`: `"NAME",ORDER,RULES,NANOSECONDS,…`.
pub(crate) fn curves(csv: &str, order: &str) -> Result<Vec<Curve>, Error> {
    let mut curves: Vec<Curve> = Vec::new();
    for (name, point) in csv.lines().filter_map(|line| point(line, order)) {
        match curves.iter_mut().find(|curve| curve.name == name) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { name: name.to_owned(), points: vec![point] }),
        }
    }
    let is_whole = !curves.is_empty() && curves.iter().all(|curve| curve.points.len() > 1);
    let what = || format!("two sizes of each shape in `{order}` order in the CSV");
    if is_whole { Ok(curves) } else { Err(missing("growth", what())) }
}

fn point<'l>(line: &'l str, order: &str) -> Option<(&'l str, (u32, f64))> {
    // Names have commas of their own.
    let (name, rest) = line.strip_prefix('"')?.rsplit_once('"')?;
    let mut values = rest.strip_prefix(',')?.split(',');
    let is_wanted = values.next()? == order;
    let point = (values.next()?.parse().ok()?, values.next()?.parse().ok()?);
    is_wanted.then_some((name, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Benchmarking…

| policy, 3544 bytes | reader | an event |
|---|---|--:|
| Action 1 | serde | 2938 ns |
| Action 1 | stepup |  |

| no table
| patterns |
|--:|
| 10,000 |
| 10 |
";

    fn printed() -> Printed {
        Printed { bench: "read", text: TEXT.to_owned() }
    }

    #[test]
    fn a_table_is_found_by_a_column_and_a_cell_by_its_row() {
        let table = printed().table("policy").expect("it is there");
        assert_eq!(table.columns[0], "policy, 3544 bytes");
        assert_eq!(table.cell(&["Action 1", "serde"], "an event").expect("a cell"), "2938 ns");
        assert_eq!(table.number(&["Action 1", "serde"], "an event").expect("a number"), 2938.0);
        assert_eq!(table.cell(&["Action 1", "stepup"], "an event").expect("a cell"), "");
        let patterns = printed().table("patterns").expect("it is there");
        assert_eq!(patterns.number(&["10"], "patterns").expect("a number"), 10.0);
        assert_eq!(patterns.number(&["10,"], "patterns").expect("a number"), 10_000.0);
    }

    #[test]
    fn what_is_missing_is_named_with_its_bench() {
        let error = |result: Result<(), Error>| result.expect_err("it is missing").to_string();
        let table = printed().table("policy").expect("it is there");
        assert_eq!(
            error(printed().table("ratio").map(drop)),
            "bench `read`: found no table with a column `ratio`"
        );
        assert_eq!(
            error(table.cell(&["Action 2"], "an event").map(drop)),
            "bench `read`: found no row `Action 2` in the table of `policy, 3544 bytes | reader | an event`"
        );
        assert_eq!(
            error(table.number(&["Action 1", "stepup"], "an event").map(drop)),
            "bench `read`: found no number in ``, row `Action 1 | stepup`"
        );
        assert_eq!(
            error(curves("\"a\",unpredictable,10,1.5\n", "unpredictable").map(drop)),
            "bench `growth`: found no two sizes of each shape in `unpredictable` order in the CSV"
        );
    }

    #[test]
    fn a_table_is_written_as_it_was_read() {
        let table = printed().table("policy").expect("it is there");
        let text = table.markdown();
        assert!(text.starts_with("| policy, 3544 bytes | reader | an event |\n|---|---|--:|\n"), "{text}");
        let again = Printed { bench: "read", text }.table("policy").expect("it is there");
        assert_eq!(again, table);
    }

    #[test]
    fn curves_are_those_of_one_order_whatever_commas_their_names_have() {
        let csv = "rules,order,count,nanoseconds,ratio\n\"by role, 3 each\",predictable,10,1.2,1\n\
                   \"by role, 3 each\",unpredictable,10,1.5,1\n\"by role, 3 each\",unpredictable,100,1.75,1.2\n";
        let points = vec![(10, 1.5), (100, 1.75)];
        let curve = Curve { name: "by role, 3 each".into(), points };
        assert_eq!(curves(csv, "unpredictable").expect("one"), [curve]);
    }
}
