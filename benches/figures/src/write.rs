//! Writes figures between two lines of a Markdown file, `<!-- NAME: begin … -->` and `<!-- NAME: end -->`.

use crate::Error;
use crate::questions::Row;
use crate::read::Table;
use crate::run::{Effort, Machine};

/// The part of the README that every run writes, and the one of `--peers`.
pub(crate) const FIGURES: &str = "figures";
pub(crate) const PEERS: &str = "peers";

/// How many other programs may have wanted to run for the machine to count as quiet.
const QUIET: f64 = 0.5;

/// The text with another body between the two lines.
pub(crate) fn replaced(text: &str, region: &'static str, body: &str) -> Result<String, Error> {
    let (begin, end) = (format!("<!-- {region}: begin"), format!("<!-- {region}: end -->"));
    let place = || {
        let from = text.find(&begin)?;
        let from = from + text[from..].find("-->\n")? + 4;
        Some((from, from + text[from..].find(&end)?))
    };
    let (from, to) = place().ok_or(Error::NoPlace { region })?;
    Ok(format!("{}\n{}\n\n{}", &text[..from], body.trim(), &text[to..]))
}

/// The README's figures: where they were made, the answers, the plot, and the table of decisions.
pub(crate) fn figures(machine: &Machine, effort: Effort, rows: &[Row], decisions: &Table) -> String {
    let mut text = made_on(machine, effort);
    text += "\n\n| | stepup | held against | ratio | command |\n|---|--:|---|--:|---|\n";
    for Row { question, stepup, bar, ratio, command } in rows {
        text += &format!("| {question} | {stepup} | {bar} | {ratio} | `{command}` |\n");
    }
    text += "\n![Nanoseconds a decision from 10 rules to 10,000, a line for each shape of rules](benches/growth.svg)\n\n";
    text += "All of `cargo bench --bench decide`:\n\n";
    text + &decisions.markdown()
}

fn made_on(machine: &Machine, effort: Effort) -> String {
    let Machine { processor, threads, rustc, load } = machine;
    let mut text = String::new();
    if effort == Effort::Quick {
        text += "**A quick run, which shows that all works. Its figures say nothing.** ";
    }
    text += processor.as_deref().unwrap_or("An unnamed processor");
    text += &format!(", {threads} threads");
    if let Some(rustc) = rustc {
        text += &format!(", Rust {rustc}");
    }
    match load {
        Some(load) if *load < QUIET => text += "; nothing else ran in the minute before.",
        Some(load) => text += &format!("; other work ran in the minute before (a load of {load:.1})."),
        None => text.push('.'),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# it\n\n<!-- figures: begin, by a script -->\nold\n<!-- figures: end -->\nrest\n";

    #[test]
    fn only_what_stands_between_the_lines_is_replaced() {
        let text = replaced(README, FIGURES, "new\n").expect("there is a place");
        let expected = "# it\n\n<!-- figures: begin, by a script -->\n\nnew\n\n<!-- figures: end -->\nrest\n";
        assert_eq!(text, expected);
        assert_eq!(replaced(&text, FIGURES, "new").expect("there is a place"), text);
    }

    #[test]
    fn a_text_without_the_lines_is_an_error() {
        let error = replaced(README, PEERS, "new").expect_err("there is none").to_string();
        assert_eq!(error, "README.md: found no lines `<!-- peers: begin … -->`, `<!-- peers: end -->`");
        assert!(replaced(&README.replace("end", "END"), FIGURES, "new").is_err());
    }

    #[test]
    fn a_quick_run_and_a_busy_machine_are_told() {
        let machine = |load| Machine { processor: None, threads: 2, rustc: Some("1.95.0".into()), load };
        let quiet = made_on(&machine(Some(0.1)), Effort::Full);
        assert_eq!(
            quiet,
            "An unnamed processor, 2 threads, Rust 1.95.0; nothing else ran in the minute before."
        );
        assert!(made_on(&machine(Some(1.25)), Effort::Full).contains("a load of 1.2)"));
        assert!(made_on(&machine(None), Effort::Quick).starts_with("**A quick run"));
    }
}
