//! What is said to a person, and what they answer line by line.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use stepup::diagnostic::render::one_line;

use super::menu::{self, Choice};

/// The longest line that is read at once.
const MAX_LINE: u64 = 64 * 1024;

/// A conversation.
pub(super) struct Talk {
    out: Box<dyn Write>,
    answers: Answers,
    /// Whether a menu can be drawn and answered by keys.
    has_keys: bool,
    ended: bool,
}

/// Who writes the answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// A terminal, which shows them.
    Terminal,
    /// A pipe or file: they are repeated, so that what was said reads as a whole.
    Lines,
}

impl Talk {
    /// A conversation on standard output.
    pub(super) fn on_output() -> Talk {
        let out = io::stdout();
        Talk::new(out.is_terminal(), Box::new(out))
    }

    /// A conversation on standard error.
    pub(super) fn on_error() -> Talk {
        let out = io::stderr();
        Talk::new(out.is_terminal(), Box::new(out))
    }

    fn new(is_seen: bool, out: Box<dyn Write>) -> Talk {
        let is_terminal = io::stdin().is_terminal();
        let answers = if is_terminal { Answers::Terminal } else { Answers::Lines };
        Talk { out, answers, has_keys: is_terminal && is_seen, ended: false }
    }

    /// Says a line, or several. Who has gone away hears no more.
    pub(super) fn say(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}", text.trim_end_matches('\n')).and_then(|()| self.out.flush());
    }

    /// Asks, and gives the line that is answered; `None` where the input has ended.
    pub(super) fn ask(&mut self, question: &str) -> Option<String> {
        let _ = write!(self.out, "{question}: ").and_then(|()| self.out.flush());
        let mut line = Vec::new();
        let input = io::stdin().lock();
        let read =
            if self.ended { 0 } else { input.take(MAX_LINE).read_until(b'\n', &mut line).unwrap_or(0) };
        if read == 0 {
            self.ended = true;
            self.say("(the input has ended)");
            return None;
        }
        let answer = String::from_utf8_lossy(&line).trim().to_owned();
        if self.answers == Answers::Lines {
            self.say(&one_line(&answer));
        }
        Some(answer)
    }

    /// Lets a person choose by keys, where there are any; `None` where there are not.
    pub(super) fn choose(&mut self, entries: &[String]) -> Option<Choice> {
        if !self.has_keys || self.ended || !menu::fits(entries) {
            return None;
        }
        // A terminal that can't be read from has gone away, and the user with it.
        Some(menu::choose(&mut self.out, entries).unwrap_or(Choice::Ended))
    }
}
