//! What a clause expects and what a login did, told alike, so that the two stand side by side.

use crate::check::policy::{Command, FactorId, Style};
use crate::play::Outcome;
use crate::runtime::{Failure, LogEntry, Prompt, Screen};
use crate::source::Span;
use crate::trace::{ExecutedCommand, Words, quoted};

/// What a login did in place of what a clause expects.
pub(super) struct Contradiction {
    pub(super) expected: String,
    pub(super) actual: String,
    /// The statements behind it, each with a remark.
    pub(super) causes: Vec<(Span, &'static str)>,
    /// The step, where it decided otherwise.
    pub(super) step: Option<String>,
}

/// A command with what it offers at some point.
#[derive(Clone, Debug)]
pub(super) struct Offer<'p> {
    pub(super) command: &'p Command,
    pub(super) offered: Vec<FactorId>,
}

impl<'p> Offer<'p> {
    pub(super) fn executed(executed: &ExecutedCommand<'p>) -> Self {
        Offer { command: executed.command, offered: executed.offered.clone() }
    }

    /// The options that the command gives a factor, in the catalog's order.
    fn options(&self, factor: FactorId) -> Vec<usize> {
        let listed = self.command.listed.iter().find(|listed| listed.factor == factor);
        let mut options = listed.map_or_else(Vec::new, |listed| listed.options.clone());
        options.sort_unstable();
        options
    }

    /// Whether a prompt shows just this: of a single factor, whichever way it is written.
    pub(super) fn is_shown_by(&self, prompt: &Prompt<'_>) -> bool {
        let style = match prompt.screen {
            Screen::Only => None,
            Screen::DefaultFirst => Some(Style::Preferred),
            Screen::Picker => Some(Style::Any),
        };
        let shown = prompt.factors.iter().map(|choice| FactorId::from_u32(choice.number.into()));
        prompt.kind == self.command.kind
            && shown.eq(self.offered.iter().copied())
            && style.is_none_or(|style| style == self.command.style)
    }
}

/// Two commands that ask the same, wherever they stand.
impl PartialEq for Offer<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.command.kind == other.command.kind
            && self.command.style == other.command.style
            && self.offered == other.offered
            && self.offered.iter().all(|factor| self.options(*factor) == other.options(*factor))
    }
}

/// Commands as a clause writes them.
pub(super) fn offers_told(words: &Words<'_>, offers: &[Offer<'_>]) -> String {
    if offers.is_empty() {
        return "nothing".to_owned();
    }
    let told = offers.iter().map(|offer| words.command(offer.command, &offer.offered));
    told.collect::<Vec<_>>().join(", ")
}

/// A prompt as a clause writes it.
pub(super) fn prompt_told(prompt: &Prompt<'_>) -> String {
    let names: Vec<&str> = prompt.factors.iter().map(|choice| choice.name).collect();
    let verb = prompt.kind.word();
    match prompt.screen {
        Screen::Only | Screen::DefaultFirst => format!("{verb} {}", names.join(" or ")),
        Screen::Picker => format!("{verb} any of [{}]", names.join(", ")),
    }
}

/// An end as a clause writes it, and why it failed.
pub(super) fn outcome_told(outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Completed => "completes".to_owned(),
        Outcome::Denied(reason) => format!("denied {}", quoted(reason)),
        Outcome::Failed(Failure::Logged(entry)) => format!("fails, with {}", log_told(entry)),
        Outcome::Failed(failure) => format!("fails: {failure}"),
    }
}

/// A log entry as a clause writes it.
pub(super) fn log_told(entry: &LogEntry<'_>) -> String {
    match entry {
        LogEntry::NotSetUp { factor, .. } => format!("log w for {factor}"),
        LogEntry::NothingUsable(kind) => format!("log mfar (no factor to {} can be used)", kind.word()),
        LogEntry::EnrollWithoutChallenge => {
            "log mfar (an enrollment while enrolled, without a challenge before)".to_owned()
        }
    }
}
