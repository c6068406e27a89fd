//! Slips that people make, each with a report of its own.
//!
//! Each looks at where the piece could not be read on: the word that it begins with, the last word read, the word
//! found. The first that fits makes the report.

use super::Builder;
use super::explain::{Failure, Place};
use super::grammar::Rule;
use super::literals::unit_meant_by;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

/// A piece that could not be read on.
pub(super) struct Slip<'s, 't> {
    pub(super) builder: &'s Builder<'t>,
    pub(super) failure: &'s Failure,
    /// The word that the piece begins with.
    pub(super) first: &'s str,
    pub(super) place: Place,
}

/// Words that open a statement or an item elsewhere, and what is written here.
const FOREIGN_WORDS: &[(&[&str], &str)] = &[
    (&["switch"], "match"),
    (&["return", "exit", "break", "halt", "allow", "permit", "continue", "skip", "pass"], "stop"),
    (&["const", "var", "val", "set"], "let"),
    (&["function", "fn", "def", "func", "predicate"], "define"),
    (&["import", "include"], "use"),
    (&["unless"], "if not"),
    (&["when"], "if"),
    (&["policy", "action", "flow", "phase"], "step"),
    (&["assert", "invariant", "ensure"], "guarantee"),
    (&["challengeWith", "prompt", "require", "verify"], "challenge"),
    (&["challengeWithAny"], "challenge any of"),
    (&["enrollWith", "enrol", "register"], "enroll"),
    (&["enrollWithAny"], "enroll any of"),
    (&["reject", "block", "forbid", "refuse"], "deny"),
    (&["call", "include", "run"], "apply"),
];

/// Words after `is` that ask for presence or absence elsewhere.
const PRESENCE_WORDS: &[(&[&str], &str)] = &[
    (&["null", "nil", "undefined", "absent", "missing", "none", "None"], "not present"),
    (&["defined", "set", "known", "there"], "present"),
];

/// What is called with parentheses.
const CALLED: &[&str] = &["performed", "enrolled", "count", "age", "weekday", "hour", "lower", "domain"];

/// Whether a word opens something elsewhere.
pub(super) fn is_foreign(word: &str) -> bool {
    FOREIGN_WORDS.iter().any(|(words, _)| words.contains(&word))
}

/// Words that join values, or may have meant to.
fn is_operator_like(word: &str) -> bool {
    let operators = [
        "and",
        "or",
        "implies",
        "is",
        "in",
        "not",
        "any",
        "then",
        "within",
        "contains",
        "intersect",
        "union",
        "except",
    ];
    operators.contains(&word) || did_you_mean(word, operators).is_some()
}

impl Slip<'_, '_> {
    /// The report of a known slip, if this is one.
    pub(super) fn report(&self) -> Option<Diagnostic> {
        self.beginning()
            .or_else(|| self.item())
            .or_else(|| self.command())
            .or_else(|| self.condition())
            .or_else(|| self.arm())
            .or_else(|| self.value())
    }

    fn found(&self) -> &str {
        self.builder.slice(self.failure.found)
    }

    /// Whether nothing of the piece could be read.
    fn is_at_beginning(&self) -> bool {
        self.failure.read.start == self.failure.read.end
    }

    fn first_span(&self) -> Span {
        let read = self.failure.read;
        Span { end: read.start + self.first.len() as u32, ..read }
    }

    fn last(&self) -> Span {
        self.builder.last_word(self.failure.read)
    }

    fn last_word(&self) -> &str {
        self.builder.slice(self.last())
    }

    fn expects(&self, rule: Rule) -> bool {
        self.failure.expected.contains(&rule)
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        let found = self.failure.found;
        let place = if found.start == found.end { self.last().after() } else { found };
        Diagnostic::error(Code::E0101, place, message)
    }

    /// A word that opens nothing here.
    fn beginning(&self) -> Option<Diagnostic> {
        if !self.is_at_beginning() {
            return None;
        }
        let found = self.found();
        let span = self.failure.found;
        if matches!(found, "else" | "elif" | "elsif" | "elseif") && self.place != Place::Arm {
            let report = self.error(format!("this `{found}` follows no `if`"));
            return Some(report.note("an `if` ends where its block or its one statement does"));
        }
        if matches!(found, "for" | "foreach" | "while" | "loop" | "repeat") {
            let report = Diagnostic::error(Code::E0102, span, "the language has no loops");
            return Some(report.help("a set says it for all its factors: `challenge any of enrolled`"));
        }
        let foreign = FOREIGN_WORDS.iter().find(|(words, _)| words.contains(&found));
        let statement = matches!(self.place, Place::Entry | Place::Statement | Place::Body);
        if let Some((_, right)) = foreign.filter(|_| statement) {
            let report = Diagnostic::error(Code::E0102, span, format!("the language has no `{found}`"));
            return Some(report.fix(format!("write `{right}`"), span, *right));
        }
        None
    }

    /// The parts of items that are most often left out.
    fn item(&self) -> Option<Diagnostic> {
        let last = self.last_word();
        let found = self.found();
        let words = self.builder.slice(self.failure.read).split_whitespace().count();
        match self.first {
            "step" | "rule" if last == self.first && self.expects(Rule::name) => {
                let report = self.error(format!("this `{last}` has no name")).here("a name stands here");
                Some(report.help(format!("write `{last} NAME {{ … }}`")))
            }
            "fact" if words == 2 && self.expects(Rule::colon) => {
                let report = self.error(format!("the fact `{last}` has no type"));
                Some(report.help(format!("write its type after it, such as `fact {last}: bool = event.…`")))
            }
            "fact" if self.expects(Rule::event_path) || self.expects(Rule::kw_event) => {
                let report = self.error("the path of a fact begins with `event`");
                let word = found.starts_with(|c: char| c.is_ascii_alphabetic());
                let fix =
                    |r: Diagnostic| r.fix("write `event.` before it", self.failure.found.before(), "event.");
                Some(if word { fix(report) } else { report })
            }
            "fact" if found == "[" || found == "-" => {
                let report = self.error(format!("`{found}` can't stand in a path"));
                Some(
                    report.help("a key that is no plain name stands in quotes, as in `event.user.\"a-key\"`"),
                )
            }
            "define" if self.expects(Rule::colon) => {
                let report = self.error(format!("the parameter `{last}` has no type"));
                Some(report.help(format!("write its type after it, such as `{last}: factor`")))
            }
            "let" | "define" if words == 2 && self.expects(Rule::assign) => {
                let report = self.error(format!("`{last}` has no value"));
                Some(report.help(format!("write `{} {last} = …`", self.first)))
            }
            "guarantee" | "test" if last == self.first => {
                let report = self.error(format!("this `{last}` has no name"));
                Some(report.help(format!("write it as a text in quotes: `{last} \"…\"`")))
            }
            "guarantee" if self.expects(Rule::colon) => {
                let report = self.error("a `:` stands before what is guaranteed");
                Some(report.fix("write `:`", self.last().after(), ":"))
            }
            _ => None,
        }
    }

    fn command(&self) -> Option<Diagnostic> {
        if self.first == "deny" && self.last_word() == "deny" {
            let report = self.error("`deny` has no reason").here("a text in quotes stands here");
            return Some(report.help("write what the user is told: `deny \"…\"`"));
        }
        if !matches!(self.first, "enroll" | "challenge") {
            return None;
        }
        let found = self.failure.found;
        let word = self.found();
        match word {
            "," => {
                let report = self.error("alternatives are joined by `or`");
                Some(report.fix("write `or`", found, " or"))
            }
            "and" | "&" | "+" => {
                let report = self.error("a command asks for one factor");
                Some(report.help(format!("two factors are two commands: write `{}` again", self.first)))
            }
            "|" => Some(self.error("alternatives are joined by `or`").fix("write `or`", found, "or")),
            "[" if self.last_word() == "any" => Some(self.error("`of` is missing before the list").fix(
                "write `any of`",
                found.before(),
                "of ",
            )),
            "[" if self.expects_factor() => {
                let report = self.error("`any of` stands before a list");
                Some(report.fix("write `any of`", found.before(), "any of "))
            }
            _ if word.starts_with(['"', '\'']) && self.expects_factor() => {
                let bare = word.trim_matches(['"', '\'']);
                let report = self.error("factors are named without quotes");
                Some(report.fix(format!("write `{bare}`"), found, bare))
            }
            _ => None,
        }
    }

    fn expects_factor(&self) -> bool {
        [Rule::factor_name, Rule::factor_use, Rule::preferred].iter().any(|rule| self.expects(*rule))
    }

    /// Between a condition and what it governs.
    fn condition(&self) -> Option<Diagnostic> {
        if !self.expects(Rule::kw_then) {
            return None;
        }
        let found = self.failure.found;
        let message = "expected `then` or `{` after the condition";
        match self.found() {
            "enroll" | "challenge" | "deny" | "stop" | "match" | "apply" | "if" => {
                Some(self.error(message).fix("write `then`", found.before(), "then "))
            }
            "matches" | "like" | "regex" | "~" => {
                let report = Diagnostic::error(Code::E0102, found, "the language has no patterns for text");
                Some(
                    report.note(
                        "it has `starts with`, `ends with`, `contains`, and `domain(…)` for an address",
                    ),
                )
            }
            _ if matches!(self.last_word(), "challenge" | "enroll") => {
                let report = self.error(format!("`{}` is no condition", self.last_word()));
                Some(report.help("ask `enrolled(F)` or `performed(F)`"))
            }
            ":" | "do" | "=>" | "?" | "→" => Some(self.error(message).fix("write `then`", found, "then")),
            _ => None,
        }
    }

    /// Between a pattern and what it governs.
    fn arm(&self) -> Option<Diagnostic> {
        if self.place != Place::Arm {
            return None;
        }
        let found = self.failure.found;
        match (self.found(), self.first) {
            ("then" | ":" | "=", _) if !self.is_at_beginning() => Some(
                self.error("`=>` stands between a pattern and its statement").fix("write `=>`", found, "=>"),
            ),
            (_, "case" | "when") => {
                let first =
                    Span { end: self.failure.read.start + self.first.len() as u32, ..self.failure.read };
                let report = Diagnostic::error(Code::E0102, first, format!("an arm has no `{}`", self.first));
                Some(report.fix("remove it", first, ""))
            }
            (_, "enroll" | "challenge" | "deny" | "stop" | "if" | "let" | "apply") => {
                let first = self.first_span();
                let report = Diagnostic::error(Code::E0101, first, "a `match` holds arms, not statements");
                Some(
                    report.help(
                        "write the values before it: `\"a\", \"b\" => STATEMENT`, or `else => STATEMENT`",
                    ),
                )
            }
            _ => None,
        }
    }

    /// Within an expression.
    fn value(&self) -> Option<Diagnostic> {
        let (found, last) = (self.failure.found, self.last());
        let (word, last_word) = (self.found(), self.last_word());
        if matches!(word, "-" | "+" | "*" | "/" | "%") && !self.is_at_beginning() {
            let report = self.error("the language has no arithmetic");
            return Some(
                report.help("compare with the result instead; `age(t) < 5m` asks how long ago something was"),
            );
        }
        let number = !last_word.is_empty() && last_word.bytes().all(|b| b.is_ascii_digit());
        if let Some(unit) = unit_meant_by(word).filter(|_| number) {
            let whole = last.to(found);
            let text = format!("{last_word}{unit}");
            let report = Diagnostic::error(Code::E0104, whole, "a length of time is one word");
            return Some(report.fix(format!("write `{text}`"), whole, text));
        }
        if CALLED.contains(&last_word)
            && !is_operator_like(word)
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
            && !self.is_at_beginning()
        {
            let whole = last.to(found);
            let text = format!("{last_word}({word})");
            let report = Diagnostic::error(
                Code::E0101,
                whole,
                format!("what `{last_word}` is asked of stands in parentheses"),
            );
            return Some(report.fix(format!("write `{text}`"), whole, text));
        }
        if self.expects(Rule::kw_present) && matches!(word, "true" | "false") {
            let report = Diagnostic::error(Code::E0102, found, format!("the language has no `is {word}`"));
            return Some(
                report.help("a bool is asked by itself, as in `user.isAdmin` or `not user.isAdmin`"),
            );
        }
        if matches!(word, "“" | "”" | "‘" | "’" | "„" | "«" | "»") {
            let report = Diagnostic::error(Code::E0102, found, "a text stands in straight quotes");
            return Some(report.help("write `\"` before and after it"));
        }
        if self.expects(Rule::kw_present) {
            let (_, right) = PRESENCE_WORDS.iter().find(|(words, _)| words.contains(&word))?;
            let negated = last_word == "not";
            let right = match (negated, *right) {
                (true, "present") => "present",
                (true, _) => return Some(self.presence(last.to(found), "present")),
                (false, right) => right,
            };
            return Some(self.presence(found, right));
        }
        None
    }

    fn presence(&self, span: Span, right: &str) -> Diagnostic {
        let message = format!("the language has no `is {}`", self.builder.slice(span));
        let report = Diagnostic::error(Code::E0102, span, message);
        report.fix(format!("write `is {right}`"), span, right)
    }
}
