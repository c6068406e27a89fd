//! The table of a run, from what criterion wrote down.
#![allow(clippy::print_stdout, reason = "a bench reports")]

use std::path::{Path, PathBuf};

use crate::policies::{ARITHMETIC, BRANCHES, TABLE};

/// Prints a Markdown table: nanoseconds a decision and their ratio to the fastest code written by hand. Of criterion's samples
/// the fastest counts: what else runs on the machine can only add to a time.
pub(crate) fn print(groups: &[&str]) {
    println!(
        "\n| policy | order of logins | machine code | by hand, the fastest | ratio | difference | interpreter |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|");
    for group in groups {
        for order in ["predictable", "unpredictable"] {
            let Some(native) = nanoseconds(group, "machine code", order) else { continue };
            let ways = [BRANCHES, ARITHMETIC, TABLE].into_iter();
            let by_hand = ways.filter_map(|way| Some((nanoseconds(group, way, order)?, way)));
            let by_hand = by_hand.min_by(|a, b| a.0.total_cmp(&b.0));
            let cells = by_hand.map(|(time, way)| {
                format!("{time:.2} ns ({way}) | {:.2} | {:+.2} ns", native / time, native - time)
            });
            let cells = cells.unwrap_or_else(|| " | | ".into());
            let interpreter = nanoseconds(group, "interpreter", order);
            let interpreter = interpreter.map_or(String::new(), |time| format!("{time:.2} ns"));
            println!("| {group} | {order} | {native:.2} ns | {cells} | {interpreter} |");
        }
    }
}

fn nanoseconds(group: &str, side: &str, order: &str) -> Option<f64> {
    let parts = [group, side, order, "new"].map(directory);
    let path =
        parts.iter().fold(target().join("criterion"), |path, part| path.join(part)).join("sample.json");
    let samples: Samples = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let passes = samples.times.iter().zip(&samples.iters).map(|(time, passes)| time / passes);
    passes.min_by(f64::total_cmp).map(|pass| pass / crate::inputs::INPUTS as f64)
}

/// What criterion writes down: for each sample its nanoseconds and how often it ran.
#[derive(serde::Deserialize)]
struct Samples {
    times: Vec<f64>,
    iters: Vec<f64>,
}

/// A name as criterion writes it in a path.
fn directory(name: &str) -> String {
    name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_")
}

fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
}
