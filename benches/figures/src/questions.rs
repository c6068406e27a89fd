//! What an engineer of a server asks, answered from the tables of the benches: a row a question.
//!
//! Each row says what stepup is held against. Names of rows and columns are those that the benches print.

use std::time::Duration;

use crate::Error;
use crate::read::{Curve, Printed, Table};
use crate::run::Process;

/// An answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) question: String,
    pub(crate) stepup: String,
    /// What it is held against, if anything.
    pub(crate) bar: String,
    pub(crate) ratio: String,
    pub(crate) command: String,
}

/// The column of `decide` by which its table is found.
pub(crate) const BY_HAND: &str = "by hand";

/// What grows no more than this is called flat.
const FLAT: f64 = 1.5;

const SEED: &str = "the seed's Action 1";

fn bench(name: &str) -> String {
    format!("cargo bench --bench {name}")
}

pub(crate) fn decide(printed: &Printed) -> Result<Vec<Row>, Error> {
    let table = printed.table(BY_HAND)?;
    let row = |policy: &str| {
        let cell = |column| table.cell(&[policy, "unpredictable"], column);
        Ok(Row {
            question: format!("a decision, unpredictable order: {policy}"),
            stepup: cell("machine code")?.to_owned(),
            bar: format!("the fastest Rust by hand: {}", cell(BY_HAND)?),
            ratio: cell("ratio")?.to_owned(),
            command: bench("decide"),
        })
    };
    [SEED, "50 rules by application", "50 rules, 3 conditions each"].map(row).into_iter().collect()
}

pub(crate) fn growth(curves: &[Curve]) -> Row {
    let ends: Vec<_> =
        curves.iter().filter_map(|curve| Some((curve.points.first()?, curve.points.last()?))).collect();
    let ratio = |curve: &Curve| match (curve.points.first(), curve.points.last()) {
        (Some(first), Some(last)) => last.1 / first.1,
        _ => f64::NAN,
    };
    let (flat, grown): (Vec<_>, Vec<_>) = curves.iter().partition(|curve| ratio(curve) <= FLAT);
    let mut parts = Vec::new();
    if let Some((least, most)) = range(flat.iter().map(|curve| ratio(curve))) {
        parts.push(format!("{least:.2} to {most:.2} in {} shapes", flat.len()));
    }
    parts.extend(grown.iter().map(|curve| format!("{:.1} {}", ratio(curve), curve.name)));
    let (few, many) = ends.first().map_or((0, 0), |(first, last)| (first.0, last.0));
    let nanoseconds = range(ends.iter().map(|(_, last)| last.1));
    Row {
        question: grouped(&format!("a decision of {many} rules, {} shapes of rules", curves.len())),
        stepup: nanoseconds.map_or(String::new(), |(least, most)| format!("{least:.1} to {most:.1} ns")),
        bar: grouped(&format!("the same shape with {few} rules")),
        ratio: parts.join("; "),
        command: bench("growth"),
    }
}

fn range(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let (least, most) = (values.clone().min_by(f64::total_cmp), values.max_by(f64::total_cmp));
    least.zip(most)
}

pub(crate) fn read(printed: &Printed) -> Result<Vec<Row>, Error> {
    let table = printed.table("reader")?;
    let head = table.columns.first().map(String::as_str).unwrap_or_default();
    let text = head.split_once(", ").map_or(head, |(_, text)| text);
    let row = |policy: &str| {
        let (by_hand, skips) = ("serde into a borrowed struct", "serde_json skips all");
        let ours = table.number(&[policy, "stepup"], "an event")?;
        let [by_hand, skips] = [by_hand, skips].map(|reader| table.number(&[policy, reader], "an event"));
        let (by_hand, skips) = (by_hand?, skips?);
        Ok(Row {
            question: grouped(&format!("{text} to a decision: {policy}")),
            stepup: grouped(&format!("{ours:.0} ns")),
            bar: grouped(&format!(
                "serde into a borrowed struct, native Rust: {by_hand:.0} ns; serde_json skips all: {skips:.0} ns"
            )),
            ratio: format!("{:.2}; {:.2}", ours / by_hand, ours / skips),
            command: bench("read"),
        })
    };
    [SEED, "50 rules by application"].map(row).into_iter().collect()
}

pub(crate) fn slots(printed: &Printed) -> Result<Vec<Row>, Error> {
    let table = printed.table("policy, and what is stored")?;
    let row = |policy: &str| {
        let cell = |column| table.cell(&[policy], column);
        Ok(Row {
            question: format!("typed values to a decision, {}", cell("policy")?),
            stepup: cell("stepup")?.to_owned(),
            bar: format!("a perfect hash, native Rust: {}", cell("perfect hash")?),
            ratio: cell("ratio")?.to_owned(),
            command: bench("slots"),
        })
    };
    [SEED, "50 rules by application: its id", "50 rules by application, country", "10,000 rules"]
        .map(row)
        .into_iter()
        .collect()
}

pub(crate) fn batch(printed: &Printed) -> Result<Vec<Row>, Error> {
    let table = printed.table("decide_batch")?;
    let policies = table.rows.iter().filter_map(|row| row.first());
    let row = |policy: &String| {
        let cell = |column| table.cell(&[policy], column);
        Ok(Row {
            question: grouped(&format!("many logins at once, by column: {policy}")),
            stepup: cell("decide_batch")?.to_owned(),
            bar: format!("slots and a decision, one at a time: {}", cell("slots and decide")?),
            ratio: format!("{} times as many a second", cell("times as many")?),
            command: bench("batch"),
        })
    };
    policies.map(row).collect()
}

pub(crate) fn resident(printed: &Printed) -> Result<Vec<Row>, Error> {
    let table = printed.table("each")?;
    let head = table.columns.first().map(String::as_str).unwrap_or_default();
    let count = head.split_once(' ').map_or(head, |(count, _)| count);
    let cell = |row: &str| table.cell(&[row], "each");
    let row = |question: &str, stepup: &str| Row {
        question: grouped(&format!("{count} policies of the seed's size: {question}")),
        stepup: grouped(stepup),
        command: bench("resident"),
        ..Row::default()
    };
    let cold = Row {
        bar: format!(
            "a cold call of a Rust function pointer, as many functions as far apart: {}; few side by side: {}",
            cell("a cold call")?,
            cell("the same")?
        ),
        ratio: format!("{}; {}", cell("ratio to it")?, cell("ratio to that")?),
        ..row("a decision of a cold one", cell("a decision of a cold one")?)
    };
    Ok(vec![
        row("machine code of each", cell("machine code")?),
        row("memory of each in all", cell("resident in all")?),
        cold,
        row("all from source, on two threads", cell("all from source")?),
    ])
}

pub(crate) fn swap(printed: &Printed) -> Result<Vec<Row>, Error> {
    let swapping = printed.table("a decision while the other core swaps")?;
    let threads = printed.table("two threads to one")?;
    let gain = |row: &str| threads.cell(&[row], "gain");
    let mean = swapping.cell(&["mean"], "a decision while the other core swaps")?;
    let while_swapping = |question: &str, row: &str| {
        let beside = swapping.cell(&[row], "the same where it compiles")?;
        Ok(Row {
            question: format!("a decision while the other core swaps policies: {question}"),
            bar: format!("while it idles; where it compiles and swaps nothing: {beside} times that"),
            ratio: swapping.cell(&[row], "ratio to a quiet one")?.to_owned(),
            command: bench("swap"),
            ..Row::default()
        })
    };
    Ok(vec![
        while_swapping(mean, "mean")?,
        while_swapping("99.9th percentile", "99.9th percentile")?,
        Row {
            question: "compiles on two threads instead of one".into(),
            stepup: format!("{} times as many", gain("compiles")?),
            bar: format!("arithmetic alone: {} times as much", gain("arithmetic")?),
            ratio: gain("ratio")?.to_owned(),
            command: bench("swap"),
        },
    ])
}

pub(crate) fn compile(printed: &Printed) -> Result<Vec<Row>, Error> {
    let table = printed.table("text to native code")?;
    let row = |policy: &str, column: &str, unit: &str| {
        Ok(Row {
            question: format!("text to native code, proofs included: {policy}"),
            stepup: format!("{}{unit}", table.cell(&[policy], column)?),
            command: bench("compile"),
            ..Row::default()
        })
    };
    Ok(vec![row("the seed's policy", "text to native code", "")?, row("10,000 rules", "a rule", " a rule")?])
}

pub(crate) fn check(process: &Process) -> Row {
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let memory = process.kilobytes.map(|kilobytes| format!(", {:.1} MB at most", kilobytes as f64 / 1e3));
    Row {
        question: "a check of the seed's policy, as a process".into(),
        stepup: milliseconds(process.check) + &memory.unwrap_or_default(),
        bar: format!("`stepup --version`: {}", milliseconds(process.version)),
        command: "stepup check examples/admins.stepup".into(),
        ..Row::default()
    }
}

/// The table of `peers`, a column an engine, and an order of logins if there are several: how many times stepup's time
/// each takes.
pub(crate) fn peers(printed: &Printed) -> Result<Table, Error> {
    let table = printed.table("times stepup's")?;
    let (mut columns, mut rows) = (vec![String::from("policy")], Vec::<Vec<String>>::new());
    for row in &table.rows {
        let [policy, engine @ .., _, times] = &row[..] else { continue };
        if engine.first().is_none_or(|name| name == "stepup") {
            continue;
        }
        if rows.last().is_none_or(|row| row[0] != *policy) {
            rows.push(vec![policy.clone()]);
        }
        let engine = engine.join(", ");
        if rows.len() == 1 {
            columns.push(engine.clone());
        }
        let Some(row) = rows.last_mut() else { continue };
        if columns.get(row.len()) != Some(&engine) {
            let what = format!("`{engine}` at its place among the engines of `{policy}`");
            return Err(Error::Missing { bench: "peers", what });
        }
        row.push(grouped(&format!("{times}×")));
    }
    Ok(Table::new("peers", columns, rows))
}

/// A text with commas in its large whole numbers.
fn grouped(text: &str) -> String {
    let (mut grouped, mut rest) = (String::new(), text);
    while let Some(begin) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(begin);
        let end = from.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        grouped += before;
        let is_fraction = grouped.ends_with('.');
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) && !is_fraction {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        rest = after;
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(bench: &'static str, text: &str) -> Printed {
        Printed { bench, text: text.to_owned() }
    }

    #[test]
    fn large_numbers_get_commas_and_fractions_none() {
        assert_eq!(
            grouped("100000 rules, 1.23456 or 3,600, 999 and 1000"),
            "100,000 rules, 1.23456 or 3,600, 999 and 1,000"
        );
    }

    #[test]
    fn shapes_that_grow_are_named() {
        let curve = |name: &str, last| Curve { name: name.into(), points: vec![(10, 2.0), (10_000, last)] };
        let row = growth(&[curve("by role", 1.8), curve("by a number", 8.0), curve("by network", 2.2)]);
        assert_eq!(row.ratio, "0.90 to 1.10 in 2 shapes; 4.0 by a number");
        assert_eq!(row.stepup, "1.8 to 8.0 ns");
        assert_eq!(row.question, "a decision of 10,000 rules, 3 shapes of rules");
    }

    #[test]
    fn an_event_is_held_against_two_readers() {
        let rows = ["the seed's Action 1", "50 rules by application"].map(|policy| {
            format!(
                "| {policy} | serde into a borrowed struct, native Rust | 3000 ns | 1.00 |\n\
                 | {policy} | stepup | 1000 ns | 0.33 |\n| {policy} | serde_json skips all | 2000 ns | 0.67 |\n"
            )
        });
        let head = "| policy, 3544 bytes of JSON | reader | an event | ratio |\n|---|---|--:|--:|\n";
        let rows = read(&printed("read", &(head.to_owned() + &rows.concat()))).expect("all is there");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].question, "3,544 bytes of JSON to a decision: the seed's Action 1");
        assert_eq!(rows[0].ratio, "0.33; 0.50");
    }

    #[test]
    fn a_compile_is_counted_by_rule_where_there_are_most() {
        let text = "| policy | text to native code | a rule |\n|---|--:|--:|\n| the seed's policy | 400 µs | |\n\
                    | 1,000 rules | 6.00 ms | 6.00 µs |\n| 10,000 rules | 50.0 ms | 5.00 µs |\n";
        let rows = compile(&printed("compile", text)).expect("all is there");
        assert_eq!(rows[0].stepup, "400 µs");
        assert_eq!(rows[1].question, "text to native code, proofs included: 10,000 rules");
        assert_eq!(rows[1].stepup, "5.00 µs a rule");
    }

    #[test]
    fn peers_stand_side_by_side() {
        let text = "| policy | engine | a decision | times stepup's |\n|---|---|--:|--:|\n\
                    | Action 1 | stepup | 2.2 ns | 1 |\n| Action 1 | cel 0.15 | 1 ns | 1600 |\n\
                    | 50 rules | stepup | 2.2 ns | 1 |\n| 50 rules | cel 0.15 | 1 ns | 4 |\n";
        let table = peers(&printed("peers", text)).expect("all is there");
        let expected = "| policy | cel 0.15 |\n|---|--:|\n| Action 1 | 1,600× |\n| 50 rules | 4× |\n";
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn peers_in_several_orders_are_told_apart() {
        let text = "| policy | engine | order of logins | a decision | times stepup's |\n|---|---|---|--:|--:|\n\
                    | Action 1 | stepup | sorted | 2.2 ns | 1 |\n| Action 1 | roto | sorted | 4 ns | 2.10 |\n\
                    | Action 1 | stepup | mixed | 2.2 ns | 1 |\n| Action 1 | roto | mixed | 6 ns | 3.00 |\n";
        let table = peers(&printed("peers", text)).expect("all is there");
        assert_eq!(table.columns, ["policy", "roto, sorted", "roto, mixed"]);
        assert_eq!(table.rows, [["Action 1", "2.10×", "3.00×"]]);
        let shorter = text.to_owned() + "| 50 rules | roto | mixed | 6 ns | 3.00 |\n";
        assert!(peers(&printed("peers", &shorter)).is_err());
    }

    #[test]
    fn a_bench_that_prints_something_else_is_named() {
        let error = resident(&printed("resident", "nothing")).expect_err("there is no table");
        assert_eq!(error.to_string(), "bench `resident`: found no table with a column `each`");
    }
}
