//! A prompt as the user would see it: a title, the factor that comes first, and how to get to the others.

use stepup::{CommandKind, Prompt, Screen};

use super::super::decide::factor_text;

/// The lines of a prompt, in a box.
pub(super) fn drawn(prompt: &Prompt<'_>) -> Vec<String> {
    let names: Vec<String> = prompt.factors.iter().map(factor_text).collect();
    let title = match prompt.kind {
        CommandKind::Enroll => "Secure your account: enroll",
        CommandKind::Challenge => "Verify your identity",
    };
    let mut lines = vec![title.to_owned(), String::new()];
    match (prompt.screen, names.split_first()) {
        (Screen::Picker, _) => lines.extend(names.iter().map(|name| format!("( ) {name}"))),
        (Screen::Only | Screen::DefaultFirst, None) => {}
        (Screen::Only | Screen::DefaultFirst, Some((first, others))) => {
            lines.push(format!("(*) {first}"));
            if !others.is_empty() {
                lines.push(format!("Try another method: {}", others.join(", ")));
            }
        }
    }
    boxed(&lines)
}

fn boxed(lines: &[String]) -> Vec<String> {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let edge = "─".repeat(width + 2);
    let inner = lines.iter().map(|line| format!("  │ {line}{} │", " ".repeat(width - line.chars().count())));
    let mut drawn = vec![format!("  ┌{edge}┐")];
    drawn.extend(inner);
    drawn.push(format!("  └{edge}┘"));
    drawn
}
