//! Who answers the prompts: a script, or a person with keys or lines.

use std::collections::VecDeque;

use stepup::Prompt;
use stepup::check::policy::{FactorId, TypedPolicy};
use stepup::diagnostic::did_you_mean;
use stepup::diagnostic::render::one_line;

use super::super::decide::factor_text;
use super::Stop;
use super::menu::Choice;
use super::talk::Talk;

/// What the user does at a prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Passes it with a factor.
    Pass(FactorId),
    /// Does not pass it.
    Fail,
    /// Goes away.
    Abandon,
}

/// The user.
pub(super) enum User {
    /// Does what a script says: each entry as it was written, and what it means.
    Script(VecDeque<(String, Answer)>),
    /// Answers by themselves.
    Person,
}

impl User {
    pub(super) fn new(script: Option<&str>, policy: &TypedPolicy) -> Result<User, Stop> {
        let Some(script) = script else { return Ok(User::Person) };
        let entries = script.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| Ok((entry.to_owned(), meant(entry, policy)?)))
            .collect::<Result<_, _>>()
            .map(User::Script)
    }

    /// What the user does at a prompt that offers these factors; `asked` is the command with its place.
    pub(super) fn answer(
        &mut self,
        prompt: &Prompt<'_>,
        offered: &[FactorId],
        asked: &str,
        talk: &mut Talk,
    ) -> Result<Answer, Stop> {
        let names: Vec<&str> = prompt.factors.iter().map(|factor| factor.name).collect();
        match self {
            User::Person => person(prompt, &names, offered, talk),
            User::Script(entries) => {
                let offer = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let Some((entry, answer)) = entries.pop_front() else {
                    return Err(Stop::Findings(format!(
                        "the script has ended, and the login has not: {asked} offers {offer}"
                    )));
                };
                match answer {
                    Answer::Pass(factor) if !offered.contains(&factor) => Err(Stop::Findings(format!(
                        "the script says `{entry}`, which is not offered: {asked} offers {offer}"
                    ))),
                    answer => Ok(answer),
                }
            }
        }
    }

    /// At the end of the login nothing may be left to do.
    pub(super) fn is_done(&self) -> Result<(), Stop> {
        match self {
            User::Script(entries) if !entries.is_empty() => {
                let left: Vec<String> = entries.iter().map(|(entry, _)| format!("`{entry}`")).collect();
                Err(Stop::Findings(format!(
                    "the login has ended, and the script has not: {} is left",
                    left.join(", ")
                )))
            }
            User::Script(_) | User::Person => Ok(()),
        }
    }
}

/// An entry of a script.
fn meant(entry: &str, policy: &TypedPolicy) -> Result<Answer, Stop> {
    if let Some(answer) = word(entry) {
        return Ok(answer);
    }
    policy.catalog.find(entry).map(Answer::Pass).ok_or_else(|| {
        let names = policy.catalog.factors.values().map(|factor| factor.name.as_str());
        let near = did_you_mean(entry, names.chain(["fail", "abandon"]));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Stop::Usage(format!("the script says `{}`, which is no factor{hint}", one_line(entry)))
    })
}

fn word(text: &str) -> Option<Answer> {
    match text {
        "fail" => Some(Answer::Fail),
        "abandon" => Some(Answer::Abandon),
        _ => None,
    }
}

fn person(
    prompt: &Prompt<'_>,
    names: &[&str],
    offered: &[FactorId],
    talk: &mut Talk,
) -> Result<Answer, Stop> {
    let answers: Vec<Answer> =
        offered.iter().map(|factor| Answer::Pass(*factor)).chain([Answer::Fail, Answer::Abandon]).collect();
    let labels = ["fail: the user does not pass", "abandon: the user goes away"].map(str::to_owned);
    let entries: Vec<String> = prompt.factors.iter().map(factor_text).chain(labels).collect();
    match talk.choose(&entries) {
        Some(Choice::Entry(position)) => Ok(answers.get(position).copied().unwrap_or(Answer::Abandon)),
        Some(Choice::Interrupted) => Err(Stop::Interrupted),
        Some(Choice::Ended) => Ok(Answer::Abandon),
        None => Ok(by_line(&entries, &answers, names, talk)),
    }
}

/// A choice that is typed: a number or a name.
fn by_line(entries: &[String], answers: &[Answer], names: &[&str], talk: &mut Talk) -> Answer {
    for (position, entry) in entries.iter().enumerate() {
        talk.say(&format!("    {} {entry}", position + 1));
    }
    loop {
        let Some(line) = talk.ask("  the user chooses") else {
            return Answer::Abandon;
        };
        let position = match line.parse::<usize>() {
            Ok(number) => number.checked_sub(1),
            Err(_) => names.iter().position(|name| *name == line),
        };
        if let Some(answer) = word(&line).or_else(|| answers.get(position?).copied()) {
            return answer;
        }
        let names = names.join(", ");
        talk.say(&format!("  `{}` is not offered; choose one of {names}, fail, abandon", one_line(&line)));
    }
}
