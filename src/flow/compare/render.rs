//! A comparison as text: for people, and as Markdown for a pull request.

use std::fmt::{self, Write};

use super::{AnsweredPrompt, Class, Comparison, ExampleLogin, Literal, Weaker, When};

/// The most products of a description that are told to people; programs are told all.
const MOST_TOLD: usize = 6;

/// A description as a sentence.
pub(super) fn sentence(any: &[Vec<Literal>], shortened: bool) -> String {
    parts(any, shortened, str::to_owned).join(", or ")
}

/// The products of a description, each as a text.
fn parts(any: &[Vec<Literal>], shortened: bool, word: fn(&str) -> String) -> Vec<String> {
    let product = |all: &Vec<Literal>| match all.as_slice() {
        [] => "every login".to_owned(),
        all => all.iter().map(|literal| word(&literal.text)).collect::<Vec<_>>().join(" and "),
    };
    let mut parts: Vec<String> = any.iter().take(MOST_TOLD).map(product).collect();
    if shortened || any.len() > MOST_TOLD {
        parts.push("more".to_owned());
    }
    parts
}

impl fmt::Display for Comparison {
    /// As people read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl Comparison {
    /// One line: how many classes of logins differ.
    pub fn headline(&self) -> String {
        match self.classes.len() {
            0 => "the same for every login".to_owned(),
            1 => "one class of logins differs".to_owned(),
            count => format!("{count} classes of logins differ"),
        }
    }

    fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        for (number, class) in self.classes.iter().enumerate() {
            write_class(&mut text, number + 1, class);
        }
        if let Some(weaker) = &self.weaker {
            write_weaker(&mut text, weaker);
        }
        text
    }

    /// As Markdown, fit for a comment on a pull request.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("### stepup diff: {}\n", self.headline());
        if !self.classes.is_empty() {
            text.push_str("\n| | logins | was | now |\n|---|---|---|---|\n");
        }
        for (number, class) in self.classes.iter().enumerate() {
            let when = cell_of(&class.when) + after_prompts(class);
            let cells = [when, code(&class.before), code(&class.after)];
            let _ = writeln!(text, "| {} | {} |", number + 1, cells.join(" | "));
        }
        if let Some(weaker) = &self.weaker {
            let when = cell_of(&weaker.when);
            let _ = writeln!(text, "\n**Weaker than before:** {when}. {}\n", weaker_words(weaker));
            details(&mut text, "A login that completes with less", &weaker_lines(weaker));
        }
        for (number, class) in self.classes.iter().enumerate() {
            text.push('\n');
            details(&mut text, &format!("An example of {}", number + 1), &example_lines(class));
        }
        text
    }
}

/// Where in a login a difference comes, if not at once.
fn after_prompts(class: &Class) -> &'static str {
    match class.after_prompts {
        0 => "",
        1 => ", after the first prompt",
        2 => ", after the second prompt",
        3 => ", after the third prompt",
        _ => ", after the fourth prompt",
    }
}

fn write_class(text: &mut String, number: usize, class: &Class) {
    let _ = writeln!(text, "\n{number}. {}{}", lines_of(&class.when), after_prompts(class));
    let _ = writeln!(text, "   was: {}", class.before);
    let _ = writeln!(text, "   now: {}", class.after);
    let _ = writeln!(text, "   for example:");
    for line in example_lines(class) {
        let _ = writeln!(text, "     {line}");
    }
}

fn write_weaker(text: &mut String, weaker: &Weaker) {
    let _ = writeln!(text, "\nweaker than before: {}", lines_of(&weaker.when));
    let _ = writeln!(text, "   {}", weaker_words(weaker));
    let _ = writeln!(text, "   for example:");
    for line in weaker_lines(weaker) {
        let _ = writeln!(text, "     {line}");
    }
}

fn login_lines(login: &ExampleLogin) -> impl Iterator<Item = String> + '_ {
    login.facts.iter().chain(&login.time).cloned()
}

fn answered(shown: &AnsweredPrompt) -> String {
    match &shown.answer {
        Some(answer) => format!("{}: the user passes {answer}", shown.prompt),
        None => shown.prompt.clone(),
    }
}

fn example_lines(class: &Class) -> Vec<String> {
    let example = &class.example;
    let mut lines: Vec<String> = login_lines(&example.login).collect();
    lines.extend(example.shared.iter().map(|shown| format!("both: {}", answered(shown))));
    lines.push(format!("was:  {}", example.before.join(", then ")));
    lines.push(format!("now:  {}", example.after.join(", then ")));
    lines
}

fn weaker_lines(weaker: &Weaker) -> Vec<String> {
    let mut lines: Vec<String> = login_lines(&weaker.login).collect();
    lines.extend(weaker.shown.iter().map(|shown| format!("now: {}", answered(shown))));
    lines
}

fn weaker_words(weaker: &Weaker) -> String {
    let passed = match weaker.passed.as_slice() {
        [] => "no factor".to_owned(),
        passed => passed.join(" and "),
    };
    match &weaker.needed {
        None => format!("a login completes with {passed}, and could not complete before"),
        Some(needed) => match &needed.passed {
            Some(factors) if factors.is_empty() => {
                format!("a login completes with {passed}, and needed none")
            }
            Some(factors) => {
                format!("a login completes with {passed}, and needed {} before", factors.join(" and "))
            }
            None => format!(
                "a login completes with {passed}, and needed {} factors before",
                needed.strength.factors
            ),
        },
    }
}

/// Conditions in one cell of a table.
fn cell_of(when: &When) -> String {
    parts(&when.any, when.shortened, code).join(", or<br>")
}

/// Conditions on lines of their own.
fn lines_of(when: &When) -> String {
    parts(&when.any, when.shortened, str::to_owned).join(",\n   or ")
}

/// A text as Markdown code that stays in its cell, whatever it holds.
fn code(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", line.replace('|', "\\|"))
}

/// Lines behind a summary that opens. Indented code, so that no text can end it.
fn details(text: &mut String, summary: &str, lines: &[String]) {
    let _ = writeln!(text, "<details><summary>{summary}</summary>\n");
    for line in lines {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "\n</details>");
}
